//! Every name of every zone in one index, and the walk of RFC 1034 4.3.2 over it: exact name, cut, DNAME (RFC 6672),
//! wildcard (RFC 4592) or nothing. Must not know how zones are compiled.

use std::sync::Arc;

use super::{
    compiled::{Node, REFLECT, Zone},
    index::{Index, NamePlace, Slot},
    source::ZoneSource,
};
use crate::engine::{
    types::{ServiceId, ZoneId},
    wire::{fold, fragment::Fragment, name::Name, rr::RrType},
};

pub use super::compiled::Kind;

/// All zones. Each is shared with the tables before and after this one in which it is the same.
#[derive(Debug, Default)]
pub struct Table {
    /// Places of nodes; behind the last zone, places of bridges.
    pub(super) index: Index,
    /// In the order in which they were given.
    pub(super) zones: Vec<Placed>,
    /// Names above apexes that no zone has, so that existence is monotone along a name.
    pub(super) bridges: Vec<Bridge>,
    /// The answer to type ANY (RFC 8482 4.2).
    pub(super) minimal: Option<Fragment>,
}

/// A zone, with what belongs to this table alone.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) zone: Arc<Zone>,
    pub(super) id: ZoneId,
    /// The services that the zone names by their position.
    pub(super) services: Box<[Option<ServiceId>]>,
    /// The zone of ours that delegates this one, and where in its list.
    pub(super) above: Option<(Arc<Zone>, usize)>,
}

/// A name that links an apex to what is above it.
#[derive(Debug)]
pub(super) struct Bridge {
    /// Folded.
    pub(super) name: Name,
    /// The closest name above it that a zone has.
    pub(super) under: Option<NamePlace>,
}

/// What stands at one name of a zone.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'t> {
    home: &'t Placed,
    node: &'t Node,
}

/// What a place holds.
enum Entry<'t> {
    Node(NodeRef<'t>),
    Bridge(&'t Bridge),
}

/// Where a name leads.
#[derive(Clone, Copy, Debug)]
pub enum Found<'t> {
    /// Outside all our zones.
    NotOurs,
    /// The name is there, itself or by the wildcard at this node.
    Here(NodeRef<'t>),
    /// A child zone begins at this node, at or above the name.
    Cut(NodeRef<'t>),
    /// A DNAME stands at this node, above the name.
    Redirect(NodeRef<'t>, &'t Fragment),
    /// No such name in the zone of this node, the closest encloser.
    NoName(NodeRef<'t>),
}

impl Table {
    /// Looks up a name in wire form with its [`fold::hash`].
    #[must_use]
    #[inline]
    pub fn find(&self, name: &[u8], hash: u64) -> Found<'_> {
        match self.probe(name, hash) {
            Some(Entry::Node(at)) if at.node.kind == Kind::Cut => Found::Cut(at),
            Some(Entry::Node(at)) => Found::Here(at),
            _ => self.enclosed(name),
        }
    }

    /// The slot that a look-up begins with, to be fetched ahead.
    #[must_use]
    pub fn slot(&self, hash: u64) -> Option<&Slot> {
        self.index.slot(hash)
    }

    /// A name that is not there itself: what its closest encloser makes of it.
    fn enclosed(&self, name: &[u8]) -> Found<'_> {
        let at = match self.closest(name) {
            Some(Entry::Node(at)) => Some(at),
            Some(Entry::Bridge(bridge)) => bridge.under.and_then(|place| self.node(place)),
            None => None,
        };
        let Some(at) = at else { return Found::NotOurs };
        if at.node.kind == Kind::Cut {
            return Found::Cut(at);
        }
        if let Some(dname) = at.rrset(RrType::DNAME) {
            return Found::Redirect(at, dname);
        }
        match at.home.zone.nodes.get(at.node.wildcard as usize) {
            Some(wildcard) => Found::Here(NodeRef { node: wildcard, ..at }),
            None => Found::NoName(at),
        }
    }

    /// The deepest entry above `name`. Every name above one that is there is there too, so halving finds it.
    fn closest(&self, name: &[u8]) -> Option<Entry<'_>> {
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
                Some(entry) => {
                    best = Some(entry);
                    high = middle;
                }
                None => low = middle + 1,
            }
        }
        best
    }

    #[inline]
    fn probe(&self, name: &[u8], hash: u64) -> Option<Entry<'_>> {
        self.index.probe(hash, |place| match self.node(place) {
            Some(at) => fold::same(at.name(), name).then_some(Entry::Node(at)),
            None => self.bridge(place).filter(|bridge| fold::same(bridge.name.wire(), name)).map(Entry::Bridge),
        })
    }

    /// The place of a name that is there.
    pub(super) fn place(&self, name: &[u8]) -> Option<NamePlace> {
        let named = |place| self.node(place).map(|at| at.name()).or_else(|| Some(self.bridge(place)?.name.wire()));
        self.index.probe(fold::hash(name), |place| named(place).filter(|own| fold::same(own, name)).map(|_| place))
    }

    #[inline]
    fn node(&self, place: NamePlace) -> Option<NodeRef<'_>> {
        let home = self.zones.get(place.zone as usize)?;
        Some(NodeRef { home, node: home.zone.nodes.get(place.node as usize)? })
    }

    /// What stands at a place that is no zone's.
    pub(super) fn bridge(&self, place: NamePlace) -> Option<&Bridge> {
        self.bridges.get(place.node as usize).filter(|_| place.zone as usize == self.zones.len())
    }

    /// What ANY is answered with: one small HINFO that says so (RFC 8482 4.2).
    #[must_use]
    pub fn minimal(&self) -> Option<&Fragment> {
        self.minimal.as_ref()
    }

    /// What the zones were compiled from, in the order in which they were given.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<ZoneSource>> {
        self.zones.iter().map(|placed| &placed.zone.inputs.source)
    }
}

