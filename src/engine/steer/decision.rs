//! What is decided: plain data.

use super::{spread::Chosen, trace::Rung};
use crate::engine::{
    types::{PoolId, RouteId},
    units::Ttl,
};

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
