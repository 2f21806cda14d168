//! What happened, counted: one block of counters for each worker, summed when somebody looks. Must not know
//! anything that could feed back into a decision.

pub mod answers;
pub mod counters;
pub mod log;
