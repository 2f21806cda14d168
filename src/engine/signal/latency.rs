//! Which measured round-trip time counts: one that is fresh, rests on enough samples, and has differed from what counted
//! before by enough and for long enough. A pure fold; what a cell is called is the caller's. Must not know clocks.

use std::collections::BTreeMap;

use crate::engine::types::At;

#[cfg(test)]
mod tests;

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
    /// What is so old, in milliseconds, is believed no more.
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

/// A reading with the moment at which it was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    reading: Reading,
    at: At,
}

/// One cell: what counts, and what was read last.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// What counts, as long as it is fresh; none: nothing, the model does.
    counts: Option<Taken>,
    /// What was read last and is believed.
    latest: Option<Taken>,
    /// Since when the latest has differed enough from what counts.
    differs: Option<At>,
}

/// The cells of all sources, by the caller's name for them.
#[derive(Clone, Debug)]
pub struct Latencies<K> {
    terms: Terms,
    cells: BTreeMap<K, Cell>,
    /// Whether anything has been read: what is read first counts at once.
    begun: bool,
}

impl<K: Ord> Latencies<K> {
    /// Nothing is measured yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, cells: BTreeMap::new(), begun: false }
    }

    /// Takes over other terms, by which what comes is judged. What counts goes on counting.
    pub fn set_terms(&mut self, now: At, terms: Terms) {
        self.settle(now);
        self.terms = terms;
    }

    /// Everything that is measured now, as the sources say it; a cell that is not among it is measured no more. The first
    /// time all of it counts at once; later a cell moves when it has differed for long enough, also from the model to its
    /// first measurement and back.
    pub fn import(&mut self, now: At, cells: impl IntoIterator<Item = (K, Reading)>) {
        self.settle(now);
        let mut read: BTreeMap<K, Taken> =
            cells.into_iter().map(|(key, reading)| (key, Taken { reading, at: now })).collect();
        read.retain(|_, taken| self.terms.believes(taken, now));
        if !self.begun {
            self.begun = true;
            let counting = |taken| Cell { counts: Some(taken), latest: Some(taken), differs: None };
            self.cells = read.into_iter().map(|(key, taken)| (key, counting(taken))).collect();
            return;
        }
        for (key, cell) in &mut self.cells {
            cell.read(read.remove(key), now, &self.terms);
        }
        for (key, taken) in read {
            let mut cell = Cell::default();
            cell.read(Some(taken), now, &self.terms);
            self.cells.insert(key, cell);
        }
        self.cells.retain(|_, cell| cell.counts.is_some() || cell.latest.is_some());
    }

    /// What counts at a moment, in the order of the names.
    pub fn published(&self, now: At) -> impl Iterator<Item = (&K, Reading)> {
        self.cells.iter().filter_map(move |(key, cell)| {
            let Taken { reading, at } = cell.at(now, &self.terms).counts?;
            Some((key, Reading { age: reading.age + now.since(at), ..reading }))
        })
    }

    /// The first moment after `now` at which what counts may change, when nothing is read until then.
    #[must_use]
    pub fn due(&self, now: At) -> Option<At> {
        self.cells.values().flat_map(|cell| cell.turns(&self.terms)).filter(|at| *at > now).min()
    }

    /// Lets happen what is due.
    fn settle(&mut self, now: At) {
        self.cells.values_mut().for_each(|cell| *cell = cell.at(now, &self.terms));
        self.cells.retain(|_, cell| cell.counts.is_some() || cell.latest.is_some());
    }
}

impl Cell {
    /// Takes over what a source says; none: nothing that is believed. What has been settled is settled at `now`.
    fn read(&mut self, taken: Option<Taken>, now: At, terms: &Terms) {
        self.latest = taken;
        self.compare(now, terms);
    }

    /// Notes since when the latest differs. One that does not differ renews what counts, whose value stays.
    fn compare(&mut self, now: At, terms: &Terms) {
        let differs = match (self.counts, self.latest) {
            (Some(counts), Some(latest)) => terms.differs(counts.reading.rtt, latest.reading.rtt),
            (counts, latest) => counts.is_some() != latest.is_some(),
        };
        self.differs = match differs {
            true => self.differs.or(Some(now)),
            false => None,
        };
        if let (false, Some(counts), Some(latest)) = (differs, &mut self.counts, self.latest) {
            let rtt = counts.reading.rtt;
            *counts = Taken { reading: Reading { rtt, ..latest.reading }, ..latest };
        }
    }

    /// The cell at a later moment, when nothing is read until then.
    fn at(mut self, now: At, terms: &Terms) -> Self {
        // Each turn takes itself away, and only an expiry brings another: there are four at most.
        while let Some(at) = self.turns(terms).filter(|at| *at <= now).min() {
            if self.moves_at(terms).is_some_and(|moves| moves <= at) {
                (self.counts, self.differs) = (self.latest, None);
            }
            let fresh = |taken: &Taken| terms.expiry(taken).is_none_or(|expiry| expiry > at);
            let (counts, latest) = (self.counts.filter(fresh), self.latest.filter(fresh));
            if (counts, latest) != (self.counts, self.latest) {
                (self.counts, self.latest) = (counts, latest);
                self.compare(at, terms);
            }
        }
        self
    }

    fn moves_at(&self, terms: &Terms) -> Option<At> {
        self.differs.map(|since| At(since.0.saturating_add(terms.hold)))
    }

    /// The moments at which it changes, when nothing is read until then.
    fn turns(&self, terms: &Terms) -> impl Iterator<Item = At> {
        let expiry = |taken: Option<Taken>| taken.and_then(|taken| terms.expiry(&taken));
        [self.moves_at(terms), expiry(self.counts), expiry(self.latest)].into_iter().flatten()
    }
}

impl Terms {
    fn believes(&self, taken: &Taken, now: At) -> bool {
        let enough = taken.reading.samples.is_none_or(|samples| samples >= self.min_samples);
        enough && self.expiry(taken).is_none_or(|expiry| expiry > now)
    }

    /// When a reading is too old to be believed.
    fn expiry(&self, taken: &Taken) -> Option<At> {
        taken.reading.samples?;
        Some(At(taken.at.0.saturating_add(self.max_age.saturating_sub(taken.reading.age))))
    }

    fn differs(&self, counts: u32, latest: u32) -> bool {
        let by = counts.abs_diff(latest);
        by >= self.least.max(1) && u64::from(by) * 1000 >= u64::from(counts) * u64::from(self.share)
    }
}
