//! Names that a wildcard service does not answer for because they exist (RFC 4592 2.2.2 and 2.2.3), although nothing at
//! them has an address. Must not know what the service would have answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::ownership::Homes;
use crate::{
    config::{
        diagnostics::Notes,
        fault::{Fault, Place},
    },
    engine::wire::{name::Name, rr::RrType},
};

/// Why a name exists: the name that makes it exist, in words, and where that one stands.
struct Cause {
    at: Name,
    words: String,
    place: Place,
}

/// What is looked at, and what was found.
struct NameSearch<'h, 'z> {
    homes: &'h Homes<'z>,
    apexes: BTreeSet<&'z Name>,
    /// The names that wildcard services stand below, each with its service's place.
    parents: BTreeMap<Name, Range<usize>>,
    /// By the name that is lost.
    found: BTreeMap<Name, Cause>,
}

impl Homes<'_> {
    /// Warns of every name that a wildcard service loses without another answer in its place.
    pub(crate) fn existing(&self, notes: &mut Notes<'_>) {
        let wildcards = self.taken.iter().filter(|(name, _)| name.is_wildcard());
        let parents = wildcards.filter_map(|(name, (span, _))| Some((name.parent()?, span.clone()))).collect();
        let apexes = self.zones.iter().map(|zone| &zone.apex).collect();
        let mut search = NameSearch { homes: self, apexes, parents, found: BTreeMap::new() };
        if search.parents.is_empty() || notes.has_errors() {
            return;
        }
        for (owner, records) in &self.owned {
            let Some((rtype, place)) = records.first().filter(|_| !search.apexes.contains(owner)) else { continue };
            search.look(owner, || (format!("{owner} {rtype}"), (*place).clone()));
        }
        for (name, (span, what)) in &self.taken {
            let words = if what.starts_with("service") { what.clone() } else { format!("{what}, {name}") };
            search.look(name, || (words, notes.place(span.clone())));
        }
        for zone in self.zones {
            let records = zone.loaded.iter().flat_map(|loaded| loaded.zone.records.iter().zip(&loaded.places));
            let Some((_, place)) = records.into_iter().find(|(record, _)| record.rtype == RrType::SOA) else {
                continue;
            };
            search.look(&zone.apex, || (format!("the zone {}", zone.apex), place.clone()));
        }
        for (name, cause) in &search.found {
            let span = name.parent().and_then(|parent| search.parents.get(&parent)).cloned().unwrap_or(0..0);
            let wildcard = name.parent().and_then(|parent| parent.prepend(b"*").ok()).unwrap_or_default();
            let message = if cause.at == *name {
                format!("{name} has no address of its own, and {wildcard} does not answer for it")
            } else {
                format!("{name} exists because of {}, so {wildcard} does not answer for it", cause.words)
            };
            let label = if cause.at == *name { "makes the name exist" } else { "makes the names above it exist" };
            let fault = Fault::warning(message, cause.place.clone(), label).also(notes.place(span), "this service");
            let key = name.to_string();
            notes.push(fault.remedy(format!(
                "add a service of that name, [services.\"{}\"], or an address (RFC 4592 2.2.2)",
                key.trim_end_matches('.')
            )));
        }
    }
}

impl<'z> NameSearch<'_, 'z> {
    /// Looks at a name that exists, and at all above it that exist because of it.
    fn look(&mut self, owner: &Name, cause: impl FnOnce() -> (String, Place)) {
        let mut names = vec![owner.clone()];
        while let Some(above) = names.last().and_then(Name::parent) {
            // The names of a zone end at its own, which has its turn.
            let ends = names.last().is_some_and(|name| self.apexes.contains(name)) && names.len() > 1;
            if ends {
                break;
            }
            names.push(above);
        }
        let Some((_, above)) = names.split_first() else { return };
        if above.iter().any(|name| self.homes.cuts.contains_key(name)) {
            return; // never answered from here
        }
        let parents = &self.parents;
        let lost: Vec<Name> = names
            .windows(2)
            .filter(|pair| parents.contains_key(&pair[1]) && self.is_lost(&pair[0]))
            .map(|pair| pair[0].clone())
            .collect();
        let new: Vec<Name> = lost.into_iter().filter(|name| !self.found.contains_key(name)).collect();
        if new.is_empty() {
            return;
        }
        let (words, place) = cause();
        for name in new {
            self.found.insert(name, Cause { at: owner.clone(), words: words.clone(), place: place.clone() });
        }
    }

    /// Whether nothing at an existing name answers in the wildcard's place, and clients may ask for its address: a label
    /// that begins with `_` is no host's (RFC 8552). A DNAME answers below its owner, not at it (RFC 6672 2.3).
    fn is_lost(&self, name: &Name) -> bool {
        let instead = |rtype: &RrType| matches!(*rtype, RrType::A | RrType::AAAA | RrType::CNAME | RrType::NS);
        let host = name.labels().next().is_some_and(|label| label != b"*" && !label.starts_with(b"_"));
        host && !self.homes.taken.contains_key(name)
            && !self.apexes.contains(name)
            && !self.homes.records(name).iter().any(|(rtype, _)| instead(rtype))
    }
}

#[cfg(test)]
mod tests {
    use toml::Spanned;

    use super::*;
    use crate::{
        config::{
            check::zone::MeantZone,
            document::{Document, parse},
            fault::FileId,
            zone_file::LoadedZone,
        },
        engine::{
            units::Ttl,
            zone::{ZoneRecord, ZoneSource},
        },
    };

    fn name(text: &str) -> Name {
        Name::from_text(text).expect(text)
    }

