//! The version of what this program keeps in `state_dir`: one number for all of its files, and the header that carries it.
//! Must not know what stands below the header.
//!
//! The first line of a file is a JSON object, and the key `meridian_` with the name of the file has the version:
//! `{"meridian_health":2,…}`. The header is in the file itself, so that one rename replaces both; and it has been read by
//! every version of this program, so that each can say that a file is of a later one.
//!
//! [`FORMAT`] goes up by one when any file changes in a way that the program before it would not understand. **Every file
//! then has a reader for the version before.** A field that older programs may pass over needs no other version.
//!
//! The secret has no header. Operators make it with `openssl`, copy it between servers whose versions differ, and may keep
//! it elsewhere: it is 32 hexadecimal digits in all versions.

use std::fmt;

use serde_json::Value;

/// The version of all that is written.
pub const FORMAT: u64 = 2;

/// The oldest version that is read.
pub const OLDEST: u64 = FORMAT - 1;

/// Why a file of `state_dir` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is of another version.
    Version(u64),
    /// It is no such file, or not all of it.
    Garbage(String),
}

/// Reads the header of a file: its version, which this program reads, and all that the line has. `key` is `meridian_` with
/// the name of the file.
///
/// # Errors
/// Why the file is not to be used.
pub fn header(line: Option<&str>, key: &str) -> Result<(u64, Value), Unreadable> {
    let garbage = |what: &str| Unreadable::Garbage(what.into());
    let head: Value =
        line.and_then(|line| serde_json::from_str(line).ok()).ok_or_else(|| garbage("its first line says nothing"))?;
    match head.get(key).and_then(Value::as_u64) {
        Some(version) if (OLDEST..=FORMAT).contains(&version) => Ok((version, head)),
        Some(version) => Err(Unreadable::Version(version)),
        None => Err(garbage("its first line does not name a version")),
    }
}

impl std::error::Error for Unreadable {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "it is of version {version}, and this program reads {OLDEST} and {FORMAT}")
            }
            Self::Garbage(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_version_and_the_one_before_are_read() {
        let of = |version: u64| header(Some(&format!("{{\"meridian_x\":{version},\"more\":0}}")), "meridian_x");
        for version in [FORMAT - 1, FORMAT] {
            assert_eq!(of(version).map(|(read, _)| read), Ok(version));
        }
        for version in [0, FORMAT - 2, FORMAT + 1, u64::MAX] {
            assert_eq!(of(version), Err(Unreadable::Version(version)));
        }
        assert_eq!(Unreadable::Version(3).to_string(), "it is of version 3, and this program reads 1 and 2");
        for line in [None, Some(""), Some("{"), Some("[]"), Some("{\"meridian_y\":2}"), Some("{\"meridian_x\":\"2\"}")]
        {
            assert!(matches!(header(line, "meridian_x"), Err(Unreadable::Garbage(_))), "{line:?}");
        }
    }
}
