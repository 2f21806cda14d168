//! Lines of `client,region,ms[,samples]`: measured round-trip times. Every bad line is a fault at its own place; the good
//! ones are read all the same. Must not know when a measurement counts.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fs,
};

use super::{
    super::fault::{Fault, FileId, Place, Sources},
    csv::{self, Columns, CsvFault, Row},
    files::{Files, NamedFile, text},
    overrides,
};
pub use crate::engine::world::RttCell;
use crate::engine::{
    geo::Whose,
    signal::latency::Reading,
    types::{Millis, Prefix},
    units::Rtt,
};

#[cfg(test)]
mod tests;

/// One good line.
#[derive(Clone, Debug)]
pub struct LatencyLine {
    /// Whose round trips.
    pub whose: Whose,
    /// The region's name.
    pub region: Box<str>,
    /// What the line says of them.
    pub reading: Reading,
    /// Where the client is written.
    pub place: Place,
}

impl LatencyLine {
    /// The cell and what the line says of it.
    #[must_use]
    pub fn cell(&self) -> RttCell {
        ((self.whose, self.region.clone()), self.reading)
    }
}

/// The columns, by name; a file has them in any order. Without `samples` its values are statements.
const COLUMNS: Columns = Columns { names: &["client", "region", "ms", "samples"], needed: 3 };
/// Nothing is ten seconds away.
const LONGEST: Rtt = Rtt(100_000);

/// Reads the latency files; of one cell the last file has it. More prefixes than allowed are a fault of the file that
/// brings them.
pub(super) fn read_all(files: &Files<'_>, sources: &mut Sources, faults: &mut Vec<Fault>) -> Vec<LatencyLine> {
    let mut cells: Vec<LatencyLine> = Vec::new();
    let mut at: HashMap<(Whose, Box<str>), usize> = HashMap::new();
    let mut prefixes: HashSet<Prefix> = HashSet::new();
    for named in files.latency {
        let file = match text(named, "latency file", sources) {
            Ok(file) => file,
            Err(fault) => {
                faults.push(*fault);
                continue;
            }
        };
        let age = age(named);
        let known = KnownRegions { regions: files.regions, lacks_some: files.lacks_regions };
        let lines = lines(file, age, &known, sources, faults);
        if files.max_age.is_some_and(|max| age >= max) && lines.iter().any(|line| line.reading.samples.is_some()) {
            let message = format!("the measurements of {} are too old to count", named.path.display());
            let label = format!("written {} h ago, which is beyond `latency.max_age`", age.0 / 3_600_000);
            let fault = Fault::warning(message, named.place.clone(), label);
            faults.push(
                fault.remedy("measure again, raise `latency.max_age`, or leave `samples` out: statements do not age"),
            );
        }
        for line in lines {
            if let Whose::Net(prefix) = line.whose {
                prefixes.insert(prefix);
            }
            match at.entry((line.whose, line.region.clone())) {
                Entry::Occupied(known) => cells[*known.get()] = line,
                Entry::Vacant(free) => {
                    free.insert(cells.len());
                    cells.push(line);
                }
            }
        }
        if prefixes.len() > files.max_prefixes {
            let message = format!("{} measures too many prefixes", named.path.display());
            let label = format!("{} with this file; at most {}", prefixes.len(), files.max_prefixes);
            let fault = Fault::error(message, named.place.clone(), label);
            faults.push(fault.remedy("measure wider prefixes, or raise `latency.max_prefixes`"));
            break;
        }
    }
    cells
}

/// How long ago a file was written. One of the future is new.
fn age(named: &NamedFile) -> Millis {
    let written = fs::metadata(&named.path).and_then(|about| about.modified()).ok();
    let passed = written.and_then(|written| written.elapsed().ok()).unwrap_or_default();
    u64::try_from(passed.as_millis()).map_or(Millis::MAX, Millis)
}

/// Reads the lines of a text whose measurements are `age` old. Lines that start with `#` and empty ones are
/// passed over.
pub fn read(
    file: FileId,
    age: Millis,
    regions: &[&str],
    sources: &Sources,
    faults: &mut Vec<Fault>,
) -> Vec<LatencyLine> {
    lines(file, age, &KnownRegions { regions, lacks_some: false }, sources, faults)
}