    fn zone(apex: &str, records: &[(&str, RrType)]) -> MeantZone {
        let record = |(owner, rtype): &(&str, RrType)| ZoneRecord {
            owner: name(owner),
            rtype: *rtype,
            ttl: Ttl(0),
            rdata: Box::default(),
        };
        let soa = [(apex, RrType::SOA)];
        let records: Vec<ZoneRecord> = soa.iter().chain(records).map(record).collect();
        let places = (0..records.len()).map(|at| Place { file: FileId(0), span: at..at }).collect();
        let zone = ZoneSource { apex: name(apex), records };
        MeantZone { apex: name(apex), loaded: Some(LoadedZone { zone, places }) }
    }

    /// What is said where these services stand in these zones.
    fn said(services: &[&str], zones: &[MeantZone]) -> Vec<String> {
        let document: Document<'_> = parse(&[], &mut Vec::new());
        let mut notes = Notes::new(&document.map, Vec::new());
        let mut homes = Homes::of(zones);
        for service in services {
            homes.serve(&Spanned::new(0..0, (*service).to_owned()), &name(service), &mut notes);
        }
        homes.existing(&mut notes);
        notes.into_faults().into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_wildcard_loses_names_that_exist_without_an_address() {
        let lost = |records: &[(&str, RrType)]| said(&["*.apps.example.com"], &[zone("example.com", records)]);
        for (owner, words) in [
            ("_acme-challenge.shop.apps.example.com", "_acme-challenge.shop.apps.example.com. TXT"),
            ("_x._y.shop.apps.example.com", "_x._y.shop.apps.example.com. TXT"),
            ("deep.Shop.apps.example.com", "deep.Shop.apps.example.com. TXT"),
            ("*.shop.apps.example.com", "*.shop.apps.example.com. TXT"),
        ] {
            let said = lost(&[(owner, RrType::TXT)]);
            assert_eq!(said.len(), 1, "{owner}: {said:?}");
            assert!(said[0].to_lowercase().starts_with("shop.apps.example.com. exists because of "), "{}", said[0]);
            assert!(
                said[0].ends_with(&format!("{words}, so *.apps.example.com. does not answer for it")),
                "{}",
                said[0]
            );
        }
        for rtype in [RrType::TXT, RrType::MX, RrType::CAA, RrType::DNAME] {
            assert_eq!(
                lost(&[("shop.apps.example.com", rtype)]),
                ["shop.apps.example.com. has no address of its own, and *.apps.example.com. does not answer for it"]
            );
        }
        // Once for each name, whatever makes it exist.
        let both = [("a.shop.apps.example.com", RrType::A), ("shop.apps.example.com", RrType::TXT)];
        assert_eq!(lost(&both).len(), 1);
        assert_eq!(lost(&[("sub.shop.apps.example.com", RrType::NS)]).len(), 1, "a delegation makes names exist too");
    }

    #[test]
    fn names_with_an_answer_of_their_own_and_names_of_no_host_are_not_lost() {
        let lost = |records: &[(&str, RrType)]| said(&["*.apps.example.com"], &[zone("example.com", records)]);
        for rtype in [RrType::A, RrType::AAAA, RrType::CNAME, RrType::NS] {
            let beside = [("shop.apps.example.com", RrType::TXT), ("shop.apps.example.com", rtype)];
            assert_eq!(lost(&beside), Vec::<String>::new(), "{rtype}");
        }
        for owner in
            ["_acme-challenge.apps.example.com", "_https._tcp.apps.example.com", "apps.example.com", "shop.example.com"]
        {
            assert_eq!(lost(&[(owner, RrType::TXT)]), Vec::<String>::new(), "{owner}");
        }
        let glue = [("shop.apps.example.com", RrType::NS), ("ns.shop.apps.example.com", RrType::A)];
        assert_eq!(lost(&glue), Vec::<String>::new());
        // The owner of a DNAME has an address here; what is below it is redirected.
        let below = [
            ("a.apps.example.com", RrType::DNAME),
            ("a.apps.example.com", RrType::A),
            ("x.a.apps.example.com", RrType::TXT),
        ];
        assert_eq!(said(&["*.apps.example.com", "*.a.apps.example.com"], &[zone("example.com", &below)]), [""; 0]);
        let own = [zone("example.com", &[("_acme-challenge.shop.apps.example.com", RrType::TXT)])];
        assert_eq!(said(&["*.apps.example.com", "shop.apps.example.com"], &own), Vec::<String>::new());
    }

    #[test]
    fn a_service_or_a_zone_two_labels_below_a_wildcard_takes_the_name_between_them() {
        let zones = [zone("example.com", &[])];
        assert_eq!(
            said(&["*.apps.example.com", "a.b.apps.example.com"], &zones),
            [
                "b.apps.example.com. exists because of service a.b.apps.example.com., so *.apps.example.com. does not answer for it"
            ]
        );
        assert_eq!(said(&["*.apps.example.com", "*.b.apps.example.com"], &zones).len(), 1);
        assert_eq!(said(&["*.apps.example.com", "b.apps.example.com"], &zones), Vec::<String>::new());
        let nested =
            [zone("example.com", &[]), zone("z.b.apps.example.com", &[("www.z.b.apps.example.com", RrType::A)])];
        assert_eq!(
            said(&["*.apps.example.com"], &nested),
            [
                "b.apps.example.com. exists because of the zone z.b.apps.example.com., so *.apps.example.com. does not answer for it"
            ]
        );
        let at = [zone("example.com", &[]), zone("b.apps.example.com", &[("www.b.apps.example.com", RrType::A)])];
        assert_eq!(said(&["*.apps.example.com"], &at), Vec::<String>::new());
        // Two wildcards above one name: either loses its own.
        let two = [zone("example.com", &[("_x.c.b.apps.example.com", RrType::TXT)])];
        assert_eq!(said(&["*.apps.example.com", "*.b.apps.example.com"], &two).len(), 2);
    }
}
