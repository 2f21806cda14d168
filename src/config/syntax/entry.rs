//! A line with a key: `key = value`, and what is written in its place.

use super::{
    scan::{EntryKind, Key, Scan, Statement, is_bare, is_header},
    signs,
    slip::Slip,
};

use crate::config::{diagnostics::join, schema::keys_of};

/// What separates a key from its value in other languages; the longer first.
const OTHER_SIGNS: [&str; 8] = [":=", "=>", "->", "+=", "?=", "===", "==", ":"];

impl Scan<'_> {
    /// A key and its value.
    pub(super) fn entry(&mut self) {
        let (start, end) = (self.at, self.line_end());
        let line = self.text[start..end].trim_end();
        if self.marker(line)
            || self.fence(line)
            || self.in_other_signs(line)
            || self.emphasised(line)
            || self.stray(line)
        {
            return;
        }
        if let Some(item) = line.strip_prefix("- ") {
            let shown = item.split(" #").next().unwrap_or_default().trim();
            let name = shown.trim_end_matches(':');
            let mut scan = Scan::new(name);
            let is_name =
                shown.ends_with(':') && scan.keys().is_some() && scan.rest().is_empty() && scan.slips.is_empty();
            if is_name && self.is_above_keys() {
                self.at = start + line.find(name).unwrap_or_default();
                let path = self.keys().unwrap_or_default();
                let label = "`-` and `:` begin none";
                let slip = Slip::new(start..start + line.len(), "a table begins with its name in brackets", label);
                let slip = slip.remedy(format!("write `[{}]`, and its keys below", self.full_name(name)));
                return self.without_brackets(slip, start..start + line.len(), path, true);
            }
            let slip = Slip::new(start..start + 1, "a list stands in brackets", "`-` begins no item of a list");
            return self.refuse(slip.remedy("write `key = [\"one\", \"two\"]`"), None);
        }
        let Some(keys) = self.path() else {
            return self.refuse(not_a_key(start, line), None);
        };
        let behind = self.at;
        self.blanks();
        let name = self.text[start..behind].trim().to_owned();
        let rest = self.rest();
        if let Some(sign) = OTHER_SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            let span = self.at..self.at + sign.len();
            let slip = Slip::new(span.clone(), "a key and its value are separated by `=`", format!("not by `{sign}`"));
            let value = rest[sign.len()..].split('\n').next().unwrap_or_default().trim();
            if *sign == ":" && (value.is_empty() || value.starts_with('#')) && self.is_above_keys() {
                let slip = Slip::new(span.clone(), "a table begins with its name in brackets", "not with `:`");
                let slip = slip.remedy(format!("write `[{}]`, and its keys below", self.full_name(&name)));
                return self.without_brackets(slip, start..span.end, keys, true);
            }
            let part = value.split(" #").next().unwrap_or_default().trim_end();
            if self.is_part_of(&name, part) {
                let end = span.end + self.text[span.end..].find(part).unwrap_or_default() + part.len();
                return self.begin_part(start, end, &name, part);
            }
            self.slip(slip.remedy(format!("write `{name} = {}`", shown(value))));
            self.edits.replace(span.clone(), "=");
            self.at = span.end;
            return self.assigned(start, keys);
        }
        if rest.starts_with('=') {
            self.at += 1;
            return self.assigned(start, keys);
        }
        if self.is_line_end() {
            let slip = Slip::new(start..behind, format!("`{name}` has no value"), "`=` and a value are expected");
            if self.is_above_keys() {
                let header = self.full_name(&name);
                let slip = slip.remedy(match self.is_no_table(&name) {
                    true => format!("write `{name} = …`"),
                    false => format!("write `[{header}]` for the table of the keys below, or `{name} = …`"),
                });
                return self.without_brackets(slip, start..behind, keys, true);
            }
            return self.refuse(slip.remedy(format!("write `{name} = …`, or `[{name}]` for a table")), Some(&keys));
        }
        self.without_sign(start, behind, &name, keys);
    }

    /// A key with something behind it that is no `=`.
    fn without_sign(&mut self, start: usize, behind: usize, name: &str, keys: Vec<Key>) {
        let end = self.line_end();
        let rest = self.text[self.at..end].trim_end();
        let part =
            rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(|part| part.trim_matches(['"', '\'']));
        if let Some(part) = part.filter(|part| self.is_part_of(name, part)) {
            return self.begin_part(start, self.at + rest.len(), name, part);
        }
        let closed = rest.split(" #").next().unwrap_or(rest).trim_end().trim_end_matches(',');
        if rest.starts_with('{') && closed.ends_with('}') {
            let slip = Slip::new(behind..behind, format!("`=` is missing behind `{name}`"), "between key and value");
            self.slip(slip.remedy(format!("write `{name} = {}`", shown(closed))));
            self.edits.insert(behind, " =");
            return self.assigned(start, keys);
        }
        if rest.ends_with('{') || rest.starts_with('{') || rest.contains("\" {") {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            let slip =
                Slip::new(start..self.at + length, "a table begins with its name in brackets", "not with a brace");
            let header = self.full_name(name);
            self.slip(slip.remedy(format!("write `[{header}]` on a line of its own, and its keys below")));
            self.lost.push((start, None));
            let open = self.at + rest.find('{').unwrap_or(0);
            let close = closing(self.text, open);
            let more = self.text[close..].starts_with(';');
            let close = close + usize::from(more);
            self.edits.remove(start..close);
            self.at = close;
            return;
        }
        if rest.starts_with(']') && !rest.contains(['[', '=']) {
            let line = self.text[start..end].trim_end();
            let slip = Slip::new(start..start, "a table's name is not opened", "`[` is missing in front of it");
            self.slip(slip.remedy(format!("write `[{line}`")));
            self.edits.insert(start, "[");
            self.table = Some(keys.iter().map(|key| key.name.clone()).collect());
            self.statements.push(Statement { span: start..end, kind: EntryKind::Table, path: keys });
            self.at = end;
            return;
        }
        let value = rest.split(" #").next().unwrap_or(rest).trim_end();
        let words = value.split_whitespace().count();
        let at = behind..behind;
        let quoted = value.starts_with(['"', '\'', '[']) || value.starts_with(signs::is_quote);
        if quoted || words == 1 && !value.contains('=') {
            let slip = Slip::new(at, format!("`=` is missing behind `{name}`"), "between key and value");
            self.slip(slip.remedy(format!("write `{name} = {}`", shown(value))));
            self.edits.insert(behind, " =");
            return self.assigned(start, keys);
        }
        let line = self.text[start..end].trim_end();
        self.at = start;
        let slip = match line.split_once('=') {
            Some((key, _)) => {
                let key = key.trim_end();
                let label = "a key is one word, or stands in quotes";
                Slip::new(start..start + key.len(), format!("`{}` is no key", shown(key)), label)
                    .remedy("write one `key = value` on a line")
            }
            None => Slip::new(start..start + line.len(), "this line says nothing", "`key = value` is expected")
                .remedy("a comment begins with `#`"),
        };
        self.refuse(slip, Some(&keys));
    }

    /// The path of a key; one that can be read only in quotes is told and put in them.
    fn path(&mut self) -> Option<Vec<Key>> {
        let (start, end) = (self.at, self.line_end());
        let found = self.keys();
        let rest = self.rest();
        let line = &self.text[start..end];
        let sign = line.find('=').map(|at| line[..at].trim_end());
        let plain = |next: char| next.is_whitespace() || matches!(next, '=' | '#' | ']') || signs::is_blank(next);
        let colon = rest.starts_with(':')
            && !sign.is_some_and(|head| head.len() > self.at - start + 1 && !head.contains([' ', '\t']));
        if found.is_some() && (rest.is_empty() || rest.starts_with(plain) || colon || starts_value(rest)) {
            return found;
        }
        self.at = start;
        let name = sign.unwrap_or_else(|| line.split([' ', '\t', ':']).next().unwrap_or_default());
        if name.is_empty()
            || name.contains(['"', ' ', '\t', '[', '{', ','])
            || sign.is_none() && !line[name.len()..].contains(':')
        {
            return None;
        }
        let span = start..start + name.len();
        let label = "without quotes a key has only letters, digits, `-`, `_`";
        let slip = Slip::new(span.clone(), format!("the key `{name}` must be in quotes"), label);
        self.slip(slip.remedy(format!("write `\"{name}\" = …`")));
        self.edits.replace(span.clone(), format!("{name:?}"));
        self.at = span.end;
        Some(vec![Key { name: name.to_owned(), span }])
    }

    /// The value of a key, whose `=` has been read, and the end of its line.
    fn assigned(&mut self, start: usize, keys: Vec<Key>) {
        self.blanks();
        if let Some(slip) = self.begins_above_keys(start) {
            let end = self.line_end();
            let is_table = self.rest().starts_with('{');
            return self.without_brackets(slip, start..start + self.text[start..end].trim_end().len(), keys, is_table);
        }
        self.value(true);
        if !self.given_up {
            self.tail();
        }
        let span = start..self.at.max(start);
        match &self.table {
            None => self.edits.remove(span.clone()),
            Some(table) if self.broken => {
                let path = table.iter().chain(keys.iter().rev().skip(1).rev().map(|key| &key.name)).cloned();
                self.lost.push((start, Some(path.collect())));
                self.edits.remove(span.clone());
            }
            Some(_) => {}
        }
        if self.table.is_some() {
            self.statements.push(Statement { span, kind: EntryKind::Value, path: keys });
        }
    }

    /// What is told of a value that is nothing but an opening bracket, or not even that, above keys of a table.
    fn begins_above_keys(&self, start: usize) -> Option<Slip> {
        let rest = self.text[self.at..self.line_end()].split('#').next().unwrap_or_default().trim_end();
        let name = self.text[start..self.at].trim_end().trim_end_matches(['=', ':', '>', '-', '+', '?']).trim_end();
        let open = self.at..self.at + rest.len();
        let slip = match rest {
            "" => {
                let before = self.text[..self.at].trim_end_matches([' ', '\t']).len();
                Slip::new(before..before, "a value is missing", "a value is expected here")
            }
            "[" | "{" => Slip::new(open, format!("`{rest}` is never closed"), "opened here"),
            _ => return None,
        };
        let below = self.text[self.line_end()..].lines().skip(1);
        let mut inside = below.take_while(|line| !is_header(line.trim_start()));
        let is_closed = !rest.is_empty() && inside.any(|line| line.trim_start().starts_with([']', '}']));
        let is_inner = self.table.as_ref().is_none_or(|table| !table.is_empty());
        let header = self.full_name(name);
        let remedy = match rest {
            "" if is_inner && !name.contains('.') => "write it, or take the key out".to_owned(),
            "{" if self.is_no_table(name) => "write the value, which is no table".to_owned(),
            "{" => format!(
                "add `}}` behind its keys, with commas between them, or write `[{header}]` for the table of the keys below"
            ),
            "[" if !name.contains('.') => "add `]` behind its items".to_owned(),
            "[" => format!("add `]` behind its items, or write `[{header}]` for the table of the keys below"),
            _ => format!("write the value, or `[{header}]` for the table of the keys below"),
        };
        (self.is_above_keys() && !is_closed).then(|| slip.remedy(remedy))
    }

    /// The name of the table that is meant by one that is written below the header of another: a part of that one or of
    /// one around it, if it has such a part, or one beside it.
    pub(super) fn full_name(&self, name: &str) -> String {
        let bare = name.trim_matches(['"', '\'']);
        let first = bare.split('.').next().unwrap_or_default().trim();
        let Some(around @ [_, ..]) = self.table.as_deref() else { return name.to_owned() };
        let within = |length: usize, name: &str| {
            let around: Vec<&str> = around[..length].iter().map(String::as_str).collect();
            if around.is_empty() { name.to_owned() } else { format!("{}.{name}", join(&around)) }
        };
        let lower = first.to_lowercase();
        let has = |length: &usize, first: &str| keys_of(&around[..*length]).contains(&first);
        match (0..=around.len()).rev().find(|length| has(length, first)) {
            Some(length) => within(length, bare),
            None if has(&0, &lower) => format!("{lower}{}", &bare[first.len()..]),
            None => within(around.len() - 1, name),
        }
    }

    /// Whether a key of the table that is being read is known to be none of a table.
    fn is_no_table(&self, name: &str) -> bool {
        let Some(table) = &self.table else { return false };
        let own: Vec<String> = table.iter().cloned().chain([name.to_owned()]).collect();
        keys_of(table).contains(&name) && keys_of(&own).is_empty()
    }

    /// A table's name that is written as an entry of the table that holds it: `monitors: port`, `monitors["port"]`.
    fn is_part_of(&self, name: &str, part: &str) -> bool {
        let is_other = self.table.as_ref().is_some_and(|table| !keys_of(table).contains(&name));
        let is_name = !part.is_empty() && part.chars().all(|letter| is_bare(letter) || letter == '.');
        is_name && is_other && keys_of(&[]).contains(&name) && self.is_above_keys()
    }

    /// Begins the table that is meant by such a name, which ends at an offset.
    fn begin_part(&mut self, start: usize, end: usize, name: &str, part: &str) {
        let span = start..end;
        let meant = join(&[name, part]);
        let slip = Slip::new(span.clone(), "a table begins with its name in brackets", "not like this");
        let path = [name, part].map(|name| Key { name: name.to_owned(), span: span.clone() }).into();
        self.begin_table(slip.remedy(format!("write `[{meant}]`")), span, &meant, path);
    }

    /// The marks of Markdown around a text that was pasted with them.
    fn fence(&mut self, line: &str) -> bool {
        if !line.starts_with("```") && !line.starts_with("~~~") {
            return false;
        }
        let (start, end) = (self.at, self.line_end());
        let message = "a mark of Markdown stands in the file";
        let slip = Slip::new(start..start + line.len(), message, "it is no part of what it surrounds");
        if !self.slips.iter().any(|slip| slip.message == message) {
            self.slip(slip.remedy("take out the lines that begin so"));
        }
        self.edits.remove(start..end);
        self.at = end;
        true
    }

    /// Tells a line and passes over it.
    fn refuse(&mut self, slip: Slip, keys: Option<&[Key]>) {
        let end = self.line_end();
        let start = slip.span.start.min(self.at);
        self.slip(slip);
        let table = keys.and(self.table.clone());
        let inner = keys.unwrap_or_default().iter().rev().skip(1).rev().map(|key| key.name.clone());
        self.lost.push((start, table.map(|table| table.into_iter().chain(inner).collect())));
        self.edits.remove(start..end);
        self.at = end;
    }

    /// The marks that a merge leaves where it could not decide. What stands behind the second is taken out.
    fn marker(&mut self, line: &str) -> bool {
        let is = |sign: &str| line == sign || line.strip_prefix(sign).is_some_and(|rest| rest.starts_with(' '));
        if !["<<<<<<<", "|||||||", "=======", ">>>>>>>"].into_iter().any(is) {
            return false;
        }
        let (start, end) = (self.at, self.line_end());
        let slip = Slip::new(start..start + line.len(), "a merge was not finished", "a conflict of two versions");
        let rest = &self.text[start..];
        let other = if is("|||||||") || is("=======") { rest.find("\n>>>>>>>").map(|at| start + at) } else { None };
        if is("<<<<<<<") || self.slips.last().is_none_or(|last| last.message != slip.message) {
            self.slip(slip.remedy("keep one of the two versions, and take the marks out"));
        }
        self.lost.push((start, None));
        let to = other.unwrap_or(end);
        self.edits.remove(start..to);
        self.at = to;
        true
    }

    /// A sign that begins no line.
    fn stray(&mut self, line: &str) -> bool {
        let Some(first) =
            line.chars().next().filter(|first| matches!(first, ']' | '}' | ')' | ',' | ';' | '=' | ':' | '{'))
        else {
            return false;
        };
        let start = self.at;
        let slip = |message: &str, label: &str| Slip::new(start..start + 1, message, label);
        let length = match first {
            ']' | '}' | ')' => {
                self.slip(slip(&format!("`{first}` closes nothing"), "no bracket is open here").remedy("take it out"));
                line.len() - line.trim_start_matches([']', '}', ')', ',', ';', ' ']).len()
            }
            ',' | ';' => {
                self.slip(slip(&format!("a line begins with `{first}`"), "a key is expected").remedy("take it out"));
                1
            }
            '=' | ':' => {
                self.slip(slip("a value has no key", "the key is missing here").remedy("write `key = value`"));
                self.lost.push((start, self.table.clone()));
                line.len()
            }
            _ => {
                let slip = slip("a table in braces has no key", "a key and `=` are missing here");
                self.slip(slip.remedy("write `key = { … }`, or begin a table with `[name]`"));
                self.lost.push((start, None));
                closing(self.text, start) - start
            }
        };
        self.edits.remove(start..start + length);
        self.at = start + length;
        true
    }
}

