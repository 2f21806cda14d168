//! A table's header: `[a.b]`, `[[a.b]]`, and what is written in its place.

use super::{
    Slip, odd,
    scan::{Kind, Scan, Statement},
};

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
        let Some(path) = self.keys() else {
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
        } else if rest.starts_with(['}', ')', '>']) {
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
        let behind = self.at;
        self.behind_header();
        self.table = Some(path.iter().map(|key| key.name.clone()).collect());
        let kind = if several { Kind::ListOfTables } else { Kind::Table };
        self.statements.push(Statement { span: start..behind, kind, path });
    }

    /// What stands behind a header on its line.
    fn behind_header(&mut self) {
        self.blanks();
        if self.is_line_end() || self.foreign_comment() {
            return;
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
        }
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
        let slip = if name.is_empty() {
            Slip::new(span, "a table has no name", "the name is missing between the brackets").remedy("write `[name]`")
        } else if name.contains(odd::is_quote) {
            odd::quotes(span, &name.replace(odd::is_quote, "\""))
                .remedy(format!("write `[{}]`", name.replace(odd::is_quote, "\"")))
        } else if quotes % 2 == 1 {
            let slip = Slip::new(span, "a quote in a table's name is not closed", "the quotes come in pairs");
            slip.remedy(format!("write `[{}]`", closed(name)))
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
        let meant = closed(name);
        let mut scan = Scan::new(&meant);
        self.at = end;
        if let Some(path) = scan.keys().filter(|_| quotes % 2 == 1 && scan.rest().is_empty()) {
            self.edits.replace(start..start + line.len(), format!("[{meant}]"));
            self.table = Some(path.iter().map(|key| key.name.clone()).collect());
            return;
        }
        self.edits.remove(start..end);
        self.lost.push((start, None));
        self.table = None;
    }
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
