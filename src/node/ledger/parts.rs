//! Targets that are made of other targets: their verdicts, and when these can turn. Must not know probes.

use super::{Ledger, derive::mean};
use crate::{
    engine::{
        health::fold::{Health, Outcome, Transition},
        types::{At, Millis, TargetId},
        units::Rtt,
        world::Asks,
    },
    node::change::{Because, of_parts},
};

impl Ledger {
    /// Works out the verdict of a target that is made of others, and says how it turned.
    pub(super) fn compose(&mut self, at: At, id: TargetId) -> Option<(Transition, Because)> {
        let Asks::Several { needed, of, .. } = &self.world.targets[id.at()].asks else { return None };
        let parts: Vec<Health> = of.iter().map(|part| self.facts.records[part.at()].health).collect();
        let to = verdict(*needed as usize, &parts);
        let from = self.facts.records[id.at()].health;
        if from == to {
            return None;
        }
        let name = |part: &TargetId| self.world.monitors[self.world.targets[part.at()].monitor.at()].name.clone();
        let (needed, parts): (u32, Vec<_>) = (*needed, of.iter().map(name).zip(parts).collect());
        let outcome = match to {
            Health::Up => Outcome::good(self.took(id).map_or(0, Rtt::micros)),
            _ => Outcome::Bad(of_parts(needed, &parts).into()),
        };
        let record = &mut self.facts.records[id.at()];
        (record.health, record.since) = (to, at);
        record.keep(at, outcome);
        Some((Transition { from, to }, Because::Parts { needed, parts }))
    }

    /// How long a target takes on average: one that is made of others, the mean of theirs.
    pub(super) fn took(&self, id: TargetId) -> Option<Rtt> {
        match &self.world.targets[id.at()].asks {
            Asks::Probe(_) => self.facts.timings[id.at()].response.average(),
            Asks::Several { of, .. } => {
                mean(&of.iter().map(|part| Some(self.took(*part)?.0)).collect::<Vec<_>>()).map(Rtt)
            }
        }
    }

    /// Works out all of them, in silence.
    pub(super) fn compose_all(&mut self, at: At) {
        for id in 0..self.world.targets.len() as u32 {
            self.compose(at, TargetId(id));
        }
    }

    /// Whether all that a target rests on has been heard of.
    pub(super) fn is_heard(&self, id: TargetId) -> bool {
        match &self.world.targets[id.at()].asks {
            Asks::Probe(_) => self.facts.records[id.at()].is_heard(),
            Asks::Several { of, .. } => of.iter().all(|part| self.is_heard(*part)),
        }
    }

    /// How long until a target's verdict can change at the earliest; none while nothing points that way.
    pub(super) fn change_in(&self, now: At, id: TargetId) -> Option<Millis> {
        let target = &self.world.targets[id.at()];
        let record = &self.facts.records[id.at()];
        let Asks::Several { needed, of, .. } = &target.asks else {
            let monitor = &self.world.monitors[target.monitor.at()];
            return record.change_in(&monitor.rhythm, &monitor.calm, now);
        };
        let are = |health| of.iter().filter(move |part| self.facts.records[part.at()].health == health);
        let needed = *needed as usize;
        // So many of those that are so would have to turn.
        let (turning, count) = match record.health {
            Health::Up => (Health::Up, (are(Health::Up).count() + 1).saturating_sub(needed)),
            Health::Down => (Health::Down, (needed + are(Health::Down).count()).saturating_sub(of.len())),
            Health::Unknown => return None,
        };
        let mut times: Vec<Millis> = are(turning).filter_map(|part| self.change_in(now, *part)).collect();
        times.sort_unstable();
        times.get(count.checked_sub(1)?).copied()
    }
}

/// Up where enough are up, down where enough cannot be, else unknown.
fn verdict(needed: usize, parts: &[Health]) -> Health {
    let are = |health| parts.iter().filter(|part| **part == health).count();
    if are(Health::Up) >= needed {
        Health::Up
    } else if parts.len() - are(Health::Down) < needed {
        Health::Down
    } else {
        Health::Unknown
    }
}
