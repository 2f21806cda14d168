//! MaxMind DB files to facts. The file is read into memory, verified whole, and each distinct record is decoded once;
//! queries never touch it. Must not know overrides.

use std::collections::HashMap;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use super::{
    Fault, Named, contents,
    coverage::{Coverage, Says},
    file_name,
    in_force::{Bytes, Kept},
};
use crate::engine::{
    geo::{AtlasBuilder, Coordinates, Database, Fact, Location},
    types::{Family, Prefix},
};

/// What stands before the metadata, in the last 128 KiB of every MaxMind DB file (format specification 2.0).
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const MARKER_WITHIN: usize = 128 * 1024;

/// What is read of a record, whatever the type of its database. Anything else in it is passed over undecoded.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    continent: Option<Continent<'a>>,
    #[serde(borrow)]
    country: Option<Coded<'a>>,
    #[serde(borrow)]
    subdivisions: Option<Vec<Coded<'a>>>,
    #[serde(borrow)]
    city: Option<City<'a>>,
    location: Option<Point>,
    autonomous_system_number: Option<u32>,
    traits: Option<Traits>,
}

#[derive(Debug, Deserialize)]
struct Continent<'a> {
    code: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Coded<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct City<'a> {
    #[serde(borrow)]
    names: Option<Names<'a>>,
}

#[derive(Debug, Deserialize)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Point {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// Enterprise databases put the number here.
#[derive(Debug, Deserialize)]
struct Traits {
    autonomous_system_number: Option<u32>,
}

/// Reads one database into `builder`. One that covers more than `max_shrink` parts of a thousand less than the one
/// `in_force` under the same path and type is not taken: that one is read again from memory, and a warning says so. The
/// error is what makes the file useless; oddities in single records are warnings, one for each kind.
pub(super) fn read(
    named: &Named,
    in_force: Option<&Kept>,
    max_shrink: u64,
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
        let about = Database { refused: Some(shrunk.into()), ..old.about.clone() };
        return Ok(Kept { about, coverage, bytes: old.bytes.clone() });
    }
    let mut odd = Odd::default();
    let coverage = walk(&reader, Some((builder, &file_name(named))), &mut odd).map_err(damaged)?;
    odd.warn(named, faults);
    let about = Database {
        path: named.path.display().to_string().into(),
        kind: reader.metadata().database_type.as_str().into(),
        networks: coverage.networks,
        refused: None,
    };
    Ok(Kept { about, coverage, bytes })
}

/// The file as a database that says where addresses are, verified whole.
fn open(named: &Named, bytes: Bytes) -> Result<Reader<Bytes>, Box<Fault>> {
    let (path, octets) = (named.path.display(), bytes.as_ref());
    if !octets[octets.len().saturating_sub(MARKER_WITHIN)..].windows(MARKER.len()).any(|window| window == MARKER) {
        let label = if octets.is_empty() { "it is empty" } else { "it has no metadata" };
        let fault =
            Fault::error(format!("{path} is not a MaxMind database, or was cut short"), named.place.clone(), label);
        return Err(Box::new(fault.remedy("name an .mmdb file (unpacked); fetch it again if it should be one")));
    }
    let reader = Reader::from_source(bytes).map_err(|error| corrupt(named, &error))?;
    let kind = &reader.metadata().database_type;
    if !["City", "Country", "Enterprise", "ASN", "ISP"].iter().any(|known| kind.contains(known)) {
        let fault = Fault::error(
            format!("the geo database {path} does not say where addresses are"),
            named.place.clone(),
            format!("its type is `{kind}`"),
        );
        return Err(Box::new(fault.remedy("name a City, Country or ASN database")));
    }
    // Also bounds the work of what follows: no loops, no more networks than nodes, no record that does not decode.
    reader.verify().map_err(|error| corrupt(named, &error))?;
    Ok(reader)
}

fn corrupt(named: &Named, error: &MaxMindDbError) -> Box<Fault> {
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
                let location = record.map(|record| located(&record, prefix, odd)).unwrap_or_default();
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

/// Fields that cannot be what they should be, with the first network that has one and how many records do.
#[derive(Debug, Default)]
struct Odd {
    codes: Option<(Prefix, usize)>,
    points: Option<(Prefix, usize)>,
}

impl Odd {
    fn count(field: &mut Option<(Prefix, usize)>, prefix: Prefix) {
        field.get_or_insert((prefix, 0)).1 += 1;
    }

    fn warn(&self, named: &Named, faults: &mut Vec<Fault>) {
        for (field, what) in [
            (self.codes, "a continent or country code that is not two letters"),
            (self.points, "coordinates that are not on the globe"),
        ] {
            if let Some((first, records)) = field {
                let message = format!("{} has {what}", named.path.display());
                let label = format!("{records} records, first at {first}; the field counts as unknown");
                let fault = Fault::warning(message, named.place.clone(), label);
                faults.push(fault.remedy("tell whoever made the database; an override can mend it here"));
            }
        }
    }
}

fn located(record: &Record<'_>, prefix: Prefix, odd: &mut Odd) -> Location {
    let mut code = |text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty())?;
        let code = letters(text);
        if code.is_none() {
            Odd::count(&mut odd.codes, prefix);
        }
        code
    };
    let continent = code(record.continent.as_ref().and_then(|continent| continent.code));
    let country = code(record.country.as_ref().and_then(|country| country.iso_code));
    let subdivision = record.subdivisions.as_ref().and_then(|all| all.first()).and_then(|first| first.iso_code);
    let city = record.city.as_ref().and_then(|city| city.names.as_ref()).and_then(|names| names.en);
    let point = record.location.as_ref().and_then(|point| Some((point.latitude?, point.longitude?)));
    let coordinates = point.and_then(|(lat, lon)| {
        let coordinates = on_globe(lat, lon);
        if coordinates.is_none() {
            Odd::count(&mut odd.points, prefix);
        }
        coordinates
    });
    let asn = record.autonomous_system_number;
    Location {
        continent,
        country,
        subdivision: subdivision.filter(|code| !code.is_empty()).map(Into::into),
        city: city.filter(|name| !name.is_empty()).map(Into::into),
        coordinates,
        asn: asn.or_else(|| record.traits.as_ref()?.autonomous_system_number),
    }
}

/// Two letters, in capitals.
pub(super) fn letters(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|letter| letter.to_ascii_uppercase()))
}

/// Degrees to [`Coordinates`]; none when they are not on the globe.
pub(super) fn on_globe(lat: f64, lon: f64) -> Option<Coordinates> {
    let scaled = |degrees: f64, limit: f64| (degrees.abs() <= limit).then(|| (degrees * 10_000.0).round() as i32);
    Some(Coordinates { lat: scaled(lat, 90.0)?, lon: scaled(lon, 180.0)? })
}
