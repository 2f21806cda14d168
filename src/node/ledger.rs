//! What is known and the one way to change it: a pure fold of inputs. Time comes with each input. Must not know
//! tasks, channels or clocks.
//!
//! `facts` are what is known; `index` follows from the configuration alone; `derive` makes the rows that queries read of both.
//! `health` takes outcomes of probes in, `parts` makes more of them, `belief` says what they count for. Beside it stand
//! `overrides`, `slow_start` (which counts in steps of `ramp`), `load`, and `regions`, which says which of them are lost.
//! `reload` carries facts over to another configuration, `restore` takes over those of an earlier process.

mod belief;
mod beliefs;
mod derive;
pub mod facts;
mod health;
mod index;
mod load;
mod members;
mod overrides;
mod parts;
mod ramp;
mod region_counts;
mod regions;
mod reload;
mod restore;
mod rows;
mod slow_start;

use std::sync::Arc;

pub use self::region_counts::RegionChange;
use self::{
    facts::Facts,
    index::Index,
    load::Ratio,
    members::{members, name},
    overrides::Named,
    rows::Rows,
};
use super::{
    change::{Change, Difference},
    input::Input,
    overrides::{Override, Scope},
};
use crate::{
    engine::{
        health::fold::Record,
        signal::shed::{Marks, Shed},
        snapshot::Snapshot,
        types::{At, Millis, PoolId, TargetId},
        units::Permille,
        world::{World, service::Service, table::Assignment},
    },
    node::status::Status,
};

