//! What would happen if a region were lost: each group of clients that the maps tell apart is asked for twice, with all
//! endpoints up and with the region down, and what the engine records says where it goes. Must not know how much the
//! regions can carry.

use std::{collections::BTreeMap, sync::Arc};

use crate::engine::{
    live::EndpointState,
    snapshot::Snapshot,
    steer::{
        self, Decision, Parts, Verdict,
        locate::Client,
        trace::{Basis, Recording, Rung, Step},
    },
    types::{Chance, EndpointId, Prefix, RegionId, ServiceId},
    world::{World, endpoint::Endpoint, pool::Pool, service::Service},
};

/// How many blocks are tried for one that the canary does not take.
const BLOCKS: u128 = 64;

/// Where the clients of a lost region go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    /// The regions, and which share of the clients goes to each.
    pub to: Vec<(RegionId, f64)>,
    /// The share of the clients that no endpoint is left for.
    pub nowhere: f64,
}

/// Where the clients of a region go when it is lost; none where no service sends clients there. The region's clients are
/// the groups that go to it alone while all is up; where there are none, those that go to it in part; where there are
/// none either, those that may go to it. Groups count alike, and so do services; services with the same routes are one.
#[must_use]
pub fn what_if(world: &Arc<World>, lost: RegionId) -> Option<Moves> {
    let state = |_: &Pool, endpoint: &Endpoint| match endpoint.region {
        region if region == lost => EndpointState::down(endpoint),
        _ => EndpointState::up(endpoint),
    };
    let with = Snapshot::of(Arc::clone(world), |_, endpoint| EndpointState::up(endpoint));
    let without = Snapshot::of(Arc::clone(world), state);
    let mut services: Vec<(ServiceId, &Service)> = Vec::new();
    for (at, service) in world.services.iter().enumerate().filter(|(_, service)| service.is_configured()) {
        if services.iter().all(|(_, known)| known.routes != service.routes) {
            services.push((ServiceId(at as u32), service));
        }
    }
    let moved: Vec<BTreeMap<Option<RegionId>, f64>> =
        services.into_iter().filter_map(|service| of_service(service, lost, &with, &without)).collect();
    let mut moves = Moves::default();
    let mut all: BTreeMap<Option<RegionId>, f64> = BTreeMap::new();
    for (region, share) in moved.iter().flatten() {
        *all.entry(*region).or_default() += share / moved.len() as f64;
    }
    for (region, share) in all {
        match region {
            Some(region) => moves.to.push((region, share)),
            None => moves.nowhere = share,
        }
    }
    (!moved.is_empty()).then_some(moves)
}

/// The same for one service; none where no client of it goes to the region, or may.
fn of_service(
    service: (ServiceId, &Service),
    lost: RegionId,
    with: &Snapshot,
    without: &Snapshot,
) -> Option<BTreeMap<Option<RegionId>, f64>> {
    let groups: Vec<(Prefix, Goes)> =
        samples(&with.world, service.1).into_iter().map(|client| (client, goes(with, service, client))).collect();
    let share = |goes: &Goes| goes.to.get(&Some(lost)).copied().unwrap_or(0.0);
    let wholly = |goes: &Goes| f64::from(u8::from(goes.to.len() == 1 && share(goes) > 0.0));
    let may = |goes: &Goes| f64::from(u8::from(goes.eligible.iter().any(|id| with.world[*id].region == lost)));
    let counts: [&dyn Fn(&Goes) -> f64; 3] = [&wholly, &share, &may];
    let count = counts.into_iter().find(|count| groups.iter().any(|(_, goes)| count(goes) > 0.0))?;
    let all: f64 = groups.iter().map(|(_, goes)| count(goes)).sum();
    let mut moved = BTreeMap::new();
    for (client, before) in &groups {
        let part = count(before) / all;
        if part > 0.0 {
            for (region, share) in goes(without, service, *client).to {
                *moved.entry(region).or_default() += part * share;
            }
        }
    }
    Some(moved)
}

/// One client of each group that the maps of a service tell apart; any client where it has no map.
fn samples(world: &World, service: &Service) -> Vec<Prefix> {
    let maps = service.table.maps.iter().filter_map(|id| world.maps.get(id.at()));
    let mut found: Vec<Prefix> = maps.flat_map(|map| map.samples()).collect();
    found.sort_unstable_by_key(|client| (client.family().at(), client.bits()));
    found.dedup();
    if found.is_empty() {
        found.push(Prefix::host([192, 0, 2, 1].into()));
    }
    found
}

/// Where a client goes.
struct Goes {
    /// The regions, and the share that the draws leave to each; none: nowhere.
    to: BTreeMap<Option<RegionId>, f64>,
    /// The endpoints that were eligible in any pool that was looked at.
    eligible: Vec<EndpointId>,
}

