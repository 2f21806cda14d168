//! Who the client of a query is to one service: whose address speaks for it, its block, and the ECS scope. Scope
//! follows from configuration and geo data, never from health, load or the clock.

use super::trace::Basis;
use crate::engine::{
    geo::{self, Atlas, Ground, Map, Piece, Spot},
    types::{MapId, PerFamily, Prefix},
    wire::edns::Subnet,
    world::{World, service::Service},
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
    /// Its catchment on one of the maps, which is known since the block was looked for there.
    pub found: Option<(MapId, u32)>,
}

impl Client {
    /// Its place on a map.
    #[must_use]
    pub fn piece(&self, map: &Map) -> Piece {
        match self.behind {
            Some(entry) => map.behind_resolver(entry, self.prefix),
            None => look(map, self.prefix, self.basis == Basis::Subnet),
        }
    }

    /// What is known of it. Slow: for people.
    #[must_use]
    pub fn spot<'g>(&self, ground: &Ground<'g>) -> Spot<'g> {
        if self.behind.is_some() { ground.resolvers.find(self.prefix) } else { ground.atlas.find(self.prefix) }
    }

    /// What is known of the clients that decide for it on a map, and most of which prefix that is. Slow: for people.
    #[must_use]
    pub fn decider<'g>(&self, ground: &Ground<'g>, map: Option<&Map>) -> (Spot<'g>, Prefix) {
        match map.filter(|_| self.behind.is_none()) {
            Some(map) => map.decider(ground, self.prefix, self.piece(map)),
            None => (self.spot(ground), self.prefix),
        }
    }

    /// Its catchment on a map.
    #[must_use]
    #[inline]
    pub fn catchment(&self, id: MapId, map: &Map) -> u32 {
        match self.found {
            Some((known, catchment)) if known == id => {
                debug_assert_eq!(catchment, self.piece(map).catchment, "found on another map of this number");
                catchment
            }
            _ => self.piece(map).catchment,
        }
    }
}

/// What the query says of its client.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'q> {
    /// The sender.
    pub source: Prefix,
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

impl<'s> Whereabouts<'s> {
    /// What clients are found with in a configuration.
    #[must_use]
    #[inline]
    pub fn of(world: &'s World) -> Self {
        Self { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers }
    }
}

/// Finds the client of a service. `fine`: its blocks are cut although its configuration alone would not, since a timed
/// drain moves them one by one.
#[must_use]
#[inline]
pub fn locate(asker: &Asker<'_>, service: &Service, fine: bool, here: &Whereabouts<'_>) -> Client {
    let cut = service.cut.or(fine.then_some(service.fine));
    let plain = [here.plain];
    let used = if service.table.maps.is_empty() && cut.is_some() { &plain[..] } else { &service.table.maps[..] };
    let (basis, scope) = match asker.subnet {
        _ if used.is_empty() => (Basis::NotAsked, 0),
        None => (Basis::Source, 0),
        Some(_) if !service.ecs => (Basis::Unused, 0),
        Some(_) if !asker.believed => (Basis::Distrusted, 0),
        Some(subnet) => match subnet.client() {
            None => (Basis::Anonymous, 0),
            Some(stated) => {
                let (client, offset) = geo::normalise(stated);
                let Stand { prefix, block, special, found } = piece((client, true), used, cut, here.maps);
                let Some(len) = special else {
                    let scope = offset + block.len();
                    return Client { basis: Basis::Subnet, prefix, behind: None, block, scope, found };
                };
                (Basis::Special, offset + len)
            }
        },
    };
    let source = geo::normalise(asker.source).0;
    if used.is_empty() {
        return Client { basis, prefix: source, behind: None, block: source.cut(0), scope, found: None };
    }
    match here.resolvers.known_at(source) {
        Some((entry, leaf)) => {
            let len = cut.map_or(0, |cut| cut[source.family()]).max(leaf.len());
            Client { basis, prefix: source, behind: Some(entry), block: source.cut(len), scope, found: None }
        }
        None => {
            let Stand { prefix, block, found, .. } = piece((source, false), used, cut, here.maps);
            Client { basis, prefix, behind: None, block, scope, found }
        }
    }
}

/// Where a client stands on the maps of a service.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// The prefix to ask the maps with.
    pub prefix: Prefix,
    /// The block.
    pub block: Prefix,
    /// The length of the special-purpose leaf where the client is in one.
    pub special: Option<u8>,
    /// The map that is finest there, and the prefix's catchment on it.
    pub found: Option<(MapId, u32)>,
}

/// The place of an address on a map: as a client subnet, whose answer is kept for others, or as the sender itself.
#[inline]
fn look(map: &Map, at: Prefix, is_subnet: bool) -> Piece {
    if is_subnet { map.find(at) } else { map.find_sender(at) }
}

/// A client wider than its piece is taken for the piece that covers most of it; where maps differ, for the finest.
/// `is_subnet`: the client stands in the option, and is not the sender itself.
#[must_use]
#[inline]
pub fn piece((client, is_subnet): (Prefix, bool), used: &[MapId], cut: Option<PerFamily<u8>>, maps: &[Map]) -> Stand {
    let mut at = client;
    loop {
        let mut found: Option<(MapId, Piece)> = None;
        for id in used {
            let Some(piece) = maps.get(id.at()).map(|map| look(map, at, is_subnet)) else { continue };
            if found.is_none_or(|(_, finest)| piece.prefix.len() >= finest.prefix.len()) {
                found = Some((*id, piece));
            }
        }
        let Some((id, finest)) = found else {
            return Stand { prefix: at, block: at.cut(0), special: None, found: None };
        };
        if finest.prefix.len() > at.len() {
            at = finest.prefix;
            continue;
        }
        let wanted = cut.map_or(0, |cut| cut[at.family()]).max(finest.prefix.len());
        let block = Prefix::from_bits(at.family(), at.bits(), wanted);
        let special = finest.special.then_some(finest.prefix.len());
        return Stand { prefix: at, block, special, found: Some((id, finest.catchment)) };
    }
}
