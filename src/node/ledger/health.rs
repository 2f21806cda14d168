//! Outcomes of probes, and what turns because of them. Must not know how rows are made, nor other events.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use super::{
    Ledger,
    members::{members, name},
    overrides::Named,
};
use crate::{
    engine::{
        health::fold::{Health, Outcome, Released, Transition, Turn},
        live::eligible::{self, Eligibility, Exclusion},
        types::{At, PoolId, TargetId},
        world::{Asks, World},
    },
    node::{
        change::{Because, Change, KeptDown, Standing, Verdict},
        overrides::Scope,
    },
    probing::identity::ProbeId,
};

/// How a verdict turned, and why.
type Turned = (Transition, Because);

impl Ledger {
    pub(super) fn observe(&mut self, at: At, probe: &ProbeId, outcome: &Outcome, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let mut steady = true;
        for id in world.probes.targets(probe).iter().copied() {
            let monitor = &world.monitors[world.targets[id.at()].monitor.at()];
            let was_calm = self.is_calm(id);
            let record = &mut self.facts.records[id.at()];
            if !record.is_heard() {
                self.unheard -= 1;
            }
            let turn = record.observe(&monitor.rhythm, &monitor.calm, at, outcome.clone());
            if let Outcome::Good { took, connect, .. } = outcome {
                Arc::make_mut(&mut self.facts.timings[id.at()]).take(*took, *connect);
            }
            let told = match turn {
                None => None,
                Some(Turn::Made(transition)) => Some((transition, self.because(at, id, transition))),
                // Nobody took it for down, so there is nothing to hold it down for.
                Some(Turn::Kept(_)) if self.is_kept_up(id) => {
                    self.facts.records[id.at()].release(&monitor.rhythm, at);
                    let transition = Transition { from: Health::Down, to: Health::Up };
                    Some((transition, self.because(at, id, transition)))
                }
                Some(Turn::Kept(kept)) => {
                    self.facts.suppressed += 1;
                    let (address, monitor) = (probe.address, monitor.name.clone());
                    let endpoints = self.endpoints_of(id);
                    changes.push(Change::Kept(Box::new(KeptDown { at, address, monitor, kept, endpoints })));
                    None
                }
            };
            if was_calm && told.is_none() && self.is_calm(id) {
                // One more good probe of who is well: nearly all are, and nothing but response times can follow from it.
                for n in 0..self.index.users[id.at()].len() {
                    self.mark_measures(self.index.users[id.at()][n].0);
                }
                continue;
            }
            steady = false;
            self.settle(at, id, told, changes);
        }
        if !steady {
            self.plan();
        }
    }

    /// Whether a target is well, nothing speaks against it, it counts as what it is, and no other target rests on it.
    fn is_calm(&self, id: TargetId) -> bool {
        let record = &self.facts.records[id.at()];
        record.is_heard()
            && (record.health, record.bad, record.lost) == (Health::Up, 0, 0)
            && (self.facts.beliefs.of(id), self.facts.beliefs.keeper(id)) == (Health::Up, None)
            && self.index.above[id.at()].is_empty()
            && !self.world.health.canaries.contains(&id)
    }

    fn because(&self, at: At, id: TargetId, transition: Transition) -> Because {
        let monitor = &self.world.monitors[self.world.targets[id.at()].monitor.at()];
        let record = &self.facts.records[id.at()];
        let answers = record.good > 0 && transition.to == Health::Down;
        match record.kept(&monitor.calm, at).filter(|_| answers) {
            Some(kept) => Because::Kept(kept),
            None => Because::probes(record),
        }
    }

    /// Lets back whoever is kept down of somebody.
    pub(super) fn let_back(&mut self, at: At, scope: Scope, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let mut concerned: Vec<TargetId> = Vec::new();
        for pool in world.pools.iter() {
            for (.., endpoint) in members(pool) {
                if scope.is(Named::of(&world, &pool.name, endpoint)) {
                    concerned.extend(endpoint.targets.into_iter().flatten());
                }
            }
        }
        let mut probed = Vec::new();
        while let Some(id) = concerned.pop() {
            match &world.targets[id.at()].asks {
                Asks::Probe(_) => probed.push(id),
                Asks::Several { of, .. } => concerned.extend(of),
            }
        }
        probed.sort_unstable_by_key(|id| id.at());
        probed.dedup();
        let (mut now, mut later, mut told) = (0, 0, Vec::new());
        for id in probed {
            let rhythm = &world.monitors[world.targets[id.at()].monitor.at()].rhythm;
            match self.facts.records[id.at()].release(rhythm, at) {
                Some(Released::Now) => {
                    now += 1;
                    let transition = Transition { from: Health::Down, to: Health::Up };
                    self.settle(at, id, Some((transition, Because::Word)), &mut told);
                }
                Some(Released::Later) => later += 1,
                None => {}
            }
        }
        changes.push(Change::Failback { scope, now, later });
        changes.append(&mut told);
        self.plan();
    }

