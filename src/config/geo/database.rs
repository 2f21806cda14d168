//! MaxMind DB files: to facts, and from lines of text. A file is read into memory, verified whole, and each distinct
//! record is decoded once; queries never touch it. Files are written for demonstrations, for tests, and for operators
//! whose networks no database knows. Must not know what a record that is read looks like, nor where the bytes of a
//! written one go.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, SystemTime},
};

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use mmdb_writer::{Error, Value, Writer, ipnet::IpNet};
use serde::de::IgnoredAny;

use super::{
    super::fault::Fault,
    coverage::{Bytes, Coverage, Kept, Says},
    files::{NamedFile, contents, file_name},
    overrides::OverrideLine,
    record::{Layout, Odd, Record},
};
use crate::engine::{
    geo::{AtlasBuilder, Coordinates, Database, Fact, Location},
    types::{Family, Prefix},
    units::Permille,
};

/// What stands before the metadata, in the last 128 KiB of every MaxMind DB file (format specification 2.0).
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const MARKER_WITHIN: usize = 128 * 1024;

/// What stands in the types of databases that say where addresses are. Of others the records must show it.
const TYPES: [&str; 5] = ["City", "Country", "Enterprise", "ASN", "ISP"];
/// How many distinct records show the layout of a database.
const SAMPLE: usize = 256;

/// Reads one database into `builder`. One that covers less than the one `in_force` under the same path and
/// type, by more than `max_shrink`, is not taken: that one is read again from memory, and a warning says so. The error is
/// what makes the file useless; oddities in single records are warnings, one for each kind.
pub(super) fn read(
    named: &NamedFile,
    in_force: Option<&Kept>,
    max_shrink: Permille,
    builder: &mut AtlasBuilder,
    faults: &mut Vec<Fault>,
) -> Result<Kept, Box<Fault>> {
    let bytes = Bytes::new(contents(named, "geo database")?, in_force);
    let reader = open(named, bytes.clone())?;
    let damaged = |error| corrupt(named, &error);
    if let Some(old) = in_force
        && *old.about.kind == *reader.metadata().database_type
        && !old.bytes.is(&bytes)
        && let Some(shrunk) =
            walk(&reader, None, &mut Odd::default()).map_err(damaged)?.shrunk(&old.coverage, max_shrink)
    {
        let path = named.path.display();
        let message = format!("the geo database {path} is not taken, the one in force goes on");
        let fault = Fault::warning(message, named.place.clone(), format!("it covers {shrunk}"));
        faults.push(fault.remedy(
            "look what became of it; `geo.max_shrink = \"100%\"` takes it, a larger share than now may do too",
        ));
        let reader = Reader::from_source(old.bytes.clone()).map_err(damaged)?;
        // Its oddities were told when it was taken.
        let coverage = walk(&reader, Some((builder, &file_name(named))), &mut Odd::default()).map_err(damaged)?;
        let about = Database { refused: Some(shrunk.into()), is_new: false, ..old.about.clone() };
        return Ok(Kept { about, coverage, bytes: old.bytes.clone() });
    }
    let mut odd = Odd::default();
    let coverage = walk(&reader, Some((builder, &file_name(named))), &mut odd).map_err(damaged)?;
    warn(&odd, named, faults);
    let about = Database {
        path: named.path.display().to_string().into(),
        kind: reader.metadata().database_type.as_str().into(),
        networks: coverage.networks,
        is_new: in_force.is_none_or(|old| !old.bytes.is(&bytes)),
        refused: None,
    };
    Ok(Kept { about, coverage, bytes })
}

