//! Families that some clients of a service miss while others have them. An empty answer is kept for every client of a
//! resolver (RFC 7871 7.4), so that clients lose the family too that would get it. Must not know health.

use toml::Spanned;

use super::{Around, fenced};
use crate::{
    config::{
        check::{MeantEndpoint, MeantPool, MeantService},
        notes::Notes,
        spec::Spec,
    },
    engine::types::Family,
};

/// How many services a warning names.
const SHOWN: usize = 3;

/// Warns, with both places, of pools of a service that differ in families, and of endpoints of a pool that do while some
/// clients can only be answered from those without.
pub(super) fn differ(
    found: &[(Spanned<String>, MeantService)],
    spec: &Spec,
    around: &Around<'_, '_>,
    notes: &mut Notes<'_>,
) {
    let mut seen: Vec<(usize, usize, Family, Vec<&str>)> = Vec::new();
    for (key, service) in found {
        for (lacks, has, family) in among_pools(service, around) {
            match seen.iter_mut().find(|(a, b, f, _)| (*a, *b, *f) == (lacks, has, family)) {
                Some((.., services)) => services.push(key.get_ref()),
                None => seen.push((lacks, has, family, vec![key.get_ref()])),
            }
        }
    }
    for (lacks, has, family, services) in seen {
        pools(spec, around, (lacks, has, family), &services, notes);
    }
    let used = |at: usize| found.iter().any(|(_, service)| own(service).any(|pool| pool == at));
    for (at, pool) in around.steered.iter().enumerate().filter(|(at, _)| used(*at)) {
        for family in Family::BOTH {
            fences(spec, (at, pool), family, around, notes);
            names(spec, (at, pool), family, notes);
        }
    }
}

fn has(endpoint: &MeantEndpoint, family: Family) -> bool {
    endpoint.addresses()[family.at()].is_some() || endpoint.cname.is_some()
}

fn weighted(pool: &MeantPool) -> impl Iterator<Item = &MeantEndpoint> {
    pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
}

/// The pools that a service can be answered from.
fn own(service: &MeantService) -> impl Iterator<Item = usize> {
    service.pools.iter().copied().chain(service.canary.map(|(pool, _)| pool))
}

/// Each pool without a family that another one of the service has, with that one.
fn among_pools(service: &MeantService, around: &Around<'_, '_>) -> Vec<(usize, usize, Family)> {
    let always = |at: &usize| {
        let pool = around.steered.get(*at);
        pool.is_some_and(|pool| pool.is_always_up(service.policy.as_ref().unwrap_or(&pool.policy), around.regions))
    };
    let reached = service.pools.iter().position(always).map_or(service.pools.len(), |last| last + 1);
    let canary = service.canary.map(|(pool, _)| pool);
    let pools: Vec<usize> = service.pools[..reached].iter().copied().chain(canary).collect();
    let mut found = Vec::new();
    for family in Family::BOTH {
        let with = |at: &&usize| around.steered.get(**at).is_some_and(|pool| weighted(pool).any(|e| has(e, family)));
        let Some(first) = pools.iter().find(with) else { continue };
        found.extend(pools.iter().filter(|at| !with(at)).map(|lacks| (*lacks, *first, family)));
    }
    found
}

fn pools(
    spec: &Spec,
    around: &Around<'_, '_>,
    (lacks, has, family): (usize, usize, Family),
    services: &[&str],
    notes: &mut Notes<'_>,
) {
    let pool = |at: usize| Some((around.steered.get(at)?, spec.pools.keys().nth(at)?));
    let (Some((lacks, key)), Some((has, other))) = (pool(lacks), pool(has)) else { return };
    let who = match services {
        [one] => format!("service \"{one}\" loses"),
        several => {
            let shown: Vec<String> = several.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect();
            let more = several.len() - shown.len();
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("services {}{more} lose", shown.join(", "))
        }
    };
    let message = format!("{who} {family} when pool \"{}\" answers", lacks.name);
    let label = format!("it has no {family} address: {} is empty then, and resolvers keep that", rtype(family));
    let fault = notes
        .warning(key.span(), message, label)
        .also(notes.place(other.span()), format!("pool \"{}\" has {family}", has.name))
        .remedy(format!("give an endpoint of \"{}\" an {family} address, or take {family} out of both", lacks.name));
    notes.push(fault);
}

fn fences(
    spec: &Spec,
    (at, pool): (usize, &MeantPool),
    family: Family,
    around: &Around<'_, '_>,
    notes: &mut Notes<'_>,
) {
    let Some((open, closed)) = fenced::without(pool, around.regions, |endpoint| has(endpoint, family)) else { return };
    let place = |endpoint: &MeantEndpoint| spans(spec, at, &endpoint.name);
    let message = format!("fences of pool \"{}\" keep clients apart that differ in {family}", pool.name);
    let label =
        format!("some clients are left this and no {family}: {} is empty, and resolvers keep that", rtype(family));
    let fault = notes
        .warning(place(open), message, label)
        .also(notes.place(place(closed)), format!("it has {family}, for others"))
        .remedy(format!("give \"{}/{}\" an {family} address", pool.name, open.name));
    notes.push(fault);
}

/// Addresses without a family beside another name, which may have it.
fn names(spec: &Spec, (at, pool): (usize, &MeantPool), family: Family, notes: &mut Notes<'_>) {
    let Some(name) = weighted(pool).find(|endpoint| endpoint.cname.is_some()) else { return };
    let mut addresses = weighted(pool).filter(|endpoint| endpoint.cname.is_none()).peekable();
    let Some(first) = addresses.peek().copied() else { return };
    if addresses.any(|endpoint| has(endpoint, family)) {
        return;
    }
    let message =
        format!("the addresses of pool \"{}\" have no {family}, and it has another name beside them", pool.name);
    let label = format!("clients that get addresses get no {}, and resolvers keep that for the others", rtype(family));
    let fault = notes
        .warning(spans(spec, at, &first.name), message, label)
        .also(notes.place(spans(spec, at, &name.name)), "this is another name")
        .remedy(format!("make two pools of it, or give one of the others an {family} address"));
    notes.push(fault);
}

fn rtype(family: Family) -> &'static str {
    if family == Family::V4 { "A" } else { "AAAA" }
}

/// Where an endpoint's name is written.
fn spans(spec: &Spec, pool: usize, endpoint: &str) -> std::ops::Range<usize> {
    let keys = spec.pools.values().nth(pool).into_iter().flat_map(|pool| pool.endpoints.keys());
    keys.into_iter().find(|key| key.get_ref() == endpoint).map_or(0..0, Spanned::span)
}
