//! Everything that one query reads: the compiled configuration and the live rows that belong to it, inseparable.

use std::sync::Arc;

pub use super::steer::row::{EndpointRow, PoolRow};

use super::{
    geo::{Atlas, Cuts, Fence, Map, RegionPoint},
    health::monitor::{Monitor, ProbeKey},
    steer::{
        draw::Seed,
        policy::{Endpoint, Policy, Pool, Service},
        table::{Assignment, PoolTable},
    },
    types::{At, MonitorId, Prefix},
    wire::{fragment::Fragment, name::Name},
    zone::{ZoneSource, table::Table},
};

/// The compiled configuration, before the tables that queries read are laid out from it.
#[derive(Debug, Default)]
pub struct Draft {
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
    pub atlas: Arc<Atlas>,
    /// Where the clients of resolvers are, for queries without a usable client subnet option.
    pub resolvers: Arc<Atlas>,
    /// From addresses to bands, for each distinct set of regions and rules.
    pub maps: Vec<Map>,
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
}

/// A name that tells a client what it is taken for.
#[derive(Clone, Debug)]
pub struct Reflect {
    /// The name.
    pub name: Name,
    /// The sources that are told; empty: nobody.
    pub allow: Vec<Prefix>,
}

/// The compiled configuration, immutable.
#[derive(Debug, Default)]
pub struct World {
    draft: Draft,
    /// Every name of every zone.
    pub table: Table,
    /// For each pool, what queries read of it.
    pub tables: Vec<PoolTable>,
    /// For each service, what its draws start from.
    pub seeds: Vec<Seed>,
    /// The regions' points by id.
    pub points: Vec<RegionPoint>,
    /// The answer to `id.server`; none when silenced.
    pub identity_txt: Option<Fragment>,
}

impl World {
    /// Lays out the tables. The draft has been checked.
    #[must_use]
    pub fn seal(draft: Draft) -> Self {
        let names: Vec<_> = draft.services.iter().map(|s| &s.name).collect();
        let regions: Vec<&str> = draft.regions.iter().map(|r| &*r.name).collect();
        let table_of = |pool: &Pool| {
            let rule = pool.map.and_then(|m| draft.maps.get(m.at())).map_or(&[][..], |m| &m.rule().regions);
            PoolTable::new(pool, &draft.endpoints, &regions, rule)
        };
        Self {
            table: Table::build(&draft.zones, &names),
            tables: draft.pools.iter().map(table_of).collect(),
            seeds: draft.services.iter().map(|s| Seed::new(&draft.secret, &s.affinity)).collect(),
            points: draft.regions.iter().map(|r| r.point).collect(),
            identity_txt: (!draft.identity.is_empty()).then(|| Fragment::chaos_txt(&draft.identity)),
            draft,
        }
    }
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
    /// One row for each endpoint.
    pub endpoints: Vec<EndpointRow>,
    /// For each pool whose demand is assigned to regions, how.
    pub assignments: Vec<Option<Arc<Assignment>>>,
    /// For each service, whether its blocks are cut finer than its configuration alone would: a timed drain.
    pub fine: Vec<bool>,
    /// Health of every target, for people; the query reads the rows.
    pub targets: Vec<super::health::fold::Record>,
    /// Whether steered names are answered: the first probe round has ended, or its deadline has passed.
    pub ready: bool,
    /// When it was made.
    pub at: At,
}
