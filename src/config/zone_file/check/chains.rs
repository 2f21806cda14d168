//! Rules of aliases: chains of CNAMEs inside the zone, and names that must not be aliases. Must not know delegations.

use super::{
    Zone,
    nodes::{Found, target},
};
use crate::{
    config::{fault::Fault, zone_file::findings::Findings},
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
    for (number, record) in (0u32..).zip(zone.records) {
        if matches!(record.rtype, RrType::NS | RrType::MX | RrType::SRV) {
            let Some(name) = target(record) else { continue };
            let alias =
                alias_of(zone, &name).and_then(|node| zone.nodes.set(node, RrType::CNAME, zone.records).first());
            if let Some(&cname) = alias {
                let rtype = record.rtype;
                let message = format!("{} {rtype} points to {name}, which is a CNAME", record.owner);
                let fault = Fault::warning(message, zone.place(number), "must be a name with addresses");
                let fault = fault.also(zone.place(cname), "the CNAME");
                findings.push(fault.remedy("name the CNAME's target itself (RFC 2181 10.3)"));
            }
        }
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
