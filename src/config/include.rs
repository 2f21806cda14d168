//! `include`: which files a pattern means. Must not know what stands in them.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The most paths that one pattern may stand for on its way: links of a folder to itself make any number of them.
const MOST: usize = 10_000;

/// Why a pattern cannot be expanded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("{}: {}", folder.display(), plain(source))]
    Folder { folder: PathBuf, source: io::Error },
    #[error("{}", plain(.0))]
    Entry(#[source] io::Error),
    #[error("it stands for more than {MOST} paths")]
    TooMany,
}

/// One entry of `include`.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) pattern: String,
    pub(crate) span: Range<usize>,
}

/// The entries of `include` in a text; [`not_text`] has the others.
pub(crate) fn wanted(text: &str) -> Vec<Wanted> {
    let (table, _) = DeTable::parse_recoverable(text);
    let Some(value) = table.get_ref().get("include") else { return Vec::new() };
    let entry = |value: &Spanned<DeValue<'_>>| {
        let pattern = value.get_ref().as_str()?.to_owned();
        Some(Wanted { pattern, span: value.span() })
    };
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(entry).collect(),
        _ => entry(value).into_iter().collect(),
    }
}

/// The places of what is no entry of `include`.
pub(crate) fn not_text(value: &Spanned<DeValue<'_>>) -> Vec<Range<usize>> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter(|item| !item.get_ref().is_str()).map(Spanned::span).collect(),
        DeValue::String(_) => Vec::new(),
        _ => vec![value.span()],
    }
}

/// The files that a pattern means, in path order. `*` and `?` stand for characters of one path component, and never
/// for a dot in front. A pattern without them must exist.
///
/// # Errors
/// Says why a folder or the file cannot be read.
pub(crate) fn expand(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    let mut found = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { folder.to_owned() }];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        if !is_pattern(component) {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        let mut next = Vec::new();
        for path in found {
            let listed = if path.as_os_str().is_empty() { Path::new(".") } else { &path };
            let entries = match fs::read_dir(listed) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(PatternError::Folder { folder: listed.to_owned(), source }),
            };
            for entry in entries {
                let name = entry.map_err(PatternError::Entry)?.file_name();
                if name.to_str().is_some_and(|name| matches(component, name)) {
                    if next.len() == MOST {
                        return Err(PatternError::TooMany);
                    }
                    next.push(path.join(name));
                }
            }
        }
        found = next;
    }
    if is_pattern(pattern) {
        // What is there and cannot be read, such as a link to nothing, stays: to pass it over would lose what it held.
        found.retain(|path| path.symlink_metadata().is_ok());
    }
    found.sort();
    Ok(found)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // The last star, and where it was last tried: going back to it is enough, an earlier one never helps.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, tried)) => {
                    star = Some((at, tried + 1));
                    p = at + 1;
                    n = tried + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// An I/O error without the number of the operating system.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "this user may not read it".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_and_never_for_a_hidden_file() {
        for (pattern, name, expected) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".a.toml", false),
            ("*.toml", "a.toml.bak", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "acb", false),
            ("??.toml", "ab.toml", true),
            ("??.toml", "a.toml", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_in_path_order_and_a_plain_name_is_kept_even_when_missing() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["b.toml", "a.toml", "c.txt"] {
            fs::write(folder.path().join(name), "").expect(name);
        }
        let names = |pattern: &str| -> Vec<PathBuf> { expand(folder.path(), pattern).expect(pattern) };
        assert_eq!(names("*.toml"), [folder.path().join("a.toml"), folder.path().join("b.toml")]);
        assert_eq!(names("none/*.toml"), Vec::<PathBuf>::new());
        assert_eq!(names("none.toml"), [folder.path().join("none.toml")]);
    }

    #[test]
    fn a_link_to_nothing_is_not_passed_over() {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("a.toml"), "").expect("written");
        std::os::unix::fs::symlink("gone", folder.path().join("b.toml")).expect("linked");
        let found = expand(folder.path(), "*.toml").expect("listed");
        assert_eq!(found, [folder.path().join("a.toml"), folder.path().join("b.toml")]);
    }

    #[test]
    fn links_that_multiply_are_given_up() {
        let folder = tempfile::tempdir().expect("folder");
        for i in 0..30 {
            std::os::unix::fs::symlink(".", folder.path().join(format!("again-{i}"))).expect("linked");
        }
        assert_eq!(expand(folder.path(), "*/*").expect("900 paths").len(), 900);
        let error = expand(folder.path(), "*/*/*/*/*/*").expect_err("729 million paths");
        assert_eq!(error.to_string(), "it stands for more than 10000 paths");
    }
}
