//! The records of a zone while it is compiled: by owner and type, and those that no node gets. Must not know what is made
//! of them.

use std::collections::{BTreeMap, HashMap};

use crate::engine::{
    units::Ttl,
    wire::{name::Name, rr::RrType},
};

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
