//! A steered name: what answers it, for how long, and what is answered when all is lost. Plain data.

use std::net::IpAddr;

use super::{
    draw::Seed,
    pool::{Pool, Route},
    table::ServiceTable,
};
use crate::engine::{
    geo::Map,
    types::{MapId, Millis, PerFamily, RegionId, RouteId},
    units::{Admission, Ttl},
    wire::{fragment::Fragment, name::Name, rr::RrType, write::https_head},
};

/// A steered name.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its owner name.
    pub name: Name,
    /// The routes through its pools, in fallback order; at least one.
    pub routes: Vec<RouteId>,
    /// Longest TTL, and the length of a slot.
    pub ttl_max: Ttl,
    /// Shortest TTL.
    pub ttl_min: Ttl,
    /// What is answered when no pool has an eligible endpoint.
    pub when_all_down: Fallback,
    /// What draws are keyed with: services that share it agree on the region.
    pub affinity: Box<[u8]>,
    /// The distinct maps of its routes.
    pub maps: Vec<MapId>,
    /// How the client's block is cut, when any pool's policy asks for the block: the longest length that its
    /// policies want. None: the block is the catchment.
    pub cut: Option<PerFamily<u8>>,
    /// How the client's block is cut once a timed drain is under way, where `cut` is none.
    pub fine: PerFamily<u8>,
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
    /// In how long clients ought to be away from what has failed; nothing is decided by it.
    pub objective: Option<Millis>,
    /// What queries read of it beside, laid out when the world is built.
    pub table: ServiceTable,
}

/// A route that takes a share of the blocks before the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The route.
    pub route: RouteId,
    /// The share of blocks.
    pub share: Admission,
}

impl Service {
    /// Its routes and its canary's.
    pub fn all_routes(&self) -> impl Iterator<Item = RouteId> {
        self.routes.iter().copied().chain(self.canary.map(|canary| canary.route))
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
            Fallback::Cname(target) => Some(Fragment::new(RrType::CNAME, Ttl(0), &[target.wire()])),
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
        Self { cut: Some(PerFamily::new(0, 0)), ..Self::new(name) }
    }

    /// A service with the configuration's defaults: no routes yet, its own affinity, no client's location looked up.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            affinity: name.wire().to_ascii_lowercase().into(),
            name,
            routes: Vec::new(),
            ttl_max: Ttl(30),
            ttl_min: Ttl(5),
            when_all_down: Fallback::IgnoreHealth,
            maps: Vec::new(),
            cut: None,
            fine: PerFamily::new(16, 32),
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
