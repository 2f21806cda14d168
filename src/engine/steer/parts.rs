//! What a decision reads, whether a Snapshot holds it or something else does.

use std::sync::Arc;

use super::locate::Client;
use crate::engine::{
    geo::{Estimate, Estimator, Map, Preferences},
    live::{EndpointRow, PoolRow},
    types::RegionId,
    world::{World, table::Assignment},
};

/// What a decision reads.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'s> {
    /// The configuration.
    pub world: &'s World,
    /// One row for each pool.
    pub rows: &'s [PoolRow],
    /// One row for each endpoint.
    pub live: &'s [EndpointRow],
    /// For each route whose demand is assigned to regions, how.
    pub assignments: &'s [Option<Arc<Assignment>>],
}

impl Parts<'_> {
    /// How far a region is from a client, as the maps have it. Slow: for people.
    #[must_use]
    pub fn estimate(&self, client: &Client, map: Option<&Map>, region: RegionId) -> Option<Estimate> {
        let ground = self.world.ground();
        Estimator::new(&ground).row(&client.decider(&ground, map).0.facts, &[region]).pop()
    }

    /// The place of a region in the order that holds for a client. Slow: for people.
    #[must_use]
    pub fn place(&self, client: &Client, map: Option<&Map>, preferences: &Preferences, region: RegionId) -> u32 {
        preferences.place(&client.decider(&self.world.ground(), map).0.facts, region)
    }
}
