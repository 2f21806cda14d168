//! What is wrong with a text that is no TOML: each fault at its true place and by its true cause, and a text that can be
//! read in its place, so that nothing that follows from a fault is told as another. Must not know what any key means,
//! but for how a place is written.
//!
//! A parser says where it stopped, which for a bracket that is never closed is the end of the file. So a text that the
//! parser takes is never looked at here; of one that it refuses, `foreign` says whether it is TOML at all, `scan` goes
//! through it line by line and forgives what it names, and `twice` finds what stands there twice. What the parser still
//! refuses then is told in `words` of ours.

mod controls;
mod diff;
mod edits;
mod entry;
mod foreign;
mod header;
mod list;
mod number;
mod odd;
mod quoted;
mod scan;
#[cfg(test)]
mod tests;
mod twice;
mod value;
mod words;

use std::ops::Range;

use toml::de::DeTable;

pub(crate) use edits::Offsets;
pub(crate) use foreign::{Decoded, decode};

use scan::{Kind, Scan, Statement};

/// One fault of the text, with offsets in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    /// What stands there, or what is expected there.
    pub(crate) label: String,
    /// Another place that belongs to it.
    pub(crate) also: Option<(Range<usize>, String)>,
    pub(crate) remedy: String,
}

impl Slip {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: label.into(), also: None, remedy: String::new() }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    pub(super) fn also(self, span: Range<usize>, label: impl Into<String>) -> Self {
        Self { also: Some((span, label.into())), ..self }
    }
}

/// Something that stands in the text and is not read: where, and the table that lacks it; none when it may be any.
pub(crate) type Loss = (usize, Option<Vec<String>>);

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
    let (text, mut found) = controls::replaced(text);
    let (text, numbered) = diff::unnumbered(&text);
    let (text, marked) = diff::unmarked(&text);
    let text: &str = &text;
    if let Some(slip) = foreign::other_format(text) {
        return Some(Mended { slips: vec![slip], lost: vec![(0, None)], ..Mended::default() });
    }
    if text.lines().any(|line| line.len() > LONGEST) {
        let slips = vec![words::slip(text, first.message(), first.span().unwrap_or(0..0))];
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
            slips.push(words::slip(text, error.message(), span.clone()));
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
    let next = || statements[own + 1..].iter().find(|statement| statement.kind != Kind::Value);
    let end = match kind {
        Kind::Value => span.end.max(line.end),
        _ => next().map_or(text.len(), |next| next.span.start),
    };
    span.start..end
}

/// The line that holds an offset, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let octets = text.as_bytes();
    let at = at.min(octets.len());
    let from = octets[..at].iter().rposition(|&octet| octet == b'\n').map_or(0, |before| before + 1);
    let to = octets[at..].iter().position(|&octet| octet == b'\n').map_or(octets.len(), |behind| at + behind);
    from..to
}
