//! The truth and its one writer: events are folded in order, immutable Snapshots are published. Must not know how
//! probes are run, DNS messages, or the configuration's text.

pub mod balance;
pub mod board;
pub mod change;
pub mod clock;
pub mod format;
pub mod ledger;
pub mod overrides;
pub mod samples;
pub mod saved;
pub mod status;
pub mod writer;
