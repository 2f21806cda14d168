//! Which names are free for services and what comes with them: in a zone, below no cut, beside nothing that excludes
//! them, and nobody else's. Must not know what is answered there.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::super::zone::MeantZone;
use crate::{
    config::{diagnostics::Notes, fault::Place},
    engine::wire::{name::Name, rr::RrType},
};

/// What zone files hold that a service cannot stand beside, below or under, and the names that are taken.
pub(crate) struct Homes<'z> {
    pub(super) zones: &'z [MeantZone],
    /// Records by owner.
    pub(super) owned: BTreeMap<&'z Name, Vec<(RrType, &'z Place)>>,
    /// Where an alias leads.
    pub(super) aliases: BTreeMap<&'z Name, (RrType, Name)>,
    /// Cuts and DNAMEs: nothing below them is answered from here.
    pub(super) cuts: BTreeMap<&'z Name, (RrType, &'z Place)>,
    /// Names that are answered by something else than a zone file, each with its place and what it is.
    pub(super) taken: BTreeMap<Name, (Range<usize>, String)>,
}

impl<'z> Homes<'z> {
    pub(crate) fn of(zones: &'z [MeantZone]) -> Self {
        let (owned, aliases, cuts, taken) = Default::default();
        let mut homes = Self { zones, owned, aliases, cuts, taken };
        for zone in zones {
            let Some(loaded) = &zone.loaded else { continue };
            let inside = |other: &&MeantZone| other.apex != zone.apex && other.apex.is_within(&zone.apex);
            let lower: Vec<&Name> = zones.iter().filter(inside).map(|other| &other.apex).collect();
            for (record, place) in loaded.zone.records.iter().zip(&loaded.places) {
                if lower.iter().any(|apex| record.owner.is_within(apex)) {
                    continue; // NS, DS and glue of a zone that is served here itself
                }
                homes.owned.entry(&record.owner).or_default().push((record.rtype, place));
                if matches!(record.rtype, RrType::CNAME | RrType::DNAME)
                    && let Ok(target) = Name::from_wire(&record.rdata)
                {
                    homes.aliases.insert(&record.owner, (record.rtype, target));
                }
                match record.rtype {
                    RrType::NS if record.owner == zone.apex => {}
                    RrType::NS | RrType::DNAME => {
                        homes.cuts.entry(&record.owner).or_insert((record.rtype, place));
                    }
                    _ => {}
                }
            }
        }
        homes
    }

    /// Takes a name for a service, of which no two may have it.
    pub(super) fn serve(&mut self, key: &Spanned<String>, name: &Name, notes: &mut Notes<'_>) -> bool {
        if let Some((first, _)) = self.taken.get(name) {
            let fault = notes
                .twice(first.clone(), key.span(), format!("service {name} stands twice"))
                .remedy("keep one: case and the final dot do not tell names apart");
            notes.push(fault);
            return false;
        }
        self.taken.insert(name.clone(), (key.span(), format!("service {name}")));
        true
    }

    /// Takes a name for something beside a service: nothing else may stand there.
    pub(crate) fn claim(&mut self, key: &Spanned<String>, name: &Name, what: &str, notes: &mut Notes<'_>) {
        let fault = if name.is_wildcard() {
            Some(notes.error(key.span(), format!("{what} is a wildcard, {name}"), "one name is expected"))
        } else if let Some((first, other)) = self.taken.get(name) {
            let fault = notes.error(key.span(), format!("{what}, {name}, is taken"), "here again");
            Some(fault.also(notes.place(first.clone()), format!("{other} has it")))
        } else if let Some((rtype, place)) = self.owned.get(name).and_then(|records| records.first()) {
            let fault = notes.error(
                key.span(),
                format!("{what}, {name}, is in the zone file"),
                "it leaves no room for records",
            );
            Some(fault.also((*place).clone(), format!("{rtype} here")))
        } else {
            None
        };
        match fault {
            Some(fault) => notes.push(fault.remedy("give it another name")),
            None => {
                self.home(key, name, what, &[], notes);
                self.taken.insert(name.clone(), (key.span(), what.to_owned()));
            }
        }
    }

    /// Whether a zone starts at the name.
    pub(super) fn is_apex(&self, name: &Name) -> bool {
        self.zones.iter().any(|zone| zone.apex == *name)
    }

