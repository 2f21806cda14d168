//! What another configuration changes, by the names that an operator gave: services, pools, endpoints, zones, geo
//! databases. Must not know health, nor what is kept over a reload.
//!
//! Two things are compared by what they mean: numbers of pools, regions and maps are replaced by what they stand for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::IpAddr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        geo::{Database, Rule},
        types::{MapId, PerFamily, RegionId, RouteId},
        units::Admission,
        wire::{name::Name, rr::RrType},
        world::{World, endpoint::Endpoint, policy::Policy, pool::Pool, service::Service, table::ServiceTable},
        zone::ZoneSource,
    },
    probing::monitor::Monitor,
};

/// How many names of one kind a sentence lists.
const MOST: usize = 10;

/// What one configuration has and another has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Steered names.
    pub services: Names,
    /// Pools; one is changed where itself is, not where its endpoints are.
    pub pools: Names,
    /// Endpoints, as `pool/endpoint`.
    pub endpoints: Names,
    /// Zones; none is ever changed, for `serials` says it.
    pub zones: Names,
    /// Zones that both have and whose records differ.
    pub serials: Vec<Serial>,
    /// Geo databases that are not what they were, in the order in which they are named.
    pub databases: Vec<Source>,
}

/// Names of things of one kind, each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// New ones.
    pub added: Vec<Box<str>>,
    /// Those that are no more.
    pub gone: Vec<Box<str>>,
    /// Those that are not what they were.
    pub changed: Vec<Box<str>>,
}

/// A zone with other records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial {
    /// The zone.
    pub zone: Box<str>,
    /// Its serial before.
    pub from: u32,
    /// Its serial now.
    pub to: u32,
}

impl Serial {
    /// Whether the serial goes back, as serials are compared (RFC 1982 3.2).
    #[must_use]
    pub fn goes_back(&self) -> bool {
        // What lies exactly half the circle away is neither before nor behind; who has the old one takes no step to it.
        self.to.wrapping_sub(self.from) >= 1 << 31
    }
}

/// A geo database that is new, gone, or not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As it was.
    pub before: Option<Database>,
    /// As it is.
    pub now: Option<Database>,
}

impl Difference {
    /// What `new` has otherwise than `old`.
    #[must_use]
    pub fn between(old: &World, new: &World) -> Self {
        Self {
            services: Names::between(&services(old), &services(new)),
            pools: Names::between(&pools(old), &pools(new)),
            endpoints: Names::between(&endpoints(old), &endpoints(new)),
            zones: Names::between(&zones(old), &zones(new)),
            serials: serials(old, new),
            databases: databases(old, new),
        }
    }

    /// Whether an operator should look: something is gone, a serial goes back, a database is not taken.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        let lost =
            [&self.services, &self.pools, &self.endpoints, &self.zones].iter().any(|names| !names.gone.is_empty());
        let refused = |source: &Source| source.now.as_ref().is_some_and(|now| now.refused.is_some());
        lost || self.serials.iter().any(Serial::goes_back) || self.databases.iter().any(refused)
    }
}

