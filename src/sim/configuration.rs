//! What a node needs, from a configuration that was read. Must not know where its text came from.

use crate::{config::Config, node::configuration::Configuration};

/// What keys the draws where a configuration has no secret, so that every run is the same.
const SECRET: [u8; 16] = *b"0123456789abcdef";

impl From<Config> for Configuration {
    /// Where it has no secret, a fixed one keys the draws: for simulations.
    fn from(Config { mut draft, server, latency, cells, secret, .. }: Config) -> Self {
        draft.secret = secret.unwrap_or(SECRET);
        Self { draft, latency, cells, startup_wait: server.startup_wait }
    }
}
