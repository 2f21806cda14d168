//! Services that leave a pool when all its probes fail at once, though the fault may be this node's own. Must not know how
//! health is judged.

use super::{super::notes::Notes, Subject, listed};
use crate::engine::world::policy::{Endpoint, Pool, Service};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    if !subject.world.health.canaries.is_empty() {
        return;
    }
    // For each pair of pools the services that have it.
    let mut pairs: Vec<(&Pool, &Pool, Vec<&Service>)> = Vec::new();
    let configured = |service: &&Service| service.only_region.is_none() && !service.second;
    for service in subject.world.services.iter().filter(configured) {
        let pools: Vec<&Pool> = service.pools.iter().filter_map(|id| subject.world.pools.get(id.at())).collect();
        let Some((first, behind)) = pools.split_first() else { continue };
        let Some(later) = behind.iter().find(|later| takes_over(subject, first, later)) else { continue };
        match pairs.iter_mut().find(|(a, b, _)| (&a.name, &b.name) == (&first.name, &later.name)) {
            Some((.., services)) => services.push(service),
            None => pairs.push((first, later, vec![service])),
        }
    }
    for (first, later, services) in pairs {
        let names: Vec<String> =
            services.iter().map(|service| service.name.to_string().trim_end_matches('.').to_owned()).collect();
        let message = format!("a fault of all probes at once can send all clients to pool \"{}\"", later.name);
        let label = format!(
            "{}: pool \"{}\" gives way where none of it is up, and what the governor holds is not",
            listed(&names),
            first.name
        );
        let at = services.first().map_or(0..0, |service| subject.service_at(&service.name));
        let fault = notes.warning(at, message, label);
        notes.push(fault.remedy(
            "name `health.canaries`: a node that sees none of them believes no failure and goes to no later pool, so they \
             tell its own fault from a real loss",
        ));
    }
}

/// Whether a pool, all of which is probed, gives way to a later one that such a fault may leave up: it has an endpoint
/// without a monitor, or one in a region of its own, which may be lost last and be held.
fn takes_over(subject: &Subject<'_>, first: &Pool, later: &Pool) -> bool {
    let weighted = |pool: &Pool| subject.endpoints(pool).iter().filter(|endpoint| endpoint.weight > 0);
    let is_probed = |endpoint: &Endpoint| endpoint.targets.iter().any(Option::is_some);
    let is_apart = |endpoint: &Endpoint| weighted(first).all(|other| other.region != endpoint.region);
    weighted(first).all(is_probed) && weighted(later).any(|endpoint| !is_probed(endpoint) || is_apart(endpoint))
}
