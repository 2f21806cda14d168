//! What the tasks of all targets share.

use super::{body::Bodies, client::Clients, file::Files};

/// Clients of all probes, and what they have read.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) clients: Clients,
    pub(super) bodies: Bodies,
    pub(super) files: Files,
}
