//! Answers held to what was expected of them.

use super::{
    Fault,
    ask::{Answer, Told},
    fault,
    line::{Expected, Outcome, Who},
    whom,
};
use crate::engine::{types::EndpointId, wire::rr::Rcode, world::World};

/// What an answer is held against beside the expectation itself.
pub(super) struct Before<'a> {
    /// The answer to the same question, before.
    pub(super) same: Option<&'a Answer>,
    /// What was chosen for the question before, whatever it was.
    pub(super) chosen: &'a [EndpointId],
}

/// What was expected and did not come, in words; none when all came.
pub(super) fn missing(
    world: &World,
    expected: &Expected,
    told: &Told,
    before: &Before<'_>,
    reasons: &[String],
) -> Result<Option<String>, Fault> {
    if !comes(world, &expected.outcome, told, before)? {
        return Ok(Some(expected.outcome.to_string()));
    }
    if let Some(ttl) = expected.ttl.filter(|ttl| told.answer.ttl != Some(*ttl)) {
        return Ok(Some(format!("ttl {ttl}")));
    }
    if let Some(scope) = expected.scope.filter(|scope| told.answer.scope != Some(*scope)) {
        return Ok(Some(format!("scope {scope}")));
    }
    Ok(expected.because.iter().find(|reason| !reasons.contains(reason)).map(|reason| format!("because {reason}")))
}

fn comes(world: &World, outcome: &Outcome, told: &Told, before: &Before<'_>) -> Result<bool, Fault> {
    let answer = &told.answer;
    let chosen = told.chosen();
    let is_empty = answer.addresses.is_empty() && answer.cname.is_none() && answer.texts.is_empty();
    let region = |id: &EndpointId| world[*id].region;
    Ok(match outcome {
        Outcome::Anything => true,
        Outcome::Addresses(addresses) => {
            let mut got = answer.addresses.clone();
            got.sort();
            got == *addresses
        }
        Outcome::Region(name) => {
            whom::region(world, name)?;
            !chosen.is_empty() && chosen.iter().all(|id| *world.regions[region(id).at()].name == **name)
        }
        Outcome::Endpoints(names) => {
            let mut wanted = Vec::new();
            for name in names {
                wanted.push(whom::endpoints(world, &Who::Endpoint(name.clone()))?);
            }
            chosen.len() == wanted.len() && wanted.iter().all(|ids| ids.iter().any(|id| chosen.contains(id)))
        }
        Outcome::Cname(name) => answer.cname.as_deref().is_some_and(|got| is_name(got, &name.to_string())),
        Outcome::Text(text) => answer.texts.contains(text),
        Outcome::NoData => answer.rcode == Rcode::NoError && is_empty,
        Outcome::NxDomain => answer.rcode == Rcode::NxDomain,
        Outcome::ServFail => answer.rcode == Rcode::ServFail,
        Outcome::Refused => answer.rcode == Rcode::Refused,
        Outcome::FormErr => answer.rcode == Rcode::FormErr,
        Outcome::Silence => false,
        Outcome::Same | Outcome::Other => {
            let last =
                before.same.ok_or_else(|| fault("this was not asked before", "ask it twice: once to compare with"))?;
            // In whatever order: that of several addresses is each query's own.
            let alike = in_order(&last.addresses) == in_order(&answer.addresses)
                && last.cname == answer.cname
                && last.texts == answer.texts;
            !is_empty && alike == (*outcome == Outcome::Same)
        }
        Outcome::SameEndpoint => !chosen.is_empty() && in_order(&chosen) == in_order(before.chosen),
        Outcome::SameRegion => {
            let regions = |ids: &[EndpointId]| in_order(&ids.iter().map(region).collect::<Vec<_>>());
            !chosen.is_empty() && regions(&chosen) == regions(before.chosen)
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
