//! Text in quotes: not closed, closed by another quote, with an escape that is none.

use std::ops::Range;

use super::{
    scan::Scan,
    signs::{self, no_escape, no_escape_length},
    slip::{Slip, line_of},
};

impl Scan<'_> {
    /// Text in quotes.
    pub(super) fn text(&mut self, quote: char) {
        let (rest, start) = (self.rest(), self.at);
        let triple = if quote == '"' { "\"\"\"" } else { "'''" };
        if rest.starts_with(triple) {
            return self.long_text(triple);
        }
        if let Some(span) = self.open_quote() {
            return self.unclosed_text(span);
        }
        let inside = &rest[1..];
        let mut letters = inside.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\n' => break,
                _ if letter == quote => {
                    self.at = start + at + 2;
                    return;
                }
                '\\' if quote == '"' => {
                    if let Some(length) = no_escape_length(&inside[at..]) {
                        let span = start + 1 + at..start + 1 + at + length;
                        self.slip(no_escape(self.text, span));
                        self.broken = true;
                    }
                    letters.next();
                }
                _ => {}
            }
        }
        // Only a single quote is left: double ones were looked for on the whole line.
        let end = self.line_end();
        self.unclosed_text(start..end);
    }

    fn long_text(&mut self, triple: &str) {
        let (rest, start) = (self.rest(), self.at);
        let inside = &rest[3..];
        let close = inside.match_indices(triple).map(|(at, _)| at).find(|at| {
            let escapes = inside[..*at].len() - inside[..*at].trim_end_matches('\\').len();
            triple == "'''" || escapes.is_multiple_of(2)
        });
        match close {
            Some(at) => {
                self.at = start + 6 + at;
                // Up to two quotes may stand in front of the three.
                let more = self.rest().chars().take(2).take_while(|letter| triple.starts_with(*letter)).count();
                self.at += more;
            }
            None => {
                let slip = Slip::new(start..start + 3, "a text of several lines is not closed", "it begins here");
                self.slip(slip.remedy(format!("close it with `{triple}`")));
                self.lost.push((start, None));
                self.broken = true;
                self.given_up = true;
                self.at = self.text.len();
            }
        }
    }

    /// The text in double quotes on this line that is not closed where it should be, if the line ends within one.
    fn open_quote(&mut self) -> Option<Range<usize>> {
        match &self.open_quote {
            Some((line, found)) if line.contains(&self.at) => found.clone(),
            _ => {
                let line = line_of(self.text, self.at);
                let found = open_quote(self.text, line.clone());
                self.open_quote = Some((line, found.clone()));
                found
            }
        }
    }

    /// A text whose closing quote is missing. The rest of the line is no use.
    fn unclosed_text(&mut self, span: Range<usize>) {
        let quote = &self.text[span.start..span.start + 1];
        let inside = &self.text[span.clone()];
        let slip = if let Some((at, letter)) = inside
            .char_indices()
            .find(|(_, letter)| signs::is_quote(*letter) && !matches!(letter, '\u{2019}' | '\u{2032}' | '`' | '´'))
        {
            let sign = span.start + at..span.start + at + letter.len_utf8();
            Slip::new(sign, "this quote is not one of a keyboard", format!("it does not close `{quote}`"))
                .remedy(format!("write `{quote}`"))
        } else {
            Slip::new(span.clone(), "a text is not closed", format!("a `{quote}` is missing on this line"))
                .remedy(format!("put `{quote}` behind the text; one of several lines stands in `{}`", quote.repeat(3)))
        };
        self.slip(slip);
        self.broken = true;
        let line = line_of(self.text, self.at);
        let whole = self.text[line.clone()].split(" #").next().unwrap_or_default().trim_end();
        self.at = self.line_end();
        let begun_here = self.open.iter().all(|(_, open)| line.contains(open));
        let closed = whole.trim_end_matches([',', '"', '\'']).ends_with([']', '}']);
        self.given_up = self.open.is_empty() || begun_here && closed;
        if self.open.is_empty() {
            self.at = self.goes_on(quote).unwrap_or(self.at);
        }
    }

    /// Where a text ends that goes on over the lines below this one, if it does.
    fn goes_on(&self, quote: &str) -> Option<usize> {
        /// No text that was meant for one line is longer.
        const LINES: usize = 20;
        let mut at = self.at;
        for (number, line) in self.rest().split_inclusive('\n').enumerate().take(LINES) {
            let scan = Scan::new(line.trim_start());
            if number > 0 && (scan.is_header() || scan.is_entry()) {
                return None;
            }
            if number > 0 && line.matches(quote).count() % 2 == 1 {
                return Some(at + line.trim_end().len());
            }
            at += line.len();
        }
        None
    }

    /// A text between the signs that HTML has for quotes.
    pub(super) fn entity_text(&mut self, sign: &str) {
        let (start, end) = (self.at, self.line_end());
        let inside = &self.text[start + sign.len()..end];
        let close = inside.find(sign).or_else(|| inside.find(['"', ',', '}', ']'])).unwrap_or(inside.trim_end().len());
        let length =
            if inside[close..].starts_with(sign) { sign.len() } else { usize::from(inside[close..].starts_with('"')) };
        let span = start..start + sign.len() + close + length;
        let inside = &inside[..close];
        let label = format!("`{sign}` is a quote in HTML alone");
        let slip = Slip::new(span.clone(), "these quotes are not those of a keyboard", label);
        self.slip(slip.remedy(format!("write {inside:?}")));
        self.edits.replace(span.clone(), format!("{inside:?}"));
        self.at = span.end;
    }

    pub(super) fn odd_text(&mut self) {
        let (rest, start) = (self.rest(), self.at);
        match signs::between(rest) {
            Some((inside, length)) => {
                let span = start..start + length;
                self.slip(signs::quotes(span.clone(), inside));
                self.edits.replace(span.clone(), format!("{inside:?}"));
                self.at = span.end;
            }
            None => {
                let end = self.line_end();
                self.slip(signs::quotes(start..end, rest[..end - start].trim_matches(signs::is_quote).trim_end()));
                self.broken = true;
                self.at = end;
                self.given_up = self.open.is_empty();
            }
        }
    }
}

