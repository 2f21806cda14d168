//! What is steered and by which rules, compiled: endpoints, pools, services, policies. Plain data.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use super::{
    World,
    draw::Seed,
    table::{PoolTable, RouteTable, ServiceTable},
};
use crate::{
    engine::{
        geo::{Fence, Limits, Map, Preferences},
        types::{EndpointId, Family, MapId, PerFamily, PolicyId, PoolId, RegionId, RouteId, TargetId},
        wire::{fragment::Fragment, name::Name, rr::RrType, write::https_head},
    },
    probing::monitor::MonitorId,
};

/// The most endpoints of a pool, so that a set of them is one machine word.
pub const MAX_ENDPOINTS: usize = 64;
/// The largest weight.
pub const MAX_WEIGHT: u32 = 1_048_575;

/// One VIP in a region.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub targets: PerFamily<Option<TargetId>>,
    /// Where probes and load reports of each family are asked for: its address, unless the configuration says another.
    pub reach: PerFamily<Option<IpAddr>>,
    /// Another name that stands in for it; it has no address then.
    pub cname: Option<Name>,
    /// What fails together: endpoints of one group are one for `distinct = "group"`. By the group's name.
    pub group: Option<Box<str>>,
    /// What it can take, in the unit that its load is reported in.
    pub capacity: Option<f64>,
    /// The fences that it stands behind: its own, its pool's and its region's, those that keep nobody out left away.
    pub fences: Vec<Fence>,
}

impl Endpoint {
    /// Its address of a family.
    #[must_use]
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.v4.map(IpAddr::V4),
            Family::V6 => self.v6.map(IpAddr::V6),
        }
    }
}

/// Endpoints that are steered together.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The key in the configuration.
    pub name: Box<str>,
    /// Its endpoints, 1 to 64, in name order.
    pub endpoints: Vec<Endpoint>,
    /// The number of the first of them among those of all pools; the others follow it. Given when the world is built.
    pub first: EndpointId,
    /// The monitor that probes them; none: always up.
    pub monitor: Option<MonitorId>,
    /// Below this many eligible endpoints the next pool answers.
    pub min_healthy: Threshold,
    /// Below this share of endpoints that are up, measured health is distrusted, when no later pool can answer.
    pub panic: Threshold,
    /// Where its load reports come from, by the name in the configuration; none: nothing is reported.
    pub load: Option<Box<str>>,
    /// What queries read of it, laid out when the world is built.
    pub table: PoolTable,
}

impl Default for Pool {
    /// A pool without endpoints, with the configuration's defaults.
    fn default() -> Self {
        Self {
            name: Box::default(),
            endpoints: Vec::new(),
            first: EndpointId(0),
            monitor: None,
            min_healthy: Threshold::ONE,
            panic: Threshold::NEVER,
            load: None,
            table: PoolTable::default(),
        }
    }
}

impl Pool {
    /// How many endpoints it has.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u8 {
        self.endpoints.len() as u8
    }

    /// Its endpoints with their position in it and their number among those of all pools.
    pub fn members(&self) -> impl Iterator<Item = (u8, EndpointId, &Endpoint)> {
        (0_u8..).zip(&self.endpoints).map(|(n, endpoint)| (n, self.id(n), endpoint))
    }

    /// The number of an endpoint among those of all pools.
    #[must_use]
    #[inline]
    pub fn id(&self, n: u8) -> EndpointId {
        EndpointId(self.first.0 + u32::from(n))
    }

    /// Its part of what is kept for every endpoint of all pools.
    #[must_use]
    #[inline]
    pub fn part<'a, T>(&self, of_all: &'a [T]) -> &'a [T] {
        of_all.get(self.first.at()..self.first.at() + self.endpoints.len()).unwrap_or_default()
    }
}

/// A way through a pool: under a policy, which is the pool's own or a service's, by the map that both want.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The pool.
    pub pool: PoolId,
    /// How its endpoints are ranked and shared out.
    pub policy: PolicyId,
    /// The map that gives a client's bands and fences; none when neither asks where a client is.
    pub map: Option<MapId>,
    /// What queries read of it, laid out when the world is built.
    pub table: RouteTable,
}

/// A number of endpoints, or a share of those that could answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many.
    Count(u8),
    /// So many parts of a thousand, rounded up.
    Share(u16),
}

impl Threshold {
    /// One endpoint: nobody answers with none.
    pub const ONE: Self = Self::Count(1);
    /// No share is smaller.
    pub const NEVER: Self = Self::Share(0);

