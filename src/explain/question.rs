//! What an explanation is asked of.

use std::net::IpAddr;

use crate::engine::{
    types::{Chance, Prefix, Transport},
    wire::{name::Name, rr::RrType},
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The type.
    pub rtype: RrType,
    /// The sender of the query.
    pub source: IpAddr,
    /// The client subnet option.
    pub subnet: Option<Prefix>,
    /// The moment, and the random number of the query.
    pub chance: Chance,
    /// How the query travels: it bounds the reply.
    pub transport: Transport,
}