/// The regions that are known, and whether some could not be read.
#[derive(Debug)]
struct KnownRegions<'a> {
    regions: &'a [&'a str],
    lacks_some: bool,
}

fn lines(
    file: FileId,
    age: Millis,
    known: &KnownRegions<'_>,
    sources: &Sources,
    faults: &mut Vec<Fault>,
) -> Vec<LatencyLine> {
    let mut seen: HashMap<(Whose, Box<str>), Place> = HashMap::new();
    csv::read(COLUMNS, file, sources, faults, |row| {
        let line = line(row, age, known)?;
        match seen.entry((line.whose, line.region.clone())) {
            Entry::Occupied(first) => {
                let message = format!("{} to {} is there twice", line.whose, line.region);
                let fault = Fault::error(message, line.place, "again here").also(first.get().clone(), "first here");
                row.faults().push(fault.remedy("take one of them out"));
                return None;
            }
            Entry::Vacant(free) => free.insert(line.place.clone()),
        };
        Some(line)
    })
}

fn line(row: &mut Row<'_, '_>, age: Millis, known: &KnownRegions<'_>) -> Option<LatencyLine> {
    let place = row.place(0);
    let absent = |what: &'static str, remedy: &str| (what, remedy.to_owned());
    let whose = row.of(0, row.text(0).unwrap_or(""), |text| match text {
        "" => Err(absent("has no client", "write a prefix, an AS number as AS64500, or a country as DE")),
        text => client(text),
    });
    let region = row.of(1, row.text(1).unwrap_or(""), |text| match text {
        "" => Err(absent("has no region", "name the region that was measured")),
        // A name of a region that could not be read is not blamed.
        text if known.lacks_some => Ok(text.into()),
        text => region(text, known.regions),
    });
    let rtt = row.of(2, row.text(2).unwrap_or(""), |text| match text {
        "" => Err(absent("has no round-trip time", "write milliseconds, as 12.5")),
        text => millis(text),
    });
    let samples = match row.text(3) {
        Some(text) => Some(row.of(3, text, samples)?),
        None => None,
    };
    let reading = Reading { rtt: rtt?, samples, age: if samples.is_some() { age } else { Millis::ZERO } };
    Some(LatencyLine { whose: whose?, region: region?, reading, place: place? })
}

fn client(text: &str) -> Result<Whose, CsvFault> {
    if let Some(number) = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).filter(|rest| !rest.is_empty()) {
        return overrides::asn(number)
            .map(Whose::Asn)
            .map_err(|(wrong, _)| (wrong, "write AS and the number, as AS64500".into()));
    }
    if !text.contains(['/', '.', ':']) {
        return overrides::country(text).map(Whose::Country);
    }
    overrides::prefix(text).map(Whose::Net)
}

fn region(text: &str, regions: &[&str]) -> Result<Box<str>, CsvFault> {
    if regions.contains(&text) {
        return Ok(text.into());
    }
    let near = regions.iter().find(|region| strsim::damerau_levenshtein(region, text) <= 2);
    Err((
        "is no region",
        match near {
            Some(region) => format!("did you mean `{region}`?"),
            None => "name a region of the configuration, or take the line out".into(),
        },
    ))
}

/// Milliseconds to tenths, to the nearest.
fn millis(text: &str) -> Result<Rtt, CsvFault> {
    let remedy = || "write milliseconds, as 12.5".to_owned();
    let millis: f64 = text.parse().map_err(|_| ("is not a number", remedy()))?;
    let tenths = (millis * 10.0).round();
    // What is no number compares as false.
    if millis > 0.0 && tenths <= f64::from(LONGEST.0) {
        Ok(Rtt::nearest(tenths))
    } else {
        Err(("is no round-trip time", "write milliseconds above 0, up to 10000".into()))
    }
}

fn samples(text: &str) -> Result<u32, CsvFault> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    let remedy = || "write how many measurements it is made from; leave it empty for a statement".to_owned();
    text.parse().ok().filter(|_| digits).ok_or_else(|| ("is no number of samples", remedy()))
}
