//! What is wrong with a text that is no TOML: each fault at its true place and by its true cause, and a text that can be
//! read in its place, so that nothing that follows from a fault is told as another. Must not know what any key means,
//! but for how a place is written.
//!
//! A parser says where it stopped, which for a bracket that is never closed is the end of the file. So a text that the
//! parser takes is never looked at here; of one that it refuses, `foreign` says whether it is TOML at all, `scan` goes
//! through it line by line and forgives what it names, and `twice` finds what stands there twice. What the parser still
//! refuses then is told in words of ours.

mod diff;
mod entry;
mod foreign;
mod header;
mod list;
mod quoted;
mod scan;
mod signs;
mod slip;
#[cfg(test)]
mod tests;
mod twice;
mod value;

use std::ops::Range;

use toml::de::DeTable;

pub(crate) use foreign::{Decoded, decode};
pub(crate) use slip::Offsets;

use scan::{EntryKind, Scan, Statement};
use slip::{Loss, Slip, line_of};

/// A text that the parser takes, in the place of one that it does not.
#[derive(Debug, Default)]
pub(crate) struct Mended {
    pub(crate) text: String,
    /// Where its offsets lie in the text as it was written.
    pub(crate) offsets: Offsets,
    /// In the order of the text, at most one for each line.
    pub(crate) slips: Vec<Slip>,
    pub(crate) lost: Vec<Loss>,
    /// Where keys may be of another table than the one that they are read in.
    pub(crate) doubts: Vec<Range<usize>>,
}

/// How much text the parser is given again and again, to find what only it knows of.
const AGAIN: usize = 32 << 20;
/// How often, at the most.
const ROUNDS: usize = 100;
/// A text with a longer line was written by a program, and is not looked through: each part of a line is held against
/// the rest of it.
const LONGEST: usize = 64 << 10;

/// Looks for what is wrong with a text, and reads over it. None when nothing is.
pub(crate) fn mend(text: &str) -> Option<Mended> {
    // Of many errors each would carry the whole text.
    let first = DeTable::parse(text).err()?;
    let (text, mut found) = signs::replaced(text);
    let (text, numbered) = diff::unnumbered(&text);
    let (text, marked) = diff::unmarked(&text);
    let text: &str = &text;
    if let Some(slip) = foreign::other_format(text) {
        return Some(Mended { slips: vec![slip], lost: vec![(0, None)], ..Mended::default() });
    }
    if text.lines().any(|line| line.len() > LONGEST) {
        let slips = vec![in_our_words(text, first.message(), first.span().unwrap_or(0..0))];
        return Some(Mended { slips, lost: vec![(0, None)], ..Mended::default() });
    }
    found.extend(numbered);
    let mut lost_at = None;
    if let Some(slip) = marked {
        lost_at = Some(slip.span.start);
        found.push(slip);
    }
    let mut scan = Scan::new(text);
    scan.run();
    twice::find(&mut scan);
    let Scan { mut slips, mut edits, mut lost, doubts, statements, .. } = scan;
    slips.extend(found);
    lost.extend(lost_at.map(|at| (at, None)));
    let mut rounds = ROUNDS.min(AGAIN / text.len().max(1)).max(2);
    let (mended, offsets) = loop {
        let (mended, offsets) = edits.apply(text);
        let Err(error) = DeTable::parse(&mended) else { break (mended, offsets) };
        let span = error.span().unwrap_or(0..0);
        let span = offsets.back(span.start)..offsets.back(span.end);
        let line = line_of(text, span.start);
        // What stands on the line of a fault that was told follows from it.
        if !slips.iter().any(|slip| line.contains(&slip.span.start) || line.end == slip.span.start) {
            slips.push(in_our_words(text, error.message(), span.clone()));
        }
        lost.push((span.start, None));
        let whole = removed(&statements, text, span.start, line);
        rounds -= 1;
        if rounds == 0 || edits.removes(&whole) {
            break (mended, offsets);
        }
        edits.remove(whole);
    };
    slips.sort_by_key(|slip| slip.span.start);
    Some(Mended { text: mended, offsets, slips, lost, doubts })
}

