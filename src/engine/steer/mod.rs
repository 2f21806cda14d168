//! THE HEART: who is eligible, how they rank, which the draw picks, and why. Must not know DNS messages, time,
//! randomness or the configuration's format. Takes parts, never the Snapshot.
//!
//! `decide` is the ladder: pools in fallback order, the same with less asked of them, then `when_all_down`. In each
//! pool: eligible → rank → admit → spread. All that is for the name; `ladder/family` makes the answer for one type of it.

mod decision;
mod ladder;
pub mod locate;
mod parts;
pub mod rank;
pub mod spread;
pub mod trace;

pub use decision::{Decision, Verdict};
pub use ladder::{decide, decide_name};
pub use parts::Parts;
