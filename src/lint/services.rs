//! Services that cannot do what they promise: other names without addresses, an objective that the monitors and TTLs
//! cannot meet, an affinity that cannot hold, and a later pool that a fault of this node's own can send all clients to.
//! Must not know how health is judged.

use super::subject::{Subject, listed};
use crate::{
    config::{diagnostics::Notes, quantity::show_millis},
    engine::{
        types::RegionId,
        wire::{fold, name::Name, rr::RrType},
        world::{
            pool::Pool,
            service::{Fallback, Service},
        },
        zone::table::{Found, Table},
    },
    sim::{self, Failover, GivesWay},
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
        let is_it =
            |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(key.get_ref().trim_end_matches('.'));
        let Some(service) = subject.world.services.iter().find(|service| is_it(&service.name.to_string())) else {
            continue;
        };
        let Some(objective) = service.objective else { continue };
        let slowest = sim::slowest_failover(subject.world, service).filter(|failover| failover.total() > objective);
        let Some(failover) = slowest else { continue };
        let Failover { pool, timing, apart, detection, kept } = failover;
        let message = format!("service {} cannot meet its objective of {}", service.name, show_millis(objective));
        let label = format!(
            "{}: interval {} + {} more failures, {} apart + timeout {} + ttl.max {}, with pool \"{}\"",
            show_millis(failover.total()),
            show_millis(timing.interval),
            timing.fall - 1,
            show_millis(apart),
            show_millis(timing.timeout),
            show_millis(kept),
            pool.name
        );
        let remedy = match objective.minus(detection).0 / 1000 {
            left @ 1.. => format!("`ttl.max` of {left}s would do; or probe more often"),
            _ => "probe more often, with a shorter timeout or fewer failures: the TTL alone cannot do it".into(),
        };
        let fault = notes.warning(written.span(), message, label).remedy(remedy);
        notes.push(fault);
    }
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
    let mut pairs: Vec<(GivesWay, Vec<&Service>)> = Vec::new();
    for service in configured(subject) {
        let Some(pair) = sim::all_probes_fail(subject.world, service) else { continue };
        match pairs.iter_mut().find(|(known, _)| *known == pair) {
            Some((_, services)) => services.push(service),
            None => pairs.push((pair, vec![service])),
        }
    }
    for (GivesWay { first, later }, services) in pairs {
        let [first, later] = [first, later].map(|id| &subject.world.pools[id.at()]);
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
