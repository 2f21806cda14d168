//! Shares, by enumeration: the same question from block after block of a prefix, each block as wide as the decision
//! itself says, so that none is asked twice and none is left out.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Answer, Ask, Refusal, Who, ask::listen, assert::in_order, resolve};
use crate::engine::{
    snapshot::Snapshot,
    steer::trace::Basis,
    types::{Chance, EndpointId, Prefix},
    wire::{reply::Counted, rr::Rcode},
    world::World,
};

/// Pieces of a prefix, each as wide as what moves as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// How many, from the start of the prefix.
    pub count: usize,
    /// The prefix.
    pub of: Prefix,
}

/// How a block fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fare {
    /// It comes to an endpoint of a region.
    ToRegion(String),
    /// It comes to an endpoint.
    ToEndpoint(String),
    /// It is answered this address.
    ToAddress(IpAddr),
    /// It is answered no record.
    ToNone,
    /// It is answered otherwise than was remembered.
    Moved,
    /// It is answered otherwise than was remembered, and was in this region then.
    MovedFrom(String),
}

/// How a block fared.
#[derive(Clone, Debug)]
pub(super) struct Fared {
    answer: Answer,
    chosen: Vec<EndpointId>,
    /// What a transport would count of it.
    pub(super) counted: Option<Counted>,
}

/// How each block fared, by its first address.
pub(super) type Remembered = BTreeMap<Prefix, Fared>;

/// Asks for the first so many blocks.
pub(super) fn ask(snapshot: &Snapshot, ask: &Ask, blocks: &Blocks, chance: Chance) -> Result<Remembered, Refusal> {
    let mut fared = Remembered::new();
    let bits = blocks.of.family().bits();
    let mut next = blocks.of.bits();
    while fared.len() < blocks.count {
        let client = Prefix::from_bits(blocks.of.family(), next, bits);
        let ask = Ask { subnet: Some(client), ..ask.clone() };
        let heard = listen(snapshot, &ask, chance)?.ok_or(Refusal::NoReply)?;
        let (basis, scope) = heard.located().ok_or_else(|| Refusal::NotSteered(ask.name.clone()))?;
        // In the form of the question, so that blocks behind an IPv6 form of IPv4 addresses are told apart and passed.
        let block = client.cut(scope);
        match basis {
            // A client there is answered as its resolver is: no block of this prefix.
            Basis::Special => {}
            Basis::Subnet | Basis::NotAsked => {
                fared.insert(block, Fared { chosen: heard.chosen(), counted: heard.counted, answer: heard.answer });
            }
            Basis::Source | Basis::Anonymous | Basis::Distrusted | Basis::Unused => {
                return Err(Refusal::ByResolver(ask.name));
            }
        }
        // The end of the space is the end of the prefix too.
        let behind = (block.len() > 0).then(|| block.bits().checked_add(1 << (128 - u32::from(block.len())))).flatten();
        match behind.filter(|bits| blocks.of.contains(Prefix::from_bits(blocks.of.family(), *bits, client.len()))) {
            Some(bits) => next = bits,
            None => break,
        }
    }
    if fared.len() < blocks.count {
        return Err(Refusal::FewBlocks { of: blocks.of, blocks: fared.len(), name: ask.name.clone() });
    }
    Ok(fared)
}

/// How many blocks fare so.
pub(super) fn count(
    world: &World,
    fared: &Remembered,
    fare: &Fare,
    remembered: Option<&Remembered>,
) -> Result<usize, Refusal> {
    let in_region = |one: &Fared, name: &str| {
        !one.chosen.is_empty() && one.chosen.iter().all(|id| *world.regions[world[*id].region.at()].name == *name)
    };
    let wanted = match fare {
        Fare::ToRegion(name) | Fare::MovedFrom(name) => resolve::region(world, name).map(|()| Vec::new())?,
        Fare::ToEndpoint(name) => resolve::endpoints(world, &Who::Endpoint(name.clone()))?,
        _ => Vec::new(),
    };
    if let Fare::Moved | Fare::MovedFrom(_) = fare
        && remembered.is_none_or(|before| !fared.keys().all(|block| before.contains_key(block)))
    {
        return Err(Refusal::NotRemembered);
    }
    let moved = |then: &Fared, now: &Fared| in_order(&then.chosen) != in_order(&now.chosen);
    let before = |block: &Prefix| remembered.and_then(|before| before.get(block));
    let holds = |(block, one): &(&Prefix, &Fared)| match fare {
        Fare::ToRegion(name) => in_region(one, name),
        Fare::ToEndpoint(_) => one.chosen.iter().any(|id| wanted.contains(id)),
        Fare::ToAddress(address) => one.answer.addresses.contains(address),
        Fare::ToNone => {
            one.answer.addresses.is_empty() && one.answer.cname.is_none() && one.answer.rcode != Rcode::NxDomain
        }
        Fare::Moved => before(block).is_some_and(|then| moved(then, one)),
        Fare::MovedFrom(name) => before(block).is_some_and(|then| moved(then, one) && in_region(then, name)),
    };
    Ok(fared.iter().filter(holds).count())
}
