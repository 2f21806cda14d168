//! Health on disk: read at the start, written when it changes, at most once a second, and at the end. Whoever is killed
//! at any moment leaves the old file or the new one. Must not know what is in it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::{oneshot, watch},
    task::{self, JoinHandle},
    time,
};
use tracing::{debug, info, warn};

use crate::{
    app::writer::{Wanted, Writer},
    clock::Clock,
    config::unreadable::{STATE_DIR, unwritable},
    engine::{health::fold::Health, types::Millis},
    node::{change::Change, format::Unreadable, input::Input, saved},
};

/// The file in the state folder.
const FILE: &str = "health";
/// The shortest time between two writings.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is written although nothing has changed, so that its age says until when it was true.
const REFRESH: Duration = Duration::from_secs(30);

/// Octets of a file that is read, at most: a target takes some 200.
const LARGEST: u64 = 256 << 20;

/// Keeps the file up to date.
#[derive(Debug)]
pub(super) struct Saving {
    folder: watch::Sender<PathBuf>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Saving {
    /// Starts to write what the board shows. Wants a tokio runtime.
    pub(super) fn start(folder: &Path, writer: &Writer, clock: Clock) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (folder, folders) = watch::channel(folder.to_owned());
        let task = tokio::spawn(keep(folders, writer.board.subscribe(), writer.wanted(), clock, stopped));
        Self { folder, stop, task }
    }

    /// Writes in another folder from now on, if it is another one. By the same task: no two ever write one file.
    pub(super) fn move_to(&self, folder: &Path) {
        self.folder.send_if_modified(|known| {
            let other = known != folder;
            if other {
                folder.clone_into(known);
            }
            other
        });
    }

    /// Writes once more and ends.
    pub(super) async fn finish(self) {
        drop(self.stop);
        let _ended = self.task.await;
    }
}

/// Brings what an earlier process has left to the writer, and returns when it is in force: who saves before that writes
/// over it what this process knows at its start, which is nothing.
pub(super) async fn restore(folder: &Path, limit: Millis, writer: &Writer) {
    let Some(restored) = read(folder, limit) else { return };
    let mut changes = writer.changes();
    let _the_writer_runs = writer.inputs.send(restored).await;
    // Who has missed some is behind it too: it is the first of all that its event changes.
    while changes.recv().await.is_ok_and(|change| !matches!(*change, Change::Restored { .. })) {}
}

/// What an earlier process has left in the folder, as the first event of this one. What cannot be read is told, kept
/// aside, and not used.
fn read(folder: &Path, limit: Millis) -> Option<Input> {
    let file = folder.join(FILE);
    let shown = file.display();
    let text = match read_whole(&file) {
        Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            warn!("saved health {shown} cannot be read, all targets start unknown: {error}");
            return None;
        }
    };
    match saved::decode(&text) {
        Ok(saved) => {
            let age = saved.age(wall(), limit);
            Some(Input::Saved { saved, age })
        }
        Err(why) => {
            let kind = if matches!(why, Unreadable::Version(_)) { "other" } else { "broken" };
            let aside = file.with_extension(kind);
            match fs::rename(&file, &aside) {
                Ok(()) => warn!(
                    "saved health {shown} is not used, all targets start unknown: {why}; it is kept as {}",
                    aside.display()
                ),
                Err(error) => warn!(
                    "saved health {shown} is not used, all targets start unknown: {why}; it cannot be kept aside: {error}"
                ),
            }
            None
        }
    }
}

/// What is asked before opening: a pipe would be waited for, and no signal would end that.
fn read_whole(file: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(file)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if about.len() > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    fs::read(file)
}

