//! The single writer and what it publishes. Must not know HTTP, DNS packets or TOML.

pub mod board;
