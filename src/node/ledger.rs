//! The whole truth and the one way to change it: a pure fold of events. Time comes with each event. Must not know
//! tasks, channels or clocks.
//!
//! `health` takes outcomes of probes in, `parts` makes more of them, `belief` says what they count for. `rows` makes what
//! queries read from what is known: `overrides`, `slow_start` (which counts in steps of `ramp`), `load` and the records of
//! health. `reload` carries it over to
//! another configuration.

mod belief;
mod health;
mod load;
mod overrides;
mod parts;
mod ramp;
mod regions;
mod reload;
mod restore;
mod rows;
mod slow_start;

use std::sync::Arc;

pub use self::regions::RegionChange;
use self::{
    belief::Beliefs,
    load::{Ratio, Reports},
    overrides::{Named, Words},
    regions::Regions,
    rows::{Live, Shaping},
    slow_start::Returns,
};
use super::{
    change::{Change, Difference},
    input::Input,
    overrides::{Override, Whom},
};
use crate::{
    engine::{
        health::fold::Record,
        live::{EndpointRow, PoolRow},
        signal::{
            shed::{Marks, Shed},
            timing::Timing,
        },
        snapshot::Snapshot,
        types::{At, EndpointId, PoolId, TargetId},
        units::Permille,
        world::{World, endpoint::Endpoint, pool::Pool, service::Service, table::Assignment},
    },
    node::status::Status,
};

/// What is true now.
#[derive(Debug, Default)]
pub struct Ledger {
    world: Arc<World>,
    /// For each target, what is known of it, and how long it takes.
    records: Vec<Record>,
    timings: Vec<Arc<Timing>>,
    /// What the records count for.
    beliefs: Beliefs,
    /// Which regions have an endpoint that is up.
    regions: Regions,
    /// For each endpoint, what is kept beside its health.
    live: Vec<Live>,
    /// For each pool, how it is shaped.
    shaping: Vec<Shaping>,
    /// For each pool, its regions that came back with none of their endpoints serving.
    returns: Vec<Returns>,
    /// What operators have said, and what is reported of load.
    words: Words,
    reports: Reports,
    /// For each service, since when its blocks are cut finer.
    fine: Vec<Option<At>>,
    /// For each endpoint, the weight with which it takes part in what is reported; their sums by region.
    taking_part: Vec<u32>,
    region_weights: Vec<u64>,
    /// For each pool and each endpoint, the row that queries read.
    pools: Vec<PoolRow>,
    endpoints: Vec<EndpointRow>,
    /// For each target, its pools in id order, each with the positions of its endpoints there.
    users: Vec<Vec<(PoolId, u64)>>,
    /// For each route whose demand is assigned to regions, how.
    assignments: Vec<Option<Arc<Assignment>>>,
    /// For each pool, when its rows change with time alone.
    ticks: Vec<Option<At>>,
    /// When anything changes with time alone, and up to when it has.
    due: Option<At>,
    passed: At,
    /// Milliseconds beyond which no TTL reaches.
    horizon: u64,
    /// For each target, those that are made of it.
    above: Vec<Vec<TargetId>>,
    /// Probed targets of which no probe has ended, and how often one that had recovered was kept down.
    unheard: usize,
    suppressed: u64,
    ready: bool,
    /// Something that queries read has changed since [`Ledger::take_stirred`].
    stirred: bool,
}

