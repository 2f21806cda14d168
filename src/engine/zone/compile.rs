//! From a zone's inputs to the zone: a pure function, so that a zone whose inputs stay the same need not be compiled
//! again. The zone has been checked: what a check refuses is not looked for here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    compiled::{Kind, NONE, Node, REFLECT, Zone},
    inputs::Inputs,
    source::{Beside, Owners, Sets},
};
use crate::engine::{
    units::Ttl,
    wire::{fragment::Fragment, name::Name, rr::RrType},
};

/// What is to stand at each name.
struct Layout<'z> {
    apex: &'z Name,
    /// Kinds, and positions of services.
    names: BTreeMap<Name, (Kind, u32)>,
    /// The folded names where child zones begin, and whether each is a zone of ours.
    cuts: HashMap<Box<[u8]>, bool>,
}

impl Zone {
    pub(super) fn compile(inputs: Inputs) -> Self {
        let source = Arc::clone(&inputs.source);
        let mut owners = Owners::new();
        for record in &source.records {
            let sets = owners.entry(record.owner.folded()).or_default();
            sets.entry(record.rtype).or_insert_with(|| (record.ttl, Vec::new())).1.push(&record.rdata);
        }
        let mut layout = Layout::new(&source.apex, &owners, &inputs);
        let mut zone = Self {
            services: inputs.services.clone(),
            inputs,
            nodes: Vec::new(),
            names: Vec::new(),
            sets: Vec::new(),
            fragments: Vec::new(),
            negative: None,
            delegated: Vec::new(),
        };
        let mut beside = Beside::default();
        zone.own(&mut layout, &owners, &mut beside);
        zone.steer(&mut layout);
        zone.lay(&layout, &owners);
        zone.delegate(&layout, &owners);
        zone.take(&mut beside);
        zone.negative = owners.get(&source.apex).and_then(|sets| sets.get(&RrType::SOA)).map(|(ttl, data)| {
            let minimum =
                data.first().and_then(|d| d.last_chunk::<4>()).map_or(Ttl(0), |m| Ttl(u32::from_be_bytes(*m)));
            Fragment::new(RrType::SOA, minimum.min(*ttl), data)
        });
        zone.extras(&owners, &beside);
        zone.trim();
        zone
    }

    /// Finds the names that records make exist, and encodes the addresses below cuts.
    fn own(&mut self, layout: &mut Layout<'_>, owners: &Owners<'_>, beside: &mut Beside) {
        for (owner, sets) in owners {
            let Some((cut, ours)) = layout.top_cut(owner) else {
                layout.exist(owner);
                continue;
            };
            if ours {
                // What is written below makes the names above the lower zone exist.
                if let Some(above) = Name::from_wire(cut).ok().and_then(|cut| cut.parent()) {
                    layout.exist(&above);
                }
            } else if cut.len() == owner.wire().len() {
                layout.exist(owner).0 = Kind::Cut;
            }
            for rtype in [RrType::A, RrType::AAAA] {
                if let Some((ttl, data)) = sets.get(&rtype) {
                    let glue = self.encode(rtype, *ttl, data);
                    beside.glue.entry(owner.clone()).or_default().push(glue);
                }
            }
        }
    }

    /// Gives their names to services, and to what tells clients what they are taken for.
    fn steer(&self, layout: &mut Layout<'_>) {
        for (name, number) in self.services.iter().zip(0..) {
            layout.exist(name).1 = number;
        }
        if let Some(name) = &self.inputs.reflect {
            layout.exist(name).1 = REFLECT;
        }
    }