/// The file as a database that says where addresses are, verified whole.
fn open(named: &NamedFile, bytes: Bytes) -> Result<Reader<Bytes>, Box<Fault>> {
    let (path, octets) = (named.path.display(), bytes.as_ref());
    if !octets[octets.len().saturating_sub(MARKER_WITHIN)..].windows(MARKER.len()).any(|window| window == MARKER) {
        let label = if octets.is_empty() { "it is empty" } else { "it has no metadata" };
        let fault =
            Fault::error(format!("{path} is not a MaxMind database, or was cut short"), named.place.clone(), label);
        return Err(Box::new(fault.remedy("name an .mmdb file (unpacked); fetch it again if it should be one")));
    }
    let reader = Reader::from_source(bytes).map_err(|error| corrupt(named, &error))?;
    // Also bounds the work of what follows: no loops, no more networks than nodes, no record that does not decode.
    verify(&reader).map_err(|error| corrupt(named, &error))?;
    let (_, is_known) = survey(&reader).map_err(|error| corrupt(named, &error))?;
    let kind = &reader.metadata().database_type;
    if !is_known && !TYPES.iter().any(|known| kind.contains(known)) {
        let fault = Fault::error(
            format!("the geo database {path} does not say where addresses are"),
            named.place.clone(),
            format!("its type is `{kind}`, and its first records have no field that is read"),
        );
        return Err(Box::new(fault.remedy("name a database of cities, countries or AS numbers")));
    }
    Ok(reader)
}

fn corrupt(named: &NamedFile, error: &MaxMindDbError) -> Box<Fault> {
    let message = format!("the geo database {} is damaged", named.path.display());
    let fault = Fault::error(message, named.place.clone(), error.to_string());
    Box::new(fault.remedy("fetch it again; the database that is being served stays in use until then"))
}

/// Goes through what a database says, and puts it into a builder under the name of its source, where there is one.
fn walk(
    reader: &Reader<Bytes>,
    mut into: Option<(&mut AtlasBuilder, &str)>,
    odd: &mut Odd,
) -> Result<Coverage, MaxMindDbError> {
    let mut coverage = Coverage::default();
    let (layout, _) = survey(reader)?;
    let mut records: HashMap<usize, Option<(Option<Fact>, Says)>> = HashMap::new();
    for found in reader.networks(WithinOptions::default())? {
        let found = found?;
        let network = found.network()?;
        let Some(offset) = found.offset() else { continue };
        let prefix = Prefix::new(network.network(), network.prefix());
        let record = match records.get(&offset) {
            Some(record) => *record,
            None => {
                let record: Option<Record<'_>> = found.decode()?;
                let location = record.map(|record| record.location(layout, prefix, odd)).unwrap_or_default();
                let record = (location != Location::default()).then(|| {
                    let says = Says::of(&location);
                    (into.as_mut().map(|(builder, source)| builder.fact(location, source)), says)
                });
                records.insert(offset, record);
                record
            }
        };
        let Some((fact, says)) = record else { continue };
        let mut take = |prefix: Prefix| {
            coverage.add(prefix, says);
            if let (Some((builder, _)), Some(fact)) = (&mut into, fact) {
                builder.learn(prefix, fact);
            }
        };
        take(prefix);
        // A record so wide that it covers the IPv4 part of an IPv6 tree speaks for IPv4 too.
        if prefix.family() == Family::V6 && prefix.bits() == 0 && prefix.len() <= 96 {
            take(Prefix::from_bits(Family::V4, 0, 0));
        }
    }
    Ok(coverage)
}

/// Warns of fields that are not what they should be.
fn warn(odd: &Odd, named: &NamedFile, faults: &mut Vec<Fault>) {
    for (field, why, first, records) in odd.all() {
        let what = if field == "the record" { field.to_owned() } else { format!("`{field}`") };
        let message = format!("in the geo database {} {what} {why}", named.path.display());
        let records = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
        let label = format!("{records}, first at {first}; the field counts as unknown");
        let fault = Fault::warning(message, named.place.clone(), label);
        faults.push(fault.remedy("tell the maker of the database; an override can mend it here"));
    }
}

