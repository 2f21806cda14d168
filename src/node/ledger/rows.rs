//! What queries read, row by row, and which of it is to be made again. Only `derive` puts rows here
//! (`tests/it/house.rs` holds it). Must not know what rows are made of.

use std::{collections::BTreeMap, mem};

use super::region_counts::Regions;
use crate::engine::{
    live::{EndpointRow, PoolRow},
    types::{At, PoolId, RegionId},
    world::World,
};

/// What queries read, and what it is made with.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// For each pool and each endpoint, its row.
    pools: Vec<PoolRow>,
    endpoints: Vec<EndpointRow>,
    /// For each endpoint, the weight with which it takes part in what is reported; their sums by region.
    taking_part: Vec<u32>,
    region_weights: Vec<u64>,
    /// For each pool, when its rows change with time alone.
    ticks: Vec<Option<At>>,
    /// Which regions have an endpoint that is up.
    pub(super) regions: Regions,
    /// The pools whose facts have changed, and how much of them.
    dirty: BTreeMap<PoolId, Extent>,
    /// Whether loads are to be shared out again.
    loads: bool,
    /// Something that queries read has changed since [`Ledger::take_stirred`].
    stirred: bool,
}

/// How much of a pool's rows is to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// Load and response time.
    Measures,
    /// All of it.
    Whole,
}

impl Rows {
    /// Nothing is made yet in this configuration.
    pub(super) fn of(world: &World) -> Self {
        Self {
            pools: vec![PoolRow::default(); world.pools.len()],
            endpoints: vec![EndpointRow::default(); world.endpoint_count()],
            taking_part: vec![0; world.endpoint_count()],
            region_weights: vec![0; world.regions.len()],
            ticks: vec![None; world.pools.len()],
            regions: Regions::of(world),
            dirty: BTreeMap::new(),
            loads: false,
            stirred: true,
        }
    }

    /// For each pool, its row.
    pub(super) fn pools(&self) -> &[PoolRow] {
        &self.pools
    }

    /// For each endpoint, its row.
    pub(super) fn endpoints(&self) -> &[EndpointRow] {
        &self.endpoints
    }

    /// When rows change with time alone.
    pub(super) fn ticks(&self) -> impl Iterator<Item = At> {
        self.ticks.iter().copied().flatten()
    }

    /// Queries read something else from now on, though no row is another one.
    pub(super) fn stir(&mut self) {
        self.stirred = true;
    }

    /// Whether queries read something else since this was asked last.
    pub(super) fn take_stirred(&mut self) -> bool {
        mem::take(&mut self.stirred)
    }

    /// The row of an endpoint, by its place among all, is this one from now on.
    pub(super) fn put_endpoint(&mut self, index: usize, row: EndpointRow) {
        self.stirred |= mem::replace(&mut self.endpoints[index], row) != row;
    }

    /// The row of a pool is this one from now on, and changes with time alone at this moment.
    pub(super) fn put_pool(&mut self, id: PoolId, row: PoolRow, tick: Option<At>) {
        self.stirred |= mem::replace(&mut self.pools[id.at()], row) != row;
        self.ticks[id.at()] = tick;
    }

    /// The weight with which an endpoint takes part in what is reported; whether it is another one.
    pub(super) fn put_part(&mut self, index: usize, weight: u32) -> bool {
        mem::replace(&mut self.taking_part[index], weight) != weight
    }

    /// For each endpoint, the weight with which it takes part in what is reported.
    pub(super) fn parts(&self) -> &[u32] {
        &self.taking_part
    }

    /// For each region, the sum of these.
    pub(super) fn put_region_weights(&mut self, weights: Vec<u64>) {
        self.region_weights = weights;
    }

    /// The sum of a region.
    pub(super) fn region_weight(&self, region: RegionId) -> u64 {
        self.region_weights.get(region.at()).copied().unwrap_or_default()
    }

    /// A pool's rows are to be made again, so much of them.
    pub(super) fn mark(&mut self, id: PoolId, extent: Extent) {
        let known = self.dirty.entry(id).or_insert(extent);
        *known = extent.max(*known);
    }

    /// Loads are to be shared out again.
    pub(super) fn mark_loads(&mut self) {
        self.loads = true;
    }

    /// What was marked since this was asked last, and whether loads were.
    pub(super) fn take_marked(&mut self) -> (BTreeMap<PoolId, Extent>, bool) {
        (mem::take(&mut self.dirty), mem::take(&mut self.loads))
    }
}
