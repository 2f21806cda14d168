//! The data of one record: presentation format (or the generic form of RFC 3597) to uncompressed wire format. Must not
//! know owners, TTLs or other records.

use domain::{
    base::{
        iana::Rtype,
        name::ParsedName,
        rdata::{ComposeRecordData, ParseRecordData},
        scan::{Scan, ScannerError},
    },
    dep::octseq::Parser,
    rdata::ZoneRecordData,
};

use super::{
    fields::{Complaint, Fields},
    seconds::{self, NotSeconds},
    svcb,
};
use crate::engine::wire::rr::RrType;

/// Reads the data of a record of this type; every field must be used up.
pub(super) fn read(rtype: RrType, fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let generic = matches!(fields.peek(), Some((token, r"\#")) if !token.quoted);
    if !generic {
        refuse_glue(rtype, fields)?;
    }
    let wire = match rtype {
        _ if generic => unknown(rtype, fields)?,
        RrType::SOA => soa(fields)?,
        RrType::SVCB | RrType::HTTPS => svcb::read(fields)?,
        RrType::URI => uri(fields)?,
        _ => {
            let data = ZoneRecordData::scan(layout(rtype), fields)?;
            fields.end()?;
            let mut wire = Vec::new();
            data.compose_rdata(&mut wire).map_err(|_| Complaint::short_buf())?;
            wire
        }
    };
    fields.end()?;
    if wire.len() > usize::from(u16::MAX) {
        return Err(Complaint::new("the data is longer than 65535 octets"));
    }
    inspect(rtype, &wire)?;
    Ok(wire)
}

/// The type whose data have the same form, where the scanner knows that one only.
fn layout(rtype: RrType) -> Rtype {
    match rtype {
        RrType::AFSDB | RrType::KX => Rtype::MX,
        RrType::SMIMEA => Rtype::TLSA,
        RrType::KEY => Rtype::DNSKEY,
        RrType::DHCID => Rtype::OPENPGPKEY,
        RrType(99) => Rtype::TXT, // SPF, of RFC 4408 only
        RrType(number) => Rtype::from_int(number),
    }
}

/// A string right behind a word, or a word behind a string, has no meaning outside SVCB and HTTPS.
fn refuse_glue(rtype: RrType, fields: &Fields<'_>) -> Result<(), Complaint> {
    if matches!(rtype, RrType::SVCB | RrType::HTTPS) {
        return Ok(());
    }
    match fields.first_glued() {
        Some(token) => Err(Complaint::new("white space is missing before this").at(token)),
        None => Ok(()),
    }
}

/// `\# LENGTH HEX…` (RFC 3597 5). Data of a known type must be what that type allows.
fn unknown(rtype: RrType, fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let marker = fields.position();
    fields.take()?;
    let length = u16::scan(fields)?;
    let counted = fields.last();
    let mut digits = Vec::new();
    while let Some((token, content)) = fields.peek() {
        if token.quoted || !content.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(Complaint::new("hexadecimal digits are expected").at(fields.position()));
        }
        digits.extend(content.bytes().map(|octet| (octet as char).to_digit(16).unwrap_or(0) as u8));
        fields.take()?;
    }
    let wire: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect();
    if !digits.len().is_multiple_of(2) {
        return Err(Complaint::new("the number of hexadecimal digits is odd"));
    }
    if wire.len() != usize::from(length) {
        return Err(Complaint::new(format!("the length says {length} octets, but {} follow", wire.len())).at(counted));
    }
    let malformed = || Complaint::new(format!("these octets are no {rtype} data")).at(marker);
    match rtype {
        RrType::SVCB | RrType::HTTPS => {}
        RrType::URI if wire.len() < 5 => return Err(malformed()),
        _ => {
            let mut parser = Parser::from_ref(&wire[..]);
            let known = ZoneRecordData::<&[u8], ParsedName<&[u8]>>::parse_rdata(layout(rtype), &mut parser);
            let known = known.ok().flatten().ok_or_else(malformed)?;
            let mut again = Vec::new();
            known.compose_rdata(&mut again).map_err(|_| malformed())?;
            // Not equal where octets are left over or a name is compressed, which RFC 3597 4 forbids in this form.
            if again != wire {
                return Err(malformed());
            }
        }
    }
    Ok(wire)
}

/// SOA is read here for its timers, which may have units.
fn soa(fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let mut wire = fields.name()?.wire().to_vec();
    if let Some((_, mailbox)) = fields.peek()
        && let Some((local, host)) = mailbox.split_once('@')
        && !local.is_empty()
        && !local.ends_with('\\')
    {
        let host = host.trim_end_matches('.');
        let remedy = format!("write it as a name: {}.{host}.", local.replace('.', "\\."));
        return Err(Complaint::new("the mailbox is written with `@`").at(fields.position()).remedy(remedy));
    }
    wire.extend_from_slice(fields.name()?.wire());
    wire.extend_from_slice(&u32::scan(fields)?.to_be_bytes());
    for timer in ["refresh", "retry", "expire", "minimum"] {
        let (token, content) = fields.take()?;
        let value = match seconds::seconds(content) {
            Ok(value) if !token.quoted => value,
            Err(NotSeconds::Large) => {
                return Err(Complaint::new(format!("the {timer} time is over 2147483647 seconds")));
            }
            _ => {
                let complaint = Complaint::new(format!("the {timer} time is expected"));
                return Err(complaint.remedy("write seconds, or units as in `1h30m`"));
            }
        };
        wire.extend_from_slice(&value.to_be_bytes());
    }
    Ok(wire)
}

/// Priority, weight and a target in quotes (RFC 7553 4.2).
fn uri(fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let mut wire = u16::scan(fields)?.to_be_bytes().to_vec();
    wire.extend_from_slice(&u16::scan(fields)?.to_be_bytes());
    let target = fields.octets()?;
    if target.is_empty() {
        return Err(Complaint::new("the target is empty"));
    }
    wire.extend_from_slice(&target);
    Ok(wire)
}

/// Rules that bind octets of one field to another.
fn inspect(rtype: RrType, wire: &[u8]) -> Result<(), Complaint> {
    let length = |algorithm: &str, octets: usize, from: usize| {
        let found = wire.len().saturating_sub(from);
        if found == octets {
            return Ok(());
        }
        Err(Complaint::new(format!("a {algorithm} digest has {octets} octets, not {found}")))
    };
    match (rtype, wire) {
        (RrType::SVCB | RrType::HTTPS, _) => svcb::inspect(wire),
        (RrType::DS | RrType::CDS, [_, _, _, 1, ..]) | (RrType::SSHFP, [_, 1, ..]) => {
            length("SHA-1", 20, if rtype == RrType::SSHFP { 2 } else { 4 })
        }
        (RrType::DS | RrType::CDS, [_, _, _, 2, ..]) => length("SHA-256", 32, 4),
        (RrType::DS | RrType::CDS, [_, _, _, 4, ..]) => length("SHA-384", 48, 4),
        (RrType::SSHFP, [_, 2, ..]) => length("SHA-256", 32, 2),
        (RrType::TLSA | RrType::SMIMEA, [_, _, 1, ..]) => length("SHA-256", 32, 3),
        (RrType::TLSA | RrType::SMIMEA, [_, _, 2, ..]) => length("SHA-512", 64, 3),
        (RrType::TLSA | RrType::SMIMEA, [_, _, _]) | (RrType::SSHFP, [_, _]) | (RrType::DS, [_, _, _, _]) => {
            Err(Complaint::new("the octets themselves are missing"))
        }
        _ => Ok(()),
    }
}
