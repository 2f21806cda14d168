//! What an earlier process knew, taken over at the start. Must not know files, nor how they are written.

use std::{collections::HashMap, sync::Arc};

use super::{
    Ledger,
    slow_start::{Occasion, Serving},
};
use crate::{
    engine::{
        health::fold::Health,
        types::{At, PoolId, TargetId},
    },
    node::{
        change::Change,
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
        let whom = match &names[..] {
            [only] => format!("{only} {}", target.address()),
            _ => format!("{} by {}", target.address(), self.world.monitors[target.monitor.at()].name),
        };
        Some(match &restored.last {
            Some(last) => format!("{whom} ({last})").into(),
            None => whom.into(),
        })
    }
}
