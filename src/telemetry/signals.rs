//! Numbers of probes, health and feeds that the metrics show: counted where they happen, read by whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number. Counting never waits.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Puts it at a value.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Puts it at a value that is larger than it is.
    pub fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    /// Its value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Its value; it begins at 0 again.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Those of one process.
#[derive(Debug, Default)]
pub struct Signals {
    /// Probes that have begun.
    pub probes: Number,
    /// Probes that began later than they were due, by more than is told in `docs/health.md`.
    pub late: Number,
    /// How late the latest of them was, in milliseconds.
    pub latest: Number,
    /// Probes that this node could not ask.
    pub unasked: Number,
    /// Milliseconds since the prober last had anything to say, while it should have.
    pub prober_age: Number,
    /// Turns of a verdict that flap damping, hold-down or manual failback kept from counting.
    pub suppressed: Number,
    /// Regions that are held up against their probes.
    pub held: Number,
    /// 1 while this node believes no `down`, since it sees none of its canaries.
    pub isolated: Number,
    /// Load reports that were asked for and did not come, or said nothing.
    pub load_faults: Number,
    /// How often load was not reported for longer than it may be.
    pub load_gaps: Number,
    /// Latency samples taken in, and those that were not: too fine, of no region, beyond the cap.
    pub samples: Number,
    /// Latency samples that were not taken.
    pub samples_refused: Number,
    /// Hooks that were run.
    pub hooks: Number,
    /// Hooks that failed, or that their rate kept from running.
    pub hooks_failed: Number,
}
