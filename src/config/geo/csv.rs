//! Lines of fields under a header that names them, in any order. Every fault of the form is noted at its own place; what
//! a field means is the caller's. Must not know addresses.

use std::ops::Range;

use super::super::fault::{Fault, FileId, Place, Sources};

/// The columns of a kind of file: their names, and how many of them, from the first on, every file has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) names: &'static [&'static str],
    pub(super) needed: usize,
}

/// What is wrong with a field, to follow its text; and what to do about it.
pub(crate) type CsvFault = (&'static str, String);

/// Reads the lines of a text, each as `line` says. Lines that start with `#` and empty ones are passed over.
pub(super) fn read<T>(
    columns: Columns,
    file: FileId,
    sources: &Sources,
    faults: &mut Vec<Fault>,
    line: impl FnMut(&mut Row<'_, '_>) -> Option<T>,
) -> Vec<T> {
    let Some(source) = sources.get(file) else { return Vec::new() };
    let mut reading = Reading { columns, file, text: &source.text, position: None, faults };
    let (mut lines, mut line) = (Vec::new(), line);
    let mut next = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    // More than one round only after a quote that is not closed, which would swallow the lines behind it.
    while let Some(from) = reading.read_from(next, &mut lines, &mut line) {
        next = from;
    }
    if reading.position.is_none() {
        let end = Place { file, span: source.text.len()..source.text.len() };
        let fault = Fault::error(format!("{} has no header line", source.path), end, "nothing is written here");
        reading.faults.push(fault.remedy(format!("start with `{}`", columns.names.join(","))));
    }
    lines
}

/// Where the fields of a line stand, as the header says.
struct Position {
    /// How many fields a line has.
    fields: usize,
    /// For each of the columns its field; none where the header lacks it.
    of: Vec<Option<usize>>,
}

/// A file being read.
struct Reading<'a> {
    columns: Columns,
    file: FileId,
    text: &'a str,
    position: Option<Position>,
    faults: &'a mut Vec<Fault>,
}

/// A line being read: as many fields as the header.
pub(super) struct Row<'r, 'a> {
    reading: &'r mut Reading<'a>,
    record: &'r csv::StringRecord,
    position: &'r Position,
    start: usize,
}

impl<'r> Row<'r, '_> {
    /// The text of a column; none where it is empty or the file has no such column.
    pub(super) fn text(&self, column: usize) -> Option<&'r str> {
        self.position.of[column].and_then(|field| self.record.get(field)).filter(|text| !text.is_empty())
    }

    /// Reads a text of a column; when that fails it is a fault at its place. An empty text stands for the line.
    pub(super) fn of<T>(
        &mut self,
        column: usize,
        text: &str,
        read: impl FnOnce(&str) -> Result<T, CsvFault>,
    ) -> Option<T> {
        let (wrong, remedy) = match read(text) {
            Ok(value) => return Some(value),
            Err(wrong) => wrong,
        };
        // A column that the header lacks has been complained of there.
        let place = self.place(column)?;
        let subject = if text.is_empty() { "this line".to_owned() } else { format!("`{text}`") };
        let name = self.reading.columns.names[column];
        let fault = Fault::error(format!("{subject} {wrong}"), place, format!("in the column `{name}`"));
        self.reading.faults.push(fault.remedy(remedy));
        None
    }

    /// Where a column of the line stands.
    pub(super) fn place(&self, column: usize) -> Option<Place> {
        self.position.of[column].map(|field| self.reading.field(self.start, field))
    }

    /// All faults so far.
    pub(super) fn faults(&mut self) -> &mut Vec<Fault> {
        self.reading.faults
    }
}

