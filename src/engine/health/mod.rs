//! What a monitor is, and how outcomes of probes fold into health. Pure: outcomes carry their moment with them.
//! Must not know how a probe is run, nor which pools care.

pub mod check;
pub mod fold;
pub mod governor;
pub mod identity;
pub mod monitor;
pub mod rules;
pub mod sight;
