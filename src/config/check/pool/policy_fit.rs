//! What policies ask of pools in vain: what a pool does not have, and what the policies in force make of its regions
//! and order: regions without a location, clients without a place, orders that nothing compares. None of it is an
//! error: the policy then works without. A service's own policy replaces those of its pools, so places and orders are
//! looked at when all services are known. Must not say what the engine does not do: a property test holds each sentence
//! against it.

use std::ops::Range;

use toml::Spanned;

use super::super::meant::{MeantEndpoint, MeantPool, MeantService};
use crate::{
    config::{diagnostics::Notes, presets::key_name, spec::Spec},
    engine::{
        geo::Selector,
        types::PerFamily,
        world::{
            Region,
            endpoint::Distinct,
            policy::{Key, Policy, Spread},
        },
    },
};

/// Warns of what `policy`, named at `span`, asks for in vain.
pub(crate) fn suits(span: Range<usize>, policy: &Policy, pool: &MeantPool, notes: &mut Notes<'_>) {
    if notes.has_errors() {
        return;
    }
    let prefers = |key: Key| prefers(policy, key);
    let (name, policy_name) = (&pool.name, &policy.name);
    let mut tell = |message: String, label: String, remedy: &str| {
        let fault = notes.warning(span.clone(), message, label).remedy(remedy);
        notes.push(fault);
    };
    if pool.load.is_none() && (policy.shed.is_some() || prefers(Key::Load)) {
        let asks = if prefers(Key::Load) { "prefers \"load\"" } else { "sheds" };
        let label = format!(
            "policy \"{policy_name}\" {asks}: only the `demand` of regions can stand in for what is not reported"
        );
        tell(format!("pool \"{name}\" has no load"), label, "add `load = \"NAME\"` and a `[loads.NAME]` table");
    }
    if pool.monitor.is_none() && prefers(Key::Response) {
        let key = key_name(Key::Response);
        let label = format!("policy \"{policy_name}\" prefers {key:?}, and nothing is probed");
        tell(format!("policy \"{policy_name}\" asks pool \"{name}\" in vain"), label, "add `monitor = \"NAME\"`");
    }
    if pool.monitor.is_none() && !policy.slow_start.is_zero() {
        let label =
            format!("policy \"{policy_name}\" has a slow start, and nothing is probed: only what is new has one");
        tell(format!("endpoints of pool \"{name}\" never recover"), label, "add `monitor = \"NAME\"`");
    }
    let several = policy.answers > 1 && policy.spread != Spread::All;
    if several && policy.distinct == Distinct::Group && pool.endpoints.iter().all(|endpoint| endpoint.group.is_none()) {
        let label =
            format!("policy \"{policy_name}\" wants answers of distinct groups: each endpoint is one of its own");
        tell(
            format!("no endpoint of pool \"{name}\" has a group"),
            label,
            "add `group = \"NAME\"` to what fails together",
        );
    }
    let cnames = pool.endpoints.iter().filter(|endpoint| endpoint.cname.is_some()).count();
    if cnames > 0 && cnames < pool.endpoints.len() {
        let label = "some clients get a CNAME, others addresses".to_owned();
        tell(format!("pool \"{name}\" mixes cname and address endpoints"), label, "make two pools of it");
    } else if cnames > 0 && (policy.answers > 1 || policy.spread == Spread::All) {
        let label =
            format!("policy \"{policy_name}\" answers with several, and a name has one CNAME: the first is named");
        tell(format!("pool \"{name}\" has cname endpoints"), label, "name a policy with `answers = 1`");
    }
    let unprobed = |endpoint: &MeantEndpoint| endpoint.cname.is_some() && endpoint.probe == PerFamily::default();
    if pool.monitor.is_some() && pool.endpoints.iter().any(unprobed) {
        tell(
            format!("cname endpoints of pool \"{name}\" always count as up"),
            "only addresses are probed".to_owned(),
            "add `probe = { address = [\"192.0.2.1\"] }` to them, or make them a pool of their own, behind the others",
        );
    }
}

/// Warns of what policies ask of places and orders in vain. Only told where all else is sound.
pub(crate) fn in_force(
    spec: &Spec,
    pools: &[MeantPool],
    services: &[MeantService],
    regions: &[Region],
    notes: &mut Notes<'_>,
) {
    if notes.has_errors() {
        return;
    }
    for (key, written) in &spec.regions {
        if written.location.is_none() {
            no_location(key, pools, services, regions, notes);
        }
    }
    places(spec, pools, services, notes);
    for (at, ((_, written), pool)) in spec.pools.iter().zip(pools).enumerate() {
        let policies = policies(at, pools, services);
        if policies.iter().any(|policy| prefers(policy, Key::Order)) {
            continue;
        }
        let vain = format!("policy \"{}\" does not prefer \"order\"", policies.first().map_or("", |p| &*p.name));
        let (place, what) = match (&written.order, written.endpoints.values().find_map(|e| e.tier.as_ref())) {
            (Some(order), _) => (order.span(), format!("the order of pool \"{}\" has no effect", pool.name)),
            (None, Some(tier)) => {
                (tier.span(), format!("the tier of an endpoint of pool \"{}\" has no effect", pool.name))
            }
            (None, None) => continue,
        };
        let remedy = "take it out, or name a policy that does, such as \"failover\"";
        let fault = notes.warning(place, what, vain).remedy(remedy);
        notes.push(fault);
    }
}

