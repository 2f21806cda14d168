//! The prober of a simulation: probes begin and end by the monitors' rhythm, and find how targets behave. Its moments are
//! milliseconds from the beginning, as plain numbers; lengths of time are typed.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::Behaviour;
use crate::{
    engine::{
        health::fold::Outcome,
        types::Millis,
        world::{Target, World},
    },
    probing::monitor::{Monitor, ProbeKey},
};

/// How soon a target answers of which nothing is said, in microseconds.
const TOOK: u64 = 1000;

/// All probes, by what they ask.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// What is under way, or when the next begins.
    under_way: HashMap<Arc<ProbeKey>, Probe>,
    /// How the target at an address behaves, towards one monitor or all, and since when.
    behaviour: BTreeMap<(IpAddr, Option<String>), (Behaviour, u64)>,
}

/// One target's probes.
#[derive(Clone, Debug)]
enum Probe {
    /// The next one begins then.
    Due(u64),
    /// One began, ends, and will have found something.
    UnderWay { began: u64, ends: u64, found: Outcome },
}

impl Probe {
    fn moment(&self) -> u64 {
        match self {
            Self::Due(moment) | Self::UnderWay { ends: moment, .. } => *moment,
        }
    }
}

impl Probes {
    /// Another configuration is in force: what is probed already goes on, what is new begins.
    pub(super) fn adopt(&mut self, world: &World, now: u64) {
        self.under_way.retain(|key, _| world.targets.iter().any(|target| target.key() == Some(key)));
        for key in world.targets.iter().filter_map(Target::key) {
            self.under_way.entry(Arc::clone(key)).or_insert(Probe::Due(now));
        }
    }

    /// What answers at an address behaves so from now on, towards one monitor or all.
    pub(super) fn behaves(&mut self, address: IpAddr, monitor: Option<&str>, how: &Behaviour, now: u64) {
        if monitor.is_none() {
            self.behaviour.retain(|(known, _), _| *known != address);
        }
        self.behaviour.insert((address, monitor.map(str::to_owned)), (how.clone(), now));
    }

    /// When the next probe begins or ends, and which target's it is, by its place in the world: the first of those that
    /// are due together.
    pub(super) fn next(&self, world: &World) -> Option<(u64, usize)> {
        let moments = world.targets.iter().enumerate();
        let moments = moments.filter_map(|(at, target)| Some((self.under_way.get(target.key()?)?.moment(), at)));
        moments.min()
    }

    /// A target's next step is taken: a probe begins, or ends with what it found.
    pub(super) fn step(&mut self, key: &Arc<ProbeKey>, monitor: &Monitor, now: u64) -> Option<Outcome> {
        let probe = self.under_way.get(key)?.clone();
        match probe {
            Probe::UnderWay { found, .. } => Some(found),
            Probe::Due(_) => {
                let (takes, found) = self.find(key.address, monitor, now);
                self.under_way.insert(Arc::clone(key), Probe::UnderWay { began: now, ends: now + takes.0, found });
                None
            }
        }
    }

    /// The probe that has ended is followed by one that begins `wait` after it began.
    pub(super) fn go_on(&mut self, key: &Arc<ProbeKey>, wait: Millis, now: u64) {
        if let Some(probe) = self.under_way.get_mut(key)
            && let Probe::UnderWay { began, .. } = *probe
        {
            *probe = Probe::Due((began + wait.0).max(now));
        }
    }

    /// How long a probe takes that begins now, and what it finds.
    fn find(&self, address: IpAddr, monitor: &Monitor, now: u64) -> (Millis, Outcome) {
        let rhythm = &monitor.rhythm;
        let refused = || Outcome::Bad("connection refused".into());
        let own = self.behaviour.get(&(address, Some(monitor.name.to_string())));
        match own.or_else(|| self.behaviour.get(&(address, None))) {
            None => (Millis::ZERO, Outcome::good(TOOK)),
            Some((Behaviour::Works(took), _)) if Millis(took / 1000) > rhythm.timeout => {
                (rhythm.timeout, Outcome::Bad("no answer in time".into()))
            }
            Some((Behaviour::Works(took), _)) => (Millis::ZERO, Outcome::good(*took)),
            Some((Behaviour::Fails(why), _)) => (Millis::ZERO, Outcome::Bad(why.as_str().into())),
            Some((Behaviour::Hangs, _)) => (rhythm.timeout, Outcome::Bad("no answer in time".into())),
            Some((Behaviour::Flaps(long), since)) if ((now - since) / long.0).is_multiple_of(2) => {
                (Millis::ZERO, refused())
            }
            Some((Behaviour::Flaps(_), _)) => (Millis::ZERO, Outcome::good(TOOK)),
            Some((Behaviour::NoRoute, _)) => (Millis::ZERO, Outcome::NoRoute),
        }
    }
}
