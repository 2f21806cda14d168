//! Everything that one query reads: the compiled configuration and the live rows that belong to it, inseparable.

use std::sync::Arc;

use super::{
    health::{
        fold::{Health, Record},
        governor::Governed,
    },
    live::{EndpointRow, PoolRow},
    signal::timing::Timing,
    types::{At, EndpointId, PoolId, RegionId, TargetId},
    world::{World, table::Assignment},
};

/// A slow start that is under way, or waits to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowStart {
    /// Where.
    pub pool: PoolId,
    /// What begins to serve.
    pub of: SlowStartOf,
    /// How many milliseconds of it had passed, and at which moment, if it goes on from there; none: it begins with the
    /// first time that the endpoint is up.
    pub way: Option<(u64, Option<At>)>,
    /// How many milliseconds it takes.
    pub over: u64,
}

/// What begins to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowStartOf {
    /// An endpoint, which gives way to the others of its region.
    Endpoint(EndpointId),
    /// A region, which gives way to others.
    Region(RegionId),
}

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
    /// Health of every target, for people; the query reads the rows.
    pub targets: Vec<Record>,
    /// What the governor remembers, and who was found down and counts as something else; not for queries.
    pub governed: Governed,
    /// Those, each with what it counts as.
    pub kept: Vec<(TargetId, Health)>,
    /// How long every target takes, for people.
    pub timings: Vec<Arc<Timing>>,
    /// What begins to serve, for a restart; the query reads the rows.
    pub slow_starts: Vec<SlowStart>,
    /// Whether steered names are answered: the first probe round has ended, or its deadline has passed.
    pub ready: bool,
    /// When it was made.
    pub at: At,
}
