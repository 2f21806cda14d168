//! What balancing sees: the pools that take part, what their regions can take and report, and where each group of
//! clients goes by nature. Must not know what was assigned before.

use std::sync::Arc;

use crate::{
    engine::{
        live::PoolRow,
        snapshot::Snapshot,
        types::{Millis, RegionId, RouteId},
        units::Permille,
        world::{
            World,
            endpoint::Endpoint,
            policy::Watermarks,
            pool::Route,
            service::{Families, Service},
        },
    },
    node::balance::{
        assign::PoolView,
        landing::{self, Band},
        spare::{FARTHEST, NEVER, Room},
    },
};

/// How much worse each further band is, in tenths of a millisecond: about a neighbouring country.
const PLACE: u32 = 200;
/// The watermarks of a policy that names none: it prefers load, so it spreads from the first unit on.
const SPREADING: Watermarks = Watermarks { low: Permille(0), high: Permille(950) };
/// How long a report may be under way, beside what its smoothing takes.
const UNDER_WAY: Millis = Millis::seconds(10);

/// A route that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: RouteId,
    name: Box<str>,
    /// The first of its groups: one for each catchment.
    pub(super) first: usize,
    pub(super) catchments: usize,
    /// For each region of the pool its place among the regions of all members.
    pub(super) places: Vec<usize>,
    /// The regions of all members, the same for each.
    regions: Arc<[RegionId]>,
}

impl Member {
    /// The regions of all members, the same for each.
    pub(super) fn regions(&self) -> &[RegionId] {
        &self.regions
    }
}

/// Where a group of clients can go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outlook {
    pub(super) bands: Vec<Band>,
    /// For each region of all members whether it may answer these clients.
    pub(super) open: Vec<bool>,
    /// The share of blocks that it admits of itself: slow start, drains, sheds by hand.
    pub(super) admission: Vec<f64>,
    pub(super) natural: Vec<f64>,
    pub(super) cost: Vec<u32>,
}

impl Outlook {
    /// Whether nobody may answer: another pool does, or the last rungs.
    pub(super) fn is_lost(&self) -> bool {
        self.bands.is_empty()
    }
}

/// What is seen.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) rooms: Vec<Room>,
    pub(super) outlooks: Vec<Outlook>,
    /// What each region's endpoints report.
    pub(super) reported: Vec<f64>,
    /// What each region is configured to be asked for.
    pub(super) configured: Vec<f64>,
    /// After so long a move shows in the reports.
    pub(super) period: Millis,
    /// What the outlooks were made from.
    seen: Vec<u64>,
}

/// The pools whose demand is assigned: their policy sheds or prefers load, all their regions have a capacity, and there
/// is something to tell demand by.
pub(super) fn members(world: &World) -> Vec<Member> {
    let takes_part = |(_, route): &(usize, &Route)| {
        let (Some(policy), Some(pool)) = (world.policies.get(route.policy.at()), world.pools.get(route.pool.at()))
        else {
            return false;
        };
        policy.goes_by_load() && pool.endpoints.iter().all(|e| capacity(world, e).is_some()) && {
            let demanded =
                |e: &Endpoint| world.regions.get(e.region.at()).is_some_and(|region| region.demand.is_some());
            pool.load.is_some() || pool.endpoints.iter().any(demanded)
        }
    };
    let taking: Vec<(usize, &Route)> = world.routes.iter().enumerate().filter(takes_part).collect();
    let endpoints = |route: &Route| world.pools.get(route.pool.at()).map_or(&[][..], |pool| &pool.endpoints);
    let mut regions: Vec<RegionId> = taking.iter().flat_map(|(_, route)| endpoints(route)).map(|e| e.region).collect();
    regions.sort_unstable();
    regions.dedup();
    let regions: Arc<[RegionId]> = regions.into();
    let mut first = 0;
    let member = |(id, route): (usize, &Route)| {
        let mut own: Vec<RegionId> = endpoints(route).iter().map(|e| e.region).collect();
        own.sort_unstable();
        own.dedup();
        let map = route.map.and_then(|map| world.maps.get(map.at()));
        let member = Member {
            id: RouteId(id as u32),
            name: world.pools.get(route.pool.at()).map(|pool| pool.name.clone()).unwrap_or_default(),
            first,
            catchments: map.map_or(1, crate::engine::geo::Map::catchments),
            places: own.iter().filter_map(|id| regions.binary_search(id).ok()).collect(),
            regions: Arc::clone(&regions),
        };
        first += member.catchments;
        member
    };
    taking.into_iter().map(member).collect()
}

