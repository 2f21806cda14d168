//! Every name of every zone in one hash table, and the walk of RFC 1034 4.3.2 over it: exact name, cut, DNAME (RFC
//! 6672), wildcard (RFC 4592) or nothing. Nothing lies in the table below a cut, so what a cut occludes is not found.

use super::super::{
    types::ServiceId,
    wire::{fold, fragment::Fragment, rr::RrType},
};

/// The number of a node, or [`NONE`].
pub(super) type Link = u32;
/// No node.
pub(super) const NONE: Link = u32::MAX;
/// Instead of a service: the name tells clients what they are taken for.
pub(super) const REFLECT: u32 = u32::MAX - 1;

/// All zones, compiled.
#[derive(Debug, Default)]
pub struct Table {
    /// (hash's upper half, node) by the hash's lower bits; open addressing, at most half full.
    pub(super) slots: Box<[(u32, Link)]>,
    pub(super) nodes: Vec<Node>,
    /// Folded names in wire form, one after the other.
    pub(super) names: Vec<u8>,
    /// RRsets of all nodes: a node's are neighbours.
    pub(super) sets: Vec<(RrType, u32)>,
    /// Every encoded RRset.
    pub fragments: Vec<Fragment>,
    pub(super) zones: Vec<Zone>,
    /// The answer to type ANY (RFC 8482 4.2).
    pub(super) minimal: u32,
}

/// What stands at one name.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) name: (u32, u8),
    pub(super) parent: Link,
    pub(super) wildcard: Link,
    pub(super) sets: (u32, u16),
    pub(super) zone: u32,
    pub(super) service: u32,
    /// DS of an apex, which belongs to the zone above (RFC 4035 3.1.4.1), and that zone.
    pub(super) above: Option<(Option<u32>, u32)>,
    pub(super) kind: Kind,
}

/// What a name is to its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not a name of any zone: it only links an apex to the root, so that existence is monotone along a name.
    Bridge,
    /// An ordinary name, or an empty non-terminal.
    Plain,
    /// The zone's own name.
    Apex,
    /// Where a child zone begins.
    Cut,
}

#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub apex: Link,
    /// SOA with the TTL of negative answers (RFC 2308 3).
    pub negative: u32,
}

