//! Pools and services that do not fit each other: a family that a fallback loses, an affinity that cannot hold.

use super::{super::notes::Notes, Subject, listed};
use crate::engine::{
    steer::policy::{Pool, Service},
    types::{Family, RegionId},
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for service in configured(subject) {
        families(subject, service, notes);
    }
    affinity(subject, notes);
}

/// Services as they are configured, without the names that were made beside them.
fn configured<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a Service> {
    subject.world.services.iter().filter(|service| service.only_region.is_none() && !service.second)
}

/// A fallback pool without a family that the pool before it has.
fn families(subject: &Subject<'_>, service: &Service, notes: &mut Notes<'_>) {
    let pools: Vec<&Pool> = service.pools.iter().filter_map(|id| subject.world.pools.get(id.at())).collect();
    for family in Family::BOTH {
        let has = |pool: &&Pool| {
            subject
                .endpoints(pool)
                .iter()
                .any(|endpoint| endpoint.address(family).is_some() || endpoint.cname.is_some())
        };
        let (Some(first), Some(without)) = (pools.iter().find(|p| has(p)), pools.iter().find(|p| !has(p))) else {
            continue;
        };
        let (name, rtype) = if family == Family::V4 { ("IPv4", "A") } else { ("IPv6", "AAAA") };
        let message =
            format!("service {} loses {name} when it is answered from pool \"{}\"", service.name, without.name);
        let label = format!("pool \"{}\" has {name} addresses, pool \"{}\" has none", first.name, without.name);
        let remedy =
            format!("give an endpoint of \"{}\" an {name} address: {rtype} is an empty answer there", without.name);
        let fault = notes.warning(subject.service_at(&service.name), message, label).remedy(remedy);
        notes.push(fault);
    }
}

/// Services that are to agree on the region, and cannot.
fn affinity(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let services: Vec<&Service> = configured(subject).collect();
    for (at, service) in services.iter().enumerate() {
        let Some(first) = services[..at].iter().find(|other| other.affinity == service.affinity) else { continue };
        let Some(why) = disagreement(subject, first, service) else { continue };
        let message = format!("services {} and {} share an affinity and cannot agree", first.name, service.name);
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
