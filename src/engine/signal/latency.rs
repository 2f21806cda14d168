//! Which measured round-trip time counts: one that is fresh, rests on enough samples, and has differed from what counted
//! before by enough and for long enough. A pure fold; what clients and regions are called is the caller's. Must not know
//! clocks.
//!
//! Age alone moves nobody: a region that a client has left for its long round trips is measured no more, and the model,
//! which knows nothing of them, would call the client back, to be measured, to leave again. So what counts is kept beyond
//! its age while anything fresh is known of the same client. It is not kept for ever, or a region that was far for a day
//! would be left for good: after twice `max_age` the model may have its way, once, and each time in which it was wrong
//! doubles the time until the next trial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{
    entries,
    types::{At, Millis},
    units::{Permille, Rtt},
};

#[cfg(test)]
mod tests;

/// When a measurement is believed, and when it replaces what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// A value moves by at least so much,
    pub least: Rtt,
    /// and by at least such a share of what counts,
    pub share: Permille,
    /// once it has differed so for so long.
    pub hold: Millis,
    /// Fewer samples are not believed.
    pub min_samples: u32,
    /// What is so old is no longer fresh: it counts only while something fresh stands beside it.
    pub max_age: Millis,
}

impl Default for Terms {
    /// The configuration's defaults.
    fn default() -> Self {
        Self {
            least: Rtt(50),
            share: Permille(100),
            hold: Millis::seconds(120),
            min_samples: 5,
            max_age: Millis::seconds(86_400),
        }
    }
}

/// When measured round-trip times count, and how much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyRules {
    /// When a measurement is believed, and when it replaces what counts.
    pub terms: Terms,
    /// Maps are compiled again at most once in so long.
    pub refresh: Millis,
    /// So many prefixes are measured apart, in files and again by samples.
    pub max_prefixes: usize,
}

impl Default for LatencyRules {
    /// The configuration's defaults.
    fn default() -> Self {
        Self { terms: Terms::default(), refresh: Millis::seconds(60), max_prefixes: 100_000 }
    }
}

/// What a source says of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The time.
    pub rtt: Rtt,
    /// How many measurements it is made from; none: it was stated, which needs no samples and does not age.
    pub samples: Option<u32>,
    /// How old it is.
    pub age: Millis,
}

/// A reading with the moment at which it was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    reading: Reading,
    at: At,
}

/// One cell: what counts, and what was read last.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Cell {
    /// What counts; none: nothing, the model does.
    counts: Option<Taken>,
    /// What was read last and was believed then; none: no source speaks of it any more.
    latest: Option<Taken>,
    /// Since when the latest has differed enough from what counts.
    differs: Option<At>,
    /// The value that the model was given its way against, to be held against the next one.
    tried: Option<Rtt>,
    /// How often the model had its way in a row and was wrong.
    tries: u32,
}

/// How often the time until the next trial doubles.
const DOUBLINGS: u32 = 5;

/// The cells of one client, by region.
type Row<R> = Vec<(R, Cell)>;

/// The cells of all sources, by client and region as the caller names them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: Ord + Deserialize<'de>, R: Deserialize<'de>"))]
pub struct Latencies<C, R> {
    terms: Terms,
    #[serde(with = "entries", bound(serialize = "C: Serialize, R: Serialize"))]
    rows: BTreeMap<C, Row<R>>,
    /// Up to when everything has happened that was due.
    settled: At,
    /// Whether anything has been read: what is read first counts at once.
    begun: bool,
}

