//! Places on the earth: LOC (RFC 1876) and the fields of GPOS (RFC 1712). Must not know other types.

use std::fmt::Write as _;

use super::field::{Special, quoted, string, word};
use crate::config::zone_file::fields::{Complaint, Fields};

/// LOC, whole.
pub(super) const LOC: Special = Special { read, measure, show };
/// Longitude or latitude of GPOS. RFC 1712 calls either by the other's name, so both have the wider bound.
pub(super) const DEGREES: Special = Special { read: degrees, measure: is_degrees, show: show_string };
/// Altitude of GPOS.
pub(super) const METRES: Special = Special { read: metres, measure: is_metres, show: show_string };

/// Octets of LOC.
const OCTETS: usize = 16;
/// What stands for the equator, the prime meridian: 2³¹ thousandths of a second.
const MIDDLE: u32 = 1 << 31;
/// Thousandths of a second in a degree.
const DEGREE: u32 = 3_600_000;
/// Centimetres from the reference spheroid down to where altitudes begin.
const BASE: i64 = 10_000_000;
/// Size, horizontal and vertical precision where they are left out: 1 m, 10 km, 10 m.
const DEFAULTS: [u8; 3] = [0x12, 0x16, 0x13];
/// The largest size and precision, in centimetres.
const LARGEST: u64 = 9_000_000_000;

fn read(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let latitude = angle(fields, 90, ["N", "S"])?;
    let longitude = angle(fields, 180, ["E", "W"])?;
    let altitude = {
        let content = word(fields)?;
        let below = content.starts_with('-');
        let digits = content.strip_prefix(['-', '+']).unwrap_or(content);
        let centimetres = length(digits).and_then(|length| i64::try_from(length).ok());
        let centimetres = centimetres.map(|length| if below { -length } else { length });
        let range = || {
            Complaint::new("an altitude from -100000.00 to 42849672.95 metres is expected")
                .remedy("write metres with up to two decimals, as in -24.5m")
        };
        centimetres.and_then(|length| u32::try_from(length + BASE).ok()).ok_or_else(range)?
    };
    let mut precisions = DEFAULTS;
    for precision in &mut precisions {
        if fields.peek().is_none() {
            break;
        }
        let range = || Complaint::new("a size or precision from 0 to 90000000.00 metres is expected");
        *precision = length(word(fields)?).filter(|length| *length <= LARGEST).map(scientific).ok_or_else(range)?;
    }
    wire.push(0);
    wire.extend(precisions);
    wire.extend([latitude, longitude, altitude].into_iter().flat_map(u32::to_be_bytes));
    Ok(())
}

/// `DEGREES [MINUTES [SECONDS]] HEMISPHERE`, in thousandths of a second around [`MIDDLE`].
fn angle(fields: &mut Fields<'_>, most: u32, hemispheres: [&str; 2]) -> Result<u32, Complaint> {
    let [positive, negative] = hemispheres;
    let sign = |content: &str| match content {
        word if word.eq_ignore_ascii_case(positive) => Some(true),
        word if word.eq_ignore_ascii_case(negative) => Some(false),
        _ => None,
    };
    let mut sum = 0;
    // Each part with the thousandths of a second that one of it has, its decimals and its bound.
    for (name, unit, decimals, bound) in [
        (format!("degrees from 0 to {most}"), DEGREE, 0, most + 1),
        ("minutes from 0 to 59".to_owned(), 60_000, 0, 60),
        ("seconds from 0 to 59.999".to_owned(), 1, 3, 60_000),
    ] {
        let content = word(fields)?;
        let value = fixed(content, decimals).and_then(|value| u32::try_from(value).ok());
        let value = value.filter(|value| *value < bound).ok_or_else(|| {
            let or = if sum == 0 && unit == DEGREE { String::new() } else { format!(", or {positive} or {negative}") };
            Complaint::new(format!("{name} are expected{or}"))
        })?;
        sum += value * unit;
        if sum > most * DEGREE {
            return Err(Complaint::new(format!("the angle is over {most} degrees")));
        }
        let hemisphere = fields.peek().and_then(|(token, content)| sign(content).filter(|_| !token.quoted));
        if let Some(above) = hemisphere {
            fields.take()?;
            return Ok(if above { MIDDLE + sum } else { MIDDLE - sum });
        }
    }
    fields.take()?;
    Err(Complaint::new(format!("{positive} or {negative} is expected")))
}

