//! Whose addresses go along with NS, MX, SRV, SVCB and HTTPS records, found once, when zones are compiled. Must not know
//! how anything is decided: of a steered name only the service is noted.

use std::collections::HashSet;

use super::{
    ZoneSource,
    build::{Below, Builder},
    table::{Found, Kind, Link},
};
use crate::engine::wire::{
    fold,
    fragment::{Extra, Held},
    name::Name,
    reply::MAX_TARGETS,
    rr::RrType,
};

/// An RRset of a node, as a fragment.
struct Set {
    node: Link,
    fragment: u32,
    rtype: RrType,
}

impl Builder {
    /// Finds the addresses of targets inside the zone: those that zone files have, and, of SRV, SVCB and HTTPS records, the
    /// services that are decided for each client.
    pub(super) fn extras(&mut self, id: u32, zone: &ZoneSource, below: &Below<'_>) {
        for (owner, sets) in &below.owners {
            let Some(&link) = self.by_name.get(owner) else { continue };
            if self.table.nodes[link as usize].zone != id {
                continue; // what this zone says of another zone's name is not what is answered
            }
            for rtype in [RrType::NS, RrType::MX, RrType::SRV, RrType::SVCB, RrType::HTTPS] {
                let Some((_, data)) = sets.get(&rtype) else { continue };
                let node = &self.table.nodes[link as usize];
                let of_node = &self.table.sets[node.sets.0 as usize..][..node.sets.1 as usize];
                let Some(&(_, fragment)) = of_node.iter().find(|(t, _)| *t == rtype) else { continue };
                let cut = (node.kind == Kind::Cut).then_some(owner);
                let mut extras = self.held(&Set { node: link, fragment, rtype }, data, &zone.apex, below, cut);
                extras.extend(self.decided(&Set { node: link, fragment, rtype }, data, &zone.apex));
                self.table.fragments[fragment as usize].bring(extras);
            }
        }
    }

    /// Addresses that zone files have.
    fn held(&self, set: &Set, data: &[&[u8]], apex: &Name, below: &Below<'_>, cut: Option<&Name>) -> Vec<Extra> {
        let mut extras = Vec::new();
        let mut seen = HashSet::new();
        for (at, target, _) in self.targets(set, data) {
            let Some(target) = target.filter(|target| target.is_within(apex) && seen.insert(target.clone())) else {
                continue;
            };
            let mut addresses = self.static_addresses(&target);
            if let Some(glue) = below.glue.get(&target).filter(|_| cut.is_some() && addresses.is_empty()) {
                addresses.clone_from(glue);
            }
            let required = cut.is_some_and(|cut| target.is_within(cut));
            extras.extend(addresses.iter().map(|f| Extra { at, of: Held::Rrset(*f), required }));
        }
        extras
    }

    /// Steered targets, the first few. Nobody would believe us addresses outside the zone; and what NS and MX records say
    /// is the same for everybody.
    fn decided(&self, set: &Set, data: &[&[u8]], apex: &Name) -> Vec<Extra> {
        let mut extras = Vec::new();
        let mut seen = HashSet::new();
        if !matches!(set.rtype, RrType::SRV | RrType::SVCB | RrType::HTTPS) {
            return extras;
        }
        for (at, target, rdata) in self.targets(set, data) {
            let (at, node) = match &target {
                Some(target) if !target.is_within(apex) => continue,
                Some(target) => match self.table.find(target.wire(), fold::hash(target.wire())) {
                    Found::Here(node) => (at, node),
                    _ => continue,
                },
                // The record's own name, where it is for a service (RFC 9460 2.5.2).
                None if set.rtype != RrType::SRV && !rdata.starts_with(&[0, 0]) => {
                    (0, &self.table.nodes[set.node as usize])
                }
                None => continue,
            };
            let name = target.map_or_else(|| self.table.name(node).to_vec(), |target| target.wire().to_vec());
            if let Some(service) = node.service().filter(|_| extras.len() < MAX_TARGETS && seen.insert(name)) {
                extras.push(Extra { at, of: Held::Service(service), required: false });
            }
        }
        extras
    }

    /// Where each record's target stands, the target, folded, unless it is the root, and the record's data.
    fn targets<'d>(
        &self,
        set: &Set,
        data: &'d [&'d [u8]],
    ) -> impl Iterator<Item = (u16, Option<Name>, &'d [u8])> + use<'_, 'd> {
        let skip = match set.rtype {
            RrType::NS => 0,
            RrType::SRV => 6,
            _ => 2,
        };
        let places = self.table.fragments[set.fragment as usize].target_offsets();
        places.zip(data).map(move |(at, rdata)| {
            let target = rdata.get(skip..).and_then(leading_name);
            (at as u16, target.map(|name| name.folded()), *rdata)
        })
    }

    /// The address RRsets that the zone itself has at a name.
    fn static_addresses(&self, name: &Name) -> Vec<u32> {
        let Some(&link) = self.by_name.get(name) else { return Vec::new() };
        let node = &self.table.nodes[link as usize];
        if node.kind == Kind::Cut {
            return Vec::new();
        }
        let sets = &self.table.sets[node.sets.0 as usize..][..node.sets.1 as usize];
        sets.iter().filter(|(t, _)| matches!(*t, RrType::A | RrType::AAAA)).map(|(_, f)| *f).collect()
    }
}

/// The uncompressed name at the start of a record's data, unless it is the root ("no target": RFC 2782, RFC 7505).
fn leading_name(data: &[u8]) -> Option<Name> {
    let mut end = 0;
    while let Some(&len) = data.get(end).filter(|len| **len != 0) {
        end += 1 + len as usize;
    }
    Name::from_wire(data.get(..=end)?).ok().filter(|n| n.wire().len() > 1)
}
