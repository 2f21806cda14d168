//! Whose addresses go along with NS, MX, SRV, SVCB and HTTPS records, found once, when a zone is compiled. Must not know
//! how anything is decided: of a steered name only the service is noted.

use std::collections::HashSet;

use super::{
    compiled::{Kind, Link, REFLECT, Zone},
    source,
    source::{Beside, Owners},
};
use crate::engine::wire::{
    fragment::{Extra, Held},
    name::Name,
    reply::MAX_TARGETS,
    rr::RrType,
};

/// The types whose records bring addresses along.
const TYPES: [RrType; 5] = [RrType::NS, RrType::MX, RrType::SRV, RrType::SVCB, RrType::HTTPS];

/// An RRset of a node, as a fragment.
struct Set<'d> {
    node: Link,
    fragment: u32,
    rtype: RrType,
    data: &'d [&'d [u8]],
}

impl Zone {
    /// Finds the addresses of targets inside the zone: those that zone files have, and, of SRV, SVCB and HTTPS records, the
    /// services that are decided for each client.
    pub(super) fn extras(&mut self, owners: &Owners<'_>, beside: &Beside) {
        for (owner, sets) in owners {
            for rtype in TYPES {
                let Some((_, data)) = sets.get(&rtype) else { continue };
                // What is written of a name in another zone is not what is answered.
                let Some(link) = self.exact(owner) else { continue };
                let node = &self.nodes[link as usize];
                let Some(fragment) = self.set(node, rtype) else { continue };
                let cut = (node.kind == Kind::Cut).then_some(owner);
                let set = Set { node: link, fragment, rtype, data };
                let mut extras = self.held(&set, beside, cut);
                extras.extend(self.decided(&set, beside));
                self.fragments[fragment as usize].bring(extras);
            }
        }
    }

    /// Addresses that zone files have.
    fn held(&self, set: &Set<'_>, beside: &Beside, cut: Option<&Name>) -> Vec<Extra> {
        let mut extras = Vec::new();
        let mut seen = HashSet::new();
        let apex = &self.inputs.source.apex;
        for (at, target, _) in self.targets(set) {
            let Some(target) = target.filter(|target| target.is_within(apex) && seen.insert(target.clone())) else {
                continue;
            };
            let mut addresses = match beside.taken.get(&target) {
                Some((taken, _)) => taken.clone(),
                None => self.addresses(&target),
            };
            if let Some(glue) = beside.glue.get(&target).filter(|_| cut.is_some() && addresses.is_empty()) {
                addresses.clone_from(glue);
            }
            let required = cut.is_some_and(|cut| target.is_within(cut));
            extras.extend(addresses.iter().map(|f| Extra { at, of: Held::Rrset(*f), required }));
        }
        extras
    }

    /// Steered targets, the first few. No resolver would believe addresses from us that lie outside the zone; and what NS
    /// and MX records say is the same for all clients.
    fn decided(&self, set: &Set<'_>, beside: &Beside) -> Vec<Extra> {
        let mut extras = Vec::new();
        let mut seen = HashSet::new();
        if !source::may_be_steered(set.rtype) {
            return extras;
        }
        let (apex, own) = (&self.inputs.source.apex, &self.nodes[set.node as usize]);
        for (at, target, rdata) in self.targets(set) {
            let (at, service) = match &target {
                Some(target) if !target.is_within(apex) => continue,
                Some(target) if self.inputs.is_lower(target) => {
                    (at, beside.taken.get(target).and_then(|taken| taken.1))
                }
                Some(target) => (at, self.service_at(target)),
                // The record's own name, where it is for a service (RFC 9460 2.5.2).
                None if set.rtype != RrType::SRV && !rdata.starts_with(&[0, 0]) => {
                    (0, Some(own.service).filter(|number| *number < REFLECT))
                }
                None => continue,
            };
            let name = target.map_or_else(|| self.name(own).to_vec(), |target| target.wire().to_vec());
            if let Some(service) = service.filter(|_| extras.len() < MAX_TARGETS && seen.insert(name)) {
                extras.push(Extra { at, of: Held::Service(service), required: false });
            }
        }
        extras
    }

    /// Where each record's target stands, the target, folded, unless it is the root, and the record's data.
    fn targets<'d>(&self, set: &Set<'d>) -> impl Iterator<Item = (u16, Option<Name>, &'d [u8])> + use<'_, 'd> {
        let (places, rtype) = (self.fragments[set.fragment as usize].target_offsets(), set.rtype);
        places
            .zip(set.data)
            .map(move |(at, rdata)| (at as u16, source::of_record(rtype, rdata).map(|name| name.folded()), *rdata))
    }
}
