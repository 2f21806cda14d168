//! What was meant to what is served: positions become numbers, equal things become one, maps are made. Nothing can be
//! wrong any more.

mod distinct;
mod rule;
mod rules;
mod service;
mod target;

use std::{net::IpAddr, sync::Arc};

use super::{check::Meant, geo::latency::LatencyLine};
use crate::{
    engine::{
        geo::Rule,
        health::rules::HealthRules,
        signal::latency::Latencies,
        types::{At, MapId, PerFamily, PolicyId, PoolId, RegionId, TargetId},
        world::{
            Draft,
            endpoint::Endpoint,
            measures,
            policy::Policy,
            pool::{Pool, Route},
            service::Service,
        },
    },
    probing::monitor::MonitorId,
};
use distinct::Distinct;
use service::Steered;
use target::Targets;

/// Makes the world, whose secret stays zero when none was read, and says how many pools share a map of more regions
/// than their own.
pub(crate) fn compile(meant: Meant) -> (Draft, usize) {
    let mut targets = Targets::new();
    let mut policies = Distinct::new();
    let variants = variants(&meant);
    let own = meant.pools.iter().map(|pool| (pool, &pool.policy));
    let others = variants.iter().filter_map(|(at, policy)| Some((meant.pools.get(*at)?, *policy)));
    let wanted = own.chain(others).map(|(pool, policy)| rule::rule(pool, policy, &meant.regions));
    let gates = meant.services.iter().map(|service| rule::gate(&service.fence));
    // The last one is for services that ask for nobody's place until a timed drain moves their blocks.
    let wanted: Vec<Option<Rule>> = wanted.chain(gates).chain([Some(Rule::default())]).collect();
    let (rules, places, shared) = rules::share(&wanted);
    let mut places = places.into_iter().map(|place| place.map(MapId));
    let canary =
        |(monitor, address): &(usize, IpAddr)| targets.of(&meant.monitors, MonitorId(*monitor as u32), *address, None);
    let canaries: Vec<TargetId> = meant.canaries.iter().filter_map(canary).collect();
    let (mut pools, mut routes) = (Vec::new(), Vec::new());
    let mut route = |at: usize, policy: &Policy, map| Route {
        pool: PoolId(at as u32),
        policy: PolicyId(policies.number(policy.clone())),
        map,
        ..Route::default()
    };
    for (at, (pool, map)) in meant.pools.iter().zip(places.by_ref()).enumerate() {
        let mut endpoints = Vec::new();
        let monitor = pool.monitor.map(|at| MonitorId(at as u32));
        for endpoint in &pool.endpoints {
            let reach = endpoint.reach();
            let mut probed =
                |address: Option<IpAddr>| targets.of(&meant.monitors, monitor?, address?, endpoint.probe_port);
            endpoints.push(Endpoint {
                name: endpoint.name.as_str().into(),
                region: RegionId(endpoint.region as u16),
                v4: endpoint.v4,
                v6: endpoint.v6,
                weight: endpoint.weight,
                order: endpoint.order,
                targets: PerFamily::new(probed(reach.v4), probed(reach.v6)),
                reach,
                cname: endpoint.cname.clone(),
                group: endpoint.group.as_deref().map(Box::from),
                capacity: endpoint.capacity,
                fences: pool.fences_of(endpoint, &meant.regions),
            });
        }
        routes.push(route(at, &pool.policy, map));
        pools.push(Pool {
            name: pool.name.as_str().into(),
            endpoints,
            monitor,
            min_healthy: pool.min_healthy,
            panic: pool.panic,
            load: pool.load.and_then(|at| meant.loads.get(at)).map(|load| load.name.clone()),
            ..Pool::default()
        });
    }
    for ((at, policy), map) in variants.iter().zip(places.by_ref()) {
        routes.push(route(*at, policy, map));
    }
    let steered = Steered { meant: &meant.pools, variants: &variants, routes: &routes, block: meant.lengths.block };
    let mut services: Vec<Service> = Vec::new();
    for (service, gate) in meant.services.iter().zip(places.by_ref()) {
        services.extend(service::all(service, gate, &steered));
    }
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let plain = places.next().flatten().unwrap_or_default();
    // What counts when a server starts; one that runs has a table of its own, which remembers.
    let mut latencies = Latencies::new(meant.latency.terms);
    latencies.import(At(0), meant.geo.cells.iter().map(LatencyLine::cell));
    let measures = Arc::new(measures(&latencies, &meant.regions, At(0)));
    let draft = Draft {
        regions: meant.regions,
        monitors: meant.monitors,
        loads: meant.loads,
        targets: targets.into_list(),
        health: HealthRules { canaries, ..meant.health },
        pools,
        policies: policies.kept,
        routes,
        services,
        zones: meant.zones.into_iter().map(Arc::new).collect(),
        databases: meant.geo.databases.about().cloned().collect(),
        atlas: Arc::new(meant.geo.atlas),
        resolvers: Arc::new(meant.geo.resolvers),
        measures,
        nowhere: meant.nowhere,
        model: meant.model,
        rules,
        plain,
        secret: meant.secret.unwrap_or_default(),
        identity: meant.server.identity.into(),
        ecs_from: meant.ecs_from,
        cuts: meant.lengths.cuts,
        reflect: meant.reflect,
        udp_max: meant.server.udp.max_size,
        rotate: meant.server.rotate,
    };
    (draft, shared)
}

/// Which pools some service has under a policy of its own, each once.
fn variants(meant: &Meant) -> Vec<(usize, &Policy)> {
    let mut found: Vec<(usize, &Policy)> = Vec::new();
    for service in &meant.services {
        let Some(policy) = &service.policy else { continue };
        let canary = service.canary.map(|(at, _)| at);
        for at in service.pools.iter().copied().chain(canary) {
            if !found.contains(&(at, policy)) {
                found.push((at, policy));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
