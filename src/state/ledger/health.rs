//! Outcomes of probes, and what turns because of them. Must not know how rows are made, nor other events.

use std::{mem, sync::Arc};

use super::{Ledger, members, name, ramp::Turn};
use crate::{
    engine::{
        health::monitor::{Outcome, ProbeKey},
        snapshot::World,
        types::{At, PoolId},
    },
    state::change::{Change, Standing, Verdict},
};

/// How much of an average response time is the newest one.
const RECENT: f64 = 0.125;

impl Ledger {
    pub(super) fn observe(&mut self, at: At, key: &Arc<ProbeKey>, outcome: &Outcome, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let Some(targets) = self.by_key.get(key).cloned() else { return };
        for id in targets {
            let monitor = &world.monitors[world.targets[id.at()].monitor.at()];
            let record = &mut self.records[id.at()];
            if !record.is_heard() {
                self.unheard -= 1;
            }
            let transition = record.observe(&monitor.rhythm, at, outcome.clone());
            if let Outcome::Good { took, .. } = outcome {
                let (took, before) = (*took as f64 / 100.0, &mut self.took[id.at()]);
                *before = Some(before.map_or(took, |before| before + (took - before) * RECENT));
            }
            let users = mem::take(&mut self.users[id.at()]);
            let mut started = Vec::new();
            for (pool, set) in &users {
                self.recover(at, *pool, *set, &mut started);
                self.refresh(at, *pool);
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
            changes.append(&mut started);
            self.users[id.at()] = users;
        }
        self.plan();
    }

    /// Begins, halts and ends the slow starts of a pool's endpoints as their health wants.
    fn recover(&mut self, now: At, id: PoolId, set: u64, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let pool = &world.pools[id.at()];
        for (_, index, endpoint) in members(&world, pool).filter(|(position, ..)| set >> position & 1 == 1) {
            let measured = self.measured(endpoint);
            let (shaping, recovery) = (&self.shaping[id.at()], &mut self.live[index].recovery);
            let over = shaping.slow_start;
            if recovery.observe(now, measured.health(shaping), measured.is_failing(), over) == Some(Turn::Begun) {
                changes.push(Change::SlowStart { endpoint: name(pool, endpoint), over, whole: false });
            }
        }
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

fn names(world: &World, id: PoolId, set: u64) -> impl Iterator<Item = Box<str>> {
    let pool = &world.pools[id.at()];
    members(world, pool)
        .filter(move |(position, ..)| set >> position & 1 == 1)
        .map(move |(.., endpoint)| name(pool, endpoint))
}
