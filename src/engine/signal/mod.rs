//! Measured numbers with an age: when they are believed and when they move. Must not know addresses, regions or pools.

pub mod latency;
pub mod load;
