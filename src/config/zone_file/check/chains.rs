//! Rules of aliases: chains of CNAMEs inside the zone, and names that must not be aliases. Must not know delegations.

use super::{Zone, nodes::Found};
use crate::{
    config::{
        fault::Fault,
        zone_file::{findings::Findings, target},
    },
    engine::wire::{name::Name, rr::RrType},
};

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
pub(super) fn check(zone: Zone<'_>, findings: &mut Findings) {
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
        Found::Node(node) if !zone.nodes.set(node, RrType::CNAME, zone.records).is_empty() => Some(node),
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
