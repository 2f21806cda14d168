//! Measured numbers with an age: when they are believed, when they move, and what follows from them for where demand
//! goes. Must not know addresses or pools.

pub mod latency;
pub mod load;
pub mod sampled;
pub mod shed;
pub mod timing;
