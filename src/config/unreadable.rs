//! Why a file cannot be read or written, and what to do about it: the same words whatever the file is for. Must not know what
//! stands in files.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::Path,
};

use super::diagnostics::nearest;

/// A file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, as a clause about the file: `it is empty`.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

/// How another state folder is named.
pub const STATE_DIR: &str = "set `server.state_dir` to another folder";

impl Unreadable {
    fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), remedy: remedy.into() }
    }

    /// What an error of the system says of a path.
    #[must_use]
    pub fn of(path: &Path, error: &io::Error) -> Self {
        if path.as_os_str().is_empty() {
            return Self::new("the path is empty", "write the path of a file");
        }
        match error.kind() {
            io::ErrorKind::NotFound => missing(path),
            io::ErrorKind::PermissionDenied => forbidden(path),
            io::ErrorKind::IsADirectory => folder(path),
            io::ErrorKind::NotADirectory => Self::new("a part of its path is a file, not a folder", "correct the path"),
            io::ErrorKind::InvalidFilename => Self::new("the path is too long", "correct the path"),
            io::ErrorKind::InvalidInput => Self::new("the path holds a NUL octet", "correct the path"),
            _ => match error.raw_os_error() {
                Some(libc::ELOOP) => Self::new("its links lead in a circle", "correct the links on its path"),
                Some(libc::EMFILE | libc::ENFILE) => {
                    Self::new("too many files are open", "raise the limit of open files (`ulimit -n`)")
                }
                Some(libc::EIO) => Self::new("the disk cannot be read", "look at the disk: the kernel's log says more"),
                Some(libc::ESTALE | libc::ENOTCONN | libc::ETIMEDOUT) => {
                    Self::new("its network drive does not answer", "look at the mount that it lies on")
                }
                _ => Self::new(error.to_string(), "look at the file with the user that Meridian runs as"),
            },
        }
    }

    /// What a file is that is not a regular one.
    #[must_use]
    pub fn kind(path: &Path, about: &Metadata) -> Option<Self> {
        let kind = about.file_type();
        let stream = |what: &str| Self::new(what, "write what comes from there to a file, and name that file");
        if kind.is_file() {
            None
        } else if kind.is_dir() {
            Some(folder(path))
        } else if kind.is_fifo() {
            Some(stream("it is not a regular file but a pipe, which cannot be read again at a reload"))
        } else if kind.is_socket() {
            Some(stream("it is not a regular file but a socket"))
        } else if kind.is_char_device() {
            Some(stream("it is not a regular file but a device, which cannot be read again at a reload"))
        } else {
            Some(stream("it is not a regular file but a device"))
        }
    }
}

/// Why a file cannot be written, and what to do about it, as one clause each. `instead` says how another place is named.
#[must_use]
pub fn unwritable(path: &Path, error: &io::Error, instead: &str) -> Unreadable {
    let user = rustix::process::geteuid().as_raw();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.ancestors().find(|folder| folder.exists()).unwrap_or(parent).display();
    match error.kind() {
        io::ErrorKind::StorageFull => Unreadable::new(
            "no space is left on its disk",
            format!("make room where {folder} lies (`df -h {folder}`, `df -i {folder}`)"),
        ),
        io::ErrorKind::QuotaExceeded => {
            Unreadable::new(format!("the disk quota of user {user} is used up"), "make room, or raise the quota")
        }
        io::ErrorKind::ReadOnlyFilesystem => Unreadable::new(
            "its file system is read-only",
            format!("mount {folder} writable (`ReadWritePaths=` in the unit of systemd), or {instead}"),
        ),
        io::ErrorKind::PermissionDenied => Unreadable::new(
            format!("user {user} may not write there"),
            format!("give it the folder: chown {user} {folder}, or {instead}"),
        ),
        io::ErrorKind::NotADirectory => Unreadable::new("a part of its path is a file, not a folder", instead),
        io::ErrorKind::IsADirectory => {
            Unreadable::new("a folder is in its place", format!("take the folder {} away", path.display()))
        }
        _ if error.raw_os_error() == Some(libc::EIO) => {
            Unreadable::new("the disk cannot be written", "look at the disk: the kernel's log says more")
        }
        _ if error.raw_os_error() == Some(libc::EMFILE) => {
            Unreadable::new("too many files are open", "raise the limit of open files (`ulimit -n`)")
        }
        _ => Unreadable::new(error.to_string(), format!("make room in {folder}, or let user {user} write there")),
    }
}

fn folder(path: &Path) -> Unreadable {
    let usual = path.join("meridian.toml");
    let remedy = match usual.is_file() {
        true => format!("name a file in it: {}", usual.display()),
        false => "name a file in it".to_owned(),
    };
    Unreadable::new("it is not a regular file but a folder", remedy)
}

/// What to say of a path that leads nowhere: how far it leads, and what there is in the place of its end.
fn missing(path: &Path) -> Unreadable {
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
        let target = fs::read_link(path).map(|target| target.display().to_string()).unwrap_or_default();
        return Unreadable::new(format!("it is a link to {target}, which is not there"), "correct the link");
    }
    let text = path.to_string_lossy();
    if let Some(part) = unexpanded(&text) {
        return Unreadable::new(
            format!("there is no such file: `{part}` is taken as it stands"),
            "write the path out: variables and `~` are not expanded here",
        );
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.exists() {
        let lacking = parent.ancestors().take_while(|folder| !folder.exists()).last().unwrap_or(parent);
        return Unreadable::new("there is no such file", format!("there is no folder {} either", lacking.display()));
    }
    let names: Vec<String> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    // Their endings are alike, and say nothing of which was meant.
    let stem = |name: &str| Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let names: Vec<String> = names.into_iter().filter(|name| Path::new(name).extension() == path.extension()).collect();
    let stems: Vec<String> = names.iter().map(|name| stem(name)).collect();
    let name = stem(&path.file_name().unwrap_or_default().to_string_lossy());
    let near = nearest(&name, stems.iter().map(String::as_str));
    match near.and_then(|near| names.get(stems.iter().position(|stem| stem == near)?)) {
        Some(near) => {
            Unreadable::new("there is no such file", format!("did you mean {}?", path.with_file_name(near).display()))
        }
        None => Unreadable::new("there is no such file", "a relative path starts at the file that names it"),
    }
}

