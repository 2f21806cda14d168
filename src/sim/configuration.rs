//! What a simulation needs of a configuration that was read. Must not know where its text came from.

use crate::{
    config::{Config, settings},
    engine::{geo::Whose, signal::latency::Reading, world::Draft},
};

/// What keys the draws where a configuration has no secret, so that every run is the same.
const SECRET: [u8; 16] = *b"0123456789abcdef";

/// A configuration that can be played.
#[derive(Debug)]
pub struct Configuration {
    pub(super) draft: Draft,
    /// What is measured of round trips, and when it counts.
    pub(super) latency: settings::Latency,
    pub(super) cells: Vec<((Whose, Box<str>), Reading)>,
    /// How long steered names wait for the first probe round, in milliseconds.
    pub(super) startup_wait: u64,
}

impl From<Config> for Configuration {
    /// Where it has no secret, a fixed one keys the draws.
    fn from(Config { mut draft, server, latency, cells, secret, .. }: Config) -> Self {
        draft.secret = secret.unwrap_or(SECRET);
        Self { draft, latency, cells, startup_wait: server.startup_wait }
    }
}
