//! The data of one record: presentation format (or the generic form of RFC 3597) to uncompressed wire format, and back.
//! One table, `forms`, says what fields a type has; reading, checking and showing all go by it. Must not know owners, TTLs or
//! other records.
//!
//! Why not the record types of the `domain` crate: it reads 35 of the registry's 90 types, and does not check a record that it
//! reads (lengths of digests, empty tags). hickory-proto reads `\DDD` as octal and has no positions.

mod addresses;
mod bitmap;
mod field;
mod forms;
mod gateway;
mod location;
mod substitution;

use std::borrow::Cow;

use data_encoding::HEXUPPER;

use self::field::RdataField;
use super::{
    fields::{Complaint, Fields},
    svcb,
};
use crate::engine::{
    wire::{name::Name, rr::RrType},
    zone::ZoneRecord,
};

/// The host that a record's data point to: of types whose hosts must have addresses, and of CNAME.
pub(crate) fn target(record: &ZoneRecord) -> Option<Name> {
    let from = match record.rtype {
        RrType::NS | RrType::CNAME => 0,
        RrType::MX | RrType::KX | RrType::AFSDB | RrType::RT => 2,
        RrType::SRV => 6,
        _ => return None,
    };
    Name::from_wire(record.rdata.get(from..)?).ok()
}

/// Reads the data of a record of this type; every field must be used up.
pub(super) fn read(rtype: RrType, fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let generic = matches!(fields.peek(), Some((token, r"\#")) if !token.quoted);
    if !generic {
        refuse_glue(rtype, fields)?;
    }
    let wire = match rtype {
        _ if generic => unknown(rtype, fields)?,
        RrType::SVCB | RrType::HTTPS => svcb::read(fields)?,
        _ => {
            let form = forms::of(rtype).ok_or_else(|| {
                Complaint::new("this type has no readable form here")
                    .at(fields.last())
                    .remedy("write its data as `\\# LENGTH HEX` (RFC 3597)")
            })?;
            let mut wire = Vec::new();
            for field in form {
                field.read(fields, &mut wire)?;
            }
            wire
        }
    };
    fields.end()?;
    if wire.len() > usize::from(u16::MAX) {
        return Err(Complaint::new("the data is longer than 65535 octets"));
    }
    inspect(rtype, &wire).map_err(|complaint| match rtype {
        // The substitution stands before the last field.
        RrType::NAPTR if !generic => complaint.at(fields.last().saturating_sub(1)),
        _ => complaint,
    })?;
    Ok(wire)
}

/// Data as a zone file would write them: in the generic form where the type has no other, or the data are not valid.
pub(super) fn show(rtype: RrType, wire: &[u8]) -> String {
    let shown = || {
        let mut parts = Vec::new();
        for (field, octets) in spans(rtype, wire)? {
            let mut part = String::new();
            field.show(octets, &mut part);
            parts.push(part);
        }
        parts.retain(|part| !part.is_empty());
        Some(parts.join(" "))
    };
    shown().unwrap_or_else(|| format!("\\# {} {}", wire.len(), HEXUPPER.encode(wire)).trim_end().to_owned())
}

/// Data as they compare: names in the types that RFC 4034 6.2 lists fold case, nothing else does.
pub(super) fn comparable(record: &ZoneRecord) -> Cow<'_, [u8]> {
    let folds = matches!(
        record.rtype,
        RrType::NS
            | RrType::MD
            | RrType::MF
            | RrType::CNAME
            | RrType::SOA
            | RrType::MB
            | RrType::MG
            | RrType::MR
            | RrType::PTR
            | RrType::MINFO
            | RrType::MX
            | RrType::RP
            | RrType::AFSDB
            | RrType::RT
            | RrType::SIG
            | RrType::PX
            | RrType::NXT
            | RrType::NAPTR
            | RrType::KX
            | RrType::SRV
            | RrType::DNAME
    );
    let Some(spans) = folds.then(|| spans(record.rtype, &record.rdata)).flatten() else {
        return Cow::Borrowed(&record.rdata);
    };
    let fold = |(field, octets): (RdataField, &[u8])| match field {
        RdataField::Name | RdataField::Mailbox => octets.to_ascii_lowercase(),
        _ => octets.to_vec(),
    };
    Cow::Owned(spans.into_iter().flat_map(fold).collect())
}

