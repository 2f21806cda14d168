//! The files of a configuration to one TOML table: finds those that it includes, by whatever way they lead back to each
//! other, reads them, parses them, merges them. All texts lie end to end on
//! one line of offsets, so that a span alone says which file it is of. Must not know what any key means.

use std::{
    fs,
    ops::Range,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    diagnostics::dotted,
    fault::{Fault, FileId, Loses, Place, SourceMap, Sources, Torn},
    include,
    syntax::{self, Decoded, Mended, Offsets},
    unreadable::{Unreadable, unexpanded},
};

/// The largest file that is read: a configuration of 100,000 services has a quarter of it.
const MAX_FILE: u64 = 64 << 20;

/// One file that was read.
#[derive(Debug)]
pub(crate) struct Text {
    /// Where it is.
    pub(crate) path: PathBuf,
    file: FileId,
    /// Where it begins on the line of all texts, and how much of that it takes.
    start: usize,
    length: usize,
    /// What the parser reads, and the way from there to what is written in the file.
    text: String,
    offsets: Offsets,
    /// What of the file is not read.
    torn: Vec<Torn>,
    doubts: Vec<Range<usize>>,
}

impl Text {
    /// Where a span of what the parser reads lies on the line of all texts.
    fn span(&self, span: &Range<usize>) -> Range<usize> {
        self.start + self.offsets.back(span.start)..self.start + self.offsets.back(span.end)
    }

    /// The place of a span of what the parser reads.
    fn place(&self, span: &Range<usize>) -> Place {
        Place { file: self.file, span: self.offsets.back(span.start)..self.offsets.back(span.end) }
    }
}

/// All files as one table, whose spans are offsets on one line over all texts.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    pub(crate) table: DeTable<'t>,
    /// Where each file lies on the line of offsets, and what of it could not be read.
    pub(crate) map: SourceMap,
}

/// Reads the file and those that it includes. Empty when the file itself cannot be read. `unmatched` gets the patterns
/// that match no file.
pub(crate) fn gather(
    path: &Path,
    unmatched: &mut Vec<String>,
    sources: &mut Sources,
    faults: &mut Vec<Fault>,
) -> Vec<Text> {
    let octets = match read(path) {
        Ok(octets) => octets,
        Err(Unreadable { cause, remedy }) => {
            faults.push(Fault::bare(format!("{} cannot be read: {cause}", path.display())).remedy(remedy));
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    add(path.to_owned(), octets, &mut texts, sources, faults);
    let Some(main) = texts.first() else { return texts };
    let folder = main.path.parent().unwrap_or(Path::new("")).to_owned();
    let wanted: Vec<(String, Place)> =
        include::wanted(&main.text).into_iter().map(|wanted| (wanted.pattern, main.place(&wanted.span))).collect();
    for (pattern, place) in wanted {
        let found = match include::expand(&folder, &pattern) {
            Ok(found) => found,
            Err(cause) => {
                faults.push(Fault::error(format!("cannot include \"{pattern}\""), place, cause.to_string()));
                continue;
            }
        };
        if let Some(part) = unexpanded(&pattern).filter(|_| found.is_empty()) {
            let fault = Fault::error(
                format!("\"{pattern}\" includes nothing"),
                place,
                format!("`{part}` is taken as it stands"),
            );
            faults.push(fault.remedy("write it out: variables and `~` are not expanded in a configuration"));
            continue;
        }
        if found.is_empty() {
            faults.push(
                Fault::warning(format!("\"{pattern}\" includes nothing"), place.clone(), "no such file")
                    .remedy(format!("the pattern is relative to {}", shown(&folder))),
            );
            unmatched.push(pattern.clone());
        }
        for path in found {
            if let Some(known) = texts.iter().position(|text| is_same(&text.path, &path)) {
                let shown = path.display();
                faults.push(if known == 0 {
                    Fault::error(format!("{shown} includes itself"), place.clone(), "leads back to this file")
                        .remedy("name the other files, or keep them in a folder of their own: \"conf.d/*.toml\"")
                } else {
                    Fault::error(format!("{shown} is included twice"), place.clone(), "here again")
                        .remedy("take one of them out")
                });
                continue;
            }
            match read(&path) {
                Ok(octets) => add(path, octets, &mut texts, sources, faults),
                Err(Unreadable { cause, remedy }) => {
                    let message = format!("{} cannot be read", path.display());
                    let remedy = match path.is_dir() {
                        true => format!("write \"{}/*.toml\" for the files in it", pattern.trim_end_matches('/')),
                        false => remedy,
                    };
                    faults.push(Fault::error(message, place.clone(), cause).remedy(remedy));
                }
            }
        }
    }
    texts
}

fn shown(folder: &Path) -> std::path::Display<'_> {
    if folder.as_os_str().is_empty() { Path::new(".").display() } else { folder.display() }
}

fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let about = fs::metadata(path).map_err(|error| Unreadable::of(path, &error))?;
    if let Some(other) = Unreadable::kind(path, &about) {
        return Err(other);
    }
    if about.len() > MAX_FILE {
        let cause = format!("it is larger than {} MiB", MAX_FILE >> 20);
        return Err(Unreadable { cause, remedy: "name a configuration file".into() });
    }
    fs::read(path).map_err(|error| Unreadable::of(path, &error))
}

