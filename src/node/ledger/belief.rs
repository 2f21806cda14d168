//! What rows are made of: health as it was found, but for what the governor or missing canaries keep from counting. Must
//! not know how rows are made, nor how verdicts are come to.
//!
//! Only `down` is ever kept from counting. Who is kept stands as before; a recovery passes at once. `regions` says which
//! regions an event would empty.

mod regions;

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, beliefs::Beliefs};
use crate::{
    engine::{
        health::{
            fold::{Health, Outcome},
            governor::{Ended, Governed},
            sight::{Sight, SightTurn},
        },
        types::{At, Millis, RegionId, TargetId},
        world::{Asks, World},
    },
    node::change::{Believed, Change, Keeper, Late},
};

impl Ledger {
    /// Takes in what has been folded into a target's record, because of the newest outcome of `cause`. Says what became
    /// different; the rows of others are up to date then, those of the target itself are left to the caller.
    pub(super) fn believe(&mut self, now: At, id: TargetId, cause: TargetId) -> Vec<Change> {
        let (found, was) = (self.facts.records[id.at()].health, self.facts.beliefs.of(id));
        let mut changes = Vec::new();
        let mut all = self.watch(now, id, cause, &mut changes);
        if self.index.users[id.at()].is_empty() {
            // No endpoint stands or falls with it alone.
            self.facts.beliefs.take(now, id, found);
        } else if found != Health::Down {
            all |= self.facts.beliefs.kept.remove(&id).is_some();
            if found != was {
                self.facts.beliefs.take(now, id, found);
                all |= self.facts.beliefs.held() > 0;
            }
        } else if found != was {
            if self.facts.beliefs.keeper(id).is_none() {
                // Whoever has just gone down makes nobody else count otherwise, unless a region is held for it.
                self.facts.beliefs.keep(id, Keeper::Canaries);
                self.decide(now, vec![id], &mut changes);
            } else {
                // While its newest probe is a good one it stands.
                all |= self.has_relapsed(id);
            }
        }
        if all {
            self.judge(now, None, &mut changes);
        }
        self.facts.beliefs.moved.remove(&id);
        self.redraw(now, &mut changes);
        changes
    }

    /// Looks at a canary's outcome. True: what was kept for want of an answer may count now.
    pub(super) fn watch(&mut self, now: At, id: TargetId, cause: TargetId, changes: &mut Vec<Change>) -> bool {
        let canaries = &self.world.health.canaries;
        if !canaries.contains(&id) {
            return false;
        }
        let answers = |id: &TargetId| {
            let record = &self.facts.records[id.at()];
            record.evidence.last().map_or(record.health == Health::Up, |(_, newest)| newest.is_good() == Some(true))
        };
        let lost =
            |id: &TargetId| self.facts.records[id.at()].is_heard() && self.facts.records[id.at()].health != Health::Up;
        let (answer, any) = (answers(&id) && answers(&cause), canaries.iter().any(answers));
        let (lost, count) = (canaries.iter().all(lost), canaries.len());
        match self.facts.beliefs.sight.observe(now, answer, any, lost) {
            Some(SightTurn::Isolated) => changes.push(Change::Isolated { canaries: count }),
            Some(SightTurn::Sees(after)) => changes.push(Change::SeesCanaries { after }),
            None => return answer,
        }
        self.mark_all();
        answer
    }

    /// Whether a target that was found down counts as before, or one does that is made of it.
    pub(super) fn is_kept_up(&self, id: TargetId) -> bool {
        self.facts.beliefs.keeper(id).is_some() || self.index.above[id.at()].iter().any(|above| self.is_kept_up(*above))
    }

    /// Whether the newest probe of a target was good.
    pub(super) fn is_recovering(&self, id: TargetId) -> bool {
        self.facts.records[id.at()].evidence.last().is_some_and(|(_, newest)| newest.is_good() == Some(true))
    }

    /// Whether the newest probe of a target failed, and the one before it did not.
    fn has_relapsed(&self, id: TargetId) -> bool {
        let bad = |outcome: Option<&(At, Outcome)>| outcome.is_some_and(|(_, found)| found.is_good() == Some(false));
        let mut newest = self.facts.records[id.at()].evidence.iter().rev();
        bad(newest.next()) && !bad(newest.next())
    }

    /// The time in which a target is probed once, whatever happens.
    fn round(&self, id: TargetId) -> Millis {
        let target = &self.world.targets[id.at()];
        match &target.asks {
            Asks::Several { of, .. } => of.iter().map(|part| self.round(*part)).max().unwrap_or_default(),
            Asks::Probe(_) => {
                let rhythm = &self.world.monitors[target.monitor.at()].rhythm;
                rhythm.interval.plus(rhythm.timeout)
            }
        }
    }

    /// Whether canaries let a target that was found down count so.
    fn is_confirmed(&self, now: At, id: TargetId) -> bool {
        self.world.health.canaries.is_empty()
            || self.facts.beliefs.sight.confirms(now, self.facts.records[id.at()].since, self.round(id))
    }

