//! A simulation as it runs: its own clock, its own prober, the real ledger, the real engine. Must not know how any of it is
//! written or shown.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Answer, Ask, Blocks, Configuration, Expectation, Fare, Happening, Missed, Refusal,
    ask::{Heard, listen},
    assert::{self, Before, Chosen},
    because::{because, timings},
    probes::Probes,
    resolve,
    rtt::{self, Feeds},
    shares::{self, Remembered},
    wiring::Wiring,
};
use crate::{
    engine::{
        types::{At, Chance, TargetId, UnixMillis},
        world::World,
    },
    node::{
        ledger::Event,
        overrides::{self, Override},
    },
};

/// The wall clock at the beginning: it numbers slots.
const BEGINNING: u64 = 1_700_000_000_000;
/// How often what reports load does so, in milliseconds.
const REPORTS: u64 = 2000;

/// A simulation. It begins at 0 milliseconds, without a configuration.
#[derive(Debug, Default)]
pub struct Simulation {
    now: u64,
    wiring: Option<Wiring>,
    probes: Probes,
    feeds: Feeds,
    /// What reports how much load, and when next.
    loads: BTreeMap<overrides::Whom, (f64, u64)>,
    asked: Option<Last>,
    /// The last answer to each question.
    answers: HashMap<Ask, Answer>,
    remembered: Option<Remembered>,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The answer; none: silence, since steered names are not answered yet.
    pub answer: Option<Answer>,
    /// Why, in the words that expectations hold.
    pub because: Vec<String>,
    /// How long the probes of those endpoints took that were compared by it.
    pub timings: Vec<String>,
}

/// The last question.
#[derive(Debug)]
struct Last {
    ask: Ask,
    /// The configuration that it was answered from.
    world: Arc<World>,
    /// None: there was no reply.
    heard: Option<Heard>,
    /// The answer to the same question before.
    before: Option<Answer>,
    /// What was chosen for the question before.
    chosen_before: Vec<Chosen>,
    chance: Chance,
}

impl Simulation {
    /// The moment that it is, in milliseconds from the beginning.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The first configuration is in force.
    ///
    /// # Errors
    /// There is one already.
    pub fn begin(&mut self, configuration: Configuration) -> Result<(), Refusal> {
        if self.wiring.is_some() {
            return Err(Refusal::Configured);
        }
        let wiring = Wiring::new(configuration, At(self.now));
        self.adopt(wiring.world());
        self.wiring = Some(wiring);
        Ok(())
    }

    /// Another configuration is in force, or the same one that was read again.
    ///
    /// # Errors
    /// There is none yet.
    pub fn reload(&mut self, configuration: Configuration) -> Result<(), Refusal> {
        let now = At(self.now);
        self.wiring()?.reload(configuration, now);
        let world = self.world()?;
        self.adopt(&world);
        Ok(())
    }

    /// The process dies and starts again at once with this configuration: it knows what it had saved. What reports from
    /// outside goes on.
    ///
    /// # Errors
    /// There is no configuration yet, or what was saved cannot be read.
    pub fn restart(&mut self, configuration: Configuration) -> Result<(), Refusal> {
        let now = At(self.now);
        self.wiring()?.restart(configuration, now, BEGINNING + now.0)?;
        let world = self.world()?;
        self.adopt(&world);
        Ok(())
    }

