//! Which endpoints and pools can never be chosen: for every client that the map of a pool tells apart, and for every
//! health that the pool can have. What answers only when all else is down is chosen then, and no finding. A pool that
//! needs more healthy endpoints than some clients may have is passed over by these, whatever is up.

use super::subject::{Subject, listed};
use crate::{
    config::diagnostics::Notes,
    engine::{
        types::{PoolId, RegionId, RouteId},
        world::{
            policy::Key,
            pool::{Pool, Route, Threshold},
            service::Service,
        },
    },
    sim::Clients,
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let mut never: Vec<(RegionId, String, String, String)> = Vec::new();
    let mut used: Vec<RegionId> = Vec::new();
    for (pool, id) in subject.pools().zip(ids(subject)) {
        let uses = uses(subject, id);
        if uses.is_empty() {
            continue; // `check` says so
        }
        for (position, endpoint) in pool.endpoints.iter().enumerate() {
            match uses.iter().map(|used| used.why_not(subject, position)).collect::<Option<Vec<&str>>>() {
                None => used.push(endpoint.region),
                Some(reasons) => {
                    let why = reasons.first().copied().unwrap_or_default().to_owned();
                    never.push((endpoint.region, pool.name.to_string(), endpoint.name.to_string(), why));
                }
            }
        }
    }
    let (whole, single): (Vec<_>, Vec<_>) = never.into_iter().partition(|(region, ..)| !used.contains(region));
    let mut regions: Vec<RegionId> = whole.iter().map(|(region, ..)| *region).collect();
    regions.sort_unstable();
    regions.dedup();
    for region in regions {
        let name = &subject.world.regions[region.at()].name;
        let own = whole.iter().filter(|(other, ..)| *other == region);
        let why: Vec<String> = own.map(|(_, pool, endpoint, why)| format!("{pool}/{endpoint}: {why}")).collect();
        let message = format!("region \"{name}\" can never be chosen");
        let fault = notes.warning(subject.region_at(name), message, listed(&why));
        notes.push(
            fault.remedy("give one of its endpoints a weight, clients and a place in a pool that can be reached"),
        );
    }
    for (_, pool, endpoint, why) in single {
        let message = format!("endpoint \"{pool}/{endpoint}\" can never be chosen");
        let fault = notes.warning(subject.endpoint_at(&pool, &endpoint), message, why);
        notes.push(fault.remedy("take it out, or give it a weight, clients and a place in a pool that can be reached"));
    }
    unlisted(subject, notes);
}

/// The ids of the pools as they are configured.
fn ids(subject: &Subject<'_>) -> impl Iterator<Item = PoolId> {
    let pools = subject.world.pools.iter().enumerate();
    pools.map(|(at, _)| PoolId(at as u32))
}

/// A pool in a service.
struct Use<'a> {
    service: &'a Service,
    route: &'a Route,
    pool: &'a Pool,
    /// A pool before it always answers.
    behind: bool,
    /// A pool behind it always answers, so that nobody comes to the lower rungs.
    before: bool,
}

/// Where a pool is used, under whichever policy.
fn uses<'a>(subject: &Subject<'a>, id: PoolId) -> Vec<Use<'a>> {
    let world = subject.world;
    let Some(pool) = world.pools.get(id.at()) else { return Vec::new() };
    let through = |route: &RouteId| world.routes.get(route.at()).filter(|route| route.pool == id);
    let mut found = Vec::new();
    for service in world.services.iter() {
        let answers = |id: &RouteId| world.routes.get(id.at()).is_some_and(|r| always_answers(subject, service, r));
        let always: Vec<bool> = service.routes.iter().map(answers).collect();
        for (at, route) in service.routes.iter().enumerate().filter_map(|(at, id)| Some((at, through(id)?))) {
            let (behind, before) = (always[..at].contains(&true), always[at + 1..].contains(&true));
            found.push(Use { service, route, pool, behind, before });
        }
        if let Some(route) = service.canary.and_then(|canary| through(&canary.route)) {
            found.push(Use { service, route, pool, behind: false, before: true });
        }
    }
    found
}

/// Whether a pool answers every client of a service on the first attempt, whatever is measured: it has no monitor, and
/// passes no blocks on.
fn always_answers(subject: &Subject<'_>, service: &Service, route: &Route) -> bool {
    let Some(pool) = subject.world.pools.get(route.pool.at()) else { return false };
    let clients = Clients::of(subject.world, pool, route);
    let regions: Vec<RegionId> = pool.endpoints.iter().map(|endpoint| endpoint.region).collect();
    let enough = |client: u32, scope: u64| {
        let (open, within) = (clients.eligible(client, false) & scope, clients.eligible(client, true) & scope);
        within.count_ones() >= pool.min_healthy.of(open.count_ones()).max(1)
    };
    let of = |region: RegionId| clients.set(|endpoint| endpoint.region == region);
    let answers = |client: u32| match service.only_region {
        Some(region) => enough(client, of(region)),
        // The runner-up is looked for without the region of the first choice, whichever that is.
        None if service.second => regions.iter().all(|region| enough(client, !of(*region))),
        None => enough(client, u64::MAX),
    };
    pool.monitor.is_none() && subject.admits_all(pool) && clients.all().all(answers)
}

