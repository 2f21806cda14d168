//! A scenario being played: its own clock, its own prober, the real Ledger, the real engine.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Fault, Finding, Said,
    ask::{Answer, Told, listen},
    count::{self, Remembered},
    fault, inline,
    judge::{self, Before},
    line::{Count, Expected, Happening, Line, Outcome, Question, Written},
    measured::{self, Feeds},
    probes::Probes,
    reasons::{reasons, timings},
    told, whom,
};
use crate::{
    app::Measuring,
    engine::{
        types::{At, Chance, EndpointId, TargetId, UnixMillis},
        wire::reply::Counted,
        world::{
            World,
            policy::{Key, Route},
        },
    },
    state::{
        balance::Balance,
        ledger::{Event, Ledger},
        overrides::{Override, Whom},
        saved,
    },
};

/// The wall clock when a scenario begins: it numbers slots.
const BEGINNING: u64 = 1_700_000_000_000;
/// How often what reports load does so, in milliseconds.
const REPORTS: u64 = 2000;
/// How often it is looked whether demand has to go elsewhere, in milliseconds.
const BEAT: u64 = 1000;

/// What is true on the stage.
#[derive(Debug)]
pub(super) struct Stage {
    scenario: PathBuf,
    files: Vec<(String, String)>,
    /// The configuration in force, as it is written.
    written: Option<Written>,
    /// There is none, for its faults: nothing more is played.
    pub(super) is_over: bool,
    now: u64,
    ledger: Option<Ledger>,
    world: Arc<World>,
    /// How long steered names wait for the first probe round; it is over once it is none.
    wait: Option<u64>,
    /// When what moves with time alone was worked out last.
    ticked: Option<u64>,
    /// What is measured of round trips.
    measuring: Option<Measuring>,
    feeds: Feeds,
    probes: Probes,
    /// Where demand goes, when that is looked at next, and what has been answered since.
    balance: (Balance, u64),
    answers: Vec<Counted>,
    /// Who reports how much load, and when next.
    loads: BTreeMap<Whom, (f64, u64)>,
    asked: Option<Asked>,
    /// The last answer to each question.
    said: HashMap<Question, Answer>,
    remembered: Option<Remembered>,
    pub(super) expectations: usize,
    pub(super) questions: Vec<Said>,
    pub(super) findings: Vec<Finding>,
}

/// The last question.
#[derive(Debug)]
struct Asked {
    question: Question,
    /// None: there was no reply.
    told: Option<Told>,
    /// The answer to the same question before.
    before: Option<Answer>,
    /// What was chosen for the question before.
    chosen_before: Vec<EndpointId>,
    chance: Chance,
}

