//! What a zone is compiled from: its file, and what it takes from outside, which is all that can make it another zone
//! while its file stays the same. Must not know how a zone is compiled.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::source::ZoneSource;
use crate::engine::wire::{fragment::Fragment, name::Name};

/// All that a zone is compiled from: equal inputs make equal zones. Names of services stand for the services, whose
/// numbers another zone's services move.
#[derive(Debug, PartialEq)]
pub(super) struct Inputs {
    /// Its records.
    pub(super) source: Arc<ZoneSource>,
    /// Zones of ours that begin in it, folded, in canonical order.
    pub(super) children: Vec<Name>,
    /// Names of services that lie in it, folded, in canonical order, each once.
    pub(super) services: Vec<Name>,
    /// The name that tells clients what they are taken for, if it lies in the zone.
    pub(super) reflect: Option<Name>,
    /// What lower zones of ours have at names that its records point at, where they have anything.
    pub(super) taken: BTreeMap<Name, LowerName>,
}

/// What a lower zone has at a name.
#[derive(Debug, PartialEq)]
pub(super) struct LowerName {
    /// Its address RRsets.
    pub(super) addresses: Vec<Fragment>,
    /// The service that answers for the name, if a record points at the name that may bring its addresses.
    pub(super) service: Option<Name>,
}

/// Which zone a name lies in.
pub(super) struct Homes {
    /// Numbers of zones by their folded names.
    by_apex: HashMap<Box<[u8]>, usize>,
}

impl Homes {
    pub(super) fn new(sources: &[Arc<ZoneSource>]) -> Self {
        let by_apex = sources.iter().enumerate().map(|(n, source)| (source.apex.folded().wire().into(), n));
        Self { by_apex: by_apex.collect() }
    }

    /// The closest zone at or above a name.
    pub(super) fn of(&self, name: &Name) -> Option<usize> {
        name.folded().tails().find_map(|tail| self.by_apex.get(tail).copied())
    }

    /// The zone that another one begins in.
    pub(super) fn around(&self, apex: &Name) -> Option<usize> {
        self.of(&apex.parent()?)
    }
}

impl Inputs {
    /// The inputs of every zone, without what they take of lower zones.
    pub(super) fn of_all(
        sources: &[Arc<ZoneSource>],
        homes: &Homes,
        services: &[&Name],
        reflect: Option<&Name>,
    ) -> Vec<Self> {
        let bare = |source: &Arc<ZoneSource>| Self {
            source: Arc::clone(source),
            children: Vec::new(),
            services: Vec::new(),
            reflect: None,
            taken: BTreeMap::new(),
        };
        let mut all: Vec<Self> = sources.iter().map(bare).collect();
        for source in sources {
            if let Some(parent) = homes.around(&source.apex) {
                all[parent].children.push(source.apex.folded());
            }
        }
        for name in services {
            if let Some(home) = homes.of(name) {
                all[home].services.push(name.folded());
            }
        }
        if let Some((name, home)) = reflect.and_then(|name| Some((name, homes.of(name)?))) {
            all[home].reflect = Some(name.folded());
        }
        for inputs in &mut all {
            inputs.children.sort();
            inputs.services.sort();
            inputs.services.dedup();
        }
        all
    }

    /// Whether a name inside the zone lies in a lower zone of ours.
    pub(super) fn is_lower(&self, name: &Name) -> bool {
        let apex = self.source.apex.wire().len();
        let mut at = Some(name.clone());
        while let Some(name) = at.filter(|name| name.wire().len() > apex && !self.children.is_empty()) {
            if self.children.binary_search(&name).is_ok() {
                return true;
            }
            at = name.parent();
        }
        false
    }
}
