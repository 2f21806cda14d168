//! A node without input and output: what happens goes in with its moment, what follows comes out. The server and the
//! simulator are two drivers of it. Must not know clocks, tasks, sockets or files.
//!
//! A driver calls [`Node::handle`] for whatever happens, and with [`Input::Tick`] at the moment that [`Node::next`] names. It
//! runs the [jobs](super::job) that come out, [offers](Node::offer_product) what they made and says so with [`Input::Done`].
//! Everything that it says can be written down, and played again later to another node: with the same configurations, jobs
//! and moments the same follows, to the row.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    answers::{self, Counts},
    balance::{Balance, Foreseen},
    change::Change,
    input::{Configuration, ConfigurationId, Input, JobId},
    job::{self, Job, Made, Product, Work},
    ledger::{Ledger, RegionChange},
    measuring::Measuring,
    samples::{Refused, Samples},
    status::Status,
};
use crate::engine::{
    health::fold::Record,
    signal::latency::LatencyRules,
    snapshot::Snapshot,
    types::{At, TargetId},
    world::{RttCell, World},
};

/// What follows from something that happened.
#[derive(Debug, Default)]
pub struct Effects {
    /// What became different, in the order of its happening.
    pub changes: Vec<Change>,
    /// Whether queries read something else from now on: another [`Node::snapshot`] is to be published.
    pub publish: bool,
    /// The configuration that is in force by this.
    pub in_force: Option<ConfigurationId>,
    /// A configuration that was named and never offered: the one in force stays.
    pub unknown: Option<ConfigurationId>,
    /// Whether measured round-trip times have moved, and their maps are in force by this.
    pub moved_maps: bool,
    /// Which samples were not taken, by their places in the input, and why.
    pub refused: Vec<(usize, Refused)>,
    /// Where demand goes from now on, where that is something else.
    pub foreseen: Option<Vec<Foreseen>>,
    /// Work that is to be done beside.
    pub jobs: Vec<Job>,
    /// Regions that have turned.
    turns: Vec<RegionChange>,
}

impl Effects {
    /// Adds what followed later.
    pub fn join(&mut self, later: Self) {
        let Self { changes, publish, in_force, unknown, moved_maps, refused, foreseen, jobs, turns } = later;
        self.changes.extend(changes);
        self.publish |= publish;
        self.in_force = in_force.or(self.in_force);
        self.unknown = unknown.or(self.unknown);
        self.moved_maps |= moved_maps;
        self.refused.extend(refused);
        self.foreseen = foreseen.or(self.foreseen.take());
        self.jobs.extend(jobs);
        self.turns.extend(turns);
    }

    /// Whether [`Node::tell_regions`] has something to say, which is slow: what queries read should be published before.
    #[must_use]
    pub fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }
}

/// What maps are being made of.
#[derive(Clone, Debug)]
pub(super) enum Making {
    Configuration(ConfigurationId),
    Files(Arc<Vec<RttCell>>),
    /// Whether there were samples that had not been told.
    Maps {
        sampled: bool,
    },
}

/// Numbers of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// How often load was not reported for longer than it may be.
    pub load_gaps: u64,
    /// How often a target that had recovered was kept down.
    pub suppressed: u64,
    /// How many regions are held up against their probes.
    pub held: u64,
    /// Whether this node sees none of its canaries, and so believes no failure.
    pub isolated: bool,
}

/// One node of a service.
#[derive(Debug)]
pub struct Node {
    /// The configuration in force.
    pub(super) configuration: ConfigurationId,
    pub(super) ledger: Ledger,
    /// When the wait of steered names for the first probe round ends; none once it is over.
    pub(super) wait: Option<At>,
    pub(super) measuring: Arc<Measuring>,
    pub(super) samples: Samples,
    pub(super) balance: Arc<Balance>,
    /// The moment of the newest input.
    pub(super) now: At,
    pub(super) jobs: u64,
    /// The job that compiles something; there is one at a time.
    pub(super) making: Option<(JobId, Making)>,
    /// What waits for it to end: another configuration, what the latency files say.
    pub(super) next_configuration: Option<ConfigurationId>,
    pub(super) next_files: Option<Arc<Vec<RttCell>>>,
    /// The job that balances, and the answers that it goes by.
    pub(super) balancing: Option<(JobId, Counts)>,
    /// What was answered since it began.
    pub(super) answers: Option<Counts>,
    pub(super) offered: BTreeMap<ConfigurationId, Configuration>,
    pub(super) products: BTreeMap<JobId, Product>,
}

/// What time alone does, in the order of things that are due together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    EndOfWait,
    Maps,
    Tick,
}

