//! What if an endpoint died right after a probe, and hung from then on: how long clients may still be sent to it. Must not
//! know what was promised.

use crate::{
    engine::world::{World, pool::Pool, service::Service},
    probing::monitor::Rhythm,
};

/// The longest that clients of a service are sent to a dead endpoint of one of its pools.
#[derive(Clone, Copy, Debug)]
pub struct Failover<'a> {
    /// The pool for which it takes longest.
    pub pool: &'a Pool,
    /// When its endpoints are probed.
    pub timing: &'a Rhythm,
    /// Milliseconds between a failure and the next probe.
    pub apart: u64,
    /// Milliseconds from the death to the verdict.
    pub detection: u64,
    /// Milliseconds for which resolvers keep the last answer.
    pub kept: u64,
}

impl Failover<'_> {
    /// Milliseconds from the death until no resolver has the endpoint in an answer.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.detection + self.kept
    }
}

/// The failover of a service by the worst that monitors and TTLs let happen, summed up; none where no pool is probed.
#[must_use]
pub fn slowest_failover<'a>(world: &'a World, service: &Service) -> Option<Failover<'a>> {
    let kept = service.ttl_max.millis();
    let of = |pool: &'a Pool| {
        let timing = &world.monitors.get(pool.monitor?.at())?.rhythm;
        let apart = timing.recheck.max(timing.timeout);
        let detection = timing.interval + u64::from(timing.fall.saturating_sub(1)) * apart + timing.timeout;
        Some(Failover { pool, timing, apart, detection, kept })
    };
    let pools = service.pools(world).filter_map(|id| world.pools.get(id.at()));
    pools.filter_map(of).max_by_key(|failover| failover.detection)
}
