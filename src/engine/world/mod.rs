//! The compiled configuration: regions, what is probed, pools with their endpoints, policies, services, zones and maps. It
//! changes with a reload; of what is measured only round-trip times are in it. Must not know health, load or queries.

pub mod draw;
pub mod policy;
pub mod table;

use std::{net::IpAddr, sync::Arc};

use self::{
    draw::Seed,
    policy::{Endpoint, Fallback, Https, Policy, Pool, Service},
    table::PoolTable,
};
use super::{
    geo::{Atlas, Cuts, Database, Fence, Ground, Map, Measured, Measures, Model, Order, RegionPoint, Rule, Whose},
    health::rules::HealthRules,
    signal::{latency::Latencies, load::Load},
    types::{At, MapId, Prefix, RegionId, TargetId},
    wire::{fragment::Fragment, name::Name, rr::RrType, svcb},
    zone::{ZoneSource, table::Table},
};
use crate::probing::monitor::{Monitor, MonitorId, ProbeKey};

/// The compiled configuration, before the tables that queries read are laid out from it.
#[derive(Debug, Default)]
pub struct Draft {
    /// Regions in name order.
    pub regions: Vec<Region>,
    /// Monitors in name order.
    pub monitors: Vec<Monitor>,
    /// What is probed, and what is made of it.
    pub targets: Vec<Target>,
    /// What holds for all health together.
    pub health: HealthRules,
    /// Where load reports come from, in name order.
    pub loads: Vec<Load>,
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
    /// The geo databases that the atlas was learned from; no query reads this.
    pub databases: Vec<Database>,
    /// Where addresses are.
    pub atlas: Arc<Atlas>,
    /// Where the clients of resolvers are, for queries without a usable client subnet option.
    pub resolvers: Arc<Atlas>,
    /// Measured round-trip times.
    pub measures: Arc<Measures>,
    /// The order of regions for clients of whom nothing is known; empty: all are equally near.
    pub nowhere: Order,
    /// Reckons round-trip times where nothing is measured.
    pub model: Model,
    /// What maps are made for, each distinct set of regions and rules once; the n-th map is made for the n-th of them.
    pub rules: Vec<Rule>,
    /// The rule whose map knows special-purpose blocks and nothing else.
    pub plain: MapId,
    /// What the draws are keyed with.
    pub secret: [u8; 16],
    /// What `id.server` answers; empty: nothing.
    pub identity: Box<str>,
    /// Sources whose ECS option is believed, as prefixes; empty: nobody's.
    pub ecs_from: Vec<Prefix>,
    /// How maps are cut.
    pub cuts: Cuts,
    /// The name that tells a client what it is taken for, and the sources that may ask.
    pub reflect: Option<Reflect>,
    /// The largest UDP reply, 512 to 4096.
    pub udp_max: u16,
    /// Whether the query's number says which of several addresses stands first.
    pub rotate: bool,
}

/// A name that tells a client what it is taken for.
#[derive(Clone, Debug)]
pub struct Reflect {
    /// The name.
    pub name: Name,
    /// The sources that are told; empty: nobody.
    pub allow: Vec<Prefix>,
}

