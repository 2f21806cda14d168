//! Which clients get answers from which pool, counted: a small table for each worker that no other worker writes. It
//! has a fixed number of places, takes no lock and no memory, and what finds no place is counted together. Must not
//! know who reads it.
//!
//! What is counted is not answers but the seconds for which they may be kept: a resolver that asks again whenever its
//! answer has run out counts the same, whatever the TTL was.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::engine::{types::RouteId, units::Ttl};

/// Places of a table: more than the pairs of pool and catchment of all but the largest configurations.
const PLACES: usize = 1 << 13;
/// How many places are looked at before one is counted together with the others.
const LOOKS: usize = 32;

/// One worker's table.
#[derive(Debug)]
pub struct Answers {
    /// (key, seconds); the key 0 is free.
    places: Box<[(AtomicU64, AtomicU64)]>,
    other: AtomicU64,
}

impl Default for Answers {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).collect();
        Self { places, other: AtomicU64::new(0) }
    }
}

impl Answers {
    /// Counts an answer for clients of a catchment of a pool's map that may be kept for so long. Safe from many threads;
    /// cheap from one.
    #[inline]
    pub fn add(&self, pool: RouteId, catchment: u32, ttl: Ttl) {
        let key = 1 + (u64::from(pool.0) << 32 | u64::from(catchment));
        let first = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        for look in 0..LOOKS {
            let Some((own, count)) = self.places.get((first + look) % PLACES) else { break };
            let held = match own.load(Relaxed) {
                0 => own.compare_exchange(0, key, Relaxed, Relaxed).map_or_else(|held| held, |_| key),
                held => held,
            };
            if held == key {
                count.fetch_add(ttl.0.into(), Relaxed);
                return;
            }
        }
        self.other.fetch_add(ttl.0.into(), Relaxed);
    }

    /// The seconds of those that found no place.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.other.load(Relaxed)
    }

    /// Takes out what was counted since the last time, summed over workers: pool, catchment, seconds. Places of which
    /// nothing was counted are free again.
    #[must_use]
    pub fn take<'a>(workers: impl IntoIterator<Item = &'a Self>) -> Vec<(RouteId, u32, u64)> {
        let mut taken = Vec::new();
        for (key, count) in workers.into_iter().flat_map(|worker| &worker.places) {
            let held = key.load(Relaxed);
            match count.swap(0, Relaxed) {
                _ if held == 0 => {}
                // Catchments of configurations that are gone must not keep the places. An answer that is counted at this
                // very moment may be taken for that of whoever comes next: one of many.
                0 => _ = key.compare_exchange(held, 0, Relaxed, Relaxed),
                seconds => taken.push((RouteId(((held - 1) >> 32) as u32), (held - 1) as u32, seconds)),
            }
        }
        taken.sort_unstable();
        taken.dedup_by(|later, first| {
            let same = (later.0, later.1) == (first.0, first.1);
            first.2 += if same { later.2 } else { 0 };
            same
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_taken_once_and_workers_are_summed() {
        let workers = [Answers::default(), Answers::default()];
        workers[0].add(RouteId(0), 0, Ttl(30));
        workers[1].add(RouteId(0), 0, Ttl(5));
        workers[1].add(RouteId(3), u32::MAX, Ttl(7));
        workers[0].add(RouteId(3), 1, Ttl(9));
        let taken = Answers::take(&workers);
        assert_eq!(taken, [(RouteId(0), 0, 35), (RouteId(3), 1, 9), (RouteId(3), u32::MAX, 7)]);
        assert_eq!(Answers::take(&workers), []);
        workers[0].add(RouteId(3), 1, Ttl(1));
        assert_eq!(Answers::take(&workers), [(RouteId(3), 1, 1)]);
    }

    #[test]
    fn a_full_table_forgets_nothing_but_whose_it_was() {
        let worker = Answers::default();
        (0..3 * PLACES as u32).for_each(|catchment| worker.add(RouteId(1), catchment, Ttl(2)));
        let placed: u64 = Answers::take([&worker]).iter().map(|(.., seconds)| seconds).sum();
        assert_eq!(placed + worker.other(), 6 * PLACES as u64);
        assert!(placed >= PLACES as u64, "{placed}");
    }

    #[test]
    fn places_of_what_is_asked_no_more_are_free_again() {
        let worker = Answers::default();
        (0..3 * PLACES as u32).for_each(|catchment| worker.add(RouteId(1), catchment, Ttl(2)));
        assert!(!Answers::take([&worker]).is_empty());
        assert_eq!(Answers::take([&worker]), []);
        let before = worker.other();
        (0..100).for_each(|catchment| worker.add(RouteId(2), catchment, Ttl(2)));
        assert_eq!((Answers::take([&worker]).len(), worker.other()), (100, before));
    }

    #[test]
    fn counting_allocates_nothing() {
        let worker = Answers::default();
        let measured = allocation_counter::measure(|| (0..100_000).for_each(|n| worker.add(RouteId(n % 7), n, Ttl(1))));
        assert_eq!(measured.count_total, 0);
    }
}
