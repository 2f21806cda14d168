//! A zone as its file gives it, after all checks. Must not know what is compiled from it.

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
