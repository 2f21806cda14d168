//! How the clients of a catchment try a pool's regions: the policy's keys and the map's own ranking, walked as the query
//! walks them while regions refuse. Off the query path. Must not know load or demand.

use crate::{
    engine::{
        geo::Map,
        live::{
            EndpointRow, PoolRow,
            eligible::{Belief, Eligibility, Scope},
        },
        snapshot::Snapshot,
        steer::rank,
        types::{RegionId, RouteId, members},
        world::{
            policy::Policy,
            pool::{Pool, Route},
            service::Families,
        },
    },
    node::balance::landing::Band,
};

/// A pool as it stands.
#[derive(Clone, Copy, Debug)]
pub struct PoolView<'s> {
    /// The pool.
    pub pool: &'s Pool,
    /// The route through it.
    pub route: &'s Route,
    /// The policy of the route.
    pub policy: &'s Policy,
    /// The map of the route, where it has one.
    pub map: Option<&'s Map>,
    /// The pool's row.
    pub row: &'s PoolRow,
    /// The rows of all endpoints.
    pub live: &'s [EndpointRow],
}

impl<'s> PoolView<'s> {
    /// A pool on a route, as it stands in a Snapshot.
    #[must_use]
    pub fn of(snapshot: &'s Snapshot, id: RouteId) -> Option<Self> {
        let world = &*snapshot.world;
        let route = world.routes.get(id.at())?;
        Some(Self {
            pool: world.pools.get(route.pool.at())?,
            route,
            policy: world.policies.get(route.policy.at())?,
            map: route.map.and_then(|map| world.maps.get(map.at())),
            row: snapshot.pools.get(route.pool.at())?,
            live: &snapshot.endpoints,
        })
    }
}

impl PoolView<'_> {
    /// The pool's regions in id order: what an [assignment](super::table::Assignment) numbers.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionId> {
        self.pool.table.places().iter().map(|place| place.id).collect()
    }

    /// How many catchments its clients are in.
    #[must_use]
    pub fn catchments(&self) -> usize {
        self.map.map_or(1, Map::catchments)
    }

    /// The row of an endpoint, by its position in the pool.
    #[must_use]
    pub fn live(&self, n: u8) -> EndpointRow {
        self.live.get(self.pool.first.at() + usize::from(n)).copied().unwrap_or_default()
    }

    /// The endpoints that answer clients of a catchment on the first attempt, where the services count families so: none where
    /// the pool is passed over.
    #[must_use]
    pub fn eligible(&self, catchment: u32, families: Families) -> u64 {
        let scope = Scope::new(&self.pool.table, &self.route.table, self.policy, self.map.map(|map| (map, catchment)));
        let gate = Eligibility::new(self.pool, self.row, scope, Belief::Measured, families);
        if gate.is_thin(self.pool) { 0 } else { gate.set() }
    }

    /// The bands in the order in which they are tried, regions as positions in [`regions`](Self::regions) with the sum
    /// of weights. The keys that load decides rank nobody here, and who has refused does not come again.
    #[must_use]
    pub fn bands(&self, catchment: u32) -> Vec<Band> {
        self.bands_of(catchment, Families::Apart)
    }

    /// The same, where the services count families so.
    #[must_use]
    pub fn bands_of(&self, catchment: u32, families: Families) -> Vec<Band> {
        let regions = self.regions();
        let mut bands = Vec::new();
        let (mut left, mut tried) = (self.eligible(catchment, families), 0u64);
        while left != 0 {
            let endpoints = self.best(catchment, left);
            left &= !endpoints;
            let mut band = Band::new();
            for n in members(endpoints) {
                let Some(endpoint) = self.pool.endpoints.get(usize::from(n)) else { continue };
                let Some(region) = regions.iter().position(|region| *region == endpoint.region) else { continue };
                if tried >> region & 1 == 1 {
                    continue;
                }
                let weight = f64::from(self.live(n).weight);
                match band.iter_mut().find(|(known, _)| *known == region) {
                    Some((_, sum)) => *sum += weight,
                    None => band.push((region, weight)),
                }
            }
            band.iter().for_each(|(region, _)| tried |= 1 << region);
            if !band.is_empty() {
                bands.push(band);
            }
            if endpoints == 0 {
                break;
            }
        }
        bands
    }

    /// The best band of a set, by the keys that follow from configuration and place.
    fn best(&self, catchment: u32, eligible: u64) -> u64 {
        let (mut band, mut geo_key) = (eligible, 0);
        let here = self.map.map(|map| (map, catchment));
        for (key, _) in &self.policy.prefer {
            band = rank::settled(&self.pool.table, &self.route.table, here, *key, &mut geo_key, band).unwrap_or(band);
        }
        band
    }
}
