//! A table's header: `[a.b]`, `[[a.b]]`, and what is written in its place.

use std::ops::Range;

use super::{
    scan::{EntryKind, Key, Scan, Statement, is_bare},
    signs,
    slip::Slip,
};
use crate::config::schema::keys_of;

impl Scan<'_> {
    /// The header of a table.
    pub(super) fn header(&mut self) {
        let (start, end) = (self.at, self.line_end());
        let line = self.text[start..end].trim_end();
        let several = line.starts_with("[[");
        self.at += if several { 2 } else { 1 };
        self.blanks();
        if self.is_list() {
            return self.list_without_key(start);
        }
        let inside = self.at;
        let Some(mut path) = self.keys() else {
            return self.unreadable(start);
        };
        let behind = self.at;
        self.blanks();
        let close = if several { "]]" } else { "]" };
        let rest = &self.text[self.at..end];
        let missing = |at: usize| {
            let message = format!("`{}` is not closed", &line[..close.len()]);
            let slip = Slip::new(start..at, message, format!("`{close}` is missing behind the table's name"));
            let name = self.text[inside..at].trim();
            slip.remedy(format!("write `{}{name}{close}`", &line[..close.len()]))
        };
        if rest.starts_with(close) {
            self.at += close.len();
            let more = self.rest().len() - self.rest().trim_start_matches(']').len();
            if more > 0 {
                let slip = Slip::new(self.at..self.at + more, "`]` closes nothing", "one bracket too many");
                self.slip(slip.remedy("take it out"));
                self.edits.remove(self.at..self.at + more);
                self.at += more;
            }
        } else if rest.starts_with(']') {
            self.slip(missing(self.at));
            self.edits.insert(self.at, "]");
            self.at += 1;
        } else if rest.starts_with(['}', ')', '>']) && !rest[1..].trim_start().starts_with(is_bare) {
            self.slip(missing(behind));
            self.edits.replace(self.at..self.at + 1, close);
            self.at += 1;
        } else if self.is_line_end() {
            self.slip(missing(behind));
            self.edits.insert(behind, close);
        } else {
            self.at = inside;
            return self.unreadable(start);
        }
        let mut behind = self.at;
        if let Some(more) = self.in_several_brackets(start, &line[..close.len()]) {
            path.extend(more);
            behind = self.at;
        }
        // A name with an escape that is none is not known.
        let named = self.behind_header() && !self.broken;
        self.table = named.then(|| path.iter().map(|key| key.name.clone()).collect());
        if !named {
            self.lost.push((start, None));
            return self.edits.remove(start..self.at);
        }
        let kind = if several { EntryKind::ListOfTables } else { EntryKind::Table };
        self.statements.push(Statement { span: start..behind, kind, path });
    }

    /// The rest of a name whose parts stand in brackets each: `[a][b]`, `[a].b`.
    fn in_several_brackets(&mut self, start: usize, open: &str) -> Option<Vec<Key>> {
        let (before, end) = (self.at, self.line_end());
        if !self.text[before..end].starts_with(['[', '.']) {
            return None;
        }
        let mut found = Vec::new();
        while !self.is_line_end() {
            let signs = self.rest().len() - self.rest().trim_start_matches(['[', ']', '.', ' ', '\t']).len();
            self.at += signs;
            match self.keys() {
                Some(keys) if signs > 0 => found.extend(keys),
                _ if self.is_line_end() && !found.is_empty() => break,
                _ => {
                    self.at = before;
                    return None;
                }
            }
        }
        let whole = start..start + self.text[start..self.at].trim_end().len();
        let first = self.text[start..before].trim_matches(['[', ']', ' ', '\t']);
        let name = found.iter().fold(first.to_owned(), |name, key| format!("{name}.{}", &self.text[key.span.clone()]));
        let meant = format!("{open}{name}{}", &"]]"[..open.len()]);
        let label = "its parts are divided by dots within them";
        let slip = Slip::new(whole.clone(), "a table's name stands in one pair of brackets", label);
        self.slip(slip.remedy(format!("write `{meant}`")));
        self.edits.replace(whole, meant);
        Some(found)
    }

    /// What stands behind a header on its line. Whether the header is all of the table's name.
    fn behind_header(&mut self) -> bool {
        let glued = !self.rest().starts_with([' ', '\t']);
        self.blanks();
        if self.is_line_end() || self.foreign_comment() {
            return true;
        }
        let (start, end) = (self.at, self.line_end());
        let rest = self.text[start..end].trim_end();
        let signs = rest.len() - rest.trim_start_matches([':', ',', ';', '=', '{', '.']).len();
        let only = rest[signs..].trim_start();
        if signs > 0 && (only.is_empty() || only.starts_with('#')) {
            let slip = Slip::new(start..start + signs, "a table's header ends with its bracket", "one sign too many");
            self.slip(slip.remedy("take it out: the keys of the table stand on the lines below"));
            self.edits.remove(start..start + signs);
            self.at = start + signs;
        } else if self.is_entry() {
            let slip =
                Slip::new(start..start, "a key stands on the line of its table", "a line of its own begins here");
            self.slip(slip.remedy("put the key on the next line"));
            self.edits.insert(start, "\n");
        } else {
            let slip =
                Slip::new(start..start + rest.len(), "something stands behind a table's header", "not understood");
            self.slip(slip.remedy("a comment begins with `#`"));
            self.edits.remove(start..end);
            self.lost.push((start, None));
            self.at = end;
            return !glued && !rest.starts_with(['[', '.']);
        }
        true
    }

    /// A table's name in signs of another kind, alone on its line: `(a.b)`, `{a.b}`, `<a.b>`; or in brackets with signs
    /// around them: `**[a.b]**`, `"[a.b]"`.
    pub(super) fn in_other_signs(&mut self, line: &str) -> bool {
        let shown = line.split(" #").next().unwrap_or(line).trim_end();
        let around = |sign: char| matches!(sign, '"' | '\'' | '`' | '*' | '_' | '~' | '\\' | '-' | '>' | ' ');
        let bracketed = shown.trim_matches(around);
        let inside = if bracketed.len() < shown.len() && bracketed.starts_with('[') && bracketed.ends_with(']') {
            bracketed.trim_start_matches('[')
        } else {
            shown.trim_start_matches(['(', '{', '<', '［', '【'])
        };
        let name = inside.trim_end_matches([')', '}', '>', ']', '］', '】', ':', '\\']).trim();
        let mut scan = Scan::new(name);
        let is_name = scan.keys().is_some() && scan.rest().is_empty() && scan.slips.is_empty();
        if inside.len() == shown.len() || !is_name {
            return false;
        }
        let span = self.at..self.at + shown.len();
        self.at += shown.find(name).unwrap_or_default();
        let Some(path) = self.keys() else { return false };
        let label = "with no other signs";
        let slip = Slip::new(span.clone(), "a table's name stands in square brackets", label);
        self.begin_table(slip.remedy(format!("write `[{name}]`")), span, name, path);
        true
    }

    /// A table's name that is emphasised, as in Markdown, above its keys: `**port**`, `=== port ===`.
    pub(super) fn emphasised(&mut self, line: &str) -> bool {
        let start = self.at;
        const SIGNS: [char; 6] = ['*', '_', '~', '=', '`', '|'];
        let shown = line.trim_end_matches(':');
        let inside = shown.trim_matches(SIGNS).trim().trim_end_matches(':');
        let is_around = shown.starts_with(SIGNS) && shown.ends_with(SIGNS);
        let mut scan = Scan::new(inside);
        let Some(mut path) = scan.keys().filter(|_| scan_ends(inside) && is_around && self.is_above_keys()) else {
            return false;
        };
        path.iter_mut().for_each(|key| key.span = start..start + line.len());
        let label = "with no other signs";
        let slip = Slip::new(start..start + line.len(), "a table's name stands in square brackets", label);
        let slip = slip.remedy(format!("write `[{}]`", self.full_name(inside)));
        if path.len() > 1 {
            self.begin_table(slip, start..start + line.len(), inside, path);
        } else {
            self.without_brackets(slip, start..start + line.len(), path, true);
        }
        true
    }

    /// A path alone on its line, above keys: a table's name without brackets. It is read as one when another table of the
    /// file begins in the same way. Of a name without dots it is not certain what it is.
    pub(super) fn without_brackets(&mut self, slip: Slip, span: Range<usize>, path: Vec<Key>, is_table: bool) {
        let first = path.first().map(|key| key.name.as_str());
        let known = self.statements.iter().filter(|statement| statement.kind != EntryKind::Value);
        let is_known = known.filter_map(|statement| statement.path.first()).any(|key| Some(key.name.as_str()) == first);
        let is_first = self.table.as_ref().is_some_and(Vec::is_empty);
        if path.len() > 1 && (is_known || is_first) {
            let places =
                path.first().zip(path.last()).map_or(span.clone(), |(one, last)| one.span.start..last.span.end);
            let name = self.text.get(places).unwrap_or_default();
            return self.begin_table(slip, span, name, path);
        }
        self.slip(slip);
        self.edits.remove(span.clone());
        self.at = self.line_end();
        // What the table has no key of begins another one.
        let is_other = |table: &Vec<String>| path.iter().all(|key| !keys_of(table).contains(&key.name.as_str()));
        if path.len() > 1 || is_table && self.table.as_ref().is_none_or(is_other) {
            self.lost.push((span.start, None));
            self.table = None;
        } else {
            self.lost.push((span.start, self.table.clone()));
            self.doubts.push(span.start..self.text.len());
        }
    }

    /// Reads what stands at `span` as the header that was meant.
    pub(super) fn begin_table(&mut self, slip: Slip, span: Range<usize>, name: &str, path: Vec<Key>) {
        self.slip(slip);
        self.edits.replace(span.clone(), format!("[{name}]"));
        self.table = Some(path.iter().map(|key| key.name.clone()).collect());
        self.statements.push(Statement { span, kind: EntryKind::Table, path });
        self.at = self.line_end();
    }

    /// Whether the next line with anything on it is a key and its value.
    pub(super) fn is_above_keys(&self) -> bool {
        let below = self.text.get(self.line_end()..).unwrap_or_default();
        let next = below.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
        next.is_some_and(|line| {
            let mut scan = Scan::new(line);
            scan.keys().is_some() && !line.starts_with('-') && {
                let behind = scan.rest().trim_start();
                behind.starts_with('=')
                    || behind.strip_prefix(':').is_some_and(|rest| rest.starts_with([' ', '\t']))
                    || behind.trim_end() == ":"
            }
        })
    }

    /// Whether what follows the bracket are the items of a list.
    fn is_list(&self) -> bool {
        let rest = self.rest();
        let line = rest.split('\n').next().unwrap_or_default().trim_end();
        let items = line.split(" #").next().unwrap_or(line).trim_end().trim_end_matches(']');
        line.is_empty() && !rest.is_empty()
            || line.starts_with('#')
            || line.starts_with(['{', '['])
            || line.starts_with(['"', '\'']) && items.contains(',')
    }

    fn list_without_key(&mut self, start: usize) {
        let empty = self.rest().trim_start().starts_with(']');
        let slip = Slip::new(start..start + 1, "a list has no key", "a key and `=` are missing here");
        self.slip(slip.remedy("write `key = [ … ]` on one line, or name the table that begins here: `[name]`"));
        self.at = start;
        if !empty {
            self.value(true);
        }
        let end = self.line_end();
        self.edits.remove(start..end);
        self.lost.push((start, None));
        self.at = end;
    }

    /// A header whose name is not understood. What stands below it is in no table that is known.
    fn unreadable(&mut self, start: usize) {
        let end = self.line_end();
        let line = self.text[start..end].trim_end();
        let name = line.split(" #").next().unwrap_or(line).trim().trim_matches(['[', ']']).trim();
        let quotes = name.matches('"').count().max(name.matches('\'').count());
        let span = start..start + line.len();
        let first = name.split('.').next().unwrap_or_default();
        let behind = name.get(first.len() + 1..).unwrap_or_default();
        // The quote of a name of tables, and not of one part of it, is one too many.
        let bare = name.replace(['"', '\''], "");
        let stray = name.contains('.') && (name.starts_with(['"', '\'']) || self.is_known_table(&bare));
        let of_html = signs::ENTITIES.iter().fold(name.to_owned(), |name, sign| name.replace(sign, "\""));
        let in_brackets = |name: &str| if line.starts_with("[[") { format!("[[{name}]]") } else { format!("[{name}]") };
        let slip = if name.is_empty() {
            Slip::new(span, "a table has no name", "the name is missing between the brackets").remedy("write `[name]`")
        } else if name.contains(signs::is_quote) {
            signs::quotes(span, &name.replace(signs::is_quote, "\""))
                .remedy(format!("write `[{}]`", name.replace(signs::is_quote, "\"")))
        } else if of_html != name {
            signs::quotes(span, &of_html).remedy(format!("write `{}`", in_brackets(&of_html)))
        } else if let Some(meant) = parted(name) {
            let label = "its parts are divided by dots";
            Slip::new(span, "the table's name is not understood", label)
                .remedy(format!("write `{}`", in_brackets(&meant)))
        } else if quotes == 0 && !behind.is_empty() && !holds_names(first) && name.split('.').all(is_word) {
            let label = "a name has only letters of ASCII, digits, `-`, `_`";
            let meant: Vec<String> = name.split('.').map(in_ascii).collect();
            Slip::new(span, "the table's name is not understood", label)
                .remedy(format!("write `{}`, or another such name", in_brackets(&meant.join("."))))
        } else if quotes % 2 == 1 {
            let slip = Slip::new(span, "a quote in a table's name is not closed", "the quotes come in pairs");
            let several = line.starts_with("[[");
            slip.remedy(if stray {
                format!("write `[{bare}]`; a part that holds a dot stands in quotes of its own")
            } else if several {
                format!("write `[[{}]]`", closed(name))
            } else {
                format!("write `[{}]`", closed(name))
            })
        } else if name.split('.').any(|part| part.trim().is_empty()) {
            Slip::new(span, format!("the table's name `{name}` has an empty part"), "a dot too many")
                .remedy("take it out")
        } else if quotes == 0 && !behind.is_empty() && !name.contains([' ', ',', '=']) {
            let label = "without quotes a name has only letters, digits, `-`, `_`";
            Slip::new(span, format!("the table's name `{name}` must be in quotes"), label)
                .remedy(format!("write `[{first}.\"{behind}\"]`"))
        } else {
            let label = "a name of letters, digits, `-`, `_`, or one in quotes is expected";
            Slip::new(span, "the table's name is not understood", label).remedy("write `[name]` or `[table.\"name\"]`")
        };
        self.slip(slip);
        let (several, meant) = (line.starts_with("[["), if stray { bare } else { closed(name) });
        let mut scan = Scan::new(&meant);
        self.at = end;
        let path = scan.keys().filter(|_| quotes % 2 == 1 && scan.rest().is_empty());
        if let Some(mut path) = path {
            let span = start..start + line.len();
            // The parts have no places of their own in the line as it was written.
            path.iter_mut().for_each(|key| key.span = span.clone());
            let (open, close, kind) =
                if several { ("[[", "]]", EntryKind::ListOfTables) } else { ("[", "]", EntryKind::Table) };
            self.edits.replace(span.clone(), format!("{open}{meant}{close}"));
            self.table = Some(path.iter().map(|key| key.name.clone()).collect());
            self.statements.push(Statement { span, kind, path });
            return;
        }
        self.edits.remove(start..end);
        self.lost.push((start, None));
        self.table = None;
    }
}

