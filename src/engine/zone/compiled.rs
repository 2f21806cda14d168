//! One zone, compiled: what stands at each of its names. All numbers in it are its own, so that it stays as it is while
//! other zones and the list of services change. Must not know other zones, nor how it was compiled.

use super::inputs::Inputs;
use crate::engine::wire::{
    fragment::Fragment,
    name::{self, Name},
    rr::RrType,
};

/// The number of a node in its zone, or [`NONE`].
pub(super) type Link = u32;
/// No node; no service.
pub(super) const NONE: u32 = u32::MAX;
/// Instead of a service: the name tells clients what they are taken for.
pub(super) const REFLECT: u32 = u32::MAX - 1;

/// A compiled zone. Nothing in it lies below a cut, so what a cut occludes is not found.
#[derive(Debug)]
pub(super) struct Zone {
    /// What it was compiled from.
    pub(super) inputs: Inputs,
    /// What stands at each name, in canonical order of the names.
    pub(super) nodes: Vec<Node>,
    /// Folded names in wire form, one after the other.
    pub(super) names: Vec<u8>,
    /// RRsets of all nodes: a node's are neighbours.
    pub(super) sets: Vec<(RrType, u32)>,
    /// Every encoded RRset, and the addresses of lower zones that go along with them.
    pub(super) fragments: Vec<Fragment>,
    /// SOA with the TTL of negative answers (RFC 2308 3).
    pub(super) negative: Option<Fragment>,
    /// The services that nodes and fragments name by their position.
    pub(super) services: Vec<Name>,
    /// Zones of ours that this zone delegates, in canonical order, each with what it says of DS.
    pub(super) delegated: Vec<(Name, Option<Fragment>)>,
}

/// What stands at one name.
#[derive(Debug)]
pub(super) struct Node {
    /// Where its name begins, and its bytes.
    pub(super) name: (u32, u8),
    /// Its wildcard child.
    pub(super) wildcard: Link,
    /// Where its RRsets begin, and how many there are.
    pub(super) sets: (u32, u16),
    /// Position of its service in the zone's list.
    pub(super) service: u32,
    pub(super) kind: Kind,
}

/// What a name is to its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary name, or an empty non-terminal.
    Plain,
    /// The zone's own name.
    Apex,
    /// Where a child zone begins.
    Cut,
}

impl Zone {
    /// Bytes of the apex's name.
    pub(super) fn apex_len(&self) -> u8 {
        self.inputs.source.apex.wire().len() as u8
    }

    /// A node's folded name in wire form.
    #[inline]
    pub(super) fn name(&self, node: &Node) -> &[u8] {
        let (start, len) = node.name;
        &self.names[start as usize..start as usize + len as usize]
    }

    /// A node's RRsets: types, and numbers of fragments.
    #[inline]
    pub(super) fn sets_of(&self, node: &Node) -> &[(RrType, u32)] {
        &self.sets[node.sets.0 as usize..][..node.sets.1 as usize]
    }

    /// The number of a node's RRset of one type.
    #[inline]
    pub(super) fn set(&self, node: &Node, rtype: RrType) -> Option<u32> {
        self.sets_of(node).iter().find(|(t, _)| *t == rtype).map(|(_, fragment)| *fragment)
    }

    /// The node of a name that is in the zone itself.
    pub(super) fn exact(&self, name: &Name) -> Option<Link> {
        let place = self.nodes.binary_search_by(|node| name::canonical(self.name(node), name.wire()));
        place.ok().map(|at| at as Link)
    }

    /// The node that answers for a name, itself or as a wildcard. The name is in this zone, not in a lower one of ours.
    fn answering(&self, name: &Name) -> Option<&Node> {
        if let Some(link) = self.exact(name) {
            return self.nodes.get(link as usize).filter(|node| node.kind != Kind::Cut);
        }
        let mut above = name.parent();
        let encloser = loop {
            let name = above?;
            if let Some(link) = self.exact(&name) {
                break self.nodes.get(link as usize)?;
            }
            above = name.parent();
        };
        if encloser.kind == Kind::Cut || self.set(encloser, RrType::DNAME).is_some() {
            return None;
        }
        self.nodes.get(encloser.wildcard as usize)
    }

    /// The position of the service that is asked when a client asks for a name of this zone.
    pub(super) fn service_at(&self, name: &Name) -> Option<u32> {
        self.answering(name).map(|node| node.service).filter(|number| *number < REFLECT)
    }

    /// Numbers of the address RRsets that the zone itself has at a name.
    pub(super) fn addresses(&self, name: &Name) -> Vec<u32> {
        let node = self.exact(name).and_then(|link| self.nodes.get(link as usize));
        let sets = node.filter(|node| node.kind != Kind::Cut).map(|node| self.sets_of(node)).unwrap_or_default();
        sets.iter().filter(|(t, _)| matches!(*t, RrType::A | RrType::AAAA)).map(|(_, f)| *f).collect()
    }
}