impl Use<'_> {
    /// Why an endpoint is never chosen here; none when it can be.
    fn why_not(&self, subject: &Subject<'_>, position: usize) -> Option<&'static str> {
        let endpoints = &self.pool.endpoints;
        let endpoint = endpoints.get(position)?;
        let clients = Clients::of(subject.world, self.pool, self.route);
        let bit = 1_u64 << position;
        if endpoint.weight == 0 {
            return Some("its weight is 0");
        }
        if self.service.only_region.is_some_and(|region| region != endpoint.region) {
            return Some("the name asks for another region");
        }
        if self.behind {
            return Some("a pool before its own has no monitor, so that it always answers");
        }
        if !clients.all().any(|client| clients.eligible(client, false) & bit != 0) {
            return Some("fences keep every client out");
        }
        // The scope of a direct name or of a runner-up is narrower, and so is what a share is one of.
        let narrower = self.service.second || self.service.only_region.is_some();
        let needed = |client| self.pool.min_healthy.of(clients.eligible(client, false).count_ones()).max(1);
        let on_first_rung = |client: u32| {
            let within = clients.eligible(client, true);
            within & bit != 0 && (narrower || within.count_ones() >= needed(client))
        };
        if self.before && !clients.all().any(on_first_rung) {
            return Some(
                "it is beyond `limit` for every client, or too few are within it, and a later pool has no monitor",
            );
        }
        if self.pool.monitor.is_some() || narrower || !subject.admits_all(self.pool) {
            return None;
        }
        let chosen = |client| {
            let within = clients.eligible(client, true);
            let is_thin = within.count_ones() < needed(client);
            let eligible = if is_thin { clients.eligible(client, false) } else { within };
            eligible & bit != 0 && clients.best(client, eligible) & bit != 0
        };
        let is_chosen = clients.all().any(chosen);
        (!is_chosen)
            .then_some("its pool has no monitor, so that nothing in it ever dies, and others are always preferred")
    }
}

/// Regions that no geo rule lists, while every client has one, where `geo` decides first.
fn unlisted(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (pool, id) in subject.pools().zip(ids(subject)) {
        let Some(policy) = subject.policy(pool) else { continue };
        // A service's own policy replaces this one, and a key before `geo` may leave the region alone.
        let used = subject.world.services.iter().any(|s| s.all_routes().any(|route| route.0 == id.0));
        let asks = used && policy.prefer.first().is_some_and(|(key, _)| *key == Key::Geo);
        let Some(preferences) = policy.preferences.as_ref().filter(|p| asks && !p.default.is_empty()) else { continue };
        let orders = || preferences.rules.iter().map(|(_, order)| order).chain([&preferences.default]);
        let is_listed = |region| orders().any(|order| order.iter().any(|(known, _)| *known == region));
        for endpoint in pool.endpoints.iter().filter(|e| e.weight > 0 && !is_listed(e.region)) {
            let region = &subject.world.regions[endpoint.region.at()].name;
            let message = format!("no geo rule of policy \"{}\" lists region \"{region}\"", policy.name);
            let label = "it answers a client only when no region that the client's rule lists can";
            let fault = notes.warning(subject.endpoint_at(&pool.name, &endpoint.name), message, label);
            notes.push(fault.remedy(format!("add \"{region}\" to `geo.default`, if that is not what you want")));
        }
    }
}

/// Pools that ask for more healthy endpoints than fences and limits leave to some clients.
pub(super) fn needed(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for pool in subject.pools().filter(|pool| pool.min_healthy != Threshold::ONE) {
        let Some(clients) = Clients::of_pool(subject.world, pool) else { continue };
        let short = clients.all().filter_map(|client| {
            let (open, within) =
                (clients.eligible(client, false).count_ones(), clients.eligible(client, true).count_ones());
            // A share is one of those that are open, whatever `limit` says. Clients that fences leave nothing do not count.
            let needed = pool.min_healthy.of(open);
            (open > 0 && within < needed).then_some((within, needed))
        });
        let Some((least, needed)) = short.min() else { continue };
        let message = format!("pool \"{}\" never has its `min_healthy` for some clients", pool.name);
        let label = format!("fences and `limit` leave them {least} of the {needed} endpoints that it asks for");
        let fault = notes.warning(subject.pool_at(&pool.name), message, label);
        notes.push(
            fault.remedy("ask for fewer, or for a share of those that fences leave; or open more endpoints to them"),
        );
    }
}