impl<C: Ord, R: Ord + Clone> Latencies<C, R> {
    /// Nothing is measured yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, rows: BTreeMap::new(), settled: At(0), begun: false }
    }

    /// Takes over other terms, by which what comes is judged. What counts goes on counting.
    pub fn set_terms(&mut self, now: At, terms: Terms) {
        self.settle(now);
        self.terms = terms;
    }

    /// Everything that is measured now, as the sources say it. A cell that is not among it is measured no more; one that
    /// is too old or rests on too few samples says nothing, neither of itself nor against what counts. The first time all
    /// of it counts at once; later a cell moves when it has differed for long enough, also from the model to its first
    /// measurement and back.
    pub fn import(&mut self, now: At, cells: impl IntoIterator<Item = ((C, R), Reading)>) {
        self.settle(now);
        let mut read: BTreeMap<C, BTreeMap<R, Reading>> = BTreeMap::new();
        for ((client, region), reading) in cells {
            read.entry(client).or_default().insert(region, reading);
        }
        let (terms, begun) = (self.terms, std::mem::replace(&mut self.begun, true));
        for (client, row) in &mut self.rows {
            let mut said = read.remove(client).unwrap_or_default();
            for (region, cell) in row.iter_mut() {
                cell.read(said.remove(region), now, &terms);
            }
            add(row, said, begun, now, &terms);
        }
        for (client, said) in read {
            let mut row = Row::new();
            add(&mut row, said, begun, now, &terms);
            self.rows.insert(client, row);
        }
        self.settle(now);
    }

    /// What counts at a moment, in the order of clients and regions.
    pub fn published(&self, now: At) -> impl Iterator<Item = (&C, R, Reading)> {
        self.rows.iter().flat_map(move |(client, row)| {
            let row = self.at(row, now).into_iter();
            row.filter_map(move |(region, cell)| {
                let Taken { reading, at } = cell.counts?;
                Some((client, region, Reading { age: reading.age.plus(now.since(at)), ..reading }))
            })
        })
    }

    /// The first moment after `now` at which what counts may change, when nothing is read until then.
    #[must_use]
    pub fn due(&self, now: At) -> Option<At> {
        self.rows.values().filter_map(|row| next(&self.at(row, now), now, &self.terms)).min()
    }

    /// How many clients it knows of.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.rows.len()
    }

    /// A row at a later moment, when nothing is read until then.
    fn at(&self, row: &Row<R>, now: At) -> Row<R> {
        let mut row = row.clone();
        advance(&mut row, self.settled, now, &self.terms);
        row
    }

    /// Lets happen what is due.
    fn settle(&mut self, now: At) {
        let (from, terms) = (self.settled, self.terms);
        self.settled = from.max(now);
        self.rows.retain(|_, row| {
            advance(row, from, now, &terms);
            !row.is_empty()
        });
    }
}

/// Puts cells in place that a row does not have.
fn add<R: Ord>(row: &mut Row<R>, said: BTreeMap<R, Reading>, begun: bool, now: At, terms: &Terms) {
    for (region, reading) in said {
        let taken = Taken { reading, at: now };
        if !terms.believes(&taken, now) {
            continue;
        }
        let counts = (!begun).then_some(taken);
        let at = row.partition_point(|(known, _)| *known < region);
        row.insert(at, (region, Cell { counts, latest: Some(taken), ..Cell::default() }));
    }
}

/// Lets happen in a row what is due from a moment on until a later one.
fn advance<R>(row: &mut Row<R>, from: At, to: At, terms: &Terms) {
    let mut at = from.min(to);
    loop {
        step(row, at, terms);
        match next(row, at, terms) {
            // Each moment is after the one before, and each makes a reading too old, or moves a cell for good.
            Some(moment) if moment <= to => at = moment,
            _ => return,
        }
    }
}

