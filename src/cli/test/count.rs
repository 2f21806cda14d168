//! Shares, by enumeration: the same question from block after block of a prefix, each block as wide as the decision
//! itself says, so that none is asked twice and none is left out.

use std::collections::BTreeMap;

use super::{
    Fault,
    ask::{Answer, listen},
    fault,
    judge::in_order,
    line::{Blocks, Fare, Question, Who},
    whom,
};
use crate::engine::{
    snapshot::Snapshot,
    steer::trace::Basis,
    types::{Chance, EndpointId, Prefix},
    wire::{reply::Counted, rr::Rcode},
    world::World,
};

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
pub(super) fn ask(
    snapshot: &Snapshot,
    question: &Question,
    blocks: &Blocks,
    chance: Chance,
) -> Result<Remembered, Fault> {
    let mut fared = Remembered::new();
    let bits = blocks.of.family().bits();
    let mut next = blocks.of.bits();
    while fared.len() < blocks.count {
        let client = Prefix::from_bits(blocks.of.family(), next, bits);
        let question = Question { subnet: Some(client), ..question.clone() };
        let told = listen(snapshot, &question, chance).map_err(|why| fault(why, "please report it"))?;
        let told = told.ok_or_else(|| fault("there was no reply", "wait for the first round of probes: `pass 3s`"))?;
        let (basis, scope) = told.located().ok_or_else(|| {
            fault(format!("{} is not steered: it has no blocks", question.name), "`ask` for a service first")
        })?;
        // In the form of the question, so that blocks behind an IPv6 form of IPv4 addresses are told apart and passed.
        let block = client.cut(scope);
        match basis {
            // Whoever stands there is answered as its resolver is: no block of this prefix.
            Basis::Special => {}
            Basis::Subnet | Basis::NotAsked => {
                fared.insert(block, Fared { chosen: told.chosen(), counted: told.counted, answer: told.answer });
            }
            Basis::Source | Basis::Anonymous | Basis::Distrusted | Basis::Unused => {
                let cause = format!("{} is answered by the resolver, whatever the client subnet", question.name);
                return Err(fault(cause, "let the service have `ecs`, and `ecs.from` this resolver, to count blocks"));
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
        let cause = format!("{} is only {} blocks of {}", blocks.of, fared.len(), question.name);
        return Err(fault(cause, "count fewer, or name a wider prefix"));
    }
    Ok(fared)
}

/// How many blocks fare so.
pub(super) fn count(
    world: &World,
    fared: &Remembered,
    fare: &Fare,
    remembered: Option<&Remembered>,
) -> Result<usize, Fault> {
    let in_region = |one: &Fared, name: &str| {
        !one.chosen.is_empty() && one.chosen.iter().all(|id| *world.regions[world[*id].region.at()].name == *name)
    };
    let wanted = match fare {
        Fare::ToRegion(name) | Fare::MovedFrom(name) => whom::region(world, name).map(|()| Vec::new())?,
        Fare::ToEndpoint(name) => whom::endpoints(world, &Who::Endpoint(name.clone()))?,
        _ => Vec::new(),
    };
    if let Fare::Moved | Fare::MovedFrom(_) = fare
        && remembered.is_none_or(|before| !fared.keys().all(|block| before.contains_key(block)))
    {
        let remedy = "write `remember N blocks of PREFIX` behind an `ask` first, with as many of the same blocks";
        return Err(fault("not all of these blocks were remembered", remedy));
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
