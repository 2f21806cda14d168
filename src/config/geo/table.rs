//! Lines of `prefix,continent,country,subdivision,city,lat,lon,asn`: overrides, and what databases are made from.
//! Every bad line is a fault at its own place; the good ones are read all the same. Must not know what becomes of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    ops::Range,
};

use super::{
    super::fault::{Fault, FileId, Place, Sources},
    database::{letters, on_globe},
};
use crate::engine::{
    geo::{Location, is_country, normalise},
    types::{Family, Prefix},
};

/// One good line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which addresses.
    pub prefix: Prefix,
    /// Where they are; a field left empty is unknown.
    pub location: Location,
    /// Where the prefix is written.
    pub place: Place,
}

/// The columns, by name; a file has them in any order.
const COLUMNS: [&str; 8] = ["prefix", "continent", "country", "subdivision", "city", "lat", "lon", "asn"];
const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

/// Reads the lines of a text. Lines that start with `#` and empty ones are passed over.
pub fn read(file: FileId, sources: &Sources, faults: &mut Vec<Fault>) -> Vec<Line> {
    let Some(source) = sources.get(file) else { return Vec::new() };
    let mut reading = Reading { file, text: &source.text, columns: None, seen: HashMap::new(), faults };
    let mut lines = Vec::new();
    let mut next = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    // More than one round only after a quote that is not closed, which would swallow the lines behind it.
    while let Some(from) = reading.read_from(next, &mut lines) {
        next = from;
    }
    if reading.columns.is_none() {
        let end = Place { file, span: source.text.len()..source.text.len() };
        let fault = Fault::error(format!("{} has no header line", source.path), end, "nothing is written here");
        reading.faults.push(fault.remedy(format!("start with `{}`", COLUMNS.join(","))));
    }
    lines
}

/// A file being read.
struct Reading<'a> {
    file: FileId,
    text: &'a str,
    /// For each field of a line its position in [`COLUMNS`]; none where the header's name is unknown.
    columns: Option<Vec<Option<usize>>>,
    seen: HashMap<Prefix, Place>,
    faults: &'a mut Vec<Fault>,
}

