//! What is to be probed, and how that differs from what is being probed. Pure.

use std::{collections::HashMap, sync::Arc};

use crate::{
    engine::{
        health::{fold::Record, rules::Rate},
        world::World,
    },
    node::status::Status,
    probing::monitor::{Calm, Monitor, ProbeKey, Rhythm},
};

/// What is to be probed and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    beats: HashMap<Arc<ProbeKey>, Arc<Beat>>,
    /// What is known of targets that have not been probed yet, for each of their judges.
    known: HashMap<Arc<ProbeKey>, Vec<Record>>,
    rate: Rate,
}

/// How a target is probed, and by whose rules it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beat {
    /// The quickest of its judges'.
    pub(super) rhythm: Rhythm,
    /// The monitors that ask it, in the order of the configuration's targets; at least one.
    pub(super) judges: Vec<Judge>,
}

/// The rules of one monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judge {
    pub(super) monitor: Box<str>,
    pub(super) rhythm: Rhythm,
    pub(super) calm: Calm,
}

/// What to do to get from one plan to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) start: Vec<(Arc<ProbeKey>, Arc<Beat>)>,
    pub(super) stop: Vec<Arc<ProbeKey>>,
    pub(super) change: Vec<(Arc<ProbeKey>, Arc<Beat>)>,
}

impl Plan {
    /// The plan of a configuration. Where two monitors ask the same of the same address, the probes are shared and
    /// follow the quicker rhythm; each monitor counts them by its own `fall` and `rise`.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let mut plan = Self { rate: world.health.rate, ..Self::default() };
        let beats: Vec<Arc<Beat>> = world.monitors.iter().map(|monitor| Arc::new(Beat::of(monitor))).collect();
        for target in world.targets.iter() {
            if let Some(key) = target.key() {
                plan.add(key, &beats[target.monitor.at()]);
            }
        }
        plan
    }

    /// The plan of the configuration in force, where something may be known of targets that nobody has probed: what an
    /// earlier process has left. Their probes count on from it, as the ledger does.
    #[must_use]
    pub fn resumed(status: &Status) -> Self {
        let mut plan = Self::of(&status.world);
        let mut known: HashMap<_, Vec<Record>> = HashMap::new();
        // In the order of the judges.
        for (target, record) in status.world.targets.iter().zip(&status.targets) {
            if let Some(key) = target.key() {
                known.entry(Arc::clone(key)).or_default().push(record.clone());
            }
        }
        known.retain(|_, records| records.iter().any(Record::is_heard));
        plan.known = known;
        plan
    }

    /// What its judges know of a target, in their order; nothing: none of them does.
    pub(super) fn known(&self, key: &ProbeKey) -> Vec<Record> {
        self.known.get(key).cloned().unwrap_or_default()
    }

    /// How many probes may begin in a second.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    fn add(&mut self, key: &Arc<ProbeKey>, beat: &Arc<Beat>) {
        match self.beats.get_mut(key) {
            None => _ = self.beats.insert(Arc::clone(key), Arc::clone(beat)),
            Some(shared) => Arc::make_mut(shared).join(beat),
        }
    }

    /// What to do where `running` is under way.
    pub(super) fn diff<'a>(&self, running: impl Iterator<Item = (&'a Arc<ProbeKey>, Arc<Beat>)>) -> Diff {
        let mut diff = Diff::default();
        let mut fresh = self.beats.clone();
        for (key, beat) in running {
            match fresh.remove(key) {
                None => diff.stop.push(Arc::clone(key)),
                Some(wanted) if wanted != beat => diff.change.push((Arc::clone(key), wanted)),
                Some(_) => {}
            }
        }
        diff.start = fresh.into_iter().collect();
        diff
    }
}

impl Beat {
    fn of(monitor: &Monitor) -> Self {
        let Monitor { name, rhythm, calm, .. } = monitor;
        Self { rhythm: *rhythm, judges: vec![Judge { monitor: name.clone(), rhythm: *rhythm, calm: *calm }] }
    }

