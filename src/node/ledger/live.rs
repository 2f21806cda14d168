//! What is kept of an endpoint beside its health. Must not know what is made of it.

use serde::{Deserialize, Serialize};

use super::ramp::Recovery;
use crate::engine::{signal::shed::Shed, units::Rtt};

/// What is kept of an endpoint beside its health.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) recovery: Recovery,
    pub(super) shed: Shed,
    /// The response time that counts; 0: none is known.
    pub(super) response: Rtt,
}

impl Live {
    /// Whether it has served since it was down, without a weight, or new.
    pub(super) fn is_warm(&self) -> bool {
        self.recovery.cold.is_none()
    }
}
