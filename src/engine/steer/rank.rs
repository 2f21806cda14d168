//! Who of the eligible is best: each key in turn leaves those within its tolerance of the best. Must not know health.

use super::{
    locate::Client,
    parts::Parts,
    trace::{Step, Trace},
};
use crate::engine::{
    geo::Map,
    live::{EndpointRow, PoolRow},
    types::{EndpointId, PoolId, RouteId, members},
    world::{
        policy::{Key, Policy},
        pool::Pool,
        table::{Assignment, PoolTable, RouteTable},
    },
};

/// A pool as one decision sees it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'s> {
    /// The pool.
    pub pool: &'s Pool,
    /// The number of the route through it.
    pub route: RouteId,
    /// Its table.
    pub table: &'s PoolTable,
    /// Its table on the map of the route.
    pub on_map: &'s RouteTable,
    /// What is assigned to its regions.
    pub assignment: Option<&'s Assignment>,
    /// Its row.
    pub row: &'s PoolRow,
    /// Its endpoints' rows, by position.
    pub live: &'s [EndpointRow],
    /// The policy of the route.
    pub policy: &'s Policy,
    /// The client's catchment on the route's map, where it has one.
    pub here: Option<(&'s Map, u32)>,
    /// Whether overrides of weights are set aside.
    pub lifted: bool,
    parts: &'s Parts<'s>,
    client: &'s Client,
}

impl<'s> Field<'s> {
    /// The pool as it is to a client.
    #[inline]
    #[must_use]
    pub fn new(parts: &'s Parts<'s>, id: RouteId, client: &'s Client, lifted: bool) -> Option<Self> {
        let world = parts.world;
        let route = world.routes.get(id.at())?;
        let (pool, row) = (world.pools.get(route.pool.at())?, parts.rows.get(route.pool.at())?);
        let policy = world.policies.get(route.policy.at())?;
        let live = parts.live.get(pool.first.at()..pool.first.at() + pool.endpoints.len())?;
        let map = route.map.and_then(|id| Some((id, world.maps.get(id.at())?)));
        let here = map.map(|(id, map)| (map, client.catchment(id, map)));
        let assignment = parts.assignments.get(id.at()).and_then(Option::as_deref);
        let (table, on_map) = (&pool.table, &route.table);
        Some(Self { pool, route: id, table, on_map, assignment, row, live, policy, here, lifted, parts, client })
    }

    /// The number of the pool.
    #[must_use]
    pub fn pool_id(&self) -> PoolId {
        self.parts.world.routes.get(self.route.at()).map_or(PoolId(0), |route| route.pool)
    }

    /// The number of an endpoint.
    #[must_use]
    pub fn id(&self, n: u8) -> EndpointId {
        self.pool.id(n)
    }

    /// An endpoint's row.
    #[must_use]
    pub fn row_of(&self, n: u8) -> EndpointRow {
        self.live.get(usize::from(n)).copied().unwrap_or_default()
    }

    /// An endpoint's weight in force.
    #[must_use]
    pub fn weight(&self, n: u8) -> u64 {
        if self.lifted {
            self.table.weight(n)
        } else {
            self.live.get(usize::from(n)).map_or(0, |row| row.weight.into())
        }
    }

    /// The sum of weights in force.
    #[must_use]
    #[inline]
    pub fn weight_of(&self, set: u64) -> u64 {
        members(set).map(|n| self.weight(n)).sum()
    }

    /// The best band of `eligible`. `first`: the trace is told every value; later rounds are without those that refused.
    #[inline]
    pub(super) fn rank<T: Trace>(&self, eligible: u64, first: bool, trace: &mut T) -> u64 {
        let mut band = eligible;
        let mut geo_key = 0;
        for &(key, tolerance) in &self.policy.prefer {
            let (before, at) = (band, geo_key);
            band = match settled(self.table, self.on_map, self.here, key, &mut geo_key, band) {
                Some(band) => band,
                None if self.assignment.is_some() => band,
                None if key == Key::Load => self.least(band, tolerance, |row| row.load.0),
                None => self.least(band, tolerance, |row| row.response.0),
            };
            if T::ON && first && geo_key > at && self.is_beyond_depth(at, before) {
                trace.note(|| Step::BeyondDepth(key));
            }
            for n in members(before).filter(|_| T::ON && first) {
                trace.note(|| Step::Ranked {
                    key,
                    endpoint: self.id(n),
                    value: self.value(key, n),
                    kept: band >> n & 1 == 1,
                });
            }
        }
        band
    }

    /// Whether the map's `geo_key`-th key ranks a set beyond the regions whose order is kept for the client.
    fn is_beyond_depth(&self, geo_key: usize, set: u64) -> bool {
        let regions = self.on_map.rule_regions(set);
        self.here.is_some_and(|(map, catchment)| map.is_beyond_depth(catchment, geo_key, regions))
    }

    /// Those whose live value is within the tolerance of the smallest.
    fn least(&self, set: u64, tolerance: u32, value: fn(&EndpointRow) -> u32) -> u64 {
        let of = |n: u8| self.live.get(usize::from(n)).map_or(u32::MAX, value);
        let limit = members(set).map(of).min().unwrap_or(u32::MAX).saturating_add(tolerance);
        members(set).filter(|n| of(*n) <= limit).fold(0, |band, n| band | 1 << n)
    }

    /// The number behind an endpoint's place in a band, from the same estimate that the maps were compiled from.
    fn value(&self, key: Key, n: u8) -> u32 {
        let region = || self.pool.endpoints.get(usize::from(n)).map(|endpoint| endpoint.region);
        let map = self.here.map(|(map, _)| map);
        let estimate = || self.parts.estimate(self.client, map, region()?);
        let place = || Some(self.parts.place(self.client, map, self.policy.preferences.as_deref()?, region()?));
        match key {
            Key::Order => self.table.order(n),
            Key::Rtt => estimate().map_or(u32::MAX, |e| e.rtt.0),
            Key::Distance => estimate().map_or(u32::MAX, |e| e.km.0),
            Key::Geo => place().unwrap_or_default(),
            Key::Load => self.row_of(n).load.0,
            Key::Response => self.row_of(n).response.0,
        }
    }
}

/// What a key leaves of a set for clients of a catchment, where it follows from configuration and place; none for the keys
/// that go by what is live. `geo_key` counts the keys that maps answer.
#[inline]
pub fn settled(
    table: &PoolTable,
    on_map: &RouteTable,
    here: Option<(&Map, u32)>,
    key: Key,
    geo_key: &mut usize,
    set: u64,
) -> Option<u64> {
    match (key, here) {
        (Key::Order, _) => Some(table.first_in_order(set)),
        (Key::Rtt | Key::Distance | Key::Geo, Some((map, catchment))) => {
            let regions = map.best(catchment, *geo_key, on_map.rule_regions(set));
            *geo_key += 1;
            Some(on_map.in_rule_regions(set, regions))
        }
        (Key::Rtt | Key::Distance | Key::Geo, None) => Some(set),
        (Key::Load | Key::Response, _) => None,
    }
}
