//! The zone as a whole: what its records mean to each other. Here are the rules of the apex, within one RRset and
//! between the RRsets of one name; those of names that lead elsewhere are in `redirects`. Must not know text, tokens or
//! files.

mod nodes;
mod redirects;

use std::collections::{BTreeSet, HashMap};

use self::nodes::{Nodes, Zone};
use super::findings::Findings;
use crate::{
    config::{
        fault::{Fault, Place},
        zone_file::rdata::comparable,
    },
    engine::{
        wire::{name::Name, rr::RrType},
        zone::ZoneRecord,
    },
};

/// What the configuration says of a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneUse<'c> {
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
    named: ZoneUse<'_>,
    records: &mut Vec<ZoneRecord>,
    places: &mut Vec<Place>,
    ttls: bool,
    findings: &mut Findings,
) {
    let ZoneUse { apex, place, steered } = named;
    merge_equal(apex, records, places, findings);
    let nodes = Nodes::of(apex, records);
    if ttls {
        equal_ttls(&nodes, records, places, findings);
    }
    let zone = Zone { apex, records, places, nodes: &nodes, steered };
    at_apex(zone, place, findings);
    sets(zone, findings);
    redirects::cuts(zone, findings);
    redirects::aliases(zone, findings);
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

/// The most octets that the records of one RRset may take in a message of 65535: what is left beside the header, the
/// longest question and OPT.
const MOST_OCTETS: usize = 65_535 - 12 - (255 + 4) - 11;

/// Keeps one of equal records (RFC 2181 5).
fn merge_equal(apex: &Name, records: &mut Vec<ZoneRecord>, places: &mut Vec<Place>, findings: &mut Findings) {
    let nodes = Nodes::of(apex, records);
    let mut again = Vec::new();
    for (node, _) in nodes.all() {
        for set in nodes.sets(node, records).filter(|set| set.len() > 1) {
            let mut seen = HashMap::with_capacity(set.len());
            for &number in set {
                if let Some(first) = seen.insert(comparable(&records[number as usize]), number) {
                    again.push((number, first));
                    seen.insert(comparable(&records[first as usize]), first);
                }
            }
        }
    }
    if again.is_empty() {
        return;
    }
    let mut keep = vec![true; records.len()];
    for &(number, first) in &again {
        let ZoneRecord { owner, rtype, .. } = &records[number as usize];
        let place = places[number as usize].clone();
        let fault = Fault::warning(format!("{owner} {rtype} stands twice with the same data"), place, "kept once");
        findings.push(fault.also(places[first as usize].clone(), "the first").remedy("remove one of them"));
        keep[number as usize] = false;
    }
    let mut kept = keep.iter();
    records.retain(|_| kept.next().copied().unwrap_or(true));
    let mut kept = keep.iter();
    places.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Gives all records of an RRset the smallest of their TTLs (RFC 2181 5.2).
fn equal_ttls(nodes: &Nodes, records: &mut [ZoneRecord], places: &[Place], findings: &mut Findings) {
    for (node, _) in nodes.all() {
        let mut uneven = Vec::new();
        for set in nodes.sets(node, records) {
            let ttl = |number: u32| records[number as usize].ttl;
            let least = set.iter().map(|&number| ttl(number)).min().unwrap_or_default();
            if let Some(&odd) = set.iter().find(|&&number| ttl(number) != ttl(set[0])) {
                uneven.push((set.to_vec(), odd, least));
            }
        }
        for (set, odd, least) in uneven {
            let ZoneRecord { owner, rtype, ttl, .. } = &records[odd as usize];
            let message = format!("the records of {owner} {rtype} have different TTLs; all get {least}");
            let fault = Fault::warning(message, places[odd as usize].clone(), format!("has {ttl}"));
            let first = set[0] as usize;
            let fault = fault.also(places[first].clone(), format!("has {}", records[first].ttl));
            findings.push(fault.remedy("give them one TTL (RFC 2181 5.2)"));
            for number in set {
                records[number as usize].ttl = least;
            }
        }
    }
}

/// What one name may hold at once.
fn sets(zone: Zone<'_>, findings: &mut Findings) {
    for (node, _) in zone.nodes.all() {
        for set in zone.nodes.sets(node, zone.records) {
            let ZoneRecord { owner, rtype, .. } = zone.record(set[0]);
            let octets: usize = set.iter().map(|&number| 12 + zone.record(number).rdata.len()).sum();
            if octets > MOST_OCTETS {
                let message = match set.len() {
                    1 => format!("the record {owner} {rtype} fits in no message"),
                    count => format!("the {count} records of {owner} {rtype} fit in no message"),
                };
                let label = format!("{octets} octets; {MOST_OCTETS} fit");
                let fault = Fault::error(message, zone.place(set[0]), label);
                findings.push(fault.remedy("spread them over several names"));
            }
            if let [first, second, ..] = *set
                && matches!(*rtype, RrType::CNAME | RrType::DNAME)
            {
                let fault = Fault::error(format!("{owner} has two {rtype} records"), zone.place(second), "the second");
                findings.push(fault.also(zone.place(first), "the first").remedy("keep one of them"));
            }
        }
        alone(zone, node, findings);
    }
}

/// CNAME stands alone (RFC 1034 3.6.2, RFC 2181 10.1), DNSSEC's own types excepted (RFC 4034 2.4); a null MX is the
/// only MX (RFC 7505 3).
fn alone(zone: Zone<'_>, node: u32, findings: &mut Findings) {
    if let [cname, ..] = *zone.nodes.set(node, RrType::CNAME, zone.records) {
        let beside = |number: &&u32| {
            let rtype = zone.record(**number).rtype;
            !matches!(rtype, RrType::CNAME | RrType::RRSIG | RrType::NSEC | RrType::KEY | RrType::SIG)
        };
        if let Some(&other) = zone.nodes.records(node).iter().find(beside) {
            let ZoneRecord { owner, rtype, .. } = zone.record(other);
            let message = format!("{owner} has a CNAME and {rtype} data beside it");
            let fault = Fault::error(message, zone.place(cname), "a CNAME stands alone");
            findings.push(fault.also(zone.place(other), "beside it").remedy(if node == zone.nodes.apex() {
                "the zone's name holds SOA and NS, so no CNAME: give it addresses, or make it a service"
            } else {
                "keep one of the two"
            }));
        }
    }
    let mx = zone.nodes.set(node, RrType::MX, zone.records);
    let null = mx.iter().find(|&&number| zone.record(number).rdata.get(2..) == Some(&[0]));
    if let (Some(&null), true) = (null, mx.len() > 1) {
        let message =
            format!("{} says with MX `.` that it takes no mail, and has other MX records", zone.record(null).owner);
        let fault = Fault::warning(message, zone.place(null), "a null MX stands alone");
        findings.push(fault.remedy("remove it, or the others (RFC 7505 3)"));
    }
}
