//! A text statement by statement, with forgiveness: what each is, and what is wrong with it.

use std::ops::Range;

use super::{
    signs::{self, bad_escape, no_escape},
    slip::{Edits, Loss, Slip, line_of},
};

/// A table's header, or a key with its value.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) span: Range<usize>,
    pub(super) kind: EntryKind,
    pub(super) path: Vec<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// `[a.b]`.
    Table,
    /// `[[a.b]]`.
    ListOfTables,
    /// `a = …`.
    Value,
}

/// One part of a path.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Range<usize>,
}

/// A text that is being looked through.
#[derive(Debug)]
pub(super) struct Scan<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) slips: Vec<Slip>,
    /// The line of the fault that was told last.
    told: Range<usize>,
    /// The last line with a text in double quotes, and the one of them that is not closed.
    pub(super) open_quote: Option<(Range<usize>, Option<Range<usize>>)>,
    pub(super) edits: Edits,
    pub(super) lost: Vec<Loss>,
    /// Where keys may be of another table than the one that they are put in.
    pub(super) doubts: Vec<Range<usize>>,
    pub(super) statements: Vec<Statement>,
    /// The table that keys are put in; none behind a header that cannot be read.
    pub(super) table: Option<Vec<String>>,
    /// The value that is being read cannot be.
    pub(super) broken: bool,
    /// The rest of the line is no use: all brackets are taken for closed.
    pub(super) given_up: bool,
    /// Brackets that are open, with their places.
    pub(super) open: Vec<(char, usize)>,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let (slips, edits, lost, doubts, statements, open) = Default::default();
        let (at, broken, given_up) = (0, false, false);
        let table = Some(Vec::new());
        let (told, open_quote) = (0..0, None);
        Self { text, at, told, open_quote, slips, edits, lost, doubts, statements, table, broken, given_up, open }
    }

    /// Goes through the whole text.
    pub(super) fn run(&mut self) {
        loop {
            self.gap();
            let start = self.at;
            let Some(first) = self.peek() else { return };
            (self.broken, self.given_up) = (false, false);
            self.open.clear();
            match first {
                '[' => self.header(),
                _ => self.entry(),
            }
            // A table's name ends a doubt.
            let last =
                self.statements.last().filter(|last| last.kind != EntryKind::Value).map_or(0, |last| last.span.start);
            if let Some(doubt) = self.doubts.last_mut().filter(|doubt| doubt.start < last) {
                doubt.end = doubt.end.min(last);
            }
            if self.at == start {
                // Nothing knows what it is, so the parser is asked.
                self.at = self.line_end();
            }
        }
    }

    /// Takes a fault in, unless its line has one already: what else is wrong there may follow from it.
    pub(super) fn slip(&mut self, slip: Slip) {
        let start = slip.span.start;
        if self.told.start <= start && start <= self.told.end && !self.slips.is_empty() {
            return;
        }
        self.told = line_of(self.text, start);
        self.slips.push(slip);
    }

    /// The character that is next.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Where this line ends.
    pub(super) fn line_end(&self) -> usize {
        let end = self.at + self.rest().find('\n').unwrap_or(self.rest().len());
        if end > self.at && self.text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end }
    }

    /// Whether the line has ended, but for a comment.
    pub(super) fn is_line_end(&self) -> bool {
        matches!(self.peek(), None | Some('\n' | '\r' | '#'))
    }

    /// Passes over blanks.
    pub(super) fn blanks(&mut self) {
        while let Some(next) = self.peek() {
            if matches!(next, ' ' | '\t') {
                self.at += 1;
            } else if signs::is_blank(next) {
                let span = self.at..self.at + next.len_utf8();
                self.slip(signs::blank(span.clone(), next));
                self.edits.replace(span.clone(), " ");
                self.at = span.end;
            } else {
                return;
            }
        }
    }

    /// Passes over blanks, comments and the ends of lines. Whether a line has ended.
    pub(super) fn gap(&mut self) -> bool {
        let mut ended = false;
        loop {
            self.blanks();
            match self.peek() {
                Some('\n' | '\r') => {
                    self.at += 1;
                    ended = true;
                }
                Some('#') => self.at = self.line_end(),
                _ if self.foreign_comment() => {}
                _ => return ended,
            }
        }
    }

    /// Passes over a comment as other languages write it.
    pub(super) fn foreign_comment(&mut self) -> bool {
        if !self.rest().starts_with(['/', '<', '-', ';']) {
            return false;
        }
        let (rest, start, end) = (self.rest(), self.at, self.line_end());
        let slip = |span: Range<usize>, sign: &str| {
            Slip::new(span, "a comment begins with `#`", format!("`{sign}` begins none")).remedy("write `# …`")
        };
        for (sign, close) in [("/*", "*/"), ("<!--", "-->")] {
            if rest.starts_with(sign) {
                let closed = rest.find(close).map_or(rest.len(), |at| at + close.len());
                self.slip(slip(start..start + sign.len(), sign));
                self.edits.remove(start..start + closed);
                self.at = start + closed;
                return true;
            }
        }
        let begins = text_before(self.text, start).is_empty();
        let line = &self.text[start..end];
        let remark = |sign: &str| line.strip_prefix(sign).is_some_and(|text| !text.trim().is_empty());
        let sign = if line.starts_with("//") {
            "//"
        } else if line.starts_with("--") && line[2..].starts_with([' ', '-']) && begins && !line.contains('=') {
            "--"
        } else if remark(";") && !line.contains('=') && self.open.is_empty() || begins && line.starts_with(';') {
            ";"
        } else {
            return false;
        };
        self.slip(slip(start..start + sign.len(), sign));
        self.edits.replace(start..start + sign.len(), "#");
        self.at = end;
        true
    }

    /// A path of keys, as far as it is one. None, and nothing is passed over, when it is not even one key.
    pub(super) fn keys(&mut self) -> Option<Vec<Key>> {
        let mut keys = Vec::new();
        let mut end = self.at;
        while let Some(key) = self.key() {
            end = key.span.end;
            keys.push(key);
            let here = self.at;
            self.at = here + self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
            if self.peek() != Some('.') {
                break;
            }
            self.at += 1;
            self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        }
        self.at = end;
        (!keys.is_empty()).then_some(keys)
    }

    fn key(&mut self) -> Option<Key> {
        let (rest, start) = (self.rest(), self.at);
        let (name, length) = match rest.chars().next()? {
            quote @ ('"' | '\'') => {
                let inside = &rest[1..];
                let line = inside.find('\n').unwrap_or(inside.len());
                let mut escaped = false;
                let close = inside[..line].char_indices().find(|(_, letter)| {
                    let ends = *letter == quote && !escaped;
                    escaped = *letter == '\\' && quote == '"' && !escaped;
                    ends
                });
                let (close, _) = close?;
                if quote == '"'
                    && let Some((at, length)) = bad_escape(&inside[..close])
                {
                    return Some(
                        self.key_with_escape(start + 1 + at..start + 1 + at + length, start..start + close + 2),
                    );
                }
                (signs::unescaped(&rest[..close + 2]), close + 2)
            }
            quote if signs::is_quote(quote) => {
                let (inside, length) = signs::between(rest)?;
                self.slip(signs::quotes(start..start + length, inside));
                self.edits.replace(start..start + length, format!("\"{inside}\""));
                (inside.to_owned(), length)
            }
            _ => {
                let length = rest.find(|letter: char| !is_bare(letter)).unwrap_or(rest.len());
                (length > 0).then(|| (rest[..length].to_owned(), length))?
            }
        };
        self.at = start + length;
        Some(Key { name, span: start..start + length })
    }

    /// A key in quotes that cannot be read for the escape at `sign`.
    fn key_with_escape(&mut self, sign: Range<usize>, span: Range<usize>) -> Key {
        self.slip(no_escape(self.text, sign));
        let name = self.text[span.start + 1..span.end - 1].to_owned();
        self.broken = true;
        self.at = span.end;
        Key { name, span }
    }

    /// Whether a table's header stands here.
    pub(super) fn is_header(&self) -> bool {
        is_header(self.rest())
    }

    /// Whether a key with its `=` stands here.
    pub(super) fn is_entry(&self) -> bool {
        is_entry(self.rest())
    }

    /// Whether all braces that are open are closed before the next table begins.
    pub(super) fn is_closed_later(&self) -> bool {
        /// No table in braces is longer.
        const LINES: usize = 500;
        let mut open = self.open.iter().filter(|(sign, _)| *sign == '{').count();
        for line in self.rest().lines().take(LINES) {
            if is_header(line.trim_start()) {
                return false;
            }
            let mut quoted = None;
            for letter in line.chars() {
                match (letter, quoted) {
                    ('#', None) => break,
                    ('{', None) => open += 1,
                    ('}', None) if open == 1 => return true,
                    ('}', None) => open -= 1,
                    ('"' | '\'', None) => quoted = Some(letter),
                    (_, Some(quote)) if letter == quote => quoted = None,
                    _ => {}
                }
            }
        }
        false
    }
}