    /// How many endpoints of `of` it means.
    #[must_use]
    pub fn of(self, of: u32) -> u32 {
        match self {
            Self::Count(count) => u32::from(count),
            Self::Share(parts) => (u32::from(parts) * of).div_ceil(1000),
        }
    }
}

/// How endpoints are ranked and shared out, with presets and `extends` resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// What no two endpoints of an answer have in common.
    pub distinct: Distinct,
    /// The worst round-trip time (tenths of a millisecond) and distance (kilometres) that is taken while anything better
    /// lives.
    pub limits: Limits,
    /// What the key `geo` goes by.
    pub preferences: Option<Arc<Preferences>>,
    /// Load ÷ capacity, in parts of a thousand, where blocks start to move on, and where all must.
    pub shed: Option<[u16; 2]>,
    /// Milliseconds from recovery to a whole share; 0: at once.
    pub slow_start: u64,
}

impl Policy {
    /// Whether every endpoint takes every block, but for what operators say: nothing sheds, ramps or is assigned.
    #[must_use]
    pub fn admits_all(&self) -> bool {
        self.shed.is_none() && self.slow_start == 0 && self.prefer.iter().all(|(key, _)| *key != Key::Load)
    }
}

/// What no two endpoints of an answer have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Distinct {
    /// The region.
    #[default]
    Region,
    /// The failure group; an endpoint without one is a group of its own.
    Group,
    /// Nothing but being one endpoint.
    Nothing,
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
    /// The region's place in the client's order by [`Preferences`].
    Geo,
    /// Reported load ÷ capacity, in parts of a thousand; as reported where no capacity is set.
    Load,
    /// The prober's response time in tenths of a millisecond × (1 + load).
    Response,
}

/// How the best band shares the clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spread {
    /// By weight; a block's choice changes with the slot.
    Weighted,
    /// In turn by slot, weights kept, smoothly.
    RoundRobin,
    /// By weight; a block keeps its choice (weighted rendezvous).
    #[default]
    Hash,
    /// By weight; every query draws anew.
    Random,
    /// Everybody in the band at once.
    All,
}

impl Policy {
    /// No limits.
    pub const UNLIMITED: Limits = Limits { rtt: None, distance: None };

    /// Whether the client's location is asked.
    #[must_use]
    pub fn asks_location(&self) -> bool {
        self.prefer.iter().any(|(key, _)| matches!(key, Key::Rtt | Key::Distance | Key::Geo))
            || self.limits != Self::UNLIMITED
    }

    /// Whether two clients that rank all endpoints alike may still get different answers, so that the block matters.
    #[must_use]
    pub fn asks_block(&self) -> bool {
        matches!(self.spread, Spread::Weighted | Spread::RoundRobin | Spread::Hash)
    }
}

/// A steered name.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its owner name.
    pub name: Name,
    /// The routes through its pools, in fallback order; at least one.
    pub routes: Vec<RouteId>,
    /// Longest TTL in seconds, and the length of a slot.
    pub ttl_max: u32,
    /// Shortest TTL in seconds.
    pub ttl_min: u32,
    /// What is answered when no pool has an eligible endpoint.
    pub when_all_down: Fallback,
    /// What draws are keyed with: services that share it agree on the region.
    pub affinity: Box<[u8]>,
    /// The distinct maps of its routes.
    pub maps: Vec<MapId>,
    /// How the client's block is cut, when any pool's policy asks for the block: the longest length (v4, v6) that its
    /// policies want. None: the block is the catchment.
    pub cut: Option<[u8; 2]>,
    /// How the client's block is cut once a timed drain is under way, where `cut` is none.
    pub fine: [u8; 2],
    /// How the families of an endpoint count.
    pub families: Families,
    /// What a client gets that fences leave nothing.
    pub when_fenced: Option<Fallback>,
    /// The map that tells whether the service is closed to a client, where it has a fence of its own.
    pub gate: Option<MapId>,
    /// A route that takes a share of the blocks first.
    pub canary: Option<Canary>,
    /// Whether a client subnet option is used.
    pub ecs: bool,
    /// The only region whose endpoints answer: a direct name.
    pub only_region: Option<RegionId>,
    /// Whether the runner-up answers.
    pub second: bool,
    /// What type 65 is made of, where the service has it.
    pub https: Option<Https>,
    /// In how many milliseconds clients ought to be away from what has failed; nothing is decided by it.
    pub objective: Option<u64>,
    /// What queries read of it beside, laid out when the world is built.
    pub table: ServiceTable,
}

/// A route that takes a share of the blocks before the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The route.
    pub route: RouteId,
    /// The share in parts of [`ADMIT_ALL`].
    pub share: u32,
}

