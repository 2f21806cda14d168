//! Everything that one query reads: the compiled configuration and the live rows that belong to it, inseparable.

use std::sync::Arc;

use super::{
    geo::{Atlas, Map, RegionPoint},
    health::monitor::{Monitor, ProbeKey},
    steer::policy::{Endpoint, Policy, Pool, Service},
    types::{At, MonitorId},
    zone::ZoneSource,
};

/// The compiled configuration, immutable. The default is the empty one, which answers for no zone.
#[derive(Debug, Default)]
pub struct World {
    /// Regions in name order.
    pub regions: Vec<Region>,
    /// Monitors in name order.
    pub monitors: Vec<Monitor>,
    /// What is probed.
    pub targets: Vec<Target>,
    /// Endpoints of all pools, pool by pool.
    pub endpoints: Vec<Endpoint>,
    /// Pools in name order.
    pub pools: Vec<Pool>,
    /// Policies that pools use.
    pub policies: Vec<Policy>,
    /// Services in name order.
    pub services: Vec<Service>,
    /// The zones' static data.
    pub zones: Vec<ZoneSource>,
    /// Where addresses are.
    pub atlas: Atlas,
    /// From addresses to bands, for each distinct set of regions and rules.
    pub maps: Vec<Map>,
    /// What the draws are keyed with.
    pub secret: [u8; 16],
    /// What `id.server` answers; empty: nothing.
    pub identity: Box<str>,
    /// Sources whose ECS option is believed, as prefixes; empty: nobody's.
    pub ecs_from: Vec<super::types::Prefix>,
    /// The largest UDP reply, 512 to 4096.
    pub udp_max: u16,
}

/// A place with a data centre.
#[derive(Clone, Debug)]
pub struct Region {
    /// The key in the configuration.
    pub name: Box<str>,
    /// Where it is and what is known of the way there.
    pub point: RegionPoint,
}

/// One thing that is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose rhythm it follows.
    pub monitor: MonitorId,
    /// What is asked of whom; history is carried by it.
    pub key: Arc<ProbeKey>,
}

/// What one query reads.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub world: Arc<World>,
    /// One row for each pool.
    pub pools: Vec<PoolRow>,
    /// One row for each endpoint: milliseconds until its health can change at the earliest, `u32::MAX` when calm.
    pub change_in: Vec<u32>,
    /// Health of every target, for people; the query reads the rows.
    pub targets: Vec<super::health::fold::Record>,
    /// Whether steered names are answered: the first probe round has ended, or its deadline has passed.
    pub ready: bool,
    /// When it was made.
    pub at: At,
}

/// Who in a pool may answer, as bits counted from the pool's first endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolRow {
    /// Up in at least one family, or not monitored.
    pub up: u64,
    /// Not up, and not known to be down in every family.
    pub unknown: u64,
    /// For each family: an address that is not known to be down.
    pub alive: [u64; 2],
    /// Up, with failures counted: may go.
    pub falling: u64,
    /// Down, with successes counted: may come back.
    pub rising: u64,
}
