//! Everything that one query reads: the compiled configuration and the live rows that belong to it, inseparable.

use std::{net::IpAddr, sync::Arc};

use super::{
    live::{EndpointRow, EndpointState, PoolRow},
    steer::{
        self, Decision, Parts,
        locate::{Asker, Whereabouts, locate},
        trace::Trace,
    },
    types::{At, Chance, Family, Prefix, ServiceId},
    world::{World, table::Assignment},
};
use crate::engine::world::{endpoint::Endpoint, pool::Pool};

/// What one query reads.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub world: Arc<World>,
    /// One row for each pool.
    pub pools: Vec<PoolRow>,
    /// One row for each endpoint.
    pub endpoints: Vec<EndpointRow>,
    /// For each route whose demand is assigned to regions, how.
    pub assignments: Vec<Option<Arc<Assignment>>>,
    /// For each service, whether its blocks are cut finer than its configuration alone would: a timed drain.
    pub fine: Vec<bool>,
    /// Whether steered names are answered: the first probe round has ended, or its deadline has passed.
    pub ready: bool,
    /// When it was made.
    pub at: At,
}

impl Snapshot {
    /// A Snapshot of a configuration whose endpoints stand as `state` says, with their configured weights, and nothing under
    /// way: for those who use the engine as a library. The server's are made by its node.
    #[must_use]
    pub fn of(world: Arc<World>, state: impl Fn(&Pool, &Endpoint) -> EndpointState) -> Self {
        let row = |pool: &Pool| {
            let mut row = PoolRow::default();
            pool.members().for_each(|(n, _, endpoint)| row.put(n, &state(pool, endpoint)));
            row
        };
        Self {
            pools: world.pools.iter().map(row).collect(),
            endpoints: world
                .endpoints()
                .map(|(_, e)| EndpointRow { weight: e.weight, ..EndpointRow::default() })
                .collect(),
            assignments: vec![None; world.routes.len()],
            fine: vec![false; world.services.len()],
            ready: true,
            at: At(0),
            world,
        }
    }

    /// What a service answers a client with for addresses of a family, and in `trace` why; none: there is no such service.
    /// The client stands in a client subnet option that is believed.
    pub fn decide<T: Trace>(
        &self,
        id: ServiceId,
        client: Prefix,
        family: Family,
        chance: Chance,
        trace: &mut T,
    ) -> Option<Decision> {
        let service = self.world.services.get(id.at())?;
        let asker = Asker { source: client, subnet: None, believed: true };
        let fine = self.fine.get(id.at()).copied().unwrap_or(false);
        let client = locate(&asker, service, fine, &Whereabouts::of(&self.world));
        Some(steer::decide(&Parts::of(self), (id, service), &client, family, chance, trace))
    }

    /// The addresses of a decision, in the order of the answer; none where it answers with another name or a code.
    #[must_use]
    pub fn addresses(&self, decision: &Decision, family: Family) -> Vec<IpAddr> {
        let steer::Verdict::Endpoints { route, .. } = decision.verdict else { return Vec::new() };
        let Some(pool) = self.world.pool_of(route) else { return Vec::new() };
        let endpoints = decision.chosen.iter().filter_map(|n| pool.endpoints.get(usize::from(*n)));
        endpoints.filter_map(|endpoint| endpoint.address(family)).collect()
    }
}

impl<'s> Parts<'s> {
    /// The parts of a Snapshot that a decision reads.
    #[must_use]
    #[inline]
    pub fn of(snapshot: &'s Snapshot) -> Self {
        let Snapshot { world, pools, endpoints, assignments, .. } = snapshot;
        Self { world, rows: pools, live: endpoints, assignments }
    }
}