    /// Makes the nodes with their RRsets, and links enclosers to their wildcards.
    fn lay(&mut self, layout: &Layout<'_>, owners: &Owners<'_>) {
        for (name, &(kind, service)) in &layout.names {
            let (start, first) = (self.names.len() as u32, self.sets.len());
            self.names.extend_from_slice(name.wire());
            for (rtype, (ttl, data)) in owners.get(name).into_iter().flatten() {
                if kind != Kind::Cut || matches!(*rtype, RrType::NS | RrType::DS) {
                    let fragment = self.encode(*rtype, *ttl, data);
                    self.sets.push((*rtype, fragment));
                }
            }
            let (name, sets) = ((start, name.wire().len() as u8), (first as u32, (self.sets.len() - first) as u16));
            self.nodes.push(Node { name, wildcard: NONE, sets, service, kind });
        }
        for (name, link) in layout.names.keys().zip(0..) {
            let encloser = name.parent().filter(|_| name.is_wildcard()).and_then(|parent| self.exact(&parent));
            if let Some(encloser) = encloser.and_then(|at| self.nodes.get_mut(at as usize)) {
                encloser.wildcard = link;
            }
        }
    }

    /// Notes the lower zones of ours that no other cut stands above, and what is said of DS of each.
    fn delegate(&mut self, layout: &Layout<'_>, owners: &Owners<'_>) {
        for child in &self.inputs.children {
            if layout.top_cut(child).is_some_and(|(cut, _)| cut.len() == child.wire().len()) {
                let ds = owners.get(child).and_then(|sets| sets.get(&RrType::DS));
                let ds = ds.map(|(ttl, data)| Fragment::new(RrType::DS, *ttl, data));
                self.delegated.push((child.clone(), ds));
            }
        }
    }

    /// Copies what is taken of lower zones.
    fn take(&mut self, beside: &mut Beside) {
        for (name, taken) in &self.inputs.taken {
            let first = self.fragments.len();
            self.fragments.extend(taken.addresses.iter().cloned());
            let addresses = (first..self.fragments.len()).map(|number| number as u32).collect();
            let service = taken.service.as_ref().map(|service| {
                let known = self.services.iter().position(|known| known == service);
                known.unwrap_or_else(|| {
                    self.services.push(service.clone());
                    self.services.len() - 1
                }) as u32
            });
            beside.taken.insert(name.clone(), (addresses, service));
        }
    }

    fn encode(&mut self, rtype: RrType, ttl: Ttl, data: &[&[u8]]) -> u32 {
        self.fragments.push(Fragment::new(rtype, ttl, data));
        (self.fragments.len() - 1) as u32
    }

    /// Gives back the room that nothing came into.
    fn trim(&mut self) {
        self.nodes.shrink_to_fit();
        self.names.shrink_to_fit();
        self.sets.shrink_to_fit();
        self.fragments.shrink_to_fit();
    }
}

impl<'z> Layout<'z> {
    fn new(apex: &'z Name, owners: &Owners<'_>, inputs: &Inputs) -> Self {
        let delegates = |(owner, sets): &(&Name, &Sets<'_>)| *owner != apex && sets.contains_key(&RrType::NS);
        let written = owners.iter().filter(delegates).map(|(owner, _)| (owner.wire().into(), false));
        let served = inputs.children.iter().map(|child| (child.wire().into(), true));
        let names = BTreeMap::from([(apex.folded(), (Kind::Apex, NONE))]);
        Self { apex, names, cuts: written.chain(served).collect() }
    }

    /// Makes a name and all between it and the apex exist.
    fn exist(&mut self, name: &Name) -> &mut (Kind, u32) {
        let mut above = name.parent();
        while let Some(name) = above.filter(|name| name.is_within(self.apex) && !self.names.contains_key(name)) {
            above = name.parent();
            self.names.insert(name, (Kind::Plain, NONE));
        }
        self.names.entry(name.clone()).or_insert((Kind::Plain, NONE))
    }

    /// The highest cut at or above a folded name, below the apex, and whether it is a zone of ours.
    fn top_cut<'n>(&self, name: &'n Name) -> Option<(&'n [u8], bool)> {
        if self.cuts.is_empty() {
            return None;
        }
        let below = name.tails().take_while(|tail| tail.len() > self.apex.wire().len());
        below.filter_map(|tail| self.cuts.get(tail).map(|ours| (tail, *ours))).last()
    }
}
