//! Services that may be answered with another name: where that cannot be, and chains that come back. Must not know what
//! makes a service choose a name.

use std::collections::BTreeSet;

use toml::Spanned;

use super::ownership::Homes;
use crate::{
    config::{
        check::meant::{MeantPool, MeantService},
        diagnostics::Notes,
        fault::Fault,
        zone_file::target,
    },
    engine::{
        wire::{name::Name, rr::RrType},
        world::service::Fallback,
    },
};

/// Every name that a service may be answered with.
fn targets<'m>(service: &'m MeantService, pools: &'m [MeantPool]) -> Vec<&'m Name> {
    let canary = service.canary.map(|(pool, _)| pool);
    let used = service.pools.iter().chain(&canary).filter_map(|at| pools.get(*at));
    let endpoints = used.flat_map(|pool| pool.endpoints.iter().filter_map(|endpoint| endpoint.cname.as_ref()));
    let spare = [Some(&service.answers.when_all_down), service.answers.when_fenced.as_ref()].into_iter().flatten();
    let spare = spare.filter_map(|spare| match spare {
        Fallback::Cname(name) => Some(name),
        _ => None,
    });
    endpoints.chain(spare).collect()
}

/// Checks every service that may be an alias.
pub(super) fn aliases(
    services: &[(Spanned<String>, MeantService)],
    pools: &[MeantPool],
    homes: &Homes<'_>,
    notes: &mut Notes<'_>,
) {
    for (key, service) in services {
        let targets = targets(service, pools);
        let Some(first) = targets.first() else { continue };
        beside(key, service, first, homes, notes);
        if let Some(way) = round(service, services, pools, homes) {
            let names: Vec<String> = way.iter().map(ToString::to_string).collect();
            let message = format!("service {} leads back to itself", service.answers.name);
            let fault = notes.error(key.span(), message, names.join(" → "));
            notes.push(fault.remedy("let one of them lead elsewhere"));
        }
    }
}

/// Hosts that NS, MX or SRV records name and that are aliases all the same (RFC 2181 10.3): by a service, or by another of the
/// zones. Those within one zone file are told when it is read.
pub(super) fn pointed(
    services: &[(Spanned<String>, MeantService)],
    pools: &[MeantPool],
    homes: &Homes<'_>,
    notes: &mut Notes<'_>,
) {
    let mut elsewhere: BTreeSet<Name> = BTreeSet::new();
    for (_, service) in services.iter().filter(|(_, service)| !targets(service, pools).is_empty()) {
        elsewhere.extend(std::iter::once(service.answers.name.clone()).chain(service.second.clone()));
        elsewhere.extend(service.direct.iter().map(|(name, _)| name.clone()));
    }
    let covered = |name: &Name| {
        let above = std::iter::successors(name.parent(), Name::parent);
        elsewhere.contains(name)
            || above.filter_map(|above| above.prepend(b"*").ok()).any(|wildcard| elsewhere.contains(&wildcard))
    };
    if elsewhere.is_empty() && homes.zones.len() < 2 {
        return;
    }
    for zone in homes.zones {
        let Some(loaded) = &zone.loaded else { continue };
        for (record, place) in loaded.zone.records.iter().zip(&loaded.places) {
            let Some(host) = target(record).filter(|_| record.rtype != RrType::CNAME) else { continue };
            let around = homes.zones.iter().filter(|other| host.is_within(&other.apex));
            let Some(home) = around.max_by_key(|other| other.apex.wire().len()) else { continue };
            let service = if covered(&host) { serving(&host, services, homes) } else { None };
            let key = service.and_then(|service| {
                services.iter().find(|(_, other)| other.answers.name == service.answers.name).map(|(key, _)| key)
            });
            let other = service.and_then(|service| targets(service, pools).first().copied());
            let (why, also) = if let (Some(key), Some(other)) = (key, other) {
                let why = format!("which service {} may answer with the CNAME {other}", key.get_ref());
                (why, Some((notes.place(key.span()), "this service")))
            } else if home.apex != zone.apex
                && let Some(other) = written(&host, homes)
            {
                (format!("which leads to {other} in the zone {}", home.apex), None)
            } else {
                continue;
            };
            let message = format!("{} {} points to {host}, {why}", record.owner, record.rtype);
            let fault = Fault::warning(message, place.clone(), "must be a name with addresses");
            let fault = also.into_iter().fold(fault, |fault, (place, label)| fault.also(place, label));
            notes.push(fault.remedy("name a host that has addresses (RFC 2181 10.3)"));
        }
    }
}