    /// The records at a name.
    pub(super) fn records(&self, name: &Name) -> &[(RrType, &'z Place)] {
        self.owned.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a zone holds the name, and leaves it the types that are answered there.
    pub(super) fn home(&self, key: &Spanned<String>, name: &Name, what: &str, own: &[RrType], notes: &mut Notes<'_>) {
        let zones = self.zones;
        let around = zones.iter().filter(|zone| name.is_within(&zone.apex));
        let Some(zone) = around.max_by_key(|zone| zone.apex.wire().len()) else {
            if notes.knows_all("zones") {
                let apexes: Vec<String> = zones.iter().map(|zone| zone.apex.to_string()).collect();
                let remedy = match zones {
                    [] => "add a `[zones.\"…\"]` table with a file".to_owned(),
                    [only] if name.labels().count() == 1 => {
                        let whole = format!("{name}{}", only.apex);
                        format!("names are written whole: \"{}\"", whole.trim_end_matches('.'))
                    }
                    _ => format!("the zones are {}", apexes.join(", ")),
                };
                let fault = notes.error(
                    key.span(),
                    format!("{what} {name} is in no zone"),
                    "no configured zone holds this name",
                );
                notes.push(fault.remedy(remedy));
            }
            return;
        };
        let mut above = Some(name.clone());
        while let Some(at) = above.filter(|at| at.is_within(&zone.apex)) {
            if let Some((rtype, place)) = self.cuts.get(&at)
                && (*rtype == RrType::NS || at != *name)
            {
                let (message, label) = match *rtype {
                    RrType::NS if at == *name => {
                        (format!("{what} {name} is at a zone cut"), "it is delegated here".to_owned())
                    }
                    RrType::NS => (format!("{what} {name} is below a zone cut"), format!("{at} is delegated here")),
                    _ => (format!("{what} {name} is below a DNAME"), format!("{at} is redirected here")),
                };
                let fault = notes
                    .error(key.span(), message, "this server would never be asked for it")
                    .also((*place).clone(), label)
                    .remedy(format!("take it out, or the {rtype} records of {at}"));
                notes.push(fault);
                return;
            }
            above = at.parent();
        }
        for (rtype, place) in self.records(name) {
            let (message, remedy) = match *rtype {
                RrType::CNAME if !own.is_empty() => (
                    format!("service {name} stands beside a CNAME"),
                    "a CNAME leaves room for nothing else: take it out of the zone file",
                ),
                rtype if own.contains(&rtype) => (
                    format!("service {name} and the zone file both have {rtype}"),
                    "a service owns the types that it answers: take the record out of the zone file",
                ),
                _ => continue,
            };
            let fault = notes
                .error(key.span(), message, format!("the service answers {} at this name", answered(own)))
                .also((*place).clone(), format!("{rtype} here"))
                .remedy(remedy);
            notes.push(fault);
        }
    }
}

fn answered(own: &[RrType]) -> String {
    let names: Vec<String> = own.iter().map(ToString::to_string).collect();
    match &*names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{
            document::{Document, parse},
            fault::FileId,
            zone_file::LoadedZone,
        },
        engine::{
            units::Ttl,
            zone::{ZoneRecord, ZoneSource},
        },
    };

    /// What is said of a service `name` where the zone `example.com` holds these records.
    fn said(name: &str, records: &[(&str, RrType)]) -> Vec<String> {
        let own = |text: &str| Name::from_text(text).expect(text);
        let record = |(owner, rtype): &(&str, RrType)| ZoneRecord {
            owner: own(owner),
            rtype: *rtype,
            ttl: Ttl(0),
            rdata: Box::default(),
        };
        let records: Vec<ZoneRecord> = records.iter().map(record).collect();
        let places = records.iter().map(|_| Place { file: FileId(0), span: 0..0 }).collect();
        let zone = ZoneSource { apex: own("example.com"), records };
        let zones = [MeantZone { apex: own("example.com"), loaded: Some(LoadedZone { zone, places }) }];
        let document: Document<'_> = parse(&[], &mut Vec::new());
        let mut notes = Notes::new(&document.map, Vec::new());
        let key = Spanned::new(0..0, name.to_owned());
        Homes::of(&zones).home(&key, &own(name), "service", &[RrType::A, RrType::AAAA], &mut notes);
        notes.into_faults().into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_service_stands_beside_all_but_its_own_types() {
        let beside =
            [("www.example.com", RrType::MX), ("www.example.com", RrType::TXT), ("www.example.com", RrType::CAA)];
        assert_eq!(said("WWW.example.com", &beside), Vec::<String>::new());
        let apex = [("example.com", RrType::SOA), ("example.com", RrType::NS)];
        assert_eq!(said("example.com", &apex), Vec::<String>::new());
        let own = [("www.Example.com", RrType::A), ("www.example.com", RrType::AAAA)];
        assert_eq!(
            said("www.example.com", &own),
            [
                "service www.example.com. and the zone file both have A",
                "service www.example.com. and the zone file both have AAAA"
            ]
        );
        let alias = [("www.example.com", RrType::CNAME)];
        assert_eq!(said("www.example.com", &alias), ["service www.example.com. stands beside a CNAME"]);
        assert_eq!(said("*.example.com", &alias), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_served_below_a_cut_or_a_dname() {
        let cut = [("sub.example.com", RrType::NS)];
        for name in ["sub.example.com", "www.SUB.example.com", "*.sub.example.com"] {
            assert_eq!(said(name, &cut).len(), 1, "{name}");
        }
        assert_eq!(said("notsub.example.com", &cut), Vec::<String>::new());
        let redirected = [("sub.example.com", RrType::DNAME)];
        assert_eq!(said("a.b.sub.example.com", &redirected).len(), 1);
        assert_eq!(
            said("sub.example.com", &redirected),
            Vec::<String>::new(),
            "RFC 6672 2.3: the owner itself is kept"
        );
        assert_eq!(said("www.example.org", &[]), ["service www.example.org. is in no zone"]);
    }
}