/// The text in double quotes on a line that is not closed where it should be, if the line ends within one.
fn open_quote(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let text = &text[line.clone()];
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut open, mut single, mut escaped) = (None, false, false);
    let mut behind = 0;
    for (at, letter) in text.char_indices() {
        match (letter, open) {
            _ if at < behind => {}
            ('#', None) if !single => break,
            ('\'', None) => single = !single,
            // What other quotes open is told there, whatever closes it.
            (letter, None) if !single && signs::is_quote(letter) && begins_value(&text[..at]) => {
                behind = signs::between(&text[at..]).map_or(0, |(_, length)| at + length);
            }
            ('"', None) if !single => open = Some(at),
            ('"', Some(from)) if !escaped => {
                found.push(from..at + 1);
                open = None;
            }
            _ => {}
        }
        escaped = letter == '\\' && open.is_some() && !escaped;
    }
    let last = open?;
    let odd = found.iter().find(|span| {
        let behind = text[span.end..].trim_start();
        let inside = &text[span.start + 1..span.end - 1];
        let ends = behind.is_empty() || behind.starts_with([',', ']', '}', '#', '=', '.', ':']);
        !ends || inside.ends_with(", ") || inside.trim_start().starts_with(',') || inside.contains("], ")
    });
    let from = odd.map_or(last, |span| span.start);
    Some(line.start + from..line.start + text.trim_end().len())
}

/// Whether a value may begin behind this part of a line.
fn begins_value(before: &str) -> bool {
    before.trim_end().ends_with(['=', ',', '[', '{', '(', '.', ':']) || before.trim().is_empty()
}
