//! THE HEART: who is eligible, how they rank, which the draw picks, and why. Must not know DNS messages, time,
//! randomness or the configuration's format. Takes parts, never the Snapshot.
//!
//! `decide` is the ladder: pools in fallback order, the same with less asked of them, then `when_all_down`. In each
//! pool: eligible → rank → admit → spread.

pub mod assign;
pub mod draw;
pub mod eligible;
mod ladder;
pub mod landing;
pub mod locate;
pub mod policy;
pub mod rank;
pub mod row;
pub mod spread;
pub mod table;
pub mod trace;

use std::sync::Arc;

pub use ladder::decide;

use locate::Client;
use policy::{Endpoint, Policy, Pool};
use row::{EndpointRow, PoolRow};
use spread::Chosen;
use table::{Assignment, PoolTable};
use trace::Rung;

use super::{
    geo::{Estimate, Estimator, Facts, Ground, Map, Preferences},
    types::{PoolId, RegionId},
};

/// What a decision reads.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'s> {
    /// All pools.
    pub pools: &'s [Pool],
    /// Their tables.
    pub tables: &'s [PoolTable],
    /// Their live rows.
    pub rows: &'s [PoolRow],
    /// What is assigned to their regions.
    pub assignments: &'s [Option<Arc<Assignment>>],
    /// All policies.
    pub policies: &'s [Policy],
    /// All maps.
    pub maps: &'s [Map],
    /// What the maps were compiled from, where somebody listens: for the trace.
    pub ground: Option<Ground<'s>>,
    /// All endpoints.
    pub endpoints: &'s [Endpoint],
    /// The endpoints' live rows.
    pub live: &'s [EndpointRow],
}

impl Parts<'_> {
    /// How far a region is from a client, as the maps have it. Slow: for people.
    #[must_use]
    pub fn estimate(&self, client: &Client, region: RegionId) -> Option<Estimate> {
        Estimator::new(self.ground.as_ref()?).row(&self.facts(client)?, &[region]).pop()
    }

    /// What a client is known by.
    fn facts(&self, client: &Client) -> Option<Facts<'_>> {
        let ground = self.ground.as_ref()?;
        let atlas = if client.behind.is_some() { ground.resolvers } else { ground.atlas };
        Some(atlas.find(client.prefix).facts)
    }

    /// The place of a region in the order that holds for a client. Slow: for people.
    #[must_use]
    pub fn place(&self, client: &Client, preferences: &Preferences, region: RegionId) -> u32 {
        self.facts(client).map_or(u32::MAX, |facts| preferences.place(&facts, region))
    }
}

/// What was decided for a name, whatever the type.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is answered.
    pub verdict: Verdict,
    /// The endpoints of the verdict's pool, by position, in the order of the reply; empty where it names none.
    pub chosen: Chosen,
    /// The TTL in seconds.
    pub ttl: u32,
    /// How far down the ladder.
    pub rung: Rung,
    /// The first pool that gave way, since the governor holds what could answer in it.
    pub held: Option<PoolId>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Endpoints of this pool; `living`: only their families that are not known to be dead.
    Endpoints {
        /// The pool.
        pool: PoolId,
        /// The client's catchment on the pool's map; 0 where it has none.
        catchment: u32,
        /// Whether a family that is known to be dead is withheld.
        living: bool,
    },
    /// What the service's `when_all_down` says: addresses, another name, or none.
    AllDown,
    /// What its `when_fenced` says.
    Fenced,
}
