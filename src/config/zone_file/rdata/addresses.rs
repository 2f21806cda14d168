//! Fields with addresses inside: the lists of APL (RFC 3123), the suffix of A6 (RFC 2874), and the services of WKS (RFC
//! 1035 3.4.2); addresses of other networks, written as digits with dots: NSAP (RFC 1706) and ATMA (the ATM Forum's DNS
//! specification); and what DOA holds, which may be `-`. Must not know other types.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use data_encoding::{BASE64, HEXLOWER};

use super::field::{RdataField, Special, name, word};
use crate::{
    config::zone_file::fields::{Complaint, Fields, hex},
    engine::wire::name::write_text,
};

/// All of APL.
pub(super) const APL: Special = Special { read: prefixes, measure: are_prefixes, show: show_prefixes };
/// All of A6.
pub(super) const A6: Special = Special { read: suffix, measure: measure_suffix, show: show_suffix };
/// Protocol and ports of WKS.
pub(super) const WKS: Special = Special { read: services, measure: are_services, show: show_services };

/// Octets of an address of these families, by the family's number; 0 where it is not known.
fn octets_of(family: u16) -> usize {
    match family {
        1 => 4,
        2 => 16,
        _ => 0,
    }
}

fn prefixes(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    while fields.peek().is_some() {
        let content = word(fields)?;
        let (negated, prefix) = content.strip_prefix('!').map_or((false, content), |prefix| (true, prefix));
        let form =
            || Complaint::new("a prefix is expected").remedy("write [!]FAMILY:ADDRESS/LENGTH, as in 1:192.0.2.0/24");
        let (family, rest) = prefix.split_once(':').ok_or_else(form)?;
        let (address, length) = rest.split_once('/').ok_or_else(form)?;
        let family: u16 = match family {
            "1" => 1,
            "2" => 2,
            _ => return Err(Complaint::new("the family is 1 for IPv4 or 2 for IPv6")),
        };
        let address = address.parse::<IpAddr>().map_err(|_| form())?;
        let octets = match (family, address) {
            (1, IpAddr::V4(address)) => address.octets().to_vec(),
            (2, IpAddr::V6(address)) => address.octets().to_vec(),
            _ => return Err(Complaint::new("the address is not of its family: 1 is IPv4, 2 is IPv6")),
        };
        let plain = length.bytes().all(|octet| octet.is_ascii_digit());
        let length: Option<u8> = length.parse().ok().filter(|length| plain && usize::from(*length) <= 8 * octets.len());
        let length = length.ok_or_else(|| Complaint::new(format!("the length is at most {}", 8 * octets.len())))?;
        let kept = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
        wire.extend(family.to_be_bytes());
        wire.extend([length, kept as u8 | if negated { 0x80 } else { 0 }]);
        wire.extend_from_slice(&octets[..kept]);
    }
    Ok(())
}

/// One prefix of APL.
struct Prefix<'w> {
    family: u16,
    length: u8,
    negated: bool,
    /// Without the zeros at its end.
    address: &'w [u8],
}

/// The prefix at the start of octets, and what follows it.
fn prefix(wire: &[u8]) -> Option<(Prefix<'_>, &[u8])> {
    let (&[f0, f1, length, count], rest) = wire.split_first_chunk::<4>()?;
    let (address, rest) = rest.split_at_checked(usize::from(count & 0x7f))?;
    Some((Prefix { family: u16::from_be_bytes([f0, f1]), length, negated: count & 0x80 != 0, address }, rest))
}

/// Prefixes to the end, each within its family and without zeros at its end (RFC 3123 4).
fn are_prefixes(wire: &[u8]) -> Option<usize> {
    let mut rest = wire;
    while !rest.is_empty() {
        let (Prefix { family, length, address, .. }, behind) = prefix(rest)?;
        let most = octets_of(family);
        if address.last() == Some(&0) || most > 0 && (address.len() > most || usize::from(length) > 8 * most) {
            return None;
        }
        rest = behind;
    }
    Some(wire.len())
}

fn show_prefixes(wire: &[u8], out: &mut String) {
    let mut rest = wire;
    while let Some((Prefix { family, length, negated, address }, behind)) = prefix(rest) {
        let mut octets = [0; 16];
        octets.iter_mut().zip(address).for_each(|(octet, known)| *octet = *known);
        let [a, b, c, d, ..] = octets;
        let address = if family == 1 { IpAddr::V4(Ipv4Addr::new(a, b, c, d)) } else { IpAddr::V6(octets.into()) };
        let space = if out.is_empty() { "" } else { " " };
        _ = write!(out, "{space}{}{family}:{address}/{length}", if negated { "!" } else { "" });
        rest = behind;
    }
}

