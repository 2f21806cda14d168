//! One fault of a text and what is done about it: what is told, what may be lost, and changes to the text, with the way
//! back from what it becomes to what it was. Must not know what is wrong.

use std::ops::Range;

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

/// The line that holds an offset, without its end.
pub(super) fn line_of(text: &str, at: usize) -> Range<usize> {
    let octets = text.as_bytes();
    let at = at.min(octets.len());
    let from = octets[..at].iter().rposition(|&octet| octet == b'\n').map_or(0, |before| before + 1);
    let to = octets[at..].iter().position(|&octet| octet == b'\n').map_or(octets.len(), |behind| at + behind);
    from..to
}

/// Changes to one text, in any order.
#[derive(Debug, Default)]
pub(super) struct Edits {
    changes: Vec<(Range<usize>, String)>,
    removed: Vec<Range<usize>>,
}

impl Edits {
    /// Puts something in the place of a stretch.
    pub(super) fn replace(&mut self, span: Range<usize>, with: impl Into<String>) {
        self.changes.push((span, with.into()));
    }

    /// Puts something in front of an offset.
    pub(super) fn insert(&mut self, at: usize, with: impl Into<String>) {
        self.replace(at..at, with);
    }

    /// Takes a stretch out, and with it every change within.
    pub(super) fn remove(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.removed.push(span);
        }
    }

    /// Whether nothing of a stretch is left.
    pub(super) fn removes(&self, span: &Range<usize>) -> bool {
        self.removed.iter().any(|of| of.start <= span.start && span.end <= of.end)
    }

    /// The text that they make.
    pub(super) fn apply(&self, text: &str) -> (String, Offsets) {
        let mut removed = self.removed.clone();
        removed.sort_by_key(|span| span.start);
        let mut whole: Vec<Range<usize>> = Vec::new();
        for span in removed {
            match whole.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => whole.push(span),
            }
        }
        let stands = |(span, with): &&(Range<usize>, String)| {
            let near = whole.partition_point(|of| of.end < span.start);
            whole[near..].iter().take(2).all(|of| {
                let apart = span.end < of.start || of.end < span.start;
                // What parts two lines is not of the one that is taken out.
                apart || with == "\n" && (span.end == of.start || of.end == span.start)
            })
        };
        let mut all: Vec<(Range<usize>, &str)> =
            self.changes.iter().filter(stands).map(|(span, with)| (span.clone(), with.as_str())).collect();
        all.extend(whole.iter().map(|span| (span.clone(), "")));
        all.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(text.len() + all.len());
        let mut offsets = Offsets::default();
        let mut from = 0;
        for (span, with) in all {
            // Of two that overlap the first stands.
            let Some(between) = text.get(from..span.start) else { continue };
            out.push_str(between);
            offsets.0.push((out.len(), with.len(), span.clone()));
            out.push_str(with);
            from = span.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        (out, offsets)
    }
}

/// Where the offsets of a changed text lie in the text that it was made of.
#[derive(Debug, Default)]
pub(crate) struct Offsets(Vec<(usize, usize, Range<usize>)>);

impl Offsets {
    /// The offset as it was.
    pub(crate) fn back(&self, offset: usize) -> usize {
        let at = self.0.partition_point(|(start, ..)| *start <= offset);
        match at.checked_sub(1).and_then(|at| self.0.get(at)) {
            None => offset,
            Some((start, length, was)) if offset < start + length => (was.start + (offset - start)).min(was.end),
            Some((start, length, was)) => was.end + (offset - start - length),
        }
    }
}
