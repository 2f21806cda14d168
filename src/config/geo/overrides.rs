//! Lines of `prefix,continent,country,subdivision,city,lat,lon,asn`: overrides, and what databases are made from.
//! Every bad line is a fault at its own place; the good ones are read all the same. Must not know what becomes of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use super::{
    super::fault::{Fault, FileId, Place, Sources},
    csv::{self, Columns, CsvFault, Row},
};
use crate::engine::{
    geo::{Coordinates, Location, is_country, normalise},
    types::{Family, Prefix},
};

/// One good line.
#[derive(Clone, Debug)]
pub struct OverrideLine {
    /// Which addresses.
    pub prefix: Prefix,
    /// Where they are; a field left empty is unknown.
    pub location: Location,
    /// Where the prefix is written.
    pub place: Place,
}

/// The columns, by name; a file has them in any order.
const COLUMNS: Columns =
    Columns { names: &["prefix", "continent", "country", "subdivision", "city", "lat", "lon", "asn"], needed: 1 };
const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

/// Reads the lines of a text. Lines that start with `#` and empty ones are passed over.
pub fn read(file: FileId, sources: &Sources, faults: &mut Vec<Fault>) -> Vec<OverrideLine> {
    let mut seen: HashMap<Prefix, Place> = HashMap::new();
    csv::read(COLUMNS, file, sources, faults, |row| line(row, &mut seen))
}

fn line(row: &mut Row<'_, '_>, seen: &mut HashMap<Prefix, Place>) -> Option<OverrideLine> {
    let before = row.faults().len();
    let place = row.place(0);
    let prefix = match row.text(0) {
        Some(text) => row.of(0, text, prefix),
        None => row.of(0, "", |_| Err(("has no prefix", "every line needs one, as 192.0.2.0/24".into()))),
    };
    let continent = row.text(1).and_then(|text| row.of(1, text, continent));
    let country = row.text(2).and_then(|text| row.of(2, text, country));
    let subdivision = row.text(3).and_then(|text| row.of(3, text, subdivision));
    let city = row.text(4).and_then(|text| row.of(4, text, city));
    let lat = row.text(5).and_then(|text| row.of(5, text, |text| degrees(text, 90.0)));
    let lon = row.text(6).and_then(|text| row.of(6, text, |text| degrees(text, 180.0)));
    let asn = row.text(7).and_then(|text| row.of(7, text, marked_asn));
    if row.text(5).is_some() != row.text(6).is_some() {
        let given = if row.text(5).is_some() { 5 } else { 6 };
        let text = row.text(given).unwrap_or("");
        row.of(given, text, |_| -> Result<(), _> { Err(("stands alone", "give lat and lon, or neither".into())) });
    }
    if let (Some(_), Some(text), None) = (&subdivision, row.text(3), row.text(2)) {
        let wrong = ("is a subdivision of no country", "give the country too".into());
        row.of(3, text, |_| -> Result<(), _> { Err(wrong) });
    }
    let (prefix, place) = (prefix?, place?);
    match seen.entry(prefix) {
        Entry::Occupied(first) => {
            let fault = Fault::error(format!("{prefix} is there twice"), place, "again here");
            row.faults().push(fault.also(first.get().clone(), "first here").remedy("take one of them out"));
            return None;
        }
        Entry::Vacant(free) => free.insert(place.clone()),
    };
    let coordinates = lat.zip(lon).and_then(|(lat, lon)| on_globe(lat, lon));
    let location = Location { continent, country, subdivision, city, coordinates, asn };
    (row.faults().len() == before).then_some(OverrideLine { prefix, location, place })
}

pub(super) fn prefix(text: &str) -> Result<Prefix, CsvFault> {
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

pub(crate) fn continent(text: &str) -> Result<[u8; 2], CsvFault> {
    let known = CONTINENTS.iter().any(|code| code.eq_ignore_ascii_case(text));
    letters(text)
        .filter(|_| known)
        .ok_or_else(|| ("is no continent", format!("write one of {}", CONTINENTS.join(", "))))
}

pub(crate) fn country(text: &str) -> Result<[u8; 2], CsvFault> {
    let remedy = || "write the two letters of ISO 3166-1, as DE; GB for the United Kingdom".to_owned();
    letters(text).filter(|code| is_country(*code)).ok_or_else(|| ("is no country", remedy()))
}

pub(crate) fn subdivision(text: &str) -> Result<Box<str>, CsvFault> {
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

fn city(text: &str) -> Result<Box<str>, CsvFault> {
    if text.chars().any(char::is_control) {
        return Err(("holds a control character", "take it out".into()));
    }
    Ok(text.into())
}

fn degrees(text: &str, limit: f64) -> Result<f64, CsvFault> {
    let remedy = || format!("write decimal degrees from -{limit} to {limit}");
    let degrees: f64 = text.parse().map_err(|_| ("is not a number", remedy()))?;
    if degrees.abs() <= limit { Ok(degrees) } else { Err(("is not on the globe", remedy())) }
}

pub(crate) fn asn(text: &str) -> Result<u32, CsvFault> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    let remedy = || "write the number alone, 1 to 4294967295".to_owned();
    text.parse().ok().filter(|asn| digits && *asn > 0).ok_or_else(|| ("is no AS number", remedy()))
}

/// An AS number, with or without `AS` before it.
fn marked_asn(text: &str) -> Result<u32, CsvFault> {
    let marked = text.split_at_checked(2).filter(|(mark, _)| mark.eq_ignore_ascii_case("as"));
    let number = marked.map_or(text, |(_, number)| number);
    asn(number).map_err(|(wrong, _)| (wrong, "write a number from 1 to 4294967295, as 64500 or AS64500".into()))
}

/// Two letters, in capitals.
fn letters(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|letter| letter.to_ascii_uppercase()))
}

/// Degrees to [`Coordinates`]; none when they are not on the globe.
pub(super) fn on_globe(lat: f64, lon: f64) -> Option<Coordinates> {
    let scaled = |degrees: f64, limit: f64| (degrees.abs() <= limit).then(|| (degrees * 10_000.0).round() as i32);
    Some(Coordinates { lat: scaled(lat, 90.0)?, lon: scaled(lon, 180.0)? })
}
