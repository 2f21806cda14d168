//! The clock of this process, as a value that tasks at the edges hold. Must not know what is done at a moment.
//!
//! It reads the wall clock once, when it is made, and goes on from there by the monotonic clock: moments can be written down
//! and sent to another process, and none is ever before an earlier one, though an operator or NTP sets the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::engine::types::{At, Millis};

/// Unix milliseconds that never go back. Copies show the same moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What it showed at `start`.
    origin: At,
    start: Instant,
}

impl Clock {
    /// A clock that goes on from what the wall clock shows now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a start is an act, not a value that stands in for another")]
    #[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
    pub fn new() -> Self {
        Self::from(At(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)))
    }

    /// A clock that shows this moment now: for tests, and for histories that are played again.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
    pub fn from(origin: At) -> Self {
        Self { origin, start: Instant::now() }
    }

    /// The moment at which it was made.
    #[must_use]
    pub fn started(self) -> At {
        self.origin
    }

    /// The moment.
    #[must_use]
    pub fn now(self) -> At {
        At(self.origin.0.saturating_add(self.start.elapsed().as_millis() as u64))
    }
}

/// A length of time, for whatever waits by the clock of the machine.
#[must_use]
pub const fn duration(length: Millis) -> Duration {
    Duration::from_millis(length.0)
}
