//! A probe that looks into a file in which another program says who is up. Each file is read once for all targets, and
//! again when it is another one. What cannot be read leaves the states as they were, and that is said.

mod sheet;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    io::{self, Read as _},
    net::IpAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task;

use self::sheet::{Sheet, SheetError};
use super::error_text::Fine;
use crate::{engine::health::fold::Outcome, probing::check::FileCheck};

/// A file that is larger is none of ours.
const LARGEST: u64 = 16 << 20;

/// What all targets know of all files.
#[derive(Debug, Default)]
pub(super) struct Files {
    known: Mutex<HashMap<PathBuf, Arc<Looking>>>,
}

/// Held by whoever looks, until it has: a file that makes one wait holds one thread, however many ask for it.
type Looking = tokio::sync::Mutex<Known>;

/// What is known of one file.
#[derive(Debug, Default)]
struct Known {
    /// The file that was read last, whatever came of it.
    stamp: Option<Stamp>,
    /// The last that could be read.
    sheet: Option<Arc<Sheet>>,
    /// What is wrong with the file as it is now.
    fault: Option<Arc<str>>,
    /// How often it was read.
    #[cfg(test)]
    reads: u32,
}

/// By what a file is known to be the same: device, inode, size, times of its content and of its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(u64, u64, u64, [i64; 4]);

impl Stamp {
    fn of(found: &fs::Metadata) -> Self {
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        Self(found.dev(), found.ino(), found.size(), times)
    }
}

impl Files {
    fn known(&self, path: &Path) -> Arc<Looking> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(path) {
            return Arc::clone(found);
        }
        Arc::clone(known.entry(path.to_owned()).or_default())
    }
}

impl Known {
    /// Reads the file if it is not the one that was read last.
    fn look(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if self.stamp == Some(Stamp::of(&found)) => {}
            Ok(found) if found.is_file() && found.len() <= LARGEST => self.read(path, Stamp::of(&found)),
            Ok(_) => self.tell(None, &FileError::NotAFile, path),
            Err(error) => self.tell(None, &error.into(), path),
        }
    }

    fn read(&mut self, path: &Path, stamp: Stamp) {
        #[cfg(test)]
        {
            self.reads += 1;
        }
        let mut text = String::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
        match read {
            // Some files do not tell their size.
            Ok(count) if count as u64 > LARGEST => {
                return self.tell(Some(stamp), &FileError::NotAFile, path);
            }
            Ok(_) => {}
            Err(error) => return self.tell(Some(stamp), &error.into(), path),
        }
        // Read while it was being written: what it says may be half of it, and the next look tells.
        if fs::metadata(path).map(|after| Stamp::of(&after)).ok() != Some(stamp) {
            return;
        }
        match Sheet::read(&text) {
            Ok(sheet) => {
                if self.fault.is_some() {
                    tracing::info!(file = %path.display(), "{} can be read again", path.display());
                }
                (self.stamp, self.sheet, self.fault) = (Some(stamp), Some(Arc::new(sheet)), None);
            }
            Err(error) => self.tell(Some(stamp), &error.into(), path),
        }
    }

    /// Keeps the states and says why, once.
    fn tell(&mut self, stamp: Option<Stamp>, fault: &FileError, path: &Path) {
        let fault = format!("{}: {fault}", path.display());
        self.stamp = stamp;
        if self.fault.as_deref() != Some(&*fault) {
            let kept = if self.sheet.is_some() { "; states stay as they were" } else { "" };
            tracing::warn!(file = %path.display(), "{fault}{kept}");
            self.fault = Some(fault.into());
        }
    }
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("it is no file of at most {} MiB", LARGEST >> 20)]
    NotAFile,
    #[error("{}", in_words(.0))]
    System(#[from] io::Error),
    #[error(transparent)]
    Sheet(#[from] SheetError),
}

fn in_words(error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "this user may not read it".into(),
        io::ErrorKind::InvalidData => "it is no text".into(),
        _ => error.to_string().into(),
    }
}

/// A target of `file`.
#[derive(Debug)]
pub(super) struct File {
    path: Arc<Path>,
    address: IpAddr,
}

impl File {
    pub(super) fn of(check: &FileCheck, address: IpAddr) -> Self {
        Self { path: Arc::from(&*check.path), address }
    }

    pub(super) async fn ask(&self, files: &Files) -> Result<Fine, Outcome> {
        let (mut known, path) = (files.known(&self.path).lock_owned().await, Arc::clone(&self.path));
        // Files may lie where they make one wait: the look goes on, and holds the file, when nobody waits for it any more.
        let look = move || {
            known.look(&path);
            (known.sheet.clone(), known.fault.clone())
        };
        let (sheet, fault) = task::spawn_blocking(look).await.unwrap_or_default();
        let Some(sheet) = sheet else {
            let why = fault.as_deref().unwrap_or("the file is being written");
            return Err(Outcome::Unasked(why.into()));
        };
        let note = fault.map(|fault| format!("as last read; now {fault}"));
        match sheet.down(self.address) {
            None => Ok(Fine { note: note.map(Into::into), ..Fine::default() }),
            Some(reason) => {
                let reason = if reason.is_empty() { "down in the file" } else { reason };
                let note = note.map_or(String::new(), |note| format!(" ({note})"));
                Err(Outcome::Bad(format!("{reason}{note}").into()))
            }
        }
    }
}
