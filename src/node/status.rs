//! What people read of a server: health with its evidence, what the governor remembers, what is under way. No query reads
//! it, so it is made when it is wanted, and not with every change of what queries read. Must not know who wants it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::{
    health::{
        fold::{Health, Record},
        governor::Governed,
    },
    signal::timing::Timing,
    types::{At, EndpointId, Millis, PoolId, RegionId, TargetId},
    world::World,
};

/// All of it, at a moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// The configuration.
    pub world: Arc<World>,
    /// Health of every target.
    pub targets: Vec<Record>,
    /// What the governor remembers.
    pub governed: Governed,
    /// The targets that were found down and count as something else, each with what it counts as.
    pub kept: Vec<(TargetId, Health)>,
    /// How long probes of every target take.
    pub timings: Vec<Arc<Timing>>,
    /// What begins to serve.
    pub slow_starts: Vec<SlowStart>,
    /// How many jobs are under way: maps that are compiled, demand that is assigned.
    pub jobs: usize,
    /// Whether steered names are answered.
    pub ready: bool,
    /// When it was made.
    pub at: At,
}

/// A slow start that is under way, or waits to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowStart {
    /// Where.
    pub pool: PoolId,
    /// What begins to serve.
    pub of: SlowStartOf,
    /// How much of it had passed, and at which moment, if it goes on from there; none: it begins with the
    /// first time that the endpoint is up.
    pub way: Option<(Millis, Option<At>)>,
    /// How long it takes.
    pub over: Millis,
}

/// What begins to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlowStartOf {
    /// An endpoint, which gives way to the others of its region.
    Endpoint(EndpointId),
    /// A region, which gives way to others.
    Region(RegionId),
}
