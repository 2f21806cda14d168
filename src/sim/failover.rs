//! What if an endpoint died right after a probe, and hung from then on: how long clients may still be sent to it. Must not
//! know what was promised.

use crate::{
    engine::world::{World, pool::Pool, service::Service},
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