    /// When time alone lets something count, or go, next.
    pub(super) fn beliefs_next(&self, now: At) -> Option<At> {
        if self.facts.beliefs.kept.is_empty() {
            return None;
        }
        let sight = &self.facts.beliefs.sight;
        let kept = self.facts.beliefs.kept.iter().filter(|(_, keeper)| **keeper == Keeper::Canaries);
        let waits = kept.filter_map(|(id, _)| sight.next(now, self.facts.records[id.at()].since, self.round(*id)));
        waits.chain(self.facts.beliefs.governed.next(&self.world.health.governor, now)).min()
    }

    /// Lets what is kept count, or go, as time wants.
    pub(super) fn pass_beliefs(&mut self, now: At, changes: &mut Vec<Change>) {
        // A reload may have taken away all that was kept, and left the hold.
        if !self.facts.beliefs.kept.is_empty() || self.facts.beliefs.held() > 0 {
            self.judge(now, None, changes);
            self.redraw(now, changes);
        }
    }

    /// Holds a region, whatever the governor's share, so that what is found down in it next is held: for explanations.
    pub fn suppose_held(&mut self, now: At, name: &str) {
        if let Some(at) = self.world.regions.iter().position(|region| *region.name == *name) {
            self.facts.beliefs.governed.hold(now, RegionId(at as u16));
        }
    }

    /// An operator lets a region go.
    pub(super) fn release(&mut self, now: At, name: &str, changes: &mut Vec<Change>) {
        let region = self.world.regions.iter().position(|region| *region.name == *name);
        let region = region.map(|at| RegionId(at as u16)).filter(|region| self.facts.beliefs.governed.holds(*region));
        if region.is_none() {
            changes.push(Change::NotHeld(name.into()));
            return;
        }
        self.judge(now, region, changes);
        self.redraw(now, changes);
    }

    /// Decides anew for all who were found down and do not count so. `freed`: a region that an operator lets go.
    pub(super) fn judge(&mut self, now: At, freed: Option<RegionId>, changes: &mut Vec<Change>) {
        let (rules, regions) = (self.world.health.governor, self.index.seats.count());
        let well = self.facts.beliefs.sight.well().filter(|_| !self.world.health.canaries.is_empty());
        let mut left: Vec<TargetId> = self.facts.beliefs.kept.keys().copied().collect();
        // Those that are held already are let go together, or not at all.
        let mut of: BTreeMap<RegionId, Vec<TargetId>> = BTreeMap::new();
        for id in left.iter().filter(|_| self.facts.beliefs.held() > 0) {
            self.regions_of(*id).into_iter().for_each(|region| of.entry(region).or_default().push(*id));
        }
        for (region, since) in self.facts.beliefs.governed.held() {
            let kept = of.remove(&region).unwrap_or_default();
            let operator = freed == Some(region);
            let ready = |id: &TargetId| self.may_count(now, *id) || operator && !self.is_recovering(*id);
            let ready: Vec<TargetId> = kept.iter().copied().filter(ready).collect();
            let empties = self.emptied(now, &ready);
            let governed = &self.facts.beliefs.governed;
            let why = match () {
                () if operator => Some(Ended::Operator),
                () if kept.is_empty() || !ready.is_empty() && !empties.contains(&region) => Some(Ended::Recovered),
                () if ready.is_empty() => None,
                () => {
                    let over = governed.over(&rules, regions, now, well, region);
                    over.filter(|_| governed.lets_go(&rules, regions, now, &empties))
                }
            };
            let Some(why) = why else { continue };
            self.facts.beliefs.governed.end(region);
            if matches!(why, Ended::Canaries | Ended::Release | Ended::Unlimited) {
                self.facts.beliefs.governed.empty(now, &empties);
            }
            if why != Ended::Recovered {
                ready.iter().for_each(|id| drop(self.count(now, *id)));
                left.retain(|id| !ready.contains(id));
            }
            let counted = if why == Ended::Recovered { &[][..] } else { &ready[..] };
            changes.push(self.let_go(now, region, why, since.until(now), counted));
        }
        self.decide(now, left, changes);
    }

    /// Whether neither canaries nor its newest probe speak against counting a target as down.
    fn may_count(&self, now: At, id: TargetId) -> bool {
        self.is_confirmed(now, id) && !self.is_recovering(id)
    }

