//! Rules of delegations and of DNAME: what lies at them and below them. Must not know aliases.

use std::collections::HashSet;

use super::{Zone, nodes::Found};
use crate::{
    config::{
        fault::Fault,
        zone_file::{findings::Findings, target},
    },
    engine::{
        wire::{name::Name, rr::RrType},
        zone::Record,
    },
};

/// Checks every name of the zone against what lies above it.
pub(super) fn check(zone: Zone<'_>, findings: &mut Findings) {
    let glue = glue_names(zone);
    for (number, node) in zone.nodes.all() {
        if let Some(dname) = node.dname {
            below_dname(zone, number, dname, findings);
        } else if let Some(cut) = node.cut {
            below_cut(zone, number, cut, &glue, findings);
        } else {
            at_cut(zone, number, &glue, findings);
        }
        wildcard(zone, number, findings);
        ds(zone, number, findings);
    }
    servers(zone, findings);
}

/// Every name that an NS record of the zone points to.
fn glue_names(zone: Zone<'_>) -> HashSet<u32> {
    let servers = zone.records.iter().filter(|record| record.rtype == RrType::NS);
    servers.filter_map(|server| zone.nodes.exact(&target(server)?)).collect()
}

/// RFC 6672 2.4.
fn below_dname(zone: Zone<'_>, node: u32, dname: u32, findings: &mut Findings) {
    let (Some(&record), [dname, ..]) =
        (zone.nodes.records(node).first(), zone.nodes.set(dname, RrType::DNAME, zone.records))
    else {
        return;
    };
    let (below, above) = (zone.record(record), zone.record(*dname));
    let message = format!("{} lies below the DNAME of {}", below.owner, above.owner);
    let fault = Fault::error(message, zone.place(record), "never answered");
    findings.push(fault.also(zone.place(*dname), "the DNAME").remedy("remove one of the two (RFC 6672 2.4)"));
}

fn is_address(record: &Record) -> bool {
    matches!(record.rtype, RrType::A | RrType::AAAA)
}

/// RFC 2181 6.1: everything below a delegation belongs to the other side, glue excepted.
fn below_cut(zone: Zone<'_>, node: u32, cut: u32, glue: &HashSet<u32>, findings: &mut Findings) {
    let is_glue = glue.contains(&node);
    let occluded = zone.nodes.records(node).iter().find(|&&number| !(is_glue && is_address(zone.record(number))));
    if let (Some(&record), [ns, ..]) = (occluded, zone.nodes.set(cut, RrType::NS, zone.records)) {
        let Record { owner, rtype, .. } = zone.record(record);
        let message = format!("{owner} {rtype} lies below the delegation of {}", zone.record(*ns).owner);
        let fault = Fault::warning(message, zone.place(record), "never answered");
        let fault = fault.also(zone.place(*ns), "delegated here");
        findings.push(fault.remedy("move it to the delegated zone; only addresses of its name servers belong here"));
    }
}

/// At a delegation there are NS and DS, and addresses when it is its own name server.
fn at_cut(zone: Zone<'_>, node: u32, glue: &HashSet<u32>, findings: &mut Findings) {
    if node == zone.nodes.apex() {
        return;
    }
    let [ns, ..] = zone.nodes.set(node, RrType::NS, zone.records) else { return };
    let is_glue = glue.contains(&node);
    let beside = |number: &&u32| {
        let record = zone.record(**number);
        // A CNAME here has an error of its own.
        let belongs = matches!(record.rtype, RrType::NS | RrType::DS | RrType::CNAME);
        !(belongs || is_glue && is_address(record))
    };
    if let Some(&record) = zone.nodes.records(node).iter().find(beside) {
        let Record { owner, rtype, .. } = zone.record(record);
        let message = format!("{owner} is delegated, and has {rtype} data beside its NS");
        let fault = Fault::warning(message, zone.place(record), "never answered");
        let fault = fault.also(zone.place(*ns), "delegated here");
        findings.push(fault.remedy("move it to the delegated zone"));
    }
}

