//! What if a region has no address of a family: where its clients go for it, by the order that the pool's own map and
//! policy give, with all endpoints up. Must not know how far that is.

use super::clients::Clients;
use crate::engine::{
    types::{Family, RegionId},
    world::{World, pool::Pool},
};

/// The regions where the clients of a region find the family.
#[must_use]
pub fn without_family(world: &World, pool: &Pool, region: RegionId, family: Family) -> Vec<RegionId> {
    let Some(clients) = Clients::of_pool(world, pool) else { return Vec::new() };
    let (inside, with) = (clients.set(|e| e.region == region), clients.set(|e| e.address(family).is_some()));
    // The clients that would go to it; where none would while all are up, those that may.
    let (mut found, mut later) = (0, 0);
    for client in clients.all() {
        let within = clients.eligible(client, true);
        let open = clients.eligible(client, false);
        let eligible = if within == 0 { open } else { within };
        let left = if eligible & with == 0 { open & with } else { eligible & with };
        if clients.nearest(client, eligible) & inside != 0 {
            found |= clients.nearest(client, left);
        } else if open & inside != 0 {
            later |= clients.nearest(client, left);
        }
    }
    let found = if found == 0 { later } else { found };
    let mut heirs: Vec<RegionId> =
        pool.endpoints.iter().enumerate().filter(|(n, _)| found >> n & 1 == 1).map(|(_, e)| e.region).collect();
    heirs.sort_unstable();
    heirs.dedup();
    heirs
}
