//! Round-trip times as they come from where clients are served: kept by prefix and region within bounds, and told as
//! cells of prefixes, AS numbers and countries. Time is an argument. Must not know who brings them, nor when a cell
//! counts.
//!
//! Anybody may bring samples at any time; telling them is for one caller, which does it now and then. There is room for
//! so many prefixes. A newcomer who finds none is turned away, and the next telling makes room for as many as were, at
//! most a tenth, among those whose samples are worth the least by now: the fewest and the oldest. So a flood of prefixes
//! costs refusals, not memory, and drives out its own before those that are sampled well.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use dashmap::{DashMap, Entry};

use crate::{
    engine::{
        geo::{Atlas, Whose, normalise},
        signal::{
            latency::{Reading, Terms},
            sampled::{Forgetting, Sampled},
        },
        types::{At, Family, Prefix},
    },
    telemetry::signals::Signals,
};

#[cfg(test)]
mod tests;

/// Nothing is so far away, in milliseconds.
const LONGEST: f64 = 10_000.0;
/// No prefix is wider than this (v4, v6): it would say something of half the world.
const WIDEST: [u8; 2] = [8, 16];

/// Several measurements from one prefix to one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// From where; one that is finer than /24 or /48, a single address too, is cut to that.
    pub prefix: Prefix,
    /// The region's name.
    pub region: Box<str>,
    /// Milliseconds on average.
    pub ms: f64,
    /// How many were measured.
    pub samples: u32,
    /// How long ago, in milliseconds. What is older than this process counts as being as old.
    pub age: u64,
}

/// Why a sample is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its time is no round-trip time.
    Time,
    /// It is made from no measurement.
    Empty,
    /// It is beyond `latency.max_age`.
    Old,
    /// No region is called so.
    Region(Box<str>),
    /// Its prefix says nothing of where a client is.
    Special(Prefix),
    /// Its prefix is too wide to be one client.
    Wide(Prefix),
    /// There is no room for another prefix.
    Full(usize),
}

/// An average over many prefixes rests on all of their samples, and forgets nothing by itself: they have.
const TOGETHER: Forgetting = Forgetting { half_life: u64::MAX, most: u32::MAX };

/// What holds for all of them.
#[derive(Clone, Debug)]
struct Bounds {
    forgetting: Forgetting,
    max_age: u64,
    max_prefixes: usize,
    /// In name order.
    regions: Vec<Arc<str>>,
}

type Row = Vec<(Arc<str>, Sampled)>;

/// The samples of one process.
#[derive(Debug)]
pub struct Samples {
    bounds: RwLock<Bounds>,
    rows: DashMap<Prefix, Row>,
    /// How many rows there are; counted before a row is made, so that there are never more.
    count: AtomicUsize,
    turned_away: AtomicUsize,
    fresh: AtomicBool,
    /// What was told of AS numbers and countries, by region: the newest that was known.
    wider: Mutex<BTreeMap<Whose, HashMap<Arc<str>, Sampled>>>,
    signals: Arc<Signals>,
}

impl Samples {
    /// None yet. What is taken and refused is counted in `signals`.
    #[must_use]
    pub fn new(signals: Arc<Signals>) -> Self {
        let terms = Terms::default();
        let bounds = Bounds {
            forgetting: Forgetting::of(terms.min_samples, terms.max_age),
            max_age: terms.max_age,
            max_prefixes: 0,
            regions: Vec::new(),
        };
        Self {
            bounds: RwLock::new(bounds),
            rows: DashMap::new(),
            count: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
            fresh: AtomicBool::new(false),
            wider: Mutex::default(),
            signals,
        }
    }

