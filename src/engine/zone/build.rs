//! Zones and services to a [`Table`]. The zones have been checked: what a check refuses is not looked for here.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ZoneSource,
    table::{Kind, Link, NONE, Node, REFLECT, Table, Zone},
};
use crate::engine::wire::{fold, fragment::Fragment, name::Name, rr::RrType};

/// RRsets of one owner: TTL and data by type.
pub(super) type Sets<'z> = BTreeMap<RrType, (u32, Vec<&'z [u8]>)>;

impl Table {
    /// Compiles zones, the names of services, which are numbered by their position, and the name that tells clients what
    /// they are taken for.
    #[must_use]
    pub fn build(zones: &[ZoneSource], services: &[&Name], reflect: Option<&Name>) -> Self {
        let mut builder = Builder::default();
        builder.table.minimal = builder.fragment(RrType::HINFO, 3600, &[b"\x07RFC8482\x00"]);
        let apexes: HashSet<&Name> = zones.iter().map(|z| &z.apex).collect();
        let mut cut_sets = Vec::new();
        for zone in zones {
            cut_sets.push(builder.zone(zone, &apexes));
        }
        let services = services.iter().zip(0..).map(|(name, id)| (*name, id));
        for (name, service) in services.chain(reflect.map(|name| (name, REFLECT))) {
            if let Some(zone) = closest_zone(zones, name) {
                let node = builder.node(name, zone as u32, &zones[zone].apex);
                builder.table.nodes[node as usize].service = service;
            }
        }
        builder.connect();
        for (id, (zone, sets)) in zones.iter().zip(&cut_sets).enumerate() {
            builder.extras(id as u32, zone, sets);
        }
        builder.lift_ds(zones, &cut_sets);
        builder.table
    }
}

fn closest_zone(zones: &[ZoneSource], name: &Name) -> Option<usize> {
    let holding = zones.iter().enumerate().filter(|(_, z)| name.is_within(&z.apex));
    holding.max_by_key(|(_, z)| z.apex.wire().len()).map(|(n, _)| n)
}

/// What a zone holds at or below its cuts.
pub(super) struct Below<'z> {
    /// The cuts' names.
    cuts: HashSet<Name>,
    /// Address RRsets that are not the zone's own, as fragments.
    pub(super) glue: HashMap<Name, Vec<u32>>,
    /// DS RRsets at cuts that are other zones of ours.
    ds: Vec<(Name, u32)>,
    pub(super) owners: HashMap<Name, Sets<'z>>,
}

#[derive(Default)]
pub(super) struct Builder {
    pub(super) table: Table,
    pub(super) by_name: HashMap<Name, Link>,
}

