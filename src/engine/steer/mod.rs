//! THE HEART: who is eligible, how they rank, which the draw picks, and why. Must not know DNS messages, time,
//! randomness or the configuration's format. Takes parts, never the Snapshot.

pub mod policy;
