//! Names in a scenario to what they name in a configuration.

use super::{Fault, fault, line::Who};
use crate::{
    engine::{snapshot::World, steer::policy::Pool, types::EndpointId},
    state::overrides::Whom,
};

/// The pools as they are configured, with their endpoints.
fn pools(world: &World) -> impl Iterator<Item = (&Pool, impl Iterator<Item = EndpointId>)> {
    let own = world.pools.iter().filter(|pool| pool.stands_for.is_none());
    own.map(|pool| (pool, (pool.first.0..pool.first.0 + u32::from(pool.count)).map(EndpointId)))
}

/// The endpoints that somebody stands for.
pub(super) fn endpoints(world: &World, who: &Who) -> Result<Vec<EndpointId>, Fault> {
    let mut found = Vec::new();
    for (pool, ids) in pools(world) {
        found.extend(ids.filter(|id| {
            let endpoint = &world.endpoints[id.at()];
            match who {
                Who::Pool(name) => **name == *pool.name,
                Who::Region(name) => **name == *world.regions[endpoint.region.at()].name,
                Who::Endpoint(name) => is_called(name, &pool.name, &endpoint.name),
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
            .map(|(pool, id)| Whom::Endpoint(pool.name.clone(), world.endpoints[id.at()].name.clone()))
            .collect(),
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
            let mut there = pools(world)
                .flat_map(|(pool, ids)| ids.map(move |id| format!("{}/{}", pool.name, world.endpoints[id.at()].name)));
            fault(format!("no endpoint is called {name}"), names(&mut there))
        }
    }
}

/// The region with this name.
pub(super) fn region(world: &World, name: &str) -> Result<(), Fault> {
    endpoints(world, &Who::Region(name.to_owned())).map(|_| ())
}
