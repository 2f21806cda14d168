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
    types::RouteId,
    units::Ttl,
    world::{World, table::Assignment},
};
use locate::Client;
use spread::Chosen;
use trace::Rung;

use super::{
    geo::{Estimate, Estimator, Map, Preferences},
    types::{PoolId, RegionId},
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

/// What was decided for a name, and for the type that is asked for.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is answered.
    pub verdict: Verdict,
    /// The endpoints of the verdict's pool, by position, in the order of the reply; empty where it names none. All of them
    /// have an address of the family that is asked for, unless they are another name.
    pub chosen: Chosen,
    /// How long it may be kept.
    pub ttl: Ttl,
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
    /// Endpoints of a pool.
    Endpoints {
        /// The route through the pool.
        route: RouteId,
        /// The client's catchment on the route's map; 0 where it has none.
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