fn add(path: PathBuf, octets: Vec<u8>, texts: &mut Vec<Text>, sources: &mut Sources, faults: &mut Vec<Fault>) {
    let start = texts.last().map_or(0, |last| last.start + last.length + 1);
    let shown = path.display().to_string();
    let (written, mended, name) = match syntax::decode(octets) {
        Decoded::Text(text) => {
            let mended = syntax::mend(&text);
            (text, mended, None)
        }
        Decoded::Other(text, slip) => {
            let mended = Mended { slips: vec![slip], lost: vec![(0, None)], ..Mended::default() };
            (text, Some(mended), Some(&shown))
        }
    };
    let file = sources.add(shown.clone(), written.clone());
    let length = written.len();
    let Some(Mended { text, offsets, slips, lost, doubts }) = mended else {
        let (offsets, torn, doubts) = Default::default();
        texts.push(Text { path, file, start, length, text: written, offsets, torn, doubts });
        return;
    };
    let torn = |at: usize, loses: Loses| Torn { line: line(&written, at, start), loses };
    let mut all: Vec<Torn> = slips.iter().map(|slip| torn(slip.span.start, Loses::Nothing)).collect();
    all.extend(lost.into_iter().map(|(at, table)| torn(at, table.map_or(Loses::Anything, Loses::Entry))));
    for slip in slips {
        let message = name.map_or_else(|| slip.message.clone(), |name| format!("{name} is {}", slip.message));
        let fault = Fault::error(message, Place { file, span: slip.span }, slip.label).remedy(slip.remedy);
        faults.push(match slip.also {
            Some((span, label)) => fault.also(Place { file, span }, label),
            None => fault,
        });
    }
    let doubts = doubts.into_iter().map(|doubt| start + doubt.start..start + doubt.end).collect();
    texts.push(Text { path, file, start, length, text, offsets, torn: all, doubts });
}

/// Merges all texts into one table.
pub(crate) fn parse<'t>(texts: &'t [Text], faults: &mut Vec<Fault>) -> Document<'t> {
    let files = texts
        .iter()
        .map(|text| (text.start, text.file, text.path.parent().unwrap_or(Path::new("")).to_owned()))
        .collect();
    let torn = texts.iter().flat_map(|text| text.torn.iter().cloned()).collect();
    let doubts = texts.iter().flat_map(|text| text.doubts.iter().cloned()).collect();
    let mut document = Document { table: DeTable::new(), map: SourceMap { files, torn, doubts } };
    for (number, text) in texts.iter().enumerate() {
        // What the parser does not take has been told when the file was read.
        let (table, _) = DeTable::parse_recoverable(&text.text);
        let mut table = shift(table.into_inner(), text);
        if let Some((key, value)) = table.remove_entry("include") {
            let place = |span: Range<usize>| document.map.place(&span);
            if number > 0 {
                faults.push(circle(texts, number, place(key.span())));
            }
            for span in include::not_text(&value) {
                faults.push(
                    Fault::error("`include` has the wrong type", place(span), "expected a path in quotes")
                        .remedy("write [\"conf.d/*.toml\"]"),
                );
            }
        }
        merge(&mut document.table, table, "", &document.map, faults);
    }
    document
}

