//! `[pools]` and their endpoints.

mod endpoint;
mod load_fit;
mod policy_fit;

use std::collections::BTreeSet;

use toml::Spanned;

use super::{
    meant::{MeantEndpoint, MeantPool},
    policy::Policies,
    selector::{Groups, fence},
    symbols::Names,
    value::{name, share, text},
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        quantity,
        spec::{EndpointSpec, NumberOr, PoolSpec, Spec, Text},
    },
    engine::{
        units::Permille,
        world::{Region, endpoint::MAX_ENDPOINTS, pool::Threshold},
    },
};
use endpoint::{Seen, order};
pub(crate) use load_fit::reported;
pub(crate) use policy_fit::{in_force, suits};

/// The most different fences that a pool's endpoints stand behind: a set of them is one machine word.
const MAX_FENCES: usize = 64;

/// What a pool may name.
#[derive(Debug)]
pub(crate) struct PoolContext<'a, 's> {
    pub(crate) regions: &'a mut Names<'s>,
    pub(crate) monitors: &'a mut Names<'s>,
    pub(crate) loads: &'a mut Names<'s>,
    pub(crate) groups: &'a mut Groups<'s>,
    pub(crate) policies: &'a mut Policies<'s>,
    /// The policy of pools that name none.
    pub(crate) usual: Option<&'a Spanned<Text>>,
}

