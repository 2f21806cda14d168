//! `[services]`: names that are answered from pools, and the zones that hold them.

use std::{collections::BTreeMap, net::IpAddr, ops::Range};

use toml::Spanned;

use super::{
    MeantPool, MeantService,
    value::{address, items, units, word},
    zone::{MeantZone, name},
};
use crate::{
    config::{
        fault::Place,
        notes::{Notes, join, suggest},
        schema::{CONTROL, Mark, STEERING},
        spec::{ServiceSpec, Spec, TableOr},
    },
    engine::{
        steer::policy::{Fallback, MAX_ENDPOINTS},
        wire::{name::Name, rr::RrType},
    },
};

const TTL_MAX: u64 = 30;
const TTL_MIN: u64 = 5;
/// A steered answer that is kept longer than a day is not steered.
const TTL_BOUND: u64 = 86_400;

/// `[services]`, in canonical order of their names.
pub(crate) fn services(
    spec: &Spec,
    steered: &[MeantPool],
    zones: &[MeantZone],
    notes: &mut Notes<'_>,
) -> Vec<MeantService> {
    let pools: BTreeMap<&str, usize> =
        spec.pools.keys().enumerate().map(|(at, key)| (key.get_ref().as_str(), at)).collect();
    let holds = Holds::of(zones);
    let mut names: BTreeMap<Name, Range<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for (key, service) in &spec.services {
        let chosen = chosen(key, service, &pools, steered, notes);
        let (ttl_max, ttl_min) = ttl(key.get_ref(), service, notes);
        let when_all_down = when_all_down(key.get_ref(), service, notes);
        let Some(name) = name("service", key, notes) else { continue };
        if let Some(first) = names.get(&name) {
            let fault = notes
                .twice(first.clone(), key.span(), format!("service {name} stands twice"))
                .remedy("keep one: case and the final dot do not tell names apart");
            notes.push(fault);
            continue;
        }
        names.insert(name.clone(), key.span());
        home(key, &name, zones, &holds, notes);
        found.push(MeantService { name, pools: chosen, ttl_max, ttl_min, when_all_down });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn chosen(
    key: &Spanned<String>,
    spec: &ServiceSpec,
    pools: &BTreeMap<&str, usize>,
    steered: &[MeantPool],
    notes: &mut Notes<'_>,
) -> Vec<usize> {
    let service = key.get_ref();
    let mut chosen: Vec<(usize, Range<usize>)> = Vec::new();
    for item in items(spec.pools.as_ref()) {
        let given = item.get_ref().as_str();
        let fault = match pools.get(given) {
            None if !notes.knows_all("pools") => continue,
            None => notes
                .error(
                    item.span(),
                    format!("service \"{service}\" names pool {given:?}, which does not exist"),
                    "no such pool",
                )
                .remedy(suggest(given, pools.keys().copied())),
            Some(at) => match chosen.iter().find(|(known, _)| known == at) {
                Some((_, first)) => notes
                    .error(item.span(), format!("service \"{service}\" names pool {given:?} twice"), "here again")
                    .also(notes.place(first.clone()), "first here"),
                None => {
                    chosen.push((*at, item.span()));
                    continue;
                }
            },
        };
        notes.push(fault);
    }
    if items(spec.pools.as_ref()).is_empty() && notes.is_whole(&["services", service]) {
        let span = spec.pools.as_ref().map_or_else(|| key.span(), Spanned::span);
        let fault = notes.error(span, format!("service \"{service}\" has no pools"), "there is nothing to answer with");
        notes.push(fault.remedy("add `pools = [\"NAME\"]`, in fallback order"));
    }
    never_reached(service, &chosen, steered, notes);
    chosen.into_iter().map(|(at, _)| at).collect()
}

/// A pool without a monitor is always up: none behind it ever answers.
fn never_reached(service: &str, chosen: &[(usize, Range<usize>)], pools: &[MeantPool], notes: &mut Notes<'_>) {
    if notes.has_errors() {
        return;
    }
    let always = |(at, _): &(usize, Range<usize>)| pools.get(*at).is_some_and(|pool| pool.monitor.is_none());
    let Some(at) = chosen.iter().position(always) else { return };
    if let (Some((_, before)), Some((_, behind))) = (chosen.get(at), chosen.get(at + 1)) {
        let message = format!("service \"{service}\" never comes to its later pools");
        let fault = notes
            .warning(behind.clone(), message, "never reached")
            .also(notes.place(before.clone()), "this pool has no monitor and is always up")
            .remedy("give it a monitor, or put it last");
        notes.push(fault);
    }
}

fn ttl(service: &str, spec: &ServiceSpec, notes: &mut Notes<'_>) -> (u32, u32) {
    let at = |key: &str| join(&["services", service, "ttl", key]);
    let (max, min) = (spec.ttl.max.as_ref(), spec.ttl.min.as_ref());
    let longest = units(max, &at("max"), 1_000_000, TTL_MAX, 1..=TTL_BOUND, notes);
    // A short `max` alone pulls the default of `min` down with it.
    let shortest = units(min, &at("min"), 1_000_000, TTL_MIN.min(longest), 1..=TTL_BOUND, notes);
    if let Some(written) = min
        && shortest > longest
    {
        let fault = notes.error(
            written.span(),
            format!("`{}` is longer than `max`", at("min")),
            format!("`max` is {longest}s"),
        );
        let fault = match max {
            Some(max) => fault.also(notes.place(max.span()), "`max`"),
            None => fault,
        };
        notes.push(fault.remedy("shorten `min` or lengthen `max`"));
    }
    (longest as u32, shortest as u32)
}

fn when_all_down(service: &str, spec: &ServiceSpec, notes: &mut Notes<'_>) -> Fallback {
    #[derive(Clone, Copy)]
    enum Word {
        IgnoreHealth,
        ServeAll,
        NoData,
        ServFail,
    }
    const WORDS: [(&str, Word); 4] = [
        ("ignore-health", Word::IgnoreHealth),
        ("serve-all", Word::ServeAll),
        ("nodata", Word::NoData),
        ("servfail", Word::ServFail),
    ];
    const LATER: [(&str, Mark); 2] = [("last-known", CONTROL), ("refused", STEERING)];
    let Some(written) = &spec.when_all_down else { return Fallback::IgnoreHealth };
    let path = join(&["services", service, "when_all_down"]);
    match written.get_ref() {
        TableOr::Word(given) => match word(Spanned::new(written.span(), given), &path, &WORDS, &LATER, notes) {
            Some(Word::IgnoreHealth) | None => Fallback::IgnoreHealth,
            Some(Word::ServeAll) => Fallback::ServeAll,
            Some(Word::NoData) => Fallback::NoData,
            Some(Word::ServFail) => Fallback::ServFail,
        },
        TableOr::Table(table) => {
            let given = items(table.address.as_ref());
            let mut found: Vec<IpAddr> = Vec::new();
            for item in &given {
                let what = format!("`{path}`");
                let Some(address) = address(item, &what, notes) else { continue };
                if found.contains(&address) {
                    let fault = notes.error(item.span(), format!("{what} has {address} twice"), "here again");
                    notes.push(fault);
                } else {
                    found.push(address);
                }
            }
            let label = if given.is_empty() && notes.is_whole(&["services", service, "when_all_down"]) {
                Some("`address` is missing or empty".to_owned())
            } else {
                (given.len() > MAX_ENDPOINTS).then(|| format!("at most {MAX_ENDPOINTS} addresses"))
            };
            if let Some(label) = label {
                let fault = notes.error(written.span(), format!("`{path}` cannot be answered"), label);
                notes.push(fault.remedy("write { address = [\"192.0.2.99\"] }"));
            }
            Fallback::Addresses(found)
        }
    }
}

/// What zone files hold that a service cannot stand beside, below or under.
struct Holds<'z> {
    /// Address and CNAME records by owner.
    owned: BTreeMap<&'z Name, Vec<(RrType, &'z Place)>>,
    /// Cuts and DNAMEs: nothing below them is answered from here.
    cuts: BTreeMap<&'z Name, (RrType, &'z Place)>,
}