impl<'t> NodeRef<'t> {
    /// The folded name in wire form.
    #[must_use]
    pub fn name(self) -> &'t [u8] {
        self.home.zone.name(self.node)
    }

    /// Octets of its name.
    #[must_use]
    pub fn name_len(self) -> u8 {
        self.node.name.1
    }

    /// What it is to its zone.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node.kind
    }

    /// The zone that it belongs to.
    #[must_use]
    pub fn zone(self) -> ZoneId {
        self.home.id
    }

    /// The fragments of its zone, which those that bring addresses along name by number.
    #[must_use]
    pub fn fragments(self) -> &'t [Fragment] {
        &self.home.zone.fragments
    }

    /// Its RRset of one type.
    #[must_use]
    pub fn rrset(self, rtype: RrType) -> Option<&'t Fragment> {
        let zone = &self.home.zone;
        zone.fragments.get(zone.set(self.node, rtype)? as usize)
    }

    /// Whether it has records of its own.
    #[must_use]
    pub fn has_records(self) -> bool {
        self.node.sets.1 > 0
    }

    /// The service whose name it is.
    #[must_use]
    pub fn service(self) -> Option<ServiceId> {
        self.service_of(self.node.service)
    }

    /// The service that fragments of its zone name by a number.
    #[must_use]
    pub fn service_of(self, number: u32) -> Option<ServiceId> {
        self.home.services.get(number as usize).copied().flatten()
    }

    /// Whether it tells clients what they are taken for.
    #[must_use]
    pub fn is_reflect(self) -> bool {
        self.node.service == REFLECT
    }

    /// The SOA that goes with a negative answer of its zone, and the octets of the apex's name.
    #[must_use]
    pub fn negative(self) -> Option<(&'t Fragment, u8)> {
        negative(&self.home.zone)
    }

    /// The DS RRset of an apex whose parent zone is ours too, or the parent's SOA when it has none: DS belongs to the zone
    /// above (RFC 4035 3.1.4.1).
    #[must_use]
    pub fn above(self) -> Option<Result<&'t Fragment, (&'t Fragment, u8)>> {
        let (parent, at) = self.home.above.as_ref().filter(|_| self.node.kind == Kind::Apex)?;
        match &parent.delegated.get(*at)?.1 {
            Some(ds) => Some(Ok(ds)),
            None => Some(Err(negative(parent)?)),
        }
    }
}

fn negative(zone: &Zone) -> Option<(&Fragment, u8)> {
    Some((zone.negative.as_ref()?, zone.apex_len()))
}