/// RFC 4592 4.2 and 4.4.
fn wildcard(zone: Zone<'_>, node: u32, findings: &mut Findings) {
    let Some(&first) = zone.nodes.records(node).first() else { return };
    let owner = &zone.record(first).owner;
    if !owner.is_wildcard() {
        return;
    }
    if let [ns, ..] = *zone.nodes.set(node, RrType::NS, zone.records)
        && node != zone.nodes.apex()
    {
        let fault = Fault::error(format!("the wildcard {owner} has an NS record"), zone.place(ns), "means nothing");
        findings.push(fault.remedy("delegate each name by itself (RFC 4592 4.2)"));
    }
    if let [dname, ..] = *zone.nodes.set(node, RrType::DNAME, zone.records) {
        let message = format!("the wildcard {owner} has a DNAME record");
        let fault = Fault::warning(message, zone.place(dname), "resolvers disagree about it");
        findings.push(fault.remedy("give each name its own DNAME (RFC 4592 4.4)"));
    }
}

/// DS belongs to the parent's side of a delegation (RFC 4034 5).
fn ds(zone: Zone<'_>, node: u32, findings: &mut Findings) {
    let [ds, ..] = *zone.nodes.set(node, RrType::DS, zone.records) else { return };
    let owner = &zone.record(ds).owner;
    if node == zone.nodes.apex() {
        let fault = Fault::error(format!("DS at the zone's own name {owner}"), zone.place(ds), "belongs to the parent");
        findings.push(fault.remedy("give it to whoever runs the parent zone"));
    } else if zone.nodes.set(node, RrType::NS, zone.records).is_empty()
        && zone.nodes.node(node).cut.is_none()
        && !findings.may_have_lost(RrType::NS)
    {
        let fault = Fault::warning(format!("DS without NS at {owner}"), zone.place(ds), "nothing is delegated here");
        findings.push(fault.remedy("add the NS records of the delegation, or remove the DS"));
    }
}

/// Name servers inside the zone need addresses: from the zone, or as glue where they lie below the delegation that
/// they serve (RFC 1034 4.2.1).
fn servers(zone: Zone<'_>, findings: &mut Findings) {
    if findings.may_have_lost(RrType::A) || findings.may_have_lost(RrType::AAAA) {
        return;
    }
    for (number, record) in (0u32..).zip(zone.records).filter(|(_, record)| record.rtype == RrType::NS) {
        let Some(server) = target(record).filter(|server| server.is_within(zone.apex)) else { continue };
        let owner = &record.owner;
        let occluded = zone.nodes.exact(owner).is_some_and(|node| zone.nodes.node(node).cut.is_some());
        if occluded {
            continue;
        }
        if owner != zone.apex && server.is_within(owner) {
            if !zone.nodes.exact(&server).is_some_and(|node| zone.nodes.has_address(node, zone.records)) {
                let message = format!("the delegation of {owner} lacks glue: no address of {server}");
                let fault = Fault::warning(message, zone.place(number), "cannot be followed by this alone");
                let remedy = if zone.steered.contains(&server) {
                    "name another server: a service below a delegation is never answered".to_owned()
                } else {
                    format!("add `{server} A …` or `AAAA …` to this zone")
                };
                findings.push(fault.remedy(remedy));
            }
        } else if !zone.is_steered(&server) && !answers_address(zone, &server) {
            let message = format!("the name server {server} of {owner} has no address in this zone");
            let fault = Fault::warning(message, zone.place(number), "names it");
            findings.push(fault.remedy(format!("add `{server} A …` or `AAAA …`, or name another server")));
        }
    }
}

/// Whether the zone has an address for a name, or leaves it to a place that may. An alias has a warning of its own.
fn answers_address(zone: Zone<'_>, name: &Name) -> bool {
    match zone.nodes.find(name, zone.records) {
        Found::Node(node) => {
            let alias = !zone.nodes.set(node, RrType::CNAME, zone.records).is_empty();
            let cut = node != zone.nodes.apex() && !zone.nodes.set(node, RrType::NS, zone.records).is_empty();
            alias || cut || zone.nodes.has_address(node, zone.records)
        }
        Found::Elsewhere => true,
        Found::Nothing => false,
    }
}
