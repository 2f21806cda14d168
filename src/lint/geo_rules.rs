//! Rules and overrides by where clients are: geo rules without a default, and the countries that they do not name;
//! prefixes that decide nothing, since narrower ones cover them wholly, or since they repeat what a wider one says.
//! Must not know which endpoints are in the regions.

use super::subject::{Subject, listed};
use crate::{
    config::{
        diagnostics::Notes,
        fault::{Fault, Sources},
        geo::overrides,
    },
    engine::{
        geo::{Order, Preferences, Selector},
        types::Prefix,
        world::policy::Key,
    },
};

/// Geo rules without a default that do not name every country.
pub(super) fn countries(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for policy in subject.world.policies.iter() {
        let asks = policy.prefer.iter().any(|(key, _)| *key == Key::Geo);
        let Some(preferences) = policy.preferences.as_ref().filter(|p| asks && p.default.is_empty()) else { continue };
        if told.contains(&&*policy.name) {
            continue;
        }
        told.push(&policy.name);
        let without = without_rule(preferences);
        let count: usize = without.iter().map(|(_, countries)| countries.len()).sum();
        if count == 0 {
            continue;
        }
        let message = format!("{count} countries have no geo rule in policy \"{}\"", policy.name);
        let each = without.iter().map(|(continent, countries)| format!("{continent}: {}", listed(countries)));
        let label = each.collect::<Vec<_>>().join("; ");
        let fault = notes
            .warning(subject.policy_at(&policy.name), message, label)
            .remedy("add `geo.default`, for them and for clients of unknown location: all regions are equal there now");
        notes.push(fault);
    }
}

/// Countries that neither a rule for them nor one for their continent covers, by continent.
fn without_rule(preferences: &Preferences) -> Vec<(&'static str, Vec<String>)> {
    let has = |selector: &Selector| preferences.rules.iter().any(|(known, _)| known == selector);
    let code = |text: &str| <[u8; 2]>::try_from(text.as_bytes()).unwrap_or(*b"--");
    let mut found = Vec::new();
    for (continent, countries) in CONTINENTS {
        if has(&Selector::Continent(code(continent))) {
            continue;
        }
        let left = countries.split_whitespace().filter(|country| !has(&Selector::Country(code(country))));
        let left: Vec<String> = left.map(str::to_owned).collect();
        if !left.is_empty() {
            found.push((*continent, left));
        }
    }
    found
}

/// Continents with their countries, by code, as geo databases have them.
#[rustfmt::skip]
const CONTINENTS: &[(&str, &str)] = &[
    ("AF", "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ \
            NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"),
    ("AN", "AQ BV GS HM TF"),
    ("AS", "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM \
            PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"),
    ("EU", "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME \
            MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"),
    ("NA", "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC \
            TT US VC VG VI"),
    ("OC", "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"),
    ("SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
];

/// Prefixes of geo rules and overrides that decide nothing.
pub(super) fn nets(subject: &Subject<'_>, sources: &Sources, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for policy in subject.world.policies.iter() {
        let Some(preferences) = policy.preferences.as_ref().filter(|_| !told.contains(&&*policy.name)) else {
            continue;
        };
        told.push(&policy.name);
        let nets = preferences.rules.iter().filter_map(|(selector, order)| match selector {
            Selector::Net(prefix) => Some((*prefix, order)),
            _ => None,
        });
        let mut nets: Vec<(Prefix, &Order)> = nets.collect();
        nets.sort_by_key(|(prefix, _)| *prefix);
        for (prefix, idle) in idle(&nets) {
            let message = format!("the geo rule for {prefix} in policy \"{}\" decides nothing", policy.name);
            let fault = notes.warning(subject.policy_at(&policy.name), message, idle.label());
            notes.push(fault.remedy("take it out"));
        }
    }
    overrides(subject, sources, notes);
}

fn overrides(subject: &Subject<'_>, sources: &Sources, notes: &mut Notes<'_>) {
    let Some(written) = &subject.spec.geo.overrides else { return };
    let path = notes.path(&toml::Spanned::new(written.span(), written.get_ref().0.clone()));
    let Some(file) = sources.find(&path.display().to_string()) else { return };
    // It has been read without errors before.
    let mut lines = overrides::read(file, sources, &mut Vec::new());
    lines.sort_by_key(|line| line.prefix);
    let nets: Vec<_> = lines.iter().map(|line| (line.prefix, &line.location)).collect();
    for (prefix, idle) in idle(&nets) {
        let Some(line) = lines.iter().find(|line| line.prefix == prefix) else { continue };
        let message = format!("the override for {prefix} decides nothing");
        notes.push(Fault::warning(message, line.place.clone(), idle.label()).remedy("take it out"));
    }
}