/// Whether the file keeps to the format.
fn verify(reader: &Reader<Bytes>) -> Result<(), MaxMindDbError> {
    let metadata = reader.metadata();
    // The library holds these two to be necessary before it looks at anything else; the format allows them to be empty.
    if !metadata.description.is_empty() && !metadata.database_type.is_empty() {
        return reader.verify();
    }
    let most = u64::from(metadata.node_count).saturating_mul(3);
    for (at, found) in (0..).zip(reader.networks(WithinOptions::default().include_networks_without_data())?) {
        found?.decode::<IgnoredAny>()?;
        if at > most {
            return Err(MaxMindDbError::invalid_database("the search tree has a loop"));
        }
    }
    Ok(())
}

/// The layout that the type and the first distinct records of a database show, and whether they have any field that is
/// read.
fn survey(reader: &Reader<Bytes>) -> Result<(Layout, bool), MaxMindDbError> {
    let (mut seen, mut flat, mut is_known) = (HashSet::new(), 0_i32, false);
    for found in reader.networks(WithinOptions::default())? {
        let found = found?;
        if seen.len() >= SAMPLE {
            break;
        }
        if !found.offset().is_some_and(|offset| seen.insert(offset)) {
            continue;
        }
        let Some(record) = found.decode::<Record<'_>>()? else { continue };
        is_known |= record.is_known();
        flat += match record.layout() {
            Some(Layout::Flat) => 1,
            Some(Layout::Nested) => -1,
            None => 0,
        };
    }
    let is_flat = flat > 0 || flat == 0 && reader.metadata().database_type.to_lowercase().starts_with("ipinfo");
    Ok((if is_flat { Layout::Flat } else { Layout::Nested }, is_known))
}

/// The type that these files bear. Readers that know City databases can read them; the ASN stands beside the place as
/// it does in an ASN database, as `autonomous_system_number` at the top of the record.
pub const DATABASE_TYPE: &str = "Meridian-City";

/// The time that stands in the files, 2026-01-01: fixed, so that equal lines make equal files.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The bytes of a database with these lines; where prefixes overlap the longest wins.
///
/// # Errors
/// When the format cannot hold a line, as with IPv6 prefixes inside the forms that carry IPv4.
pub fn write(lines: &[OverrideLine]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::builder(DATABASE_TYPE)
        .languages(["en"])
        .description(&[("en", "Locations written by meridian geo build")])
        .build_epoch(SystemTime::UNIX_EPOCH + EPOCH)
        .build();
    // The writer lets the last insert win, even over a longer prefix.
    let mut lines: Vec<&OverrideLine> = lines.iter().collect();
    lines.sort_by_key(|line| (line.prefix.len(), line.prefix));
    for line in lines {
        // A prefix is never longer than its family allows.
        let Ok(network) = IpNet::new(line.prefix.address(), line.prefix.len()) else { continue };
        writer.insert_value(network, record(&line.location))?;
    }
    writer.to_bytes()
}

fn record(location: &Location) -> Value {
    let mut record = BTreeMap::new();
    let mut put = |key: &str, value: Option<Value>| record.extend(value.map(|value| (key.to_owned(), value)));
    let one = |key: &str, value: Value| Value::map([(key, value)]);
    let code = |code: &[u8; 2]| Value::from(String::from_utf8_lossy(code).into_owned());
    put("continent", location.continent.as_ref().map(|letters| one("code", code(letters))));
    put("country", location.country.as_ref().map(|letters| one("iso_code", code(letters))));
    put("subdivisions", location.subdivision.as_deref().map(|text| Value::array([one("iso_code", Value::from(text))])));
    put("city", location.city.as_deref().map(|name| one("names", one("en", Value::from(name)))));
    put("location", location.coordinates.map(point));
    put("autonomous_system_number", location.asn.map(Value::from));
    Value::Map(record)
}

fn point(Coordinates { lat, lon }: Coordinates) -> Value {
    let degrees = |scaled: i32| Value::from(f64::from(scaled) / 10_000.0);
    Value::map([("latitude", degrees(lat)), ("longitude", degrees(lon))])
}
