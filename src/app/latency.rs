//! Measured round-trip times of a running server: what counts is remembered over reloads, and maps are compiled anew,
//! beside the serving, when it moves.

use std::{sync::Arc, time::Duration};

use tokio::{task, time};
use tracing::{error, info};

use super::App;
use crate::{
    config::settings,
    engine::{
        geo::{Measures, Whose},
        signal::latency::{Latencies, Reading},
        snapshot::{Region, World, measures},
        types::At,
    },
    state::{clock::Clock, ledger::Event},
};

/// What is measured, and when maps were last made of it.
#[derive(Debug)]
pub struct Measuring {
    cells: Latencies<(Whose, Box<str>)>,
    refresh: u64,
    made_at: At,
}

impl Measuring {
    /// Nothing yet.
    #[must_use]
    pub fn new(settings: settings::Latency) -> Self {
        Self { cells: Latencies::new(settings.terms), refresh: settings.refresh, made_at: At(0) }
    }

    /// Takes over what a configuration says of round-trip times. What counted goes on counting by client and by the
    /// region's name, as long as its terms allow.
    pub fn import(&mut self, now: At, settings: settings::Latency, cells: Vec<((Whose, Box<str>), Reading)>) {
        self.refresh = settings.refresh;
        self.cells.set_terms(now, settings.terms);
        self.cells.import(now, cells);
    }

    /// What counts now, for maps that are about to be made.
    pub fn make(&mut self, now: At, regions: &[Region]) -> Arc<Measures> {
        self.made_at = now;
        Arc::new(measures(&self.cells, regions, now))
    }

    /// When maps are to be made anew: something may have moved since, and the last ones are old enough.
    #[must_use]
    pub fn due(&self) -> Option<At> {
        Some(self.cells.due(self.made_at)?.max(At(self.made_at.0.saturating_add(self.refresh))))
    }

    /// Waits until maps are to be made anew; for ever when nothing can move. May be dropped and called again.
    pub(super) async fn until_due(&self, clock: Clock) {
        match self.due() {
            Some(due) => time::sleep(Duration::from_millis(due.since(clock.now()))).await,
            None => std::future::pending().await,
        }
    }
}

impl App {
    /// Makes maps of what counts now and puts them in force, where anything has moved.
    pub(super) async fn refresh(&mut self) {
        let old = Arc::clone(&self.world);
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
}
