//! What is to be probed, and how that differs from what is being probed. Pure.

use std::{collections::HashMap, sync::Arc};

use crate::engine::{
    health::{
        fold::Record,
        monitor::{ProbeKey, Rhythm},
        rules::Rate,
    },
    snapshot::{Snapshot, World},
};

/// What is to be probed and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    beats: HashMap<Arc<ProbeKey>, Rhythm>,
    rate: Rate,
    /// What is known already of those that are not probed yet.
    known: HashMap<Arc<ProbeKey>, Record>,
}

/// What to do to get from one plan to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) start: Vec<(Arc<ProbeKey>, Rhythm)>,
    pub(super) stop: Vec<Arc<ProbeKey>>,
    pub(super) retime: Vec<(Arc<ProbeKey>, Rhythm)>,
}

impl Plan {
    /// The plan of a configuration. Where two monitors ask the same of the same address, the probes are shared and
    /// follow the quicker rhythm; each monitor counts them by its own `fall` and `rise`.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let mut plan = Self { rate: world.health.rate, ..Self::default() };
        for target in &world.targets {
            if let Some(key) = target.key() {
                plan.add(Arc::clone(key), world.monitors[target.monitor.at()].rhythm);
            }
        }
        plan
    }

    /// The plan of the configuration in force, where something may be known of targets that nobody has probed: what an
    /// earlier process has left. Their probes count on from it, as the ledger does.
    #[must_use]
    pub fn resumed(snapshot: &Snapshot) -> Self {
        let mut plan = Self::of(&snapshot.world);
        for (target, record) in snapshot.world.targets.iter().zip(&snapshot.targets) {
            if let Some(key) = target.key().filter(|_| record.is_heard()) {
                plan.known.entry(Arc::clone(key)).or_insert_with(|| record.clone());
            }
        }
        plan
    }

    /// What is known of a target.
    pub(super) fn known(&self, key: &ProbeKey) -> Record {
        self.known.get(key).cloned().unwrap_or_default()
    }

    /// How many probes may begin in a second.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    fn add(&mut self, key: Arc<ProbeKey>, rhythm: Rhythm) {
        let quickness = |rhythm: &Rhythm| (rhythm.interval, rhythm.timeout, rhythm.recheck);
        let known = self.beats.entry(key).or_insert(rhythm);
        if quickness(&rhythm) < quickness(known) {
            *known = rhythm;
        }
    }

    /// What to do where `running` is under way.
    pub(super) fn diff<'a>(&self, running: impl Iterator<Item = (&'a Arc<ProbeKey>, Rhythm)>) -> Diff {
        let mut diff = Diff::default();
        let mut fresh = self.beats.clone();
        for (key, rhythm) in running {
            match fresh.remove(key) {
                None => diff.stop.push(Arc::clone(key)),
                Some(wanted) if wanted != rhythm => diff.retime.push((Arc::clone(key), wanted)),
                Some(_) => {}
            }
        }
        diff.start = fresh.into_iter().collect();
        diff
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::health::check::Check;

    const SLOW: Rhythm = Rhythm { interval: 1000, timeout: 800, recheck: 200, fall: 3, rise: 2 };
    const QUICK: Rhythm = Rhythm { interval: 500, ..SLOW };

    fn key(port: u16) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(port), [192, 0, 2, 1].into()))
    }

    fn plan(beats: &[(u16, Rhythm)]) -> Plan {
        let mut plan = Plan::default();
        for (port, rhythm) in beats {
            plan.add(key(*port), *rhythm);
        }
        plan
    }

    #[test]
    fn only_what_differs_is_touched() {
        let old = plan(&[(1, SLOW), (2, SLOW), (3, SLOW)]);
        let new = plan(&[(2, SLOW), (3, QUICK), (4, QUICK)]);
        let diff = new.diff(old.beats.iter().map(|(key, rhythm)| (key, *rhythm)));
        let expected = Diff { start: vec![(key(4), QUICK)], stop: vec![key(1)], retime: vec![(key(3), QUICK)] };
        assert_eq!(diff, expected);
    }

    #[test]
    fn shared_probes_follow_the_quicker_rhythm() {
        assert_eq!(plan(&[(1, SLOW), (1, QUICK)]), plan(&[(1, QUICK), (1, SLOW)]));
        assert_eq!(plan(&[(1, SLOW), (1, QUICK)]), plan(&[(1, QUICK)]));
    }
}
