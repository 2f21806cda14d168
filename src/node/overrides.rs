//! What operators say against measurement: who, what, why, and until when. Plain data. Must not know where it comes from.

use serde::{Deserialize, Serialize};

use crate::engine::{
    types::{At, Millis},
    units::Permille,
};

/// Scope an override is about, by the names in the configuration, so that it outlives a reload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every endpoint in a region.
    Region(Box<str>),
    /// Every endpoint of a pool.
    Pool(Box<str>),
    /// One endpoint: pool, endpoint.
    Endpoint(Box<str>, Box<str>),
}

/// What is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// No new clients, gradually over so long (0: at once); lifted where nothing else is left.
    Drain(Millis),
    /// Up, whatever probes say.
    ForceUp,
    /// Down, whatever probes say; lifted only where a name would be empty.
    ForceDown,
    /// Its configured weight times such a ratio.
    Weight(Permille),
    /// Such a share of its blocks moves on.
    Shed(Permille),
}

/// Acts of one kind exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Act::Drain`].
    Drain,
    /// [`Act::ForceUp`] and [`Act::ForceDown`].
    Force,
    /// [`Act::Weight`].
    Weight,
    /// [`Act::Shed`].
    Shed,
}

impl Act {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Drain(_) => Kind::Drain,
            Self::ForceUp | Self::ForceDown => Kind::Force,
            Self::Weight(_) => Kind::Weight,
            Self::Shed(_) => Kind::Shed,
        }
    }
}

/// An operator's word. A later one for the same [`Scope`] and kind of [`Act`] replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Scope it is about.
    pub scope: Scope,
    /// What is to be.
    pub act: Act,
    /// Why, for people.
    pub reason: Box<str>,
    /// Who says so, for people.
    pub author: Box<str>,
    /// When it ends by itself; none: when it is lifted.
    pub until: Option<At>,
}
