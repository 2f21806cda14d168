//! How endpoints are ranked and shared out, compiled: presets and `extends` are resolved. Plain data.

use std::sync::Arc;

use super::endpoint::Distinct;
use crate::engine::{
    geo::{Limits, Preferences},
    types::{Millis, PerFamily},
    units::Permille,
};

/// How endpoints are ranked and shared out, with presets and `extends` resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The name it was given, or the preset's.
    pub name: Box<str>,
    /// Rank: keys compared in turn, each with how much worse than the best still counts as equal.
    pub prefer: Vec<(Key, u32)>,
    /// How the equal-best share.
    pub spread: Spread,
    /// Block lengths finer than the default.
    pub sticky: Option<PerFamily<u8>>,
    /// How many distinct endpoints an answer names, at most one of each region.
    pub answers: u8,
    /// Regions whose order is kept for each client.
    pub depth: u8,
    /// What no two endpoints of an answer have in common.
    pub distinct: Distinct,
    /// The worst round-trip time and distance that is taken while anything better lives.
    pub limits: Limits,
    /// What the key `geo` goes by.
    pub preferences: Option<Arc<Preferences>>,
    /// How loaded an endpoint may be before blocks move on; none: it keeps them.
    pub shed: Option<Watermarks>,
    /// From recovery to a whole share; 0: at once.
    pub slow_start: Millis,
}

/// Load ÷ capacity between which blocks move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Watermarks {
    /// Where they start.
    pub low: Permille,
    /// Where all must.
    pub high: Permille,
}

impl Watermarks {
    /// What both allow.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.min(other.high) }
    }
}

impl Policy {
    /// Whether demand is assigned to regions by their load: it sheds, or prefers load.
    #[must_use]
    pub fn goes_by_load(&self) -> bool {
        self.shed.is_some() || self.prefer.iter().any(|(key, _)| *key == Key::Load)
    }

    /// Whether every endpoint takes every block, but for what operators say: nothing sheds, ramps or is assigned.
    #[must_use]
    pub fn admits_all(&self) -> bool {
        !self.goes_by_load() && self.slow_start.is_zero()
    }
}

/// A key that ranks endpoints. Smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The endpoint's [`Endpoint::order`](super::endpoint::Endpoint::order).
    Order,
    /// Expected round-trip time from the client, in tenths of a millisecond.
    Rtt,
    /// Great-circle distance from the client, in kilometres.
    Distance,
    /// The region's place in the client's order by [`Preferences`].
    Geo,
    /// Reported load ÷ capacity, in parts of a thousand; as reported where no capacity is set.
    Load,
    /// The prober's response time in tenths of a millisecond × (1 + load).
    Response,
}

/// How the best band shares the clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spread {
    /// By weight; a block's choice changes with the slot.
    Weighted,
    /// In turn by slot, weights kept, smoothly.
    RoundRobin,
    /// By weight; a block keeps its choice (weighted rendezvous).
    #[default]
    Hash,
    /// By weight; every query draws anew.
    Random,
    /// All of the band at once.
    All,
}

impl Policy {
    /// No limits.
    pub const UNLIMITED: Limits = Limits { rtt: None, distance: None };

    /// Whether the client's location is asked.
    #[must_use]
    pub fn asks_location(&self) -> bool {
        self.prefer.iter().any(|(key, _)| matches!(key, Key::Rtt | Key::Distance | Key::Geo))
            || self.limits != Self::UNLIMITED
    }

    /// Whether two clients that rank all endpoints alike may still get different answers, so that the block matters.
    #[must_use]
    pub fn asks_block(&self) -> bool {
        matches!(self.spread, Spread::Weighted | Spread::RoundRobin | Spread::Hash)
    }
}
