//! Measured round-trip times: what counts of what files and samples say, remembered over reloads. A value: what comes makes
//! another one. Must not know when maps are made of it, nor where what it takes in comes from.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::engine::{
    geo::{Measures, Whose},
    signal::latency::{Latencies, LatencyRules, Reading},
    types::At,
    world::{Region, RttCell, measures},
};

/// What a source said, and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Heard {
    cells: Vec<RttCell>,
    at: At,
}

/// What is measured, and when maps were last made of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measuring {
    cells: Latencies<Whose, Box<str>>,
    rules: LatencyRules,
    files: Heard,
    samples: Heard,
    made_at: At,
    /// When what counts may change next with time alone, as seen when maps were made.
    turn: Option<At>,
    /// Whether a source has said anything since.
    is_fresh: bool,
}

impl Heard {
    /// As it is at a later moment.
    fn at(&self, now: At) -> impl Iterator<Item = RttCell> {
        let more = now.since(self.at);
        self.cells.iter().map(move |(key, reading)| {
            let age = if reading.samples.is_some() { reading.age.plus(more) } else { reading.age };
            (key.clone(), Reading { age, ..*reading })
        })
    }
}

impl Measuring {
    /// Nothing yet.
    #[must_use]
    pub fn new(rules: LatencyRules) -> Self {
        Self {
            cells: Latencies::new(rules.terms),
            rules,
            files: Heard::default(),
            samples: Heard::default(),
            made_at: At(0),
            turn: None,
            is_fresh: false,
        }
    }

    /// Takes over what a configuration says of round-trip times. What counted goes on counting by client and by the
    /// region's name, as long as its terms allow.
    pub fn import(&mut self, now: At, rules: LatencyRules, cells: Vec<RttCell>) {
        self.rules = rules;
        self.cells.set_terms(now, rules.terms);
        self.read(now, cells);
    }

    /// Takes over what the latency files say now.
    pub fn read(&mut self, now: At, cells: Vec<RttCell>) {
        self.files = Heard { cells, at: now };
        self.fold(now);
    }

    /// Takes over what samples say now.
    pub fn hear(&mut self, now: At, cells: Vec<RttCell>) {
        self.samples = Heard { cells, at: now };
        self.fold(now);
    }

    /// Puts both together. A line without a number of samples is an operator's word and stands; else samples that are
    /// believed win over a file, which may be a day old.
    fn fold(&mut self, now: At) {
        let terms = &self.rules.terms;
        let mut cells: BTreeMap<(Whose, Box<str>), Reading> = self.files.at(now).collect();
        for (key, reading) in self.samples.at(now) {
            let stated = cells.get(&key).is_some_and(|known| known.samples.is_none());
            let believed =
                reading.samples.is_some_and(|samples| samples >= terms.min_samples) && reading.age < terms.max_age;
            if !stated && (believed || !cells.contains_key(&key)) {
                cells.insert(key, reading);
            }
        }
        self.cells.import(now, cells);
        self.is_fresh = true;
    }

    /// What counts now, for maps that are about to be made.
    pub fn make(&mut self, now: At, regions: &[Region]) -> Arc<Measures> {
        (self.made_at, self.is_fresh, self.turn) = (now, false, self.cells.due(now));
        Arc::new(measures(&self.cells, regions, now))
    }

    /// When it counts.
    #[must_use]
    pub fn rules(&self) -> &LatencyRules {
        &self.rules
    }

