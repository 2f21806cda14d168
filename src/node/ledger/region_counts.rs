//! Which regions have an endpoint that is up, and which have lost their last one. Counted endpoint by endpoint as rows are
//! made, so that it costs what has changed, not what there is. Must not know why an endpoint is up or down.
//!
//! An endpoint that an operator has taken out (drained, forced down, weight 0) is not counted: a region that is empty only
//! by an operator's word is not lost.

use std::collections::BTreeSet;

use crate::engine::{
    health::fold::Health,
    types::{At, RegionId},
    world::World,
};

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// For each endpoint, what it is counted as; none: it is not counted.
    pub(super) classes: Vec<Option<Health>>,
    /// For each region, how many are unknown, up and down.
    pub(super) counts: Vec<[u32; 3]>,
    /// Regions of endpoints that are counted otherwise than when it was looked last.
    pub(super) moved: BTreeSet<RegionId>,
}

/// A region that has turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionChange {
    pub(super) region: RegionId,
    pub(super) to: Health,
    /// What was said of it before, and since when.
    pub(super) before: Option<(Health, At)>,
}

impl Regions {
    /// Nothing is counted yet in this configuration.
    pub(super) fn of(world: &World) -> Self {
        Self {
            classes: vec![None; world.endpoint_count()],
            counts: vec![[0; 3]; world.regions.len()],
            moved: BTreeSet::new(),
        }
    }

    /// Counts an endpoint, by its place among all, as something.
    pub(super) fn count(&mut self, index: usize, region: RegionId, class: Option<Health>) {
        let (Some(known), Some(counts)) = (self.classes.get_mut(index), self.counts.get_mut(region.at())) else {
            return;
        };
        let before = std::mem::replace(known, class);
        if before == class {
            return;
        }
        if let Some(before) = before {
            counts[before as usize] = counts[before as usize].saturating_sub(1);
        }
        if let Some(class) = class {
            counts[class as usize] += 1;
        }
        self.moved.insert(region);
    }

    /// What a region comes to: up with an endpoint that is. Without one, a region that was up is down with an endpoint that
    /// is, though others are unknown; at a start it is unknown as long as one is. None: none is counted.
    pub(super) fn health(&self, region: RegionId, said: Option<(Health, At)>) -> Option<Health> {
        let counts = self.counts.get(region.at())?;
        let was_up = matches!(said, Some((Health::Up, _)));
        let rest = if was_up { [Health::Down, Health::Unknown] } else { [Health::Unknown, Health::Down] };
        [Health::Up].into_iter().chain(rest).find(|health| counts[*health as usize] > 0)
    }

    /// Regions that have turned since this was asked last: to up or down. `said`: for each region what it was said to be
    /// last, and since when.
    pub(super) fn turns(&mut self, now: At, said: &mut [Option<(Health, At)>]) -> Vec<RegionChange> {
        let mut turns = Vec::new();
        for region in std::mem::take(&mut self.moved) {
            let Some(said) = said.get_mut(region.at()) else { continue };
            let Some(health) = self.health(region, *said).filter(|health| *health != Health::Unknown) else { continue };
            if said.is_none_or(|(known, _)| known != health) {
                turns.push(RegionChange { region, to: health, before: said.replace((health, now)) });
            }
        }
        turns
    }
}
