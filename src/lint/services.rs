//! Services that cannot do what they promise: other names without addresses, an objective that the monitors and TTLs
//! cannot meet, an affinity that cannot hold, and a later pool that a fault of this node's own can send all clients to.
//! Must not know how health is judged.

use super::subject::{Subject, listed};
use crate::{
    config::{
        diagnostics::Notes,
        quantity::{duration, show_duration},
    },
    engine::{
        types::RegionId,
        wire::{fold, name::Name, rr::RrType},
        world::{
            endpoint::Endpoint,
            pool::Pool,
            service::{Fallback, Service},
        },
        zone::table::{Found, Table},
    },
    probing::monitor::Rhythm,
};

/// Services as they are configured, without the names that were made beside them.
fn configured<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a Service> {
    subject.world.services.iter().filter(|service| service.only_region.is_none() && !service.second)
}

/// Other names that services and endpoints answer with, and that the zones served here do not have.
pub(super) fn aliases(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let table = &subject.world.table;
    for pool in subject.pools() {
        for endpoint in &pool.endpoints {
            if let Some(why) = endpoint.cname.as_ref().and_then(|target| lacks(table, target)) {
                let message = format!("endpoint \"{}/{}\" is a name without addresses", pool.name, endpoint.name);
                let fault = notes.warning(subject.endpoint_at(&pool.name, &endpoint.name), message, why);
                notes.push(fault.remedy("write the name into its zone, or lead elsewhere"));
            }
        }
    }
    for service in configured(subject) {
        let spare = [("when_all_down", Some(&service.when_all_down)), ("when_fenced", service.when_fenced.as_ref())];
        for (key, spare) in spare {
            let Some(Fallback::Cname(target)) = spare else { continue };
            if let Some(why) = lacks(table, target) {
                let message = format!("`{key}` of service {} is a name without addresses", service.name);
                let fault = notes.warning(subject.service_at(&service.name), message, why);
                notes.push(fault.remedy("write the name into its zone, or lead elsewhere"));
            }
        }
    }
}

/// Why a name has no addresses, where a zone of ours would have to have them. What lies outside, below a cut or behind
/// a further alias is not looked at.
fn lacks(table: &Table, target: &Name) -> Option<String> {
    match table.find(target.wire(), fold::hash(target.wire())) {
        Found::NoName(_) => Some(format!("{target} does not exist in its zone")),
        Found::Here(node) => {
            let has = [RrType::A, RrType::AAAA, RrType::CNAME].iter().any(|rtype| node.rrset(*rtype).is_some());
            let answered = has || node.service().is_some() || node.is_reflect();
            (!answered).then(|| format!("{target} has neither A nor AAAA in its zone"))
        }
        Found::NotOurs | Found::Cut(_) | Found::Redirect(..) => None,
    }
}

/// Services whose clients are not away from what died as soon as `objective` promises: by the worst that monitors and TTLs
/// let happen, summed up.
pub(super) fn objective(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (key, spec) in &subject.spec.services {
        let Some(written) = &spec.objective else { continue };
        let Ok(objective) = duration(written.get_ref()) else { continue };
        let objective = objective / 1000;
        let is_it =
            |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(key.get_ref().trim_end_matches('.'));
        let Some(service) = subject.world.services.iter().find(|service| is_it(&service.name.to_string())) else {
            continue;
        };
        let pools = service.pools(subject.world).filter_map(|id| subject.world.pools.get(id.at()));
        let kept = service.ttl_max.millis();
        let worst =
            pools.filter_map(|pool| Some((detection(rhythm(subject, pool)?), pool))).max_by_key(|(takes, _)| *takes);
        let Some((takes, pool)) = worst.filter(|(takes, _)| takes + kept > objective) else { continue };
        let Some(rhythm) = rhythm(subject, pool) else { continue };
        let show = |millis: u64| show_duration(millis * 1000);
        let message = format!("service {} cannot meet its objective of {}", service.name, show(objective));
        let label = format!(
            "{}: interval {} + {} more failures, {} apart + timeout {} + ttl.max {}, with pool \"{}\"",
            show(takes + kept),
            show(rhythm.interval),
            rhythm.fall - 1,
            show(rhythm.recheck.max(rhythm.timeout)),
            show(rhythm.timeout),
            show(kept),
            pool.name
        );
        let remedy = match objective.checked_sub(takes).map(|left| left / 1000) {
            Some(left @ 1..) => format!("`ttl.max` of {left}s would do; or probe more often"),
            _ => "probe more often, with a shorter timeout or fewer failures: the TTL alone cannot do it".into(),
        };
        let fault = notes.warning(written.span(), message, label).remedy(remedy);
        notes.push(fault);
    }
}

fn rhythm<'a>(subject: &Subject<'a>, pool: &Pool) -> Option<&'a Rhythm> {
    subject.world.monitors.get(pool.monitor?.at()).map(|monitor| &monitor.rhythm)
}

/// The longest time from a death to the verdict, in milliseconds: it dies right after a probe, and hangs from then on.
fn detection(rhythm: &Rhythm) -> u64 {
    let apart = rhythm.recheck.max(rhythm.timeout);
    rhythm.interval + u64::from(rhythm.fall.saturating_sub(1)) * apart + rhythm.timeout
}

/// Services that are to agree on the region, and do not for every client.
pub(super) fn affinity(subject: &Subject<'_>, notes: &mut Notes<'_>) {
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
    let pool = |service: &Service| service.routes.first().and_then(|id| subject.world.pool_of(*id));
    let (one, other) = (pool(one)?, pool(other)?);
    let weights = |pool: &Pool| -> Vec<(RegionId, u64)> {
        let mut found: Vec<(RegionId, u64)> = Vec::new();
        for endpoint in pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0) {
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
    let policy = |pool: &Pool| subject.policy(pool);
    if regions(&a) != regions(&b) {
        return Some(format!("pool \"{}\" is in {}, pool \"{}\" in {}", one.name, names(&a), other.name, names(&b)));
    }
    if policy(one).map(|p| (&p.prefer, p.spread)) != policy(other).map(|p| (&p.prefer, p.spread)) {
        return Some(format!("pools \"{}\" and \"{}\" rank and spread by different rules", one.name, other.name));
    }
    (a != b).then(|| format!("the weights of the regions differ between pools \"{}\" and \"{}\"", one.name, other.name))
}

/// Services that leave a pool when all its probes fail at once, though the fault may be this node's own.
pub(super) fn later(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    if !subject.world.health.canaries.is_empty() {
        return;
    }
    // For each pair of pools the services that have it.
    let mut pairs: Vec<(&Pool, &Pool, Vec<&Service>)> = Vec::new();
    for service in configured(subject) {
        let pools: Vec<&Pool> =
            service.pools(subject.world).filter_map(|id| subject.world.pools.get(id.at())).collect();
        let Some((first, behind)) = pools.split_first() else { continue };
        let Some(later) = behind.iter().find(|later| takes_over(first, later)) else { continue };
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
fn takes_over(first: &Pool, later: &Pool) -> bool {
    fn weighted(pool: &Pool) -> impl Iterator<Item = &Endpoint> {
        pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
    }
    let is_probed = |endpoint: &Endpoint| endpoint.targets.iter().any(Option::is_some);
    let is_apart = |endpoint: &Endpoint| weighted(first).all(|other| other.region != endpoint.region);
    weighted(first).all(is_probed) && weighted(later).any(|endpoint| !is_probed(endpoint) || is_apart(endpoint))
}