/// Whether catchments have the same numbers in both: maps that were compiled anew number them as they come.
pub(super) fn number_alike(members: &[Member], one: &World, other: &World) -> bool {
    let map = |world: &World, member: &Member| world.routes.get(member.id.at()).and_then(|route| route.map);
    members.iter().all(|member| {
        let [a, b] = [one, other].map(|world| map(world, member).and_then(|id| world.maps.get(id.at())));
        a == b
    })
}

/// What an endpoint, or its region where it has none of its own, can take.
fn capacity(world: &World, endpoint: &Endpoint) -> Option<f64> {
    endpoint.capacity.or_else(|| world.regions.get(endpoint.region.at())?.capacity)
}

impl View {
    pub(super) fn new(world: &World, members: &[Member]) -> Self {
        let regions = members.first().map_or(&[][..], |member| &member.regions);
        let region = |id: &RegionId| world.regions.get(id.at());
        let room = |id: &RegionId| {
            let own = |member: &&Member| {
                world.pool_of(member.id).is_some_and(|pool| pool.endpoints.iter().any(|e| e.region == *id))
            };
            let policy = |member: &Member| world.policies.get(world.routes.get(member.id.at())?.policy.at());
            let marks = members.iter().filter(own).filter_map(policy).map(|p| p.shed.unwrap_or(SPREADING));
            let Watermarks { low, high } = marks.reduce(Watermarks::strictest).unwrap_or(SPREADING);
            let sum = members
                .iter()
                .filter(|member| member.id.at() < world.pools.len()) // each pool once
                .filter_map(|member| world.pool_of(member.id))
                .flat_map(|pool| &pool.endpoints)
                .filter(|e| e.region == *id)
                .filter_map(|e| e.capacity)
                .sum::<f64>();
            let capacity = region(id).and_then(|region| region.capacity).unwrap_or(sum);
            Room { capacity, low, high, fixed: 0.0 }
        };
        let longest = |member: &Member| {
            let uses = world.services.iter().filter(|service| service.all_routes().any(|route| route == member.id));
            let smooth = world.pool_of(member.id).and_then(|pool| {
                world.loads.iter().find(|load| Some(&load.name) == pool.load.as_ref()).map(|load| load.smooth)
            });
            let ttl = uses.map(|s| s.ttl_max.millis()).max().unwrap_or_default();
            ttl.plus(smooth.unwrap_or_default().times(2)).plus(UNDER_WAY)
        };
        Self {
            rooms: regions.iter().map(room).collect(),
            outlooks: Vec::new(),
            reported: vec![0.0; regions.len()],
            configured: regions.iter().map(|id| region(id).and_then(|region| region.demand).unwrap_or(0.0)).collect(),
            period: members.iter().map(longest).max().unwrap_or_default(),
            seen: Vec::new(),
        }
    }

    /// Looks at the regions again. Says whether anybody can go elsewhere than before.
    pub(super) fn look(&mut self, members: &[Member], snapshot: &Snapshot) -> bool {
        self.take_reports(members, snapshot);
        let seen = seen(members, snapshot);
        if seen == self.seen && !self.outlooks.is_empty() {
            return false;
        }
        self.seen = seen;
        let world = &*snapshot.world;
        self.outlooks.clear();
        for member in members {
            let Some(standing) = PoolView::of(snapshot, member.id) else { continue };
            let families = families(world, member.id);
            let admission = own_admissions(&standing, member);
            let outlook_of =
                |catchment| outlook(standing.bands_of(catchment, families), member, &admission, self.rooms.len());
            self.outlooks.extend((0..member.catchments as u32).map(outlook_of));
        }
        true
    }

    /// The natural shares of all groups.
    pub(super) fn naturals(&self) -> Vec<Vec<f64>> {
        self.outlooks.iter().map(|outlook| outlook.natural.clone()).collect()
    }

