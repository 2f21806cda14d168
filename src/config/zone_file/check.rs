//! The zone as a whole: what its records mean to each other. Must not know text, tokens or files.

mod chains;
mod cuts;
mod nodes;
mod sets;

use std::collections::BTreeSet;

use self::nodes::Nodes;
use super::findings::Findings;
use crate::{
    config::fault::{Fault, Place},
    engine::{
        wire::{name::Name, rr::RrType},
        zone::Record,
    },
};

/// What the configuration says of a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'c> {
    /// Its name.
    pub(super) apex: &'c Name,
    /// Where it stands: blamed for what is missing altogether.
    pub(super) place: &'c Place,
    /// Names whose addresses are not in the file.
    pub(super) steered: &'c BTreeSet<Name>,
}

/// Checks a zone, merges equal records and makes the TTLs within an RRset equal. `ttls` says that the TTLs of all
/// records are known.
pub(super) fn check(
    named: Named<'_>,
    records: &mut Vec<Record>,
    places: &mut Vec<Place>,
    ttls: bool,
    findings: &mut Findings,
) {
    let Named { apex, place, steered } = named;
    sets::merge_equal(apex, records, places, findings);
    let nodes = Nodes::of(apex, records);
    if ttls {
        sets::equal_ttls(&nodes, records, places, findings);
    }
    let zone = Zone { apex, records, places, nodes: &nodes, steered };
    at_apex(zone, place, findings);
    sets::check(zone, findings);
    cuts::check(zone, findings);
    chains::check(zone, findings);
}

/// A zone that is looked at.
#[derive(Clone, Copy, Debug)]
struct Zone<'z> {
    apex: &'z Name,
    records: &'z [Record],
    places: &'z [Place],
    nodes: &'z Nodes,
    steered: &'z BTreeSet<Name>,
}

impl Zone<'_> {
    /// The place of a record.
    fn place(&self, record: u32) -> Place {
        self.places[record as usize].clone()
    }

    /// Whether a name has addresses that are not in the file: a service's, or one that a service's wildcard covers.
    fn is_steered(&self, name: &Name) -> bool {
        let mut above = name.parent();
        let covered = std::iter::from_fn(|| {
            let here = above.take()?;
            above = here.parent().filter(|_| here != *self.apex);
            Some(here)
        });
        self.steered.contains(name)
            || !self.steered.is_empty()
                && self.nodes.exact(name).is_none()
                && covered.filter_map(|above| above.prepend(b"*").ok()).any(|wildcard| self.steered.contains(&wildcard))
    }

    /// The record of this number.
    fn record(&self, record: u32) -> &Record {
        &self.records[record as usize]
    }
}

/// SOA and NS (RFC 1035 5.2).
fn at_apex(zone: Zone<'_>, named: &Place, findings: &mut Findings) {
    let apex = zone.apex;
    let soa = zone.nodes.set(zone.nodes.apex(), RrType::SOA, zone.records);
    match soa {
        [] if findings.may_have_lost(RrType::SOA) => {}
        [] => {
            let fault = Fault::error(format!("zone {apex} has no SOA record"), named.clone(), "this zone");
            findings.push(fault.remedy("begin its file with `@ SOA ns1 hostmaster 1 1h 15m 1w 5m`"));
        }
        [first, others @ ..] => {
            for &other in others {
                let fault = Fault::error(format!("zone {apex} has two SOA records"), zone.place(other), "the second");
                findings.push(fault.also(zone.place(*first), "the first").remedy("remove one of them"));
            }
        }
    }
    for (number, record) in (0u32..).zip(zone.records) {
        if record.rtype == RrType::SOA && record.owner != *apex {
            let message = format!("SOA at {}, which is not the zone's name", record.owner);
            let fault = Fault::error(message, zone.place(number), format!("the zone is {apex}"));
            findings.push(fault.remedy("a zone has one SOA, at its name; give other zones files of their own"));
        }
    }
    if zone.nodes.set(zone.nodes.apex(), RrType::NS, zone.records).is_empty() && !findings.may_have_lost(RrType::NS) {
        let place = soa.first().map_or(named.clone(), |&soa| zone.place(soa));
        let fault = Fault::error(format!("zone {apex} has no NS record at its name"), place, "this zone");
        findings.push(fault.remedy("add one for each name server, as in `@ NS ns1`"));
    }
}
