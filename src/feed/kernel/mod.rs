//! What the kernel knows of round trips to the clients of a port: asked for (`diag`), put together by prefix (`gather`),
//! written as lines (`line`). Must not know where the lines go, nor what comes of them.
//!
//! Single addresses stay in here: what leaves is a prefix, /24 or /48, with how many connections it had.

mod diag;
mod gather;
pub mod line;

use std::{io, net::IpAddr};

use self::gather::Gather;
pub use self::{gather::Look, line::Measured};
use crate::engine::types::Millis;

/// Whose connections are looked at, and as what they are told.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The local port.
    pub port: u16,
    /// The local address; none: all.
    pub vip: Option<IpAddr>,
    /// The region's name.
    pub region: String,
    /// Whether clients at private, loopback and other special-purpose addresses are told too.
    pub private: bool,
    /// Prefixes that are told at most.
    pub max_prefixes: usize,
    /// A connection that has acknowledged nothing for so long says nothing of now.
    pub recent: Millis,
}

/// Asks the kernel once. Takes as long as the kernel does: for a thread that may wait.
///
/// # Errors
/// What the kernel says; the text says what to do where anything can be done.
pub fn look(wanted: &Wanted, mut chance: fastrand::Rng) -> io::Result<Look> {
    let mut gather = Gather::new(wanted.private, wanted.max_prefixes);
    diag::connections(wanted.port, |connection| {
        let is_ours = wanted.vip.is_none_or(|vip| vip == connection.local);
        if is_ours && connection.quiet <= wanted.recent {
            gather.take(connection.client, connection.rtt, &mut chance);
        }
    })?;
    Ok(gather.look())
}
