//! The steps of a decision in short sentences, to which expectations are held.

use crate::{
    config::presets::key_name,
    engine::{
        live::eligible::{Exclusion, Standing},
        steer::trace::{NoAddress, Rung, Step, TtlFrom},
        types::EndpointId,
        world::{World, policy::Key},
    },
    node::status::Status,
};

/// The steps that expectations speak of, in order.
pub(super) fn because(world: &World, steps: &[Step]) -> Vec<String> {
    steps.iter().filter_map(|step| reason(world, step)).collect()
}

/// How long the probes of those endpoints took that were compared by it.
pub(super) fn timings(status: &Status, steps: &[Step]) -> Vec<String> {
    let compared = steps.iter().filter_map(|step| match step {
        Step::Ranked { key: Key::Response, endpoint, .. } => Some(&status.world[*endpoint]),
        _ => None,
    });
    let targets = compared.flat_map(|endpoint| endpoint.targets.into_iter().flatten().map(move |id| (endpoint, id)));
    targets
        .filter_map(|(endpoint, id)| {
            let (timing, address) = (&status.timings[id.at()], status.world.targets[id.at()].address());
            let connects = timing.connect.summary().map_or(String::new(), |summary| format!("; connects in {summary}"));
            Some(format!("{} {address} answers in {}{connects}", endpoint.name, timing.response.summary()?))
        })
        .collect()
}

fn reason(world: &World, step: &Step) -> Option<String> {
    let name = |id: &EndpointId| &*world[*id].name;
    Some(match step {
        Step::Candidate(id, verdict) => format!("{} {}", name(id), standing(*verdict)),
        Step::Ranked { key, endpoint, kept, .. } => {
            format!("{} {} by {}", name(endpoint), if *kept { "kept" } else { "behind" }, key_name(*key))
        }
        Step::Chosen(id) => format!("{} chosen", name(id)),
        Step::Refused { endpoint, .. } => format!("{} full", name(endpoint)),
        Step::FirstChoice(id) => format!("{} first choice", name(id)),
        Step::Canary(pool, true) => format!("{} canary", world.pools[pool.at()].name),
        Step::Canary(pool, false) => format!("{} no canary", world.pools[pool.at()].name),
        Step::Closed(_) => "closed".into(),
        Step::StopsBefore(_) => "chain ends".into(),
        Step::Located { behind: Some(_), .. } => "resolver map".into(),
        Step::NoAddress(family, why) => match why {
            NoAddress::Pool(_) => format!("no {family} address"),
            NoAddress::Lost(_) => format!("{family} lost"),
            NoAddress::Configured => format!("no {family} configured"),
        },
        Step::StoodInFor(id, _) => format!("{} stood in for", name(id)),
        Step::PassedOver(pool, _) => format!("{} passed over", world.pools[pool.at()].name),
        Step::Rung(rung) => format!("rung {}", rung_name(*rung)),
        Step::Ttl(_, from) => match from {
            TtlFrom::Calm => "calm",
            TtlFrom::ChangeIn(_) => "changing",
            TtlFrom::Uncertain => "uncertain",
            TtlFrom::Negative => "negative",
        }
        .into(),
        _ => return None,
    })
}

fn standing(verdict: Result<Standing, Exclusion>) -> &'static str {
    match verdict {
        Ok(Standing::Up) => "up",
        Ok(Standing::Failing) => "failing",
        Ok(Standing::Held) | Err(Exclusion::Held) => "held",
        Ok(Standing::Unknown) => "trusted",
        Ok(Standing::Ignored) => "ignored",
        Ok(Standing::Distrusted) => "distrusted",
        Ok(Standing::LastKnown) => "last known",
        Ok(Standing::Lifted) => "lifted",
        Err(Exclusion::Down) => "down",
        Err(Exclusion::Unknown) => "unknown",
        Err(Exclusion::Weightless) => "weightless",
        Err(Exclusion::Fenced) => "fenced",
        Err(Exclusion::NotAskedFor) => "not asked for",
        Err(Exclusion::FamilyDown(_)) => "family down",
        Err(Exclusion::NoFamily(_)) => "no address",
        Err(Exclusion::OtherName) => "another name",
        Err(Exclusion::FirstChoice) => "the first choice",
        Err(Exclusion::ForcedDown) => "forced down",
        Err(Exclusion::Drained) => "drained",
        Err(Exclusion::BeyondLimit) => "beyond limit",
    }
}

fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Preferred => "preferred",
        Rung::Relaxed => "relaxed",
        Rung::AllDown => "all-down",
        Rung::Lifted => "lifted",
        Rung::Fenced => "fenced",
    }
}
