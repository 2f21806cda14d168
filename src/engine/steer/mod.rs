//! THE HEART: who is eligible, how they rank, which the draw picks, and why. Must not know DNS messages, time,
//! randomness or the configuration's format. Takes parts, never the Snapshot.
//!
//! `decide` is the ladder: pools in fallback order, the same with less asked of them, then `when_all_down`. In each
//! pool: eligible → rank → admit → spread. All that is for the name; `ladder/family` makes the answer for one type of it.

mod ladder;
pub mod locate;
pub mod rank;
pub mod spread;
pub mod trace;

use std::sync::Arc;

pub use ladder::{decide, decide_name};

use crate::engine::{
    live::{EndpointRow, PoolRow},
    world::{
        policy::{Endpoint, Policy, Pool},
        table::{Assignment, PoolTable},
    },
};
use locate::Client;
use spread::Chosen;
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
    /// Whether the query's number says which of all in an answer stands first.
    pub rotate: bool,
}

impl Parts<'_> {
    /// How far a region is from a client, as the maps have it. Slow: for people.
    #[must_use]
    pub fn estimate(&self, client: &Client, map: Option<&Map>, region: RegionId) -> Option<Estimate> {
        Estimator::new(self.ground.as_ref()?).row(&self.facts(client, map)?, &[region]).pop()
    }

    /// What the clients are known by that decide for a client on a map.
    fn facts(&self, client: &Client, map: Option<&Map>) -> Option<Facts<'_>> {
        Some(client.decider(self.ground.as_ref()?, map).0.facts)
    }

    /// The place of a region in the order that holds for a client. Slow: for people.
    #[must_use]
    pub fn place(&self, client: &Client, map: Option<&Map>, preferences: &Preferences, region: RegionId) -> u32 {
        self.facts(client, map).map_or(u32::MAX, |facts| preferences.place(&facts, region))
    }
}

/// What was decided for a name, and for the type that is asked for.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is answered.
    pub verdict: Verdict,
    /// The endpoints of the verdict's pool, by position, in the order of the reply; empty where it names none. All of them
    /// have an address of the family that is asked for, unless they are another name.
    pub chosen: Chosen,
    /// The TTL in seconds.
    pub ttl: u32,
    /// Whether the other family would be answered with the same endpoints and TTL.
    pub alike: bool,
    /// How far down the ladder.
    pub rung: Rung,
    /// The first pool that gave way, since the governor holds what could answer in it.
    pub held: Option<PoolId>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Endpoints of this pool.
    Endpoints {
        /// The pool.
        pool: PoolId,
        /// The client's catchment on the pool's map; 0 where it has none.
        catchment: u32,
    },
    /// The pool answers the name, but has lost this family: the addresses of `when_all_down` stand in for it.
    Listed {
        /// The pool.
        pool: PoolId,
    },
    /// The pool answers the name, and this family is empty: the pool has no address of it, or has lost it and
    /// `when_all_down` has none.
    NoAddress {
        /// The pool.
        pool: PoolId,
    },
    /// What the service's `when_all_down` says: addresses, another name, or none.
    AllDown,
    /// What its `when_fenced` says.
    Fenced,
}
