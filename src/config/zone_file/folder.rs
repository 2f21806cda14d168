//! Reading the files of one zone: the zone file itself, and those it includes, which must lie in its folder. Must not
//! know what stands in them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use crate::config::unreadable::Unreadable;

/// The most octets that the files of one zone may have, included again as often as they are.
const MAX_OCTETS: u64 = 256 << 20;
/// The most files that one zone may include.
const MAX_FILES: usize = 1000;

/// The folder that a zone's files must not leave.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    octets_left: u64,
    files_left: usize,
}

/// Why a file of a zone cannot be read. Never with anything that stands in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("more than {MAX_FILES} files are included")]
    TooMany,
    #[error("the file lies outside the folder of the zone file")]
    Outside,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("the zone's files are larger than {} MiB together", MAX_OCTETS >> 20)]
    TooLarge,
    #[error("{}", words(.0))]
    System(#[from] io::Error),
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its path, as a person would write it.
    pub(super) path: PathBuf,
    /// Device and inode: what makes it the same file under another name.
    pub(super) identity: (u64, u64),
    /// Its octets.
    pub(super) octets: Vec<u8>,
}

impl Folder {
    /// Reads the zone file and takes its folder as the limit for what it includes: the folder of the path as named,
    /// not of where a link leads, so that a folder of links into itself (as Kubernetes mounts them) works.
    ///
    /// # Errors
    /// In words, when the file cannot be read.
    pub(super) fn open(path: &Path) -> Result<(Self, Opened), Unreadable> {
        let unreadable = |error: io::Error| Unreadable::of(path, &error);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = parent.canonicalize().map_err(unreadable)?;
        let mut folder = Self { root, octets_left: MAX_OCTETS, files_left: MAX_FILES };
        let file = open_quietly(path, 0).map_err(unreadable)?;
        if let Some(other) = Unreadable::kind(path, &file.metadata().map_err(unreadable)?) {
            return Err(other);
        }
        let opened = folder.read(file, path.to_path_buf());
        let opened = opened.map_err(|error| Unreadable {
            cause: error.to_string(),
            remedy: "name the file of this zone".to_owned(),
        })?;
        Ok((folder, opened))
    }

    /// Reads a file that `from` includes; relative paths begin at the folder of `from`.
    ///
    /// # Errors
    /// When the file cannot be read or lies elsewhere.
    pub(super) fn include(&mut self, written: &Path, from: &Path) -> Result<Opened, FileError> {
        self.files_left = self.files_left.checked_sub(1).ok_or(FileError::TooMany)?;
        let path = from.parent().unwrap_or(Path::new("")).join(written);
        let real = path.canonicalize()?;
        if !real.starts_with(&self.root) {
            return Err(FileError::Outside);
        }
        let file = open_quietly(&real, libc::O_NOFOLLOW)?;
        // A folder on the way may have been swapped for a link in between: ask what was really opened.
        let handle = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        if handle.canonicalize().is_ok_and(|now| !now.starts_with(&self.root)) {
            return Err(FileError::Outside);
        }
        self.read(file, path)
    }

    fn read(&mut self, file: File, path: PathBuf) -> Result<Opened, FileError> {
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(FileError::NotAFile);
        }
        if about.len() > self.octets_left {
            return Err(FileError::TooLarge);
        }
        let mut octets = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
        file.take(self.octets_left + 1).read_to_end(&mut octets)?;
        self.octets_left = self.octets_left.checked_sub(octets.len() as u64).ok_or(FileError::TooLarge)?;
        Ok(Opened { path, identity: (about.dev(), about.ino()), octets })
    }
}

/// Opens for reading without waiting for the other end of a pipe.
fn open_quietly(path: &Path, flags: i32) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags | libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "it is not a regular file".to_owned(),
        _ => error.to_string(),
    }
}
