//! What the tasks of all targets share.

use std::io;

use super::{file::Files, http, icmp::Pings};

/// Clients and sockets of all probes.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) client: reqwest::Client,
    pub(super) pings: Pings,
    pub(super) files: Files,
}

impl Tools {
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { client: http::client()?, pings: Pings::default(), files: Files::default() })
    }
}