impl Node {
    /// A node that starts now with this configuration, which is compiled at once.
    #[must_use]
    pub fn new(at: At, configuration: Configuration) -> Self {
        let (rules, wait) = (configuration.latency, at.plus(configuration.startup_wait));
        let mut measuring = Measuring::new(rules);
        let mut node = Self::compiled(at, job::compile(at, configuration, None, &mut measuring));
        node.take_rules(&measuring);
        (node.measuring, node.wait) = (Arc::new(measuring), Some(wait));
        node
    }

    /// A node that starts now with a compiled configuration in which nothing is measured. Steered names wait for the first
    /// probe round, however long that takes.
    #[must_use]
    pub fn compiled(at: At, world: Arc<World>) -> Self {
        Self {
            configuration: ConfigurationId::default(),
            ledger: Ledger::starting(at, world),
            wait: None,
            measuring: Arc::new(Measuring::new(LatencyRules::default())),
            samples: Samples::default(),
            balance: Arc::default(),
            now: at,
            jobs: 0,
            making: None,
            next_configuration: None,
            next_files: None,
            balancing: None,
            answers: None,
            offered: BTreeMap::new(),
            products: BTreeMap::new(),
        }
    }

    /// Holds a region, whatever the governor's share, so that what is found down in it next is held: for explanations.
    pub fn suppose_held(&mut self, region: &str) {
        self.ledger.suppose_held(self.now, region);
    }

    /// Offers a configuration, which [`Input::Configuration`] then names.
    pub fn offer_configuration(&mut self, id: ConfigurationId, configuration: Configuration) {
        self.offered.insert(id, configuration);
    }

    /// Offers what a job made, of which [`Input::Done`] then says that it is there.
    pub fn offer_product(&mut self, product: Product) {
        self.products.insert(product.id, product);
    }

    /// Takes in what happens, and says what follows. A moment before an earlier one counts as that one.
    pub fn handle(&mut self, at: At, input: Input) -> Effects {
        let mut effects = Effects::default();
        let at = at.max(self.now);
        let maps_due = self.pass(at, &mut effects);
        match input {
            Input::Configuration(id) => {
                // One that waits is not wanted any more.
                let waits = self.next_configuration.replace(id).filter(|waits| *waits != id);
                waits.and_then(|waits| self.offered.remove(&waits));
            }
            Input::LatencyFiles(cells) => self.next_files = Some(Arc::new(cells)),
            Input::Samples(samples) => {
                let world = self.ledger.world();
                for (n, sample) in samples.iter().enumerate() {
                    let taken = self.samples.take(at, &world.atlas, sample);
                    effects.refused.extend(taken.err().map(|why| (n, why)));
                }
            }
            Input::Answers(answers) => {
                let counts = answers::numbered(&self.ledger.world(), &answers);
                self.answers.get_or_insert_default().extend(counts);
            }
            Input::Done(id) => self.done(at, id, &mut effects),
            Input::Failed(id) => self.give_up(id),
            input => effects.changes.extend(self.ledger.fold(at, input)),
        }
        self.begin_jobs(at, maps_due, &mut effects);
        effects.publish = self.ledger.take_stirred() || !effects.changes.is_empty();
        effects.turns = self.ledger.turn_regions(at);
        effects
    }

    /// Adds to what an input changed which regions are lost or back by it. Slow where a region is lost.
    pub fn tell_regions(&self, effects: &mut Effects) {
        let turns = std::mem::take(&mut effects.turns);
        self.ledger.tell_regions(self.now, turns, &mut effects.changes);
    }

    /// When time alone changes something next; none: nothing moves.
    #[must_use]
    pub fn next(&self) -> Option<At> {
        self.due(true).map(|(moment, _)| moment.max(self.now))
    }

