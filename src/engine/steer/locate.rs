//! Who the client of a query is to one service: whose address speaks for it, its block, and the ECS scope. Scope
//! follows from configuration and geo data, never from health, load or the clock.

use std::net::IpAddr;

use super::{policy::Service, trace::Basis};
use crate::engine::{
    geo::{self, Atlas, Map, Piece},
    types::{MapId, Prefix},
    wire::edns::Subnet,
};

/// The client as one service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whose address was used.
    pub basis: Basis,
    /// The address, normalised; what the maps are asked with.
    pub prefix: Prefix,
    /// The entry of the resolvers' atlas that stands for the clients of the sender; the maps are asked with it then.
    pub behind: Option<u32>,
    /// What moves as one.
    pub block: Prefix,
    /// The scope for the client subnet option.
    pub scope: u8,
}

impl Client {
    /// Its place on a map.
    #[must_use]
    #[inline]
    pub fn piece(&self, map: &Map) -> Piece {
        match self.behind {
            Some(entry) => map.behind_resolver(entry, self.prefix),
            None => map.find(self.prefix),
        }
    }
}

/// What the query says of its client.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'q> {
    /// The sender.
    pub source: IpAddr,
    /// Its client subnet option.
    pub subnet: Option<&'q Subnet>,
    /// Whether the sender's option is believed.
    pub believed: bool,
}

/// What clients are found with.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts<'s> {
    /// All maps.
    pub maps: &'s [Map],
    /// The map that knows special-purpose blocks and nothing else.
    pub plain: MapId,
    /// Where the clients of resolvers are.
    pub resolvers: &'s Atlas,
}

/// Finds the client of a service. `fine`: its blocks are cut although its configuration alone would not, since a timed
/// drain moves them one by one.
#[must_use]
pub fn locate(asker: &Asker<'_>, service: &Service, fine: bool, here: &Whereabouts<'_>) -> Client {
    let source = geo::normalise(Prefix::host(asker.source)).0;
    let cut = service.cut.or(fine.then_some(service.fine));
    let plain = [here.plain];
    let used = if service.maps.is_empty() && cut.is_some() { &plain[..] } else { &service.maps[..] };
    if used.is_empty() {
        let block = source.cut(0);
        return Client { basis: Basis::Nobody, prefix: source, behind: None, block, scope: 0 };
    }
    let by_source = |basis, scope| match here.resolvers.known_at(source) {
        Some((entry, leaf)) => {
            let len = cut.map_or(0, |cut| cut[source.family().at()]).max(leaf.len());
            Client { basis, prefix: source, behind: Some(entry), block: source.cut(len), scope }
        }
        None => {
            let (prefix, block, _) = piece(source, used, cut, here.maps);
            Client { basis, prefix, behind: None, block, scope }
        }
    };
    let Some(subnet) = asker.subnet else { return by_source(Basis::Source, 0) };
    if !service.ecs {
        return by_source(Basis::Unused, 0);
    }
    if !asker.believed {
        return by_source(Basis::Distrusted, 0);
    }
    let Some(stated) = subnet.client() else { return by_source(Basis::Anonymous, 0) };
    let (client, offset) = geo::normalise(stated);
    let (prefix, block, special) = piece(client, used, cut, here.maps);
    match special {
        Some(len) => by_source(Basis::Special, offset + len),
        None => Client { basis: Basis::Subnet, prefix, behind: None, block, scope: offset + block.len() },
    }
}

/// The prefix to ask the maps with, the block, and the length of the special-purpose leaf where the client is in one.
/// A client wider than its piece is taken for the piece that covers most of it; where maps differ, for the finest.
#[must_use]
pub fn piece(client: Prefix, used: &[MapId], cut: Option<[u8; 2]>, maps: &[Map]) -> (Prefix, Prefix, Option<u8>) {
    let mut at = client;
    loop {
        let found = used.iter().filter_map(|m| maps.get(m.at())).map(|m| m.find(at)).max_by_key(|p| p.prefix.len());
        let Some(finest) = found else { return (at, at.cut(0), None) };
        if finest.prefix.len() > at.len() {
            at = finest.prefix;
            continue;
        }
        let wanted = cut.map_or(0, |cut| cut[at.family().at()]).max(finest.prefix.len());
        let block = Prefix::from_bits(at.family(), at.bits(), wanted);
        return (at, block, finest.special.then_some(finest.prefix.len()));
    }
}