fn suffix(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let length = word(fields)?.parse::<u8>().ok().filter(|length| *length <= 128);
    let length = length.ok_or_else(|| Complaint::new("a prefix length from 0 to 128 is expected"))?;
    wire.push(length);
    if length < 128 {
        let address: Option<Ipv6Addr> = word(fields)?.parse().ok();
        let mut octets = address.ok_or_else(|| Complaint::new("an IPv6 address is expected"))?.octets();
        let whole = usize::from(length / 8);
        octets[whole] &= 0xff >> (length % 8);
        wire.extend_from_slice(&octets[whole..]);
    }
    if length > 0 {
        wire.extend_from_slice(fields.name()?.wire());
    }
    Ok(())
}

/// How many octets of an address stand behind a prefix of this length.
fn suffix_octets(length: u8) -> usize {
    16 - usize::from(length / 8)
}

fn measure_suffix(wire: &[u8]) -> Option<usize> {
    let length = wire.first().filter(|length| **length <= 128)?;
    let octets = suffix_octets(*length);
    let address = wire.get(1..=octets)?;
    let padded = u32::from(length % 8);
    if address.first().is_some_and(|first| padded > 0 && first >> (8 - padded) != 0) {
        return None;
    }
    let prefix = if *length > 0 { name(wire.get(1 + octets..)?)? } else { 0 };
    Some(1 + octets + prefix)
}

fn show_suffix(wire: &[u8], out: &mut String) {
    let Some((&length, rest)) = wire.split_first() else { return };
    let (address, name) = rest.split_at(suffix_octets(length).min(rest.len()));
    _ = write!(out, "{length}");
    if length < 128 {
        let mut octets = [0; 16];
        octets[16 - address.len()..].copy_from_slice(address);
        _ = write!(out, " {}", Ipv6Addr::from(octets));
    }
    if length > 0 {
        out.push(' ');
        _ = write_text(name, out);
    }
}

/// Protocols that WKS may name.
const PROTOCOLS: [(&str, u8); 9] =
    [("icmp", 1), ("igmp", 2), ("ggp", 3), ("tcp", 6), ("egp", 8), ("pup", 12), ("udp", 17), ("hmp", 20), ("rdp", 27)];

/// Services that WKS may name, as far as they were known when it was in use (RFC 1010) or are common.
const SERVICES: [(&str, u16); 38] = [
    ("echo", 7),
    ("discard", 9),
    ("systat", 11),
    ("daytime", 13),
    ("netstat", 15),
    ("qotd", 17),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("rlp", 39),
    ("nameserver", 42),
    ("whois", 43),
    ("nicname", 43),
    ("tacacs", 49),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("kerberos", 88),
    ("hostname", 101),
    ("pop2", 109),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("sftp", 115),
    ("nntp", 119),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("irc", 194),
    ("https", 443),
];

fn services(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let content = word(fields)?;
    let known = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(content)).map(|(_, number)| *number);
    let protocol = known.or_else(|| content.parse().ok());
    wire.push(protocol.ok_or_else(|| Complaint::new("a protocol is expected").remedy("write tcp, udp or a number"))?);
    let start = wire.len();
    while fields.peek().is_some() {
        let content = word(fields)?;
        let known = SERVICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(content)).map(|(_, port)| *port);
        let port = known.or_else(|| content.parse().ok()).ok_or_else(|| {
            Complaint::new("a service is expected").remedy("write its port as a number, or a common name as smtp")
        })?;
        let octet = start + usize::from(port / 8);
        if wire.len() <= octet {
            wire.resize(octet + 1, 0);
        }
        wire[octet] |= 0x80 >> (port % 8);
    }
    Ok(())
}

/// A protocol and at most 65536 ports.
fn are_services(wire: &[u8]) -> Option<usize> {
    (1..=1 + 8192).contains(&wire.len()).then_some(wire.len())
}

fn show_services(wire: &[u8], out: &mut String) {
    let Some((protocol, ports)) = wire.split_first() else { return };
    _ = write!(out, "{protocol}");
    for (at, octet) in ports.iter().enumerate() {
        for bit in (0..8).filter(|bit| octet & 0x80 >> bit != 0) {
            _ = write!(out, " {}", at * 8 + bit);
        }
    }
}

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
    RdataField::Base64.read(fields, wire)
}

fn show_doa(wire: &[u8], out: &mut String) {
    match wire {
        [] => out.push('-'),
        octets => out.push_str(&BASE64.encode(octets)),
    }
}
