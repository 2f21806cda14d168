//! Master files (RFC 1035 5) to records, or to every fault in them with its own line and column. Must not know services
//! or pools.
//!
//! In four steps: `folder` opens files, `token` finds entries, `reader` and `directive` make records of them (their
//! data by `rdata`), `check` looks at the zone as a whole.

mod check;
mod directive;
mod fields;
mod findings;
mod folder;
mod rdata;
mod reader;
mod svcb;
mod token;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use self::{
    check::ZoneUse,
    directive::Include,
    folder::{FileError, Folder, Opened},
    reader::{EntryTokens, Owner, Reader},
    token::Entry,
};
use super::{
    fault::{Fault, FileId, Place, Sources},
    stray,
    unreadable::Unreadable,
};
use crate::engine::{
    wire::{name::Name, rr::RrType},
    zone::ZoneSource,
};

pub(crate) use rdata::target;

/// Data in wire form as a zone file would write them; in the generic form (RFC 3597 5) where the type has no other.
#[must_use]
pub fn presentation(rtype: RrType, rdata: &[u8]) -> String {
    rdata::show(rtype, rdata)
}

/// The most files inside each other, the zone file counted.
const MAX_DEPTH: usize = 16;

/// A zone that was read, and where each of its records stands.
#[derive(Debug)]
pub struct LoadedZone {
    /// The records.
    pub zone: ZoneSource,
    /// For each record, its place.
    pub places: Vec<Place>,
}

/// A file that is being read.
#[derive(Debug)]
struct Frame {
    file: FileId,
    path: PathBuf,
    identity: (u64, u64),
    at: usize,
    /// What the including file goes on with: origin and owner (RFC 1035 5.1). A `$TTL` stays in force, as in BIND.
    back: Option<(Name, Owner)>,
}

/// Reads the master file `path` of the zone `apex`; `named` is the place in the configuration that names it, `steered`
/// are the names whose addresses come from elsewhere. Faults are appended; with an error among them the result is what could be read, for further checks, and is not to be used.
pub fn load(
    path: &Path,
    apex: &Name,
    named: &Place,
    steered: &BTreeSet<Name>,
    sources: &mut Sources,
    faults: &mut Vec<Fault>,
) -> Option<LoadedZone> {
    let (mut folder, opened) = match Folder::open(path) {
        Ok(opened) => opened,
        Err(Unreadable { cause, remedy }) => {
            let message = format!("zone {apex}: cannot read {}: {cause}", path.display());
            faults.push(Fault::error(message, named.clone(), "named here").remedy(remedy));
            return None;
        }
    };
    let mut reader = Reader::new(apex);
    let mut frames = Vec::new();
    enter(&mut reader, sources, &mut frames, opened, None);
    let mut entry = Entry::default();
    while let Some(frame) = frames.last_mut() {
        let text = sources.get(frame.file).map_or("", |source| &source.text);
        let Some(next) = entry.read(text, frame.at) else {
            if let Some(Frame { back: Some((origin, owner)), .. }) = frames.pop() {
                (reader.origin, reader.owner) = (origin, owner);
            }
            continue;
        };
        frame.at = next;
        if let Some(include) = read_entry(&mut reader, frame.file, text, &entry) {
            match open_include(&mut folder, &frames, &include) {
                Ok(opened) => {
                    let back = Some((std::mem::replace(&mut reader.origin, include.origin), reader.owner.clone()));
                    enter(&mut reader, sources, &mut frames, opened, back);
                }
                Err(error) => {
                    let fault = Fault::error(format!("$INCLUDE: {error}"), include.place, "named here");
                    let remedy = "include files of the zone file's own folder; paths begin at the file that names them";
                    reader.findings.push(fault.remedy(remedy));
                    reader.findings.lose(None);
                }
            }
        }
    }
    reader.close();
    let ttls = reader.knows_ttls();
    let Reader { mut records, mut places, mut findings, .. } = reader;
    check::check(ZoneUse { apex, place: named, steered }, &mut records, &mut places, ttls, &mut findings);
    findings.finish(apex, named, faults);
    Some(LoadedZone { zone: ZoneSource { apex: apex.clone(), records }, places })
}