    /// What is reported of each region by the members' endpoints, and by those of others.
    fn take_reports(&mut self, members: &[Member], snapshot: &Snapshot) {
        let world = &*snapshot.world;
        self.reported.iter_mut().for_each(|load| *load = 0.0);
        self.rooms.iter_mut().for_each(|room| room.fixed = 0.0);
        let Some(regions) = members.first().map(|member| Arc::clone(&member.regions)) else { return };
        let reporting = || world.pools.iter().enumerate().filter(|(_, pool)| pool.load.is_some());
        let live = |at: usize| snapshot.endpoints.get(at).copied().unwrap_or_default();
        let takes_part = |row: &PoolRow, n: usize| ((row.up.any()) & row.weighted & !row.out) >> n & 1 == 1;
        // A region's capacity is shared by weight among all in it that take part, as its load is.
        let mut weights = vec![0u64; regions.len()];
        for pass in [false, true] {
            for (id, pool) in reporting() {
                let Some(row) = snapshot.pools.get(id) else { continue };
                let assigned = members
                    .iter()
                    .any(|member| world.routes.get(member.id.at()).is_some_and(|route| route.pool.at() == id));
                for (_, at, endpoint) in pool.members().filter(|(n, ..)| takes_part(row, usize::from(*n))) {
                    let Ok(place) = regions.binary_search(&endpoint.region) else { continue };
                    let row = live(at.at());
                    if !pass {
                        weights[place] += u64::from(row.weight);
                        continue;
                    }
                    let share = f64::from(row.weight) / weights[place].max(1) as f64;
                    let room = world.regions.get(endpoint.region.at()).and_then(|region| region.capacity);
                    let capacity = endpoint.capacity.or(room.map(|capacity| capacity * share)).unwrap_or(0.0);
                    let load = capacity * f64::from(row.load.0) / 1000.0;
                    if assigned {
                        self.reported[place] += load;
                    } else {
                        self.rooms[place].fixed += load;
                    }
                }
            }
        }
    }
}

/// How the services of a pool count families: one that counts an endpoint which is down in one family sends clients there.
fn families(world: &World, id: RouteId) -> Families {
    let uses = |service: &&Service| service.all_routes().any(|route| route == id);
    let mut uses = world.services.iter().filter(uses).peekable();
    let leave = uses.peek().is_some() && uses.all(|service| service.families == Families::Leave);
    if leave { Families::Leave } else { Families::Apart }
}

/// All that outlooks are made from.
fn seen(members: &[Member], snapshot: &Snapshot) -> Vec<u64> {
    let mut seen = Vec::new();
    for member in members {
        let Some(standing) = PoolView::of(snapshot, member.id) else { continue };
        let row = standing.row;
        let health = row.up.iter().chain(row.down.iter()).chain(row.governed.iter());
        seen.extend(health.chain([&row.forced, &row.out, &row.drained, &row.weighted]));
        for live in standing.pool.part(&snapshot.endpoints) {
            seen.push(u64::from(live.weight) << 32 | u64::from(live.admission.0));
        }
    }
    seen
}

/// What the regions of a member admit of themselves: the mean of their endpoints by weight.
fn own_admissions(standing: &PoolView<'_>, member: &Member) -> Vec<f64> {
    let regions = standing.regions();
    let mut sums = vec![(0.0, 0.0); member.places.len()];
    for (n, _, endpoint) in standing.pool.members() {
        let place = regions.binary_search(&endpoint.region).ok();
        if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
            let live = standing.live(n);
            sum.0 += f64::from(live.weight) * live.admission.fraction();
            sum.1 += f64::from(live.weight);
        }
    }
    sums.iter().map(|(admitted, weight)| if *weight > 0.0 { admitted / weight } else { 1.0 }).collect()
}

fn outlook(bands: Vec<Band>, member: &Member, admission: &[f64], regions: usize) -> Outlook {
    let mut outlook = Outlook {
        open: vec![false; regions],
        admission: vec![1.0; regions],
        natural: vec![0.0; regions],
        cost: vec![NEVER; regions],
        bands,
    };
    let admits = |region: usize| admission.get(region).copied().unwrap_or(1.0);
    let landed = landing::land(&outlook.bands, member.places.len(), admits);
    let sum: f64 = landed.iter().sum();
    for (n, band) in outlook.bands.iter().enumerate() {
        for (region, _) in band {
            let Some(&place) = member.places.get(*region) else { continue };
            outlook.open[place] = true;
            outlook.admission[place] = admits(*region);
            outlook.cost[place] = (PLACE * n as u32).min(FARTHEST);
            // Those whom all refuse are taken on the next rung, as if nobody refused.
            outlook.natural[place] = if sum > 0.0 { landed.get(*region).copied().unwrap_or(0.0) / sum } else { 0.0 };
        }
    }
    outlook
}
