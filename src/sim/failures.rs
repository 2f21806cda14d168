//! What if something failed: how long clients are still sent to an endpoint that died right after a probe; whether they are
//! sent to a later pool when all probes fail at once, which may be a fault of this node alone; where clients of a region that has
//! no address of a family go for it. Must not know what was promised, nor what is told of it.

use super::clients::Clients;
use crate::{
    engine::{
        types::{Family, PoolId, RegionId},
        world::{World, endpoint::Endpoint, pool::Pool, service::Service},
    },
    probing::{millis::Millis, monitor::Rhythm},
};

/// The longest that clients of a service are sent to a dead endpoint of one of its pools.
#[derive(Clone, Copy, Debug)]
pub struct Failover<'a> {
    /// The pool for which it takes longest.
    pub pool: &'a Pool,
    /// When its endpoints are probed.
    pub timing: &'a Rhythm,
    /// Between a failure and the next probe.
    pub apart: Millis,
    /// From the death to the verdict.
    pub detection: Millis,
    /// For which resolvers keep the last answer.
    pub kept: Millis,
}

impl Failover<'_> {
    /// From the death until no resolver has the endpoint in an answer.
    #[must_use]
    pub fn total(&self) -> Millis {
        self.detection.plus(self.kept)
    }
}

/// The failover of a service by the worst that monitors and TTLs let happen, summed up; none where no pool is probed.
#[must_use]
pub fn slowest_failover<'a>(world: &'a World, service: &Service) -> Option<Failover<'a>> {
    let kept = service.ttl_max.millis();
    let of = |pool: &'a Pool| {
        let timing = &world.monitors.get(pool.monitor?.at())?.rhythm;
        let apart = timing.recheck.max(timing.timeout);
        let detection = timing.interval.plus(apart.times(timing.fall.saturating_sub(1).into())).plus(timing.timeout);
        Some(Failover { pool, timing, apart, detection, kept })
    };
    let pools = service.pools(world).filter_map(|id| world.pools.get(id.at()));
    pools.filter_map(of).max_by_key(|failover| failover.detection)
}

/// A pool that gives way, and the later pool that answers instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivesWay {
    /// The first pool.
    pub first: PoolId,
    /// The later pool.
    pub later: PoolId,
}

/// Which pool answers for the first pool of a service when all probes fail at once; none where the first one still does,
/// or no later one can.
#[must_use]
pub fn all_probes_fail(world: &World, service: &Service) -> Option<GivesWay> {
    let pools: Vec<(PoolId, &Pool)> =
        service.pools(world).filter_map(|id| Some((id, world.pools.get(id.at())?))).collect();
    let (&(first, pool), behind) = pools.split_first()?;
    let &(later, _) = behind.iter().find(|(_, later)| takes_over(pool, later))?;
    Some(GivesWay { first, later })
}

/// Whether a pool, all of which is probed, gives way to a later one that such a fault may leave up: it has an endpoint
/// without a monitor, or one in a region of its own, which may be lost last and be held.
fn takes_over(first: &Pool, later: &Pool) -> bool {
    fn weighted(pool: &Pool) -> impl Iterator<Item = &Endpoint> {
        pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
    }
    let is_probed = |endpoint: &Endpoint| endpoint.targets.iter().any(Option::is_some);
    let is_apart = |endpoint: &Endpoint| weighted(first).all(|other| other.region != endpoint.region);
    weighted(first).all(is_probed) && weighted(later).any(|endpoint| !is_probed(endpoint) || is_apart(endpoint))
}

/// The regions where the clients of a region find the family.
#[must_use]
pub fn without_family(world: &World, pool: &Pool, region: RegionId, family: Family) -> Vec<RegionId> {
    let Some(clients) = Clients::of_pool(world, pool) else { return Vec::new() };
    let (inside, with) = (clients.set(|e| e.region == region), clients.set(|e| e.address(family).is_some()));
    // The clients that would go to it; where none would while all are up, those that may.
    let (mut found, mut later) = (0, 0);
    for client in clients.all() {
        let within = clients.eligible(client, true);
        let open = clients.eligible(client, false);
        let eligible = if within == 0 { open } else { within };
        let left = if eligible & with == 0 { open & with } else { eligible & with };
        if clients.nearest(client, eligible) & inside != 0 {
            found |= clients.nearest(client, left);
        } else if open & inside != 0 {
            later |= clients.nearest(client, left);
        }
    }
    let found = if found == 0 { later } else { found };
    let mut heirs: Vec<RegionId> =
        pool.endpoints.iter().enumerate().filter(|(n, _)| found >> n & 1 == 1).map(|(_, e)| e.region).collect();
    heirs.sort_unstable();
    heirs.dedup();
    heirs
}