/// The compiled configuration, immutable. What no measurement changes is shared with the worlds made from it.
#[derive(Debug, Default)]
pub struct World {
    draft: Arc<Draft>,
    /// Every name of every zone.
    pub table: Arc<Table>,
    /// For each pool, what queries read of it.
    pub tables: Arc<Vec<PoolTable>>,
    /// For each service, what its draws start from.
    pub seeds: Arc<Vec<Seed>>,
    /// For each service, whether it may be answered with another name.
    pub aliasing: Arc<Vec<bool>>,
    /// For each service, the other names that `when_all_down` and `when_fenced` say.
    pub spares: Arc<Vec<[Option<Fragment>; 2]>>,
    /// For each service, the parameters of its HTTPS record before the hints; empty where it has none.
    pub heads: Arc<Vec<Box<[u8]>>>,
    /// How the client of a query for the reflect name is found: as that of a service that asks for the address alone.
    pub reflector: Arc<Option<Service>>,
    /// The regions' points by id.
    pub points: Arc<Vec<RegionPoint>>,
    /// The answer to `id.server`; none when silenced.
    pub identity_txt: Option<Fragment>,
    /// The measured round-trip times in force.
    pub measures: Arc<Measures>,
    /// The draft's atlases, in which every measured prefix is told apart.
    pub atlas: Arc<Atlas>,
    /// The same for clients of resolvers.
    pub resolvers: Arc<Atlas>,
    /// From addresses to catchments, for each of the draft's rules.
    pub maps: Vec<Map>,
    /// For each service, which maps tell its clients apart, and the draft's service beside.
    pub services: Vec<Service>,
}

impl World {
    /// Lays out the tables and compiles the maps. The draft has been checked.
    #[must_use]
    pub fn seal(draft: Draft) -> Self {
        let names: Vec<_> = draft.services.iter().map(|s| &s.name).collect();
        let regions: Vec<&str> = draft.regions.iter().map(|r| &*r.name).collect();
        let table_of = |pool: &Pool| {
            let rule = pool.map.and_then(|m| draft.rules.get(m.at()));
            PoolTable::new(pool, &draft.endpoints, &regions, rule)
        };
        let may_alias = |service: &Service| service.may_alias(&draft.pools, &draft.endpoints);
        let laid = Self {
            table: Arc::new(Table::build(&draft.zones, &names, draft.reflect.as_ref().map(|r| &r.name))),
            tables: Arc::new(draft.pools.iter().map(table_of).collect()),
            aliasing: Arc::new(draft.services.iter().map(may_alias).collect()),
            spares: Arc::new(draft.services.iter().map(spares).collect()),
            seeds: Arc::new(draft.services.iter().map(|s| Seed::new(&draft.secret, &s.affinity)).collect()),
            heads: Arc::new(draft.services.iter().map(|s| s.https.as_ref().map(head_of).unwrap_or_default()).collect()),
            reflector: Arc::new(draft.reflect.as_ref().map(reflector)),
            points: Arc::new(draft.regions.iter().map(|r| r.point).collect()),
            identity_txt: (!draft.identity.is_empty()).then(|| Fragment::chaos_txt(&draft.identity)),
            measures: Arc::default(),
            atlas: Arc::default(),
            resolvers: Arc::default(),
            maps: Vec::new(),
            services: Vec::new(),
            draft: Arc::new(draft),
        };
        laid.measured(Arc::clone(&laid.draft.measures))
    }

    /// The same configuration with other measurements: only maps are compiled anew.
    #[must_use]
    pub fn measured(&self, measures: Arc<Measures>) -> Self {
        let marked = |atlas: &Arc<Atlas>| atlas.marked(measures.nets()).map_or_else(|| Arc::clone(atlas), Arc::new);
        let mut world = Self {
            draft: Arc::clone(&self.draft),
            table: Arc::clone(&self.table),
            tables: Arc::clone(&self.tables),
            seeds: Arc::clone(&self.seeds),
            aliasing: Arc::clone(&self.aliasing),
            spares: Arc::clone(&self.spares),
            heads: Arc::clone(&self.heads),
            reflector: Arc::clone(&self.reflector),
            points: Arc::clone(&self.points),
            identity_txt: self.identity_txt.clone(),
            atlas: marked(&self.draft.atlas),
            resolvers: marked(&self.draft.resolvers),
            measures,
            maps: Vec::new(),
            services: Vec::new(),
        };
        world.maps = self.rules.iter().map(|rule| Map::compile(&world.ground(), rule)).collect();
        let asking = |service: &Service| Service { maps: asked(service, &world.maps), ..service.clone() };
        world.services = self.draft.services.iter().map(asking).collect();
        world
    }

