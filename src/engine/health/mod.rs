//! How outcomes of probes fold into health. Pure: outcomes carry their moment with them.
//! Must not know how a probe is run, nor which pools care.

pub mod fold;
pub mod governor;
pub mod rules;
pub mod sight;
