//! What records count for: health as it was found, but for what the governor or missing canaries keep from counting. Must not
//! know what decides that, nor how rows are made of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        health::{fold::Health, governor::Governed, sight::Sight},
        types::{At, Past, RegionId, TargetId},
    },
    node::{change::Keeper, ledger::members::Seats},
};

/// Beliefs beside records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Beliefs {
    /// For each target, what it counts as.
    pub(super) believed: Vec<Health>,
    /// For each target, what it counted as last that was up or down, and when it stopped to count as up.
    pub(super) stood: Vec<(Health, Option<Past>)>,
    /// Who was found down and does not count so, and what keeps it.
    pub(super) kept: BTreeMap<TargetId, Keeper>,
    /// Who counts, or is kept, otherwise than the rows say.
    #[serde(skip)]
    pub(super) moved: BTreeSet<TargetId>,
    pub(super) governed: Governed,
    pub(super) sight: Sight,
}

impl Beliefs {
    /// What a target counts as.
    pub(super) fn of(&self, id: TargetId) -> Health {
        self.believed.get(id.at()).copied().unwrap_or_default()
    }

    /// What keeps a target that was found down from counting so.
    pub(super) fn keeper(&self, id: TargetId) -> Option<Keeper> {
        self.kept.get(&id).copied()
    }

    /// Whether this node sees none of its canaries.
    pub(super) fn is_isolated(&self) -> bool {
        self.sight.is_isolated()
    }

    /// What the governor remembers.
    pub(super) fn governed(&self) -> &Governed {
        &self.governed
    }

    /// Who was found down and counts as something else, and as what.
    pub(super) fn kept(&self) -> Vec<(TargetId, Health)> {
        self.kept.keys().map(|id| (*id, self.of(*id))).collect()
    }

    /// How many regions are held.
    pub(super) fn held(&self) -> usize {
        self.governed.held().len()
    }

    /// Goes on with what is remembered of regions: by an earlier process, or before a reload. One without monitored
    /// endpoints is not of those of which a share may go.
    pub(super) fn resume(&mut self, mut governed: Governed, seats: &Seats) {
        governed.forget(|region| !seats.has(region));
        self.governed = governed;
    }

    /// When a target stopped to count as up.
    pub(super) fn fell(&mut self, id: TargetId, at: Option<Past>) {
        self.stood[id.at()].1 = at;
    }

    /// Counts a target as something.
    pub(super) fn take(&mut self, now: At, id: TargetId, health: Health) {
        self.believed[id.at()] = health;
        let (stood, fell) = &mut self.stood[id.at()];
        if health == Health::Down && *stood == Health::Up {
            *fell = Some(now.into());
        }
        if health != Health::Unknown {
            *stood = health;
        }
        self.moved.insert(id);
    }

    pub(super) fn keep(&mut self, id: TargetId, keeper: Keeper) {
        if self.kept.insert(id, keeper) != Some(keeper) {
            self.moved.insert(id);
        }
    }

    pub(super) fn is_held(&self, regions: &[RegionId]) -> bool {
        regions.iter().any(|region| self.governed.holds(*region))
    }
}