/// What is known, and what queries read of it.
#[derive(Debug, Default)]
pub struct Ledger {
    world: Arc<World>,
    facts: Facts,
    /// What follows from the configuration alone.
    index: Index,
    rows: Rows,
    /// Probed targets of which no probe has ended.
    unheard: usize,
    /// When anything changes with time alone.
    due: Option<At>,
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
        let mut ledger = Self { facts: Facts { passed: at, ..Facts::default() }, ..Self::default() };
        ledger.take_over(at, world);
        ledger.facts.ready = ledger.unheard == 0;
        ledger
    }

    /// Takes in what happens to health, load and overrides, and says what became different. Of what is not a target (any
    /// more) nothing follows, nor, here, of what the [machine](super::machine) does: of that time passes alone.
    pub fn fold(&mut self, at: At, input: Input) -> Vec<Change> {
        let mut changes = self.pass(at);
        match input {
            Input::Outcome { probe, outcome } => self.observe(at, &probe, &outcome, &mut changes),
            Input::Load { scope, load } => self.report(at, &scope, load, &mut changes),
            Input::Override(word) => {
                let wait = self.cut_for(at, &word);
                changes.push(self.facts.words.take(at, word, wait, &self.world));
                self.recover_all(at, &mut changes);
                self.reshape(at);
            }
            Input::Lift(scope) => {
                changes.extend(self.facts.words.lift(at, &scope));
                self.recover_all(at, &mut changes);
                self.reshape(at);
            }
            Input::Saved { saved, age } => self.take_saved(at, &saved, age, &mut changes),
            Input::Failback(scope) => self.let_back(at, scope, &mut changes),
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
        self.derive(self.facts.passed);
        if !self.facts.ready && (over || self.unheard == 0) {
            self.facts.ready = true;
            self.rows.stir();
            let targets = self.world.targets.iter().filter(|target| target.key().is_some()).count();
            let restored = changes.iter().any(|change| matches!(change, Change::Restored { used: 1.., .. }));
            changes.push(Change::Ready { heard: targets - self.unheard, targets, restored });
        }
    }

    /// What another node knew under this configuration; none: it was another configuration.
    #[must_use]
    pub fn resume(at: At, world: Arc<World>, facts: Facts) -> Option<Self> {
        if !facts.are_of(&world) {
            return None;
        }
        let (index, rows, unheard) = (Index::of(&world), Rows::of(&world), facts.unheard(&world));
        let mut ledger = Self { world, facts, index, rows, unheard, due: None };
        ledger.derive_all(at);
        ledger.turn_regions(at);
        Some(ledger)
    }

    /// What is known.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Makes all rows again.
    pub fn derive_all(&mut self, at: At) {
        self.mark_all();
        self.derive(at);
        self.plan();
    }

    /// A copy of the truth for queries to read.
    #[must_use]
    pub fn snapshot(&self, at: At) -> Snapshot {
        Snapshot {
            world: Arc::clone(&self.world),
            pools: self.rows.pools().to_vec(),
            endpoints: self.rows.endpoints().to_vec(),
            assignments: self.facts.assignments.clone(),
            fine: self.facts.fine.iter().map(Option::is_some).collect(),
            ready: self.facts.ready,
            at,
        }
    }

    /// A copy of what people read.
    #[must_use]
    pub fn status(&self, at: At) -> Status {
        Status {
            world: Arc::clone(&self.world),
            targets: self.facts.records.clone(),
            governed: self.facts.beliefs.governed().clone(),
            kept: self.facts.beliefs.kept(),
            timings: self.facts.timings.clone(),
            slow_starts: self.slow_starts(),
            jobs: 0,
            ready: self.facts.ready,
            at,
        }
    }

    /// What is known of a target.
    #[must_use]
    pub fn record(&self, id: TargetId) -> &Record {
        &self.facts.records[id.at()]
    }

    /// Whether a query could be answered differently from what `published` says.
    #[must_use]
    pub fn differs_from(&self, published: &Snapshot) -> bool {
        !Arc::ptr_eq(&self.world, &published.world)
            || self.facts.ready != published.ready
            || self.rows.pools() != published.pools
            || self.rows.endpoints() != published.endpoints
            || self.facts.assignments != published.assignments
            || !self.facts.fine.iter().map(Option::is_some).eq(published.fine.iter().copied())
    }

    /// Whether anything that a query reads has become different since this was asked last. What is true of it costs what
    /// has changed, not what there is, as [`Self::differs_from`] does.
    pub fn take_stirred(&mut self) -> bool {
        self.rows.take_stirred()
    }

    /// When time alone changes something next; none: nothing moves.
    #[must_use]
    pub fn due(&self) -> Option<At> {
        self.due
    }

    /// What operators have said and is in force, or would be if somebody were called so.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.facts.words.all()
    }

    /// The configuration in force.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// How many regions are held up against their probes.
    #[must_use]
    pub fn held_regions(&self) -> u64 {
        self.facts.beliefs.held() as u64
    }

    /// Whether this node sees none of its canaries, and so believes no failure.
    #[must_use]
    pub fn is_isolated(&self) -> bool {
        self.facts.beliefs.is_isolated()
    }

    /// How often load was not reported for longer than it may be.
    #[must_use]
    pub fn load_gaps(&self) -> u64 {
        self.facts.reports.gaps()
    }

    /// How often a target that had recovered was kept down.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.facts.suppressed
    }

    /// Lets time pass, from one moment at which something changes to the next: what one changes the next one may rest on.
    fn pass(&mut self, now: At) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(due) = self.due.filter(|due| *due <= now) {
            self.facts.passed = self.facts.passed.max(due);
            self.step(self.facts.passed, &mut changes);
        }
        self.facts.passed = self.facts.passed.max(now);
        changes
    }

    fn step(&mut self, now: At, changes: &mut Vec<Change>) {
        let passed = self.facts.words.pass(now);
        let expired = !passed.is_empty();
        changes.extend(passed);
        if expired {
            self.recover_all(now, changes);
        }
        changes.extend(self.facts.reports.pass(now));
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
        self.mark_all();
        self.derive(now);
        self.plan();
    }

    /// Works out when time alone changes something.
    fn plan(&mut self) {
        let sheds = self.silent_sheds();
        let ticks = self.rows.ticks();
        self.due = ticks
            .chain(self.facts.words.next())
            .chain(self.facts.reports.next())
            .chain(sheds)
            .chain(self.beliefs_next(self.facts.passed))
            .min();
    }

    /// Cuts the blocks of services finer whose endpoints are moved in parts by a word.
    fn cut(&mut self, now: At) {
        let world = &self.world;
        for (service, fine) in world.services.iter().zip(&mut self.facts.fine) {
            let parted = service.cut.is_none()
                && self.facts.words.parted(now).any(|scope| service.pools(world).any(|id| scope.touches(world, id)));
            let after = parted.then_some(fine.unwrap_or(now));
            if after.is_some() != fine.is_some() {
                self.rows.stir();
            }
            *fine = after;
        }
    }

    /// How long a word about a drain waits until no cache holds an answer that was not cut for it.
    fn cut_for(&self, now: At, word: &Override) -> Millis {
        let world = &self.world;
        let uncut = world.services.iter().zip(&self.facts.fine).filter(|(service, _)| service.cut.is_none());
        let concerned = uncut.filter(|(service, _)| service.pools(world).any(|id| word.scope.touches(world, id)));
        let wait =
            |(service, fine): (&Service, &Option<At>)| service.ttl_max.millis().minus(now.since(fine.unwrap_or(now)));
        concerned.map(wait).max().unwrap_or_default()
    }

    fn report(&mut self, now: At, scope: &Scope, load: f64, changes: &mut Vec<Change>) {
        changes.extend(self.facts.reports.take(now, scope, load, &self.world));
        let pools = (0..self.world.pools.len() as u32).map(PoolId);
        let about: Vec<PoolId> = pools.filter(|id| scope.touches(&self.world, *id)).collect();
        about.iter().for_each(|id| self.mark_measures(*id));
        self.derive(now);
        let told = changes.len();
        self.shed(now, Some(scope), changes);
        if changes.len() > told {
            about.iter().for_each(|id| self.mark(*id));
            self.derive(now);
        }
        self.plan();
    }

    /// Sheds move as load wants: of the endpoints whose load was just reported, or else back where none is reported any more.
    fn shed(&mut self, now: At, reported: Option<&Scope>, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        for (id, pool) in world.pools.iter().enumerate() {
            let Some(marks) = self.index.shaping[id].marks.filter(|_| !self.is_assigned(id)) else { continue };
            let period = self.index.shaping[id].period;
            for (position, index, endpoint) in members(pool) {
                if reported.is_some_and(|scope| !scope.is(Named::of(&world, &pool.name, endpoint))) {
                    continue;
                }
                let ratio = self.ratio(now, PoolId(id as u32), position);
                let shed = &mut self.facts.live[index].shed;
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
        for (id, pool) in self.world.pools.iter().enumerate().filter(|(id, _)| self.index.shaping[*id].marks.is_some())
        {
            for (position, index, _) in members(pool) {
                let shed = &self.facts.live[index].shed;
                if shed.share() == 0.0 {
                    continue;
                }
                if let Ratio::Silent(since) = self.ratio(At(u64::MAX), PoolId(id as u32), position) {
                    next = next.into_iter().chain([shed.due(self.index.shaping[id].period).max(since)]).min();
                }
            }
        }
        next
    }

    /// Whether the demand of a pool is assigned by one of the routes through it: nothing else sheds it then.
    fn is_assigned(&self, id: usize) -> bool {
        self.index.shaping[id].routes.iter().any(|id| self.facts.assignments[id.at()].is_some())
    }

    fn take_assignments(&mut self, now: At, of: &Arc<World>, assignments: Vec<Option<Arc<Assignment>>>) {
        if !Arc::ptr_eq(of, &self.world) || assignments.len() != self.world.routes.len() {
            return;
        }
        if self.facts.assignments != assignments {
            self.rows.stir();
        }
        self.facts.assignments = assignments;
        for (id, pool) in of.pools.iter().enumerate() {
            if self.is_assigned(id) {
                members(pool).for_each(|(_, index, _)| self.facts.live[index].shed = Shed::default());
            }
        }
        self.mark_all();
        self.derive(now);
        self.plan();
    }
}

/// Without reports a shed goes back, once in each period since there were none.
fn go_back(shed: &mut Shed, now: At, since: At, marks: Marks, period: Millis) -> bool {
    let mut moved = false;
    loop {
        let then = shed.due(period).max(since);
        if then > now || !shed.act(then, None, marks, period) {
            return moved;
        }
        moved = true;
    }
}

#[cfg(test)]
mod tests;
