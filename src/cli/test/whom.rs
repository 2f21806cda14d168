//! Names in a scenario to what they name in a configuration.

use std::net::IpAddr;

use super::{Fault, fault, line::Who};
use crate::{
    engine::{
        types::{EndpointId, Family, TargetId},
        world::{World, policy::Pool},
    },
    state::overrides::Whom,
};

/// The pools as they are configured, with their endpoints.
fn pools(world: &World) -> impl Iterator<Item = (&Pool, impl Iterator<Item = EndpointId>)> {
    let own = world.pools.iter();
    own.map(|pool| (pool, pool.members().map(|(_, id, _)| id)))
}

/// The addresses where somebody is probed, in a family or both.
pub(super) fn probed(world: &World, who: &Who, family: Option<Family>) -> Result<Vec<IpAddr>, Fault> {
    let about = |id: TargetId| world.targets[id.at()].address();
    if let Who::Canary(address) = who {
        let there: Vec<IpAddr> = world.health.canaries.iter().map(|id| about(*id)).collect();
        return if there.contains(address) { Ok(vec![*address]) } else { Err(nobody(world, who)) };
    }
    let wanted = |own: &Family| family.is_none_or(|family| family == *own);
    let endpoints = endpoints(world, who)?;
    let targets = endpoints.iter().map(|id| world[*id].targets);
    let targets = targets.flat_map(|of| Family::BOTH.into_iter().filter(wanted).filter_map(move |f| of[f]));
    let addresses: Vec<_> = targets.map(about).collect();
    if addresses.is_empty() {
        return Err(fault("nobody probes it: it is always up", "give its pool a monitor, or use `force-down`"));
    }
    Ok(addresses)
}

/// The endpoints that somebody stands for.
pub(super) fn endpoints(world: &World, who: &Who) -> Result<Vec<EndpointId>, Fault> {
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
    if found.is_empty() { Err(nobody(world, who)) } else { Ok(found) }
}

/// Whom an override of somebody is about.
pub(super) fn whom(world: &World, who: &Who) -> Result<Vec<Whom>, Fault> {
    let named = endpoints(world, who)?;
    Ok(match who {
        Who::Region(name) => vec![Whom::Region(name.as_str().into())],
        Who::Pool(name) => vec![Whom::Pool(name.as_str().into())],
        Who::Endpoint(_) => pools(world)
            .flat_map(|(pool, ids)| ids.map(move |id| (pool, id)))
            .filter(|(_, id)| named.contains(id))
            .map(|(pool, id)| Whom::Endpoint(pool.name.clone(), world[id].name.clone()))
            .collect(),
        // Nobody is found that is called so.
        Who::Canary(_) => Vec::new(),
    })
}

/// Whether an endpoint of a pool has this name: its own, or the pool's before it.
fn is_called(name: &str, pool: &str, endpoint: &str) -> bool {
    name == endpoint || name.split_once('/') == Some((pool, endpoint))
}

fn nobody(world: &World, who: &Who) -> Fault {
    let names = |names: &mut dyn Iterator<Item = String>| {
        let mut names: Vec<String> = names.take(12).collect();
        names.dedup();
        format!("there is {}", names.join(", "))
    };
    match who {
        Who::Canary(address) => {
            let there = names(&mut world.health.canaries.iter().map(|id| world.targets[id.at()].address().to_string()));
            fault(
                format!("no canary is at {address}"),
                if world.health.canaries.is_empty() { "add `health.canaries`".into() } else { there },
            )
        }
        Who::Pool(name) => {
            fault(format!("no pool is called {name}"), names(&mut pools(world).map(|(pool, _)| pool.name.to_string())))
        }
        Who::Region(name) => {
            let there = names(&mut world.regions.iter().map(|region| region.name.to_string()));
            fault(format!("no region with an endpoint is called {name}"), there)
        }
        Who::Endpoint(name) if world.regions.iter().any(|region| *region.name == **name) => {
            fault(format!("no endpoint is called {name}"), format!("for the region write `region {name}`"))
        }
        Who::Endpoint(name) => {
            let mut there =
                pools(world).flat_map(|(pool, ids)| ids.map(move |id| format!("{}/{}", pool.name, world[id].name)));
            fault(format!("no endpoint is called {name}"), names(&mut there))
        }
    }
}

/// The region with this name.
pub(super) fn region(world: &World, name: &str) -> Result<(), Fault> {
    endpoints(world, &Who::Region(name.to_owned())).map(|_| ())
}

/// The monitor with this name.
pub(super) fn monitor(world: &World, name: &str) -> Result<(), Fault> {
    if world.monitors.iter().any(|monitor| *monitor.name == *name) {
        return Ok(());
    }
    let there: Vec<&str> = world.monitors.iter().map(|monitor| &*monitor.name).collect();
    Err(fault(format!("no monitor is called {name}"), format!("there is {}", there.join(", "))))
}