impl Stage {
    pub(super) fn new(scenario: &Path) -> Self {
        Self {
            scenario: scenario.to_owned(),
            files: Vec::new(),
            written: None,
            is_over: false,
            now: 0,
            ledger: None,
            world: Arc::default(),
            wait: None,
            ticked: None,
            measuring: None,
            feeds: Feeds::default(),
            probes: Probes::default(),
            balance: (Balance::default(), BEAT),
            answers: Vec::new(),
            loads: BTreeMap::new(),
            asked: None,
            said: HashMap::new(),
            remembered: None,
            expectations: 0,
            questions: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Plays one line.
    pub(super) fn take(&mut self, number: usize, line: Line) {
        self.expectations += usize::from(matches!(line, Line::Expect(_) | Line::Count(_)));
        let done = match line {
            Line::File(name, text) => {
                self.files.retain(|(known, _)| *known != name);
                self.files.push((name, text));
                Ok(None)
            }
            Line::Config(written) => self.begin(&written).map(|()| None),
            Line::Reload(written) => self.reload(written).map(|()| None),
            Line::At(moment) if moment < self.now => {
                let cause = format!("{moment} ms is before now, {} ms", self.now);
                Err(fault(cause, "time only goes on: `at` counts from the beginning, `pass` from now"))
            }
            Line::At(moment) => self.go_on(moment).map(|()| None),
            Line::Pass(long) => self.go_on(self.now.saturating_add(long)).map(|()| None),
            Line::Happens(what) => self.happens(what).map(|()| None),
            Line::Ask(question) => self.ask(number, question).map(|()| None),
            Line::Expect(expected) => self.expect(number, &expected),
            Line::Count(count) => self.count(number, &count),
            Line::Remember(blocks) => self.fared(&blocks).map(|fared| {
                self.remembered = Some(fared);
                None
            }),
        };
        match done {
            Ok(finding) => self.findings.extend(finding),
            Err(fault) => self.findings.push(told(number, fault)),
        }
    }

    fn ledger(&mut self) -> Result<&mut Ledger, Fault> {
        let missing = || fault("there is no configuration yet", "begin with `config \"FILE\"` or a `config {` block");
        self.ledger.as_mut().ok_or_else(missing)
    }

    fn begin(&mut self, written: &Written) -> Result<(), Fault> {
        if self.ledger.is_some() {
            return Err(fault("there is a configuration already", "write `reload` to change it"));
        }
        self.is_over = true;
        self.wait = Some(self.put_in_force(written)?);
        self.is_over = false;
        self.ledger = Some(Ledger::new(Arc::clone(&self.world)));
        Ok(())
    }

    fn reload(&mut self, written: Option<Written>) -> Result<(), Fault> {
        self.ledger()?;
        if let Some(written) = written.or_else(|| self.written.clone()) {
            self.put_in_force(&written)?;
        }
        let (at, world) = (At(self.now), Arc::clone(&self.world));
        self.ledger()?.fold(at, Event::World(world));
        Ok(())
    }

    /// The process dies at once and comes back at once: it knows what it had saved.
    fn restart(&mut self) -> Result<(), Fault> {
        let (at, wall) = (At(self.now), BEGINNING + self.now);
        let text = saved::encode(&self.ledger()?.status(at), at, wall);
        let saved = saved::decode(&text).map_err(|why| fault(why.to_string(), "please report it"))?;
        // Who reports goes on reporting, outside.
        self.measuring = None;
        self.feeds.forget();
        (self.balance, self.answers, self.ticked) = ((Balance::default(), self.now + BEAT), Vec::new(), None);
        if let Some(written) = self.written.clone() {
            self.wait = Some(self.now + self.put_in_force(&written)?);
        }
        let mut ledger = Ledger::new(Arc::clone(&self.world));
        let age = saved.age(wall, self.world.health.restore_age);
        ledger.fold(at, Event::Restored { saved: Arc::new(saved), age });
        self.ledger = Some(ledger);
        Ok(())
    }

    /// Makes the world, and says how long steered names wait for the first probe round.
    fn put_in_force(&mut self, written: &Written) -> Result<u64, Fault> {
        let mut ready = inline::load(&self.scenario, written, &self.files)?;
        self.written = Some(written.clone());
        let measuring = self.measuring.get_or_insert_with(|| Measuring::new(ready.latency));
        let regions = ready.draft.regions.iter().map(|region| region.name.clone());
        self.feeds.samples.set(&ready.latency.terms, ready.latency.max_prefixes, regions);
        measuring.import(At(self.now), ready.latency, ready.cells);
        ready.draft.measures = measuring.make(At(self.now), &ready.draft.regions);
        self.world = Arc::new(World::seal_after(ready.draft, Some(&self.world)));
        self.probes.adopt(&self.world, self.now);
        self.remembered = None;
        Ok(ready.startup_wait)
    }

    /// Plays what is due up to a moment, in the order of time. Of what is due together, the end of the wait comes first,
    /// then measured round trips, what moves with time alone, what reports, then probes in the order of targets.
    fn go_on(&mut self, until: u64) -> Result<(), Fault> {
        self.ledger()?;
        loop {
            let probe = self.probes.next(&self.world);
            let report = self.loads.values().map(|(_, next)| *next).min();
            let now = At(self.now);
            let tick = self.ledger()?.next_tick(now).map(|At(due)| due);
            // A tick works out all that has changed by its moment: there is none twice.
            let tick = tick.filter(|due| self.ticked != Some(*due));
            let samples = &self.feeds.samples;
            let measured = self.measuring.as_ref().and_then(|measuring| measuring.due(samples)).map(|At(due)| due);
            let feed = self.feeds.next();
            // Where nothing is assigned there is nothing to look at, and a month passes at once.
            let beat = self.world.routes.iter().any(|route| self.is_assigned(route)).then_some(self.balance.1);
            let moments = [self.wait, measured, tick, report, probe.map(|(moment, _)| moment), beat, feed];
            let Some(moment) = moments.into_iter().flatten().min().filter(|moment| *moment <= until) else { break };
            self.now = self.now.max(moment);
            let at = At(self.now);
            if self.wait == Some(moment) {
                self.wait = None;
                self.ledger()?.fold(at, Event::Deadline);
            } else if measured == Some(moment) {
                self.measure(at)?;
            } else if tick == Some(moment) {
                self.ticked = tick;
                self.ledger()?.fold(at, Event::Tick);
            } else if report == Some(moment) {
                self.report(moment)?;
            } else if let Some((_, target)) = probe.filter(|(due, _)| *due == moment) {
                self.probe(target)?;
            } else if feed == Some(moment) {
                let snapshot = self.ledger()?.snapshot(at);
                self.feeds.play(at, &snapshot, measured::chance(BEGINNING, at))?;
            } else {
                self.balance(at)?;
            }
        }
        self.now = until;
        Ok(())
    }

    /// Whether a route is of those whose demand is assigned to regions.
    fn is_assigned(&self, route: &Route) -> bool {
        let policy = self.world.policies.get(route.policy.at());
        policy.is_some_and(|policy| policy.shed.is_some() || policy.prefer.iter().any(|(key, _)| *key == Key::Load))
    }

    /// Demand goes where there is room for it, by what has been asked since the last time.
    fn balance(&mut self, at: At) -> Result<(), Fault> {
        self.balance.1 = at.0 + BEAT;
        let snapshot = self.ledger()?.snapshot(at);
        let answers = std::mem::take(&mut self.answers);
        let answers: Vec<_> = answers.iter().map(|of| (of.route, of.catchment, u64::from(of.ttl))).collect();
        if let Some(assigned) = self.balance.0.tick(at, &snapshot, &answers) {
            let (of, assignments) = (Arc::clone(&snapshot.world), assigned.clone());
            self.ledger()?.fold(at, Event::Assign { of, assignments });
        }
        Ok(())
    }

    /// Maps are made anew of what is measured now, where anything has moved.
    fn measure(&mut self, at: At) -> Result<(), Fault> {
        let Some(measuring) = &mut self.measuring else { return Ok(()) };
        if self.feeds.samples.is_fresh() {
            measuring.hear(at, self.feeds.samples.tell(at, &self.world.atlas));
        }
        let measures = measuring.make(at, &self.world.regions);
        if !measures.says_what(&self.world.measures) {
            self.world = Arc::new(self.world.measured(measures));
            let world = Arc::clone(&self.world);
            self.ledger()?.fold(at, Event::World(world));
        }
        Ok(())
    }

    /// Who is due reports.
    fn report(&mut self, moment: u64) -> Result<(), Fault> {
        for (whom, (load, next)) in &mut self.loads {
            if *next == moment
                && let Some(ledger) = &mut self.ledger
            {
                *next += REPORTS;
                ledger.fold(At(moment), Event::Load { whom: whom.clone(), load: *load });
            }
        }
        Ok(())
    }

    /// A target's next step: a probe begins, or ends.
    fn probe(&mut self, target: usize) -> Result<(), Fault> {
        let world = Arc::clone(&self.world);
        let monitor = &world.monitors[world.targets[target].monitor.at()];
        let Some(key) = world.targets[target].key() else { return Ok(()) };
        let now = self.now;
        if let Some(outcome) = self.probes.step(key, monitor, now) {
            let ledger = self.ledger()?;
            ledger.fold(At(now), Event::Outcome { key: Arc::clone(key), outcome });
            let wait = ledger.record(TargetId(target as u32)).next_in(&monitor.rhythm);
            self.probes.go_on(key, wait, now);
        }
        Ok(())
    }

    fn happens(&mut self, what: Happening) -> Result<(), Fault> {
        self.ledger()?;
        let at = At(self.now);
        match what {
            Happening::Behaves(who, family, monitor, how) => {
                monitor.iter().try_for_each(|name| whom::monitor(&self.world, name))?;
                let addresses = whom::probed(&self.world, &who, family)?;
                addresses.into_iter().for_each(|address| self.probes.behaves(address, monitor.as_deref(), &how, at.0));
            }
            Happening::Reports(who, load) => {
                for whom in whom::whom(&self.world, &who)? {
                    match load {
                        Some(load) => _ = self.loads.insert(whom, (load, at.0)),
                        None => _ = self.loads.remove(&whom),
                    }
                }
                self.go_on(at.0)?;
            }
            Happening::Samples(line) => {
                let snapshot = self.ledger()?.snapshot(at);
                self.feeds.happens(line, at, &snapshot, measured::chance(BEGINNING, at))?;
            }
            Happening::Says { who, act, until, reason } => {
                if until.is_some_and(|until| until <= at.0) {
                    let cause = format!("it would have ended before now, {} ms", at.0);
                    return Err(fault(cause, "`until` is a moment, counted from the beginning like `at`"));
                }
                for whom in whom::whom(&self.world, &who)? {
                    let reason = reason.as_str().into();
                    let said = Override { whom, act, reason, author: "scenario".into(), until: until.map(At) };
                    self.ledger()?.fold(at, Event::Override(said));
                }
            }
            Happening::LetsBack(who) => {
                for whom in whom::whom(&self.world, &who)? {
                    self.ledger()?.fold(at, Event::Failback(whom));
                }
            }
            Happening::Releases(region) => {
                whom::region(&self.world, &region)?;
                self.ledger()?.fold(at, Event::Release(region.as_str().into()));
            }
            Happening::Restarts => self.restart()?,
            Happening::Lifts(who) => {
                for whom in whom::whom(&self.world, &who)? {
                    self.ledger()?.fold(at, Event::Lift(whom));
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, number: usize, question: Question) -> Result<(), Fault> {
        let at = At(self.now);
        let snapshot = self.ledger()?.snapshot(at);
        let chance = Chance { now: UnixMillis(BEGINNING + at.0), random: number as u64, draw: None };
        let told = listen(&snapshot, &question, chance).map_err(|why| fault(why, "please report it"))?;
        let before = told.as_ref().and_then(|told| self.said.insert(question.clone(), told.answer.clone()));
        let status = self.ledger()?.status(at);
        self.questions.push(Said {
            line: number,
            at: at.0,
            question: question.to_string(),
            answer: told.as_ref().map_or("silence".into(), |told| told.answer.to_string()),
            because: told.as_ref().map_or(Vec::new(), |told| reasons(&self.world, &told.steps)),
            timings: told.as_ref().map_or(Vec::new(), |told| timings(&status, &told.steps)),
        });
        self.answers.extend(told.as_ref().and_then(|told| told.counted));
        let last = self.asked.as_ref().and_then(|asked| asked.told.as_ref());
        let chosen_before = last.map(Told::chosen).unwrap_or_default();
        self.asked = Some(Asked { question, told, before, chosen_before, chance });
        Ok(())
    }

    fn asked(&self) -> Result<&Asked, Fault> {
        self.asked.as_ref().ok_or_else(|| fault("nothing was asked yet", "write `ask NAME TYPE` before it"))
    }

    fn expect(&mut self, number: usize, expected: &Expected) -> Result<Option<Finding>, Fault> {
        let asked = self.asked()?;
        let failed = |expected: String, got: String, because| Finding::Failed { line: number, expected, got, because };
        let Some(told) = &asked.told else {
            let silent = expected.outcome == Outcome::Silence;
            let finding = || failed(expected.outcome.to_string(), "silence: not ready".into(), Vec::new());
            return Ok((!silent).then(finding));
        };
        let before = Before { same: asked.before.as_ref(), chosen: &asked.chosen_before };
        let because = reasons(&self.world, &told.steps);
        let missing = judge::missing(&self.world, expected, told, &before, &because)?;
        Ok(missing.map(|missing| failed(missing, told.answer.to_string(), because)))
    }

    fn count(&mut self, number: usize, expected: &Count) -> Result<Option<Finding>, Fault> {
        let fared = self.fared(&expected.blocks)?;
        let count = count::count(&self.world, &fared, &expected.fare, self.remembered.as_ref())?;
        if expected.times.contains(&count) {
            return Ok(None);
        }
        let (low, high) = (expected.times.start(), expected.times.end());
        let times = if low == high { low.to_string() } else { format!("{low}-{high}") };
        let words = format!("{times} of {} {}", expected.blocks, expected.fare);
        Ok(Some(Finding::Failed { line: number, expected: words, got: count.to_string(), because: Vec::new() }))
    }

    fn fared(&mut self, blocks: &super::line::Blocks) -> Result<Remembered, Fault> {
        let at = At(self.now);
        let snapshot = self.ledger()?.snapshot(at);
        let Asked { question, chance, .. } = self.asked()?;
        let now = UnixMillis(BEGINNING + at.0);
        let fared = count::ask(&snapshot, question, blocks, Chance { now, ..*chance })?;
        self.answers.extend(fared.values().filter_map(|one| one.counted));
        Ok(fared)
    }
}
