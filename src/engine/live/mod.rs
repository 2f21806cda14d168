//! Live rows: what changes in milliseconds, one small row for each pool and each endpoint. The writer makes them, the
//! query reads them.

pub mod eligible;

use serde::{Deserialize, Serialize};

use self::eligible::{Eligibility, Exclusion, Standing};
use crate::engine::{
    health::fold::Health,
    types::{Family, PerFamily},
    units::{Admission, Permille, Rtt},
    wire::edns::Notice,
    world::{endpoint::Endpoint, pool::Pool, service::Families},
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

/// What the rows of a pool know of one endpoint. Overrides are in it already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// For each family: counts as up in it.
    pub up: PerFamily<bool>,
    /// For each family: counts as down in it.
    pub down: PerFamily<bool>,
    /// For each family: up, with failures counted.
    pub falling: PerFamily<bool>,
    /// For each family: down, with successes counted.
    pub rising: PerFamily<bool>,
    /// For each family: found down there and not counted so, since the governor holds its region.
    pub governed: PerFamily<bool>,
    /// Found down in a family at least, and not counted so.
    pub held: bool,
    /// Forced up by an operator.
    pub forced: bool,
    /// Forced down by an operator.
    pub out: bool,
    /// Drained.
    pub drained: bool,
    /// Weight above 0, configured and by override.
    pub weighted: bool,
}

impl EndpointState {
    /// Up in every family that an endpoint has, by probes or without a monitor, with its configured weight.
    #[must_use]
    pub fn up(endpoint: &Endpoint) -> Self {
        let has = |family| endpoint.address(family).is_some() || endpoint.cname.is_some();
        Self { up: PerFamily::of(has), weighted: endpoint.weight > 0, ..Self::default() }
    }

    /// Found down in every family that an endpoint has.
    #[must_use]
    pub fn down(endpoint: &Endpoint) -> Self {
        let Self { up, weighted, .. } = Self::up(endpoint);
        Self { down: up, weighted, ..Self::default() }
    }

    /// What all its families come to together, as eligibility counts them.
    #[must_use]
    pub fn health(&self, families: Families) -> Health {
        let (up, down) = eligible::together(self.up.map(u64::from), self.down.map(u64::from), families);
        match () {
            () if down != 0 => Health::Down,
            () if up != 0 => Health::Up,
            () => Health::Unknown,
        }
    }

    /// Whether it is eligible by itself, whatever stands beside it; the reason if not.
    ///
    /// # Errors
    /// Why it may not answer.
    pub fn verdict(&self, families: Families) -> Result<Standing, Exclusion> {
        let mut row = PoolRow::default();
        row.put(0, self);
        Eligibility::of_all(&Pool::default(), &row, families).verdict(0)
    }

    /// Whether it is up in a family otherwise than by the governor's hold.
    #[must_use]
    pub fn is_truly_up(&self) -> bool {
        Family::BOTH.into_iter().any(|family| self.up[family] && !self.governed[family])
    }
}

impl PoolRow {
    /// Enters the state of the endpoint at a position. The row must not have one of it yet.
    pub fn put(&mut self, n: u8, state: &EndpointState) {
        let put = |set: &mut u64, yes: bool| *set |= u64::from(yes) << n;
        for family in Family::BOTH {
            put(&mut self.up[family], state.up[family]);
            put(&mut self.down[family], state.down[family]);
            put(&mut self.falling[family], state.falling[family]);
            put(&mut self.rising[family], state.rising[family]);
            put(&mut self.governed[family], state.governed[family]);
        }
        put(&mut self.held, state.held);
        put(&mut self.forced, state.forced);
        put(&mut self.out, state.out);
        put(&mut self.drained, state.drained);
        put(&mut self.weighted, state.weighted);
    }

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
    /// Milliseconds until its health, admission or weight can change at the earliest; `u32::MAX` when calm.
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
