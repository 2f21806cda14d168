//! Which targets an outcome of a probe belongs to: several, where two monitors ask the same of the same address. Must not know
//! what an outcome means.

use std::collections::HashMap;

use super::target::Target;
use crate::{engine::types::TargetId, probing::identity::ProbeId};

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
