//! The names of a zone as a tree: every owner and every name above one, up to the apex; and the zone that the rules
//! look at by them. Must not know rules.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use crate::{
    config::fault::Place,
    engine::{
        wire::{name::Name, rr::RrType},
        zone::ZoneRecord,
    },
};

/// All names of a zone, and their records by type.
#[derive(Debug)]
pub(super) struct Nodes {
    by_name: HashMap<Box<[u8]>, u32>,
    nodes: Vec<Node>,
    /// Numbers of records by node, type and place in the file.
    order: Vec<u32>,
}

/// One name. Parents stand before their children.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The name above; the apex is its own.
    pub(super) parent: u32,
    /// Where its records begin and end in the order.
    range: Range<usize>,
    /// The highest delegation strictly above it, inside the zone.
    pub(super) cut: Option<u32>,
    /// The nearest DNAME strictly above it, inside the zone.
    pub(super) dname: Option<u32>,
}

/// What a name meets in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// A name of the zone, or the wildcard that answers for it.
    Node(u32),
    /// A delegation or a DNAME above the name: another place has the answer.
    Elsewhere,
    /// Nothing.
    Nothing,
}

impl Nodes {
    /// Of these records; all lie within `apex`.
    pub(super) fn of(apex: &Name, records: &[ZoneRecord]) -> Self {
        let mut built =
            Self { by_name: HashMap::with_capacity(records.len()), nodes: vec![Node::default()], order: Vec::new() };
        built.by_name.insert(apex.folded().wire().into(), 0);
        let apex_octets = apex.wire().len();
        let mut last: Option<(&Name, u32)> = None;
        let of_record: Vec<u32> = records
            .iter()
            .map(|record| {
                let node = match last {
                    Some((owner, node)) if *owner == record.owner => node,
                    _ => built.grow(record.owner.folded().wire(), apex_octets),
                };
                last = Some((&record.owner, node));
                node
            })
            .collect();
        built.order = (0..records.len() as u32).collect();
        built.order.sort_by_key(|&number| (of_record[number as usize], records[number as usize].rtype));
        let mut start = 0;
        for run in built.order.chunk_by(|&a, &b| of_record[a as usize] == of_record[b as usize]) {
            built.nodes[of_record[run[0] as usize] as usize].range = start..start + run.len();
            start += run.len();
        }
        built.look_up(records);
        built
    }

    /// The node of a name in small letters within the zone, made with all above it where missing.
    fn grow(&mut self, wire: &[u8], apex_octets: usize) -> u32 {
        if let Some(&node) = self.by_name.get(wire) {
            return node;
        }
        let mut missing = Vec::new();
        let mut rest = wire;
        let mut parent = 0;
        while rest.len() > apex_octets {
            if let Some(&node) = self.by_name.get(rest) {
                parent = node;
                break;
            }
            missing.push(rest);
            rest = above(rest);
        }
        for name in missing.into_iter().rev() {
            let node = self.nodes.len() as u32;
            self.nodes.push(Node { parent, ..Node::default() });
            self.by_name.insert(name.into(), node);
            parent = node;
        }
        parent
    }

    fn look_up(&mut self, records: &[ZoneRecord]) {
        for node in 1..self.nodes.len() {
            let parent = self.nodes[node].parent;
            let (cut, dname) = {
                let above = &self.nodes[parent as usize];
                (above.cut, above.dname)
            };
            let has = |rtype| !self.set(parent, rtype, records).is_empty();
            let cut = cut.or_else(|| (parent != 0 && has(RrType::NS)).then_some(parent));
            let dname = has(RrType::DNAME).then_some(parent).or(dname);
            (self.nodes[node].cut, self.nodes[node].dname) = (cut, dname);
        }
    }

    /// The zone's own name.
    pub(super) fn apex(&self) -> u32 {
        0
    }

