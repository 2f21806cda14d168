//! The whole truth and the one way to change it: a pure fold of events. Time comes with each event. Must not know
//! tasks, channels or clocks.

use std::{collections::HashMap, mem, sync::Arc};

use super::{
    change::{Change, Standing, Verdict},
    overrides::{Override, Whom},
};
use crate::engine::{
    health::{
        fold::{Health, Record},
        monitor::{Outcome, ProbeKey},
    },
    snapshot::{EndpointRow, PoolRow, Snapshot, Target, World},
    steer::{
        policy::{Endpoint, Pool},
        table::Assignment,
    },
    types::{At, Family, PoolId, TargetId},
};

/// What can happen to the truth.
#[derive(Clone, Debug)]
pub enum Event {
    /// A probe has ended.
    Outcome {
        /// What was asked of whom.
        key: Arc<ProbeKey>,
        /// What it found.
        outcome: Outcome,
    },
    /// Another configuration is to be in force.
    World(Arc<World>),
    /// The wait for the first probe round is over.
    Deadline,
    /// Time has passed: what moves with time alone is worked out again.
    Tick,
    /// How much load there is now, in the unit of the configured capacities.
    Load {
        /// Of whom: a region's sum is shared out to its endpoints by weight.
        whom: Whom,
        /// How much.
        load: f64,
    },
    /// An operator's word.
    Override(Override),
    /// An operator takes back what was said of somebody: all of it.
    Lift(Whom),
    /// How demand is shared out to regions, by pool id of the configuration that it was worked out for; it says nothing
    /// under another one. What is left out is assigned no more.
    Assign {
        /// That configuration.
        of: Arc<World>,
        /// For each of its pools.
        assignments: Vec<Option<Arc<Assignment>>>,
    },
    /// Answers since the last such event: pool, catchment of the pool's map, how many.
    Answers(Vec<(PoolId, u32, u64)>),
}

/// What is true now.
#[derive(Debug)]
pub struct Ledger {
    world: Arc<World>,
    /// For each target, what is known of it.
    records: Vec<Record>,
    /// For each pool and each endpoint, the row that queries read.
    pools: Vec<PoolRow>,
    endpoints: Vec<EndpointRow>,
    /// Which targets an outcome belongs to: several, where two monitors ask the same of the same address.
    by_key: HashMap<Arc<ProbeKey>, Vec<TargetId>>,
    /// For each target, its pools in id order, each with the positions of its endpoints there.
    users: Vec<Vec<(PoolId, u64)>>,
    /// For each pool whose demand is assigned to regions, how.
    assignments: Vec<Option<Arc<Assignment>>>,
    /// Targets of which no probe has ended.
    unheard: usize,
    ready: bool,
}