impl Service {
    /// Its routes and its canary's.
    pub fn all_routes(&self) -> impl Iterator<Item = RouteId> {
        self.routes.iter().copied().chain(self.canary.map(|canary| canary.route))
    }

    /// The pools of its routes, in fallback order.
    pub fn pools(&self, world: &World) -> impl Iterator<Item = PoolId> {
        self.routes.iter().filter_map(|route| Some(world.routes.get(route.at())?.pool))
    }

    /// The pools of its routes and of its canary's.
    pub fn all_pools(&self, world: &World) -> impl Iterator<Item = PoolId> {
        self.all_routes().filter_map(|route| Some(world.routes.get(route.at())?.pool))
    }

    /// Whether it is what the configuration names, and no direct name or second choice that comes with one.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.only_region.is_none() && !self.second
    }

    /// Lays out what follows from it and its pools.
    pub(super) fn lay_out(&mut self, secret: &[u8; 16], routes: &[Route], pools: &[Pool]) {
        let own = self.all_routes().filter_map(|id| pools.get(routes.get(id.at())?.pool.at()));
        let an_endpoint_is_a_name = own.flat_map(|pool| &pool.endpoints).any(|endpoint| endpoint.cname.is_some());
        let cname = |instead: &Fallback| match instead {
            Fallback::Cname(target) => Some(Fragment::new(RrType::CNAME, 0, &[target.wire()])),
            _ => None,
        };
        let (all_down, fenced) = (cname(&self.when_all_down), self.when_fenced.as_ref().and_then(cname));
        self.table = ServiceTable {
            seed: Seed::new(secret, &self.affinity),
            may_alias: an_endpoint_is_a_name || all_down.is_some() || fenced.is_some(),
            all_down,
            fenced,
            https: self.https.as_ref().map(|https| https_head(&https.alpn, https.port)).unwrap_or_default(),
            maps: Vec::new(),
        };
    }

    /// The same service over these maps.
    pub(super) fn with_maps(&self, maps: &[Map]) -> Self {
        let mut service = self.clone();
        service.table.maps = self.consulted(maps);
        service
    }

    /// The maps that are consulted for its client's piece. One that treats all clients alike would only lengthen scopes, by
    /// the special-purpose blocks in it; where the block decides and no map tells clients apart, one of them is needed to
    /// keep these blocks out.
    fn consulted(&self, maps: &[Map]) -> Vec<MapId> {
        let told_apart = |id: &&MapId| maps.get(id.at()).is_some_and(|map| map.catchments() > 1);
        let consulted: Vec<MapId> = self.maps.iter().filter(told_apart).copied().collect();
        match self.maps.first() {
            Some(first) if consulted.is_empty() && self.cut.is_some() => vec![*first],
            _ => consulted,
        }
    }

    /// A service that looks up its client's address and nothing else of it.
    pub(super) fn of_address(name: Name) -> Self {
        Self { cut: Some([0, 0]), ..Self::new(name) }
    }

    /// A service with the configuration's defaults: no routes yet, its own affinity, no client's location looked up.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            affinity: name.wire().to_ascii_lowercase().into(),
            name,
            routes: Vec::new(),
            ttl_max: 30,
            ttl_min: 5,
            when_all_down: Fallback::IgnoreHealth,
            maps: Vec::new(),
            cut: None,
            fine: [16, 32],
            families: Families::Apart,
            when_fenced: None,
            gate: None,
            canary: None,
            ecs: true,
            only_region: None,
            second: false,
            https: None,
            objective: None,
            table: ServiceTable::default(),
        }
    }
}

/// The admission of an endpoint that takes every block; admissions are parts of it.
pub const ADMIT_ALL: u32 = 1 << 20;

/// How the address families of an endpoint count. Whatever it is, the pool is chosen for the name, never for one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Up in one is up. Inside the pool that answers the name, each address type has its own endpoint: where a family is
    /// down, another endpoint of the pool answers that type.
    #[default]
    Apart,
    /// Down in one is down.
    Leave,
}

/// The HTTPS record of a service (RFC 9460): priority 1, its own name as the target, these parameters, and the addresses
/// of what was chosen as hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Https {
    /// ALPN identifiers; empty: the parameter is left out.
    pub alpn: Vec<Box<str>>,
    /// The port, where it is not 443.
    pub port: Option<u16>,
    /// Whether addresses are hinted at.
    pub hints: bool,
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
    /// A refusal.
    Refused,
    /// Rank and spread among those that were up last.
    LastKnown,
    /// Another name.
    Cname(Name),
    /// These addresses.
    Addresses(Vec<IpAddr>),
}
