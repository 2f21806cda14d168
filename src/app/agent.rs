//! The agent beside a region's load balancer: looks at the kernel's connections now and then, and hands on lines of
//! samples. Must not know the command line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    task,
    time::{self, MissedTickBehavior},
};

use super::{Signal, Signals};
pub use crate::feed::kernel::{Look, Wanted};
use crate::{engine::types::UnixMillis, feed::kernel};

/// Looks every so often, at once the first time, and hands on what it sees, until a signal ends it or `take` does.
/// `take` is given the lines and the look that they are of.
///
/// # Errors
/// What the kernel says, or what `take` does.
pub async fn run(
    wanted: &Wanted,
    every: Duration,
    signals: &mut Signals,
    mut take: impl FnMut(&str, &Look) -> io::Result<()>,
) -> io::Result<()> {
    let mut beat = time::interval(every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut chance = fastrand::Rng::new();
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::End(_) => return Ok(()),
                // A file that was moved away is noticed anyhow.
                Signal::Reload | Signal::Ignored(_) => {}
            },
            _ = beat.tick() => {
                let (asked, chance) = (wanted.clone(), chance.fork());
                let look = task::spawn_blocking(move || kernel::look(&asked, chance)).await.map_err(io::Error::other)??;
                take(&look.lines(&wanted.region, now()), &look)?;
            }
        }
    }
}

/// A file that lines are added to. One that was moved away, as those who rotate logs do, is made anew.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    open: Option<File>,
    /// The last line may lack its end.
    torn: bool,
}

impl Lines {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// When neither can be done.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let mut lines = Self { path, open: None, torn: false };
        lines.there()?;
        Ok(lines)
    }

    /// Adds lines.
    ///
    /// # Errors
    /// When they could not be written; those that come later may be all the same.
    pub fn add(&mut self, lines: &str) -> io::Result<()> {
        let torn = std::mem::take(&mut self.torn);
        let text = if torn { format!("\n{lines}") } else { lines.to_owned() };
        let done = self.there().and_then(|file| file.write_all(text.as_bytes()));
        self.torn = done.is_err();
        done
    }

    /// The file that stands at the path.
    fn there(&mut self) -> io::Result<&mut File> {
        let name = |about: &fs::Metadata| (about.dev(), about.ino());
        let there = fs::metadata(&self.path).ok();
        let is_it = |file: &File| file.metadata().ok().zip(there.as_ref()).is_some_and(|(a, b)| name(&a) == name(b));
        let file = match self.open.take().filter(is_it) {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).custom_flags(libc::O_NONBLOCK).open(&self.path)?,
        };
        Ok(self.open.insert(file))
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_moved_away_is_made_anew_and_one_that_is_there_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("s.jsonl"), folder.path().join("s.jsonl.1"));
        fs::write(&path, "first\n").unwrap();
        let mut lines = Lines::open(path.clone()).unwrap();
        lines.add("second\n").unwrap();
        fs::rename(&path, &old).unwrap();
        lines.add("third\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "first\nsecond\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(lines.add("lost\n").is_err());
        fs::remove_dir(&path).unwrap();
        lines.add("fourth\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\nfourth\n", "a torn line is ended");
        assert!(Lines::open(folder.path().join("none/s.jsonl")).is_err());
    }
}
