//! What a zone takes of the zones of ours that begin in it, which are compiled before it. Must not know how a zone is
//! compiled.

use std::collections::btree_map::Entry;

use super::{
    compiled::Zone,
    inputs::{Homes, Inputs, LowerName},
    source,
};

impl Inputs {
    /// Takes what its records point at from lower zones; `lower` gives the zone of a number once it is compiled.
    pub(super) fn take<'z>(&mut self, homes: &Homes, lower: impl Fn(usize) -> Option<&'z Zone>) {
        if self.children.is_empty() {
            return;
        }
        for record in &self.source.records {
            let Some(target) = source::of_record(record.rtype, &record.rdata) else { continue };
            if !target.is_within(&self.source.apex) || !self.is_lower(&target) {
                continue;
            }
            let Some(zone) = homes.of(&target).and_then(&lower) else { continue };
            let service = zone.service_at(&target).filter(|_| source::may_be_steered(record.rtype));
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
}
