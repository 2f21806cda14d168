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
    driver::Driver,
    probes::Probes,
    resolve,
    rtt::{self, Feeds},
    shares::{self, Remembered},
};
use crate::{
    engine::{
        types::{At, Chance, Millis, TargetId, UnixMillis},
        world::World,
    },
    node::{
        input::Input,
        overrides::{self, Override},
    },
};

/// The moment at the beginning.
const BEGINNING: u64 = 1_700_000_000_000;
/// How often what reports load does so.
const REPORTS: Millis = Millis::seconds(2);

/// A simulation. It begins at 0 milliseconds, without a configuration.
#[derive(Debug, Default)]
pub struct Simulation {
    /// In milliseconds from the beginning, as all moments of a scenario: they are moments, and no lengths of time.
    now: u64,
    driver: Option<Driver>,
    probes: Probes,
    feeds: Feeds,
    /// What reports how much load, and when next.
    loads: BTreeMap<overrides::Scope, (f64, u64)>,
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

    /// The same as the node's clock shows it.
    fn at(&self) -> At {
        At(BEGINNING + self.now)
    }

    /// The first configuration is in force.
    ///
    /// # Errors
    /// There is one already.
    pub fn begin(&mut self, configuration: Configuration) -> Result<(), Refusal> {
        if self.driver.is_some() {
            return Err(Refusal::Configured);
        }
        let driver = Driver::new(self.at(), configuration);
        self.adopt(&driver.world());
        self.driver = Some(driver);
        Ok(())
    }

    /// Another configuration is in force, or the same one that was read again.
    ///
    /// # Errors
    /// There is none yet.
    pub fn reload(&mut self, configuration: Configuration) -> Result<(), Refusal> {
        let at = self.at();
        self.driver()?.reload(at, configuration);
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
        let at = self.at();
        self.driver()?.restart(at, configuration)?;
        let world = self.world()?;
        self.adopt(&world);
        Ok(())
    }

