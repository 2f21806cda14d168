//! The compiled configuration: regions, what is probed, pools with their endpoints, policies, services, zones and maps. It
//! changes with a reload; of what is measured only round-trip times are in it. Must not know health, load or queries.

pub mod draw;
pub mod endpoint;
pub mod policy;
pub mod pool;
pub mod service;
pub mod table;
mod target;

use std::sync::Arc;

pub use self::target::{Asks, Target};
use self::{
    policy::Policy,
    table::{PoolTable, RouteTable},
    target::Probes,
};
use super::{
    geo::{Atlas, Cuts, Database, Fence, Ground, Map, Measured, Measures, Model, Order, RegionPoint, Rule, Whose},
    health::rules::HealthRules,
    signal::{
        latency::{Latencies, Reading},
        load::Load,
    },
    types::{At, MapId, Prefix, RegionId},
    wire::{fragment::Fragment, name::Name},
    zone::{ZoneSource, table::Table},
};
use crate::{
    engine::{
        types::{EndpointId, PoolId, RouteId},
        world::{
            endpoint::Endpoint,
            pool::{Pool, Route},
            service::Service,
        },
    },
    probing::monitor::Monitor,
};

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
    /// Pools in name order.
    pub pools: Vec<Pool>,
    /// Policies that routes use.
    pub policies: Vec<Policy>,
    /// Ways through pools. The n-th is the n-th pool under its own policy; behind them stand those under a service's own.
    /// Pools beyond them get one under the first policy.
    pub routes: Vec<Route>,
    /// Services in name order.
    pub services: Vec<Service>,
    /// The zones' static data.
    pub zones: Vec<Arc<ZoneSource>>,
    /// The geo databases that the atlas was learned from; no query reads this.
    pub databases: Vec<Database>,
    /// Where addresses are.
    pub atlas: Arc<Atlas>,
    /// Where the clients of resolvers are, for queries without a usable client subnet option.
    pub resolvers: Arc<Atlas>,
    /// Measured round-trip times.
    pub measures: Arc<Measures>,
    /// The order of regions for clients of which nothing is known; empty: all are equally near.
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
    /// Sources whose client subnet option is believed, as prefixes; empty: none.
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

impl Draft {
    /// The endpoints of all pools, in the order of their numbers.
    pub fn endpoints_mut(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        self.pools.iter_mut().flat_map(|pool| &mut pool.endpoints)
    }
}

/// A name that tells a client what it is taken for.
#[derive(Clone, Debug)]
pub struct Reflect {
    /// The name.
    pub name: Name,
    /// The sources that are answered; empty: none.
    pub allow: Vec<Prefix>,
}

/// The compiled configuration as it serves, immutable. Worlds made from each other share all that no measurement changes.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Regions in name order.
    pub regions: Arc<[Region]>,
    /// Their points by id.
    pub points: Arc<[RegionPoint]>,
    /// Monitors in name order.
    pub monitors: Arc<[Monitor]>,
    /// What is probed, and what is made of it.
    pub targets: Arc<[Target]>,
    /// Which of them an outcome of a probe belongs to.
    pub probes: Arc<Probes>,
    /// What holds for all health together.
    pub health: Arc<HealthRules>,
    /// Where load reports come from, in name order.
    pub loads: Arc<[Load]>,
    /// Pools in name order, with their endpoints.
    pub pools: Arc<[Pool]>,
    /// Policies that routes use.
    pub policies: Arc<[Policy]>,
    /// Ways through pools: the n-th is the n-th pool under its own policy, others follow.
    pub routes: Arc<[Route]>,
    /// Services in name order.
    pub services: Arc<[Service]>,
    /// The zones' static data. What has not changed is shared with the world before.
    pub zones: Arc<[Arc<ZoneSource>]>,
    /// Every name of every zone.
    pub table: Arc<Table>,
    /// The geo databases that the atlas was learned from; no query reads this.
    pub databases: Arc<[Database]>,
    /// Where addresses are; every measured prefix is told apart.
    pub atlas: Arc<Atlas>,
    /// The same for the clients of resolvers.
    pub resolvers: Arc<Atlas>,
    /// The measured round-trip times in force.
    pub measures: Arc<Measures>,
    /// The order of regions for clients of which nothing is known; empty: all are equally near.
    pub nowhere: Arc<Order>,
    /// Reckons round-trip times where nothing is measured.
    pub model: Model,
    /// How maps are cut.
    pub cuts: Cuts,
    /// What maps are made for.
    pub rules: Arc<[Rule]>,
    /// From addresses to catchments, one map for each rule.
    pub maps: Arc<[Map]>,
    /// The map that knows special-purpose blocks and nothing else.
    pub plain: MapId,
    /// What the draws are keyed with.
    pub secret: [u8; 16],
    /// The answer to `id.server`; none when silenced.
    pub identity: Option<Arc<Fragment>>,
    /// Sources whose client subnet option is believed, as prefixes; empty: none.
    pub ecs_from: Arc<[Prefix]>,
    /// The name that tells a client what it is taken for.
    pub reflect: Option<Arc<Reflect>>,
    /// How the client of a query for that name is located: as that of a service that looks up the address alone.
    pub reflector: Option<Arc<Service>>,
    /// The largest UDP reply in bytes, 512 to 4096.
    pub udp_max: u16,
    /// Whether the query's number says which of several addresses stands first.
    pub rotate: bool,
    /// The atlases before measured prefixes are told apart in them.
    unmarked: Arc<Unmarked>,
}

