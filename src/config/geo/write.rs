//! Lines of text to a MaxMind DB file: for demonstrations, for tests, and for operators whose networks no database
//! knows. Must not know where the bytes go.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mmdb_writer::{Error, Value, Writer, ipnet::IpNet};

use super::table::Line;
use crate::engine::geo::{Coordinates, Location};

/// The type that these files bear. Readers that know City databases can read them; the ASN stands beside the place as
/// it does in an ASN database, as `autonomous_system_number` at the top of the record.
pub const DATABASE_TYPE: &str = "Meridian-City";

/// The time that stands in the files, 2026-01-01: fixed, so that equal lines make equal files.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The bytes of a database with these lines; where prefixes overlap the longest wins.
///
/// # Errors
/// When the format cannot hold a line, as with IPv6 prefixes inside the forms that carry IPv4.
pub fn write(lines: &[Line]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::builder(DATABASE_TYPE)
        .languages(["en"])
        .description(&[("en", "Locations written by meridian geo build")])
        .build_epoch(SystemTime::UNIX_EPOCH + EPOCH)
        .build();
    // The writer lets the last insert win, even over a longer prefix.
    let mut lines: Vec<&Line> = lines.iter().collect();
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
