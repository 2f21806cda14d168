//! What can happen in a simulation, as values. Must not know how it is written, or what comes of it.

use std::net::IpAddr;

use super::Ask;
use crate::{
    engine::types::{Family, Millis, Prefix},
    node::overrides::Act,
};

/// What something happens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// `eu`, in whatever pool, or `web/eu`.
    Endpoint(String),
    /// Everything in a region.
    Region(String),
    /// A whole pool.
    Pool(String),
    /// A canary, by its address.
    Canary(IpAddr),
}

/// What becomes different.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// What is probed behaves so from now on, in one family or both, towards one monitor or all.
    Behaves(Who, Option<Family>, Option<String>, Behaviour),
    /// So much load is reported from now on; none: nothing any more.
    Reports(Who, Option<f64>),
    /// An operator's word, until a moment or for good.
    Says {
        /// What it is about.
        who: Who,
        /// What is to be.
        act: Act,
        /// When it ends, in milliseconds from the beginning: a moment, and no length of time.
        until: Option<u64>,
        /// Why.
        reason: String,
    },
    /// An operator takes back what was said.
    Lifts(Who),
    /// An operator lets back what is kept down.
    LetsBack(Who),
    /// An operator lets a region go that is held.
    Releases(String),
    /// Round-trip times are sampled.
    Samples(Samples),
}

/// Samples of round-trip times.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// These, once or again and again.
    Said {
        /// Of which clients.
        prefix: Prefix,
        /// To which region.
        region: String,
        /// The round-trip time in milliseconds.
        ms: f64,
        /// How many samples.
        samples: u32,
        /// How often they come; none: once.
        every: Option<Millis>,
    },
    /// Clients ask now and then, and the region that they are sent to is so far.
    Clients {
        /// Which clients.
        prefix: Prefix,
        /// What they ask.
        ask: Ask,
        /// How often.
        every: Millis,
        /// The round-trip time from them to each region, in milliseconds.
        far: Vec<(String, f64)>,
    },
    /// No more of this prefix, or of any.
    Stop(Option<Prefix>),
}

impl Samples {
    /// The clients that they are of.
    pub fn prefix(&self) -> Option<Prefix> {
        match self {
            Self::Said { prefix, .. } | Self::Clients { prefix, .. } => Some(*prefix),
            Self::Stop(prefix) => *prefix,
        }
    }

    /// How often they come; none: once.
    pub fn every(&self) -> Option<Millis> {
        match self {
            Self::Said { every, .. } => *every,
            Self::Clients { every, .. } => Some(*every),
            Self::Stop(_) => None,
        }
    }
}

/// How what is probed behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers after so many microseconds.
    Works(u64),
    /// It refuses, or answers badly.
    Fails(String),
    /// No answer until the timeout.
    Hangs,
    /// Fails for so long, works as long, and so on from the moment when it began.
    Flaps(Millis),
    /// The prober has no route there.
    NoRoute,
}