/// Where addresses, and the clients of resolvers, are, whatever is measured.
#[derive(Debug, Default)]
struct Unmarked {
    atlas: Arc<Atlas>,
    resolvers: Arc<Atlas>,
}

impl World {
    /// Lays out tables and compiles maps. The configuration has been checked.
    #[must_use]
    pub fn seal(draft: Draft) -> Self {
        Self::seal_after(draft, None)
    }

    /// The same, when another world is in force: zones that are the same there are taken over and not compiled again.
    #[must_use]
    pub fn seal_after(mut draft: Draft, before: Option<&Self>) -> Self {
        let names: Vec<_> = draft.services.iter().map(|s| &s.name).collect();
        let reflect = draft.reflect.as_ref().map(|reflect| &reflect.name);
        let table = Table::build(&draft.zones, &names, reflect, before.map(|world| &*world.table));
        let regions: Vec<&str> = draft.regions.iter().map(|r| &*r.name).collect();
        let mut first = 0;
        for pool in &mut draft.pools {
            (pool.first, pool.table) = (EndpointId(first), PoolTable::new(&pool.endpoints, &regions));
            first += pool.endpoints.len() as u32;
        }
        // A pool without a route has one under the first policy.
        let own = draft.routes.len() as u32..draft.pools.len() as u32;
        draft.routes.extend(own.map(|pool| Route { pool: PoolId(pool), ..Route::default() }));
        for route in &mut draft.routes {
            let rule = route.map.and_then(|map| draft.rules.get(map.at()));
            let pool = draft.pools.get(route.pool.at());
            route.table = pool.map(|pool| RouteTable::new(&pool.endpoints, rule)).unwrap_or_default();
        }
        for service in &mut draft.services {
            service.lay_out(&draft.secret, &draft.routes, &draft.pools);
        }
        let identity = (!draft.identity.is_empty()).then(|| Arc::new(Fragment::chaos_txt(&draft.identity)));
        let world = Self {
            points: draft.regions.iter().map(|region| region.point).collect(),
            regions: draft.regions.into(),
            monitors: draft.monitors.into(),
            probes: Arc::new(Probes::of(&draft.targets)),
            targets: draft.targets.into(),
            health: Arc::new(draft.health),
            loads: draft.loads.into(),
            pools: draft.pools.into(),
            policies: draft.policies.into(),
            routes: draft.routes.into(),
            services: draft.services.into(),
            zones: table.sources().cloned().collect(),
            table: Arc::new(table),
            databases: draft.databases.into(),
            nowhere: Arc::new(draft.nowhere),
            model: draft.model,
            cuts: draft.cuts,
            rules: draft.rules.into(),
            plain: draft.plain,
            secret: draft.secret,
            identity,
            ecs_from: draft.ecs_from.into(),
            reflector: draft.reflect.as_ref().map(|reflect| Arc::new(Service::of_address(reflect.name.clone()))),
            reflect: draft.reflect.map(Arc::new),
            udp_max: draft.udp_max,
            rotate: draft.rotate,
            unmarked: Arc::new(Unmarked { atlas: draft.atlas, resolvers: draft.resolvers }),
            ..Self::default()
        };
        world.measured(draft.measures)
    }