/// Where a name leads.
#[derive(Clone, Copy, Debug)]
pub enum Found<'t> {
    /// Outside all our zones.
    NotOurs,
    /// The name is there, itself or by the wildcard at this node.
    Here(&'t Node),
    /// A child zone begins at this node, at or above the name.
    Cut(&'t Node),
    /// A DNAME stands at this node, above the name.
    Redirect(&'t Node, &'t Fragment),
    /// No such name in the zone of this node, the closest encloser.
    NoName(&'t Node),
}

impl Table {
    /// Looks up a name in wire form with its [`fold::hash`].
    #[must_use]
    #[inline]
    pub fn find(&self, name: &[u8], hash: u64) -> Found<'_> {
        match self.probe(name, hash).map(|n| &self.nodes[n as usize]) {
            Some(node) if node.kind == Kind::Cut => Found::Cut(node),
            Some(node) if node.kind != Kind::Bridge => Found::Here(node),
            _ => self.enclosed(name),
        }
    }

    /// The slot that a look-up begins with, to be fetched ahead.
    #[must_use]
    pub fn slot(&self, hash: u64) -> Option<&(u32, Link)> {
        self.slots.get(hash as usize & self.slots.len().wrapping_sub(1))
    }

    /// A name that is not there itself: what its closest encloser makes of it.
    fn enclosed(&self, name: &[u8]) -> Found<'_> {
        let Some(mut node) = self.closest(name) else { return Found::NotOurs };
        while node.kind == Kind::Bridge {
            match self.nodes.get(node.parent as usize) {
                Some(parent) => node = parent,
                None => return Found::NotOurs,
            }
        }
        if node.kind == Kind::Cut {
            return Found::Cut(node);
        }
        if let Some(dname) = self.rrset(node, RrType::DNAME) {
            return Found::Redirect(node, dname);
        }
        match self.nodes.get(node.wildcard as usize) {
            Some(wildcard) => Found::Here(wildcard),
            None => Found::NoName(node),
        }
    }

    /// The deepest node above `name`. Every ancestor of a node is a node, so halving finds it.
    fn closest(&self, name: &[u8]) -> Option<&Node> {
        let mut starts = arrayvec::ArrayVec::<u8, 128>::new();
        let mut at = 0;
        while let Some(&len) = name.get(at).filter(|len| **len != 0) {
            at += 1 + len as usize;
            starts.try_push(at as u8).ok()?;
        }
        let (mut low, mut high) = (0, starts.len());
        let mut best = None;
        while low < high {
            let middle = usize::midpoint(low, high);
            let tail = &name[starts[middle] as usize..];
            match self.probe(tail, fold::hash(tail)) {
                Some(node) => {
                    best = Some(node);
                    high = middle;
                }
                None => low = middle + 1,
            }
        }
        best.map(|n| &self.nodes[n as usize])
    }

    #[inline]
    pub(super) fn probe(&self, name: &[u8], hash: u64) -> Option<Link> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let (tag, link) = self.slots[at];
            if link == NONE {
                return None;
            }
            if tag == (hash >> 32) as u32 && fold::same(self.name(&self.nodes[link as usize]), name) {
                return Some(link);
            }
            at = (at + 1) & mask;
        }
    }

    /// A node's folded name in wire form.
    #[must_use]
    pub fn name(&self, node: &Node) -> &[u8] {
        let (start, len) = node.name;
        &self.names[start as usize..start as usize + len as usize]
    }

    /// A node's RRset of one type.
    #[must_use]
    pub fn rrset(&self, node: &Node, rtype: RrType) -> Option<&Fragment> {
        let found = self.sets_of(node).iter().find(|(t, _)| *t == rtype)?;
        self.fragments.get(found.1 as usize)
    }

    /// Whether a node has records of its own.
    #[must_use]
    pub fn has_records(&self, node: &Node) -> bool {
        node.sets.1 > 0
    }

    fn sets_of(&self, node: &Node) -> &[(RrType, u32)] {
        &self.sets[node.sets.0 as usize..][..node.sets.1 as usize]
    }

    /// The SOA that goes with a negative answer of the node's zone, and the octets of the apex's name.
    #[must_use]
    pub fn negative(&self, node: &Node) -> Option<(&Fragment, u8)> {
        self.negative_of(node.zone)
    }

    fn negative_of(&self, zone: u32) -> Option<(&Fragment, u8)> {
        let zone = self.zones.get(zone as usize)?;
        let apex = self.nodes.get(zone.apex as usize)?;
        Some((self.fragments.get(zone.negative as usize)?, apex.name.1))
    }

    /// What ANY is answered with: one small HINFO that says so (RFC 8482 4.2).
    #[must_use]
    pub fn minimal(&self) -> Option<&Fragment> {
        self.fragments.get(self.minimal as usize)
    }

    /// The DS RRset of an apex whose parent zone is ours too, or the parent's SOA when it has none.
    #[must_use]
    pub fn above(&self, node: &Node) -> Option<Result<&Fragment, (&Fragment, u8)>> {
        let (ds, zone) = node.above?;
        match ds {
            Some(ds) => Some(Ok(self.fragments.get(ds as usize)?)),
            None => Some(Err(self.negative_of(zone)?)),
        }
    }
}

impl Node {
    /// What it is to its zone.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The zone that it belongs to.
    #[must_use]
    pub fn zone(&self) -> u32 {
        self.zone
    }

    /// Octets of its name.
    #[must_use]
    pub fn name_len(&self) -> u8 {
        self.name.1
    }

    /// The service whose name it is.
    #[must_use]
    pub fn service(&self) -> Option<ServiceId> {
        (self.service < REFLECT).then_some(ServiceId(self.service))
    }

    /// Whether it tells clients what they are taken for.
    #[must_use]
    pub fn is_reflect(&self) -> bool {
        self.service == REFLECT
    }
}