/// What is taken out for a fault at an offset: its line, the whole statement, and below a table's name all of the table,
/// for its keys are of no other.
fn removed(statements: &[Statement], text: &str, at: usize, line: Range<usize>) -> Range<usize> {
    let Some(own) = statements.iter().rposition(|statement| statement.span.start <= at) else { return line };
    let Statement { span, kind, .. } = &statements[own];
    if span.end < at {
        return line;
    }
    let next = || statements[own + 1..].iter().find(|statement| statement.kind != EntryKind::Value);
    let end = match kind {
        EntryKind::Value => span.end.max(line.end),
        _ => next().map_or(text.len(), |next| next.span.start),
    };
    span.start..end
}

/// Parts of the parser's messages, with what is wrong, what to expect, and what to do.
const WORDS: [(&str, &str, &str, &str); 24] = [
    ("recursion", "brackets are nested too deeply", "no value is nested so deeply", "write it in fewer"),
    ("duplicate key", "a name stands twice", "here again", "keep one of them"),
    ("unclosed", "a bracket is never closed", "it is still open here", "close it"),
    ("missing comma", "a comma is missing", "in front of this", "part the items by `,`"),
    ("extra comma", "a value is missing", "in front of this comma", "take one comma out"),
    ("missing value", "a value is missing", "a value is expected here", "write it, or take the key out"),
    ("key with no value", "a key has no value", "`=` and a value are expected", "write `key = value`"),
    ("extra `=`", "a line has two `=`", "the second", "put text that holds `=` in quotes"),
    ("missing key", "a key is missing", "a key is expected here", "write `key = value`"),
    ("missing assignment", "`=` is missing", "between key and value", "write `key = value`"),
    ("must be quoted", "text must be in quotes", "without quotes it is no value", "put it in quotes"),
    (
        "radix",
        "a number is not written so",
        "digits behind `0x`, `0o` or `0b`, without a sign",
        "write it in decimal digits",
    ),
    ("leading zero", "a number begins with 0", "digits without it are expected", "take the 0 out"),
    ("numeric", "a number is not written so", "one sign and digits are expected", "write it in decimal digits"),
    ("`_` may only", "a number is not written so", "`_` stands only between digits", "write it in decimal digits"),
    ("escape", "an escape is not understood", "a backslash begins it", "double the backslash, or use single quotes"),
    (
        "unicode",
        "an escape is not understood",
        "`\\u` has four hexadecimal digits, `\\U` eight",
        "write the character itself",
    ),
    (
        "carriage return",
        "a line ends with CR alone",
        "LF, or CR and LF, is expected",
        "save the file with LF at the end of lines",
    ),
    ("comment character", "a comment holds a character that is no text", "here", "take it out"),
    ("unquoted key", "a key must be in quotes", "without quotes: letters, digits, `-`, `_`", "put it in quotes"),
    ("multi-line", "a key goes over several lines", "here", "write it on one line"),
    ("opening", "a bracket closes nothing", "no bracket is open here", "take it out"),
    ("datetime", "a date is not written so", "such as 2026-11-28", "put text in quotes"),
    (
        "unexpected",
        "this is not understood here",
        "the line should end before this",
        "put text in quotes, and each key on its own line",
    ),
];

/// A fault that the parser found.
fn in_our_words(text: &str, said: &str, span: Range<usize>) -> Slip {
    let span = span.start.min(text.len())..span.end.min(text.len());
    match WORDS.iter().find(|(part, ..)| said.contains(part)) {
        Some((_, message, label, remedy)) => Slip::new(span, *message, *label).remedy(*remedy),
        None => Slip::new(span, "the text is not understood here", "`key = value` or `[table]` is expected")
            .remedy("put text in quotes"),
    }
}
