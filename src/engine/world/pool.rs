//! Endpoints that are steered together, and the ways through them. Plain data.

use super::{
    endpoint::Endpoint,
    table::{PoolTable, RouteTable},
};
use crate::{
    engine::{
        types::{EndpointId, MapId, PolicyId, PoolId},
        units::Permille,
    },
    probing::monitor::MonitorId,
};

/// Endpoints that are steered together.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The key in the configuration.
    pub name: Box<str>,
    /// Its endpoints, 1 to 64, in name order.
    pub endpoints: Vec<Endpoint>,
    /// The number of the first of them among those of all pools; the others follow it. Given when the world is built.
    pub first: EndpointId,
    /// The monitor that probes them; none: always up.
    pub monitor: Option<MonitorId>,
    /// Below this many eligible endpoints the next pool answers.
    pub min_healthy: Threshold,
    /// Below this share of endpoints that are up, measured health is distrusted, when no later pool can answer.
    pub panic: Threshold,
    /// Where its load reports come from, by the name in the configuration; none: nothing is reported.
    pub load: Option<Box<str>>,
    /// What queries read of it, laid out when the world is built.
    pub table: PoolTable,
}

impl Default for Pool {
    /// A pool without endpoints, with the configuration's defaults.
    fn default() -> Self {
        Self {
            name: Box::default(),
            endpoints: Vec::new(),
            first: EndpointId(0),
            monitor: None,
            min_healthy: Threshold::ONE,
            panic: Threshold::NEVER,
            load: None,
            table: PoolTable::default(),
        }
    }
}

impl Pool {
    /// How many endpoints it has.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u8 {
        self.endpoints.len() as u8
    }

    /// Its endpoints with their position in it and their number among those of all pools.
    pub fn members(&self) -> impl Iterator<Item = (u8, EndpointId, &Endpoint)> {
        (0_u8..).zip(&self.endpoints).map(|(n, endpoint)| (n, self.id(n), endpoint))
    }

    /// The number of an endpoint among those of all pools.
    #[must_use]
    #[inline]
    pub fn id(&self, n: u8) -> EndpointId {
        EndpointId(self.first.0 + u32::from(n))
    }

    /// Its part of what is kept for every endpoint of all pools.
    #[must_use]
    #[inline]
    pub fn part<'a, T>(&self, of_all: &'a [T]) -> &'a [T] {
        of_all.get(self.first.at()..self.first.at() + self.endpoints.len()).unwrap_or_default()
    }
}

/// A way through a pool: under a policy, which is the pool's own or a service's, by the map that both want.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The pool.
    pub pool: PoolId,
    /// How its endpoints are ranked and shared out.
    pub policy: PolicyId,
    /// The map that gives a client's bands and fences; none when neither asks where a client is.
    pub map: Option<MapId>,
    /// What queries read of it, laid out when the world is built.
    pub table: RouteTable,
}

/// A number of endpoints, or a share of those that could answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many.
    Count(u8),
    /// So large a share, rounded up.
    Share(Permille),
}

impl Threshold {
    /// One endpoint: a pool without one does not answer.
    pub const ONE: Self = Self::Count(1);
    /// No share is smaller.
    pub const NEVER: Self = Self::Share(Permille(0));

    /// How many endpoints of `of` it means.
    #[must_use]
    pub fn of(self, of: u32) -> u32 {
        match self {
            Self::Count(count) => u32::from(count),
            Self::Share(share) => share.up_of(of) as u32,
        }
    }
}
