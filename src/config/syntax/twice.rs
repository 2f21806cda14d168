//! What stands in a text twice: a key, a table, a name that is a value here and a table there.

use std::{collections::BTreeMap, ops::Range};

use super::{
    scan::{EntryKind, Key, Scan},
    slip::Slip,
};

/// What a name is.
#[derive(Debug)]
struct NameKind {
    is: Is,
    first: Range<usize>,
    inner: BTreeMap<String, NameKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// A value, or a table in braces, which nothing can be added to.
    Value,
    /// A table with a header.
    Table,
    /// A table that only the names of others speak of.
    Implied,
    /// A table that dotted keys have made.
    Dotted,
    /// One of several.
    Several,
}

impl NameKind {
    fn new(is: Is, first: Range<usize>) -> Self {
        Self { is, first, inner: BTreeMap::new() }
    }
}

/// Tells what stands twice, and takes the second out.
pub(super) fn find(scan: &mut Scan<'_>) {
    let mut root = NameKind::new(Is::Table, 0..0);
    let mut table: Vec<String> = Vec::new();
    // The table that stands there twice: what is below it follows from that.
    let mut again: Option<Vec<String>> = None;
    for at in 0..scan.statements.len() {
        let statement = &scan.statements[at];
        let (span, kind, path) = (statement.span.clone(), statement.kind, statement.path.clone());
        let names: Vec<String> = path.iter().map(|key| key.name.clone()).collect();
        if kind == EntryKind::Value {
            if again.is_some() {
                scan.edits.remove(span);
                continue;
            }
            if let Err(first) = enter(&mut root, &table, &path, kind) {
                if scan.doubts.iter().any(|doubt| doubt.contains(&span.start)) {
                    // Then it is a key of another table, whose name could not be read.
                    scan.lost.push((span.start, None));
                    scan.edits.remove(span);
                    continue;
                }
                let whole: Vec<String> = table.iter().chain(&names).cloned().collect();
                told(scan, &whole, place(&path), first);
                scan.edits.remove(span);
            }
            continue;
        }
        if again.as_ref().is_some_and(|again| names.len() > again.len() && names.starts_with(again)) {
            scan.edits.remove(span);
            continue;
        }
        again = None;
        table.clone_from(&names);
        if let Err(first) = enter(&mut root, &[], &path, kind) {
            told(scan, &names, place(&path), first);
            scan.edits.remove(span);
            again = Some(names);
        }
    }
}

fn place(path: &[Key]) -> Range<usize> {
    match (path.first(), path.last()) {
        (Some(first), Some(last)) => first.span.start..last.span.end,
        _ => 0..0,
    }
}

fn told(scan: &mut Scan<'_>, path: &[String], span: Range<usize>, first: (Is, Is, Range<usize>)) {
    let name = crate::config::diagnostics::join(&path.iter().map(String::as_str).collect::<Vec<_>>());
    let (was, is, at) = first;
    let (message, remedy) = match (was, is) {
        (Is::Value, Is::Value) => (format!("`{name}` stands twice"), "keep one of them".to_owned()),
        (Is::Several, Is::Several) => return,
        (Is::Several, _) | (_, Is::Several) => (
            format!("`{name}` is written as `[{name}]` and as `[[{name}]]`"),
            format!("write both the same way: `[{name}]` is one table, `[[{name}]]` one of a list"),
        ),
        (Is::Value, _) | (_, Is::Value) => (
            format!("`{name}` is a value and a table"),
            "keep one of them: what stands in braces is complete".to_owned(),
        ),
        (Is::Dotted, _) | (_, Is::Dotted) => (
            format!("`{name}` is written with dots and as a table `[{name}]`"),
            "put all its keys below the table, without dots".to_owned(),
        ),
        _ => (
            format!("the table `[{name}]` stands twice"),
            format!("put all its keys below one `[{name}]`, or give one of them another name"),
        ),
    };
    scan.lost.push((span.start, Some(path[..path.len().saturating_sub(1)].to_vec())));
    // Each has its own line, and both must be told.
    scan.slips.push(Slip::new(span, message, "here again").also(at, "first here").remedy(remedy));
}

/// Enters a path below a table. What was there before, what comes, and where the first is, when it cannot be.
fn enter(root: &mut NameKind, table: &[String], path: &[Key], kind: EntryKind) -> Result<(), (Is, Is, Range<usize>)> {
    let is = match kind {
        EntryKind::Table => Is::Table,
        EntryKind::ListOfTables => Is::Several,
        EntryKind::Value => Is::Value,
    };
    let mut node = root;
    for name in table {
        let Some(next) = node.inner.get_mut(name) else { return Ok(()) };
        node = next;
    }
    let Some((last, before)) = path.split_last() else { return Ok(()) };
    for key in before {
        let made = if kind == EntryKind::Value { Is::Dotted } else { Is::Implied };
        node = node.inner.entry(key.name.clone()).or_insert_with(|| NameKind::new(made, key.span.clone()));
        match (node.is, kind) {
            (Is::Value, _) => return Err((Is::Value, Is::Table, node.first.clone())),
            (Is::Table, EntryKind::Value) => return Err((Is::Table, Is::Dotted, node.first.clone())),
            (Is::Several, EntryKind::Value) => return Err((Is::Several, Is::Dotted, node.first.clone())),
            _ => {}
        }
    }
    let Some(known) = node.inner.get_mut(&last.name) else {
        node.inner.insert(last.name.clone(), NameKind::new(is, last.span.clone()));
        return Ok(());
    };
    match (known.is, is) {
        (Is::Implied, Is::Table) => {
            known.is = Is::Table;
            known.first = last.span.clone();
            Ok(())
        }
        (Is::Several, Is::Several) => {
            known.inner.clear();
            Ok(())
        }
        (was, is) => Err((was, is, known.first.clone())),
    }
}