    /// When maps are to be made again: something may have moved since, and the last ones are old enough. `sampled`: whether
    /// samples were taken that it has not heard of.
    #[must_use]
    pub fn due(&self, sampled: bool) -> Option<At> {
        let at_once = (self.is_fresh || sampled).then_some(self.made_at);
        Some(at_once.or(self.turn)?.max(self.made_at.plus(self.rules.refresh)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::engine::types::Millis;
    use crate::{
        engine::{geo::Atlas, signal::latency::Terms, types::Prefix, units::Rtt},
        node::samples::{Sample, Samples},
    };

    fn regions() -> Vec<Region> {
        ["a", "b"].map(|name| Region { name: name.into(), ..Region::default() }).into()
    }

    fn cells(tenths: [u32; 2]) -> Vec<RttCell> {
        let reading = |rtt| Reading { rtt, samples: None, age: Millis(0) };
        ["a", "b"]
            .into_iter()
            .zip(tenths)
            .map(|(name, rtt)| ((Whose::Country(*b"DE"), name.into()), reading(Rtt(rtt))))
            .collect()
    }

    fn rules(terms: Terms) -> LatencyRules {
        LatencyRules { terms, ..LatencyRules::default() }
    }

    #[test]
    fn maps_are_made_at_most_once_in_the_refresh_time() {
        let terms = Terms { hold: Millis(1000), ..Terms::default() };
        let mut measuring = Measuring::new(rules(terms));
        measuring.import(At(0), rules(terms), cells([100, 900]));
        measuring.make(At(0), &[]);
        assert_eq!(measuring.due(false), None);
        measuring.import(At(500), rules(terms), cells([900, 900]));
        assert_eq!(measuring.due(false), Some(At(60_000)), "the cell moves at 1500");
        measuring.make(At(60_000), &[]);
        assert_eq!(measuring.due(false), None);
        measuring.import(At(100_000), rules(Terms { hold: Millis(50_000), ..terms }), cells([100, 900]));
        assert_eq!(measuring.due(false), Some(At(120_000)));
    }

    #[test]
    fn samples_are_heard_at_most_once_in_the_refresh_time_and_win_over_files_but_not_over_statements() {
        let terms = Terms { hold: Millis(0), min_samples: 5, ..Terms::default() };
        let (mut samples, regions) = (Samples::default(), regions());
        samples.set(&terms, 100_000, regions.iter().map(|region| region.name.clone()));
        let net = Prefix::new(IpAddr::from([203, 0, 113, 0]), 24);
        let key = |name: &str| (Whose::Net(net), Box::from(name));
        let old = Reading { rtt: Rtt(500), samples: Some(100), age: Millis(3_600_000) };
        let stated = Reading { rtt: Rtt(500), samples: None, age: Millis(0) };
        let mut measuring = Measuring::new(rules(terms));
        measuring.import(At(0), rules(terms), vec![(key("a"), old), (key("b"), stated)]);
        measuring.make(At(0), &[]);
        let push = |samples: &mut Samples, at: u64, count: u32| {
            for region in ["a", "b"] {
                let sample = Sample { prefix: net, region: region.into(), ms: 20.0, samples: count, age: Millis(0) };
                samples.take(At(at), &Atlas::default(), &sample).unwrap();
            }
        };
        let mut hear = |samples: &mut Samples, at: u64| {
            let mut telling = samples.freeze().tell(At(at), &Atlas::default());
            measuring.hear(At(at), std::mem::take(&mut telling.cells));
            samples.settle(telling);
            let counts = measuring.make(At(at), &regions);
            let row: Vec<u32> = counts.of(Whose::Net(net)).iter().map(|(_, measured)| measured.rtt.0).collect();
            (row, measuring.due(samples.is_fresh()))
        };
        push(&mut samples, 1000, 4);
        assert_eq!(
            hear(&mut samples, 60_000),
            (vec![500, 500], Some(At(82_800_000))),
            "too few; the file ages meanwhile"
        );
        push(&mut samples, 61_000, 1);
        assert!(samples.is_fresh());
        assert_eq!(hear(&mut samples, 120_000).0, [200, 500], "enough");
        push(&mut samples, 121_000, 1);
        push(&mut samples, 122_000, 1);
        assert_eq!(measuring.due(samples.is_fresh()), Some(At(180_000)));
    }
}
