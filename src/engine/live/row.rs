//! The rows that a query reads. Must not know what makes them, nor how they count.

use serde::{Deserialize, Serialize};

use crate::engine::{
    types::PerFamily,
    units::{Admission, Permille, Rtt},
    wire::edns::Notice,
};

/// Who in a pool may answer, as bits counted from the pool's first endpoint. Overrides are in it already: who is forced
/// up is up in all its families, who is forced down is `out`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRow {
    /// For each family: known to be up in it, or not monitored in it. An endpoint that is another name is up in both
    /// families, unless something says otherwise.
    pub up: PerFamily<u64>,
    /// For each family: known to be down in it. An address that is in neither set is unknown.
    pub down: PerFamily<u64>,
    /// For each family: up, with failures counted: may go.
    pub falling: PerFamily<u64>,
    /// For each family: down, with successes counted: may come back.
    pub rising: PerFamily<u64>,
    /// Not counted as down although probes say so, in a family at least.
    pub held: u64,
    /// For each family: found down there and not counted so, since the governor holds its region. Such an endpoint counts
    /// on the first attempt only beside one that is truly up.
    pub governed: PerFamily<u64>,
    /// Forced up by an operator, which says nothing of the endpoints beside it.
    pub forced: u64,
    /// What people should know of an answer that rests on the pool.
    pub notice: Option<Notice>,
    /// Forced down by an operator: lifted only where else a name would be empty.
    pub out: u64,
    /// Drained: out of the first rung only.
    pub drained: u64,
    /// Weight above 0, configured and by override.
    pub weighted: u64,
    /// Admission below [`Admission::ALL`].
    pub partial: u64,
    /// Warmth below [`Admission::ALL`]: in a slow start.
    pub slow: u64,
    /// Admission, weight or an override will change with time alone, as [`EndpointRow::change_in`] says.
    pub moving: u64,
    /// Those that were up when last any endpoint was, by measurement alone.
    pub last: u64,
    /// For each family, those that were up in it when last any was, by measurement alone.
    pub last_in: PerFamily<u64>,
    /// Until when, in milliseconds of the process's clock, `u64::MAX` while one is; the latest of a service's pools
    /// is its last known.
    pub last_at: u64,
}

impl PoolRow {
    /// The row of a pool all of whose endpoints are up: what a configuration alone makes of it.
    #[must_use]
    pub fn all_up() -> Self {
        Self { up: PerFamily::new(u64::MAX, u64::MAX), weighted: u64::MAX, ..Self::default() }
    }
}

/// What is live of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Configured weight × override.
    pub weight: u32,
    /// The share of blocks that it takes: the way back of its region × (1 − shed) × (1 − drain).
    /// The others go to what is next in rank, in whatever region.
    pub admission: Admission,
    /// What its own slow start leaves of that share. The others go to what serves in its region
    /// beside it; it takes them itself where there is nothing else.
    pub warmth: Admission,
    /// Load ÷ capacity; the pool's mean where nothing fresh is reported.
    pub load: Permille,
    /// Response time × (1 + load).
    pub response: Rtt,
    /// Milliseconds until its health, admission or weight can change at the earliest; `u32::MAX` when calm. No
    /// [`Millis`](crate::engine::types::Millis), which is twice as wide: rows are small, for queries read many of them.
    pub change_in: u32,
}

impl Default for EndpointRow {
    fn default() -> Self {
        Self {
            weight: 0,
            admission: Admission::ALL,
            warmth: Admission::ALL,
            load: Permille(0),
            response: Rtt(0),
            change_in: u32::MAX,
        }
    }
}