/// What happens in a row at a moment.
fn step<R>(row: &mut Row<R>, at: At, terms: &Terms) {
    let fresh = |taken: &Option<Taken>| taken.is_some_and(|taken| terms.is_fresh(&taken, at));
    for (_, cell) in row.iter_mut() {
        cell.compare(at, terms);
        if cell.moves_at(terms).is_some_and(|moves| moves <= at) {
            cell.move_on(terms);
        }
    }
    let heard = row.iter().any(|(_, cell)| fresh(&cell.counts) || fresh(&cell.latest));
    for (_, cell) in row.iter_mut() {
        if let Some(counts) = cell.counts.filter(|counts| !terms.is_fresh(counts, at)) {
            let over = terms.trial(&counts, cell.tries).is_some_and(|trial| trial <= at);
            if over && heard {
                cell.tried = Some(counts.reading.rtt);
            }
            if over || !heard {
                cell.counts = None;
            }
        }
        if cell.counts.is_none() && !fresh(&cell.latest) {
            cell.latest = None;
        }
        if !heard {
            (cell.tried, cell.tries) = (None, 0);
        }
        cell.compare(at, terms);
    }
    row.retain(|(_, cell)| cell.counts.is_some() || cell.latest.is_some() || cell.tried.is_some());
}

/// The first moment after `at` at which a row changes, when nothing is read until then.
fn next<R>(row: &Row<R>, at: At, terms: &Terms) -> Option<At> {
    row.iter().flat_map(|(_, cell)| cell.turns(terms)).filter(|turn| *turn > at).min()
}

impl Cell {
    /// Takes over what a source says; none: it says nothing of it any more.
    fn read(&mut self, reading: Option<Reading>, now: At, terms: &Terms) {
        match reading.map(|reading| Taken { reading, at: now }) {
            Some(taken) if !terms.believes(&taken, now) => {}
            taken => self.latest = taken,
        }
        self.compare(now, terms);
    }

    /// Notes since when the latest differs. One that does not differ renews what counts, whose value stays; one that is
    /// no longer fresh says nothing against it.
    fn compare(&mut self, now: At, terms: &Terms) {
        let differs = match (self.counts, self.latest) {
            (_, Some(latest)) if !terms.is_fresh(&latest, now) => return self.differs = None,
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

    /// What was read last counts from now on.
    fn move_on(&mut self, terms: &Terms) {
        (self.counts, self.differs) = (self.latest, None);
        if let Some(counts) = self.counts {
            let as_before = self.tried.take().is_some_and(|tried| !terms.differs(tried, counts.reading.rtt));
            self.tries = if as_before { (self.tries + 1).min(DOUBLINGS) } else { 0 };
        }
    }

    fn moves_at(&self, terms: &Terms) -> Option<At> {
        self.differs.map(|since| since.plus(terms.hold))
    }

    /// The moments at which it may change, when nothing is read until then.
    fn turns(&self, terms: &Terms) -> impl Iterator<Item = At> {
        let expiry = |taken: Option<Taken>| taken.and_then(|taken| terms.expiry(&taken));
        let trial = self.counts.and_then(|counts| terms.trial(&counts, self.tries));
        [self.moves_at(terms), expiry(self.counts), expiry(self.latest), trial].into_iter().flatten()
    }
}

impl Terms {
    fn believes(&self, taken: &Taken, now: At) -> bool {
        taken.reading.samples.is_none_or(|samples| samples >= self.min_samples) && self.is_fresh(taken, now)
    }

    fn is_fresh(&self, taken: &Taken, now: At) -> bool {
        self.expiry(taken).is_none_or(|expiry| expiry > now)
    }

    /// When a reading is fresh no longer.
    fn expiry(&self, taken: &Taken) -> Option<At> {
        taken.reading.samples?;
        Some(taken.at.plus(self.max_age.minus(taken.reading.age)))
    }

    /// When a reading is kept no longer, whatever stands beside it.
    fn trial(&self, taken: &Taken, tries: u32) -> Option<At> {
        let more = self.max_age.times((2 << tries.min(DOUBLINGS)) - 1);
        Some(self.expiry(taken)?.plus(more))
    }

    fn differs(&self, counts: Rtt, latest: Rtt) -> bool {
        let by = counts.apart(latest);
        by >= self.least.max(Rtt::SHORTEST) && u64::from(by.0) * 1000 >= u64::from(counts.0) * u64::from(self.share.0)
    }
}
