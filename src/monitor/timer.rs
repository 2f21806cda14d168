//! When a target's probes begin. Pure: moments are arguments, in microseconds since a start that all targets share; waits
//! are whole milliseconds. Must not know why a target waits so long.
//!
//! Probes that are due within moments of each other begin together, on a grid that all targets share: a processor that is
//! woken once for eight probes does each for half the price of eight that wake it one by one.

use crate::probing::millis::Millis;

/// A probe begins later than it is due by less than this part of its wait, and than [`MOST`], for the sake
/// of company.
const PART: u64 = 50;
/// A power of two, as all spacings of the grid: so the moments of a wide one are moments of all narrower ones.
const MOST: Millis = Millis(8);
/// Who begins later than due by more than this part of its wait counts the next wait from when it began.
const LATE: u64 = 10;

/// Where a target is in its course.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// From when waits count: when the last probe was due, or when it began, where that was late.
    from: u64,
    /// Since when no probe is under way.
    free: u64,
}

impl Course {
    pub(super) fn new(now: u64) -> Self {
        Self { from: now, free: now }
    }

    /// The moment at which the next probe begins if nothing hinders it.
    pub(super) fn next(self, wait: Millis) -> u64 {
        let due = self.due(wait);
        // Who is overdue, for the last probe took so long, has waited enough.
        if due == self.free { due } else { due.next_multiple_of(spacing(wait)) }
    }

    /// That probe begins. A moment of delay moves none of those after it, or they would drift.
    pub(super) fn begin(&mut self, wait: Millis, now: u64) {
        let due = self.due(wait);
        self.from = if now.saturating_sub(due) <= micros(wait) / LATE { due } else { now };
    }

    /// It has ended.
    pub(super) fn end(&mut self, now: u64) {
        self.free = now;
    }

    fn due(self, wait: Millis) -> u64 {
        self.from.saturating_add(micros(wait)).max(self.free)
    }
}

fn micros(wait: Millis) -> u64 {
    wait.0.saturating_mul(1000)
}

/// Of the grid, in microseconds.
fn spacing(wait: Millis) -> u64 {
    let most = (wait.0 / PART).min(MOST.0);
    // The largest power of two that is not beyond it; next to no time where there is none.
    most.checked_ilog2().map_or(1, |log| (1 << log) * 1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_is_due_at_nearly_the_same_moment_begins_together() {
        let next = |from, wait| Course::new(from).next(wait);
        assert_eq!([100, 2000, 7999, 8000].map(|from| next(from, Millis(1000))), [1_008_000; 4]);
        assert_eq!(next(8001, Millis(1000)), 1_016_000);
        // The quicker the closer, and always on moments of the wider ones.
        assert_eq!(
            [49, 50, 100, 200, 399, 400].map(|wait| next(1, Millis(wait))),
            [49_001, 51_000, 102_000, 204_000, 400_000, 408_000]
        );
    }

    #[test]
    fn a_moment_of_delay_moves_nothing_and_a_long_one_all() {
        let mut course = Course::new(500);
        course.begin(Millis(1000), course.next(Millis(1000)) + 20_000);
        assert_eq!(course.next(Millis(1000)), 2_008_000, "due at 2.0005 s, whenever the one before began");
        course.begin(Millis(1000), 3_000_000);
        assert_eq!(course.next(Millis(1000)), 4_000_000, "a second after the one that was late");
    }

    #[test]
    fn a_probe_that_takes_longer_than_the_wait_is_followed_at_once_and_makes_no_probe_late() {
        let mut course = Course::new(0);
        course.begin(Millis(200), 200_000);
        course.end(1_000_001);
        assert_eq!(course.next(Millis(200)), 1_000_001);
        course.begin(Millis(200), 1_000_001);
        course.end(1_000_500);
        assert_eq!(course.next(Millis(200)), 1_204_000);
    }

    proptest! {
        /// No probe begins before it is due, nor later for company than is allowed; and in the long run a target is probed
        /// once in each wait.
        #[test]
        fn no_probe_is_early_or_drifts(from in 0u64..10_000_000, wait in 1u64..20_000, delays in prop::collection::vec(0u64..1000, 1..50)) {
            let mut course = Course::new(from);
            for (n, delay) in delays.iter().enumerate() {
                let due = from + wait * 1000 * (n as u64 + 1);
                let next = course.next(Millis(wait));
                prop_assert!((due..due + (wait * 1000 / PART).clamp(1, micros(MOST))).contains(&next), "{} for {}", next, due);
                course.begin(Millis(wait), next + delay.min(&(wait * 50)));
                course.end(next + delay);
            }
        }
    }
}
