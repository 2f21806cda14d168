//! The files of a configuration to one TOML table: reads them, parses them, merges them. All texts lie end to end on
//! one line of offsets, so that a span alone says which file it is of. Must not know what any key means.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    fault::{Fault, FileId, Place, Sources},
    include,
};

/// The largest file that is read: a configuration of 100,000 services has a quarter of it.
const MAX_FILE: u64 = 64 << 20;

/// Syntax faults of one file that are told one by one: behind so many, it is no configuration.
const MAX_SYNTAX: usize = 100;

/// One file that was read.
#[derive(Debug)]
pub(crate) struct Text {
    /// Where it is.
    pub(crate) path: PathBuf,
    file: FileId,
    start: usize,
    text: String,
    /// It is not UTF-8, and was not read.
    broken: bool,
}

/// All files as one table, whose spans are offsets on one line over all texts.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    pub(crate) table: DeTable<'t>,
    pub(crate) ground: Ground,
    /// Where the syntax is broken.
    pub(crate) torn: Vec<Torn>,
}

/// What a syntax fault makes uncertain.
#[derive(Debug)]
pub(crate) struct Torn {
    /// The line that it is on: what else is wrong there follows from it.
    pub(crate) line: Range<usize>,
    /// The table that may lack what was written; none when it may be any table behind it.
    pub(crate) table: Option<Vec<String>>,
}

/// Where each file lies on the line of offsets.
#[derive(Debug)]
pub(crate) struct Ground {
    files: Vec<(usize, FileId, PathBuf)>,
}

impl Ground {
    /// The place of a span.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let (start, file, _) = self.file(span.start);
        Place { file, span: span.start.saturating_sub(start)..span.end.saturating_sub(start) }
    }

    /// What a path written at `span` means: relative to the file that it stands in.
    pub(crate) fn path(&self, span: &Range<usize>, written: &str) -> PathBuf {
        self.file(span.start).2.join(written)
    }

    fn file(&self, offset: usize) -> (usize, FileId, &Path) {
        let at = self.files.partition_point(|(start, ..)| *start <= offset).saturating_sub(1);
        match self.files.get(at) {
            Some((start, file, folder)) => (*start, *file, folder),
            None => (0, FileId(0), Path::new("")),
        }
    }
}

/// Reads the file and those that it includes. Empty when the file itself cannot be read. `unmatched` gets the patterns
/// that match no file.
pub(crate) fn gather(
    path: &Path,
    unmatched: &mut Vec<String>,
    sources: &mut Sources,
    faults: &mut Vec<Fault>,
) -> Vec<Text> {
    let text = match read(path) {
        Ok(text) => text,
        Err(cause) => {
            let fault = Fault::bare(format!("{} cannot be read: {cause}", path.display()));
            faults.push(fault.remedy("name a configuration file with -c"));
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    add(path.to_owned(), text, &mut texts, sources, faults);
    let Some(main) = texts.first() else { return texts };
    let (folder, main_file) = (main.path.parent().unwrap_or(Path::new("")).to_owned(), main.file);
    for wanted in include::wanted(&main.text) {
        let place = Place { file: main_file, span: wanted.span };
        let found = match include::expand(&folder, &wanted.pattern) {
            Ok(found) => found,
            Err(cause) => {
                let message = format!("cannot include \"{}\"", wanted.pattern);
                faults.push(Fault::error(message, place, cause));
                continue;
            }
        };
        if found.is_empty() {
            faults.push(
                Fault::warning(format!("\"{}\" includes nothing", wanted.pattern), place.clone(), "no such file")
                    .remedy(format!("the pattern is relative to {}", shown(&folder))),
            );
            unmatched.push(wanted.pattern);
        }
        for path in found {
            if texts.iter().any(|text| text.path == path) {
                faults.push(Fault::error(format!("{} is included twice", path.display()), place.clone(), "here again"));
                continue;
            }
            match read(&path) {
                Ok(text) => add(path, text, &mut texts, sources, faults),
                Err(cause) => {
                    let message = format!("{} cannot be read", path.display());
                    faults.push(Fault::error(message, place.clone(), cause));
                }
            }
        }
    }
    texts
}

fn shown(folder: &Path) -> std::path::Display<'_> {
    if folder.as_os_str().is_empty() { Path::new(".").display() } else { folder.display() }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| include::plain(&error))?;
    if !about.is_file() {
        return Err("it is not a regular file".into());
    }
    if about.len() > MAX_FILE {
        return Err(format!("it is larger than {} MiB", MAX_FILE >> 20));
    }
    fs::read(path).map_err(|error| include::plain(&error))
}

fn add(path: PathBuf, octets: Vec<u8>, texts: &mut Vec<Text>, sources: &mut Sources, faults: &mut Vec<Fault>) {
    let (text, bad) = match String::from_utf8(octets) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
        }
    };
    // Some editors mark UTF-8 with it; it is no part of the text (TOML 1.1, and RFC 3629 6).
    let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
    let file = sources.add(path.display().to_string(), text.clone());
    let start = texts.last().map_or(0, |last| last.start + last.text.len() + 1);
    if let Some(at) = bad {
        let message = format!("{} is not text", path.display());
        let place = Place { file, span: at..at };
        faults.push(Fault::error(message, place, "not UTF-8 from here on").remedy("save the file as UTF-8"));
        // Parsing it would only report what follows from that.
        texts.push(Text { path, file, start, text: String::new(), broken: true });
    } else {
        texts.push(Text { path, file, start, text, broken: false });
    }
}