async fn keep(
    mut folders: watch::Receiver<PathBuf>,
    mut versions: watch::Receiver<u64>,
    wanted: Wanted,
    clock: Clock,
    mut stopped: oneshot::Receiver<()>,
) {
    // What was restored is written at once: by then it is known to be true for longer than the file says.
    versions.mark_changed();
    let mut broken = false;
    loop {
        let ends = tokio::select! {
            _ = &mut stopped => true,
            changed = versions.changed() => changed.is_err(),
            Ok(()) = folders.changed() => false,
            () = time::sleep(REFRESH) => false,
        };
        versions.mark_unchanged();
        let Some(status) = wanted.status().await else { return };
        let down = status.targets.iter().filter(|record| record.health == Health::Down).count();
        let targets = status.targets.len();
        let text = saved::encode(&status, clock.now(), wall());
        let file = folders.borrow_and_update().join(FILE);
        let path = file.clone();
        let written =
            task::spawn_blocking(move || write(&path, &text)).await.unwrap_or_else(|e| Err(io::Error::other(e)));
        match &written {
            Ok(()) if !broken => debug!("health is saved: {down} of {targets} targets are down"),
            Ok(()) if broken => info!("health is saved again in {}", file.display()),
            // Said once; it is tried again all the same.
            Err(error) if !broken => {
                let why = unwritable(&file, error, STATE_DIR);
                warn!(
                    "health cannot be saved in {}: {}; serving goes on, but a restart now begins with what was saved \
                     last; {}",
                    file.display(),
                    why.cause,
                    why.remedy
                );
            }
            _ => {}
        }
        broken = written.is_err();
        if ends {
            return;
        }
        tokio::select! {
            () = time::sleep(PAUSE) => {}
            // The last writing does not wait.
            _ = &mut stopped => {
                let Some(status) = wanted.status().await else { return };
                let text = saved::encode(&status, clock.now(), wall());
                let file = folders.borrow().join(FILE);
                let _told_already = task::spawn_blocking(move || write(&file, &text)).await;
                return;
            }
        }
    }
}

/// The new file whole beside the old one, then in its place.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    let temporary = file.with_extension("tmp");
    // Without waiting for the other end of a pipe that lies there.
    let how = libc::O_NONBLOCK;
    let mut open =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).custom_flags(how).open(&temporary)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    fs::rename(&temporary, file)?;
    File::open(folder)?.sync_all()
}

/// Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::format::{FORMAT, OLDEST};

    #[test]
    fn what_cannot_be_written_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state").join(FILE);
        write(&file, "old").expect("the folder is made");
        fs::create_dir(file.with_extension("tmp")).expect("something in the way");
        assert!(write(&file, "new").is_err());
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
        fs::remove_dir(file.with_extension("tmp")).expect("out of the way");
        write(&file, "new").expect("written");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "new");
    }

    #[test]
    fn whoever_looks_at_any_moment_finds_the_old_or_the_new_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        let texts = ["a".repeat(100_000), "b".repeat(50_000)];
        write(&file, &texts[0]).expect("written");
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (1..100).for_each(|n| write(&file, &texts[n % 2]).expect("written")));
            while !writing.is_finished() {
                let seen = fs::read_to_string(&file).expect("it is always there");
                assert!(texts.contains(&seen), "{} octets", seen.len());
            }
        });
    }

    #[test]
    fn what_cannot_be_read_is_kept_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path(), Millis(1000)).is_none(), "nothing there");
        for (text, aside) in [("nonsense", "broken"), ("{\"meridian_health\":7}\n", "other")] {
            fs::write(folder.path().join(FILE), text).expect("written");
            assert!(read(folder.path(), Millis(1000)).is_none());
            let kept = folder.path().join(FILE).with_extension(aside);
            assert_eq!(fs::read_to_string(kept).expect("kept"), text);
            assert!(!folder.path().join(FILE).exists());
        }
    }

    #[test]
    fn a_file_of_the_version_before_is_read_and_stays_until_the_next_takes_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        for version in [OLDEST, FORMAT] {
            let text = format!("{{\"meridian_health\":{version},\"saved\":0,\"targets\":0}}\n");
            fs::write(&file, &text).expect("written");
            assert!(matches!(read(folder.path(), Millis(1000)), Some(Input::Saved { .. })), "{version}");
            assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
        }
        for version in [OLDEST - 1, FORMAT + 1] {
            fs::write(&file, format!("{{\"meridian_health\":{version}}}\n")).expect("written");
            assert!(read(folder.path(), Millis(1000)).is_none());
            assert!(file.with_extension("other").exists() && !file.exists());
            fs::remove_file(file.with_extension("other")).expect("removed");
        }
    }

    #[test]
    fn nobody_waits_for_a_pipe() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        for pipe in [file.with_extension("tmp"), file.clone()] {
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
            assert!(made.success());
        }
        assert!(read(folder.path(), Millis(1000)).is_none());
        assert!(write(&file, "new").is_err());
        fs::remove_file(file.with_extension("tmp")).expect("out of the way");
        write(&file, "new").expect("written in the place of the other one");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "new");
    }
}
