//! MaxMind DB files to facts. The file is read into memory, verified whole, and each distinct record is decoded once;
//! queries never touch it. Must not know overrides.

use std::collections::HashMap;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use super::{Fault, Named, contents, file_name};
use crate::engine::{
    geo::{AtlasBuilder, Coordinates, Fact, Location},
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

/// Reads one database into `builder`. The error is what makes the file useless; oddities in single records are
/// warnings, one for each kind.
pub(super) fn read(named: &Named, builder: &mut AtlasBuilder, faults: &mut Vec<Fault>) -> Result<(), Box<Fault>> {
    let bytes = contents(named, "geo database")?;
    let path = named.path.display();
    if !bytes[bytes.len().saturating_sub(MARKER_WITHIN)..].windows(MARKER.len()).any(|window| window == MARKER) {
        let label = if bytes.is_empty() { "it is empty" } else { "it has no metadata" };
        let fault =
            Fault::error(format!("{path} is not a MaxMind database, or was cut short"), named.place.clone(), label);
        return Err(Box::new(fault.remedy("name an .mmdb file (unpacked); fetch it again if it should be one")));
    }
    let corrupt = |error: MaxMindDbError| {
        let fault = Fault::error(format!("the geo database {path} is damaged"), named.place.clone(), error.to_string());
        Box::new(fault.remedy("fetch it again; the database that is being served stays in use until then"))
    };
    let reader = Reader::from_source(bytes).map_err(corrupt)?;
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
    reader.verify().map_err(corrupt)?;

    let source = file_name(named);
    let mut odd = Odd::default();
    let mut facts: HashMap<usize, Option<Fact>> = HashMap::new();
    for found in reader.networks(WithinOptions::default()).map_err(corrupt)? {
        let found = found.map_err(corrupt)?;
        let network = found.network().map_err(corrupt)?;
        let Some(offset) = found.offset() else { continue };
        let prefix = Prefix::new(network.network(), network.prefix());
        let fact = match facts.get(&offset) {
            Some(fact) => *fact,
            None => {
                let record: Option<Record<'_>> = found.decode().map_err(corrupt)?;
                let location = record.map(|record| located(&record, prefix, &mut odd)).unwrap_or_default();
                let fact = (location != Location::default()).then(|| builder.fact(location, &source));
                facts.insert(offset, fact);
                fact
            }
        };
        let Some(fact) = fact else { continue };
        builder.learn(prefix, fact);
        // A record so wide that it covers the IPv4 part of an IPv6 tree speaks for IPv4 too.
        if prefix.family() == Family::V6 && prefix.bits() == 0 && prefix.len() <= 96 {
            builder.learn(Prefix::from_bits(Family::V4, 0, 0), fact);
        }
    }
    odd.warn(named, faults);
    Ok(())
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
