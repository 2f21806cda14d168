//! One endpoint as its pool's rows know it, before they are rows of bits. Must not know probes or overrides.

use super::{
    eligible::{self, Eligibility, Exclusion, Standing},
    row::PoolRow,
};
use crate::engine::{
    health::fold::Health,
    types::{Family, PerFamily},
    world::{endpoint::Endpoint, pool::Pool, service::Families},
};

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
}
