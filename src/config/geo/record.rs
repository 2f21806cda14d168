//! One record of a geo database to a location. The format leaves the layout of records to the maker of a database, so a
//! number counts whatever its width; what is not understood counts as unknown and is reported, but is no error. Must not
//! know files.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::overrides;
use crate::engine::{
    geo::{Coordinates, Location},
    types::Prefix,
};

/// How the records of a database are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As MaxMind has it: `country` is a map with `iso_code`.
    Nested,
    /// As most free databases have it: `country` or `country_code` is text.
    Flat,
}

/// What is read of a record.
#[derive(Debug)]
pub(super) struct Record<'a>(Value<'a>);

/// A value, by what it is for its reader, whatever the type that it was written as.
#[derive(Debug)]
enum Value<'a> {
    Text(&'a str),
    Whole(i128),
    Real(f64),
    Map(Vec<(&'a str, Value<'a>)>),
    List(Vec<Value<'a>>),
    Other,
}

/// The keys that are read at the top of a record; the others are passed over undecoded.
const KEYS: [&str; 24] = [
    "autonomous_system_number",
    "asn",
    "as_number",
    "asn_number",
    "asnum",
    "AutonomousSystemNumber",
    "continent",
    "continent_code",
    "country",
    "country_code",
    "subdivisions",
    "subdivision_code",
    "region_code",
    "state_code",
    "city",
    "city_name",
    "location",
    "loc",
    "latitude",
    "longitude",
    "lat",
    "lng",
    "lon",
    "traits",
];
/// Those of them that hold the number of the autonomous system.
const ASN: std::ops::Range<usize> = 0..6;

/// The continents by the names that databases use where they have no code.
const CONTINENTS: [(&str, [u8; 2]); 7] = [
    ("Africa", *b"AF"),
    ("Antarctica", *b"AN"),
    ("Asia", *b"AS"),
    ("Europe", *b"EU"),
    ("North America", *b"NA"),
    ("Oceania", *b"OC"),
    ("South America", *b"SA"),
];

/// A field that is not what it should be: which one, and what is wrong with it.
type WrongField = (&'static str, String);
/// What a field says, which may be nothing.
type FieldResult<T> = Result<Option<T>, WrongField>;

/// Fields that are not what they should be: for each fault the first network that has it, and how many records do.
#[derive(Debug, Default)]
pub(super) struct Odd(Vec<(WrongField, Prefix, usize)>);

impl Odd {
    fn note(&mut self, wrong: WrongField, prefix: Prefix) {
        match self.0.iter_mut().find(|(known, ..)| *known == wrong) {
            Some((.., records)) => *records += 1,
            None => self.0.push((wrong, prefix, 1)),
        }
    }

    /// Each fault: the field, what is wrong with it, the first network that has it, and how many records do.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str, Prefix, usize)> {
        self.0.iter().map(|((field, why), first, records)| (*field, why.as_str(), *first, *records))
    }
}

impl Record<'_> {
    /// The layout that the record shows; none where it fits both, or shows none of the fields that are read.
    pub(super) fn layout(&self) -> Option<Layout> {
        let of = |key: &str| match self.get(key)? {
            Value::Map(_) => Some(Layout::Nested),
            Value::Text(_) => Some(Layout::Flat),
            _ => None,
        };
        let flat = |keys: &[&str]| keys.iter().any(|key| self.get(key).is_some()).then_some(Layout::Flat);
        of("country")
            .or_else(|| flat(&["country_code"]))
            .or_else(|| of("location").filter(|layout| *layout == Layout::Nested))
            .or_else(|| flat(&["latitude", "lat", "loc"]))
            .or_else(|| of("city"))
            .or_else(|| of("continent"))
            .or_else(|| flat(&["continent_code"]))
    }

    /// Whether it has any of the fields that are read.
    pub(super) fn is_known(&self) -> bool {
        KEYS.iter().any(|key| *key != "traits" && self.get(key).is_some())
    }

    /// Where it says that `prefix` is.
    pub(super) fn location(&self, layout: Layout, prefix: Prefix, odd: &mut Odd) -> Location {
        if !matches!(self.0, Value::Map(_)) {
            odd.note(("the record", mismatch(&self.0, "a map")), prefix);
            return Location::default();
        }
        let mut note = |wrong| odd.note(wrong, prefix);
        let country = known(self.country(layout), &mut note);
        let coordinates = known(self.point(layout), &mut note);
        // Flat databases put addresses of which nothing is known at 0 0.
        let nowhere = layout == Layout::Flat && country.is_none() && coordinates == overrides::on_globe(0.0, 0.0);
        Location {
            continent: known(self.continent(layout), &mut note),
            country,
            subdivision: known(self.subdivision(), &mut note),
            city: known(self.city(layout), &mut note),
            coordinates: coordinates.filter(|_| !nowhere),
            asn: known(self.asn(), &mut note),
        }
    }

    fn get(&self, key: &str) -> Option<&Value<'_>> {
        within(&self.0, "the record", key).ok().flatten()
    }

    fn country(&self, layout: Layout) -> FieldResult<[u8; 2]> {
        let code = |field, value| parsed(field, text(field, value)?, overrides::country, "is no code of a country");
        match (self.get("country_code"), self.get("country")) {
            (flat, Some(map @ Value::Map(_))) if layout == Layout::Nested || flat.is_none() => {
                match (within(map, "country", "iso_code")?, flat) {
                    (Some(value), _) => code("country.iso_code", value),
                    (None, Some(value)) => code("country_code", value),
                    (None, None) => lacks("country", map, "iso_code"),
                }
            }
            (Some(value), _) => code("country_code", value),
            (None, Some(value @ Value::Text(_))) if layout == Layout::Flat => code("country", value),
            (None, Some(other)) => Err(("country", mismatch(other, "a map"))),
            (None, None) => Ok(None),
        }
    }

    fn continent(&self, layout: Layout) -> FieldResult<[u8; 2]> {
        let named = |name: &str| CONTINENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let read = |name: &str| named(name).map_or_else(|| overrides::continent(name), |(_, code)| Ok(*code));
        let code = |field, value| parsed(field, text(field, value)?, read, "is no continent");
        match (self.get("continent_code"), self.get("continent")) {
            (flat, Some(map @ Value::Map(_))) if layout == Layout::Nested || flat.is_none() => {
                match (within(map, "continent", "code")?, flat) {
                    (Some(value), _) => code("continent.code", value),
                    (None, Some(value)) => code("continent_code", value),
                    (None, None) => lacks("continent", map, "code"),
                }
            }
            (Some(value), _) => code("continent_code", value),
            (None, Some(value @ Value::Text(_))) if layout == Layout::Flat => code("continent", value),
            (None, Some(other)) => Err(("continent", mismatch(other, "a map"))),
            (None, None) => Ok(None),
        }
    }

    fn subdivision(&self) -> FieldResult<Box<str>> {
        let code = |field, value| {
            let text = text(field, value)?;
            let own = text.map(|text| text.split_once('-').map_or(text, |(_, own)| own));
            parsed(field, own, overrides::subdivision, "is no code of a subdivision")
        };
        match self.get("subdivisions") {
            Some(Value::List(all)) => match all.first() {
                Some(first) => match within(first, "subdivisions", "iso_code")? {
                    Some(value) => code("subdivisions.iso_code", value),
                    None => lacks("subdivisions", first, "iso_code"),
                },
                None => Ok(None),
            },
            Some(other) => Err(("subdivisions", mismatch(other, "a list"))),
            None => {
                let keys = ["subdivision_code", "region_code", "state_code"];
                match keys.into_iter().find_map(|key| Some((key, self.get(key)?))) {
                    Some((key, value)) => code(key, value),
                    None => Ok(None),
                }
            }
        }
    }

    fn city(&self, layout: Layout) -> FieldResult<Box<str>> {
        let name = |field, value| Ok(text(field, value)?.map(Into::into));
        match (self.get("city"), self.get("city_name")) {
            (Some(value @ Value::Text(_)), _) if layout == Layout::Flat => name("city", value),
            (Some(value), _) => match within(value, "city", "names")? {
                Some(names) => match within(names, "city.names", "en")? {
                    Some(value) => name("city.names.en", value),
                    None => Ok(None), // named in other languages
                },
                None => lacks("city", value, "names"),
            },
            (None, Some(value)) => name("city_name", value),
            (None, None) => Ok(None),
        }
    }

    fn point(&self, layout: Layout) -> FieldResult<Coordinates> {
        let first = |keys: [&'static str; 2]| keys.into_iter().find_map(|key| Some((key, self.get(key)?)));
        let on_globe = |field, lat: Option<f64>, lon: Option<f64>| match (lat, lon) {
            (Some(lat), Some(lon)) => {
                overrides::on_globe(lat, lon).map(Some).ok_or_else(|| (field, "is not on the globe".to_owned()))
            }
            (None, None) => Ok(None),
            _ => Err((field, "has a latitude or a longitude alone".to_owned())),
        };
        // In flat layouts `location` may be the name of a place.
        if let Some(value) = self.get("location").filter(|value| layout == Layout::Nested || is_map(value)) {
            let axis = |key, field| within(value, "location", key)?.map_or(Ok(None), |value| real(field, value));
            let (lat, lon) = (axis("latitude", "location.latitude")?, axis("longitude", "location.longitude")?);
            if lat.is_none() && lon.is_none() {
                return lacks("location", value, "latitude");
            }
            return on_globe("location", lat, lon);
        }
        let (lat, lon) = (first(["latitude", "lat"]), first(["longitude", "lng"]).or_else(|| first(["lon", "lon"])));
        if let Some((field, _)) = lat.or(lon) {
            let axis = |of: Option<(_, _)>| of.map_or(Ok(None), |(key, value)| real(key, value));
            return on_globe(field, axis(lat)?, axis(lon)?);
        }
        match self.get("loc") {
            Some(value) => {
                let Some(text) = text("loc", value)? else { return Ok(None) };
                let (lat, lon) = text.split_once(',').unwrap_or((text, ""));
                on_globe("loc", real("loc", &Value::Text(lat))?, real("loc", &Value::Text(lon))?)
            }
            None => Ok(None),
        }
    }

    fn asn(&self) -> FieldResult<u32> {
        let named = KEYS[ASN].iter().find_map(|key| Some((*key, self.get(key)?)));
        match (named, self.get("traits")) {
            (Some((key, Value::Map(entries))), _) => {
                let keys = [key, "number", "asn", KEYS[0]];
                match keys.iter().find_map(|key| entries.iter().find(|(known, _)| known == key)) {
                    Some((_, value)) => number(key, value),
                    None if entries.is_empty() => Ok(None),
                    None => Err((key, "is a map without a number".to_owned())),
                }
            }
            (Some((key, value)), _) => number(key, value),
            // Databases of whole enterprises put it here.
            (None, Some(value)) => match within(value, "traits", KEYS[0])? {
                Some(value) => number("traits.autonomous_system_number", value),
                None => Ok(None),
            },
            (None, None) => Ok(None),
        }
    }
}

