//! Measured round-trip times of a running server: what counts is remembered over reloads, files that change and samples
//! that come, and maps are compiled anew, beside the serving, when it moves.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{task, time};
use tracing::{error, info, warn};

use super::App;
use crate::{
    config::{
        fault::Severity,
        geo::{Reread, latency::Cell},
        report, settings,
    },
    engine::{
        geo::{Measures, Whose},
        signal::latency::{Latencies, Reading, Terms},
        types::At,
        world::{Region, World, measures},
    },
    node::{clock::Clock, ledger::Event, samples::Samples},
};

/// What a source said, and when.
#[derive(Debug, Default)]
struct Said {
    cells: Vec<Cell>,
    at: At,
}

/// What is measured, and when maps were last made of it.
#[derive(Debug)]
pub struct Measuring {
    cells: Latencies<Whose, Box<str>>,
    terms: Terms,
    refresh: u64,
    files: Said,
    samples: Said,
    made_at: At,
    /// Whether a source has said anything since.
    is_fresh: bool,
}

impl Said {
    /// As it is at a later moment.
    fn at(&self, now: At) -> impl Iterator<Item = Cell> {
        let more = now.since(self.at);
        self.cells.iter().map(move |(key, reading)| {
            let age = if reading.samples.is_some() { reading.age.saturating_add(more) } else { reading.age };
            (key.clone(), Reading { age, ..*reading })
        })
    }
}

impl Measuring {
    /// Nothing yet.
    #[must_use]
    pub fn new(settings: settings::Latency) -> Self {
        Self {
            cells: Latencies::new(settings.terms),
            terms: settings.terms,
            refresh: settings.refresh,
            files: Said::default(),
            samples: Said::default(),
            made_at: At(0),
            is_fresh: false,
        }
    }

    /// Takes over what a configuration says of round-trip times. What counted goes on counting by client and by the
    /// region's name, as long as its terms allow.
    pub fn import(&mut self, now: At, settings: settings::Latency, cells: Vec<Cell>) {
        (self.terms, self.refresh) = (settings.terms, settings.refresh);
        self.cells.set_terms(now, settings.terms);
        self.read(now, cells);
    }

    /// Takes over what the latency files say now.
    pub fn read(&mut self, now: At, cells: Vec<Cell>) {
        self.files = Said { cells, at: now };
        self.fold(now);
    }

    /// Takes over what samples say now.
    pub fn hear(&mut self, now: At, cells: Vec<Cell>) {
        self.samples = Said { cells, at: now };
        self.fold(now);
    }

    /// Puts both together. A line without a number of samples is an operator's word and stands; else samples that are
    /// believed win over a file, which may be a day old.
    fn fold(&mut self, now: At) {
        let mut cells: BTreeMap<(Whose, Box<str>), Reading> = self.files.at(now).collect();
        for (key, reading) in self.samples.at(now) {
            let stated = cells.get(&key).is_some_and(|known| known.samples.is_none());
            let believed = reading.samples.is_some_and(|samples| samples >= self.terms.min_samples)
                && reading.age < self.terms.max_age;
            if !stated && (believed || !cells.contains_key(&key)) {
                cells.insert(key, reading);
            }
        }
        self.cells.import(now, cells);
        self.is_fresh = true;
    }

    /// What counts now, for maps that are about to be made.
    pub fn make(&mut self, now: At, regions: &[Region]) -> Arc<Measures> {
        (self.made_at, self.is_fresh) = (now, false);
        Arc::new(measures(&self.cells, regions, now))
    }

    /// When maps are to be made anew: something may have moved since, and the last ones are old enough.
    #[must_use]
    pub fn due(&self, samples: &Samples) -> Option<At> {
        let at_once = (self.is_fresh || samples.is_fresh()).then_some(self.made_at);
        Some(at_once.or_else(|| self.cells.due(self.made_at))?.max(At(self.made_at.0.saturating_add(self.refresh))))
    }
}

/// Waits until maps are to be made anew. May be dropped and called again.
pub(super) async fn until_due(measuring: &Measuring, samples: &Samples, clock: Clock) {
    loop {
        let now = clock.now();
        let wait = match measuring.due(samples) {
            Some(due) if due <= now => return,
            // Samples come without a word; they are looked for as often as they may count.
            due => due.map_or(measuring.refresh, |due| due.since(now)).min(measuring.refresh),
        };
        time::sleep(Duration::from_millis(wait)).await;
    }
}

impl App {
    /// Makes maps of what counts now and puts them in force, where anything has moved.
    pub(super) async fn refresh(&mut self) {
        let old = Arc::clone(&self.world);
        if self.samples.is_fresh() {
            let (samples, world, now) = (Arc::clone(&self.samples), Arc::clone(&old), self.clock.now());
            match task::spawn_blocking(move || samples.tell(now, &world.atlas)).await {
                Ok(cells) => self.measuring.hear(now, cells),
                Err(error) => error!("latency samples were not read, what counted before goes on: {error}"),
            }
        }
        let measures = self.measuring.make(self.clock.now(), &old.regions);
        if measures.says_what(&old.measures) {
            return;
        }
        let world: Arc<World> = match task::spawn_blocking(move || old.measured(measures)).await {
            Ok(world) => Arc::new(world),
            Err(error) => return error!("maps were not made of what is measured now, the old ones stay: {error}"),
        };
        self.world = Arc::clone(&world);
        match self.writer.events.send(Event::World(world)).await {
            Ok(()) => info!("measured round-trip times have moved: their maps are in force"),
            Err(_) => error!("the writer has ended: what is served stays as it is; restart the server"),
        }
    }

    /// Takes over what the latency files say since they changed, or says why not.
    pub(super) fn take_files(&mut self, Reread { sources, faults, cells }: Reread) {
        for fault in &faults {
            let text = report::one(fault, &sources);
            match fault.severity {
                Severity::Error => error!("{text}"),
                Severity::Warning => warn!("{text}"),
            }
        }
        match cells {
            Some(cells) => {
                let (count, are) = (cells.len(), if cells.len() == 1 { "cell is" } else { "cells are" });
                info!("the latency files have changed: {count} {are} read");
                self.measuring.read(self.clock.now(), cells);
            }
            None => error!("the latency files are not taken over for the faults above; what they said before goes on"),
        }
    }
}

/// Takes over what a configuration says of samples.
pub(super) fn set_samples(samples: &Samples, settings: &settings::Latency, regions: &[Region]) {
    samples.set(&settings.terms, settings.max_prefixes, regions.iter().map(|region| region.name.clone()));
}
