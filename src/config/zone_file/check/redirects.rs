//! Rules of names that lead elsewhere: chains of CNAMEs inside the zone and names that must not be aliases; delegations
//! and DNAME, and what lies at them and below them. Must not know what answers elsewhere.

use std::collections::HashSet;

use super::nodes::{Met, Zone};
use crate::{
    config::{
        fault::Fault,
        zone_file::{findings::Findings, rdata::target},
    },
    engine::{
        wire::{name::Name, rr::RrType},
        zone::ZoneRecord,
    },
};

/// Checks every name of the zone against what lies above it.
pub(super) fn cuts(zone: Zone<'_>, findings: &mut Findings) {
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

fn is_address(record: &ZoneRecord) -> bool {
    matches!(record.rtype, RrType::A | RrType::AAAA)
}

/// RFC 2181 6.1: everything below a delegation belongs to the other side, glue excepted.
fn below_cut(zone: Zone<'_>, node: u32, cut: u32, glue: &HashSet<u32>, findings: &mut Findings) {
    let is_glue = glue.contains(&node);
    let occluded = zone.nodes.records(node).iter().find(|&&number| !(is_glue && is_address(zone.record(number))));
    if let (Some(&record), [ns, ..]) = (occluded, zone.nodes.set(cut, RrType::NS, zone.records)) {
        let ZoneRecord { owner, rtype, .. } = zone.record(record);
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
        let ZoneRecord { owner, rtype, .. } = zone.record(record);
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
        Met::Node(node) => {
            let alias = !zone.nodes.set(node, RrType::CNAME, zone.records).is_empty();
            let cut = node != zone.nodes.apex() && !zone.nodes.set(node, RrType::NS, zone.records).is_empty();
            alias || cut || zone.nodes.has_address(node, zone.records)
        }
        Met::Elsewhere => true,
        Met::Nothing => false,
    }
}

/// The most CNAMEs in a row that resolvers are sure to follow.
const LONGEST: u32 = 16;

/// How far a chain goes on from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    Unknown,
    /// It is being followed.
    Open,
    /// This many CNAMEs in a row, to an end.
    Ends(u32),
    /// It comes back to itself, or leads to one that does.
    Loops,
}

/// Checks all aliases and all that point to one.
pub(super) fn aliases(zone: Zone<'_>, findings: &mut Findings) {
    let mut chains = vec![Chain::Unknown; zone.nodes.all().count()];
    for (node, _) in zone.nodes.all() {
        if let [cname, ..] = *zone.nodes.set(node, RrType::CNAME, zone.records) {
            follow(zone, node, &mut chains, findings);
            if chains[node as usize] == Chain::Ends(LONGEST + 1) {
                let message = format!("a chain of more than {LONGEST} CNAMEs begins at {}", zone.record(cname).owner);
                let fault = Fault::warning(message, zone.place(cname), "resolvers give up on it");
                findings.push(fault.remedy("point the first names at the last"));
            }
        }
    }
    for (number, record) in (0u32..).zip(zone.records).filter(|(_, record)| record.rtype != RrType::CNAME) {
        let Some(name) = target(record).filter(|name| name.is_within(zone.apex)) else { continue };
        let way = alias_of(zone, &name).map(|node| (node, RrType::CNAME));
        let way = way.or_else(|| Some((zone.nodes.dname_of(&name, zone.records)?, RrType::DNAME)));
        let Some((node, rtype)) = way else { continue };
        let [alias, ..] = *zone.nodes.set(node, rtype, zone.records) else { continue };
        let owner = &zone.record(alias).owner;
        let why = match rtype {
            RrType::DNAME => format!("which lies below the DNAME of {owner}"),
            _ if *owner == name => "which is a CNAME".to_owned(),
            _ => format!("for which {owner} has a CNAME"),
        };
        let message = format!("{} {} points to {name}, {why}", record.owner, record.rtype);
        let fault = Fault::warning(message, zone.place(number), "must be a name with addresses");
        let fault = fault.also(zone.place(alias), format!("the {rtype}"));
        findings.push(fault.remedy(match rtype {
            RrType::DNAME => "name the host that the DNAME leads to (RFC 2181 10.3)",
            _ => "name the CNAME's target itself (RFC 2181 10.3)",
        }));
    }
}

/// The node with a CNAME that answers for a name, if any.
fn alias_of(zone: Zone<'_>, name: &Name) -> Option<u32> {
    if !name.is_within(zone.apex) {
        return None;
    }
    match zone.nodes.find(name, zone.records) {
        Met::Node(node) if !zone.nodes.set(node, RrType::CNAME, zone.records).is_empty() => Some(node),
        _ => None,
    }
}

/// Finds out how far the chain from a node goes, and reports a loop once, where it was entered.
fn follow(zone: Zone<'_>, start: u32, chains: &mut [Chain], findings: &mut Findings) {
    let mut walked = Vec::new();
    let mut node = Some(start);
    let mut chain = loop {
        let Some(here) = node else { break Chain::Ends(0) };
        match chains[here as usize] {
            Chain::Unknown => {}
            Chain::Open => {
                report_loop(zone, here, findings);
                break Chain::Loops;
            }
            known => break known,
        }
        chains[here as usize] = Chain::Open;
        walked.push(here);
        let cname = zone.nodes.set(here, RrType::CNAME, zone.records).first();
        node = cname.and_then(|&cname| alias_of(zone, &target(zone.record(cname))?));
    };
    while let Some(here) = walked.pop() {
        chain = match chain {
            Chain::Ends(length) => Chain::Ends(length + 1),
            other => other,
        };
        chains[here as usize] = chain;
    }
}

fn report_loop(zone: Zone<'_>, node: u32, findings: &mut Findings) {
    let [cname, ..] = *zone.nodes.set(node, RrType::CNAME, zone.records) else { return };
    let record = zone.record(cname);
    let message = format!("the CNAME of {} leads back to itself", record.owner);
    let fault = Fault::warning(message, zone.place(cname), "never ends");
    findings.push(fault.remedy("point it at a name with data"));
}
