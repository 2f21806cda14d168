//! Endpoints by their places: in a pool, among all, and the monitored ones of each region, which is what probes can take from
//! it. Must not know what is known of them.

use std::collections::BTreeMap;

use crate::engine::{
    types::{EndpointId, PoolId, RegionId},
    world::{World, endpoint::Endpoint, pool::Pool},
};

/// A pool's endpoints: position in the pool, position among all, the endpoint.
pub(super) fn members(pool: &Pool) -> impl Iterator<Item = (u32, usize, &Endpoint)> {
    let first = pool.first.at();
    pool.endpoints.iter().enumerate().map(move |(i, endpoint)| (i as u32, first + i, endpoint))
}

/// The endpoint at a place among all.
pub(super) fn endpoint(world: &World, index: usize) -> &Endpoint {
    &world[EndpointId(index as u32)]
}

/// As `pool/endpoint`.
pub(super) fn name(pool: &Pool, endpoint: &Endpoint) -> Box<str> {
    format!("{}/{}", pool.name, endpoint.name).into_boxed_str()
}

/// For each region that has monitored endpoints, these: pool, and place among all.
#[derive(Debug, Default)]
pub(super) struct Seats(BTreeMap<RegionId, Vec<(PoolId, usize)>>);

impl Seats {
    pub(super) fn of(world: &World) -> Self {
        let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (n, pool) in world.pools.iter().enumerate() {
            for (_, index, endpoint) in members(pool).filter(|(.., e)| e.targets.iter().any(Option::is_some)) {
                of.entry(endpoint.region).or_default().push((PoolId(n as u32), index));
            }
        }
        Self(of)
    }

    /// How many regions probes can empty.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether probes can empty a region.
    pub(super) fn has(&self, region: RegionId) -> bool {
        self.0.contains_key(&region)
    }

    pub(super) fn in_region(&self, region: RegionId) -> &[(PoolId, usize)] {
        self.0.get(&region).map_or(&[], Vec::as_slice)
    }
}