    /// Takes over what a configuration says: when samples are believed, how many prefixes there is room for, and the
    /// regions in name order. Samples of regions that are gone are forgotten.
    pub fn set(&self, terms: &Terms, max_prefixes: usize, regions: impl IntoIterator<Item = Box<str>>) {
        let bounds = Bounds {
            forgetting: Forgetting::of(terms.min_samples, terms.max_age),
            max_age: terms.max_age,
            max_prefixes,
            regions: regions.into_iter().map(Arc::from).collect(),
        };
        // Held until all is forgotten: a sample that came meanwhile would bring a region back that is gone.
        let mut known = self.bounds.write().unwrap_or_else(PoisonError::into_inner);
        let is_there = |region: &Arc<str>| bounds.regions.binary_search(region).is_ok();
        self.keep(|row| {
            row.retain(|(region, _)| is_there(region));
            !row.is_empty()
        });
        let mut wider = self.wider.lock().unwrap_or_else(PoisonError::into_inner);
        wider.values_mut().for_each(|row| row.retain(|region, _| is_there(region)));
        drop(wider);
        *known = bounds;
    }

    /// Takes in a sample, or says why not; each is counted. `atlas`: tells which prefixes say nothing of a client.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn take(&self, now: At, atlas: &Atlas, sample: &Sample) -> Result<(), Refused> {
        let taken = self.put(now, atlas, sample);
        match taken {
            Ok(()) => self.signals.samples.add(1),
            Err(_) => self.signals.samples_refused.add(1),
        }
        taken
    }

    fn put(&self, now: At, atlas: &Atlas, sample: &Sample) -> Result<(), Refused> {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        // What is no number compares as false.
        if !(sample.ms > 0.0 && sample.ms <= LONGEST) {
            return Err(Refused::Time);
        }
        if sample.samples == 0 {
            return Err(Refused::Empty);
        }
        if sample.age >= bounds.max_age {
            return Err(Refused::Old);
        }
        let region = bounds.regions.binary_search_by(|region| (**region).cmp(&*sample.region));
        let Some(region) = region.ok().and_then(|at| bounds.regions.get(at)) else {
            return Err(Refused::Region(sample.region.clone()));
        };
        let prefix = of_client(atlas, sample.prefix)?;
        let (at, rtt, forgetting) = (At(now.0.saturating_sub(sample.age)), sample.ms * 10.0, &bounds.forgetting);
        let new = || (Arc::clone(region), Sampled::new(at, rtt, sample.samples, forgetting));
        match self.rows.entry(prefix) {
            Entry::Occupied(mut row) => match row.get_mut().iter_mut().find(|(known, _)| known == region) {
                Some((_, sampled)) => sampled.take(at, rtt, sample.samples, forgetting),
                None => row.get_mut().push(new()),
            },
            Entry::Vacant(free) => {
                let room = |count: usize| (count < bounds.max_prefixes).then_some(count + 1);
                if self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
                    self.turned_away.fetch_add(1, Ordering::Relaxed);
                    return Err(Refused::Full(bounds.max_prefixes));
                }
                free.insert(vec![new()]);
            }
        }
        self.fresh.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether any were taken since they were told last.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh.load(Ordering::Relaxed)
    }

    /// How many prefixes have samples.
    #[must_use]
    pub fn prefixes(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// All that is known now, by client and region, where the client is a prefix, an AS number or a country. A prefix of
    /// which nothing is fresh is forgotten. Takes its time: for one caller, beside the serving.
    pub fn tell(&self, now: At, atlas: &Atlas) -> Vec<((Whose, Box<str>), Reading)> {
        self.fresh.store(false, Ordering::Relaxed);
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.make_room(now, &bounds);
        let is_fresh = |sampled: &Sampled| now.since(sampled.at()) < bounds.max_age;
        let mut cells = Vec::new();
        let mut sums: BTreeMap<Whose, HashMap<Arc<str>, Sampled>> = BTreeMap::new();
        // In one order, so that the same samples always make the same averages.
        let mut rows: Vec<(Prefix, Row)> = self.rows.iter().map(|row| (*row.key(), row.value().clone())).collect();
        rows.sort_unstable_by_key(|(prefix, _)| *prefix);
        for (prefix, row) in rows {
            let location = atlas.find(prefix).location;
            let asn = location.and_then(|location| location.asn).map(Whose::Asn);
            let country = location.and_then(|location| location.country).map(Whose::Country);
            for (region, sampled) in row {
                let reading = sampled.reading(now);
                for whose in asn.into_iter().chain(country).filter(|_| is_fresh(&sampled)) {
                    let (rtt, samples) = (f64::from(reading.rtt), reading.samples.unwrap_or(0));
                    let sum = sums.entry(whose).or_default();
                    sum.entry(Arc::clone(&region))
                        .and_modify(|sum| sum.take(sampled.at(), rtt, samples, &TOGETHER))
                        .or_insert_with(|| Sampled::new(sampled.at(), rtt, samples, &TOGETHER));
                }
                cells.push(((Whose::Net(prefix), Box::from(&*region)), reading));
            }
        }
        let mut wider = self.wider.lock().unwrap_or_else(PoisonError::into_inner);
        for (whose, row) in sums {
            wider.entry(whose).or_default().extend(row);
        }
        wider.retain(|_, row| row.values().any(is_fresh));
        for (whose, row) in &*wider {
            let row: BTreeMap<&Arc<str>, &Sampled> = row.iter().collect();
            let named =
                |(region, sampled): (&Arc<str>, &Sampled)| ((*whose, Box::from(&**region)), sampled.reading(now));
            cells.extend(row.into_iter().map(named));
        }
        cells
    }

    /// Forgets those of whom nothing is fresh, and makes room for as many as were turned away.
    fn make_room(&self, now: At, bounds: &Bounds) {
        self.keep(|row| row.iter().any(|(_, sampled)| now.since(sampled.at()) < bounds.max_age));
        let wanted = self.turned_away.swap(0, Ordering::Relaxed).min((bounds.max_prefixes / 10).max(1));
        let free = bounds.max_prefixes.saturating_sub(self.rows.len());
        let beyond = self.rows.len().saturating_sub(bounds.max_prefixes);
        let leave = beyond + wanted.saturating_sub(free);
        if leave > 0 {
            let worth = |row: &Row| row.iter().map(|(_, sampled)| sampled.worth(now, &bounds.forgetting)).sum::<f64>();
            let mut all: Vec<(f64, Prefix)> = self.rows.iter().map(|row| (worth(row.value()), *row.key())).collect();
            all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let gone = all.iter().take(leave).filter(|(_, prefix)| self.rows.remove(prefix).is_some()).count();
            self.count.fetch_sub(gone, Ordering::Relaxed);
        }
    }

    /// Forgets the rows that are not kept. The count goes down behind them, so that it never says too little.
    fn keep(&self, keep: impl Fn(&mut Row) -> bool) {
        let mut gone = 0;
        self.rows.retain(|_, row| {
            let kept = keep(row);
            gone += usize::from(!kept);
            kept
        });
        self.count.fetch_sub(gone, Ordering::Relaxed);
    }
}

/// The prefix that a sample is kept under.
fn of_client(atlas: &Atlas, prefix: Prefix) -> Result<Prefix, Refused> {
    let (prefix, _) = normalise(prefix);
    let family = prefix.family();
    let prefix = prefix.cut(Whose::FINEST[family.at()]);
    if prefix.len() < WIDEST[family.at()] {
        return Err(Refused::Wide(prefix));
    }
    match atlas.find(prefix).special {
        true => Err(Refused::Special(prefix)),
        false => Ok(prefix),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => write!(f, "its time is no round-trip time: milliseconds above 0, up to {LONGEST}"),
            Self::Empty => f.write_str("it is made from no measurement"),
            Self::Old => f.write_str("it is older than `latency.max_age`"),
            Self::Region(name) => write!(f, "no region is called {name:?}"),
            Self::Special(prefix) => write!(f, "{prefix} says nothing of where a client is"),
            Self::Wide(prefix) => {
                let widest = WIDEST[Family::at(prefix.family())];
                write!(f, "{prefix} is too wide to be one client: /{widest} at most")
            }
            Self::Full(max) => write!(f, "there are samples of {max} prefixes already (`latency.max_prefixes`)"),
        }
    }
}