impl Builder {
    /// Adds a zone's nodes and RRsets; returns what the later passes need.
    fn zone<'z>(&mut self, zone: &'z ZoneSource, apexes: &HashSet<&Name>) -> Below<'z> {
        let id = self.table.zones.len() as u32;
        let apex = self.node(&zone.apex, id, &zone.apex);
        self.table.nodes[apex as usize].kind = Kind::Apex;
        self.table.nodes[apex as usize].zone = id;
        let mut below = Below { cuts: HashSet::new(), glue: HashMap::new(), ds: Vec::new(), owners: HashMap::new() };
        for record in &zone.records {
            let sets = below.owners.entry(record.owner.folded()).or_default();
            sets.entry(record.rtype).or_insert_with(|| (record.ttl, Vec::new())).1.push(&record.rdata);
            if record.rtype == RrType::NS && record.owner != zone.apex {
                below.cuts.insert(record.owner.folded());
            }
        }
        let children = apexes.iter().filter(|a| ***a != zone.apex && a.is_within(&zone.apex));
        below.cuts.extend(children.map(|a| a.folded()));
        let mut owners: Vec<_> = below.owners.iter().collect();
        owners.sort_by(|a, b| a.0.cmp(b.0)); // so that the table is the same for the same zones
        for (owner, sets) in owners {
            match top_cut(owner, &zone.apex, &below.cuts) {
                None => {
                    let node = self.node(owner, id, &zone.apex);
                    self.sets(node, sets.iter());
                }
                Some(cut) => {
                    let served = apexes.contains(&cut);
                    if let Some(parent) = cut.parent().filter(|_| served) {
                        self.node(&parent, id, &zone.apex); // what stands here makes the names above exist
                    }
                    if let (true, true, Some((ttl, data))) = (served, cut == *owner, sets.get(&RrType::DS)) {
                        let ds = self.fragment(RrType::DS, *ttl, data);
                        below.ds.push((owner.clone(), ds));
                    }
                    if !served && cut == *owner {
                        let node = self.node(owner, id, &zone.apex);
                        self.table.nodes[node as usize].kind = Kind::Cut;
                        self.sets(node, sets.iter().filter(|(t, _)| matches!(**t, RrType::NS | RrType::DS)));
                    }
                    for rtype in [RrType::A, RrType::AAAA] {
                        if let Some((ttl, data)) = sets.get(&rtype) {
                            let glue = self.fragment(rtype, *ttl, data);
                            below.glue.entry(owner.clone()).or_default().push(glue);
                        }
                    }
                }
            }
        }
        let soa = below.owners.get(&zone.apex).and_then(|s| s.get(&RrType::SOA));
        let negative = match soa {
            Some((ttl, data)) => {
                let minimum = data.first().and_then(|d| d.last_chunk::<4>()).map_or(0, |m| u32::from_be_bytes(*m));
                self.fragment(RrType::SOA, minimum.min(*ttl), data)
            }
            None => NONE,
        };
        self.table.zones.push(Zone { apex, negative });
        below
    }

    /// The node of a name inside `apex`'s zone, made with its ancestors when missing.
    fn node(&mut self, name: &Name, zone: u32, apex: &Name) -> Link {
        if let Some(&link) = self.by_name.get(name) {
            let node = &mut self.table.nodes[link as usize];
            if node.kind == Kind::Bridge {
                (node.kind, node.zone) = (Kind::Plain, zone);
                if let Some(parent) = name.parent().filter(|_| *name != *apex) {
                    self.node(&parent, zone, apex); // what lies between exists from now on, too
                }
            }
            return link;
        }
        let parent = match name.parent() {
            Some(parent) if *name != *apex => self.node(&parent, zone, apex),
            Some(parent) => self.bridge(&parent),
            None => NONE,
        };
        self.add(name, parent, zone, Kind::Plain)
    }

    /// The node of a name above an apex.
    fn bridge(&mut self, name: &Name) -> Link {
        if let Some(&link) = self.by_name.get(name) {
            return link;
        }
        let parent = name.parent().map_or(NONE, |p| self.bridge(&p));
        self.add(name, parent, NONE, Kind::Bridge)
    }

    fn add(&mut self, name: &Name, parent: Link, zone: u32, kind: Kind) -> Link {
        let folded = name.folded();
        let link = self.table.nodes.len() as Link;
        let start = self.table.names.len() as u32;
        self.table.names.extend_from_slice(folded.wire());
        self.table.nodes.push(Node {
            name: (start, folded.wire().len() as u8),
            parent,
            wildcard: NONE,
            sets: (0, 0),
            zone,
            service: NONE,
            above: None,
            kind,
        });
        self.by_name.insert(folded, link);
        link
    }

    fn sets<'a, 'z: 'a>(&mut self, node: Link, sets: impl Iterator<Item = (&'a RrType, &'a (u32, Vec<&'z [u8]>))>) {
        let start = self.table.sets.len();
        for (rtype, (ttl, data)) in sets {
            let fragment = self.fragment(*rtype, *ttl, data);
            self.table.sets.push((*rtype, fragment));
        }
        self.table.nodes[node as usize].sets = (start as u32, (self.table.sets.len() - start) as u16);
    }

    fn fragment(&mut self, rtype: RrType, ttl: u32, data: &[&[u8]]) -> u32 {
        self.table.fragments.push(Fragment::new(rtype, ttl, data));
        (self.table.fragments.len() - 1) as u32
    }

    /// Fills the hash table and the links from enclosers to their wildcards.
    fn connect(&mut self) {
        let table = &mut self.table;
        let size = (table.nodes.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, NONE); size].into_boxed_slice();
        for link in 0..table.nodes.len() {
            let node = &table.nodes[link];
            let name = table.name(node);
            let hash = fold::hash(name);
            let mut at = hash as usize & (size - 1);
            while slots[at].1 != NONE {
                at = (at + 1) & (size - 1);
            }
            slots[at] = ((hash >> 32) as u32, link as Link);
            let (wild, parent) = (name.starts_with(b"\x01*") && node.kind != Kind::Bridge, node.parent);
            if let Some(parent) = table.nodes.get_mut(parent as usize).filter(|_| wild) {
                parent.wildcard = link as Link;
            }
        }
        table.slots = slots;
    }

    /// Tells each apex whose parent zone is ours what the parent says of DS.
    fn lift_ds(&mut self, zones: &[ZoneSource], below: &[Below<'_>]) {
        for zone in zones {
            let Some(parent) = zone.apex.parent().and_then(|p| closest_zone(zones, &p)) else { continue };
            if top_cut(&zone.apex, &zones[parent].apex, &below[parent].cuts).as_ref() != Some(&zone.apex) {
                continue; // the parent's side lies in a zone between the two, which is delegated to others
            }
            let ds = below[parent].ds.iter().find(|(name, _)| *name == zone.apex).map(|(_, f)| *f);
            if let Some(&link) = self.by_name.get(&zone.apex) {
                self.table.nodes[link as usize].above = Some((ds, parent as u32));
            }
        }
    }
}

/// The highest cut at or above `owner`, below the apex.
fn top_cut(owner: &Name, apex: &Name, cuts: &HashSet<Name>) -> Option<Name> {
    if cuts.is_empty() {
        return None;
    }
    let mut top = None;
    let mut name = Some(owner.clone());
    while let Some(at) = name.filter(|n| n != apex) {
        name = at.parent();
        if cuts.contains(&at) {
            top = Some(at);
        }
    }
    top
}
