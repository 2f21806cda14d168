//! Answers held to what is expected of them.

use std::net::IpAddr;

use super::{Answer, Refusal, Who, ask::Heard, resolve};
use crate::engine::{
    types::EndpointId,
    wire::{name::Name, rr::Rcode},
    world::World,
};

/// What is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The answer.
    pub answer: Expected,
    /// The TTL, where it counts.
    pub ttl: Option<u32>,
    /// The scope, where it counts.
    pub scope: Option<u8>,
    /// What is to be among the reasons.
    pub because: Vec<String>,
}

/// What an answer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any: only the rest of the expectation counts.
    Anything,
    /// These addresses, in any order.
    Addresses(Vec<IpAddr>),
    /// An endpoint of this region, and no other.
    Region(String),
    /// These endpoints.
    Endpoints(Vec<String>),
    /// Another name.
    Cname(Name),
    /// A record of the answer has this text.
    Text(String),
    /// A name without a record of this type.
    NoData,
    /// There is no such name.
    NxDomain,
    /// The server failed.
    ServFail,
    /// The server refused.
    Refused,
    /// The query cannot be read.
    FormErr,
    /// No reply yet.
    Silence,
    /// What was answered to the same question before.
    Same,
    /// Something else than what was answered to the same question before.
    Other,
    /// What was chosen for the question before this one, whatever that was.
    SameEndpoint,
    /// An endpoint in the region of the question before this one, whatever that was.
    SameRegion,
}

/// What was expected and did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// What part of the expectation.
    pub unmet: Unmet,
    /// What came instead; none: silence.
    pub got: Option<Answer>,
    /// Why it came.
    pub because: Vec<String>,
}

/// The part of an expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The answer.
    Answer,
    /// This TTL.
    Ttl(u32),
    /// This scope.
    Scope(u8),
    /// This reason.
    Because(String),
}

/// What an answer is held against beside the expectation itself.
pub(super) struct Before<'a> {
    /// The answer to the same question, before.
    pub(super) same: Option<&'a Answer>,
    /// What was chosen for the question before, whatever it was.
    pub(super) chosen: &'a [Chosen],
}

/// An endpoint of an answer by names, so that it can be held against one of another configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chosen {
    /// As `pool/endpoint`.
    endpoint: String,
    region: Box<str>,
}

impl Chosen {
    /// The endpoints of an answer, in the order of their names.
    pub(super) fn all(world: &World, ids: &[EndpointId]) -> Vec<Self> {
        let named = |id: &EndpointId| {
            let (pool, endpoint) = world.endpoint(*id)?;
            let region = world.regions.get(endpoint.region.at())?.name.clone();
            Some(Self { endpoint: format!("{}/{}", pool.name, endpoint.name), region })
        };
        let mut all: Vec<Self> = ids.iter().filter_map(named).collect();
        all.sort_unstable();
        all
    }
}

/// Holds silence to what was expected.
pub(super) fn silence(expectation: &Expectation) -> Option<Missed> {
    let is_expected = expectation.answer == Expected::Silence;
    (!is_expected).then(|| Missed { unmet: Unmet::Answer, got: None, because: Vec::new() })
}

/// What was expected and did not come; none when all came.
pub(super) fn missed(
    world: &World,
    expectation: &Expectation,
    heard: &Heard,
    before: &Before<'_>,
    because: Vec<String>,
) -> Result<Option<Missed>, Refusal> {
    let unmet = unmet(world, expectation, heard, before, &because)?;
    Ok(unmet.map(|unmet| Missed { unmet, got: Some(heard.answer.clone()), because }))
}

fn unmet(
    world: &World,
    expectation: &Expectation,
    heard: &Heard,
    before: &Before<'_>,
    because: &[String],
) -> Result<Option<Unmet>, Refusal> {
    if !comes(world, &expectation.answer, heard, before)? {
        return Ok(Some(Unmet::Answer));
    }
    if let Some(ttl) = expectation.ttl.filter(|ttl| heard.answer.ttl != Some(*ttl)) {
        return Ok(Some(Unmet::Ttl(ttl)));
    }
    if let Some(scope) = expectation.scope.filter(|scope| heard.answer.scope != Some(*scope)) {
        return Ok(Some(Unmet::Scope(scope)));
    }
    let missing = expectation.because.iter().find(|reason| !because.contains(reason));
    Ok(missing.map(|reason| Unmet::Because(reason.clone())))
}

fn comes(world: &World, expected: &Expected, heard: &Heard, before: &Before<'_>) -> Result<bool, Refusal> {
    let answer = &heard.answer;
    let chosen = heard.chosen();
    let is_empty = answer.addresses.is_empty() && answer.cname.is_none() && answer.texts.is_empty();
    let region = |id: &EndpointId| world[*id].region;
    Ok(match expected {
        Expected::Anything => true,
        Expected::Addresses(addresses) => {
            let mut got = answer.addresses.clone();
            got.sort();
            got == *addresses
        }
        Expected::Region(name) => {
            resolve::region(world, name)?;
            !chosen.is_empty() && chosen.iter().all(|id| *world.regions[region(id).at()].name == **name)
        }
        Expected::Endpoints(names) => {
            let mut wanted = Vec::new();
            for name in names {
                wanted.push(resolve::endpoints(world, &Who::Endpoint(name.clone()))?);
            }
            chosen.len() == wanted.len() && wanted.iter().all(|ids| ids.iter().any(|id| chosen.contains(id)))
        }
        Expected::Cname(name) => answer.cname.as_deref().is_some_and(|got| is_name(got, &name.to_string())),
        Expected::Text(text) => answer.texts.contains(text),
        Expected::NoData => answer.rcode == Rcode::NoError && is_empty,
        Expected::NxDomain => answer.rcode == Rcode::NxDomain,
        Expected::ServFail => answer.rcode == Rcode::ServFail,
        Expected::Refused => answer.rcode == Rcode::Refused,
        Expected::FormErr => answer.rcode == Rcode::FormErr,
        Expected::Silence => false,
        Expected::Same | Expected::Other => {
            let last = before.same.ok_or(Refusal::NotAskedBefore)?;
            // In whatever order: that of several addresses is each query's own.
            let alike = in_order(&last.addresses) == in_order(&answer.addresses)
                && last.cname == answer.cname
                && last.texts == answer.texts;
            !is_empty && alike == (*expected == Expected::Same)
        }
        Expected::SameEndpoint => !chosen.is_empty() && Chosen::all(world, &chosen) == before.chosen,
        Expected::SameRegion => {
            let regions = |of: &[Chosen]| {
                let mut regions: Vec<Box<str>> = of.iter().map(|one| one.region.clone()).collect();
                regions.sort_unstable();
                regions
            };
            !chosen.is_empty() && regions(&Chosen::all(world, &chosen)) == regions(before.chosen)
        }
    })
}

/// The same, smallest first.
pub(super) fn in_order<T: Ord + Copy>(of: &[T]) -> Vec<T> {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted
}

/// Names are equal whatever their case and final dot.
fn is_name(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}
