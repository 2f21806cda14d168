//! Geo rules without a default: whose countries no rule names.

use super::{super::notes::Notes, Subject, continents::CONTINENTS, listed};
use crate::engine::{
    geo::{Preferences, Selector},
    world::policy::Key,
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for policy in &subject.world.policies {
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
