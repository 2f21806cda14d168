//! What is steered and by which rules, compiled: endpoints, pools, services, policies. Plain data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::engine::{
    types::{EndpointId, MapId, MonitorId, PolicyId, PoolId, RegionId, TargetId},
    wire::name::Name,
};

/// The most endpoints of a pool, so that a set of them is one machine word.
pub const MAX_ENDPOINTS: usize = 64;
/// The largest weight.
pub const MAX_WEIGHT: u32 = 1_048_575;

/// One VIP in a region.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The key in the pool's table.
    pub name: Box<str>,
    /// Where it is.
    pub region: RegionId,
    /// Its IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// Its share against its neighbours; 0 is never chosen, not even when all is lost.
    pub weight: u32,
    /// Its position for the key `order`: smaller is preferred, equal is equal.
    pub order: u32,
    /// What is probed for each family; none without an address of the family or without a monitor.
    pub targets: [Option<TargetId>; 2],
}

/// Endpoints that are steered together.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The key in the configuration.
    pub name: Box<str>,
    /// The first of its endpoints; the others follow it, in name order.
    pub first: EndpointId,
    /// How many they are, 1 to 64.
    pub count: u8,
    /// Who judges them; none: always up.
    pub monitor: Option<MonitorId>,
    /// How they are ranked and shared out.
    pub policy: PolicyId,
    /// The map that gives a client's bands; none when the policy does not ask where a client is.
    pub map: Option<MapId>,
}

/// How endpoints are ranked and shared out, with presets and `extends` resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The name it was given, or the preset's.
    pub name: Box<str>,
    /// Rank: keys compared in turn, each with how much worse than the best still counts as equal.
    pub prefer: Vec<(Key, u32)>,
    /// How the equal-best share.
    pub spread: Spread,
    /// Block lengths (v4, v6) finer than the default.
    pub sticky: Option<[u8; 2]>,
    /// How many distinct endpoints an answer names, at most one of each region.
    pub answers: u8,
    /// Regions whose order is kept for each client.
    pub depth: u8,
}

/// A key that ranks endpoints. Smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The endpoint's [`Endpoint::order`].
    Order,
    /// Expected round-trip time from the client, in tenths of a millisecond.
    Rtt,
    /// Great-circle distance from the client, in kilometres.
    Distance,
}

/// How the best band shares the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spread {
    /// By weight; a block's choice changes with the slot.
    Weighted,
    /// In turn by slot, weights kept, smoothly.
    RoundRobin,
    /// By weight; a block keeps its choice (weighted rendezvous).
    Hash,
    /// By weight; every query draws anew.
    Random,
    /// Everybody in the band at once.
    All,
}

impl Policy {
    /// Whether the client's location is asked.
    #[must_use]
    pub fn asks_location(&self) -> bool {
        self.prefer.iter().any(|(key, _)| matches!(key, Key::Rtt | Key::Distance))
    }

    /// Whether two clients that rank all endpoints alike may still get different answers, so that the block matters.
    #[must_use]
    pub fn asks_block(&self) -> bool {
        matches!(self.spread, Spread::Weighted | Spread::RoundRobin | Spread::Hash)
    }
}

/// A steered name.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its owner name.
    pub name: Name,
    /// Pools in fallback order; at least one.
    pub pools: Vec<PoolId>,
    /// Longest TTL in seconds, and the length of a slot.
    pub ttl_max: u32,
    /// Shortest TTL in seconds.
    pub ttl_min: u32,
    /// What is answered when no pool has an eligible endpoint.
    pub when_all_down: Fallback,
    /// What draws are keyed with: services that share it agree on the region.
    pub affinity: Box<[u8]>,
    /// The distinct maps of its pools.
    pub maps: Vec<MapId>,
    /// How the client's block is cut, when any pool's policy asks for the block: the longest length (v4, v6) that its
    /// policies want. None: the block is the catchment.
    pub cut: Option<[u8; 2]>,
}

/// What is answered when no pool has an eligible endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Rank and spread as if all were up.
    IgnoreHealth,
    /// Every address of the first pool.
    ServeAll,
    /// An empty answer.
    NoData,
    /// A server failure.
    ServFail,
    /// These addresses.
    Addresses(Vec<IpAddr>),
}
