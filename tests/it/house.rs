//! The layering table, held against the source text: who may import whom, and the budgets of names and sizes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Room, and the rooms it may import. The same table as in `docs/architecture.md`.
const ROOMS: &[(&str, &[&str])] = &[
    ("probing", &[]),
    ("engine", &["probing"]),
    ("telemetry", &["engine"]),
    ("config", &["probing", "engine"]),
    ("node", &["probing", "engine"]),
    ("net", &["probing", "engine", "telemetry", "node"]),
    ("clock", &["engine"]),
    ("command", &[]),
    ("http", &[]),
    ("monitor", &["probing", "engine", "telemetry", "node", "clock", "command", "http"]),
    ("feed", &["probing", "engine", "telemetry", "node", "clock", "command", "http"]),
    ("app", &["probing", "engine", "telemetry", "config", "node", "net", "monitor", "feed", "clock", "command"]),
    ("client", &["config", "engine"]),
    ("explain", &["client", "engine"]),
    ("sim", &["client", "config", "probing", "engine", "node"]),
    ("lint", &["config", "probing", "engine", "sim"]),
    ("cli", &["app", "clock", "config", "engine", "explain", "lint", "sim", "node", "telemetry"]),
];

/// Rooms of the engine, lowest first; those on one line do not import each other.
const ENGINE: &[&[&str]] = &[
    &["units"],
    &["types", "entries"],
    &["wire"],
    &["zone", "geo", "health", "signal"],
    &["world"],
    &["live"],
    &["steer"],
    &["snapshot"],
    &["prefetch", "resolve", "reflect", "serve", "targets", "respond", "mod"],
];

/// Files that may hold unsafe code.
const UNSAFE: &[&str] = &["net/batch.rs", "engine/prefetch.rs"];

const BANNED: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "manager", "core", "data", "info"];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(dir).expect("src is readable") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                walk(&path, root, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).expect("below src").display().to_string();
                out.push((name, fs::read_to_string(&path).expect("source is text")));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&root, &root, &mut out);
    out.sort();
    out
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// The paths below `crate::` (or `super::super…` resolved) that a text names, as written after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group_heads(group));
        } else {
            let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            let tail = &rest[path.len()..];
            match (path.strip_suffix("::"), tail.strip_prefix('{')) {
                (Some(head), Some(group)) => found.extend(group_heads(group).iter().map(|g| format!("{head}::{g}"))),
                _ => _ = found.insert(path),
            }
        }
    }
    found
}

/// First path segments of the entries of a brace group, whose opening brace is already gone.
fn group_heads(group: &str) -> BTreeSet<String> {
    let (mut depth, mut word, mut heads) = (0, String::new(), BTreeSet::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => _ = heads.insert(std::mem::take(&mut word)),
            c if depth == 0 && !c.is_whitespace() => word.push(c),
            _ => {}
        }
    }
    heads.insert(word);
    heads.iter().map(|w| w.split("::").next().unwrap_or(w).to_owned()).filter(|w| !w.is_empty()).collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let from = room(&file);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == from) else {
            assert!(matches!(from, "lib" | "main"), "{file} is in no room");
            continue;
        };
        for import in imports(&text) {
            let to = import.split("::").next().unwrap_or("");
            if to != from && !allowed.contains(&to) {
                wrong.push(format!("{file}: crate::{import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layering table:\n{}", wrong.join("\n"));
}

#[test]
fn engine_rooms_import_only_downwards() {
    let level = |name: &str| ENGINE.iter().position(|row| row.contains(&name));
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(inside) = file.strip_prefix("engine/") else { continue };
        let from = inside.split('/').next().unwrap_or("").trim_end_matches(".rs");
        let from_level = level(from).unwrap_or_else(|| panic!("engine/{from} is in no row of the table"));
        let text = text.replace("super::super::", "crate::engine::");
        let flat = !inside.contains('/') || inside.ends_with("/mod.rs");
        let text = if flat { text.replace("super::", "crate::engine::") } else { text };
        for import in imports(&text) {
            let Some(to) = import.strip_prefix("engine::").and_then(|i| i.split("::").next()) else { continue };
            let Some(to_level) = level(to) else { continue };
            let upwards =
                to_level > from_level || (to_level == from_level && to != from && from_level < ENGINE.len() - 1);
            if upwards {
                wrong.push(format!("{file}: {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "the engine imports upwards:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stands_only_where_it_may() {
    for (file, text) in sources() {
        let has = text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains("unsafe {"));
        assert!(!has || UNSAFE.contains(&file.as_str()), "{file} holds unsafe code");
    }
}

#[test]
fn names_say_something_and_modules_open_with_their_purpose() {
    for (file, text) in sources() {
        for part in file.trim_end_matches(".rs").split('/') {
            assert!(!BANNED.contains(&part), "{file}: the name `{part}` says nothing");
        }
        assert!(text.starts_with("//!"), "{file} does not say what it is for");
        let lines = text.lines().count();
        assert!(lines <= 500 || text.contains("Over 500 lines"), "{file}: {lines} lines, and it does not say why");
    }
}

#[test]
fn probing_the_engine_and_the_node_are_quiet() {
    let quiet = |file: &str| ["engine/", "probing/", "node/"].iter().any(|room| file.starts_with(room));
    for (file, text) in sources().iter().filter(|(f, _)| quiet(f)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for loud in ["tokio", "tracing", "std::fs", "std::time", "async ", "std::net::Tcp", "std::net::Udp", "fastrand"]
        {
            assert!(!code.contains(loud), "{file} names {loud}");
        }
    }
}

#[test]
fn only_derive_puts_rows() {
    for (file, text) in sources() {
        let puts = text.contains("rows.put_");
        assert!(
            !puts || file == "node/ledger/derive.rs",
            "{file} writes rows, which are made of facts by derive alone"
        );
    }
}

/// The code of a file without its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

#[test]
fn a_type_name_stands_once_in_a_room() {
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut twice = Vec::new();
    for (file, text) in sources() {
        if file.contains("/tests/") || file.ends_with("tests.rs") {
            continue;
        }
        for line in without_tests(&text).lines().filter(|line| !line.starts_with(' ')) {
            let words = || line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
            let is_type = |word: &&str| matches!(*word, "struct" | "enum" | "trait" | "type" | "union");
            let declared = words()
                .skip_while(|word| matches!(*word, "pub" | "crate" | "super" | "in" | "self"))
                .collect::<Vec<_>>();
            let [kind, name, ..] = declared[..] else { continue };
            if !is_type(&kind) || line.starts_with("//") {
                continue;
            }
            if let Some(other) = seen.insert((room(&file).to_owned(), name.to_owned()), file.clone()) {
                twice.push(format!("{name}: {other} and {file}"));
            }
        }
    }
    assert!(twice.is_empty(), "one word, one thing, in a room:\n{}", twice.join("\n"));
}
