//! Lists in brackets and tables in braces: what is not closed, closed by another bracket, not parted.

use super::{
    scan::{Key, Scan},
    slip::{Slip, line_of},
};

impl Scan<'_> {
    /// A list.
    pub(super) fn list(&mut self) {
        let open = self.at;
        self.at += 1;
        self.open.push(('[', open));
        let mut end = self.at;
        let mut is_parted = true;
        loop {
            let on_new_line = self.gap();
            if self.given_up {
                return;
            }
            let ends = on_new_line && (self.is_header() || self.is_entry());
            match self.peek() {
                _ if ends && !self.is_header() && self.lacks_brace() => {
                    let start = self.at;
                    let slip = Slip::new(start..start, "`{` is missing", "in front of this");
                    self.slip(slip.remedy("write `{ key = value }`"));
                    self.broken = true;
                    self.at = self.line_end();
                    is_parted = true;
                }
                _ if ends => break self.unclosed(open, end),
                None => break self.unclosed(open, end),
                Some(']') => {
                    self.at += 1;
                    break;
                }
                Some(other @ ('}' | ')')) => break self.closed_by(other, end),
                Some(',') => self.comma(&mut end, &mut is_parted),
                Some(';') => self.semicolon(&mut end, &mut is_parted),
                Some(sign @ ('=' | ':')) => {
                    let slip =
                        Slip::new(self.at..self.at + 1, "a list holds no keys", format!("`{sign}` parts no items"));
                    self.slip(slip.remedy("write `{ key = value }` for keys, `[\"one\", \"two\"]` for a list"));
                    self.broken = true;
                    self.at += 1;
                    is_parted = true;
                }
                Some(_) => {
                    if !is_parted {
                        self.comma_missing(end);
                    }
                    self.item();
                    end = self.at;
                    is_parted = false;
                }
            }
        }
        self.open.pop();
    }

    /// A table in braces.
    pub(super) fn braces(&mut self) {
        let open = self.at;
        self.at += 1;
        self.open.push(('{', open));
        let mut end = self.at;
        let mut is_parted = true;
        let mut keys: Vec<Vec<Key>> = Vec::new();
        loop {
            let on_new_line = self.gap();
            if self.given_up {
                return;
            }
            let ends = on_new_line && (self.is_header() || !is_parted && self.is_entry() && !self.is_closed_later());
            match self.peek() {
                _ if ends => break self.unclosed(open, end),
                None => break self.unclosed(open, end),
                Some('}') => {
                    self.at += 1;
                    break;
                }
                Some(other @ (']' | ')')) => break self.closed_by(other, end),
                Some(',') => self.comma(&mut end, &mut is_parted),
                Some(';') => self.semicolon(&mut end, &mut is_parted),
                Some(_) => {
                    if !is_parted {
                        self.comma_missing(end);
                    }
                    self.pair(&mut keys);
                    end = self.at;
                    is_parted = false;
                }
            }
        }
        self.open.pop();
    }

    /// Whether the line closes a brace that it does not open.
    fn lacks_brace(&self) -> bool {
        let line = &self.text[self.at..self.line_end()];
        line.matches('}').count() > line.matches('{').count()
    }

    /// An item that may be something that no value begins with.
    fn item(&mut self) {
        let before = self.at;
        self.value(false);
        if self.at == before && !self.given_up {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }

    /// A key and its value in braces.
    fn pair(&mut self, known: &mut Vec<Vec<Key>>) {
        let start = self.at;
        let Some(keys) = self.keys() else {
            return self.no_key();
        };
        let name = self.text[start..self.at].trim();
        let behind = self.at;
        self.blanks();
        let rest = self.rest();
        if let Some(sign) = [":=", "=>", "==", "->", ":"].into_iter().find(|sign| rest.starts_with(sign)) {
            let span = self.at..self.at + sign.len();
            let slip = Slip::new(span.clone(), "a key and its value are separated by `=`", format!("not by `{sign}`"));
            self.slip(slip.remedy(format!("write `{name} = …`")));
            self.edits.replace(span.clone(), "=");
            self.at = span.end;
        } else if rest.starts_with('=') {
            self.at += 1;
        } else if self.text[start..].starts_with(['"', '\'']) || rest.starts_with([',', '}', ']']) {
            self.at = start;
            return self.no_key();
        } else {
            let slip = Slip::new(behind..behind, format!("`=` is missing behind `{name}`"), "between key and value");
            self.slip(slip.remedy(format!("write `{name} = …`")));
            self.edits.insert(behind, " =");
        }
        self.blanks();
        if self.is_line_end() || matches!(self.peek(), Some(',' | '}')) {
            let slip = Slip::new(behind..self.at, format!("`{name}` has no value"), "a value is expected behind this");
            self.slip(slip.remedy("write it, or take the key out"));
            self.broken = true;
            return;
        }
        self.item();
        let again = known.iter().find(|known| {
            let both = known.len().min(keys.len());
            known[..both].iter().zip(&keys[..both]).all(|(one, other)| one.name == other.name)
        });
        if let (Some(first), Some(own)) = (again, keys.last()) {
            let place = first.first().map_or(0..0, |key| key.span.clone());
            let slip = Slip::new(start..own.span.end, format!("`{name}` stands twice in one table"), "here again");
            self.slip(slip.also(place, "first here").remedy("keep one of them"));
            self.broken = true;
        }
        known.push(keys);
    }

    /// A value in braces that has no key.
    fn no_key(&mut self) {
        let (start, end) = (self.at, self.line_end());
        let first = self.text[start..end].split([',', '}']).next().unwrap_or_default().trim_end();
        let slip = Slip::new(start..start + first.len(), "a value in braces has no key", "`key = value` is expected");
        self.slip(slip.remedy("a list stands in brackets: `[\"one\", \"two\"]`"));
        self.broken = true;
        self.item();
    }

    fn one_comma_too_many(&mut self) {
        let span = self.at..self.at + 1;
        self.slip(Slip::new(span.clone(), "a value is missing", "in front of this comma").remedy("take one comma out"));
        self.edits.remove(span);
    }

    fn comma_missing(&mut self, end: usize) {
        let slip = Slip::new(end..end, "a comma is missing", "behind this, in front of what follows");
        self.slip(slip.remedy("part the items by `,`"));
        self.edits.insert(end, ",");
    }

    /// A comma, one too many where the items are parted already.
    fn comma(&mut self, end: &mut usize, is_parted: &mut bool) {
        if *is_parted {
            self.one_comma_too_many();
        }
        self.at += 1;
        (*end, *is_parted) = (self.at, true);
    }

    fn semicolon(&mut self, end: &mut usize, is_parted: &mut bool) {
        let span = self.at..self.at + 1;
        self.slip(Slip::new(span.clone(), "items are parted by `,`", "not by `;`").remedy("write a comma"));
        self.edits.replace(span.clone(), ",");
        self.at = span.end;
        (*end, *is_parted) = (self.at, true);
    }

    /// A bracket that is still open where something else begins; its last item ended at `end`.
    fn unclosed(&mut self, open: usize, end: usize) {
        let (sign, close) = match self.open.last() {
            Some(('{', _)) => ("{", "}"),
            _ => ("[", "]"),
        };
        let slip = Slip::new(open..open + 1, format!("`{sign}` is never closed"), "opened here");
        let last = line_of(self.text, end);
        self.slip(slip.also(end..end, format!("`{close}` is missing here")).remedy(format!("add `{close}`")));
        self.edits.insert(end, close);
        // Keys of the table around it may have been read as its own.
        if sign == "{" && !last.contains(&open) {
            self.broken = true;
        }
        self.at = end;
    }

    /// A bracket that is closed by one of another kind.
    fn closed_by(&mut self, other: char, end: usize) {
        let Some((sign, open)) = self.open.last().copied() else { return };
        let close = if sign == '{' { '}' } else { ']' };
        let message = format!("`{sign}` is closed by `{other}`");
        let slip = Slip::new(self.at..self.at + 1, message, format!("`{close}` is expected"));
        let around = self.open.iter().rev().nth(1).map(|(sign, _)| *sign);
        let is_of_that = matches!((around, other), (Some('{'), '}') | (Some('['), ']'));
        if is_of_that {
            let message = format!("`{sign}` is not closed");
            let slip = Slip::new(open..open + 1, message, "opened here");
            self.slip(slip.also(end..end, format!("`{close}` is missing here")).remedy(format!("add `{close}`")));
            self.edits.insert(end, close);
            self.at = end;
            return;
        }
        self.slip(slip.also(open..open + 1, "opened here").remedy(format!("write `{close}`")));
        self.edits.replace(self.at..self.at + 1, close);
        self.at += 1;
    }
}
