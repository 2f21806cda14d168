//! The one integration binary: each module is a room of tests.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod agent;
mod allocations;
mod config;
mod demo;
mod dig;
mod explain;
mod feeds;
mod hooks;
mod house;
mod latency;
mod lint;
mod node;
mod place;
mod probes;
mod protocol;
mod scenario;
mod simulate;
mod steering;
