//! Steering without sockets: configuration text to a World, outcomes to a Ledger, packets to answers, all in memory.

mod admission;
mod agree;
mod empty;
mod families;
pub mod lab;
mod ladder;
mod lints;
mod never;
mod order;
mod plan;
mod scope;
mod shares;
mod targets;
mod ways;