    /// Every node with its number.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0u32..).zip(&self.nodes)
    }

    /// One node.
    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// The numbers of a node's records, by type and then in the file's order.
    pub(super) fn records(&self, node: u32) -> &[u32] {
        &self.order[self.node(node).range.clone()]
    }

    /// A node's RRsets: numbers of records of one type each.
    pub(super) fn sets<'n>(&'n self, node: u32, records: &'n [ZoneRecord]) -> impl Iterator<Item = &'n [u32]> {
        self.records(node).chunk_by(|&a, &b| records[a as usize].rtype == records[b as usize].rtype)
    }

    /// The numbers of a node's records of one type.
    pub(super) fn set(&self, node: u32, rtype: RrType, records: &[ZoneRecord]) -> &[u32] {
        let all = self.records(node);
        let start = all.partition_point(|&number| records[number as usize].rtype < rtype);
        let end = all.partition_point(|&number| records[number as usize].rtype <= rtype);
        &all[start..end]
    }

    /// Whether a node has an address.
    pub(super) fn has_address(&self, node: u32, records: &[ZoneRecord]) -> bool {
        [RrType::A, RrType::AAAA].into_iter().any(|rtype| !self.set(node, rtype, records).is_empty())
    }

    /// The node of exactly this name.
    pub(super) fn exact(&self, name: &Name) -> Option<u32> {
        self.by_name.get(name.folded().wire()).copied()
    }

    /// The node of a name, or the closest above it, and whether it is the name's own.
    fn closest(&self, name: &Name) -> Option<(u32, bool)> {
        let folded = name.folded();
        let mut rest = folded.wire();
        let mut closest = self.by_name.get(rest).copied();
        let exists = closest.is_some();
        while closest.is_none() && rest.len() > 1 {
            rest = above(rest);
            closest = self.by_name.get(rest).copied();
        }
        closest.map(|closest| (closest, exists))
    }

    /// What the zone's data say of a name within it (RFC 1034 4.3.2, RFC 4592).
    pub(super) fn find(&self, name: &Name, records: &[ZoneRecord]) -> Met {
        let Some((closest, exists)) = self.closest(name) else { return Met::Nothing };
        let node = self.node(closest);
        let has = |rtype| !self.set(closest, rtype, records).is_empty();
        if node.cut.is_some()
            || node.dname.is_some()
            || !exists && (closest != 0 && has(RrType::NS) || has(RrType::DNAME))
        {
            return Met::Elsewhere;
        }
        if exists {
            return Met::Node(closest);
        }
        self.wildcard(name).map_or(Met::Nothing, Met::Node)
    }

    /// The wildcard below the closest name above one that does not exist.
    fn wildcard(&self, name: &Name) -> Option<u32> {
        let folded = name.folded();
        let mut rest = folded.wire();
        while !self.by_name.contains_key(rest) && rest.len() > 1 {
            rest = above(rest);
        }
        self.by_name.get(&[b"\x01*", rest].concat()[..]).copied()
    }

    /// The node above a name whose DNAME leads elsewhere for it; none where a delegation comes first.
    pub(super) fn dname_of(&self, name: &Name, records: &[ZoneRecord]) -> Option<u32> {
        let (closest, exists) = self.closest(name)?;
        let node = self.node(closest);
        let has = |rtype| !exists && !self.set(closest, rtype, records).is_empty();
        if node.cut.is_some() || closest != 0 && has(RrType::NS) {
            return None;
        }
        node.dname.or(has(RrType::DNAME).then_some(closest))
    }
}

/// A name in wire form without its first label.
fn above(wire: &[u8]) -> &[u8] {
    let first = wire.first().map_or(0, |&length| usize::from(length));
    wire.get(first + 1..).unwrap_or(&[0])
}

/// A zone that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone<'z> {
    pub(super) apex: &'z Name,
    pub(super) records: &'z [ZoneRecord],
    pub(super) places: &'z [Place],
    pub(super) nodes: &'z Nodes,
    pub(super) steered: &'z BTreeSet<Name>,
}

impl Zone<'_> {
    /// The place of a record.
    pub(super) fn place(&self, record: u32) -> Place {
        self.places[record as usize].clone()
    }

    /// Whether a name has addresses that are not in the file: a service's, or one that a service's wildcard covers.
    pub(super) fn is_steered(&self, name: &Name) -> bool {
        let mut above = name.parent();
        let covered = std::iter::from_fn(|| {
            let here = above.take()?;
            above = here.parent().filter(|_| here != *self.apex);
            Some(here)
        });
        self.steered.contains(name)
            || !self.steered.is_empty()
                && self.nodes.exact(name).is_none()
                && covered.filter_map(|above| above.prepend(b"*").ok()).any(|wildcard| self.steered.contains(&wildcard))
    }

    /// The record of this number.
    pub(super) fn record(&self, record: u32) -> &ZoneRecord {
        &self.records[record as usize]
    }
}
