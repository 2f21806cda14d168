//! What a zone is compiled from: its file, and what it takes from outside, which is all that can make it another zone
//! while its file stays the same. Must not know how a zone is compiled.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
};

use super::{ZoneSource, compiled::Zone, extras};
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

    /// Takes what its records point at from lower zones; `lower` gives the zone of a number once it is compiled.
    pub(super) fn take<'z>(&mut self, homes: &Homes, lower: impl Fn(usize) -> Option<&'z Zone>) {
        if self.children.is_empty() {
            return;
        }
        for record in &self.source.records {
            let Some(target) = extras::target(record.rtype, &record.rdata) else { continue };
            if !target.is_within(&self.source.apex) || !self.is_lower(&target) {
                continue;
            }
            let Some(zone) = homes.of(&target).and_then(&lower) else { continue };
            let service = zone.service_at(&target).filter(|_| extras::may_be_steered(record.rtype));
            let service = service.and_then(|number| zone.services.get(number as usize));
            match self.taken.entry(target.folded()) {
                Entry::Occupied(mut known) => {
                    let known = &mut known.get_mut().service;
                    *known = known.take().or_else(|| service.cloned());
                }
                Entry::Vacant(place) => {
                    let addresses = zone.addresses(&target);
                    let addresses = addresses.iter().filter_map(|number| zone.fragments.get(*number as usize));
                    let taken = LowerName { addresses: addresses.cloned().collect(), service: service.cloned() };
                    if taken.service.is_some() || !taken.addresses.is_empty() {
                        place.insert(taken);
                    }
                }
            }
        }
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