    /// Whether there is a configuration.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.driver.is_some()
    }

    fn adopt(&mut self, world: &World) {
        self.probes.adopt(world, self.now);
        self.remembered = None;
    }

    fn driver(&mut self) -> Result<&mut Driver, Refusal> {
        self.driver.as_mut().ok_or(Refusal::NoConfiguration)
    }

    fn world(&self) -> Result<Arc<World>, Refusal> {
        self.driver.as_ref().map(Driver::world).ok_or(Refusal::NoConfiguration)
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
            let driver = self.driver.as_ref().ok_or(Refusal::NoConfiguration)?;
            let since = |At(moment)| moment - BEGINNING;
            let (node, count) = (driver.next().map(since), driver.counts_at().map(since));
            let report = self.loads.values().map(|(_, next)| *next).min();
            let probe = self.probes.next(&driver.world());
            let feed = self.feeds.next();
            let moments = [node, report, probe.map(|(moment, _)| moment), feed, count];
            let Some(moment) = moments.into_iter().flatten().min().filter(|moment| *moment <= until) else { break };
            self.now = self.now.max(moment);
            let at = self.at();
            if node == Some(moment) {
                self.driver()?.handle(at, Input::Tick);
            } else if report == Some(moment) {
                self.report(moment)?;
            } else if let Some((_, target)) = probe.filter(|(due, _)| *due == moment) {
                self.probe(target)?;
            } else if feed == Some(moment) {
                let now = self.now;
                let driver = self.driver.as_mut().ok_or(Refusal::NoConfiguration)?;
                self.feeds.play(now, driver, rtt::chance(at, now))?;
            } else {
                self.driver()?.count(at);
            }
        }
        self.now = until;
        Ok(())
    }

    /// What is due reports its load.
    fn report(&mut self, moment: u64) -> Result<(), Refusal> {
        let driver = self.driver.as_mut().ok_or(Refusal::NoConfiguration)?;
        for (of, (load, next)) in self.loads.iter_mut().filter(|(_, (_, next))| *next == moment) {
            *next += REPORTS.0;
            driver.handle(At(BEGINNING + moment), Input::Load { scope: of.clone(), load: *load });
        }
        Ok(())
    }

    /// A target's next step: a probe begins, or ends.
    fn probe(&mut self, target: usize) -> Result<(), Refusal> {
        let (world, now, at) = (self.world()?, self.now, self.at());
        let monitor = &world.monitors[world.targets[target].monitor.at()];
        let Some(key) = world.targets[target].key() else { return Ok(()) };
        if let Some(outcome) = self.probes.step(key, monitor, now) {
            let driver = self.driver()?;
            driver.handle(at, Input::outcome(key, outcome));
            let wait = driver.record(TargetId(target as u32)).next_in(&monitor.rhythm);
            self.probes.go_on(key, wait, now);
        }
        Ok(())
    }

    /// Something happens now.
    ///
    /// # Errors
    /// There is no configuration yet, or it does not hold what this happens to.
    pub fn happen(&mut self, what: Happening) -> Result<(), Refusal> {
        let (world, at, now) = (self.world()?, self.at(), self.now);
        match what {
            Happening::Behaves(who, family, monitor, how) => {
                monitor.iter().try_for_each(|name| resolve::monitor(&world, name))?;
                let addresses = resolve::probed(&world, &who, family)?;
                addresses.into_iter().for_each(|address| self.probes.behaves(address, monitor.as_deref(), &how, now));
            }
            Happening::Reports(who, load) => {
                for of in resolve::scopes(&world, &who)? {
                    match load {
                        Some(load) => _ = self.loads.insert(of, (load, now)),
                        None => _ = self.loads.remove(&of),
                    }
                }
                self.go_to(now)?;
            }
            Happening::Samples(samples) => {
                let driver = self.driver.as_mut().ok_or(Refusal::NoConfiguration)?;
                self.feeds.happens(samples, now, driver, rtt::chance(at, now))?;
            }
            Happening::Says { who, act, until, reason } => {
                if until.is_some_and(|until| until <= now) {
                    return Err(Refusal::Ended(now));
                }
                for of in resolve::scopes(&world, &who)? {
                    let reason = reason.as_str().into();
                    let said = Override {
                        scope: of,
                        act,
                        reason,
                        author: "scenario".into(),
                        until: until.map(|until| At(BEGINNING + until)),
                    };
                    self.driver()?.handle(at, Input::Override(said));
                }
            }
            Happening::LetsBack(who) => {
                for of in resolve::scopes(&world, &who)? {
                    self.driver()?.handle(at, Input::Failback(of));
                }
            }
            Happening::Releases(region) => {
                resolve::region(&world, &region)?;
                self.driver()?.handle(at, Input::Release(region.as_str().into()));
            }
            Happening::Lifts(who) => {
                for of in resolve::scopes(&world, &who)? {
                    self.driver()?.handle(at, Input::Lift(of));
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
        let at = self.at();
        let snapshot = self.driver()?.snapshot();
        let chance = Chance { now: UnixMillis(at.0), random, draw: None };
        let heard = listen(&snapshot, &ask, chance)?;
        let status = self.driver()?.status();
        let before = heard.as_ref().and_then(|heard| self.answers.insert(ask.clone(), heard.answer.clone()));
        let asked = Asked {
            answer: heard.as_ref().map(|heard| heard.answer.clone()),
            because: heard.as_ref().map_or(Vec::new(), |heard| because(&snapshot.world, &heard.steps)),
            timings: heard.as_ref().map_or(Vec::new(), |heard| timings(&status, &heard.steps)),
        };
        if let Some(counted) = heard.as_ref().and_then(|heard| heard.counted) {
            self.driver()?.answered(counted);
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
        let at = self.at();
        let snapshot = self.driver()?.snapshot();
        let Last { ask, chance, .. } = self.last()?;
        let fared = shares::ask(&snapshot, ask, blocks, Chance { now: UnixMillis(at.0), ..*chance })?;
        let driver = self.driver()?;
        fared.values().filter_map(|one| one.counted).for_each(|counted| driver.answered(counted));
        Ok(fared)
    }
}