fn not_a_key(start: usize, line: &str) -> Slip {
    let length = line.len();
    if line.starts_with(['"', '\'']) && line.matches(['"', '\'']).count() % 2 == 1 {
        let slip = Slip::new(start..start + length, "a key's quote is not closed", "it begins here");
        return slip.remedy("close it in front of `=`");
    }
    let slip = Slip::new(start..start + length, "this line says nothing", "`key = value` is expected");
    slip.remedy("a comment begins with `#`, and a table with `[name]`")
}

/// Whether what stands glued to a key begins a value.
fn starts_value(rest: &str) -> bool {
    rest.starts_with(['"', '\'', '[', '{'])
        || rest.starts_with("->")
        || ["+=", "?="].iter().any(|sign| rest.starts_with(sign))
}

/// A value as it would have to be written, cut where it is long.
pub(super) fn shown(value: &str) -> String {
    const MOST: usize = 60;
    let value = value.trim();
    if value.is_empty() || value.chars().count() > MOST {
        return "…".to_owned();
    }
    let whole = toml::de::DeValue::parse(value).is_ok();
    let begins = value.starts_with(['"', '\'', '[', '{']);
    if whole || begins || value.contains('"') { value.to_owned() } else { format!("\"{value}\"") }
}

/// Where a block that opens at an offset is closed: behind its brace, or at the end of the text.
fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, letter) in text[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return open + at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}