    fn join(&mut self, other: &Self) {
        let quickness = |rhythm: &Rhythm| (rhythm.interval, rhythm.timeout, rhythm.recheck);
        if quickness(&other.rhythm) < quickness(&self.rhythm) {
            self.rhythm = other.rhythm;
        }
        self.judges.extend_from_slice(&other.judges);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            health::fold::{Health, Outcome},
            types::At,
            world::{Draft, Target},
        },
        node::{input::Input, ledger::Ledger},
        probing::{
            check::Check,
            millis::Millis,
            monitor::{MonitorId, Watch},
        },
    };

    const SLOW: Rhythm =
        Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
    const QUICK: Rhythm = Rhythm { interval: Millis(500), ..SLOW };

    fn key(port: u16) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(port), [192, 0, 2, 1].into()))
    }

    fn monitor(name: &str, rhythm: Rhythm) -> Monitor {
        let (name, watch, calm) = (name.into(), Watch::Probe(Check::tcp(0)), Calm::usual(rhythm.interval));
        Monitor { name, watch, rhythm, calm, source: None }
    }

    fn beat(rhythm: Rhythm) -> Arc<Beat> {
        Arc::new(Beat::of(&monitor("lb", rhythm)))
    }

    fn plan(beats: &[(u16, Rhythm)]) -> Plan {
        let mut plan = Plan::default();
        for (port, rhythm) in beats {
            plan.add(&key(*port), &beat(*rhythm));
        }
        plan
    }

    #[test]
    fn only_what_differs_is_touched() {
        let old = plan(&[(1, SLOW), (2, SLOW), (3, SLOW)]);
        let new = plan(&[(2, SLOW), (3, QUICK), (4, QUICK)]);
        let diff = new.diff(old.beats.iter().map(|(key, beat)| (key, Arc::clone(beat))));
        let start = vec![(key(4), beat(QUICK))];
        assert_eq!(diff, Diff { start, stop: vec![key(1)], change: vec![(key(3), beat(QUICK))] });
    }

    #[test]
    fn shared_probes_follow_the_quicker_rhythm_and_keep_all_judges() {
        for beats in [[(1, SLOW), (1, QUICK)], [(1, QUICK), (1, SLOW)]] {
            let shared = Arc::clone(&plan(&beats).beats[&key(1)]);
            assert_eq!(shared.rhythm, QUICK);
            let rhythms: Vec<Rhythm> = shared.judges.iter().map(|judge| judge.rhythm).collect();
            assert_eq!(rhythms, beats.map(|(_, rhythm)| rhythm));
        }
    }

    #[test]
    fn what_was_restored_goes_to_the_judge_of_its_monitor() {
        let target = |monitor, port| Target::probed(MonitorId(monitor), key(port));
        let hasty = Rhythm { fall: 1, ..QUICK };
        let world = Arc::new(World::seal(Draft {
            monitors: vec![monitor("one", SLOW), monitor("two", hasty)],
            targets: vec![target(0, 1), target(0, 2), target(1, 1)],
            ..Draft::default()
        }));
        let mut ledger = Ledger::new(world);
        for outcome in [Outcome::good(1), Outcome::Bad("status 503".into())] {
            ledger.fold(At(1), Input::outcome(&key(1), outcome));
        }
        let status = ledger.status(At(1));
        let plan = Plan::resumed(&status);
        let known = |port| {
            let (names, known) = (plan.beats[&key(port)].judges.iter(), plan.known(&key(port)));
            names.zip(known).map(|(judge, record)| (&*judge.monitor, record.health)).collect::<Vec<_>>()
        };
        assert_eq!(known(1), [("one", Health::Up), ("two", Health::Down)]);
        assert_eq!(known(2), [], "nothing is known of it");
    }
}