/// A CNAME leaves room for nothing else (RFC 1034 3.6.2).
fn beside(key: &Spanned<String>, service: &MeantService, target: &Name, homes: &Homes<'_>, notes: &mut Notes<'_>) {
    let name = &service.answers.name;
    let label = format!("it may be answered with the CNAME {target}");
    let fault = if homes.is_apex(name) {
        notes.error(key.span(), format!("service {name} is a zone's own name, which cannot be a CNAME"), label)
    } else if service.answers.https.is_some() {
        notes.error(key.span(), format!("service {name} has `https` beside a CNAME"), label)
    } else if let Some((rtype, place)) = homes.records(name).first() {
        let fault = notes.error(key.span(), format!("service {name} stands beside {rtype} records"), label);
        fault.also((*place).clone(), format!("{rtype} here"))
    } else {
        return;
    };
    notes.push(
        fault.remedy("answer with addresses, or give it a name of its own: a CNAME leaves room for nothing else"),
    );
}

/// The way from a service back to itself, through services and zone files; none where there is none.
fn round(
    service: &MeantService,
    services: &[(Spanned<String>, MeantService)],
    pools: &[MeantPool],
    homes: &Homes<'_>,
) -> Option<Vec<Name>> {
    let own = &service.answers.name;
    let mut seen: BTreeSet<Name> = BTreeSet::new();
    let mut ways: Vec<Vec<Name>> =
        targets(service, pools).into_iter().map(|target| vec![own.clone(), target.clone()]).collect();
    while let Some(way) = ways.pop() {
        let Some(last) = way.last().cloned() else { continue };
        let here = serving(&last, services, homes);
        if here.is_some_and(|here| here.answers.name == *own) {
            return Some(way);
        }
        if !seen.insert(last.clone()) {
            continue;
        }
        let next = match here {
            Some(here) => targets(here, pools).into_iter().cloned().collect(),
            None => written(&last, homes).into_iter().collect::<Vec<Name>>(),
        };
        ways.extend(next.into_iter().map(|next| way.iter().cloned().chain([next]).collect()));
    }
    None
}

/// The service that answers at a name: its own, one that it comes with, or a wildcard's.
pub(super) fn serving<'m>(
    name: &Name,
    services: &'m [(Spanned<String>, MeantService)],
    homes: &Homes<'_>,
) -> Option<&'m MeantService> {
    let of = |at: &Name| {
        let has = |service: &MeantService| {
            service.answers.name == *at
                || service.second.as_ref() == Some(at)
                || service.direct.iter().any(|(direct, _)| direct == at)
        };
        services.iter().map(|(_, service)| service).find(|service| has(service))
    };
    if let Some(found) = of(name) {
        return Some(found);
    }
    if !homes.records(name).is_empty() {
        return None;
    }
    let mut above = name.parent();
    while let Some(at) = above {
        if let Some(found) = at.prepend(b"*").ok().and_then(|wildcard| of(&wildcard)) {
            return Some(found);
        }
        if !homes.records(&at).is_empty() || of(&at).is_some() {
            return None; // the closest encloser (RFC 4592 3.3.1)
        }
        above = at.parent();
    }
    None
}

/// Where the zone files lead from a name.
fn written(name: &Name, homes: &Homes<'_>) -> Option<Name> {
    if let Some((RrType::CNAME, target)) = homes.aliases.get(name) {
        return Some(target.clone());
    }
    let mut labels: Vec<&[u8]> = Vec::new();
    let mut above = name.parent();
    let mut rest = name.labels();
    while let Some(at) = above {
        labels.extend(rest.next());
        if let Some((RrType::DNAME, target)) = homes.aliases.get(&at) {
            return labels.iter().rev().try_fold(target.clone(), |name, label| name.prepend(label).ok());
        }
        if let Ok(wildcard) = at.prepend(b"*")
            && let Some((RrType::CNAME, target)) = homes.aliases.get(&wildcard)
            && homes.records(name).is_empty()
        {
            return Some(target.clone());
        }
        above = at.parent();
    }
    None
}
