//! Everything that can happen to a node, as values that can be written down: by the names of the configuration that is in
//! force, without pointers, with moments in Unix milliseconds. Must not know what follows from it, nor where it comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    overrides::{Override, Scope},
    samples::{Sample, number},
    saved::{Age, Saved},
};
use crate::{
    engine::{
        health::fold::Outcome,
        signal::latency::LatencyRules,
        types::Millis,
        world::{Draft, RttCell},
    },
    probing::{identity::ProbeId, monitor::ProbeKey},
};

/// A configuration, as whatever drives the node numbers those that it has read. The configuration itself is offered to the
/// node beside the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConfigurationId(pub u64);

/// A piece of work that a node has given away, numbered in the order in which it did so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub u64);

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A probe has ended. It says nothing where that is not probed (any more).
    Outcome {
        /// What was probed.
        probe: ProbeId,
        /// What was found.
        outcome: Outcome,
    },
    /// Another configuration is to be in force; it has been offered.
    Configuration(ConfigurationId),
    /// What an earlier process knew of the targets, before a probe of them has ended.
    Saved {
        /// What it knew.
        saved: Saved,
        /// How old that is.
        age: Age,
    },
    /// Time has passed: what changes with time alone changes.
    Tick,
    /// How much load there is now, in the unit of the configured capacities. Only pools that name a load have a part in it.
    Load {
        /// Which endpoints have it: the sum of a region or a pool is shared out to its endpoints by weight.
        scope: Scope,
        /// How much.
        #[serde(deserialize_with = "number")]
        load: f64,
    },
    /// Round-trip times were sampled.
    Samples(Vec<Sample>),
    /// The latency files have changed: all that they say now.
    LatencyFiles(Vec<RttCell>),
    /// An operator's word.
    Override(Override),
    /// An operator takes back all words about these endpoints.
    Lift(Scope),
    /// An operator lets back those of these endpoints that are kept down although they have recovered, or will have.
    Failback(Scope),
    /// An operator lets a region go that the governor holds.
    Release(Box<str>),
    /// Answers since the last such input.
    Answers(Vec<RouteAnswers>),
    /// A job has ended; its product has been offered.
    Done(JobId),
    /// A job has failed: it is given up.
    Failed(JobId),
}

/// The answers of one route. Catchments have no names: they are the numbers of the map that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteAnswers {
    /// The pool.
    pub pool: Box<str>,
    /// The first service under whose own policy the route is; none: it is under the pool's.
    pub service: Option<Box<str>>,
    /// For each catchment with answers, for how many seconds they may be kept in all.
    pub seconds: Vec<(u32, u64)>,
}

impl Input {
    /// A probe of `key` has ended.
    #[must_use]
    pub fn outcome(key: &ProbeKey, outcome: Outcome) -> Self {
        Self::Outcome { probe: ProbeId::of(key), outcome }
    }
}

impl fmt::Display for ConfigurationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration {}", self.0)
    }
}

/// A configuration that can be put in force.
#[derive(Debug)]
pub struct Configuration {
    /// What answers are made from, with the secret that keys the draws.
    pub draft: Draft,
    /// When measured round-trip times count.
    pub latency: LatencyRules,
    /// What the latency files say.
    pub cells: Vec<RttCell>,
    /// How long steered names wait for the first probe round.
    pub startup_wait: Millis,
}
