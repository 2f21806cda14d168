//! What was meant to what is served: positions become numbers, equal things become one, maps are made. Nothing can be
//! wrong any more.

mod rule;
mod rules;

use std::{collections::HashMap, hash::Hash, sync::Arc};

use super::check::{Meant, MeantPool, MeantService};
use crate::engine::{
    geo::{Cuts, Model, Rule},
    health::monitor::{Monitor, ProbeKey},
    signal::latency::Latencies,
    snapshot::{Draft, Target, measures},
    steer::policy::{Endpoint, Pool, Service},
    types::{At, EndpointId, MapId, MonitorId, PolicyId, PoolId, RegionId, TargetId},
};

/// How wide a block is at most, where a policy can split a catchment.
const BLOCK: [u8; 2] = [16, 32];

/// Equal values, each kept once and numbered in the order in which it came.
#[derive(Debug)]
struct Distinct<T> {
    kept: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    fn new() -> Self {
        Self { kept: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, value: T) -> u32 {
        *self.numbers.entry(value.clone()).or_insert_with(|| {
            self.kept.push(value);
            (self.kept.len() - 1) as u32
        })
    }
}

/// Makes the world, whose secret stays zero when none was read, and says how many pools share a map of more regions
/// than their own.
pub(crate) fn compile(meant: Meant) -> (Draft, usize) {
    let mut targets = Distinct::new();
    let mut policies = Distinct::new();
    // The last one is for services that ask for nobody's place until a timed drain moves their blocks.
    let wanted: Vec<Option<Rule>> =
        meant.pools.iter().map(|pool| rule::rule(pool, &meant.regions)).chain([Some(Rule::default())]).collect();
    let (rules, mut places, shared) = rules::share(&wanted);
    let plain = MapId(places.pop().flatten().unwrap_or_default());
    let mut endpoints = Vec::new();
    let mut pools = Vec::new();
    for (pool, place) in meant.pools.iter().zip(places) {
        let first = EndpointId(endpoints.len() as u32);
        let monitor = pool.monitor.map(|at| MonitorId(at as u32));
        for endpoint in &pool.endpoints {
            let probed = |address| {
                let Monitor { check, .. } = meant.monitors.get(monitor?.at())?;
                let key = ProbeKey { check: check.clone(), address: address? };
                Some(TargetId(targets.number((monitor?, key))))
            };
            endpoints.push(Endpoint {
                name: endpoint.name.as_str().into(),
                region: RegionId(endpoint.region as u16),
                v4: endpoint.v4,
                v6: endpoint.v6,
                weight: endpoint.weight,
                order: endpoint.order,
                targets: endpoint.addresses().map(probed),
                cname: endpoint.cname.clone(),
                group: endpoint.group.as_deref().map(Box::from),
                capacity: endpoint.capacity,
                fences: pool.fences_of(endpoint, &meant.regions),
            });
        }
        pools.push(Pool {
            name: pool.name.as_str().into(),
            first,
            count: pool.endpoints.len() as u8,
            monitor,
            policy: PolicyId(policies.number(pool.policy.clone())),
            map: place.map(MapId),
            stands_for: None,
            min_healthy: pool.min_healthy,
            panic: pool.panic,
            load: pool.load.and_then(|at| meant.loads.get(at)).map(|load| load.name.clone()),
        });
    }
    let services = meant.services.iter().map(|service| self::service(service, &meant.pools, &pools)).collect();
    // What counts when a server starts; one that runs has a table of its own, which remembers.
    let mut latencies = Latencies::new(meant.latency.terms);
    latencies.import(At(0), meant.geo.cells.into_iter().map(|line| ((line.whose, line.region), line.reading)));
    let measures = Arc::new(measures(&latencies, &meant.regions, At(0)));
    let target = |(monitor, key)| Target { monitor, key: Arc::new(key) };
    let draft = Draft {
        regions: meant.regions,
        monitors: meant.monitors,
        loads: meant.loads,
        targets: targets.kept.into_iter().map(target).collect(),
        endpoints,
        pools,
        policies: policies.kept,
        services,
        zones: meant.zones,
        atlas: Arc::new(meant.geo.atlas),
        resolvers: Arc::new(meant.geo.resolvers),
        measures,
        nowhere: Vec::new(),
        model: Model::default(),
        rules,
        plain,
        secret: meant.secret.unwrap_or_default(),
        identity: meant.server.identity.into(),
        ecs_from: meant.ecs_from,
        cuts: Cuts::default(),
        reflect: None,
        udp_max: meant.server.udp.max_size,
    };
    (draft, shared)
}

fn service(service: &MeantService, meant: &[MeantPool], pools: &[Pool]) -> Service {
    let mut maps: Vec<MapId> = Vec::new();
    let mut cut: Option<[u8; 2]> = None;
    for at in &service.pools {
        let (Some(pool), Some(Pool { map, .. })) = (meant.get(*at), pools.get(*at)) else { continue };
        if let Some(map) = *map
            && !maps.contains(&map)
        {
            maps.push(map);
        }
        if rule::splits(pool, service.pools.len() > 1) {
            let [v4, v6] = pool.policy.sticky.unwrap_or(BLOCK);
            cut = Some(cut.map_or([v4, v6], |[w4, w6]| [v4.max(w4), v6.max(w6)]));
        }
    }
    Service {
        pools: service.pools.iter().map(|at| PoolId(*at as u32)).collect(),
        ttl_max: service.ttl_max,
        ttl_min: service.ttl_min,
        when_all_down: service.when_all_down.clone(),
        maps,
        cut,
        fine: BLOCK,
        ..Service::new(service.name.clone())
    }
}

#[cfg(test)]
mod tests;
