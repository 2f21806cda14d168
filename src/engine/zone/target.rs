//! The names that records point at, whose addresses may go along with them. Must not know zones.

use crate::engine::wire::{name::Name, rr::RrType};

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
