//! A zone as its file gives it, after all checks: its records, the same by owner and type while it is compiled, and the names
//! that they point at. Must not know what is compiled from it.

use std::collections::{BTreeMap, HashMap};

use crate::engine::{
    units::Ttl,
    wire::{name::Name, rr::RrType},
};

/// One record of a zone file, checked, with its data in uncompressed wire form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRecord {
    /// Whose it is, as written.
    pub owner: Name,
    /// Its type.
    pub rtype: RrType,
    /// How long it may be kept.
    pub ttl: Ttl,
    /// Its data (RFC 1035 3.2.1 RDATA), names in it uncompressed and as written.
    pub rdata: Box<[u8]>,
}

/// A zone as its file gives it, after all checks: one SOA at the apex, nothing outside, no CNAME beside other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneSource {
    /// The zone's name.
    pub apex: Name,
    /// Every record, in the file's order; no two equal.
    pub records: Vec<ZoneRecord>,
}

/// RRsets of one owner: TTL and data by type.
pub(super) type Sets<'z> = BTreeMap<RrType, (Ttl, Vec<&'z [u8]>)>;

/// The records by owner and type, owners folded.
pub(super) type Owners<'z> = BTreeMap<Name, Sets<'z>>;

/// Fragments that no node has, for the additional section.
#[derive(Default)]
pub(super) struct Beside {
    /// Address RRsets at or below cuts, which are not the zone's own.
    pub(super) glue: HashMap<Name, Vec<u32>>,
    /// Address RRsets and services of lower zones of ours.
    pub(super) taken: HashMap<Name, (Vec<u32>, Option<u32>)>,
}

/// Whether what is decided for the client goes along with records of a type.
pub(super) fn may_be_steered(rtype: RrType) -> bool {
    matches!(rtype, RrType::SRV | RrType::SVCB | RrType::HTTPS)
}

/// The name in a record's data whose addresses go along, unless it is the root ("no target": RFC 2782, RFC 7505).
pub(super) fn of_record(rtype: RrType, data: &[u8]) -> Option<Name> {
    let skip = match rtype {
        RrType::NS => 0,
        RrType::MX | RrType::SVCB | RrType::HTTPS => 2,
        RrType::SRV => 6,
        _ => return None,
    };
    let data = data.get(skip..)?;
    let mut end = 0;
    while let Some(&len) = data.get(end).filter(|len| **len != 0) {
        end += 1 + len as usize;
    }
    Name::from_wire(data.get(..=end)?).ok().filter(|n| n.wire().len() > 1)
}
