//! The process's monotonic clock as a value that tasks at the edges hold.

use tokio::time::Instant;

use crate::engine::types::At;

/// Counts the milliseconds since it was made. Copies count from the same start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that stands at 0 now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a start is an act, not a value that stands in for another")]
    #[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// The moment.
    #[must_use]
    pub fn now(self) -> At {
        At(self.start.elapsed().as_millis() as u64)
    }
}