/// Parses all texts and merges them into one table. Every syntax fault is reported, and the rest is read all the same.
pub(crate) fn parse<'t>(texts: &'t [Text], faults: &mut Vec<Fault>) -> Document<'t> {
    let files = texts
        .iter()
        .map(|text| (text.start, text.file, text.path.parent().unwrap_or(Path::new("")).to_owned()))
        .collect();
    let mut document = Document { table: DeTable::new(), ground: Ground { files }, torn: Vec::new() };
    for (number, text) in texts.iter().enumerate() {
        if text.broken {
            document.torn.push(Torn { line: text.start..text.start, table: None });
        }
        let (table, errors) = DeTable::parse_recoverable(&text.text);
        for (number, error) in errors.iter().enumerate() {
            if number == MAX_SYNTAX {
                faults.push(Fault::bare(format!(
                    "{} has {} more syntax faults",
                    text.path.display(),
                    errors.len() - MAX_SYNTAX
                )));
                document.torn.push(Torn { line: text.start..text.start + text.text.len(), table: None });
                break;
            }
            let span = error.span().unwrap_or(0..0);
            let (message, label) = syntax(error.message());
            // What was never closed may have swallowed the headers behind it.
            let table = (!error.message().contains("unclosed")).then(|| table_around(&text.text, span.start));
            document.torn.push(Torn { line: line(&text.text, &span, text.start), table });
            faults.push(Fault::error(message, Place { file: text.file, span }, label));
        }
        let mut table = shift(table.into_inner(), text.start);
        if let Some((key, value)) = table.remove_entry("include") {
            let place = |span: Range<usize>| document.ground.place(&span);
            if number > 0 {
                faults.push(
                    Fault::error(
                        "an included file includes others",
                        place(key.span()),
                        "only the first file may include",
                    )
                    .remedy("move it into the file that is named on the command line"),
                );
            }
            for span in include::not_text(&value) {
                faults.push(
                    Fault::error("`include` has the wrong type", place(span), "expected a path in quotes")
                        .remedy("write [\"conf.d/*.toml\"]"),
                );
            }
        }
        merge(&mut document.table, table, "", &document.ground, faults);
    }
    document
}

/// The table of the last header at or before an offset.
fn table_around(text: &str, offset: usize) -> Vec<String> {
    let mut start = 0;
    let mut header = "";
    for line in text.split_inclusive('\n') {
        if start > offset {
            break;
        }
        start += line.len();
        if line.trim_start().starts_with('[') {
            header = line;
        }
    }
    let mut path = Vec::new();
    let (table, _) = DeTable::parse_recoverable(header);
    let mut table = Some(table.into_inner());
    while let Some((key, value)) = table.take().and_then(|table| table.into_iter().next()) {
        path.push(key.get_ref().to_string());
        if let DeValue::Table(inner) = value.into_inner() {
            table = Some(inner);
        }
    }
    path
}

fn syntax(message: &str) -> (String, String) {
    if message.starts_with("string values must be quoted") {
        return ("syntax: text must be quoted".to_owned(), "put it in quotes".to_owned());
    }
    match message.split_once(", expected ") {
        Some((what, expected)) => (format!("syntax: {what}"), format!("expected {expected}")),
        None => (format!("syntax: {message}"), "here".to_owned()),
    }
}

fn line(text: &str, span: &Range<usize>, start: usize) -> Range<usize> {
    let octets = text.as_bytes();
    let from = octets.iter().take(span.start).rposition(|&o| o == b'\n').map_or(0, |at| at + 1);
    let rest = octets.get(span.end.max(from)..).unwrap_or(&[]);
    let to = span.end + rest.iter().position(|&o| o == b'\n').unwrap_or(rest.len());
    start + from..start + to.max(from)
}

fn shift(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let moved = |span: Range<usize>| span.start + by..span.end + by;
    table
        .into_iter()
        .map(|(key, value)| (Spanned::new(moved(key.span()), key.into_inner()), shift_value(value, by)))
        .collect()
}

fn shift_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span().start + by..value.span().end + by;
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shift(table, by)),
        DeValue::Array(array) => DeValue::Array(array.into_iter().map(|item| shift_value(item, by)).collect()),
        other => other,
    };
    Spanned::new(span, value)
}

fn merge<'t>(into: &mut DeTable<'t>, from: DeTable<'t>, path: &str, ground: &Ground, faults: &mut Vec<Fault>) {
    for (key, value) in from {
        let name = super::notes::dotted(path, key.get_ref());
        let Some((first, _)) = into.get_key_value(key.get_ref().as_ref()) else {
            into.insert(key, value);
            continue;
        };
        let first = first.span();
        match (into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(into)), DeValue::Table(from)) => merge(into, from, &name, ground, faults),
            _ => faults.push(
                Fault::error(format!("`{name}` stands in two files"), ground.place(&key.span()), "here again")
                    .also(ground.place(&first), "first here")
                    .remedy("keep one of them: tables merge, values do not"),
            ),
        }
    }
}
