//! Samples of round-trip times in a scenario: said, brought now and then, or made by clients who go where they are sent.
//! Must not know how they come to count.

use std::sync::Arc;

use super::{
    Fault,
    ask::listen,
    fault,
    line::{Question, Samples as Line},
};
use crate::{
    engine::{
        snapshot::Snapshot,
        types::{At, Chance, Prefix, UnixMillis},
        world::World,
    },
    state::samples::{Refused, Sample, Samples},
    telemetry::signals::Signals,
};

/// How many connections of its clients a region measures at a time.
const CONNECTIONS: u32 = 10;

/// What brings samples.
#[derive(Debug)]
pub(super) struct Feeds {
    pub(super) samples: Samples,
    again: Vec<Again>,
}

/// What brings them again and again.
#[derive(Debug)]
struct Again {
    what: Line,
    every: u64,
    next: u64,
}

impl Default for Feeds {
    fn default() -> Self {
        Self { samples: empty(), again: Vec::new() }
    }
}

fn empty() -> Samples {
    Samples::new(Arc::new(Signals::default()))
}

impl Feeds {
    /// Nothing is known of what was brought; whoever brings it goes on.
    pub(super) fn forget(&mut self) {
        self.samples = empty();
    }

    /// Does what a line says, the first time at once.
    pub(super) fn happens(&mut self, line: Line, at: At, snapshot: &Snapshot, chance: Chance) -> Result<(), Fault> {
        if let Line::Stop(whose) = line {
            self.again.retain(|again| whose.is_some_and(|prefix| again.what.prefix() != Some(prefix)));
            return Ok(());
        }
        self.bring(&line, at, snapshot, chance)?;
        if let Some(every) = line.every() {
            self.again.push(Again { what: line, every, next: at.0 + every });
        }
        Ok(())
    }

    /// When somebody brings some next.
    pub(super) fn next(&self) -> Option<u64> {
        self.again.iter().map(|again| again.next).min()
    }

    /// Whoever is due brings some.
    pub(super) fn play(&mut self, at: At, snapshot: &Snapshot, chance: Chance) -> Result<(), Fault> {
        let mut again = std::mem::take(&mut self.again);
        for due in again.iter_mut().filter(|again| again.next <= at.0) {
            due.next = at.0 + due.every;
            self.bring(&due.what, at, snapshot, chance)?;
        }
        self.again = again;
        Ok(())
    }

    fn bring(&self, line: &Line, at: At, snapshot: &Snapshot, chance: Chance) -> Result<(), Fault> {
        let world = &snapshot.world;
        match line {
            Line::Said { prefix, region, ms, samples, .. } => self.take(at, world, *prefix, region, *ms, *samples),
            Line::Clients { prefix, question, far, .. } => {
                let Some(region) = region(snapshot, question, chance)? else { return Ok(()) };
                let Some((region, ms)) = far.iter().find(|(name, _)| **name == *region) else { return Ok(()) };
                self.take(at, world, *prefix, region, *ms, CONNECTIONS)
            }
            Line::Stop(_) => Ok(()),
        }
    }

    fn take(&self, at: At, world: &World, prefix: Prefix, region: &str, ms: f64, samples: u32) -> Result<(), Fault> {
        let sample = Sample { prefix, region: region.into(), ms, samples, age: 0 };
        self.samples.take(at, &world.atlas, &sample).map_err(|refused| {
            let regions: Vec<&str> = world.regions.iter().map(|region| &*region.name).collect();
            let remedy = match refused {
                Refused::Region(_) => format!("there is {}", regions.join(", ")),
                _ => "write `sample 203.0.113.0/24 eu-west 12ms x10`".to_owned(),
            };
            fault(format!("the sample is not taken: {refused}"), remedy)
        })
    }
}

/// Where a client is sent; none: nowhere.
fn region(snapshot: &Snapshot, question: &Question, chance: Chance) -> Result<Option<Box<str>>, Fault> {
    let told = listen(snapshot, question, chance).map_err(|why| fault(why, "please report it"))?;
    let chosen = told.and_then(|told| told.chosen().first().copied());
    let world = &snapshot.world;
    Ok(chosen.map(|id| world.regions[world[id].region.at()].name.clone()))
}

/// The chances of those who ask by themselves.
pub(super) fn chance(beginning: u64, at: At) -> Chance {
    Chance { now: UnixMillis(beginning + at.0), random: at.0, draw: None }
}
