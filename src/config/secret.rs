//! The secret that keys the draws: read at every load, made once by `serve`. Must not know what is drawn.
//!
//! The file holds 32 hexadecimal digits, which are 16 octets; white space around them does not count. It may be read by
//! its owner only. All servers of a zone have the same one: `openssl rand -hex 16 > secret.key`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use super::{
    include::plain,
    settings::Server,
    unreadable::{STATE_DIR, Unreadable, unwritable},
};

/// The largest file that is looked at.
const MAX_FILE: u64 = 1024;

/// Why a file is no secret. Never quotes what stands in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It cannot be opened or read.
    #[error("{}", plain(.0))]
    Unreadable(#[source] io::Error),
    /// Others than its owner may read it; these are its permission bits.
    #[error("others than its owner may read it (mode {0:04o})")]
    Open(u32),
    /// It is not a file of 32 hexadecimal digits.
    #[error("it does not hold exactly 32 hexadecimal digits")]
    Malformed,
    /// It could not be made.
    #[error("there is none, and it cannot be made: {}", unwritable(Path::new(""), .0, STATE_DIR).cause)]
    Unwritable(#[source] io::Error),
}

impl SecretFault {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self, file: &Path) -> String {
        let path = file;
        let file = file.display();
        match self {
            Self::Missing | Self::Malformed => {
                format!(
                    "make one with: (umask 077; openssl rand -hex 16 > {file}), and copy it to all servers of the zone"
                )
            }
            Self::Open(_) => format!("chmod 600 {file}, and make a new one if others may have seen it"),
            Self::Unreadable(error) => Unreadable::of(path, error).remedy,
            Self::Unwritable(error) => unwritable(path, error, STATE_DIR).remedy,
        }
    }
}

/// Reads the secret.
///
/// # Errors
/// Says why the file is none.
pub fn read(file: &Path) -> Result<[u8; 16], SecretFault> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SecretFault::Missing,
        _ => SecretFault::Unreadable(error),
    };
    // What is asked before opening: a pipe would block.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(SecretFault::Malformed);
    }
    let open = File::open(file).map_err(unreadable)?;
    let about = open.metadata().map_err(unreadable)?;
    if about.mode() & 0o077 != 0 {
        return Err(SecretFault::Open(about.mode() & 0o7777));
    }
    let mut text = Vec::new();
    open.take(MAX_FILE).read_to_end(&mut text).map_err(unreadable)?;
    // A byte order mark surrounds the digits as white space does.
    let digits = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
    if digits.len() != 32 {
        return Err(SecretFault::Malformed);
    }
    let mut secret = [0; 16];
    for (octet, pair) in secret.iter_mut().zip(digits.chunks(2)) {
        let pair = pair.iter().try_fold(0, |value, digit| Some(value << 4 | (*digit as char).to_digit(16)?));
        *octet = pair.ok_or(SecretFault::Malformed)? as u8;
    }
    Ok(secret)
}

/// The secret of a server: read, or made when the file does not exist, together with `state_dir`. Another process that
/// makes one at the same moment wins, and its secret is the one that is returned.
///
/// # Errors
/// Says why there is none.
pub fn ensure(server: &Server) -> Result<[u8; 16], SecretFault> {
    match read(&server.secret_file) {
        Err(SecretFault::Missing) => {}
        other => return other,
    }
    make(server).map_err(SecretFault::Unwritable)?;
    read(&server.secret_file)
}

fn make(server: &Server) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o750).create(&server.state_dir)?;
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut name = server.secret_file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = server.secret_file.with_file_name(name);
    let _stale = fs::remove_file(&temporary);
    let linked = write(&temporary, &format!("{digits}\n")).and_then(|()| {
        // A link, unlike a rename, never replaces a secret that appeared meanwhile.
        fs::hard_link(&temporary, &server.secret_file)
    });
    let _unneeded = fs::remove_file(&temporary);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match server.secret_file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::settings::{Tcp, Udp, Workers};
    use crate::engine::types::Millis;

    fn server(folder: &Path) -> Server {
        Server {
            listen: Vec::new(),
            listens_as_usual: false,
            identity: String::new(),
            state_dir: folder.join("state"),
            secret_file: folder.join("state/secret.key"),
            workers: Workers::Auto,
            startup_wait: Millis(0),
            rotate: true,
            udp: Udp { max_size: 1232, receive_buffer: 0, batch: 1 },
            tcp: Tcp { connections: 1, per_client: 1, idle: Millis(1), message: Millis(1) },
        }
    }

    #[test]
    fn it_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("folder");
        let server = server(folder.path());
        let first = ensure(&server).expect("made");
        assert_eq!(ensure(&server).expect("kept"), first);
        let mode = fs::metadata(&server.secret_file).expect("file").mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(&server.state_dir).expect("folder").count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_others_may_read_or_is_malformed_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("secret.key");
        let write = |text: &str, mode| {
            fs::write(&file, text).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
            read(&file)
        };
        let digits = "000102030405060708090a0b0c0d0e0F";
        assert_eq!(write(&format!("{digits}\n"), 0o600).expect("good")[15], 15);
        assert_eq!(write(&format!("\u{feff}{digits}\r\n"), 0o600).expect("good")[15], 15);
        assert!(matches!(write(digits, 0o640), Err(SecretFault::Open(0o640))));
        assert!(matches!(write(&digits[1..], 0o600), Err(SecretFault::Malformed)));
        assert!(matches!(write(&digits.replace('a', "g"), 0o600), Err(SecretFault::Malformed)));
        assert!(matches!(read(&folder.path().join("none")), Err(SecretFault::Missing)));
    }
}
