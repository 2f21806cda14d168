//! Text to entries, entries to tokens (RFC 1035 5.1): comments, quotes, parentheses and line ends are resolved here and
//! every token remembers where it stood. Must not know what a token means.

use std::ops::Range;

use crate::config::stray;

/// One word or quoted string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its content in the text it was read from, without quotes, with escapes.
    pub(super) text: Range<usize>,
    /// Where it stands in the file, with quotes. Differs from `text` when the text was generated.
    pub(super) span: Range<usize>,
    /// Whether quotes were around it.
    pub(super) quoted: bool,
    /// Whether it follows the token before it without white space, as the string in `alpn="h2"` does.
    pub(super) glued: bool,
}

/// One entry: a record or a directive.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Whether its first line begins with white space, so that the owner is the one before.
    pub(super) indented: bool,
    /// Its tokens.
    pub(super) tokens: Vec<Token>,
    /// What is wrong with it as text, and where; such an entry cannot be trusted.
    pub(super) slips: Vec<(TokenSlip, Range<usize>)>,
}

/// What can be wrong below the level of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenSlip {
    /// `(` without `)`.
    OpenParenthesis,
    /// `)` without `(`.
    CloseParenthesis,
    /// A quote that its line does not close.
    OpenQuote,
    /// A control character in a token.
    Control,
}

impl TokenSlip {
    /// The fault's message, its label and its remedy.
    pub(super) fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::OpenParenthesis => {
                ("a parenthesis is never closed", "opened here", "close it with `)` behind the record's last field")
            }
            Self::CloseParenthesis => {
                ("a parenthesis is closed that was never opened", "no `(` before it", "remove it")
            }
            Self::OpenQuote => (
                "a quoted string is not closed on its line",
                "opened here",
                "close it with `\"`; long text is several strings, one behind the other",
            ),
            Self::Control => {
                ("a control character stands in the text", "here", "write it as `\\DDD`, its value in three digits")
            }
        }
    }
}

impl Entry {
    /// Reads the next entry of `text` from `at` and returns where the one behind it begins; none when there is none.
    pub(super) fn read(&mut self, text: &str, at: usize) -> Option<usize> {
        self.tokens.clear();
        self.slips.clear();
        let octets = text.as_bytes();
        let mut at = at;
        let (mut depth, mut opened) = (0usize, 0usize);
        self.indented = matches!(octets.get(at), Some(b' ' | b'\t'));
        while let Some(&octet) = octets.get(at) {
            match octet {
                b' ' | b'\t' | b'\r' => at += 1,
                b'\n' => {
                    at += 1;
                    if depth == 0 {
                        if !self.is_empty() {
                            return Some(at);
                        }
                        self.indented = matches!(octets.get(at), Some(b' ' | b'\t'));
                    }
                }
                b';' => at = line_end(octets, at),
                b'(' => {
                    if depth == 0 {
                        opened = at;
                    }
                    depth += 1;
                    at += 1;
                }
                b')' => {
                    match depth.checked_sub(1) {
                        Some(less) => depth = less,
                        None => self.slips.push((TokenSlip::CloseParenthesis, at..at + 1)),
                    }
                    at += 1;
                }
                b'"' => at = self.string(octets, at),
                _ => at = self.word(octets, at),
            }
        }
        if depth > 0 {
            self.slips.retain(|(_, span)| span.start < opened);
            self.slips.push((TokenSlip::OpenParenthesis, opened..opened + 1));
            // What the parenthesis has swallowed is read again, from the next line that looks like a new entry.
            self.tokens.retain(|token| token.span.start < opened);
            return Some(fresh_line(octets, opened));
        }
        (!self.is_empty()).then_some(at)
    }

    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.slips.is_empty()
    }

    fn word(&mut self, octets: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(&octet) = octets.get(at) {
            match octet {
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"' => break,
                b'\\' if !matches!(octets.get(at + 1), None | Some(b'\r' | b'\n')) => {
                    self.control(octets[at + 1], at + 1);
                    at += 2;
                }
                _ => {
                    self.control(octet, at);
                    at += 1;
                }
            }
        }
        self.push(start..at, start..at, false);
        at
    }

    fn string(&mut self, octets: &[u8], start: usize) -> usize {
        let mut at = start + 1;
        loop {
            match octets.get(at) {
                Some(b'"') => {
                    self.push(start + 1..at, start..at + 1, true);
                    return at + 1;
                }
                None | Some(b'\n') => {
                    self.slips.push((TokenSlip::OpenQuote, start..start + 1));
                    return at;
                }
                Some(b'\\') if !matches!(octets.get(at + 1), None | Some(b'\n')) => {
                    self.control(octets[at + 1], at + 1);
                    at += 2;
                }
                Some(b'\t') => at += 1,
                Some(b'\r') if octets.get(at + 1) == Some(&b'\n') => at += 1,
                Some(&octet) => {
                    self.control(octet, at);
                    at += 1;
                }
            }
        }
    }

    fn control(&mut self, octet: u8, at: usize) {
        if octet.is_ascii_control() {
            self.slips.push((TokenSlip::Control, at..at + 1));
        }
    }

    fn push(&mut self, text: Range<usize>, span: Range<usize>, quoted: bool) {
        let glued = self.tokens.last().is_some_and(|before| before.span.end == span.start);
        self.tokens.push(Token { text, span, quoted, glued });
    }
}

fn line_end(octets: &[u8], at: usize) -> usize {
    octets[at..].iter().position(|&octet| octet == b'\n').map_or(octets.len(), |length| at + length)
}

/// The first line behind `at` that begins neither with white space nor with what can only go on with an entry.
fn fresh_line(octets: &[u8], at: usize) -> usize {
    let mut at = line_end(octets, at);
    while at < octets.len() {
        at += 1;
        if !matches!(octets.get(at), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b')' | b';')) {
            break;
        }
        at = line_end(octets, at);
    }
    at.min(octets.len())
}

/// The octets that a token's content stands for (RFC 1035 5.1: `\X` is X, `\DDD` the octet of that value), each with
/// whether it was escaped. None in place of a bad escape.
#[derive(Clone, Debug)]
pub(super) struct Octets<'t>(&'t [u8]);

impl<'t> Octets<'t> {
    /// Of this content.
    pub(super) fn of(content: &'t str) -> Self {
        Self(content.as_bytes())
    }

    /// All of them, or none when an escape is bad.
    pub(super) fn plain(content: &str) -> Option<Vec<u8>> {
        Octets::of(content).map(|octet| octet.map(|(octet, _)| octet)).collect()
    }
}

impl Iterator for Octets<'_> {
    type Item = Option<(u8, bool)>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(octet) = stray::octet(self.0) {
            self.0 = self.0.get(3..).unwrap_or_default();
            return Some(Some((octet, false)));
        }
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        if first != b'\\' {
            return Some(Some((first, false)));
        }
        if let Some(octet) = stray::octet(self.0) {
            self.0 = self.0.get(3..).unwrap_or_default();
            return Some(Some((octet, true)));
        }
        match *self.0 {
            [a, b, c, ..] if a.is_ascii_digit() => {
                self.0 = &self.0[3..];
                if !b.is_ascii_digit() || !c.is_ascii_digit() {
                    return Some(None);
                }
                let value = [a, b, c].iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0'));
                Some(u8::try_from(value).ok().map(|octet| (octet, true)))
            }
            [a, ..] if !a.is_ascii_digit() => {
                self.0 = &self.0[1..];
                Some(Some((a, true)))
            }
            _ => {
                self.0 = &[];
                Some(None)
            }
        }
    }
}
