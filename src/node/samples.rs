//! Round-trip times as they come from where clients are served: kept by prefix and region within bounds, and told as
//! cells of prefixes, AS numbers and countries. Time is an argument. Must not know where they come from, nor when a cell
//! counts.
//!
//! Telling them takes its time, so it works on a copy ([`Samples`] is cheap to clone: the table is shared until one of both
//! changes it) while further samples are taken in; what it finds is [settled](Samples::settle) afterwards. There is room for
//! so many prefixes. A newcomer that finds none is turned away, and the next telling makes room for as many as were, at
//! most a tenth, among those whose samples are worth the least by now: the fewest and the oldest. So a flood of prefixes
//! costs refusals, not memory, and drives out its own before those that are sampled well.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::{
    entries,
    geo::{Atlas, Whose, normalise},
    signal::{
        latency::Terms,
        sampled::{Forgetting, Sampled},
    },
    types::{At, Millis, PerFamily, Prefix},
    world::RttCell,
};

#[cfg(test)]
mod tests;

/// Nothing is so far away, in milliseconds; a round-trip time, which has parts of them.
const LONGEST: f64 = 10_000.0;
/// No prefix is wider than this: it would say something of half the world.
const WIDEST: PerFamily<u8> = PerFamily::new(8, 16);

/// Several measurements from one prefix to one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// From where; one that is finer than /24 or /48, a single address too, is cut to that.
    pub prefix: Prefix,
    /// The region's name.
    pub region: Box<str>,
    /// Milliseconds on average.
    #[serde(deserialize_with = "number")]
    pub ms: f64,
    /// How many were measured.
    pub samples: u32,
    /// How long ago.
    pub age: Millis,
}

/// A number as it was written: JSON has no word for one that is not finite and writes null, which says as little.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Why a sample is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
const TOGETHER: Forgetting = Forgetting { half_life: Millis::MAX, most: u32::MAX };

/// What holds for all of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bounds {
    forgetting: Forgetting,
    max_age: Millis,
    max_prefixes: usize,
    /// In name order.
    regions: Vec<Arc<str>>,
}

/// For each region that a prefix was sampled from, the average.
type Row = Vec<(Arc<str>, Sampled)>;

/// What was told of AS numbers and countries, by region: the newest that was known.
type Wider = BTreeMap<Whose, BTreeMap<Arc<str>, Sampled>>;

/// The samples of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Samples {
    bounds: Bounds,
    table: Arc<Table>,
    turned_away: usize,
    fresh: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Table {
    #[serde(with = "entries")]
    rows: BTreeMap<Prefix, Row>,
    #[serde(with = "entries")]
    wider: Wider,
}

/// What was found when samples were told.
#[derive(Debug)]
pub struct Telling {
    /// All that is known, by client and region, where the client is a prefix, an AS number or a country.
    pub cells: Vec<RttCell>,
    wider: Wider,
    /// The prefixes that are forgotten, each with the moment of its newest sample.
    forgotten: Vec<(Prefix, At)>,
}

impl Default for Samples {
    /// None yet, and room for none.
    fn default() -> Self {
        let terms = Terms::default();
        let bounds = Bounds {
            forgetting: Forgetting::of(terms.min_samples, terms.max_age),
            max_age: terms.max_age,
            max_prefixes: 0,
            regions: Vec::new(),
        };
        Self { bounds, table: Arc::default(), turned_away: 0, fresh: false }
    }
}

impl Samples {
    /// Takes over what a configuration says: when samples are believed, how many prefixes there is room for, and the
    /// regions in name order. Samples of regions that are gone are forgotten.
    pub fn set(&mut self, terms: &Terms, max_prefixes: usize, regions: impl IntoIterator<Item = Box<str>>) {
        let bounds = Bounds {
            forgetting: Forgetting::of(terms.min_samples, terms.max_age),
            max_age: terms.max_age,
            max_prefixes,
            regions: regions.into_iter().map(Arc::from).collect(),
        };
        let is_there = |region: &Arc<str>| bounds.regions.binary_search(region).is_ok();
        if !self.bounds.regions.iter().all(is_there) {
            let table = Arc::make_mut(&mut self.table);
            table.rows.retain(|_, row| {
                row.retain(|(region, _)| is_there(region));
                !row.is_empty()
            });
            table.wider.values_mut().for_each(|row| row.retain(|region, _| is_there(region)));
        }
        self.bounds = bounds;
    }

