//! Answers that were given, by the names of routes: numbers of routes mean something under one configuration only. Must not
//! know what is made of them.

use std::collections::{BTreeMap, HashMap};

use super::input::RouteAnswers;
use crate::engine::{
    types::RouteId,
    world::{World, policy::Policy, pool::Route},
};

/// Answers by number: route, catchment, the seconds for which they may be kept in all.
pub type Counts = Vec<(RouteId, u32, u64)>;

/// Whether the demand of any route is assigned to regions: only then anything is made of answers.
#[must_use]
pub fn are_wanted(world: &World) -> bool {
    let policy = |route: &Route| world.policies.get(route.policy.at());
    world.routes.iter().filter_map(policy).any(Policy::goes_by_load)
}

/// Puts names in the place of numbers.
#[must_use]
pub fn named(world: &World, counts: &[(RouteId, u32, u64)]) -> Vec<RouteAnswers> {
    let services = services(world);
    let mut named: BTreeMap<RouteId, RouteAnswers> = BTreeMap::new();
    for (route, catchment, seconds) in counts {
        let Some(pool) = world.pool_of(*route) else { continue };
        let answers = named.entry(*route).or_insert_with(|| RouteAnswers {
            pool: pool.name.clone(),
            service: services.get(route).cloned(),
            seconds: Vec::new(),
        });
        answers.seconds.push((*catchment, *seconds));
    }
    named.into_values().collect()
}

/// Puts numbers in the place of names. Answers of routes that are not of this configuration are left out.
#[must_use]
pub fn numbered(world: &World, answers: &[RouteAnswers]) -> Counts {
    let services = services(world);
    let name = |id: RouteId| Some((&*world.pool_of(id)?.name, services.get(&id).map(|service| &**service)));
    let ids: HashMap<_, RouteId> =
        (0..world.routes.len() as u32).map(RouteId).filter_map(|id| Some((name(id)?, id))).collect();
    let mut counts = Counts::new();
    for RouteAnswers { pool, service, seconds } in answers {
        if let Some(id) = ids.get(&(&**pool, service.as_deref())) {
            counts.extend(seconds.iter().map(|(catchment, seconds)| (*id, *catchment, *seconds)));
        }
    }
    counts
}

/// The first service of each route under a policy of a service's own.
fn services(world: &World) -> HashMap<RouteId, Box<str>> {
    let mut services = HashMap::new();
    for service in world.services.iter() {
        for route in service.all_routes().filter(|route| route.at() >= world.pools.len()) {
            services.entry(route).or_insert_with(|| service.name.to_string().into());
        }
    }
    services
}