/// `[pools]`, in name order.
pub(crate) fn pools(
    spec: &Spec,
    regions: &[Region],
    around: &mut PoolContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Vec<MeantPool> {
    let pools: Vec<MeantPool> = spec.pools.iter().map(|(key, pool)| one(key, pool, around, notes)).collect();
    for (key, pool) in spec.pools.keys().zip(&pools) {
        let fences = pool.endpoints.iter().flat_map(|endpoint| pool.fences_of(endpoint, regions));
        let count = fences.collect::<BTreeSet<_>>().len();
        if count > MAX_FENCES {
            let message = format!("pool \"{}\" stands behind {count} different fences", pool.name);
            let fault = notes.error(key.span(), message, format!("at most {MAX_FENCES}"));
            notes.push(fault.remedy("use fewer, or make two pools of it"));
        }
    }
    pools
}

fn one(key: &Spanned<String>, spec: &PoolSpec, around: &mut PoolContext<'_, '_>, notes: &mut Notes<'_>) -> MeantPool {
    name("pool", key, notes);
    let pool = key.get_ref();
    let at = |field: &str| join(&["pools", pool, field]);
    let what = format!("pool \"{pool}\"");
    let monitor = monitor(key, spec, around, notes);
    let load = spec.load.as_ref().and_then(|written| around.loads.find(&text(written), &what, notes));
    let named = spec.policy.as_ref().or(around.usual);
    let policy = around.policies.find(named.map(text), notes);
    let mut endpoints = Vec::new();
    let mut seen = Seen::default();
    for (key, endpoint) in &spec.endpoints {
        name("endpoint", key, notes);
        endpoints.push(endpoint::endpoint(pool, key, endpoint, (around.regions, around.groups), &mut seen, notes));
    }
    count(key, spec, &endpoints, notes);
    order(key, spec, &policy, &mut endpoints, notes);
    let meant = MeantPool {
        name: pool.clone(),
        monitor,
        load,
        policy,
        endpoints,
        min_healthy: min_healthy(key, spec, notes),
        panic: Threshold::Share(Permille(share(spec.panic.as_ref(), &at("panic"), 0, 0..=1000, notes) as u32)),
        fence: fence(spec.fence.as_ref(), &at("fence"), around.groups, notes),
    };
    panics(spec, &meant, notes);
    let named = named.map_or_else(|| key.span(), Spanned::span);
    suits(named, &meant.policy, &meant, notes);
    meant
}

fn monitor(
    key: &Spanned<String>,
    spec: &PoolSpec,
    around: &mut PoolContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Option<usize> {
    let pool = key.get_ref();
    if let Some(written) = &spec.monitor {
        return around.monitors.find(&text(written), &format!("pool \"{pool}\""), notes);
    }
    // Other names are not probed: nothing is missing where there is nothing else.
    let is_probed = |name: &Spanned<String>, endpoint: &EndpointSpec| {
        let path = ["pools", pool, "endpoints", name.get_ref()];
        // One that lost a key may have lost its cname.
        endpoint.cname.is_none() && (endpoint.address.is_some() || notes.is_whole(&path))
    };
    let all = notes.has_all(&["pools", pool, "endpoints"]);
    let probed =
        if spec.endpoints.is_empty() { all } else { spec.endpoints.iter().any(|(key, of)| is_probed(key, of)) };
    if probed && notes.is_whole(&["pools", pool, "monitor"]) {
        let fault = notes
            .warning(key.span(), format!("pool \"{pool}\" has no monitor"), "its endpoints always count as up")
            .remedy("add `monitor = \"NAME\"` and a `[monitors.NAME]` table");
        notes.push(fault);
    }
    None
}

/// A number of endpoints, or a share of them.
fn min_healthy(key: &Spanned<String>, spec: &PoolSpec, notes: &mut Notes<'_>) -> Threshold {
    const DEFAULT: Threshold = Threshold::Count(1);
    let Some(written) = &spec.min_healthy else { return DEFAULT };
    let at = join(&["pools", key.get_ref(), "min_healthy"]);
    let chosen = spec.endpoints.values().filter(|endpoint| endpoint.weight.as_ref().is_none_or(|w| w.get_ref().0 > 0));
    // Endpoints that could not be read count as well.
    let all = notes.has_all(&["pools", key.get_ref(), "endpoints"]);
    let most = if all { chosen.count().clamp(1, MAX_ENDPOINTS) } else { MAX_ENDPOINTS };
    let fault = match written.get_ref() {
        NumberOr::Number(count) => match u8::try_from(*count) {
            Ok(count) if (1..=most).contains(&usize::from(count)) => return Threshold::Count(count),
            _ => {
                let label = format!("from 1 to {most}, the endpoints that can be chosen");
                notes.error(written.span(), format!("`{at}` is out of range"), label)
            }
        },
        NumberOr::Word(text) => match quantity::share(text) {
            Ok(parts @ 1..=1000) => return Threshold::Share(Permille(parts as u32)),
            Ok(_) => notes.error(written.span(), format!("`{at}` is out of range"), "from 0.1% to 100%"),
            Err(cause) => notes
                .error(written.span(), format!("`{at}` is neither a number nor a share"), cause.to_string())
                .remedy("write 2 or \"50%\""),
        },
    };
    notes.push(fault);
    DEFAULT
}

/// Only measured health can be distrusted.
fn panics(spec: &PoolSpec, pool: &MeantPool, notes: &mut Notes<'_>) {
    if let Some(written) = &spec.panic
        && pool.monitor.is_none()
        && spec.monitor.is_none()
        && !notes.has_errors()
    {
        let message = format!("the panic of pool \"{}\" has no effect", pool.name);
        let fault = notes.warning(written.span(), message, "it has no monitor: its endpoints always count as up");
        notes.push(fault.remedy("add `monitor = \"NAME\"`, or take it out"));
    }
}

fn count(key: &Spanned<String>, spec: &PoolSpec, endpoints: &[MeantEndpoint], notes: &mut Notes<'_>) {
    let pool = key.get_ref();
    let fault = if endpoints.is_empty() {
        if !notes.is_whole(&["pools", pool]) {
            return;
        }
        notes
            .error(key.span(), format!("pool \"{pool}\" has no endpoints"), "there is nothing to answer with")
            .remedy(format!("add a `[pools.{pool}.endpoints.NAME]` table with `region` and `address`"))
    } else if let Some((extra, _)) = spec.endpoints.iter().nth(MAX_ENDPOINTS) {
        let message = format!("pool \"{pool}\" has {} endpoints", endpoints.len());
        notes
            .error(extra.span(), message, format!("at most {MAX_ENDPOINTS}, in name order this is the first too many"))
            .remedy("make two pools of it")
    } else if endpoints.iter().all(|endpoint| endpoint.weight == 0) {
        if !notes.has_all(&["pools", pool, "endpoints"]) {
            return;
        }
        notes
            .error(key.span(), format!("every endpoint of pool \"{pool}\" has weight 0"), "none can ever be chosen")
            .remedy("give one of them a weight; 0 is for those that are only probed")
    } else {
        return;
    };
    notes.push(fault);
}