    /// Takes in a sample, or says why not. `atlas`: tells which prefixes say nothing of a client.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn take(&mut self, now: At, atlas: &Atlas, sample: &Sample) -> Result<(), Refused> {
        let bounds = &self.bounds;
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
        let is_known = self.table.rows.contains_key(&prefix);
        if !is_known && self.table.rows.len() >= bounds.max_prefixes {
            self.turned_away += 1;
            return Err(Refused::Full(bounds.max_prefixes));
        }
        let (at, rtt, forgetting) = (now.minus(sample.age), sample.ms * 10.0, &bounds.forgetting);
        let row = Arc::make_mut(&mut self.table).rows.entry(prefix).or_default();
        match row.iter_mut().find(|(known, _)| known == region) {
            Some((_, sampled)) => sampled.take(at, rtt, sample.samples, forgetting),
            None => row.push((Arc::clone(region), Sampled::new(at, rtt, sample.samples, forgetting))),
        }
        self.fresh = true;
        Ok(())
    }

    /// Whether any were taken since they were told last.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// How many prefixes have samples.
    #[must_use]
    pub fn prefixes(&self) -> usize {
        self.table.rows.len()
    }

    /// A copy that is to be told; what is taken from now on is fresh again.
    #[must_use]
    pub fn freeze(&mut self) -> Self {
        let frozen = self.clone();
        (self.fresh, self.turned_away) = (false, 0);
        frozen
    }

    /// They are to be told again, where they were being told.
    pub(super) fn refresh(&mut self, sampled: bool) {
        self.fresh |= sampled;
    }

    /// All that is known at a moment. Of what is forgotten then, and of the averages of AS numbers and countries, note is
    /// taken by [`Self::settle`]. Takes its time.
    #[must_use]
    pub fn tell(&self, now: At, atlas: &Atlas) -> Telling {
        let forgotten = self.forgotten(now);
        let is_fresh = |sampled: &Sampled| now.since(sampled.at()) < self.bounds.max_age;
        let mut cells = Vec::new();
        let mut sums: BTreeMap<Whose, HashMap<&Arc<str>, Sampled>> = BTreeMap::new();
        let is_forgotten = |prefix: &Prefix| forgotten.binary_search_by_key(prefix, |(prefix, _)| *prefix).is_ok();
        // In the order of prefixes, so that the same samples always make the same averages.
        for (prefix, row) in self.table.rows.iter().filter(|(prefix, _)| !is_forgotten(prefix)) {
            let location = atlas.find(*prefix).location;
            let asn = location.and_then(|location| location.asn).map(Whose::Asn);
            let country = location.and_then(|location| location.country).map(Whose::Country);
            for (region, sampled) in row {
                let reading = sampled.reading(now);
                for whose in asn.into_iter().chain(country).filter(|_| is_fresh(sampled)) {
                    let (rtt, samples) = (f64::from(reading.rtt.0), reading.samples.unwrap_or(0));
                    let sum = sums.entry(whose).or_default();
                    sum.entry(region)
                        .and_modify(|sum| sum.take(sampled.at(), rtt, samples, &TOGETHER))
                        .or_insert_with(|| Sampled::new(sampled.at(), rtt, samples, &TOGETHER));
                }
                cells.push(((Whose::Net(*prefix), Box::from(&**region)), reading));
            }
        }
        let mut wider = self.table.wider.clone();
        for (whose, row) in sums {
            wider.entry(whose).or_default().extend(row.into_iter().map(|(region, sum)| (Arc::clone(region), sum)));
        }
        wider.retain(|_, row| row.values().any(is_fresh));
        for (whose, row) in &wider {
            cells.extend(row.iter().map(|(region, sum)| ((*whose, Box::from(&**region)), sum.reading(now))));
        }
        Telling { cells, wider, forgotten }
    }

    /// Takes note of what was told of a copy: forgets what was forgotten then, unless it was sampled again since.
    pub fn settle(&mut self, telling: Telling) {
        let Telling { wider, forgotten, .. } = telling;
        let table = Arc::make_mut(&mut self.table);
        for (prefix, at) in forgotten {
            if table.rows.get(&prefix).is_some_and(|row| newest(row) == at) {
                table.rows.remove(&prefix);
            }
        }
        let is_there = |region: &Arc<str>| self.bounds.regions.binary_search(region).is_ok();
        table.wider = wider;
        table.wider.values_mut().for_each(|row| row.retain(|region, _| is_there(region)));
    }

    /// The prefixes of which nothing is fresh, and as many more as room is wanted for; in their order.
    fn forgotten(&self, now: At) -> Vec<(Prefix, At)> {
        let (bounds, rows) = (&self.bounds, &self.table.rows);
        let is_old = |row: &Row| row.iter().all(|(_, sampled)| now.since(sampled.at()) >= bounds.max_age);
        let (old, rest): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, row)| is_old(row));
        let wanted = self.turned_away.min((bounds.max_prefixes / 10).max(1));
        let free = bounds.max_prefixes.saturating_sub(rest.len());
        let beyond = rest.len().saturating_sub(bounds.max_prefixes);
        let leave = beyond + wanted.saturating_sub(free);
        let mut forgotten: Vec<(Prefix, At)> = old.into_iter().map(|(prefix, row)| (*prefix, newest(row))).collect();
        if leave > 0 {
            let worth = |row: &Row| row.iter().map(|(_, sampled)| sampled.worth(now, &bounds.forgetting)).sum::<f64>();
            let mut all: Vec<(f64, Prefix, At)> =
                rest.into_iter().map(|(prefix, row)| (worth(row), *prefix, newest(row))).collect();
            all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            forgotten.extend(all.into_iter().take(leave).map(|(_, prefix, at)| (prefix, at)));
        }
        forgotten.sort_unstable();
        forgotten
    }
}

/// When the newest sample of a row was taken.
fn newest(row: &Row) -> At {
    row.iter().map(|(_, sampled)| sampled.at()).max().unwrap_or_default()
}

/// The prefix that a sample is kept under.
fn of_client(atlas: &Atlas, prefix: Prefix) -> Result<Prefix, Refused> {
    let (prefix, _) = normalise(prefix);
    let family = prefix.family();
    let prefix = prefix.cut(Whose::FINEST[family]);
    if prefix.len() < WIDEST[family] {
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
                let widest = WIDEST[prefix.family()];
                write!(f, "{prefix} is too wide to be one client: /{widest} at most")
            }
            Self::Full(max) => write!(f, "there are samples of {max} prefixes already (`latency.max_prefixes`)"),
        }
    }
}
