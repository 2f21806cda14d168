//! Zones and services to a [`Table`]. Zones whose inputs have not changed are taken over from the table before; what
//! links zones, and the index of all names, are made again each time.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    compiled::Zone,
    index::{Index, NamePlace},
    inputs::{Homes, Inputs},
    source::ZoneSource,
    table::{Bridge, Placed, Table},
};
use crate::engine::{
    types::{ServiceId, ZoneId},
    units::Ttl,
    wire::{fold, fragment::Fragment, name::Name, rr::RrType},
};

impl Table {
    /// Makes the table of zones, of the names of services, which are numbered by their position, and of the name that tells
    /// clients what they are taken for. It is the same whatever table was there before, which only saves compiling.
    #[must_use]
    pub fn build(
        sources: &[Arc<ZoneSource>],
        services: &[&Name],
        reflect: Option<&Name>,
        before: Option<&Self>,
    ) -> Self {
        let homes = Homes::new(sources);
        let zones = compiled(sources, &homes, Inputs::of_all(sources, &homes, services, reflect), before);
        let ids: HashMap<&Name, ServiceId> = services.iter().copied().zip((0..).map(ServiceId)).collect();
        let placed = zones.iter().zip(0..).map(|(zone, id)| {
            let apex = &zone.inputs.source.apex;
            let services = zone.services.iter().map(|name| ids.get(name).copied()).collect();
            let above = homes.around(apex).and_then(|parent| {
                let parent = zones.get(parent)?;
                let at = parent.delegated.binary_search_by(|(child, _)| child.cmp(apex)).ok()?;
                Some((Arc::clone(parent), at))
            });
            Placed { zone: Arc::clone(zone), id: ZoneId(id), services, above }
        });
        let mut table = Self {
            zones: placed.collect(),
            minimal: Some(Fragment::new(RrType::HINFO, Ttl(3600), &[b"\x07RFC8482\x00"])),
            ..Self::default()
        };
        table.connect();
        table
    }

    /// Fills the index, and makes the names above apexes that no zone has.
    fn connect(&mut self) {
        let apexes = self.zones.iter().map(|placed| &placed.zone.inputs.source.apex);
        let above: BTreeSet<Name> = apexes.flat_map(|apex| apex.tails().skip(1).filter_map(folded)).collect();
        let nodes = || self.zones.iter().map(|placed| placed.zone.nodes.len());
        let most = nodes().chain([above.len()]).max().unwrap_or(0);
        let mut index = Index::new(nodes().sum::<usize>() + above.len(), self.zones.len() + 1, most);
        for (Placed { zone: compiled, .. }, zone) in self.zones.iter().zip(0..) {
            for (entry, node) in compiled.nodes.iter().zip(0..) {
                index.insert(fold::hash(compiled.name(entry)), NamePlace { zone, node });
            }
        }
        self.index = index;
        // In canonical order a name comes before all below it.
        for name in above {
            if self.place(name.wire()).is_some() {
                continue;
            }
            let under = name.parent().and_then(|parent| self.place(parent.wire()));
            let under = under.and_then(|place| match self.bridge(place) {
                Some(bridge) => bridge.under,
                None => Some(place),
            });
            let place = NamePlace { zone: self.zones.len() as u32, node: self.bridges.len() as u32 };
            self.index.insert(fold::hash(name.wire()), place);
            self.bridges.push(Bridge { name, under });
        }
    }
}

fn folded(wire: &[u8]) -> Option<Name> {
    Name::from_wire(wire).ok().map(|name| name.folded())
}

/// The zones, in the order of their sources: lower ones are made first, since those above take addresses of them.
fn compiled(sources: &[Arc<ZoneSource>], homes: &Homes, inputs: Vec<Inputs>, before: Option<&Table>) -> Vec<Arc<Zone>> {
    let known = before.into_iter().flat_map(|table| &table.zones).map(|placed| &placed.zone);
    let known: HashMap<&Name, &Arc<Zone>> = known.map(|zone| (&zone.inputs.source.apex, zone)).collect();
    let mut inputs: Vec<(usize, Inputs)> = inputs.into_iter().enumerate().collect();
    inputs.sort_by_key(|(_, inputs)| Reverse(inputs.source.apex.wire().len()));
    let mut zones: Vec<Option<Arc<Zone>>> = vec![None; sources.len()];
    for (number, mut inputs) in inputs {
        inputs.take(homes, |lower| zones.get(lower)?.as_deref());
        let same = known.get(&inputs.source.apex).filter(|zone| zone.inputs == inputs);
        let zone = same.map_or_else(|| Arc::new(Zone::compile(inputs)), |zone| Arc::clone(zone));
        zones[number] = Some(zone);
    }
    zones.into_iter().flatten().collect()
}