    /// Works out what follows from what a target's record has just taken in: rows, and the targets that are made of it.
    fn settle(&mut self, at: At, id: TargetId, told: Option<Turned>, changes: &mut Vec<Change>) {
        // Targets stand behind what they are made of, so that in this order each is met once, when all else is settled.
        let mut open: BTreeMap<usize, Option<Turned>> = BTreeMap::from([(id.at(), told)]);
        while let Some((n, told)) = open.pop_first() {
            let kept = self.believe(at, TargetId(n as u32), id);
            let users = mem::take(&mut self.index.users[n]);
            let mut started = Vec::new();
            for (pool, set) in &users {
                self.recover(at, *pool, *set, &mut started);
                self.mark(*pool);
            }
            self.derive(at);
            if let Some((transition, because)) = told {
                let target = &self.world.targets[n];
                changes.push(Change::Verdict(Box::new(Verdict {
                    at,
                    address: target.address(),
                    monitor: self.world.monitors[target.monitor.at()].name.clone(),
                    transition,
                    because,
                    endpoints: users.iter().flat_map(|(pool, set)| names(&self.world, *pool, *set)).collect(),
                    pools: users.iter().map(|(pool, _)| self.standing(*pool)).collect(),
                    held: self.facts.beliefs.keeper(TargetId(n as u32)),
                    other: self.other_family(TargetId(n as u32), &users),
                })));
            }
            changes.append(&mut started);
            changes.extend(kept);
            self.index.users[n] = users;
            for above in self.index.above[n].clone() {
                let told = self.compose(at, above);
                open.insert(above.at(), told);
            }
        }
    }

    /// The health of the other address family of the endpoints that a target is about.
    fn other_family(&self, id: TargetId, users: &[(PoolId, u64)]) -> Option<Health> {
        let (pool, set) = users.first()?;
        let targets = self.world.pools[pool.at()].endpoints.get(set.trailing_zeros() as usize)?.targets;
        let other = targets.into_iter().flatten().find(|other| *other != id)?;
        Some(self.facts.records[other.at()].health)
    }

    pub(super) fn endpoints_of(&self, id: TargetId) -> Vec<Box<str>> {
        self.index.users[id.at()].iter().flat_map(|(pool, set)| names(&self.world, *pool, *set)).collect()
    }

    /// How the pools of some targets stand, in id order.
    pub(super) fn standings(&self, of: &[TargetId]) -> Vec<Standing> {
        let pools: BTreeSet<PoolId> =
            of.iter().flat_map(|id| &self.index.users[id.at()]).map(|(pool, _)| *pool).collect();
        pools.into_iter().map(|pool| self.standing(pool)).collect()
    }

    fn standing(&self, id: PoolId) -> Standing {
        let pool = &self.world.pools[id.at()];
        let eligible = Eligibility::of_all(pool, &self.rows.pools()[id.at()], self.index.shaping[id.at()].families);
        let mut standing = Standing { pool: pool.name.clone(), up: 0, held: 0, unknown: 0, of: pool.count().into() };
        for n in 0..pool.count() {
            match eligible.verdict(n) {
                Ok(eligible::Standing::Unknown) | Err(Exclusion::Unknown) => standing.unknown += 1,
                Ok(_) => standing.up += 1,
                Err(Exclusion::Held) => standing.held += 1,
                Err(_) => {}
            }
        }
        standing
    }
}

pub(super) fn names(world: &World, id: PoolId, set: u64) -> impl Iterator<Item = Box<str>> {
    let pool = &world.pools[id.at()];
    members(pool).filter(move |(position, ..)| set >> position & 1 == 1).map(move |(.., endpoint)| name(pool, endpoint))
}