/// What a field says; what is wrong with it is noted, and it counts as unknown.
fn known<T>(read: FieldResult<T>, note: &mut impl FnMut(WrongField)) -> Option<T> {
    read.unwrap_or_else(|wrong| {
        note(wrong);
        None
    })
}

/// The value of a key in a map.
fn within<'v, 'a>(value: &'v Value<'a>, field: &'static str, key: &str) -> FieldResult<&'v Value<'a>> {
    match value {
        Value::Map(entries) => Ok(entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value)),
        other => Err((field, mismatch(other, "a map"))),
    }
}

/// A map that has not the key that is read: of another shape, unless it is empty or has what MaxMind's have beside that key.
fn lacks<T>(field: &'static str, map: &Value<'_>, key: &str) -> FieldResult<T> {
    let beside = ["geoname_id", "accuracy_radius", "time_zone", "metro_code"];
    match map {
        Value::Map(entries) if entries.is_empty() || entries.iter().any(|(known, _)| beside.contains(known)) => {
            Ok(None)
        }
        _ => Err((field, format!("is a map without `{key}`"))),
    }
}

fn is_map(value: &Value<'_>) -> bool {
    matches!(value, Value::Map(_))
}

/// A text; none where it says nothing, for which some databases write a hyphen.
fn text<'a>(field: &'static str, value: &Value<'a>) -> FieldResult<&'a str> {
    match value {
        Value::Text(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty() && *text != "-")),
        other => Err((field, mismatch(other, "text"))),
    }
}