impl Scan<'_> {
    /// Whether a name without quotes is one of a table in a table that stands in the text: its quotes are then too many.
    fn is_known_table(&self, name: &str) -> bool {
        let names: Vec<&str> = name.split('.').collect();
        let mut known = self.statements.iter().filter(|statement| statement.kind != EntryKind::Value);
        names.len() > 2
            && known.any(|statement| {
                statement.path.iter().take(2).map(|key| key.name.as_str()).eq(names[..2].iter().copied())
            })
    }
}

/// Whether a text is a path of keys and nothing else.
fn scan_ends(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.keys().is_some() && scan.rest().is_empty() && scan.slips.is_empty()
}

/// Whether the tables in this one have names of the DNS, which hold dots.
fn holds_names(table: &str) -> bool {
    matches!(table, "services" | "zones")
}

/// Whether a part of a name is one word, in whatever letters.
fn is_word(part: &str) -> bool {
    !part.is_empty()
        && part.chars().all(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\'' | '*' | ',' | '='))
}

/// A name with letters of ASCII in the place of others.
fn in_ascii(part: &str) -> String {
    let letter = |letter: char| match letter {
        'ä' | 'á' | 'à' | 'â' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ï' => 'i',
        'ö' | 'ó' | 'ô' | 'ø' => 'o',
        'ü' | 'ú' | 'û' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'ß' => 's',
        letter if is_bare(letter) => letter,
        _ => '-',
    };
    part.chars().map(letter).collect()
}

