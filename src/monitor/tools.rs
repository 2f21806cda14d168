//! What the tasks of all targets share.

use super::{body::Bodies, client::Clients, file::Files, icmp::Pings};

/// Clients and sockets of all probes.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) clients: Clients,
    pub(super) bodies: Bodies,
    pub(super) pings: Pings,
    pub(super) files: Files,
}
