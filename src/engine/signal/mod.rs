//! Measured numbers with an age: when they are believed, when they move, and what follows from them. Must not know
//! addresses, regions or pools.

pub mod latency;
pub mod load;
pub mod shed;
