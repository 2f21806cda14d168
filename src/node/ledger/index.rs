//! What follows from a configuration alone and is looked up again and again. Must not know what is known of anything.

use super::{load, members::Seats, members::members};
use crate::engine::{
    signal::shed::Marks,
    types::{Millis, PoolId, RouteId, TargetId},
    world::{
        Asks, World,
        policy::{Key, Watermarks},
        service::Families,
    },
};

/// It.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// For each pool, how it is shaped.
    pub(super) shaping: Vec<Shaping>,
    /// For each target, its pools in id order, each with the positions of its endpoints there.
    pub(super) users: Vec<Vec<(PoolId, u64)>>,
    /// For each target, those that are made of it.
    pub(super) above: Vec<Vec<TargetId>>,
    /// The endpoints of each region that has monitored ones.
    pub(super) seats: Seats,
    /// No TTL reaches beyond it.
    pub(super) horizon: Millis,
}

impl Index {
    /// That of a configuration.
    pub(super) fn of(world: &World) -> Self {
        let longest = world.services.iter().map(|service| service.ttl_max.millis()).max();
        Self {
            shaping: Shaping::of(world),
            users: users(world),
            above: above(world),
            seats: Seats::of(world),
            horizon: longest.unwrap_or_default().min(Millis(u64::from(u32::MAX) - 1000)),
        }
    }
}

/// How a pool is shaped: the strictest of what the policies of all routes through it say.
#[derive(Clone, Debug, Default)]
pub(super) struct Shaping {
    /// The routes through it.
    pub(super) routes: Vec<RouteId>,
    pub(super) slow_start: Millis,
    pub(super) marks: Option<Marks>,
    /// How long until a shed shows in full.
    pub(super) period: Millis,
    /// It names a load.
    pub(super) load: bool,
    /// Somebody ranks by response time.
    pub(super) response: bool,
    /// How families count: one service that takes what is down in one of them for down decides.
    pub(super) families: Families,
}

impl Shaping {
    /// For each pool of a configuration.
    pub(super) fn of(world: &World) -> Vec<Self> {
        (0..world.pools.len() as u32).map(|id| Self::of_pool(world, PoolId(id))).collect()
    }

    fn of_pool(world: &World, id: PoolId) -> Self {
        let routes: Vec<RouteId> = world.routes_of(id).map(|(route, _)| route).collect();
        let policies = || world.routes_of(id).filter_map(|(_, route)| world.policies.get(route.policy.at()));
        let services = || world.services.iter().filter(|service| service.routes.iter().any(|id| routes.contains(id)));
        let marks = policies().filter_map(|policy| policy.shed).reduce(Watermarks::strictest);
        let load = load::load_of(world, id);
        let ttl = services().map(|service| service.ttl_max.millis()).max().unwrap_or_default();
        Self {
            slow_start: policies().map(|policy| policy.slow_start).max().unwrap_or_default(),
            marks: marks.map(|Watermarks { low, high }| Marks { low: low.ratio(), high: high.ratio() }),
            // Caches, then the age of a report, then two half-lives of the average.
            period: load.map_or(ttl, |load| ttl.plus(load.max_age).plus(load.smooth.times(2))),
            load: load.is_some(),
            response: policies().any(|policy| policy.prefer.iter().any(|(key, _)| *key == Key::Response)),
            families: match services().any(|service| service.families == Families::Leave) {
                true => Families::Leave,
                false => Families::Apart,
            },
            routes,
        }
    }
}

/// For each target, the endpoints that rest on it.
fn users(world: &World) -> Vec<Vec<(PoolId, u64)>> {
    let mut users: Vec<Vec<(PoolId, u64)>> = vec![Vec::new(); world.targets.len()];
    for (id, pool) in world.pools.iter().enumerate() {
        let id = PoolId(id as u32);
        for (position, _, endpoint) in members(pool) {
            for target in endpoint.targets.into_iter().flatten() {
                match users[target.at()].last_mut() {
                    Some((last, set)) if *last == id => *set |= 1 << position,
                    _ => users[target.at()].push((id, 1 << position)),
                }
            }
        }
    }
    users
}

/// For each target, those that are made of it.
fn above(world: &World) -> Vec<Vec<TargetId>> {
    let mut above: Vec<Vec<TargetId>> = vec![Vec::new(); world.targets.len()];
    for (n, target) in world.targets.iter().enumerate() {
        if let Asks::Several { of, .. } = &target.asks {
            for part in of {
                above[part.at()].push(TargetId(n as u32));
            }
        }
    }
    above
}