/// What to say of a path that this user may not follow: where it is stopped, and by what.
fn forbidden(path: &Path) -> Unreadable {
    let user = rustix::process::geteuid().as_raw();
    match fs::metadata(path) {
        Ok(about) => Unreadable::new(
            "this user may not read it",
            format!(
                "let user {user} read it, or run as its owner: it belongs to user {} and has mode {:04o}",
                about.uid(),
                about.permissions().mode() & 0o7777
            ),
        ),
        Err(_) => {
            let closed = path.ancestors().skip(1).find(|folder| fs::metadata(folder).is_ok());
            let closed = closed.unwrap_or(Path::new("/")).display().to_string();
            Unreadable::new(
                format!("this user may not enter the folder {}", if closed.is_empty() { "." } else { &closed }),
                format!("let user {user} enter it (`x`), or run as its owner"),
            )
        }
    }
}

/// The part of a text that a shell would have put something else in the place of.
#[must_use]
pub fn unexpanded(text: &str) -> Option<&str> {
    let name = |rest: &str| rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if text == "~" || text.starts_with("~/") {
        return Some("~");
    }
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        if let Some(inside) = rest.strip_prefix(['{', '(']) {
            let close = inside.find(['}', ')']).map_or(rest.len(), |close| close + 2);
            return Some(&text[at..at + 1 + close]);
        }
        let length = name(rest);
        if rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return Some(&text[at..at + 1 + length]);
        }
    }
    for sign in ["{{", "%"] {
        let close = if sign == "%" { "%" } else { "}}" };
        if let Some((before, rest)) = text.split_once(sign)
            && let Some((inside, _)) = rest.split_once(close)
            && (sign == "{{" || !inside.is_empty() && name(inside) == inside.len())
        {
            let from = before.len();
            return Some(&text[from..from + sign.len() + inside.len() + close.len()]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_expand_is_known() {
        for (text, part) in [
            ("${HOME}/z.zone", Some("${HOME}")),
            ("$HOME/z.zone", Some("$HOME")),
            ("~/z.zone", Some("~")),
            ("~", Some("~")),
            ("%APPDATA%/z", Some("%APPDATA%")),
            ("$(hostname).zone", Some("$(hostname)")),
            ("{{ region }}.zone", Some("{{ region }}")),
            ("/var/lib/a~b", None),
            ("100%.zone", None),
            ("a$1.zone", None),
        ] {
            assert_eq!(unexpanded(text), part, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_written_has_its_remedy() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("state/health");
        let shown = folder.path().display().to_string();
        for (kind, cause, remedy) in [
            (io::ErrorKind::StorageFull, "no space is left on its disk", format!("make room where {shown} lies")),
            (io::ErrorKind::QuotaExceeded, "the disk quota of user", "raise the quota".to_owned()),
            (io::ErrorKind::ReadOnlyFilesystem, "its file system is read-only", format!("mount {shown} writable")),
            (io::ErrorKind::ReadOnlyFilesystem, "its file system is read-only", STATE_DIR.to_owned()),
            (io::ErrorKind::PermissionDenied, "may not write there", STATE_DIR.to_owned()),
            (io::ErrorKind::NotADirectory, "a part of its path is a file", STATE_DIR.to_owned()),
            (
                io::ErrorKind::IsADirectory,
                "a folder is in its place",
                format!("take the folder {} away", file.display()),
            ),
        ] {
            let told = unwritable(&file, &kind.into(), STATE_DIR);
            assert!(told.cause.contains(cause) && told.remedy.contains(&remedy), "{kind}: {told:?}");
        }
    }

    #[test]
    fn a_path_is_told_by_where_it_ends() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("meridian.toml"), "").expect("written");
        let said = |path: &Path| match fs::metadata(path) {
            Ok(about) => Unreadable::kind(path, &about).expect("no regular file"),
            Err(error) => Unreadable::of(path, &error),
        };
        let told = said(&at("meridain.toml"));
        assert_eq!(told.cause, "there is no such file");
        assert_eq!(told.remedy, format!("did you mean {}?", at("meridian.toml").display()));
        assert_eq!(said(&at("none/x.toml")).remedy, format!("there is no folder {} either", at("none").display()));
        assert_eq!(said(folder.path()).cause, "it is not a regular file but a folder");
        assert_eq!(said(&at("meridian.toml/x")).cause, "a part of its path is a file, not a folder");
        assert!(said(Path::new("/dev/null")).cause.starts_with("it is not a regular file but a device"));
        std::os::unix::fs::symlink("gone", at("link")).expect("linked");
        assert_eq!(said(&at("link")).cause, "it is a link to gone, which is not there");
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo");
        assert!(made.success());
        assert!(said(&at("pipe")).cause.starts_with("it is not a regular file but a pipe"));
    }
}