/// The octets of each field; none where they are not valid data of the type.
fn spans(rtype: RrType, wire: &[u8]) -> Option<Vec<(RdataField, &[u8])>> {
    let (mut rest, mut spans) = (wire, Vec::new());
    for field in forms::of(rtype)? {
        let (octets, behind) = rest.split_at_checked(field.measure(rest)?)?;
        spans.push((*field, octets));
        rest = behind;
    }
    rest.is_empty().then_some(spans)
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
    let length = fields.number::<u16>()?;
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
    // No name is compressed in this form (RFC 3597 4), and nothing is left over.
    if forms::of(rtype).is_some() && spans(rtype, &wire).is_none() {
        let remedy = "the octets must be the fields of that type in wire form, names uncompressed (RFC 3597 4 and 5)";
        return Err(Complaint::new(format!("these octets are no {rtype} data")).at(marker).remedy(remedy));
    }
    Ok(wire)
}

/// Rules that bind octets of one field to another, and lengths, however the data were written.
fn inspect(rtype: RrType, wire: &[u8]) -> Result<(), Complaint> {
    let exactly = |algorithm: &str, octets: usize, from: usize| {
        let found = wire.len().saturating_sub(from);
        if found == octets {
            return Ok(());
        }
        Err(Complaint::new(format!("a {algorithm} digest has {octets} octets, not {found}")))
    };
    match (rtype, wire) {
        (RrType::SVCB | RrType::HTTPS, _) => return svcb::inspect(wire),
        (RrType::DS | RrType::CDS | RrType::DLV | RrType::TA, [_, _, _, digest, ..]) => match digest {
            1 => exactly("SHA-1", 20, 4)?,
            2 => exactly("SHA-256", 32, 4)?,
            3 | 5 => exactly("GOST", 32, 4)?,
            4 => exactly("SHA-384", 48, 4)?,
            6 => exactly("SM3", 32, 4)?,
            _ => {}
        },
        (RrType::SSHFP, [_, 1, ..]) => exactly("SHA-1", 20, 2)?,
        (RrType::SSHFP, [_, 2, ..]) => exactly("SHA-256", 32, 2)?,
        (RrType::TLSA | RrType::SMIMEA, [_, _, 1, ..]) => exactly("SHA-256", 32, 3)?,
        (RrType::TLSA | RrType::SMIMEA, [_, _, 2, ..]) => exactly("SHA-512", 64, 3)?,
        (RrType::ZONEMD, [_, _, _, _, _, 1, ..]) => exactly("SHA-384", 48, 6)?,
        (RrType::ZONEMD, [_, _, _, _, _, 2, ..]) => exactly("SHA-512", 64, 6)?,
        (RrType::ZONEMD, _) if wire.len() < 6 + 12 => {
            let message = format!("a digest has at least 12 octets, not {}", wire.len().saturating_sub(6));
            return Err(Complaint::new(message).remedy("RFC 8976 2.2.4"));
        }
        (RrType::DHCID, [_, _, 1, ..]) => exactly("SHA-256", 32, 3)?,
        (RrType::DHCID, [] | [_] | [_, _]) => {
            return Err(Complaint::new(
                "an identifier's type, a digest's type and the digest are expected (RFC 4701 3.1)",
            ));
        }
        (RrType::CAA, [_, length, rest @ ..]) => field::tag(rest.get(..usize::from(*length)).unwrap_or_default())?,
        (RrType::NAPTR, _) => substitution::inspect(wire)?,
        (RrType::URI, [_, _, _, _]) => return Err(Complaint::new("the target is empty")),
        _ => {}
    }
    // Only these may be empty where the type forbids it.
    let last = forms::of(rtype).and_then(<[RdataField]>::last);
    if !matches!(last, Some(RdataField::Hex | RdataField::Base64 | RdataField::KeyBase64)) {
        return Ok(());
    }
    let Some((field, [])) = spans(rtype, wire).unwrap_or_default().pop() else { return Ok(()) };
    match field {
        RdataField::Hex | RdataField::Base64 => Err(Complaint::new("the octets themselves are missing")),
        // Algorithm 0 says that there is no key (RFC 4025 2.4).
        RdataField::KeyBase64 if rtype == RrType::IPSECKEY && wire.get(2) != Some(&0) => {
            Err(Complaint::new("the key is missing"))
        }
        _ => Ok(()),
    }
}
