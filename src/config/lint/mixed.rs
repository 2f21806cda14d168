//! Services that do not fit each other: an affinity that cannot hold.

use super::{super::notes::Notes, Subject, listed};
use crate::engine::{
    types::RegionId,
    world::policy::{Pool, Service},
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    affinity(subject, notes);
}

/// Services as they are configured, without the names that were made beside them.
fn configured<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a Service> {
    subject.world.services.iter().filter(|service| service.only_region.is_none() && !service.second)
}

/// Services that are to agree on the region, and do not for every client.
fn affinity(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let services: Vec<&Service> = configured(subject).collect();
    for (at, service) in services.iter().enumerate() {
        let Some(first) = services[..at].iter().find(|other| other.affinity == service.affinity) else { continue };
        let Some(why) = disagreement(subject, first, service) else { continue };
        let message = format!("services {} and {} share an affinity and can disagree", first.name, service.name);
        let place = notes.place(subject.service_at(&first.name));
        let fault = notes
            .warning(subject.service_at(&service.name), message, why)
            .also(place, "the other one")
            .remedy("give them pools with the same regions, weights and policy, or take the affinity out");
        notes.push(fault);
    }
}

fn disagreement(subject: &Subject<'_>, one: &Service, other: &Service) -> Option<String> {
    let pool = |service: &Service| service.pools.first().and_then(|id| subject.world.pools.get(id.at()));
    let (one, other) = (pool(one)?, pool(other)?);
    let weights = |pool: &Pool| -> Vec<(RegionId, u64)> {
        let mut found: Vec<(RegionId, u64)> = Vec::new();
        for endpoint in subject.endpoints(pool).iter().filter(|endpoint| endpoint.weight > 0) {
            match found.iter_mut().find(|(region, _)| *region == endpoint.region) {
                Some((_, weight)) => *weight += u64::from(endpoint.weight),
                None => found.push((endpoint.region, endpoint.weight.into())),
            }
        }
        found.sort_unstable();
        found
    };
    let (a, b) = (weights(one), weights(other));
    let names = |weights: &[(RegionId, u64)]| {
        let names = weights.iter().map(|(id, _)| subject.world.regions[id.at()].name.to_string());
        listed(&names.collect::<Vec<_>>())
    };
    let regions = |weights: &[(RegionId, u64)]| weights.iter().map(|(region, _)| *region).collect::<Vec<_>>();
    let policy = |pool: &Pool| subject.world.policies.get(pool.policy.at());
    if regions(&a) != regions(&b) {
        return Some(format!("pool \"{}\" is in {}, pool \"{}\" in {}", one.name, names(&a), other.name, names(&b)));
    }
    if policy(one).map(|p| (&p.prefer, p.spread)) != policy(other).map(|p| (&p.prefer, p.spread)) {
        return Some(format!("pools \"{}\" and \"{}\" rank and spread by different rules", one.name, other.name));
    }
    (a != b).then(|| format!("the weights of the regions differ between pools \"{}\" and \"{}\"", one.name, other.name))
}
