//! Octets to a query and a reply to octets. Must not know zones, pools or policy.

pub mod name;
pub mod rr;
