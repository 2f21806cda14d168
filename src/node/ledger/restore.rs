//! What an earlier process knew, taken over at the start: health, what counted otherwise than it was found, slow starts. Must not
//! know files, nor how they are written.
//!
//! A restart is no way round the governor: what counted as up goes on doing so, windows and holds go on from when they
//! began. Nor does it make anything wait again: what counted as down does so at once.

use std::{collections::HashMap, sync::Arc};

use super::{
    Ledger,
    slow_start::{Occasion, Serving},
};
use crate::{
    engine::{
        health::{fold::Health, governor::Governed},
        types::{At, Past, PoolId, TargetId},
    },
    node::{
        change::{Change, Keeper},
        saved::{Age, Saved},
    },
};

impl Ledger {
    /// Takes over what was saved of targets of which nothing has been heard yet, and of the governor.
    pub(super) fn take_saved(&mut self, now: At, saved: &Saved, age: Age, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        let (mut used, mut shown, mut restored) = (0, 0, Vec::new());
        for (n, target) in world.targets.iter().enumerate() {
            let Some(key) = target.key().filter(|_| !self.facts.records[n].is_heard()) else { continue };
            let monitor = &world.monitors[target.monitor.at()];
            let Some(record) = saved.record(key, monitor, age, now) else { continue };
            if record.is_heard() {
                self.unheard -= 1;
                used += 1;
                restored.push(TargetId(n as u32));
            } else {
                shown += 1;
            }
            self.facts.records[n] = record;
        }
        self.compose_all(now);
        restored.extend((0..world.targets.len() as u32).map(TargetId).filter(|id| {
            let target = &world.targets[id.at()];
            target.key().is_none() && self.is_heard(*id)
        }));
        let unknown = saved.len().saturating_sub(used + shown);
        let down = restored.iter().filter_map(|id| self.last_words(*id)).collect();
        changes.push(Change::Restored { used, shown, unknown, age: age.age, down });
        let counted = |id: &TargetId| Some((*id, saved.counted(&world, *id)?));
        let kept: HashMap<_, _> = restored.iter().filter_map(counted).collect();
        self.resume_beliefs(now, &restored, saved.governed(&world, age, now), &kept, changes);
        self.resume_slow_starts(saved, age);
        for id in (0..world.pools.len() as u32).map(PoolId) {
            self.begin(now, id, u64::MAX, &Serving::default(), Occasion::Restart, changes);
        }
        self.reshape(now);
    }

    /// Who is down, and what its last probe found, where an earlier process has kept that.
    fn last_words(&self, id: TargetId) -> Option<Box<str>> {
        let target = &self.world.targets[id.at()];
        let record = &self.facts.records[id.at()];
        let restored = record.restored.as_ref().filter(|_| record.health == Health::Down)?;
        let names = self.endpoints_of(id);
        let target_name = match &names[..] {
            [only] => format!("{only} {}", target.address()),
            _ => format!("{} by {}", target.address(), self.world.monitors[target.monitor.at()].name),
        };
        Some(match &restored.last {
            Some(last) => format!("{target_name} ({last})").into(),
            None => target_name.into(),
        })
    }
}

impl Ledger {
    /// Takes over what is known of governor and beliefs, for targets whose records were taken over just now. `kept`: who
    /// was found down and counted as something else.
    fn resume_beliefs(
        &mut self,
        now: At,
        targets: &[TargetId],
        governed: Governed,
        kept: &HashMap<TargetId, Health>,
        changes: &mut Vec<Change>,
    ) {
        self.facts.beliefs.resume(governed, &self.index.seats);
        for id in targets {
            // In the order of targets, so that a canary of a canary's monitor has been looked at before it is.
            self.watch(now, *id, *id, changes);
            let record = &self.facts.records[id.at()];
            let found = record.health;
            let fell = record.fall.map(|fall| Past::ago(fall.at, fall.before));
            let counts =
                kept.get(id).copied().filter(|_| found == Health::Down && !self.index.users[id.at()].is_empty());
            self.facts.beliefs.take(now, *id, counts.unwrap_or(found));
            if counts.is_some() {
                // What was held gave way to later pools, and goes on doing so before a canary has answered this process.
                let held = self.facts.beliefs.is_held(&self.regions_of(*id));
                self.facts.beliefs.keep(*id, if held { Keeper::Governor } else { Keeper::Canaries });
            } else if found == Health::Down {
                self.facts.beliefs.fell(*id, fell);
            }
        }
        self.judge(now, None, changes);
        self.redraw(now, changes);
        for (region, since) in self.facts.beliefs.governed().held() {
            changes.push(self.hold(now, region, Some(since.until(now))));
        }
    }
}