/// Why a prefix decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// Narrower ones cover all of it.
    Covered,
    /// It says what this wider one says.
    Repeats(Prefix),
}

impl Idle {
    fn label(self) -> String {
        match self {
            Self::Covered => "narrower ones cover all of it".into(),
            Self::Repeats(wider) => format!("it says what the one for {wider} says"),
        }
    }
}

/// The prefixes of a sorted list that decide nothing.
fn idle<T: PartialEq>(nets: &[(Prefix, T)]) -> Vec<(Prefix, Idle)> {
    let mut found = Vec::new();
    // The wider ones that hold the present one, the narrowest last.
    let mut around: Vec<usize> = Vec::new();
    for (at, (prefix, says)) in nets.iter().enumerate() {
        while around.last().is_some_and(|wider| !nets[*wider].0.contains(*prefix)) {
            around.pop();
        }
        let inside = nets[at + 1..].partition_point(|(other, _)| prefix.contains(*other));
        let inside = &nets[at + 1..at + 1 + inside];
        match around.last().map(|wider| &nets[*wider]) {
            _ if !inside.is_empty() && is_covered(*prefix, inside) => found.push((*prefix, Idle::Covered)),
            Some((wider, same)) if same == says => found.push((*prefix, Idle::Repeats(*wider))),
            _ => {}
        }
        around.push(at);
    }
    found
}

/// Whether prefixes that all lie inside one leave nothing of it. They are sorted.
fn is_covered<T>(whole: Prefix, inside: &[(Prefix, T)]) -> bool {
    match inside.first() {
        None => false,
        Some((first, _)) if *first == whole => true,
        Some(_) => {
            let bit = 1_u128 << (127 - u32::from(whole.len()));
            let half = |bits| Prefix::from_bits(whole.family(), bits, whole.len() + 1);
            let (low, high) = (half(whole.bits()), half(whole.bits() | bit));
            let split = inside.partition_point(|(prefix, _)| low.contains(*prefix));
            is_covered(low, &inside[..split]) && is_covered(high, &inside[split..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::geo::is_country;

    #[test]
    fn every_country_is_in_one_continent() {
        let mut listed: Vec<&str> = CONTINENTS.iter().flat_map(|(_, countries)| countries.split_whitespace()).collect();
        listed.sort_unstable();
        let letters = || b'A'..=b'Z';
        let all = letters().flat_map(|a| letters().map(move |b| [a, b])).filter(|code| is_country(*code));
        let all: Vec<String> = all.map(|code| code.map(char::from).iter().collect()).collect();
        assert_eq!(listed, all);
    }

    fn found(nets: &[(&str, u8)]) -> Vec<(String, Idle)> {
        let prefix = |text: &str| {
            let (address, len) = text.split_once('/').unwrap();
            Prefix::new(address.parse().unwrap(), len.parse().unwrap())
        };
        let mut nets: Vec<(Prefix, u8)> = nets.iter().map(|(text, says)| (prefix(text), *says)).collect();
        nets.sort();
        idle(&nets).into_iter().map(|(prefix, idle)| (prefix.to_string(), idle)).collect()
    }

    #[test]
    fn what_decides_nothing_is_found_and_nothing_else() {
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.0.0.0/9", 2), ("10.128.0.0/10", 3)]), []);
        let covered = found(&[("10.0.0.0/8", 1), ("10.0.0.0/9", 2), ("10.128.0.0/10", 3), ("10.192.0.0/10", 4)]);
        assert_eq!(covered, [("10.0.0.0/8".into(), Idle::Covered)]);
        let wider = Prefix::new([10, 0, 0, 0].into(), 8);
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.1.0.0/16", 1)]), [("10.1.0.0/16".into(), Idle::Repeats(wider))]);
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.1.0.0/16", 2), ("10.1.1.0/24", 1)]), []);
        assert_eq!(found(&[("::/0", 1), ("2001:db8::/32", 2), ("0.0.0.0/0", 1), ("20.0.0.0/8", 2)]), []);
        assert_eq!(found(&[("0.0.0.0/0", 1), ("0.0.0.0/1", 2), ("128.0.0.0/1", 2)]).len(), 1);
    }
}