    /// What the maps are compiled from.
    #[must_use]
    pub fn ground(&self) -> Ground<'_> {
        Ground {
            atlas: &self.atlas,
            resolvers: &self.resolvers,
            points: &self.points,
            measures: &self.measures,
            nowhere: &self.draft.nowhere,
            model: self.draft.model,
            cuts: self.draft.cuts,
        }
    }

    /// Whether both were made from one configuration, so that they differ in measurements at most.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.draft, &other.draft)
    }
}

/// The maps that a service asks for its client's piece. One that treats all clients alike would only lengthen scopes, by
/// the special-purpose blocks in it; where the block decides and no map tells clients apart, one of them is needed to
/// keep these blocks out.
fn asked(service: &Service, maps: &[Map]) -> Vec<MapId> {
    let told_apart = |id: &&MapId| maps.get(id.at()).is_some_and(|map| map.catchments() > 1);
    let asked: Vec<MapId> = service.maps.iter().filter(told_apart).copied().collect();
    match service.maps.first() {
        Some(first) if asked.is_empty() && service.cut.is_some() => vec![*first],
        _ => asked,
    }
}

/// What is measured of the regions of a configuration, at a moment.
#[must_use]
pub fn measures(latencies: &Latencies<Whose, Box<str>>, regions: &[Region], now: At) -> Measures {
    Measures::new(latencies.published(now).filter_map(|(whose, name, reading)| {
        let region = regions.binary_search_by(|region| region.name.cmp(&name)).ok()?;
        let measured = Measured { rtt: reading.rtt, samples: reading.samples, age: reading.age };
        Some((*whose, RegionId(region as u16), measured))
    }))
}

fn spares(service: &Service) -> [Option<Fragment>; 2] {
    [Some(&service.when_all_down), service.when_fenced.as_ref()].map(|instead| match instead? {
        Fallback::Cname(target) => Some(Fragment::new(RrType::CNAME, 0, &[target.wire()])),
        _ => None,
    })
}

fn reflector(reflect: &Reflect) -> Service {
    Service { cut: Some([0, 0]), ..Service::new(reflect.name.clone()) }
}

fn head_of(https: &Https) -> Box<[u8]> {
    svcb::head(&https.alpn, https.port)
}

impl std::ops::Deref for World {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.draft
    }
}

/// A place with a data centre.
#[derive(Clone, Debug, Default)]
pub struct Region {
    /// The key in the configuration.
    pub name: Box<str>,
    /// Where it is and what is known of the way there.
    pub point: RegionPoint,
    /// What it can take in the unit that load is reported in: the ceiling for the sum of its endpoints.
    pub capacity: Option<f64>,
    /// Its usual peak in that unit, where nothing is reported.
    pub demand: Option<f64>,
    /// Whom it is open to. It is in the endpoints' fences already.
    pub fence: Fence,
}

/// One thing that is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose rhythm it follows.
    pub monitor: MonitorId,
    /// Where its health comes from.
    pub asks: Asks,
}

/// Where a target's health comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// Probes: what is asked of whom. History is carried by it.
    Probe(Arc<ProbeKey>),
    /// Other targets, which all stand before it in the list.
    Several {
        /// How many of them must be up.
        needed: u32,
        /// They.
        of: Vec<TargetId>,
        /// The address that they all are about.
        address: IpAddr,
    },
}

impl Target {
    /// A target that is probed.
    #[must_use]
    pub fn probed(monitor: MonitorId, key: Arc<ProbeKey>) -> Self {
        Self { monitor, asks: Asks::Probe(key) }
    }

    /// What is asked of whom, where it is probed itself.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<ProbeKey>> {
        match &self.asks {
            Asks::Probe(key) => Some(key),
            Asks::Several { .. } => None,
        }
    }

    /// The address that it is about.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        match &self.asks {
            Asks::Probe(key) => key.address,
            Asks::Several { address, .. } => *address,
        }
    }
}