fn read_entry(reader: &mut Reader<'_>, file: FileId, text: &str, entry: &Entry) -> Option<Include> {
    for (slip, span) in &entry.slips {
        let (message, label, remedy) = slip.words();
        reader.findings.push(Fault::error(message, Place { file, span: span.clone() }, label).remedy(remedy));
    }
    let line = EntryTokens { file, text, tokens: &entry.tokens, indented: entry.indented };
    if !entry.slips.is_empty() {
        reader.pass_over(line);
    } else if !entry.tokens[0].quoted && line.content(0).starts_with('$') {
        return reader.directive(line);
    } else {
        reader.record(line);
    }
    None
}

/// Why a file is not included.
#[derive(Debug, thiserror::Error)]
enum IncludeError {
    #[error("files are included more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: FileError },
    #[error("{}: the file includes itself{}", path.display(), by_way_of(way))]
    Circle {
        path: PathBuf,
        /// From the first of the circle to itself.
        way: Vec<PathBuf>,
    },
}

/// The others of a circle of files, where there are any.
fn by_way_of(way: &[PathBuf]) -> String {
    if way.len() == 2 {
        return String::new();
    }
    let way: Vec<String> = way.iter().map(|path| path.display().to_string()).collect();
    format!(" by way of others: {}", way.join(" → "))
}

fn open_include(folder: &mut Folder, frames: &[Frame], include: &Include) -> Result<Opened, IncludeError> {
    let from = frames.last().map_or(Path::new(""), |frame| &frame.path);
    if frames.len() >= MAX_DEPTH {
        return Err(IncludeError::TooDeep);
    }
    let path = || include.path.clone();
    let opened = folder.include(&include.path, from).map_err(|source| IncludeError::File { path: path(), source })?;
    if let Some(first) = frames.iter().position(|frame| frame.identity == opened.identity) {
        let mut way: Vec<PathBuf> = frames[first..].iter().map(|frame| frame.path.clone()).collect();
        way.extend(way.first().cloned());
        return Err(IncludeError::Circle { path: path(), way });
    }
    Ok(opened)
}

/// Makes the text of a file known and begins to read it.
fn enter(
    reader: &mut Reader<'_>,
    sources: &mut Sources,
    frames: &mut Vec<Frame>,
    opened: Opened,
    back: Option<(Name, Owner)>,
) {
    let Opened { path, identity, octets } = opened;
    let wide = octets.starts_with(&[0xff, 0xfe]) || octets.starts_with(&[0xfe, 0xff]);
    let text = stray::text(octets);
    let nul = text.find('\0');
    let bom = text.starts_with('\u{feff}');
    let file = sources.add(path.display().to_string(), text);
    let place = |at: usize, length: usize| Place { file, span: at..at + length };
    if bom {
        let fault = Fault::warning("the file begins with a byte order mark", place(0, 3), "skipped");
        reader.findings.push(fault.remedy("save it as UTF-8 without one"));
    }
    let at = if bom { 3 } else { 0 };
    if wide {
        let fault =
            Fault::error("the file is UTF-16", place(0, 0), "it begins with the mark of that; the file is not read");
        reader.findings.push(fault.remedy("save it as UTF-8"));
        reader.findings.lose(None);
        frames.push(Frame { file, path, identity, at: usize::MAX, back });
        return;
    }
    if let Some(at) = nul {
        let fault = Fault::error("the file holds a NUL octet", place(at, 1), "the first; the file is not read");
        reader.findings.push(fault.remedy("a master file is text; write the octet as `\\000`"));
        reader.findings.lose(None);
        frames.push(Frame { file, path, identity, at: usize::MAX, back });
        return;
    }
    frames.push(Frame { file, path, identity, at, back });
}