impl Ledger {
    /// The truth at the start: nothing is known of any target.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let mut ledger = Self {
            world: Arc::default(),
            records: Vec::new(),
            pools: Vec::new(),
            endpoints: Vec::new(),
            by_key: HashMap::new(),
            users: Vec::new(),
            assignments: Vec::new(),
            unheard: 0,
            ready: false,
        };
        ledger.take_over(world);
        ledger.ready = ledger.unheard == 0;
        ledger
    }

    /// Folds in one event and says what became different. Outcomes of what is not a target (any more) say nothing.
    pub fn fold(&mut self, at: At, event: Event) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut over = false;
        match event {
            Event::Outcome { key, outcome } => self.observe(at, &key, &outcome, &mut changes),
            // Other maps of the same configuration: whatever the rows stand for is as it was.
            Event::World(world) if world.is_of(&self.world) => self.world = world,
            Event::World(world) => changes.push(self.take_over(world)),
            Event::Deadline => over = true,
            Event::Assign { of, assignments } => self.assign(&of, assignments),
            Event::Tick | Event::Load { .. } | Event::Override(_) | Event::Lift(_) | Event::Answers(_) => {}
        }
        if !self.ready && (over || self.unheard == 0) {
            self.ready = true;
            let targets = self.records.len();
            changes.push(Change::Ready { heard: targets - self.unheard, targets });
        }
        changes
    }

    /// A copy of the truth for queries to read.
    #[must_use]
    pub fn snapshot(&self, at: At) -> Snapshot {
        Snapshot {
            world: Arc::clone(&self.world),
            pools: self.pools.clone(),
            endpoints: self.endpoints.clone(),
            assignments: self.assignments.clone(),
            fine: vec![false; self.world.services.len()],
            targets: self.records.clone(),
            ready: self.ready,
            at,
        }
    }

    /// Whether a query could be answered differently from what `published` says.
    #[must_use]
    pub fn differs_from(&self, published: &Snapshot) -> bool {
        !Arc::ptr_eq(&self.world, &published.world)
            || self.ready != published.ready
            || self.pools != published.pools
            || self.endpoints != published.endpoints
            || self.assignments != published.assignments
    }

    fn assign(&mut self, of: &Arc<World>, assignments: Vec<Option<Arc<Assignment>>>) {
        if !Arc::ptr_eq(of, &self.world) || assignments.len() != self.world.pools.len() {
            return;
        }
        for (row, assignment) in self.pools.iter_mut().zip(&assignments) {
            row.assigned = assignment.is_some();
        }
        self.assignments = assignments;
    }

    fn observe(&mut self, at: At, key: &Arc<ProbeKey>, outcome: &Outcome, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let Some(targets) = self.by_key.get(key).cloned() else { return };
        for id in targets {
            let monitor = &world.monitors[world.targets[id.at()].monitor.at()];
            let record = &mut self.records[id.at()];
            if !record.is_heard() {
                self.unheard -= 1;
            }
            let transition = record.observe(&monitor.rhythm, at, outcome.clone());
            let users = mem::take(&mut self.users[id.at()]);
            for (pool, _) in &users {
                self.refresh(*pool);
            }
            if let Some(transition) = transition {
                let (streak, findings) = Verdict::evidence(&self.records[id.at()]);
                changes.push(Change::Verdict(Box::new(Verdict {
                    at,
                    address: key.address,
                    monitor: monitor.name.clone(),
                    transition,
                    first: self.records[id.at()].evidence.len() == 1,
                    streak,
                    findings,
                    endpoints: users.iter().flat_map(|(pool, set)| names(&world, *pool, *set)).collect(),
                    pools: users.iter().map(|(pool, _)| self.standing(*pool)).collect(),
                })));
            }
            self.users[id.at()] = users;
        }
    }

    /// Puts `world` in force. History goes by what is probed, never by position: first by the same key under a
    /// monitor of the same name, then by the same key. What is new starts unknown.
    fn take_over(&mut self, world: Arc<World>) -> Change {
        let old = mem::replace(&mut self.world, Arc::clone(&world));
        // The record that a target inherits, by its position in the old configuration.
        let heir = |target: &Target| {
            let same = self.by_key.get(&target.key)?;
            let name = |w: &World, t: &Target| w.monitors[t.monitor.at()].name.clone();
            same.iter().find(|id| name(&old, &old.targets[id.at()]) == name(&world, target)).or(same.first()).copied()
        };
        let heirs: Vec<_> = world.targets.iter().map(heir).collect();
        let kept = heirs.iter().flatten().count();
        self.records =
            heirs.iter().map(|heir| heir.map_or_else(Record::default, |id| self.records[id.at()].clone())).collect();
        self.by_key.clear();
        for (i, target) in world.targets.iter().enumerate() {
            self.by_key.entry(Arc::clone(&target.key)).or_default().push(TargetId(i as u32));
        }
        let gone = old.targets.iter().filter(|target| !self.by_key.contains_key(&target.key)).count();
        self.unheard = self.records.iter().filter(|record| !record.is_heard()).count();
        self.users = users(&world);
        self.pools = vec![PoolRow::default(); world.pools.len()];
        self.assignments = vec![None; world.pools.len()];
        self.endpoints = vec![EndpointRow::default(); world.endpoints.len()];
        for pool in 0..world.pools.len() {
            self.refresh(PoolId(pool as u32));
        }
        Change::World { kept, fresh: world.targets.len() - kept, gone }
    }

    /// Works out a pool's row and its endpoints' rows again.
    fn refresh(&mut self, id: PoolId) {
        let world = Arc::clone(&self.world);
        let mut row = PoolRow { assigned: self.assignments[id.at()].is_some(), ..PoolRow::default() };
        for (position, index, endpoint) in members(&world, &world.pools[id.at()]) {
            let bit = 1u64 << position;
            let mut live = EndpointRow { weight: endpoint.weight, ..EndpointRow::default() };
            let put = |set: &mut u64, yes: bool| *set |= if yes { bit } else { 0 };
            put(&mut row.weighted, endpoint.weight > 0);
            for family in Family::BOTH {
                let at = family.at();
                let Some(target) = endpoint.targets[at] else {
                    // An address that nobody judges is up.
                    put(&mut row.up[at], endpoint.address(family).is_some() || endpoint.cname.is_some());
                    continue;
                };
                let record = &self.records[target.at()];
                let rhythm = &world.monitors[world.targets[target.at()].monitor.at()].rhythm;
                let soon = record.change_in(rhythm);
                live.change_in = live.change_in.min(soon.map_or(u32::MAX, |ms| u32::try_from(ms).unwrap_or(u32::MAX)));
                put(&mut row.up[at], record.health == Health::Up);
                put(&mut row.down[at], record.health == Health::Down);
                put(&mut row.falling[at], record.health == Health::Up && soon.is_some());
                put(&mut row.rising[at], record.health == Health::Down && soon.is_some());
            }
            self.endpoints[index] = live;
        }
        self.pools[id.at()] = row;
    }

    fn standing(&self, id: PoolId) -> Standing {
        let pool = &self.world.pools[id.at()];
        let ([u4, u6], [d4, d6]) = (self.pools[id.at()].up, self.pools[id.at()].down);
        let (up, down) = (u4 | u6, d4 | d6);
        Standing {
            pool: pool.name.clone(),
            up: up.count_ones(),
            // Down in one family and unknown in the other is down: a family that this node cannot probe must not hold
            // up an endpoint whose other family is dead, or a type would be empty while a later pool could answer.
            unknown: u32::from(pool.count) - (up | down).count_ones(),
            of: u32::from(pool.count),
        }
    }
}