fn parsed<T, E>(
    field: &'static str,
    text: Option<&str>,
    read: impl Fn(&str) -> Result<T, E>,
    otherwise: &str,
) -> FieldResult<T> {
    text.map(read).transpose().map_err(|_| (field, otherwise.to_owned()))
}

/// A number, whatever its type or written as text.
fn real(field: &'static str, value: &Value<'_>) -> FieldResult<f64> {
    match value {
        Value::Whole(whole) => Ok(Some(*whole as f64)),
        Value::Real(real) => Ok(Some(*real)),
        Value::Text(_) => parsed(field, text(field, value)?, str::parse, "is no number"),
        other => Err((field, mismatch(other, "a number"))),
    }
}

/// The number of an autonomous system: 64500, "64500", "AS64500" or "AS64500 Example". 0 says that there is none.
fn number(field: &'static str, value: &Value<'_>) -> FieldResult<u32> {
    let wrong = || (field, "is no AS number".to_owned());
    let number = match value {
        Value::Whole(whole) => u32::try_from(*whole).map_err(|_| wrong())?,
        Value::Real(real) if real.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(real) => *real as u32,
        Value::Real(_) => return Err(wrong()),
        Value::Text(_) => {
            let Some(text) = text(field, value)? else { return Ok(None) };
            let first = text.split_whitespace().next().unwrap_or_default();
            let bare = first.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).map_or(first, |_| &first[2..]);
            let digits = bare.bytes().all(|digit| digit.is_ascii_digit());
            bare.parse().ok().filter(|_| digits).ok_or_else(wrong)?
        }
        other => return Err((field, mismatch(other, "a number"))),
    };
    Ok(Some(number).filter(|number| *number > 0))
}

fn mismatch(value: &Value<'_>, wanted: &str) -> String {
    let is = match value {
        Value::Text(_) => "text",
        Value::Whole(_) | Value::Real(_) => "a number",
        Value::Map(_) => "a map",
        Value::List(_) => "a list",
        Value::Other => "of another type",
    };
    format!("is {is} where {wanted} is expected")
}

// ----- Decoding ----------------------------------------------------------------------------------------------

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue { top: true }).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue { top: false })
    }
}

/// Takes whatever value there is.
struct AnyValue {
    /// Whether it is the record itself, of which only [`KEYS`] are read.
    top: bool,
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Self::Value, E> {
        Ok(Value::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Real(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_borrowed_bytes<E>(self, _: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<&'de str>()? {
            if self.top && !KEYS.contains(&key) {
                map.next_value::<IgnoredAny>()?;
            } else {
                entries.push((key, map.next_value()?));
            }
        }
        Ok(Value::Map(entries))
    }
}
