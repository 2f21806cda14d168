//! Octets to a query and a reply to octets. Must not know zones, pools or policy.

pub mod edns;
pub mod fold;
pub mod fragment;
pub mod name;
pub mod read;
pub mod reply;
pub mod rr;
pub mod write;
