//! All that is known, by number of target, pool, endpoint, region, route and service of the configuration in force. It can be
//! copied, and written down beside the number of that configuration. Must not know what queries read.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    beliefs::Beliefs,
    load::Reports,
    overrides::Words,
    ramp::{Ramp, Recovery},
};
use crate::engine::{
    health::fold::{Health, Record},
    signal::{shed::Shed, timing::Timing},
    types::{At, PerFamily, RegionId},
    units::Rtt,
    world::{World, table::Assignment},
};

/// What is known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// For each target, what is known of it, and how long it takes.
    pub(super) records: Vec<Record>,
    pub(super) timings: Vec<Arc<Timing>>,
    /// What the records count for.
    pub(super) beliefs: Beliefs,
    /// For each region, what it was said to be last, and since when; none: nothing yet.
    pub(super) said: Vec<Option<(Health, At)>>,
    /// For each endpoint, what is kept beside its health.
    pub(super) live: Vec<Live>,
    /// For each pool, what was up last.
    pub(super) last: Vec<LastKnown>,
    /// For each pool, its regions that came back with none of their endpoints serving.
    pub(super) returns: Vec<Returns>,
    /// What operators have said, and what is reported of load.
    pub(super) words: Words,
    pub(super) reports: Reports,
    /// For each service, since when its blocks are cut finer.
    pub(super) fine: Vec<Option<At>>,
    /// For each route whose demand is assigned to regions, how.
    pub(super) assignments: Vec<Option<Arc<Assignment>>>,
    /// Up to when everything has happened that time alone does.
    pub(super) passed: At,
    /// How often a target that had recovered was kept down.
    pub(super) suppressed: u64,
    /// Whether steered names are answered.
    pub(super) ready: bool,
}

/// What of a pool was up when last anything was, by measurement alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastKnown {
    /// The endpoints, as bits.
    pub(super) last: u64,
    /// For each family, those that were up in it.
    pub(super) last_in: PerFamily<u64>,
    /// Until when, as [`PoolRow::last_at`](crate::engine::live::PoolRow::last_at).
    pub(super) last_at: u64,
}

impl Facts {
    /// Whether they are about a configuration such as this one: as many of everything.
    pub(super) fn are_of(&self, world: &World) -> bool {
        let beliefs = [self.beliefs.believed.len(), self.beliefs.stood.len()];
        let known = [
            self.records.len(),
            self.timings.len(),
            self.said.len(),
            self.live.len(),
            self.last.len(),
            self.returns.len(),
            self.fine.len(),
            self.assignments.len(),
        ];
        beliefs == [world.targets.len(); 2]
            && known
                == [
                    world.targets.len(),
                    world.targets.len(),
                    world.regions.len(),
                    world.endpoint_count(),
                    world.pools.len(),
                    world.pools.len(),
                    world.services.len(),
                    world.routes.len(),
                ]
    }

    /// How many probed targets no probe has ended of.
    pub(super) fn unheard(&self, world: &World) -> usize {
        let probed = world.targets.iter().zip(&self.records).filter(|(target, _)| target.key().is_some());
        probed.filter(|(_, record)| !record.is_heard()).count()
    }
}

/// What is kept of an endpoint beside its health.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) recovery: Recovery,
    pub(super) shed: Shed,
    /// The response time that counts; 0: none is known.
    pub(super) response: Rtt,
}

impl Live {
    /// Whether it has served since it was down, without a weight, or new.
    pub(super) fn is_warm(&self) -> bool {
        self.recovery.cold.is_none()
    }
}

/// For each region of a pool that came back with none of its endpoints serving, how far it is.
pub(super) type Returns = BTreeMap<RegionId, Ramp>;