/// The policies that decide in a pool: its own where a service without one uses it, or no service does, and those of
/// services.
fn policies<'m>(at: usize, pools: &'m [MeantPool], services: &'m [MeantService]) -> Vec<&'m Policy> {
    let uses =
        |service: &&MeantService| service.pools.contains(&at) || service.canary.is_some_and(|(canary, _)| canary == at);
    let mut found: Vec<&Policy> = Vec::new();
    for service in services.iter().filter(uses) {
        found.extend(service.policy.as_ref().or(pools.get(at).map(|pool| &pool.policy)));
    }
    if found.is_empty() {
        found.extend(pools.get(at).map(|pool| &pool.policy));
    }
    found
}

fn prefers(policy: &Policy, key: Key) -> bool {
    policy.prefer.iter().any(|(known, _)| *known == key)
}

/// The first key of a policy that goes by where clients are.
fn by_place(policy: &Policy, keys: &[Key]) -> Option<Key> {
    policy.prefer.iter().map(|(key, _)| *key).find(|key| keys.contains(key))
}

/// The regions of a pool's endpoints that can be chosen.
fn chosen(pool: &MeantPool) -> Vec<usize> {
    let mut found: Vec<usize> = pool.endpoints.iter().filter(|e| e.weight > 0).map(|e| e.region).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A region without a location, told once, of the first pool that ranks it by distance or time.
fn no_location(
    key: &Spanned<String>,
    pools: &[MeantPool],
    services: &[MeantService],
    regions: &[Region],
    notes: &mut Notes<'_>,
) {
    let Some(region) = regions.iter().position(|region| *region.name == **key.get_ref()) else { return };
    let asking = pools.iter().enumerate().find_map(|(at, pool)| {
        let own = chosen(pool);
        let ranked = own.len() > 1 && own.contains(&region);
        let policies = policies(at, pools, services);
        let key = policies.iter().find_map(|policy| by_place(policy, &[Key::Rtt, Key::Distance]))?;
        ranked.then_some((pool, key, own))
    });
    let Some((pool, by, own)) = asking else { return };
    let (name, by_name) = (&pool.name, key_name(by));
    let located = own.iter().any(|at| regions.get(*at).is_some_and(|region| region.point.location.is_some()));
    let label = match (located, by) {
        (false, _) => format!("by {by_name:?} all regions of pool \"{name}\" are equal: none has a location"),
        (true, Key::Rtt) => format!(
            "by {by_name:?} it comes last in pool \"{name}\" for clients of known place, but where a time is measured"
        ),
        (true, _) => format!("by {by_name:?} it comes last in pool \"{name}\" for clients of known place"),
    };
    let message = format!("region \"{}\" has no location", key.get_ref());
    let fault = notes.warning(key.span(), message, label).remedy("add `location = { lat = …, lon = … }`");
    notes.push(fault);
}

/// A policy that goes by where clients are, and nothing that says where they are.
fn places(spec: &Spec, pools: &[MeantPool], services: &[MeantService], notes: &mut Notes<'_>) {
    let geo = &spec.geo;
    if geo.databases.is_some() || geo.overrides.is_some() || geo.resolvers.is_some() {
        return;
    }
    let measured = spec.latency.files.is_some();
    let asking = pools.iter().enumerate().find_map(|(at, pool)| {
        if chosen(pool).len() < 2 {
            return None;
        }
        let told = |policy: &&Policy| in_vain(policy, geo.default.is_some(), measured);
        Some((at, policies(at, pools, services).iter().find_map(told)?))
    });
    let Some((at, label)) = asking else { return };
    let (Some(key), Some(pool)) = (spec.pools.keys().nth(at), pools.get(at)) else { return };
    let message = format!("pool \"{}\" goes by where clients are, and nothing says where they are", pool.name);
    let fault = notes.warning(key.span(), message, label).remedy("add `[geo]` with `databases` or `overrides`");
    notes.push(fault);
}

/// What a policy asks of places that no client has.
fn in_vain(policy: &Policy, ordered: bool, measured: bool) -> Option<String> {
    for (key, _) in &policy.prefer {
        let name = key_name(*key);
        match key {
            Key::Rtt if measured => {}
            Key::Rtt | Key::Distance if ordered => {
                return Some(format!("it prefers {name:?}: all clients get the order of `geo.default`"));
            }
            Key::Rtt | Key::Distance => return Some(format!("it prefers {name:?}: all regions are equally near")),
            Key::Geo => {
                let mut rules = policy.preferences.iter().flat_map(|preferences| &preferences.rules);
                if rules.any(|(selector, _)| !matches!(selector, Selector::Net(_))) {
                    let label = "rules for countries, continents, subdivisions or AS numbers decide nothing";
                    return Some(format!("it prefers {name:?}: {label}"));
                }
            }
            Key::Order | Key::Load | Key::Response => {}
        }
    }
    None
}
