//! What a node needs of a configuration that was read. Must not know where its text came from.

use crate::engine::{
    signal::latency::LatencyRules,
    world::{Draft, RttCell},
};

/// A configuration that can be put in force.
#[derive(Debug)]
pub struct Configuration {
    /// What answers are made from, with the secret that keys the draws.
    pub draft: Draft,
    /// When measured round-trip times count.
    pub latency: LatencyRules,
    /// What the latency files say.
    pub cells: Vec<RttCell>,
    /// How long steered names wait for the first probe round, in milliseconds.
    pub startup_wait: u64,
}