impl Reading<'_> {
    /// Reads records from an offset on. Returns where to go on after a record that runs over the end of its line.
    fn read_from<T>(
        &mut self,
        from: usize,
        lines: &mut Vec<T>,
        line: &mut impl FnMut(&mut Row<'_, '_>) -> Option<T>,
    ) -> Option<usize> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(&self.text.as_bytes()[from..]);
        let mut record = csv::StringRecord::new();
        // The text is UTF-8 and lines may have any number of fields, which leaves the reader nothing to complain of.
        while matches!(reader.read_record(&mut record), Ok(true)) {
            let offset = record.position().map_or(0, |position| position.byte() as usize);
            let start = self.skip_unread(from + offset);
            if record.iter().any(|field| field.contains('\n')) {
                let end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
                let quote = self.text[start..end].find('"').map_or(start, |before| start + before);
                let place = Place { file: self.file, span: quote..end };
                let fault = Fault::error("a quote is not closed on its line", place, "opened here");
                self.faults.push(fault.remedy("close it, or double it where it is part of a name"));
                return Some(end);
            }
            if record.len() == 1 && record[0].is_empty() {
                continue;
            }
            match self.position.take() {
                None => {
                    if let Some(fault) = self.other_separator(start) {
                        // No line would have the fields of its header.
                        self.faults.push(fault);
                        self.position = Some(Position { fields: 0, of: Vec::new() });
                        return None;
                    }
                    self.position = Some(self.header(&record, start));
                }
                Some(position) => {
                    if self.is_whole(&record, start, &position) {
                        lines.extend(line(&mut Row { reading: self, record: &record, position: &position, start }));
                    }
                    self.position = Some(position);
                }
            }
        }
        None
    }

    /// The start of the record at or after `at`: the reader counts comments and empty lines to the record behind them.
    fn skip_unread(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            let line = rest.split_inclusive('\n').next().unwrap_or("");
            if line.is_empty() || !(line.starts_with('#') || line.trim_end_matches(['\r', '\n']).is_empty()) {
                return at;
            }
            at += line.len();
        }
    }

    /// Whether the header's fields are parted by another sign than a comma.
    fn other_separator(&self, start: usize) -> Option<Fault> {
        let line = &self.text[start..self.line_end(start)];
        let named = |text: &str| {
            self.columns.names.iter().any(|column| column.eq_ignore_ascii_case(text.trim().trim_matches('"')))
        };
        let (sign, name) = [(';', "`;`"), ('\t', "tabs"), ('|', "`|`")].into_iter().find(|(sign, _)| {
            let parts: Vec<&str> = line.split(*sign).collect();
            parts.len() > 1 && !line.contains(',') && parts.iter().any(|part| named(part))
        })?;
        let at = start + line.find(sign)?;
        let place = Place { file: self.file, span: at..at + 1 };
        let fault = Fault::error(format!("the fields are parted by {name}, not by commas"), place, "in the header");
        let remedy = match sign {
            '\t' => "save it with commas: tr '\\t' ',' < FILE > NEW",
            _ => "save it with commas, as CSV in English: a spreadsheet takes the sign of its language",
        };
        Some(fault.remedy(remedy))
    }

    fn header(&mut self, record: &csv::StringRecord, start: usize) -> Position {
        let names = self.columns.names;
        let mut columns: Vec<Option<usize>> = Vec::new();
        for (n, name) in record.iter().enumerate() {
            let known = names.iter().position(|column| column.eq_ignore_ascii_case(name));
            let place = self.field(start, n);
            match known {
                None => {
                    let near = names.iter().find(|column| strsim::damerau_levenshtein(column, name) <= 2);
                    let fault = Fault::error(format!("there is no column `{name}`"), place, "unknown column");
                    self.faults.push(fault.remedy(match near {
                        Some(column) => format!("did you mean `{column}`?"),
                        None => format!("the columns are {}", names.join(", ")),
                    }));
                }
                Some(_) if columns.contains(&known) => {
                    let first = columns.iter().position(|column| *column == known).unwrap_or(0);
                    let fault = Fault::error(format!("the column `{name}` is there twice"), place, "again here");
                    let fault = fault.also(self.field(start, first), "first here");
                    self.faults.push(fault.remedy("take one of them out"));
                }
                Some(_) => {}
            }
            columns.push(known);
        }
        let of: Vec<_> = (0..names.len()).map(|at| columns.iter().position(|known| *known == Some(at))).collect();
        for (name, _) in names.iter().zip(&of).take(self.columns.needed).filter(|(_, field)| field.is_none()) {
            let place = Place { file: self.file, span: start..self.line_end(start) };
            let fault = Fault::error(format!("the header has no column `{name}`"), place, "this is read as the header");
            self.faults.push(fault.remedy(format!("start with `{}`", names.join(","))));
        }
        Position { fields: columns.len(), of }
    }

    /// Whether a line has as many fields as the header.
    fn is_whole(&mut self, record: &csv::StringRecord, start: usize, position: &Position) -> bool {
        if record.len() != position.fields {
            let place = Place { file: self.file, span: start..self.line_end(start) };
            let fields = if record.len() == 1 { "field" } else { "fields" };
            let message = format!("this line has {} {fields}, the header has {}", record.len(), position.fields);
            let line = &self.text[place.span.clone()];
            let sign = [';', '\t', '|'].into_iter().find(|sign| line.matches(*sign).count() + 1 >= position.fields);
            let remedy = match sign.filter(|_| record.len() == 1) {
                Some(_) => "part the fields by commas, as in the header",
                None => "write a comma for every column, and quotes around a name that holds one",
            };
            self.faults.push(Fault::error(message, place, "in this line").remedy(remedy));
        }
        record.len() == position.fields
    }

    /// The place of the n-th field of the record that starts at `start`. Only faults and prefixes ask for it.
    fn field(&self, start: usize, n: usize) -> Place {
        let line = &self.text[start..self.line_end(start)];
        let (mut quoted, mut field, mut from) = (false, 0, 0);
        let mut to = line.len();
        for (at, character) in line.char_indices() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted && field == n => {
                    to = at;
                    break;
                }
                ',' if !quoted => (field, from) = (field + 1, at + 1),
                _ => {}
            }
        }
        let span = trimmed(line, from..to);
        Place { file: self.file, span: start + span.start..start + span.end }
    }

    fn line_end(&self, start: usize) -> usize {
        let line = self.text[start..].split('\n').next().unwrap_or("");
        start + line.trim_end_matches('\r').len()
    }
}

/// The part of `range` that is not white space.
fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let text = &line[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}