    /// The same configuration with other measurements: only maps are compiled again.
    #[must_use]
    pub fn measured(&self, measures: Arc<Measures>) -> Self {
        let marked = |atlas: &Arc<Atlas>| atlas.marked(measures.nets()).map_or_else(|| Arc::clone(atlas), Arc::new);
        let (atlas, resolvers) = (marked(&self.unmarked.atlas), marked(&self.unmarked.resolvers));
        let mut world = Self { atlas, resolvers, measures, ..self.clone() };
        world.maps = self.rules.iter().map(|rule| Map::compile(&world.ground(), rule)).collect();
        let with_maps = |service: &Service| service.with_maps(&world.maps);
        world.services = self.services.iter().map(with_maps).collect();
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
            nowhere: &self.nowhere,
            model: self.model,
            cuts: self.cuts,
        }
    }

    /// Whether both were made from one configuration, so that they differ in measurements at most.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.unmarked, &other.unmarked)
    }

    /// How many endpoints all pools have.
    #[must_use]
    pub fn endpoint_count(&self) -> usize {
        self.pools.last().map_or(0, |pool| pool.first.at() + pool.endpoints.len())
    }

    /// Every endpoint with its pool, in the order of their numbers.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Pool, &Endpoint)> {
        self.pools.iter().flat_map(|pool| pool.endpoints.iter().map(move |endpoint| (pool, endpoint)))
    }

    /// The endpoint of a number, with its pool. Not for queries, which know the pool.
    #[must_use]
    pub fn endpoint(&self, id: EndpointId) -> Option<(&Pool, &Endpoint)> {
        let after = self.pools.partition_point(|pool| pool.first <= id);
        let pool = self.pools.get(after.checked_sub(1)?)?;
        Some((pool, pool.endpoints.get(id.at() - pool.first.at())?))
    }

    /// The first route through a pool, which is the one under its own policy.
    #[must_use]
    pub fn own_route(&self, pool: &Pool) -> Option<&Route> {
        self.routes.iter().find(|route| self.pools.get(route.pool.at()).is_some_and(|known| known.name == pool.name))
    }

    /// The pool that a route leads through.
    #[must_use]
    pub fn pool_of(&self, route: RouteId) -> Option<&Pool> {
        self.pools.get(self.routes.get(route.at())?.pool.at())
    }

    /// The routes through a pool: under its own policy, and under those of services.
    pub fn routes_of(&self, pool: PoolId) -> impl Iterator<Item = (RouteId, &Route)> {
        (0..).map(RouteId).zip(self.routes.iter()).filter(move |(_, route)| route.pool == pool)
    }
}

impl Service {
    /// The pools of its routes, in fallback order.
    pub fn pools(&self, world: &World) -> impl Iterator<Item = PoolId> {
        self.routes.iter().filter_map(|route| Some(world.routes.get(route.at())?.pool))
    }

    /// The pools of its routes and of its canary's.
    pub fn all_pools(&self, world: &World) -> impl Iterator<Item = PoolId> {
        self.all_routes().filter_map(|route| Some(world.routes.get(route.at())?.pool))
    }
}

impl std::ops::Index<EndpointId> for World {
    type Output = Endpoint;

    /// The endpoint of a number that this world gave. Not for queries, which know the pool.
    fn index(&self, id: EndpointId) -> &Endpoint {
        let pool = &self.pools[self.pools.partition_point(|pool| pool.first <= id) - 1];
        &pool.endpoints[id.at() - pool.first.at()]
    }
}

/// What a source says of the round-trip time of some clients to a region.
pub type RttCell = ((Whose, Box<str>), Reading);

/// What is measured of the regions of a configuration, at a moment.
#[must_use]
pub fn measures(latencies: &Latencies<Whose, Box<str>>, regions: &[Region], now: At) -> Measures {
    Measures::new(latencies.published(now).filter_map(|(whose, name, reading)| {
        let region = regions.binary_search_by(|region| region.name.cmp(&name)).ok()?;
        let measured = Measured { rtt: reading.rtt, samples: reading.samples, age: reading.age };
        Some((*whose, RegionId(region as u16), measured))
    }))
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
    /// The clients that it is open to. It is in the endpoints' fences already.
    pub fence: Fence,
}