    /// What queries read.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.ledger.snapshot(self.now)
    }

    /// What people read.
    #[must_use]
    pub fn status(&self) -> Status {
        let jobs = usize::from(self.making.is_some()) + usize::from(self.balancing.is_some());
        Status { jobs, ..self.ledger.status(self.now) }
    }

    /// The number of the configuration in force; 0: the one that it started with.
    #[must_use]
    pub fn configuration(&self) -> ConfigurationId {
        self.configuration
    }

    /// The configuration in force, compiled.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        self.ledger.world()
    }

    /// What is known of a target.
    #[must_use]
    pub fn record(&self, target: TargetId) -> &Record {
        self.ledger.record(target)
    }

    /// Its numbers.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        Numbers {
            load_gaps: self.ledger.load_gaps(),
            suppressed: self.ledger.suppressed(),
            held: self.ledger.held_regions(),
            isolated: self.ledger.is_isolated(),
        }
    }

    /// What time alone does next, and when. `maps`: whether maps are looked at too.
    fn due(&self, maps: bool) -> Option<(At, Due)> {
        let may_make = maps && self.making.is_none();
        let maps = may_make.then(|| self.measuring.due(self.samples.is_fresh())).flatten();
        let all = [(self.wait, Due::EndOfWait), (maps, Due::Maps), (self.ledger.due(), Due::Tick)];
        all.into_iter().filter_map(|(moment, due)| Some((moment?, due))).min()
    }

    /// Lets time pass: each thing happens at its own moment, whenever the driver looks. Says since when maps are due.
    fn pass(&mut self, at: At, effects: &mut Effects) -> Option<At> {
        let mut maps_due = None;
        while let Some((moment, due)) = self.due(maps_due.is_none()).filter(|(moment, _)| *moment <= at) {
            self.now = self.now.max(moment);
            match due {
                Due::EndOfWait => {
                    self.wait = None;
                    effects.changes.extend(self.ledger.end_wait(self.now));
                }
                Due::Maps => maps_due = Some(self.now),
                Due::Tick => effects.changes.extend(self.ledger.fold(self.now, Input::Tick)),
            }
        }
        self.now = at;
        maps_due
    }

    /// Gives away what is to be done and can be. Maps that are due give way to what makes them anyhow, or due again.
    fn begin_jobs(&mut self, at: At, maps_due: Option<At>, effects: &mut Effects) {
        let world = self.ledger.world();
        let measuring = Arc::clone(&self.measuring);
        let to_make = if self.making.is_some() {
            None
        } else if let Some(id) = self.next_configuration.take() {
            let configuration = self.offered.remove(&id);
            effects.unknown = configuration.is_none().then_some(id);
            // What it says of round trips replaces what was read of the files before.
            self.next_files = self.next_files.take().filter(|_| configuration.is_none());
            configuration.map(|configuration| {
                let configuration = Box::new(configuration);
                (Making::Configuration(id), at, Work::Configuration { id, configuration, before: world, measuring })
            })
        } else if let Some(cells) = self.next_files.take() {
            Some((Making::Files(Arc::clone(&cells)), at, Work::Files { cells, measuring }))
        } else if let Some(due) = maps_due {
            let samples = self.samples.is_fresh().then(|| self.samples.freeze());
            Some((Making::Maps { sampled: samples.is_some() }, due, Work::Maps { world, measuring, samples }))
        } else {
            None
        };
        if let Some((making, at, work)) = to_make {
            let id = self.number();
            self.making = Some((id, making));
            effects.jobs.push(Job { id, at, work });
        }
        if self.balancing.is_none()
            && let Some(counts) = self.answers.take()
        {
            let (snapshot, balance) = (Arc::new(self.ledger.snapshot(at)), Arc::clone(&self.balance));
            let id = self.number();
            self.balancing = Some((id, counts.clone()));
            effects.jobs.push(Job { id, at, work: Work::Balance { snapshot, balance, counts } });
        }
    }

    fn number(&mut self) -> JobId {
        self.jobs += 1;
        JobId(self.jobs)
    }

    /// Takes over what a job made. One that was given up, or of which nothing was offered, says nothing.
    fn done(&mut self, at: At, id: JobId, effects: &mut Effects) {
        let Some(product) = self.products.remove(&id) else { return self.give_up(id) };
        match product.made {
            Made::Measured { measuring, telling, world } => {
                let Some((_, making)) = self.making.take_if(|(known, _)| *known == id) else { return };
                self.measuring = Arc::new(measuring);
                telling.into_iter().for_each(|telling| self.samples.settle(telling));
                let Some(world) = world else { return };
                // What was answered before was counted by other numbers.
                self.answers = None;
                if !answers::are_wanted(&world) {
                    (self.balancing, self.balance) = (None, Arc::default());
                }
                effects.changes.extend(self.ledger.configure(at, world));
                match making {
                    Making::Configuration(id) => {
                        let measuring = Arc::clone(&self.measuring);
                        self.take_rules(&measuring);
                        (self.configuration, effects.in_force) = (id, Some(id));
                    }
                    Making::Files(_) | Making::Maps { .. } => effects.moved_maps = true,
                }
            }
            Made::Balanced { balance, of, assigned } => {
                if self.balancing.take_if(|(known, _)| *known == id).is_none() {
                    return;
                }
                self.balance = Arc::new(balance);
                if let Some((assigned, foreseen)) = assigned {
                    effects.foreseen = Some(foreseen);
                    effects.changes.extend(self.ledger.assign(at, &of, assigned));
                }
            }
        }
    }

    /// Goes on without what a job would have made.
    fn give_up(&mut self, id: JobId) {
        self.products.remove(&id);
        self.making.take_if(|(known, _)| *known == id);
        self.balancing.take_if(|(known, _)| *known == id);
    }

    /// Takes over what the configuration in force says of samples.
    fn take_rules(&mut self, measuring: &Measuring) {
        let (rules, world) = (measuring.rules(), self.ledger.world());
        let regions = world.regions.iter().map(|region| region.name.clone());
        self.samples.set(&rules.terms, rules.max_prefixes, regions);
    }
}
