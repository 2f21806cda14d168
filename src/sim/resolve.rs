//! Names to what they name in a configuration.

use std::net::IpAddr;

use super::{Refusal, Who};
use crate::{
    engine::{
        types::{EndpointId, Family, TargetId},
        world::{World, pool::Pool},
    },
    node::overrides,
};

/// The pools as they are configured, with their endpoints.
fn pools(world: &World) -> impl Iterator<Item = (&Pool, impl Iterator<Item = EndpointId>)> {
    let own = world.pools.iter();
    own.map(|pool| (pool, pool.members().map(|(_, id, _)| id)))
}

/// The addresses where it is probed, in a family or both.
pub(super) fn probed(world: &World, who: &Who, family: Option<Family>) -> Result<Vec<IpAddr>, Refusal> {
    let about = |id: TargetId| world.targets[id.at()].address();
    if let Who::Canary(address) = who {
        let there: Vec<IpAddr> = world.health.canaries.iter().map(|id| about(*id)).collect();
        return if there.contains(address) { Ok(vec![*address]) } else { Err(missing(world, who)) };
    }
    let wanted = |own: &Family| family.is_none_or(|family| family == *own);
    let endpoints = endpoints(world, who)?;
    let targets = endpoints.iter().map(|id| world[*id].targets);
    let targets = targets.flat_map(|of| Family::BOTH.into_iter().filter(wanted).filter_map(move |f| of[f]));
    let addresses: Vec<_> = targets.map(about).collect();
    if addresses.is_empty() {
        return Err(Refusal::Unprobed);
    }
    Ok(addresses)
}

/// The endpoints that it stands for.
pub(super) fn endpoints(world: &World, who: &Who) -> Result<Vec<EndpointId>, Refusal> {
    let mut found = Vec::new();
    for (pool, ids) in pools(world) {
        found.extend(ids.filter(|id| {
            let endpoint = &world[*id];
            match who {
                Who::Pool(name) => **name == *pool.name,
                Who::Region(name) => **name == *world.regions[endpoint.region.at()].name,
                Who::Endpoint(name) => is_called(name, &pool.name, &endpoint.name),
                Who::Canary(_) => false,
            }
        }));
    }
    if found.is_empty() { Err(missing(world, who)) } else { Ok(found) }
}

/// What an override of it is about.
pub(super) fn scopes(world: &World, who: &Who) -> Result<Vec<overrides::Scope>, Refusal> {
    use overrides::Scope;
    let named = endpoints(world, who)?;
    Ok(match who {
        Who::Region(name) => vec![Scope::Region(name.as_str().into())],
        Who::Pool(name) => vec![Scope::Pool(name.as_str().into())],
        Who::Endpoint(_) => pools(world)
            .flat_map(|(pool, ids)| ids.map(move |id| (pool, id)))
            .filter(|(_, id)| named.contains(id))
            .map(|(pool, id)| Scope::Endpoint(pool.name.clone(), world[id].name.clone()))
            .collect(),
        // Refused above: no endpoint is a canary.
        Who::Canary(_) => Vec::new(),
    })
}

/// Whether an endpoint of a pool has this name: its own, or the pool's before it.
fn is_called(name: &str, pool: &str, endpoint: &str) -> bool {
    name == endpoint || name.split_once('/') == Some((pool, endpoint))
}

/// That nothing is called so.
fn missing(world: &World, who: &Who) -> Refusal {
    let first = |names: &mut dyn Iterator<Item = String>| {
        let mut names: Vec<String> = names.take(12).collect();
        names.dedup();
        names
    };
    match who {
        Who::Canary(address) => {
            let canaries = world.health.canaries.iter();
            let there = first(&mut canaries.map(|id| world.targets[id.at()].address().to_string()));
            Refusal::Canary { address: *address, there }
        }
        Who::Pool(name) => {
            let there = first(&mut pools(world).map(|(pool, _)| pool.name.to_string()));
            Refusal::Pool { name: name.clone(), there }
        }
        Who::Region(name) => {
            let there = first(&mut world.regions.iter().map(|region| region.name.to_string()));
            Refusal::Region { name: name.clone(), there }
        }
        Who::Endpoint(name) => {
            let mut all =
                pools(world).flat_map(|(pool, ids)| ids.map(move |id| format!("{}/{}", pool.name, world[id].name)));
            let is_region = world.regions.iter().any(|region| *region.name == **name);
            Refusal::Endpoint { name: name.clone(), there: first(&mut all), is_region }
        }
    }
}

/// The region with this name.
pub(super) fn region(world: &World, name: &str) -> Result<(), Refusal> {
    endpoints(world, &Who::Region(name.to_owned())).map(|_| ())
}

/// The monitor with this name.
pub(super) fn monitor(world: &World, name: &str) -> Result<(), Refusal> {
    if world.monitors.iter().any(|monitor| *monitor.name == *name) {
        return Ok(());
    }
    let there = world.monitors.iter().map(|monitor| monitor.name.to_string()).collect();
    Err(Refusal::Monitor { name: name.to_owned(), there })
}
