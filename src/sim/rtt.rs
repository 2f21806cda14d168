//! Samples of round-trip times in a simulation: stated, brought now and then, or made by clients that go where they are
//! sent. Must not know how they come to count.

use super::{Ask, Driver, Refusal, Samples as Brought, ask::listen};
use crate::{
    engine::{
        snapshot::Snapshot,
        types::{At, Chance, Millis, Prefix, UnixMillis},
        world::World,
    },
    node::{input::Input, samples::Sample},
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
    every: Millis,
    /// In milliseconds from the beginning: a moment, and no length of time.
    next: u64,
}

impl Feeds {
    /// Brings what is told, the first time at once.
    pub(super) fn happens(
        &mut self,
        what: Brought,
        now: u64,
        driver: &mut Driver,
        chance: Chance,
    ) -> Result<(), Refusal> {
        if let Brought::Stop(of) = what {
            self.again.retain(|again| of.is_some_and(|prefix| again.what.prefix() != Some(prefix)));
            return Ok(());
        }
        bring(&what, driver, chance)?;
        if let Some(every) = what.every() {
            self.again.push(Again { what, every, next: now + every.0 });
        }
        Ok(())
    }

    /// When some are brought next.
    pub(super) fn next(&self) -> Option<u64> {
        self.again.iter().map(|again| again.next).min()
    }

    /// Brings what is due.
    pub(super) fn play(&mut self, now: u64, driver: &mut Driver, chance: Chance) -> Result<(), Refusal> {
        let mut again = std::mem::take(&mut self.again);
        for due in again.iter_mut().filter(|again| again.next <= now) {
            due.next = now + due.every.0;
            bring(&due.what, driver, chance)?;
        }
        self.again = again;
        Ok(())
    }
}

fn bring(what: &Brought, driver: &mut Driver, chance: Chance) -> Result<(), Refusal> {
    let at = At(chance.now.0);
    let take = |driver: &mut Driver, prefix: Prefix, region: &str, ms: f64, count: u32| {
        let sample = Sample { prefix, region: region.into(), ms, samples: count, age: Millis::ZERO };
        let refused = driver.handle(at, Input::Samples(vec![sample])).refused.pop();
        refused.map_or(Ok(()), |(_, refused)| Err(Refusal::Sample { refused, there: regions(&driver.world()) }))
    };
    match what {
        Brought::Said { prefix, region, ms, samples, .. } => take(driver, *prefix, region, *ms, *samples),
        Brought::Clients { prefix, ask, far, .. } => {
            let Some(region) = region(&driver.snapshot(), ask, chance)? else { return Ok(()) };
            let Some((region, ms)) = far.iter().find(|(name, _)| **name == *region) else { return Ok(()) };
            take(driver, *prefix, region, *ms, CONNECTIONS)
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

/// The chance of clients that ask by themselves, `since` milliseconds after the beginning.
pub(super) fn chance(at: At, since: u64) -> Chance {
    Chance { now: UnixMillis(at.0), random: since, draw: None }
}