/// A pool's endpoints: position in the pool, position among all, the endpoint.
fn members<'a>(world: &'a World, pool: &Pool) -> impl Iterator<Item = (u32, usize, &'a Endpoint)> {
    let first = pool.first.at();
    let endpoints = &world.endpoints[first..first + usize::from(pool.count)];
    endpoints.iter().enumerate().map(move |(i, endpoint)| (i as u32, first + i, endpoint))
}

/// For each target, who rests on it.
fn users(world: &World) -> Vec<Vec<(PoolId, u64)>> {
    let mut users: Vec<Vec<(PoolId, u64)>> = vec![Vec::new(); world.targets.len()];
    for (id, pool) in world.pools.iter().enumerate() {
        let id = PoolId(id as u32);
        for (position, _, endpoint) in members(world, pool) {
            for target in endpoint.targets.into_iter().flatten() {
                match users[target.at()].last_mut() {
                    Some((last, set)) if *last == id => *set |= 1 << position,
                    _ => users[target.at()].push((id, 1 << position)),
                }
            }
        }
    }
    users
}

fn names(world: &World, id: PoolId, set: u64) -> impl Iterator<Item = Box<str>> {
    let pool = &world.pools[id.at()];
    members(world, pool)
        .filter(move |(position, ..)| set >> position & 1 == 1)
        .map(move |(.., endpoint)| format!("{}/{}", pool.name, endpoint.name).into_boxed_str())
}

#[cfg(test)]
mod tests;
