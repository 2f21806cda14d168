//! The clients that a pool tells apart, and which endpoints they may be sent to while all are up: what a configuration alone
//! makes of them. Must not know what happens while the server runs.

use crate::engine::{
    geo::Map,
    live::{
        PoolRow,
        eligible::{Belief, Eligibility, Scope},
    },
    steer::rank::settled,
    world::{
        World,
        endpoint::Endpoint,
        policy::Policy,
        pool::{Pool, Route},
        service::Families,
    },
};

/// The clients that a pool tells apart: the catchments of its map, or one for all.
#[derive(Clone, Copy, Debug)]
pub struct Clients<'a> {
    pool: &'a Pool,
    route: &'a Route,
    policy: &'a Policy,
    map: Option<&'a Map>,
}

impl<'a> Clients<'a> {
    /// The clients of a pool on a route through it.
    #[must_use]
    pub fn of(world: &'a World, pool: &'a Pool, route: &'a Route) -> Self {
        Self {
            pool,
            route,
            policy: &world.policies[route.policy.at()],
            map: route.map.and_then(|id| world.maps.get(id.at())),
        }
    }

    /// The clients of a pool under its own policy.
    #[must_use]
    pub fn of_pool(world: &'a World, pool: &'a Pool) -> Option<Self> {
        Some(Self::of(world, pool, world.own_route(pool)?))
    }

    /// Each of them by its number.
    pub fn all(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.map.map_or(1, |map| map.catchments() as u32)
    }

    /// The endpoints that may answer a client when all are up, as bits; within the policy's limits or whatever they say.
    #[must_use]
    pub fn eligible(&self, client: u32, limited: bool) -> u64 {
        let scope = Scope::new(&self.pool.table, &self.route.table, self.policy, self.map.map(|map| (map, client)));
        let belief = if limited { Belief::Measured } else { Belief::Relaxed };
        Eligibility::new(self.pool, &PoolRow::all_up(), scope, belief, Families::Apart).set()
    }

    /// The endpoints of the pool for which something holds, as bits.
    pub fn set(&self, is_in: impl Fn(&Endpoint) -> bool) -> u64 {
        let bits = self.pool.endpoints.iter().enumerate().filter(|(_, endpoint)| is_in(endpoint));
        bits.fold(0, |set, (position, _)| set | 1 << position)
    }

    /// Those of the eligible that can be in the answer. Keys that go by what changes while the server runs leave all.
    #[must_use]
    pub fn best(&self, client: u32, eligible: u64) -> u64 {
        if self.policy.answers > 1 { eligible } else { self.nearest(client, eligible) }
    }

    /// The best band of the eligible.
    #[must_use]
    pub fn nearest(&self, client: u32, eligible: u64) -> u64 {
        let (mut left, mut geo_key) = (eligible, 0);
        let here = self.map.map(|map| (map, client));
        for (key, _) in &self.policy.prefer {
            match settled(&self.pool.table, &self.route.table, here, *key, &mut geo_key, left) {
                Some(band) => left = band,
                None => return left, // what is live decides from here on
            }
        }
        left
    }
}