impl Reading<'_> {
    /// Reads records from an offset on. Returns where to go on after a record that runs over the end of its line.
    fn read_from(&mut self, from: usize, lines: &mut Vec<Line>) -> Option<usize> {
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
            match self.columns.take() {
                None => self.columns = Some(self.header(&record, start)),
                Some(columns) => {
                    lines.extend(self.line(&record, start, &columns));
                    self.columns = Some(columns);
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

    fn header(&mut self, record: &csv::StringRecord, start: usize) -> Vec<Option<usize>> {
        let mut columns: Vec<Option<usize>> = Vec::new();
        for (n, name) in record.iter().enumerate() {
            let known = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
            let place = self.field(start, n);
            match known {
                None => {
                    let near = COLUMNS.iter().find(|column| strsim::damerau_levenshtein(column, name) <= 2);
                    let fault = Fault::error(format!("there is no column `{name}`"), place, "unknown column");
                    self.faults.push(fault.remedy(match near {
                        Some(column) => format!("did you mean `{column}`?"),
                        None => format!("the columns are {}", COLUMNS.join(", ")),
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
        if !columns.contains(&Some(0)) {
            let place = Place { file: self.file, span: start..self.line_end(start) };
            let fault = Fault::error("the header has no column `prefix`", place, "this is read as the header");
            self.faults.push(fault.remedy(format!("start with `{}`", COLUMNS.join(","))));
        }
        columns
    }

    fn line(&mut self, record: &csv::StringRecord, start: usize, columns: &[Option<usize>]) -> Option<Line> {
        if record.len() != columns.len() {
            let place = Place { file: self.file, span: start..self.line_end(start) };
            let message = format!("this line has {} fields, the header has {}", record.len(), columns.len());
            let remedy = "write a comma for every column, and quotes around a name that holds one";
            self.faults.push(Fault::error(message, place, "in this line").remedy(remedy));
            return None;
        }
        let before = self.faults.len();
        let at = |name: &str| columns.iter().position(|column| column.is_some_and(|n| COLUMNS[n] == name));
        let position = COLUMNS.map(at);
        let text = |n: usize| position[n].and_then(|field| record.get(field)).filter(|text| !text.is_empty());
        let mut parse = Parse { reading: self, start, position };
        let place = position[0].map(|field| parse.reading.field(start, field));
        let prefix = match text(0) {
            Some(text) => parse.of(0, text, prefix),
            None => parse.of(0, "", |_| Err(("has no prefix", "every line needs one, as 192.0.2.0/24".into()))),
        };
        let continent = text(1).and_then(|text| parse.of(1, text, continent));
        let country = text(2).and_then(|text| parse.of(2, text, country));
        let subdivision = text(3).and_then(|text| parse.of(3, text, subdivision));
        let city = text(4).and_then(|text| parse.of(4, text, city));
        let lat = text(5).and_then(|text| parse.of(5, text, |text| degrees(text, 90.0)));
        let lon = text(6).and_then(|text| parse.of(6, text, |text| degrees(text, 180.0)));
        let asn = text(7).and_then(|text| parse.of(7, text, asn));
        if text(5).is_some() != text(6).is_some() {
            let given = if text(5).is_some() { 5 } else { 6 };
            parse.of(given, text(given).unwrap_or(""), |_| -> Result<(), _> {
                Err(("stands alone", "give lat and lon, or neither".into()))
            });
        }
        if subdivision.is_some() && text(2).is_none() {
            parse.of(3, text(3).unwrap_or(""), |_| -> Result<(), _> {
                Err(("is a subdivision of no country", "give the country too".into()))
            });
        }
        let (prefix, place) = (prefix?, place?);
        match self.seen.entry(prefix) {
            Entry::Occupied(first) => {
                let fault = Fault::error(format!("{prefix} is there twice"), place, "again here");
                self.faults.push(fault.also(first.get().clone(), "first here").remedy("take one of them out"));
                return None;
            }
            Entry::Vacant(free) => free.insert(place.clone()),
        };
        let coordinates = lat.zip(lon).and_then(|(lat, lon)| on_globe(lat, lon));
        let location = Location { continent, country, subdivision, city, coordinates, asn };
        (self.faults.len() == before).then_some(Line { prefix, location, place })
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

/// The fields of one line being read.
struct Parse<'r, 'a> {
    reading: &'r mut Reading<'a>,
    start: usize,
    position: [Option<usize>; 8],
}

/// What is wrong with a field, to follow its text; and what to do about it.
type Wrong = (&'static str, String);

impl Parse<'_, '_> {
    /// Reads a field; when that fails it is a fault at its place.
    fn of<T>(&mut self, column: usize, text: &str, read: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let (wrong, remedy) = match read(text) {
            Ok(value) => return Some(value),
            Err(wrong) => wrong,
        };
        // A column that the header lacks has been complained of there.
        let place = self.reading.field(self.start, self.position[column]?);
        let subject = if text.is_empty() { "this line".to_owned() } else { format!("`{text}`") };
        let fault = Fault::error(format!("{subject} {wrong}"), place, format!("in the column `{}`", COLUMNS[column]));
        self.reading.faults.push(fault.remedy(remedy));
        None
    }
}

fn prefix(text: &str) -> Result<Prefix, Wrong> {
    let example = || "write it as 192.0.2.0/24 or 2001:db8::/48".to_owned();
    let Some((address, len)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => ("has no length", format!("write {} for this one address", Prefix::host(address))),
            Err(_) => ("is not a prefix", example()),
        });
    };
    let address: IpAddr = address.parse().map_err(|_| ("does not start with an address", example()))?;
    let bits = Family::of(address).bits();
    let digits = !len.is_empty() && len.bytes().all(|digit| digit.is_ascii_digit());
    let len = len.parse::<u8>().ok().filter(|len| digits && *len <= bits);
    let len = len.ok_or_else(|| ("has a length that does not exist", format!("write /0 to /{bits}")))?;
    let prefix = Prefix::new(address, len);
    if prefix.address() != address {
        return Err(("has bits set beyond its length", format!("write {prefix}")));
    }
    match normalise(prefix) {
        (_, 0) => Ok(prefix),
        (inside, _) => Err(("is a form of IPv4, whose clients are looked up as IPv4", format!("write {inside}"))),
    }
}

fn continent(text: &str) -> Result<[u8; 2], Wrong> {
    let known = CONTINENTS.iter().any(|code| code.eq_ignore_ascii_case(text));
    letters(text)
        .filter(|_| known)
        .ok_or_else(|| ("is no continent", format!("write one of {}", CONTINENTS.join(", "))))
}

fn country(text: &str) -> Result<[u8; 2], Wrong> {
    let remedy = || "write the two letters of ISO 3166-1, as DE; GB for the United Kingdom".to_owned();
    letters(text).filter(|code| is_country(*code)).ok_or_else(|| ("is no country", remedy()))
}

fn subdivision(text: &str) -> Result<Box<str>, Wrong> {
    if let Some((_, code)) = text.split_once('-') {
        return Err(("names the country too", format!("write `{code}`")));
    }
    if text.len() > 3 || !text.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err((
            "is no subdivision",
            "write the part of ISO 3166-2 behind the hyphen, as CA for California".into(),
        ));
    }
    Ok(text.to_ascii_uppercase().into())
}

fn city(text: &str) -> Result<Box<str>, Wrong> {
    if text.chars().any(char::is_control) {
        return Err(("holds a control character", "take it out".into()));
    }
    Ok(text.into())
}

fn degrees(text: &str, limit: f64) -> Result<f64, Wrong> {
    let remedy = || format!("write decimal degrees from -{limit} to {limit}");
    let degrees: f64 = text.parse().map_err(|_| ("is not a number", remedy()))?;
    if degrees.abs() <= limit { Ok(degrees) } else { Err(("is not on the globe", remedy())) }
}

fn asn(text: &str) -> Result<u32, Wrong> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    let remedy = || "write the number alone, 1 to 4294967295".to_owned();
    text.parse().ok().filter(|asn| digits && *asn > 0).ok_or_else(|| ("is no AS number", remedy()))
}