/// A name whose parts are divided by other signs than dots, as it is meant.
fn parted(name: &str) -> Option<String> {
    let signs = |letter: char| matches!(letter, '/' | '\\' | ':' | '>' | '|' | '\u{2192}');
    let plain = name.replace("->", ">").replace("=>", ">").replace(signs, " ");
    let parts: Vec<&str> = plain.split_whitespace().collect();
    let (first, behind) = parts.split_first()?;
    // Of several words with blanks alone between them it is not certain what they are.
    if behind.is_empty() || plain == name && behind.len() > 1 {
        return None;
    }
    let (is_name, dotted) = (holds_names(first) && behind.concat().contains('.'), behind.join("."));
    let is_sound = |name: &str| name.split('.').all(|part| !part.is_empty() && part.chars().all(is_bare));
    if !is_sound(first) || first.contains('.') || !is_sound(&dotted) {
        return None;
    }
    Some(if is_name { format!("{first}.\"{dotted}\"") } else { format!("{first}.{dotted}") })
}

/// A name with its last quote closed.
fn closed(name: &str) -> String {
    let quote = if name.matches('"').count() % 2 == 1 { '"' } else { '\'' };
    match name.rfind(quote) {
        // A quote that only closes: it begins behind the first dot.
        Some(last) if last > 0 && last + 1 == name.len() => match name.split_once('.') {
            Some((table, rest)) => format!("{table}.{quote}{rest}"),
            None => format!("{quote}{name}"),
        },
        _ => format!("{name}{quote}"),
    }
}