impl<'z> Holds<'z> {
    fn of(zones: &'z [MeantZone]) -> Self {
        let mut holds = Self { owned: BTreeMap::new(), cuts: BTreeMap::new() };
        for zone in zones {
            let Some(loaded) = &zone.loaded else { continue };
            let inside = |other: &&MeantZone| other.apex != zone.apex && other.apex.is_within(&zone.apex);
            let lower: Vec<&Name> = zones.iter().filter(inside).map(|other| &other.apex).collect();
            for (record, place) in loaded.zone.records.iter().zip(&loaded.places) {
                if lower.iter().any(|apex| record.owner.is_within(apex)) {
                    continue; // NS, DS and glue of a zone that is served here itself
                }
                match record.rtype {
                    RrType::A | RrType::AAAA | RrType::CNAME => {
                        holds.owned.entry(&record.owner).or_default().push((record.rtype, place));
                    }
                    RrType::NS if record.owner == zone.apex => {}
                    RrType::NS | RrType::DNAME => {
                        holds.cuts.entry(&record.owner).or_insert((record.rtype, place));
                    }
                    _ => {}
                }
            }
        }
        holds
    }
}

/// Whether a zone holds the service, and leaves it its name.
fn home(key: &Spanned<String>, name: &Name, zones: &[MeantZone], holds: &Holds<'_>, notes: &mut Notes<'_>) {
    let around = zones.iter().filter(|zone| name.is_within(&zone.apex));
    let Some(zone) = around.max_by_key(|zone| zone.apex.wire().len()) else {
        if notes.knows_all("zones") {
            let apexes: Vec<String> = zones.iter().map(|zone| zone.apex.to_string()).collect();
            let remedy = match zones {
                [] => "add a `[zones.\"…\"]` table with a file".to_owned(),
                _ => format!("the zones are {}", apexes.join(", ")),
            };
            let fault =
                notes.error(key.span(), format!("service {name} is in no zone"), "no configured zone holds this name");
            notes.push(fault.remedy(remedy));
        }
        return;
    };
    let mut above = Some(name.clone());
    while let Some(at) = above.filter(|at| at.is_within(&zone.apex)) {
        if let Some((rtype, place)) = holds.cuts.get(&at)
            && (*rtype == RrType::NS || at != *name)
        {
            let (message, label) = match *rtype {
                RrType::NS if at == *name => {
                    (format!("service {name} is at a zone cut"), "it is delegated here".to_owned())
                }
                RrType::NS => (format!("service {name} is below a zone cut"), format!("{at} is delegated here")),
                _ => (format!("service {name} is below a DNAME"), format!("{at} is redirected here")),
            };
            let fault = notes
                .error(key.span(), message, "this server would never be asked for it")
                .also((*place).clone(), label)
                .remedy(format!("take the service out, or the {rtype} records of {at}"));
            notes.push(fault);
            return;
        }
        above = at.parent();
    }
    for (rtype, place) in holds.owned.get(name).into_iter().flatten() {
        let (message, remedy) = match *rtype {
            RrType::CNAME => (
                format!("service {name} stands beside a CNAME"),
                "a CNAME leaves room for nothing else: take it out of the zone file",
            ),
            rtype => (
                format!("service {name} and the zone file both have {rtype}"),
                "a service owns the types that it answers: take the record out of the zone file",
            ),
        };
        let fault = notes
            .error(key.span(), message, "the service answers A and AAAA at this name")
            .also((*place).clone(), format!("{rtype} here"))
            .remedy(remedy);
        notes.push(fault);
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
        engine::zone::{Record, ZoneSource},
    };

    /// What is said of a service `name` where the zone `example.com` holds these records.
    fn said(name: &str, records: &[(&str, RrType)]) -> Vec<String> {
        let own = |text: &str| Name::from_text(text).expect(text);
        let record = |(owner, rtype): &(&str, RrType)| Record {
            owner: own(owner),
            rtype: *rtype,
            ttl: 0,
            rdata: Box::default(),
        };
        let records: Vec<Record> = records.iter().map(record).collect();
        let places = records.iter().map(|_| Place { file: FileId(0), span: 0..0 }).collect();
        let zone = ZoneSource { apex: own("example.com"), records };
        let zones = [MeantZone { apex: own("example.com"), loaded: Some(LoadedZone { zone, places }) }];
        let document: Document<'_> = parse(&[], &mut Vec::new());
        let mut notes = Notes::new(&document, Vec::new());
        home(&Spanned::new(0..0, name.to_owned()), &own(name), &zones, &Holds::of(&zones), &mut notes);
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
