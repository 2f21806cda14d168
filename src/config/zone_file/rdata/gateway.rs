//! Fields whose form another field names: the gateway of IPSECKEY (RFC 4025), the relay of AMTRELAY (RFC 8777), and all
//! of HIP (RFC 8005). Must not know other types.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use data_encoding::{BASE64, HEXUPPER};

use super::field::{RdataField, Special, name, word};
use crate::{
    config::zone_file::fields::{Complaint, Fields, base64, hex},
    engine::wire::name::write_text,
};

/// Gateway type, algorithm and gateway of IPSECKEY.
pub(super) const IPSECKEY: Special = Special { read: gateway, measure: measure_gateway, show: show_gateway };
/// Discovery bit, type and relay of AMTRELAY.
pub(super) const AMTRELAY: Special = Special { read: relay, measure: measure_relay, show: show_relay };
/// All of HIP.
pub(super) const HIP: Special = Special { read: host, measure: measure_host, show: show_host };

fn gateway(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let kind = kind(fields, "gateway")?;
    let algorithm = fields.number::<u8>()?;
    wire.extend([kind, algorithm]);
    node(kind, "gateway", fields, wire)
}

fn measure_gateway(wire: &[u8]) -> Option<usize> {
    let (&[kind, _], rest) = wire.split_first_chunk::<2>()?;
    Some(2 + measure_node(kind, rest)?)
}

fn show_gateway(wire: &[u8], out: &mut String) {
    let Some((&[kind, algorithm], rest)) = wire.split_first_chunk::<2>() else { return };
    _ = write!(out, "{kind} {algorithm} ");
    show_node(kind, rest, out);
}

fn relay(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let discovery = match word(fields)? {
        "0" => 0,
        "1" => 0x80,
        _ => return Err(Complaint::new("the discovery bit is 0 or 1")),
    };
    let kind = kind(fields, "relay")?;
    wire.push(discovery | kind);
    node(kind, "relay", fields, wire)
}

fn measure_relay(wire: &[u8]) -> Option<usize> {
    let (first, rest) = wire.split_first()?;
    Some(1 + measure_node(first & 0x7f, rest)?)
}

fn show_relay(wire: &[u8], out: &mut String) {
    let Some((first, rest)) = wire.split_first() else { return };
    _ = write!(out, "{} {} ", first >> 7, first & 0x7f);
    show_node(first & 0x7f, rest, out);
}

/// The number that says what stands for a gateway or relay.
fn kind(fields: &mut Fields<'_>, what: &str) -> Result<u8, Complaint> {
    let number = fields.number::<u8>()?;
    let unknown = || {
        Complaint::new(format!("the type of a {what} is 0, 1, 2 or 3"))
            .remedy(format!("0 is no {what}, written as `.`; 1 an IPv4 address, 2 an IPv6 address, 3 a name"))
    };
    Some(number).filter(|number| *number <= 3).ok_or_else(unknown)
}

fn node(kind: u8, what: &str, fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    match kind {
        0 if word(fields)? == "." => Ok(()),
        0 => Err(Complaint::new(format!("type 0 has no {what}: `.` is expected"))),
        1 => RdataField::Address4.read(fields, wire),
        2 => RdataField::Address6.read(fields, wire),
        _ => RdataField::Name.read(fields, wire),
    }
}

fn measure_node(kind: u8, wire: &[u8]) -> Option<usize> {
    match kind {
        0 => Some(0),
        1 => RdataField::Address4.measure(wire),
        2 => RdataField::Address6.measure(wire),
        3 => name(wire),
        _ => None,
    }
}

fn show_node(kind: u8, wire: &[u8], out: &mut String) {
    _ = match (kind, wire.first_chunk::<4>(), wire.first_chunk::<16>()) {
        (0, ..) => write!(out, "."),
        (1, Some(octets), _) => write!(out, "{}", Ipv4Addr::from(*octets)),
        (2, _, Some(octets)) => write!(out, "{}", Ipv6Addr::from(*octets)),
        _ => write_text(wire, out),
    };
}

/// Algorithm, host identity tag, key, servers; on the wire lengths come first.
fn host(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let algorithm = fields.number::<u8>()?;
    let digits = || Complaint::new("hexadecimal digits are expected, at most 255 octets of them");
    let tag = hex(word(fields)?).ok_or_else(digits)?;
    let length = u8::try_from(tag.len()).ok().filter(|length| *length > 0).ok_or_else(digits)?;
    let expected = || Complaint::new("a key in base64 is expected, in one piece");
    let key = base64(word(fields)?).ok_or_else(expected)?;
    let octets = u16::try_from(key.len()).ok().filter(|octets| *octets > 0).ok_or_else(expected)?;
    wire.extend([length, algorithm]);
    wire.extend(octets.to_be_bytes());
    wire.extend(tag);
    wire.extend(key);
    while fields.peek().is_some() {
        wire.extend_from_slice(fields.name()?.wire());
    }
    Ok(())
}

/// Tag, key and servers of HIP.
fn parts(wire: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&[length, _, k0, k1], rest) = wire.split_first_chunk::<4>()?;
    let (tag, rest) = rest.split_at_checked(usize::from(length))?;
    let (key, servers) = rest.split_at_checked(usize::from(u16::from_be_bytes([k0, k1])))?;
    Some((tag, key, servers))
}

fn measure_host(wire: &[u8]) -> Option<usize> {
    let (tag, key, mut servers) = parts(wire)?;
    while !servers.is_empty() {
        servers = servers.get(name(servers)?..)?;
    }
    (!tag.is_empty() && !key.is_empty()).then_some(wire.len())
}

fn show_host(wire: &[u8], out: &mut String) {
    let (Some((tag, key, mut servers)), Some(algorithm)) = (parts(wire), wire.get(1)) else { return };
    _ = write!(out, "{algorithm} {} {}", HEXUPPER.encode(tag), BASE64.encode(key));
    while let Some((server, rest)) = name(servers).and_then(|length| servers.split_at_checked(length)) {
        out.push(' ');
        _ = write_text(server, out);
        servers = rest;
    }
}