    /// Whether there is a configuration.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.wiring.is_some()
    }

    fn adopt(&mut self, world: &World) {
        self.probes.adopt(world, self.now);
        self.remembered = None;
    }

    fn wiring(&mut self) -> Result<&mut Wiring, Refusal> {
        self.wiring.as_mut().ok_or(Refusal::NoConfiguration)
    }

    fn world(&self) -> Result<Arc<World>, Refusal> {
        self.wiring.as_ref().map(|wiring| Arc::clone(wiring.world())).ok_or(Refusal::NoConfiguration)
    }

    /// Plays what is due up to a moment, in the order of time. Of what is due together, the end of the wait comes first,
    /// then measured round trips, what moves with time alone, what reports, then probes in the order of targets, then
    /// what brings samples, and balancing last.
    ///
    /// # Errors
    /// The moment is past, there is no configuration yet, or a sample is not taken.
    pub fn go_to(&mut self, until: u64) -> Result<(), Refusal> {
        if until < self.now {
            return Err(Refusal::Past { moment: until, now: self.now });
        }
        loop {
            let now = At(self.now);
            let wiring = self.wiring.as_ref().ok_or(Refusal::NoConfiguration)?;
            let first = wiring.due(now);
            let report = self.loads.values().map(|(_, next)| *next).min();
            let probe = self.probes.next(wiring.world());
            let feed = self.feeds.next();
            let moments =
                [first.map(|(moment, _)| moment), report, probe.map(|(moment, _)| moment), feed, wiring.balances()];
            let Some(moment) = moments.into_iter().flatten().min().filter(|moment| *moment <= until) else { break };
            self.now = self.now.max(moment);
            let at = At(self.now);
            if let Some(first) = first.filter(|(due, _)| *due == moment) {
                self.wiring()?.pass(at, first);
            } else if report == Some(moment) {
                self.report(moment)?;
            } else if let Some((_, target)) = probe.filter(|(due, _)| *due == moment) {
                self.probe(target)?;
            } else if feed == Some(moment) {
                let wiring = self.wiring.as_ref().ok_or(Refusal::NoConfiguration)?;
                self.feeds.play(at, &wiring.samples, &wiring.snapshot(at), rtt::chance(BEGINNING, at))?;
            } else {
                self.wiring()?.balance(at);
            }
        }
        self.now = until;
        Ok(())
    }

    /// What is due reports its load.
    fn report(&mut self, moment: u64) -> Result<(), Refusal> {
        let wiring = self.wiring.as_mut().ok_or(Refusal::NoConfiguration)?;
        for (of, (load, next)) in self.loads.iter_mut().filter(|(_, (_, next))| *next == moment) {
            *next += REPORTS;
            wiring.fold(At(moment), Event::Load { whom: of.clone(), load: *load });
        }
        Ok(())
    }

    /// A target's next step: a probe begins, or ends.
    fn probe(&mut self, target: usize) -> Result<(), Refusal> {
        let (world, now) = (self.world()?, self.now);
        let monitor = &world.monitors[world.targets[target].monitor.at()];
        let Some(key) = world.targets[target].key() else { return Ok(()) };
        if let Some(outcome) = self.probes.step(key, monitor, now) {
            let wiring = self.wiring()?;
            wiring.fold(At(now), Event::Outcome { key: Arc::clone(key), outcome });
            let wait = wiring.record(TargetId(target as u32)).next_in(&monitor.rhythm);
            self.probes.go_on(key, wait, now);
        }
        Ok(())
    }

    /// Something happens now.
    ///
    /// # Errors
    /// There is no configuration yet, or it does not hold what this happens to.
    pub fn happen(&mut self, what: Happening) -> Result<(), Refusal> {
        let (world, at) = (self.world()?, At(self.now));
        match what {
            Happening::Behaves(who, family, monitor, how) => {
                monitor.iter().try_for_each(|name| resolve::monitor(&world, name))?;
                let addresses = resolve::probed(&world, &who, family)?;
                addresses.into_iter().for_each(|address| self.probes.behaves(address, monitor.as_deref(), &how, at.0));
            }
            Happening::Reports(who, load) => {
                for of in resolve::scopes(&world, &who)? {
                    match load {
                        Some(load) => _ = self.loads.insert(of, (load, at.0)),
                        None => _ = self.loads.remove(&of),
                    }
                }
                self.go_to(at.0)?;
            }
            Happening::Samples(samples) => {
                let wiring = self.wiring.as_ref().ok_or(Refusal::NoConfiguration)?;
                let snapshot = wiring.snapshot(at);
                self.feeds.happens(samples, at, &wiring.samples, &snapshot, rtt::chance(BEGINNING, at))?;
            }
            Happening::Says { who, act, until, reason } => {
                if until.is_some_and(|until| until <= at.0) {
                    return Err(Refusal::Ended(at.0));
                }
                for of in resolve::scopes(&world, &who)? {
                    let reason = reason.as_str().into();
                    let said = Override { whom: of, act, reason, author: "scenario".into(), until: until.map(At) };
                    self.wiring()?.fold(at, Event::Override(said));
                }
            }
            Happening::LetsBack(who) => {
                for of in resolve::scopes(&world, &who)? {
                    self.wiring()?.fold(at, Event::Failback(of));
                }
            }
            Happening::Releases(region) => {
                resolve::region(&world, &region)?;
                self.wiring()?.fold(at, Event::Release(region.as_str().into()));
            }
            Happening::Lifts(who) => {
                for of in resolve::scopes(&world, &who)? {
                    self.wiring()?.fold(at, Event::Lift(of));
                }
            }
        }
        Ok(())
    }

    /// A client asks now. `random` is the random number of its query.
    ///
    /// # Errors
    /// There is no configuration yet.
    pub fn ask(&mut self, ask: Ask, random: u64) -> Result<Asked, Refusal> {
        let at = At(self.now);
        let snapshot = self.wiring()?.snapshot(at);
        let chance = Chance { now: UnixMillis(BEGINNING + at.0), random, draw: None };
        let heard = listen(&snapshot, &ask, chance)?;
        let status = self.wiring()?.status(at);
        let before = heard.as_ref().and_then(|heard| self.answers.insert(ask.clone(), heard.answer.clone()));
        let asked = Asked {
            answer: heard.as_ref().map(|heard| heard.answer.clone()),
            because: heard.as_ref().map_or(Vec::new(), |heard| because(&snapshot.world, &heard.steps)),
            timings: heard.as_ref().map_or(Vec::new(), |heard| timings(&status, &heard.steps)),
        };
        if let Some(counted) = heard.as_ref().and_then(|heard| heard.counted) {
            self.wiring()?.answered(counted);
        }
        let last = self.asked.as_ref().and_then(|last| Some((&last.world, last.heard.as_ref()?)));
        let chosen_before = last.map(|(world, heard)| Chosen::all(world, &heard.chosen())).unwrap_or_default();
        let world = Arc::clone(&snapshot.world);
        self.asked = Some(Last { ask, world, heard, before, chosen_before, chance });
        Ok(asked)
    }

    fn last(&self) -> Result<&Last, Refusal> {
        self.asked.as_ref().ok_or(Refusal::NotAsked)
    }

    /// Holds the answer to the last question to what is expected of it. None: it is as expected.
    ///
    /// # Errors
    /// No question was asked yet, or the expectation names what does not exist.
    pub fn expect(&self, expectation: &Expectation) -> Result<Option<Missed>, Refusal> {
        let last = self.last()?;
        let Some(heard) = &last.heard else { return Ok(assert::silence(expectation)) };
        let world = &last.world;
        let before = Before { same: last.before.as_ref(), chosen: &last.chosen_before };
        assert::missed(world, expectation, heard, &before, because(world, &heard.steps))
    }

    /// Asks the last question from many blocks, and says how many of them fare so.
    ///
    /// # Errors
    /// No question was asked yet, there are not so many blocks, or the fare names what does not exist.
    pub fn count(&mut self, blocks: &Blocks, fare: &Fare) -> Result<usize, Refusal> {
        let fared = self.fared(blocks)?;
        let world = self.world()?;
        shares::count(&world, &fared, fare, self.remembered.as_ref())
    }

    /// Asks the last question from many blocks, and remembers how they fared.
    ///
    /// # Errors
    /// No question was asked yet, or there are not so many blocks.
    pub fn remember(&mut self, blocks: &Blocks) -> Result<(), Refusal> {
        self.remembered = Some(self.fared(blocks)?);
        Ok(())
    }

    fn fared(&mut self, blocks: &Blocks) -> Result<Remembered, Refusal> {
        let at = At(self.now);
        let snapshot = self.wiring()?.snapshot(at);
        let Last { ask, chance, .. } = self.last()?;
        let fared = shares::ask(&snapshot, ask, blocks, Chance { now: UnixMillis(BEGINNING + at.0), ..*chance })?;
        let wiring = self.wiring()?;
        fared.values().filter_map(|one| one.counted).for_each(|counted| wiring.answered(counted));
        Ok(fared)
    }
}
