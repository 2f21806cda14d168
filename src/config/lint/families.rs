//! Regions without a family that others of their pool have: their clients go elsewhere for it, dual-stack clients for all
//! they do, since they try IPv6 first (RFC 8305). By the order that the pool's own map and policy give, with all endpoints up.

use super::{super::notes::Notes, Subject, chosen::Clients, listed};
use crate::engine::{
    geo::distance_km,
    types::{Family, PoolId, RegionId},
    world::policy::{Endpoint, Pool},
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (at, pool) in subject.world.pools.iter().enumerate().filter(|(_, pool)| pool.stands_for.is_none()) {
        let id = PoolId(at as u32);
        let is_it = |used: &PoolId| {
            *used == id || subject.world.pools.get(used.at()).is_some_and(|pool| pool.stands_for == Some(id))
        };
        let mut services = subject.world.services.iter();
        if services
            .any(|service| service.pools.iter().any(is_it) || service.canary.is_some_and(|(pool, _)| is_it(&pool)))
        {
            for family in Family::BOTH {
                without(subject, pool, family, notes);
            }
        }
    }
}

/// Warns of each region of a pool without a family that another region of it has.
fn without(subject: &Subject<'_>, pool: &Pool, family: Family, notes: &mut Notes<'_>) {
    let endpoints = subject.endpoints(pool);
    let has = |endpoint: &&Endpoint| endpoint.weight > 0 && endpoint.address(family).is_some();
    let mut regions: Vec<RegionId> =
        endpoints.iter().filter(|e| e.weight > 0 && e.cname.is_none()).map(|e| e.region).collect();
    regions.sort_unstable();
    regions.dedup();
    for region in regions {
        let inside = |endpoint: &&Endpoint| endpoint.region == region;
        if endpoints.iter().filter(inside).any(|endpoint| has(&endpoint)) {
            continue;
        }
        let heirs = heirs(subject, pool, region, family);
        let (Some(first), Some(nearest)) = (endpoints.iter().find(inside), heirs.first()) else { continue };
        let Some(other) = endpoints.iter().find(|e| has(e) && e.region == *nearest) else { continue };
        let ways: Vec<String> = heirs.iter().map(|heir| way(subject, region, *heir)).collect();
        let name = &subject.world.regions[region.at()].name;
        let who = if family == Family::V6 { "dual-stack clients, which try IPv6 first," } else { "IPv4 clients" };
        let message = format!("region \"{name}\" has no {family} in pool \"{}\"", pool.name);
        let label = format!("its {who} go to {}", listed(&ways));
        let fault = notes
            .warning(subject.endpoint_at(&pool.name, &first.name), message, label)
            .also(notes.place(subject.endpoint_at(&pool.name, &other.name)), format!("this one has {family}"))
            .remedy(format!("give an endpoint of \"{name}\" an {family} address, or take {family} out of the pool"));
        notes.push(fault);
    }
}

/// The regions where the clients of a region find the family, the nearest to the region first.
fn heirs(subject: &Subject<'_>, pool: &Pool, region: RegionId, family: Family) -> Vec<RegionId> {
    let (endpoints, clients) = (subject.endpoints(pool), Clients::of(subject, pool));
    let set = |holds: &dyn Fn(&Endpoint) -> bool| {
        let bits = endpoints.iter().enumerate().filter(|(_, endpoint)| holds(endpoint));
        bits.fold(0_u64, |set, (position, _)| set | 1 << position)
    };
    let (inside, with) = (set(&|e| e.region == region), set(&|e| e.address(family).is_some()));
    // The clients that would go to it; where none would while all are up, those that may.
    let (mut found, mut later) = (0, 0);
    for client in clients.all() {
        let within = clients.eligible(client, true);
        let open = clients.eligible(client, false);
        let eligible = if within == 0 { open } else { within };
        let left = if eligible & with == 0 { open & with } else { eligible & with };
        if clients.nearest(client, eligible) & inside != 0 {
            found |= clients.nearest(client, left);
        } else if open & inside != 0 {
            later |= clients.nearest(client, left);
        }
    }
    let found = if found == 0 { later } else { found };
    let mut heirs: Vec<RegionId> =
        endpoints.iter().enumerate().filter(|(n, _)| found >> n & 1 == 1).map(|(_, e)| e.region).collect();
    heirs.sort_unstable_by_key(|heir| (away(subject, region, *heir), *heir));
    heirs.dedup();
    heirs
}

/// The kilometres between two regions.
fn away(subject: &Subject<'_>, one: RegionId, other: RegionId) -> Option<u32> {
    let at = |id: RegionId| subject.world.regions.get(id.at())?.point.location;
    Some(distance_km(at(one)?, at(other)?))
}

/// A region, and how much farther it is than another one for the clients of that one, by the model.
fn way(subject: &Subject<'_>, from: RegionId, to: RegionId) -> String {
    let [here, there] = [from, to].map(|id| &subject.world.regions[id.at()]);
    let Some(km) = away(subject, from, to) else {
        return format!("\"{}\" (how much farther is not known, for want of a location)", there.name);
    };
    let model = subject.world.ground().model;
    let tenths =
        i64::from(model.rtt(km)) - i64::from(model.rtt(0)) + i64::from(there.point.bias) - i64::from(here.point.bias);
    format!("\"{}\" ({km} km and about {} ms farther)", there.name, (tenths + 5).div_euclid(10))
}
