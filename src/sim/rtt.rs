//! Samples of round-trip times in a simulation: stated, brought now and then, or made by clients that go where they are
//! sent. Must not know how they come to count.

use super::{Ask, Refusal, Samples as Brought, ask::listen};
use crate::{
    engine::{
        snapshot::Snapshot,
        types::{At, Chance, Prefix, UnixMillis},
        world::World,
    },
    node::samples::{Sample, Samples},
};

/// How many connections of its clients a region measures at a time.
const CONNECTIONS: u32 = 10;

/// What brings samples again and again.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    again: Vec<Again>,
}

/// One of them.
#[derive(Debug)]
struct Again {
    what: Brought,
    every: u64,
    next: u64,
}

impl Feeds {
    /// Brings what is told, the first time at once.
    pub(super) fn happens(
        &mut self,
        what: Brought,
        at: At,
        samples: &Samples,
        snapshot: &Snapshot,
        chance: Chance,
    ) -> Result<(), Refusal> {
        if let Brought::Stop(of) = what {
            self.again.retain(|again| of.is_some_and(|prefix| again.what.prefix() != Some(prefix)));
            return Ok(());
        }
        bring(&what, at, samples, snapshot, chance)?;
        if let Some(every) = what.every() {
            self.again.push(Again { what, every, next: at.0 + every });
        }
        Ok(())
    }

    /// When some are brought next.
    pub(super) fn next(&self) -> Option<u64> {
        self.again.iter().map(|again| again.next).min()
    }

    /// Brings what is due.
    pub(super) fn play(
        &mut self,
        at: At,
        samples: &Samples,
        snapshot: &Snapshot,
        chance: Chance,
    ) -> Result<(), Refusal> {
        let mut again = std::mem::take(&mut self.again);
        for due in again.iter_mut().filter(|again| again.next <= at.0) {
            due.next = at.0 + due.every;
            bring(&due.what, at, samples, snapshot, chance)?;
        }
        self.again = again;
        Ok(())
    }
}

fn bring(what: &Brought, at: At, samples: &Samples, snapshot: &Snapshot, chance: Chance) -> Result<(), Refusal> {
    let world = &snapshot.world;
    let take = |prefix: Prefix, region: &str, ms: f64, count: u32| {
        let sample = Sample { prefix, region: region.into(), ms, samples: count, age: 0 };
        samples.take(at, &world.atlas, &sample).map_err(|refused| Refusal::Sample { refused, there: regions(world) })
    };
    match what {
        Brought::Said { prefix, region, ms, samples, .. } => take(*prefix, region, *ms, *samples),
        Brought::Clients { prefix, ask, far, .. } => {
            let Some(region) = region(snapshot, ask, chance)? else { return Ok(()) };
            let Some((region, ms)) = far.iter().find(|(name, _)| **name == *region) else { return Ok(()) };
            take(*prefix, region, *ms, CONNECTIONS)
        }
        Brought::Stop(_) => Ok(()),
    }
}

fn regions(world: &World) -> Vec<String> {
    world.regions.iter().map(|region| region.name.to_string()).collect()
}

/// Where a client is sent; none: nowhere.
fn region(snapshot: &Snapshot, ask: &Ask, chance: Chance) -> Result<Option<Box<str>>, Refusal> {
    let heard = listen(snapshot, ask, chance)?;
    let chosen = heard.and_then(|heard| heard.chosen().first().copied());
    let world = &snapshot.world;
    Ok(chosen.map(|id| world.regions[world[id].region.at()].name.clone()))
}

/// The chance of clients that ask by themselves.
pub(super) fn chance(beginning: u64, at: At) -> Chance {
    Chance { now: UnixMillis(beginning + at.0), random: at.0, draw: None }
}