/// A length in metres, with or without `m` behind it, in centimetres.
fn length(content: &str) -> Option<u64> {
    fixed(content.strip_suffix(['m', 'M']).unwrap_or(content), 2)
}

/// A number with up to so many decimals, in units of the last of them. Either side of the point may be left out, as in BIND.
fn fixed(content: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = content.split_once('.').unwrap_or((content, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    let empty = whole.is_empty() && fraction.is_empty();
    if empty || whole.len() > 12 || !digits(whole) || !digits(fraction) || fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Centimetres as one digit and a power of ten, rounded down.
fn scientific(centimetres: u64) -> u8 {
    let (mut digit, mut power) = (centimetres, 0);
    while digit > 9 {
        (digit, power) = (digit / 10, power + 1);
    }
    (digit as u8) << 4 | power
}

fn measure(wire: &[u8]) -> Option<usize> {
    let whole = wire.first_chunk::<OCTETS>()?;
    let [version, precisions @ .., _, _, _, _, _, _, _, _, _, _, _, _] = whole;
    let number = |at: usize| wire.get(at..)?.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets));
    let precise = |octet: &u8| *octet == 0 || (1..=9).contains(&(octet >> 4)) && octet & 0xf <= 9;
    let sound = *version == 0
        && precisions.iter().all(precise)
        && number(4)?.abs_diff(MIDDLE) <= 90 * DEGREE
        && number(8)?.abs_diff(MIDDLE) <= 180 * DEGREE;
    sound.then_some(OCTETS)
}

fn show(wire: &[u8], out: &mut String) {
    let number = |at: usize| {
        let octets = wire.get(at..).and_then(|rest| rest.first_chunk::<4>());
        octets.map_or(0, |octets| u32::from_be_bytes(*octets))
    };
    for (at, [positive, negative]) in [(4, ["N", "S"]), (8, ["E", "W"])] {
        let (angle, above) = (number(at).abs_diff(MIDDLE), number(at) >= MIDDLE);
        let (degrees, minutes, rest) = (angle / DEGREE, angle / 60_000 % 60, angle % 60_000);
        let hemisphere = if above { positive } else { negative };
        _ = write!(out, "{degrees} {minutes} {}.{:03} {hemisphere} ", rest / 1000, rest % 1000);
    }
    let altitude = i64::from(number(12)) - BASE;
    let sign = if altitude < 0 { "-" } else { "" };
    _ = write!(out, "{sign}{}.{:02}m", altitude.abs() / 100, altitude.abs() % 100);
    for octet in wire.get(1..4).unwrap_or_default() {
        let centimetres = u64::from(octet >> 4) * 10u64.pow(u32::from(octet & 0xf));
        _ = match centimetres {
            0..100 => write!(out, " 0.{centimetres:02}m"),
            _ => write!(out, " {}m", centimetres / 100),
        };
    }
}

fn degrees(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    real(fields, 180.0, "degrees from -180 to 180 are expected", wire)
}

fn metres(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    real(fields, f64::MAX, "an altitude in metres is expected", wire)
}

/// A character-string that holds a number.
fn real(fields: &mut Fields<'_>, bound: f64, expected: &'static str, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let octets = fields.octets()?;
    if !is_real(&octets, bound) {
        return Err(Complaint::new(expected));
    }
    string(&octets, wire)
}

fn is_degrees(wire: &[u8]) -> Option<usize> {
    measure_real(wire, 180.0)
}

fn is_metres(wire: &[u8]) -> Option<usize> {
    measure_real(wire, f64::MAX)
}

fn measure_real(wire: &[u8], bound: f64) -> Option<usize> {
    let octets = wire.get(1..=usize::from(*wire.first()?))?;
    is_real(octets, bound).then_some(1 + octets.len())
}

fn is_real(octets: &[u8], bound: f64) -> bool {
    let text = std::str::from_utf8(octets).unwrap_or("");
    let plain = text.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'.' | b'-' | b'+'));
    plain && text.parse::<f64>().is_ok_and(|number| number.abs() <= bound)
}

fn show_string(wire: &[u8], out: &mut String) {
    quoted(wire.get(1..).unwrap_or_default(), out);
}