    /// Decides for some who were found down and do not count so.
    fn decide(&mut self, now: At, mut ids: Vec<TargetId>, changes: &mut Vec<Change>) {
        let (rules, regions) = (self.world.health.governor, self.index.seats.count());
        ids.sort_by_key(|id| (self.facts.records[id.at()].since, *id));
        for id in ids {
            let own = self.regions_of(id);
            let confirmed = self.is_confirmed(now, id);
            // Until a canary has answered an endpoint stands as before; only the governor makes a pool give way.
            if self.facts.beliefs.is_held(&own)
                && (confirmed || self.facts.beliefs.keeper(id) == Some(Keeper::Governor))
            {
                self.facts.beliefs.keep(id, Keeper::Governor);
                continue;
            }
            if !confirmed {
                self.facts.beliefs.keep(id, Keeper::Canaries);
                continue;
            }
            if self.is_recovering(id) {
                self.facts.beliefs.keep(id, self.facts.beliefs.keeper(id).unwrap_or(Keeper::Canaries));
                continue;
            }
            let empties = self.emptied(now, &[id]);
            if empties.is_empty() || self.facts.beliefs.governed.admits(&rules, regions, now, &empties) {
                self.facts.beliefs.governed.empty(now, &empties);
                changes.extend(self.count(now, id));
                continue;
            }
            self.facts.beliefs.keep(id, Keeper::Governor);
            for region in empties {
                self.facts.beliefs.governed.hold(now, region);
                self.restore(now, region);
                changes.push(self.hold(now, region, None));
            }
        }
    }

    /// Counts a target as it was found, and tells of it where that comes late.
    fn count(&mut self, now: At, id: TargetId) -> Option<Change> {
        let record = &self.facts.records[id.at()];
        let late = self.facts.beliefs.keeper(id).filter(|_| record.since < now).map(|keeper| match keeper {
            Keeper::Governor => Late::NotHeld,
            Keeper::Canaries if self.world.health.canaries.is_empty() => Late::NoCanaries,
            Keeper::Canaries => Late::Answered,
        });
        let health = record.health;
        self.facts.beliefs.kept.remove(&id);
        self.facts.beliefs.take(now, id, health);
        // So that what is told of its pools is how they stand from now on.
        for n in 0..self.index.users[id.at()].len() {
            self.mark(self.index.users[id.at()][n].0);
        }
        self.derive(now);
        late.map(|why| {
            Change::Believed(Box::new(Believed {
                why,
                address: self.world.targets[id.at()].address(),
                endpoints: self.names_of(id),
                pools: self.standings(&[id]),
            }))
        })
    }

    /// Brings the rows of those up to date who count otherwise than before.
    pub(super) fn redraw(&mut self, now: At, changes: &mut Vec<Change>) {
        for id in std::mem::take(&mut self.facts.beliefs.moved) {
            let users = self.index.users[id.at()].clone();
            for (pool, set) in users {
                self.recover(now, pool, set, changes);
                self.mark(pool);
            }
        }
    }

    /// Counts those of a region as up again who went down in the window: it is held as it was.
    fn restore(&mut self, now: At, region: RegionId) {
        let window = self.world.health.governor.window;
        for id in self.targets_in(region) {
            let lately = self.facts.beliefs.stood[id.at()].1.is_some_and(|fell| fell.until(now) < window);
            if lately && self.facts.beliefs.of(id) == Health::Down && self.facts.records[id.at()].health == Health::Down
            {
                self.facts.beliefs.keep(id, Keeper::Governor);
                self.facts.beliefs.take(now, id, Health::Up);
            }
        }
    }

    /// Beliefs go with the records that they are beside, holds with the names of regions; who is found down and did not
    /// count so is left to be judged. `heirs`: for each target, whose record it has, by its place in the configuration
    /// before.
    pub(super) fn carry_beliefs(&mut self, now: At, old: &World, world: &World, heirs: &[Option<TargetId>]) {
        let before = &self.facts.beliefs;
        let number = |region: RegionId| {
            let name = &old.regions.get(region.at())?.name;
            world.regions.iter().position(|region| region.name == *name).map(|at| RegionId(at as u16))
        };
        let keeper = |id: &Option<TargetId>| id.and_then(|id| before.keeper(id)).unwrap_or(Keeper::Canaries);
        let keepers: Vec<Keeper> = heirs.iter().map(keeper).collect();
        let stood = |id: &Option<TargetId>| id.and_then(|id| before.stood.get(id.at()).copied()).unwrap_or_default();
        let governed = before.governed.carried(number);
        self.facts.beliefs = Beliefs {
            believed: heirs.iter().map(|id| id.map_or(Health::Unknown, |id| before.of(id))).collect(),
            stood: heirs.iter().map(stood).collect(),
            kept: BTreeMap::new(),
            moved: BTreeSet::new(),
            governed: Governed::default(),
            sight: if world.health.canaries.is_empty() { Sight::default() } else { before.sight },
        };
        self.facts.beliefs.resume(governed, &self.index.seats);
        for (n, keeper) in keepers.into_iter().enumerate() {
            let (id, found) = (TargetId(n as u32), self.facts.records[n].health);
            if found == Health::Down && self.facts.beliefs.of(id) != found && !self.index.users[n].is_empty() {
                self.facts.beliefs.kept.insert(id, keeper);
            } else if self.facts.beliefs.of(id) != found {
                self.facts.beliefs.take(now, id, found);
            }
        }
        self.facts.beliefs.moved.clear();
    }
}