/// What stands before an offset on its line.
pub(super) fn text_before(text: &str, at: usize) -> &str {
    text.get(line_of(text, at).start..at).unwrap_or_default().trim()
}

/// Whether a character may stand in a key without quotes.
pub(super) fn is_bare(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// Whether a text begins with a table's header: a name in brackets that is no list of values.
pub(super) fn is_header(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default().trim_end();
    let Some(inside) = line.strip_prefix("[[").or_else(|| line.strip_prefix('[')) else { return false };
    let inside = inside.trim_start();
    let first = inside.split(|letter| !is_bare(letter)).next().unwrap_or_default();
    let behind = inside[first.len()..].trim_start();
    first.contains(|letter: char| letter.is_ascii_alphabetic())
        && !matches!(first, "true" | "false" | "inf" | "nan")
        && (behind.is_empty() || behind.starts_with(['.', ']', '#']))
        && !behind.trim_start_matches(']').trim_start().starts_with(',')
}

/// Whether a text begins with a key and `=`.
fn is_entry(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default();
    let mut scan = Scan::new(line);
    let found = !line.starts_with(signs::is_quote) && scan.keys().is_some();
    let behind = scan.rest().trim_start();
    found && behind.starts_with('=') && !behind.starts_with("==")
}

/// A line that only TOML has.
pub(super) fn is_ours(line: &str) -> bool {
    let scan = Scan::new(line.trim_start());
    scan.is_header() || scan.is_entry()
}