impl Ledger {
    /// The truth at the start: nothing is known of any target.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self::starting(At(0), world)
    }

    /// The same at a moment.
    #[must_use]
    pub fn starting(at: At, world: Arc<World>) -> Self {
        let mut ledger = Self { passed: at, ..Self::default() };
        ledger.take_over(at, world);
        ledger.ready = ledger.unheard == 0;
        ledger
    }

    /// Takes in what happens to health, load and overrides, and says what became different. Of what is not a target (any
    /// more) nothing follows, nor, here, of what the [machine](super::machine) does: of that time passes alone.
    pub fn fold(&mut self, at: At, input: Input) -> Vec<Change> {
        let mut changes = self.pass(at);
        match input {
            Input::Outcome { probe, outcome } => self.observe(at, &probe, &outcome, &mut changes),
            Input::Load { whom, load } => self.report(at, &whom, load, &mut changes),
            Input::Override(word) => {
                let wait = self.cut_for(at, &word);
                changes.push(self.words.take(at, word, wait, &self.world));
                self.recover_all(at, &mut changes);
                self.reshape(at);
            }
            Input::Lift(whom) => {
                changes.extend(self.words.lift(at, &whom));
                self.recover_all(at, &mut changes);
                self.reshape(at);
            }
            Input::Saved { saved, age } => self.take_saved(at, &saved, age, &mut changes),
            Input::Failback(whom) => self.let_back(at, whom, &mut changes),
            Input::Release(region) => {
                self.release(at, &region, &mut changes);
                self.plan();
            }
            Input::Tick
            | Input::Configuration(_)
            | Input::Samples(_)
            | Input::LatencyFiles(_)
            | Input::Answers(_)
            | Input::Done(_)
            | Input::Failed(_) => {}
        }
        self.open(false, &mut changes);
        changes
    }

    /// Puts another configuration in force, or other maps of the one that is.
    pub fn configure(&mut self, at: At, world: Arc<World>) -> Vec<Change> {
        let mut changes = self.pass(at);
        if world.is_of(&self.world) {
            self.take_maps(at, world);
        } else {
            let old = Arc::clone(&self.world);
            let mut taken = self.take_over(at, world);
            if let Some(Change::World { what, .. }) = taken.first_mut() {
                **what = Difference::between(&old, &self.world);
            }
            changes.append(&mut taken);
        }
        self.open(false, &mut changes);
        changes
    }

    /// The wait of steered names for the first probe round is over.
    pub fn end_wait(&mut self, at: At) -> Vec<Change> {
        let mut changes = self.pass(at);
        self.open(true, &mut changes);
        changes
    }

    /// Shares demand out to regions, by route of the configuration that it was worked out for; it says nothing under another
    /// one. What is left out is assigned no more.
    pub fn assign(&mut self, at: At, of: &Arc<World>, assignments: Vec<Option<Arc<Assignment>>>) -> Vec<Change> {
        let mut changes = self.pass(at);
        self.take_assignments(at, of, assignments);
        self.open(false, &mut changes);
        changes
    }

    /// Steered names are answered from now on, where all targets have been heard of or the wait is `over`.
    fn open(&mut self, over: bool, changes: &mut Vec<Change>) {
        if !self.ready && (over || self.unheard == 0) {
            (self.ready, self.stirred) = (true, true);
            let targets = self.world.targets.iter().filter(|target| target.key().is_some()).count();
            let restored = changes.iter().any(|change| matches!(change, Change::Restored { used: 1.., .. }));
            changes.push(Change::Ready { heard: targets - self.unheard, targets, restored });
        }
    }

    /// A copy of the truth for queries to read.
    #[must_use]
    pub fn snapshot(&self, at: At) -> Snapshot {
        Snapshot {
            world: Arc::clone(&self.world),
            pools: self.pools.clone(),
            endpoints: self.endpoints.clone(),
            assignments: self.assignments.clone(),
            fine: self.fine.iter().map(Option::is_some).collect(),
            ready: self.ready,
            at,
        }
    }

    /// A copy of what people read.
    #[must_use]
    pub fn status(&self, at: At) -> Status {
        Status {
            world: Arc::clone(&self.world),
            targets: self.records.clone(),
            governed: self.beliefs.governed().clone(),
            kept: self.beliefs.kept(),
            timings: self.timings.clone(),
            slow_starts: self.slow_starts(),
            ready: self.ready,
            at,
        }
    }

    /// What is known of a target.
    #[must_use]
    pub fn record(&self, id: TargetId) -> &Record {
        &self.records[id.at()]
    }

    /// Whether a query could be answered differently from what `published` says.
    #[must_use]
    pub fn differs_from(&self, published: &Snapshot) -> bool {
        !Arc::ptr_eq(&self.world, &published.world)
            || self.ready != published.ready
            || self.pools != published.pools
            || self.endpoints != published.endpoints
            || self.assignments != published.assignments
            || !self.fine.iter().map(Option::is_some).eq(published.fine.iter().copied())
    }

    /// Whether anything that a query reads has become different since this was asked last. What is true of it costs what
    /// has changed, not what there is, as [`Self::differs_from`] does.
    pub fn take_stirred(&mut self) -> bool {
        std::mem::take(&mut self.stirred)
    }

    /// When time alone changes something next; none: nothing moves.
    #[must_use]
    pub fn due(&self) -> Option<At> {
        self.due
    }

    /// What operators have said and is in force, or would be if somebody were called so.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.words.all()
    }

    /// The configuration in force.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// How many regions are held up against their probes.
    #[must_use]
    pub fn held_regions(&self) -> u64 {
        self.beliefs.held() as u64
    }

    /// Whether this node sees none of its canaries, and so believes no failure.
    #[must_use]
    pub fn is_isolated(&self) -> bool {
        self.beliefs.is_isolated()
    }

    /// How often load was not reported for longer than it may be.
    #[must_use]
    pub fn load_gaps(&self) -> u64 {
        self.reports.gaps()
    }

    /// How often a target that had recovered was kept down.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Lets time pass, from one moment at which something changes to the next: what one changes the next one may rest on.
    fn pass(&mut self, now: At) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(due) = self.due.filter(|due| *due <= now) {
            self.passed = self.passed.max(due);
            self.step(self.passed, &mut changes);
        }
        self.passed = self.passed.max(now);
        changes
    }

    fn step(&mut self, now: At, changes: &mut Vec<Change>) {
        let passed = self.words.pass(now);
        let expired = !passed.is_empty();
        changes.extend(passed);
        if expired {
            self.recover_all(now, changes);
        }
        changes.extend(self.reports.pass(now));
        self.pass_beliefs(now, changes);
        self.end_slow_starts(now, changes);
        // Who is up, out or weightless by now decides who has a part in what is reported.
        self.reshape(now);
        let told = changes.len();
        self.shed(now, None, changes);
        if changes.len() > told {
            self.reshape(now);
        }
    }

    /// Works out again what follows from words and time.
    fn reshape(&mut self, now: At) {
        self.cut(now);
        self.refresh_all(now);
        self.plan();
    }

    /// Works out when time alone changes something.
    fn plan(&mut self) {
        let sheds = self.silent_sheds();
        let ticks = self.ticks.iter().copied().flatten();
        self.due = ticks
            .chain(self.words.next())
            .chain(self.reports.next())
            .chain(sheds)
            .chain(self.beliefs_next(self.passed))
            .min();
    }

    /// Cuts the blocks of services finer whose endpoints are moved in parts by a word.
    fn cut(&mut self, now: At) {
        let world = &self.world;
        for (service, fine) in world.services.iter().zip(&mut self.fine) {
            let parted = service.cut.is_none()
                && self.words.parted(now).any(|whom| service.pools(world).any(|id| whom.touches(world, id)));
            let after = parted.then_some(fine.unwrap_or(now));
            self.stirred |= after.is_some() != fine.is_some();
            *fine = after;
        }
    }

    /// How long a word about a drain waits until no cache holds an answer that was not cut for it.
    fn cut_for(&self, now: At, word: &Override) -> u64 {
        let world = &self.world;
        let uncut = world.services.iter().zip(&self.fine).filter(|(service, _)| service.cut.is_none());
        let concerned = uncut.filter(|(service, _)| service.pools(world).any(|id| word.whom.touches(world, id)));
        let wait = |(service, fine): (&Service, &Option<At>)| {
            (service.ttl_max.millis()).saturating_sub(now.since(fine.unwrap_or(now)))
        };
        concerned.map(wait).max().unwrap_or_default()
    }

    fn report(&mut self, now: At, whom: &Whom, load: f64, changes: &mut Vec<Change>) {
        changes.extend(self.reports.take(now, whom, load, &self.world));
        let pools = (0..self.world.pools.len() as u32).map(PoolId);
        let about: Vec<PoolId> = pools.filter(|id| whom.touches(&self.world, *id)).collect();
        about.iter().for_each(|id| self.fill(now, *id));
        let told = changes.len();
        self.shed(now, Some(whom), changes);
        if changes.len() > told {
            about.iter().for_each(|id| self.refresh(now, *id));
        }
        self.plan();
    }

    /// Lets those shed as their load wants of whom it was just reported, or else those back of whom nothing is.
    fn shed(&mut self, now: At, reported: Option<&Whom>, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        for (id, pool) in world.pools.iter().enumerate() {
            let Some(marks) = self.shaping[id].marks.filter(|_| !self.is_assigned(id)) else { continue };
            let period = self.shaping[id].period;
            for (position, index, endpoint) in members(pool) {
                if reported.is_some_and(|whom| !whom.is(Named::of(&world, &pool.name, endpoint))) {
                    continue;
                }
                let ratio = self.ratio(now, PoolId(id as u32), position);
                let shed = &mut self.live[index].shed;
                let (moved, load) = match ratio {
                    Ratio::Fresh(ratio) if reported.is_some() => {
                        (shed.act(now, Some(ratio), marks, period), Some(Permille::nearest(ratio)))
                    }
                    Ratio::Silent(since) => (go_back(shed, now, since, marks, period), None),
                    Ratio::Fresh(_) | Ratio::Idle => (false, None),
                };
                if moved {
                    let parts = Permille::nearest(shed.share());
                    changes.push(Change::Shed { endpoint: name(pool, endpoint), parts, load });
                }
            }
        }
    }

    /// When sheds go back next of which no load is reported.
    fn silent_sheds(&self) -> Option<At> {
        let mut next = None;
        for (id, pool) in self.world.pools.iter().enumerate().filter(|(id, _)| self.shaping[*id].marks.is_some()) {
            for (position, index, _) in members(pool) {
                let shed = &self.live[index].shed;
                if shed.share() == 0.0 {
                    continue;
                }
                if let Ratio::Silent(since) = self.ratio(At(u64::MAX), PoolId(id as u32), position) {
                    next = next.into_iter().chain([shed.due(self.shaping[id].period).max(since)]).min();
                }
            }
        }
        next
    }

    /// Whether the demand of a pool is assigned by one of the routes through it: nothing else sheds it then.
    fn is_assigned(&self, id: usize) -> bool {
        self.shaping[id].routes.iter().any(|id| self.assignments[id.at()].is_some())
    }

    fn take_assignments(&mut self, now: At, of: &Arc<World>, assignments: Vec<Option<Arc<Assignment>>>) {
        if !Arc::ptr_eq(of, &self.world) || assignments.len() != self.world.routes.len() {
            return;
        }
        self.stirred |= self.assignments != assignments;
        self.assignments = assignments;
        for (id, pool) in of.pools.iter().enumerate() {
            if self.is_assigned(id) {
                members(pool).for_each(|(_, index, _)| self.live[index].shed = Shed::default());
            }
        }
        self.refresh_all(now);
        self.plan();
    }
}

/// A pool's endpoints: position in the pool, position among all, the endpoint.
fn members(pool: &Pool) -> impl Iterator<Item = (u32, usize, &Endpoint)> {
    let first = pool.first.at();
    pool.endpoints.iter().enumerate().map(move |(i, endpoint)| (i as u32, first + i, endpoint))
}

/// The endpoint at a place among all.
fn endpoint(world: &World, index: usize) -> &Endpoint {
    &world[EndpointId(index as u32)]
}

/// Without reports a shed goes back, once in each period since there were none.
fn go_back(shed: &mut Shed, now: At, since: At, marks: Marks, period: u64) -> bool {
    let mut moved = false;
    loop {
        let then = shed.due(period).max(since);
        if then > now || !shed.act(then, None, marks, period) {
            return moved;
        }
        moved = true;
    }
}

fn name(pool: &Pool, endpoint: &Endpoint) -> Box<str> {
    format!("{}/{}", pool.name, endpoint.name).into_boxed_str()
}

#[cfg(test)]
mod tests;