/// The line of an offset, on the line of all texts.
fn line(text: &str, at: usize, start: usize) -> Range<usize> {
    let octets = text.as_bytes();
    let at = at.min(octets.len());
    let from = octets[..at].iter().rposition(|&o| o == b'\n').map_or(0, |before| before + 1);
    let to = octets[at..].iter().position(|&o| o == b'\n').map_or(octets.len(), |behind| at + behind);
    start + from..start + to
}

fn shift<'t>(table: DeTable<'t>, text: &Text) -> DeTable<'t> {
    table
        .into_iter()
        .map(|(key, value)| (Spanned::new(text.span(&key.span()), key.into_inner()), shift_value(value, text)))
        .collect()
}

fn shift_value<'t>(value: Spanned<DeValue<'t>>, text: &Text) -> Spanned<DeValue<'t>> {
    let span = text.span(&value.span());
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shift(table, text)),
        DeValue::Array(array) => DeValue::Array(array.into_iter().map(|item| shift_value(item, text)).collect()),
        other => other,
    };
    Spanned::new(span, value)
}

fn merge<'t>(into: &mut DeTable<'t>, from: DeTable<'t>, path: &str, map: &SourceMap, faults: &mut Vec<Fault>) {
    for (key, value) in from {
        let name = dotted(path, key.get_ref());
        let Some((first, _)) = into.get_key_value(key.get_ref().as_ref()) else {
            into.insert(key, value);
            continue;
        };
        let first = first.span();
        match (into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(into)), DeValue::Table(from)) => merge(into, from, &name, map, faults),
            _ => faults.push(
                Fault::error(format!("`{name}` stands in two files"), map.place(&key.span()), "here again")
                    .also(map.place(&first), "first here")
                    .remedy("keep one of them: tables merge, values do not"),
            ),
        }
    }
}

/// The most files that a way may go through, and that are opened in search of one.
const LONGEST_WAY: usize = 64;

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
    one == other || identity(one).is_some_and(|known| identity(other) == Some(known))
}

/// What is wrong with the `include` of a file that is itself included.
fn circle(texts: &[Text], number: usize, place: Place) -> Fault {
    let remedy = "move it into the file that is named on the command line";
    let (Some(main), Some(text)) = (texts.first(), texts.get(number)) else {
        return Fault::error("an included file includes others", place, "only the first file may include");
    };
    let mut way = vec![main.path.clone(), text.path.clone()];
    let mut left = LONGEST_WAY;
    let message = match back(&text.text, &mut way, &mut left) {
        None => {
            let fault = Fault::error("an included file includes others", place, "only the first file may include");
            return fault.remedy(remedy);
        }
        Some(to) => {
            let from = way.iter().position(|path| is_same(path, &to)).unwrap_or(0);
            let mut names: Vec<String> = way[from..].iter().map(|path| path.display().to_string()).collect();
            names.extend(names.first().cloned());
            match names.len() {
                2 => format!("{} includes itself", names[0]),
                _ => format!("files include each other in a circle: {}", names.join(" → ")),
            }
        }
    };
    Fault::error(message, place, "this leads back").remedy(remedy)
}

/// The file on the way so far that what a text includes leads back to; the way then ends with the file that does.
fn back(text: &str, way: &mut Vec<PathBuf>, left: &mut usize) -> Option<PathBuf> {
    let folder = way.last()?.parent().unwrap_or(Path::new("")).to_owned();
    let found: Vec<PathBuf> = include::wanted(text)
        .into_iter()
        .flat_map(|wanted| include::expand(&folder, &wanted.pattern).unwrap_or_default())
        .collect();
    if let Some(to) = found.iter().find(|path| way.iter().any(|known| is_same(known, path))) {
        return Some(to.clone());
    }
    for path in found {
        *left = left.checked_sub(1)?;
        let Ok(Decoded::Text(text)) = read(&path).map(syntax::decode) else { continue };
        way.push(path);
        if let Some(to) = back(&text, way, left) {
            return Some(to);
        }
        way.pop();
    }
    None
}