/// Asks where a client goes.
fn goes(snapshot: &Snapshot, (id, service): (ServiceId, &Service), client: Prefix) -> Goes {
    let mut recording = Recording::default();
    let mut decision = None;
    for n in 0..BLOCKS {
        recording = Recording::default();
        let block = Prefix::from_bits(client.family(), client.bits() ^ n << 96, client.len());
        let client = Client { basis: Basis::Subnet, prefix: client, behind: None, block, scope: 0, found: None };
        let parts = Parts::of(snapshot);
        decision = Some(steer::decide_name(&parts, (id, service), &client, Chance::default(), &mut recording));
        if !recording.0.iter().any(|step| matches!(step, Step::Canary(_, true))) {
            break;
        }
    }
    let (mut eligible, mut band) = (Vec::new(), Vec::new());
    for step in &recording.0 {
        match step {
            Step::Pool(_) => band.clear(),
            Step::Candidate(id, Ok(_)) => {
                eligible.push(*id);
                band.push(*id);
            }
            Step::Ranked { endpoint, kept: false, .. } => band.retain(|id| id != endpoint),
            _ => {}
        }
    }
    let is_served =
        |decision: &Decision| matches!(decision.verdict, Verdict::Endpoints { .. }) && decision.rung <= Rung::Relaxed;
    let mut to = BTreeMap::new();
    let world = &snapshot.world;
    let all: f64 = band.iter().map(|id| f64::from(world[*id].weight)).sum();
    if decision.as_ref().is_some_and(is_served) && all > 0.0 {
        for id in band.iter().filter(|id| world[**id].weight > 0) {
            *to.entry(Some(world[*id].region)).or_default() += f64::from(world[*id].weight) / all;
        }
    } else {
        to.insert(None, 1.0);
    }
    Goes { to, eligible }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        types::RouteId,
        wire::name::Name,
        world::{
            Draft, Region,
            policy::{Key, Policy},
            pool::Route,
        },
    };

    fn endpoint(region: u16, weight: u32) -> Endpoint {
        let v4 = Some([192, 0, 2, 1 + region as u8].into());
        let name = format!("e{region}").into();
        Endpoint { name, region: RegionId(region), v4, weight, order: region.into(), ..Endpoint::default() }
    }

    /// Three regions, one pool of the first endpoints and one of the rest, and a service that has both.
    fn world(prefer: Vec<(Key, u32)>, first: Vec<Endpoint>, later: Vec<Endpoint>) -> Arc<World> {
        let pool = |name: &str, endpoints| Pool { name: name.into(), endpoints, ..Pool::default() };
        let mut service = Service::new(Name::from_text("www.example.com").unwrap());
        service.routes = vec![RouteId(0), RouteId(1)];
        let route = |pool: u32| Route { pool: crate::engine::types::PoolId(pool), ..Route::default() };
        Arc::new(World::seal(Draft {
            regions: (0..3).map(|n| Region { name: format!("r{n}").into(), ..Region::default() }).collect(),
            pools: vec![pool("first", first), pool("later", later)],
            policies: vec![Policy { prefer, answers: 1, ..Policy::default() }],
            routes: vec![route(0), route(1)],
            services: vec![service],
            ..Draft::default()
        }))
    }

    fn moves(to: &[(u16, f64)], nowhere: f64) -> Option<Moves> {
        Some(Moves { to: to.iter().map(|(region, share)| (RegionId(*region), *share)).collect(), nowhere })
    }

    #[test]
    fn clients_of_the_first_in_order_go_to_the_next() {
        let world = world(vec![(Key::Order, 0)], vec![endpoint(0, 1), endpoint(1, 1), endpoint(2, 1)], vec![]);
        assert_eq!(what_if(&world, RegionId(0)), moves(&[(1, 1.0)], 0.0));
        assert_eq!(
            what_if(&world, RegionId(2)),
            moves(&[(0, 1.0)], 0.0),
            "those that may go to it stay where they are"
        );
    }

    #[test]
    fn without_a_preference_clients_go_by_weight() {
        let world = world(vec![], vec![endpoint(0, 5), endpoint(1, 1), endpoint(2, 3)], vec![]);
        assert_eq!(what_if(&world, RegionId(0)), moves(&[(1, 0.25), (2, 0.75)], 0.0));
    }

    #[test]
    fn clients_of_a_pool_that_is_lost_go_to_the_later_pool() {
        let world = world(vec![], vec![endpoint(0, 1)], vec![endpoint(1, 1)]);
        assert_eq!(what_if(&world, RegionId(0)), moves(&[(1, 1.0)], 0.0));
        assert_eq!(what_if(&world, RegionId(1)), None, "no client goes to the later pool");
    }

    #[test]
    fn clients_of_the_only_region_go_nowhere() {
        let world = world(vec![], vec![endpoint(0, 1)], vec![]);
        assert_eq!(what_if(&world, RegionId(0)), moves(&[], 1.0));
    }
}
