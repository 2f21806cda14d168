//! A folder in the system's place for temporary files, for verbs that need files where there are none. Must not know
//! what stands in it.

use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

/// A folder; it goes, with what is in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new folder that only its owner may enter, named after the verb. What is there already is somebody else's and
    /// left alone.
    pub(super) fn make(verb: &str) -> io::Result<Self> {
        let parent = env::temp_dir();
        let mut number = 0;
        loop {
            let path = parent.join(format!("meridian-{verb}-{}-{number}", process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => number += 1,
                Err(error) => return Err(named(&path, &error)),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes it and everything in it.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.0).map_err(|error| named(&self.0, &error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Removed already, as a rule; else there is nobody left to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_the_owners_and_goes() {
        let folder = Folder::make("verb").unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(path.join("file"), "text").unwrap();
        let second = Folder::make("verb").unwrap();
        assert_ne!(second.path(), path, "two of one process");
        folder.remove().unwrap();
        assert!(!path.exists());
        let path = second.path().to_owned();
        drop(second);
        assert!(!path.exists());
    }
}