impl Names {
    fn between<T: PartialEq>(old: &BTreeMap<Box<str>, T>, new: &BTreeMap<Box<str>, T>) -> Self {
        let lacking = |from: &BTreeMap<Box<str>, T>, of: &BTreeMap<Box<str>, T>| -> Vec<Box<str>> {
            of.keys().filter(|name| !from.contains_key(*name)).cloned().collect()
        };
        let changed = new.iter().filter(|(name, thing)| old.get(*name).is_some_and(|was| was != *thing));
        Self {
            added: lacking(old, new),
            gone: lacking(new, old),
            changed: changed.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// What a service is. Its direct names and its runner-up come and go with it.
#[derive(PartialEq)]
struct ServiceMeans<'w> {
    own: Service,
    pools: Vec<(&'w str, Option<&'w Policy>)>,
    canary: Option<(&'w str, Admission)>,
    gate: Option<&'w Rule>,
}

fn services(world: &World) -> BTreeMap<Box<str>, ServiceMeans<'_>> {
    let own = world.services.iter().filter(|service| service.is_configured());
    let own_policy = |id: RouteId| {
        let route = world.routes.get(id.at()).filter(|_| id.at() >= world.pools.len())?;
        world.policies.get(route.policy.at())
    };
    let meaning = |service: &Service| ServiceMeans {
        own: Service {
            routes: Vec::new(),
            maps: Vec::new(),
            table: ServiceTable::default(),
            canary: None,
            gate: None,
            // Follows from the policies of its pools, which are compared as such.
            cut: None,
            ..service.clone()
        },
        // The policy of a pool is the pool's; one of the service's own is its.
        pools: service.routes.iter().filter_map(|id| Some((&*world.pool_of(*id)?.name, own_policy(*id)))).collect(),
        canary: service.canary.and_then(|canary| Some((&*world.pool_of(canary.route)?.name, canary.share))),
        gate: service.gate.and_then(|MapId(at)| world.rules.get(at as usize)),
    };
    own.map(|service| (shown(&service.name), meaning(service))).collect()
}

/// What a pool is, without its endpoints.
#[derive(PartialEq)]
struct PoolMeans<'w> {
    own: Pool,
    policy: Option<&'w Policy>,
    monitor: Option<&'w Monitor>,
}

fn pools(world: &World) -> BTreeMap<Box<str>, PoolMeans<'_>> {
    let meaning = |(at, pool): (usize, &'_ Pool)| PoolMeans {
        own: Pool {
            name: pool.name.clone(),
            min_healthy: pool.min_healthy,
            panic: pool.panic,
            load: pool.load.clone(),
            ..Pool::default()
        },
        policy: world.routes.get(at).and_then(|route| world.policies.get(route.policy.at())),
        monitor: pool.monitor.and_then(|id| world.monitors.get(id.at())),
    };
    world.pools.iter().enumerate().map(|(at, pool)| (pool.name.clone(), meaning((at, pool)))).collect()
}

/// What an endpoint is.
#[derive(PartialEq)]
struct EndpointMeans<'w> {
    own: Endpoint,
    region: Option<&'w str>,
    /// What is probed for each family, by the address.
    probed: PerFamily<Option<IpAddr>>,
}

fn endpoints(world: &World) -> BTreeMap<Box<str>, EndpointMeans<'_>> {
    let meaning = |endpoint: &Endpoint| EndpointMeans {
        own: Endpoint { region: RegionId(0), targets: PerFamily::default(), ..endpoint.clone() },
        region: world.regions.get(endpoint.region.at()).map(|region| &*region.name),
        probed: endpoint.targets.map(|id| Some(world.targets.get(id?.at())?.address())),
    };
    let of_pool = |pool: &'_ Pool| {
        let name = pool.name.clone();
        pool.endpoints
            .iter()
            .map(move |endpoint| (format!("{name}/{}", endpoint.name).into(), meaning(endpoint)))
            .collect::<Vec<_>>()
    };
    world.pools.iter().flat_map(of_pool).collect()
}

/// A name without its final dot, in lower case: names that differ in case alone are one.
fn shown(name: &Name) -> Box<str> {
    let text = name.to_string().to_ascii_lowercase();
    let bare = text.strip_suffix('.').filter(|bare| !bare.is_empty()).unwrap_or(&text);
    bare.into()
}

fn zones(world: &World) -> BTreeMap<Box<str>, ()> {
    world.zones.iter().map(|zone| (shown(&zone.apex), ())).collect()
}

fn serials(old: &World, new: &World) -> Vec<Serial> {
    let before: HashMap<&Name, &Arc<ZoneSource>> = old.zones.iter().map(|zone| (&zone.apex, zone)).collect();
    let differs = |zone: &Arc<ZoneSource>| {
        let was = *before.get(&zone.apex)?;
        let (from, to) = (serial(was)?, serial(zone)?);
        (was != zone).then(|| Serial { zone: shown(&zone.apex), from, to })
    };
    new.zones.iter().filter_map(differs).collect()
}

