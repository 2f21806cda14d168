//! What is probed, and which targets an outcome of a probe belongs to: several, where two monitors ask the same of the same
//! address. Must not know what an outcome means.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use crate::{
    engine::types::TargetId,
    probing::{
        identity::ProbeId,
        monitor::{MonitorId, ProbeKey},
    },
};

/// One thing that is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The monitor whose timing it follows.
    pub monitor: MonitorId,
    /// Where its health comes from.
    pub asks: Asks,
}

/// Where a target's health comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// Probes: what is asked of which address. History is carried by it.
    Probe(Arc<ProbeKey>),
    /// Other targets, which all stand before it in the list.
    Several {
        /// How many of them must be up.
        needed: u32,
        /// Their numbers.
        of: Vec<TargetId>,
        /// The address that they all are about.
        address: IpAddr,
    },
}

impl Target {
    /// A target that is probed.
    #[must_use]
    pub fn probed(monitor: MonitorId, key: Arc<ProbeKey>) -> Self {
        Self { monitor, asks: Asks::Probe(key) }
    }

    /// What is asked of which address, where it is probed itself.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<ProbeKey>> {
        match &self.asks {
            Asks::Probe(key) => Some(key),
            Asks::Several { .. } => None,
        }
    }

    /// The address that it is about.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        match &self.asks {
            Asks::Probe(key) => key.address,
            Asks::Several { address, .. } => *address,
        }
    }
}

/// The probed targets of a configuration, by what is probed.
#[derive(Debug, Default)]
pub struct Probes {
    targets: HashMap<ProbeId, Vec<TargetId>>,
    /// For each target, what is probed; none: it is made of others.
    ids: Vec<Option<ProbeId>>,
}

impl Probes {
    /// Those of a configuration's targets.
    #[must_use]
    pub fn of(all: &[Target]) -> Self {
        let ids: Vec<_> = all.iter().map(|target| target.key().map(|key| ProbeId::of(key))).collect();
        let mut targets: HashMap<ProbeId, Vec<TargetId>> = HashMap::new();
        for (n, id) in ids.iter().enumerate() {
            id.iter().for_each(|id| targets.entry(*id).or_default().push(TargetId(n as u32)));
        }
        Self { targets, ids }
    }

    /// The targets that are judged by a probe, in their order; none: it is not of this configuration.
    #[must_use]
    pub fn targets(&self, id: &ProbeId) -> &[TargetId] {
        self.targets.get(id).map_or(&[], Vec::as_slice)
    }

    /// What is probed for a target; none: it is made of others.
    #[must_use]
    pub fn id(&self, target: TargetId) -> Option<ProbeId> {
        self.ids.get(target.at()).copied().flatten()
    }
}
