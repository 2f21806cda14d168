//! Addresses of other networks, written as digits with dots: NSAP (RFC 1706) and ATMA (the ATM Forum's DNS
//! specification); and what DOA holds, which may be `-`. Must not know other types.

use data_encoding::{BASE64, HEXLOWER};

use super::field::{Field, Special, word};
use crate::config::zone_file::fields::{Complaint, Fields, hex};

/// All of NSAP.
pub(super) const NSAP: Special = Special { read: nsap, measure: any, show: show_nsap };
/// All of ATMA.
pub(super) const ATMA: Special = Special { read: atma, measure: measure_atma, show: show_atma };
/// The data of DOA.
pub(super) const DOA: Special = Special { read: doa, measure: rest, show: show_doa };

/// Octets as hexadecimal digits, with dots where the writer likes them.
fn dotted(digits: &str) -> Result<Vec<u8>, Complaint> {
    let plain: String = digits.chars().filter(|digit| *digit != '.').collect();
    let octets = hex(&plain).filter(|octets| !octets.is_empty());
    octets.ok_or_else(|| Complaint::new("an even number of hexadecimal digits is expected, dots between them"))
}

fn nsap(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let content = word(fields)?;
    let digits = content.strip_prefix("0x").or_else(|| content.strip_prefix("0X"));
    wire.extend(dotted(digits.ok_or_else(|| Complaint::new("0x and hexadecimal digits are expected"))?)?);
    Ok(())
}

fn any(wire: &[u8]) -> Option<usize> {
    (!wire.is_empty()).then_some(wire.len())
}

fn rest(wire: &[u8]) -> Option<usize> {
    Some(wire.len())
}

fn show_nsap(wire: &[u8], out: &mut String) {
    out.push_str("0x");
    out.push_str(&HEXLOWER.encode(wire));
}

/// `+` and decimal digits are a telephone number (E.164), format 1; other digits an end system's address, format 0.
fn atma(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let content = word(fields)?;
    let Some(number) = content.strip_prefix('+') else {
        wire.push(0);
        wire.extend(dotted(content)?);
        return Ok(());
    };
    let digits: Vec<u8> = number.bytes().filter(|octet| *octet != b'.').collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Complaint::new("decimal digits are expected behind the `+`"));
    }
    wire.push(1);
    wire.extend(digits);
    Ok(())
}

fn measure_atma(wire: &[u8]) -> Option<usize> {
    let (format, address) = wire.split_first()?;
    let sound = *format != 1 || address.iter().all(u8::is_ascii_digit);
    (!address.is_empty() && sound).then_some(wire.len())
}

fn show_atma(wire: &[u8], out: &mut String) {
    match wire.split_first() {
        Some((1, number)) => {
            out.push('+');
            out.push_str(&String::from_utf8_lossy(number));
        }
        Some((_, address)) => out.push_str(&HEXLOWER.encode(address)),
        None => {}
    }
}

fn doa(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    if matches!(fields.peek(), Some((token, "-")) if !token.quoted) {
        fields.take()?;
        return Ok(());
    }
    if fields.peek().is_none() {
        return Err(Complaint::new("data in base64 are expected behind this, or `-` for none"));
    }
    Field::Base64.read(fields, wire)
}

fn show_doa(wire: &[u8], out: &mut String) {
    match wire {
        [] => out.push('-'),
        octets => out.push_str(&BASE64.encode(octets)),
    }
}