/// The serial in a zone's SOA: five numbers of four bytes end its data, the serial is the first of them.
fn serial(zone: &ZoneSource) -> Option<u32> {
    let soa = zone.records.iter().find(|record| record.rtype == RrType::SOA)?;
    let (_, numbers) = soa.rdata.split_at_checked(soa.rdata.len().checked_sub(20)?)?;
    Some(u32::from_be_bytes(*numbers.first_chunk()?))
}

fn databases(old: &World, new: &World) -> Vec<Source> {
    let before: BTreeMap<&str, &Database> = old.databases.iter().map(|known| (&*known.path, known)).collect();
    let paths: BTreeSet<&str> = new.databases.iter().map(|known| &*known.path).collect();
    let now = new.databases.iter().map(|now| (before.get(&*now.path).copied(), Some(now)));
    let gone = old.databases.iter().filter(|was| !paths.contains(&*was.path)).map(|was| (Some(was), None));
    let told = |(before, now): &(Option<&Database>, Option<&Database>)| match (before, now) {
        (Some(_), Some(now)) => now.is_new || now.refused.is_some(),
        _ => true,
    };
    now.chain(gone).filter(told).map(|(before, now)| Source { before: before.cloned(), now: now.cloned() }).collect()
}

impl fmt::Display for Difference {
    /// Each part as a clause behind the others: `; removed: 1 service (www.example.com)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds =
            [("zone", &self.zones), ("service", &self.services), ("pool", &self.pools), ("endpoint", &self.endpoints)];
        // What may have been lost by mistake comes first.
        clause(f, "removed", kinds.map(|(kind, names)| (kind, &names.gone)))?;
        clause(f, "added", kinds.map(|(kind, names)| (kind, &names.added)))?;
        clause(f, "changed", kinds.map(|(kind, names)| (kind, &names.changed)))?;
        for (at, serial) in self.serials.iter().enumerate() {
            if at == MOST {
                write!(f, "; {} more zones have other records", self.serials.len() - MOST)?;
                break;
            }
            serial.fmt(f)?;
        }
        self.databases.iter().try_for_each(|source| source.fmt(f))
    }
}

fn clause(f: &mut fmt::Formatter<'_>, verb: &str, kinds: [(&str, &Vec<Box<str>>); 4]) -> fmt::Result {
    let mut joint = format!("; {verb}: ");
    for (kind, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
        let plural = if names.len() == 1 { "" } else { "s" };
        let named: Vec<&str> = names.iter().take(MOST).map(|name| &**name).collect();
        let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
        write!(f, "{joint}{} {kind}{plural} ({}{more})", names.len(), named.join(", "))?;
        joint = ", ".to_owned();
    }
    Ok(())
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, from, to } = self;
        match () {
            () if from == to => write!(f, "; zone {zone} has other records under the same serial {to}"),
            () if self.goes_back() => write!(f, "; the serial of zone {zone} goes back from {from} to {to}"),
            () => write!(f, "; zone {zone} has serial {to}, before {from}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(now) = &self.now else {
            let path = self.before.as_ref().map_or("", |before| &before.path);
            return write!(f, "; geo database {path} is not used any more");
        };
        let Database { path, kind, networks, refused, .. } = now;
        if let Some(why) = refused {
            return write!(f, "; geo database {path} is not taken, for it covers {why}: the one from before goes on");
        }
        write!(f, "; geo database {path} has {}", Networks(*networks))?;
        match &self.before {
            None => f.write_str(" and is new"),
            Some(before) if before.kind != *kind => {
                write!(f, " of type {kind}, before {} of type {}", before.networks, before.kind)
            }
            Some(before) => write!(f, ", before {}", before.networks),
        }
    }
}

struct Networks(u64);

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} network{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}
