//! `[policies.NAME.geo]`: which regions whose clients prefer. Must not know how policies extend each other.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::super::{
    selector::{Groups, KINDS, of_kind, shown},
    symbols::Names,
    value::items,
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        spec::{GeoRulesSpec, List, Orders, PolicySpec},
    },
    engine::{
        geo::{Order, Preferences, Selector},
        types::{Prefix, RegionId},
    },
};

/// What a policy may name.
#[derive(Debug)]
pub(crate) struct RulesContext<'a, 's> {
    pub(crate) regions: &'a Names<'s>,
    pub(crate) groups: &'a mut Groups<'s>,
}

/// The geo rules of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct GeoRules {
    /// None: no table has any.
    pub(super) preferences: Option<Preferences>,
    /// Where the rules for prefixes are written.
    pub(super) nets: BTreeMap<Prefix, Range<usize>>,
}

impl GeoRules {
    /// Lays the rules of a policy's table over those that it extends: a selector's own order replaces the one it had.
    /// `has_effect` is false where it is certain that the policy does not go by them.
    pub(super) fn overlay(
        &mut self,
        (name, spec): (&str, &PolicySpec),
        has_effect: bool,
        around: &mut RulesContext<'_, '_>,
        notes: &mut Notes<'_>,
    ) {
        let Some(written) = &spec.geo else { return };
        let path = join(&["policies", name, "geo"]);
        let mut table = RuleTable { path: &path, around, rules: BTreeMap::new() };
        table.read(written.get_ref(), notes);
        let rules = table.rules;
        let preferences = self.preferences.get_or_insert_default();
        if let Some(default) = &written.get_ref().default {
            preferences.default = order(default, &format!("{path}.default"), around.regions, notes);
        }
        preferences.rules.retain(|(selector, _)| !rules.contains_key(selector));
        for (selector, (order, place)) in rules {
            if let Selector::Net(prefix) = selector {
                self.nets.insert(prefix, place);
            }
            preferences.rules.push((selector, order));
        }
        preferences.rules.sort();
        if !has_effect {
            let label = format!("policy \"{name}\" does not prefer \"geo\"");
            let fault = notes.error(written.span(), format!("`{path}` has no effect"), label);
            notes.push(fault.remedy("add \"geo\" to `prefer`, or take the table out"));
        }
    }
}

/// The rules of one table so far, each with its place.
struct RuleTable<'t, 'a, 's> {
    path: &'t str,
    around: &'t mut RulesContext<'a, 's>,
    rules: BTreeMap<Selector, (Order, Range<usize>)>,
}

impl RuleTable<'_, '_, '_> {
    fn read(&mut self, spec: &GeoRulesSpec, notes: &mut Notes<'_>) {
        let tables: [&Orders; 5] = [&spec.continent, &spec.country, &spec.subdivision, &spec.asn, &spec.net];
        for (kind, orders) in KINDS.into_iter().zip(tables) {
            for (key, regions) in orders {
                let at = join(&[kind, key.get_ref()]);
                let order = order(regions, &format!("{}.{at}", self.path), self.around.regions, notes);
                match of_kind(kind, key.get_ref()) {
                    Ok(selector) => self.rule(selector, &order, key, notes),
                    Err((cause, remedy)) => {
                        let fault =
                            notes.error(key.span(), format!("`{}.{kind}` has {:?}", self.path, key.get_ref()), cause);
                        notes.push(fault.remedy(remedy));
                    }
                }
            }
        }
        for (key, regions) in &spec.group {
            let at = join(&["group", key.get_ref()]);
            let order = order(regions, &format!("{}.{at}", self.path), self.around.regions, notes);
            let members = self.around.groups.members(key, &format!("{}.group", self.path), notes);
            for selector in members {
                if selector == Selector::Unknown {
                    let message = format!("`{}.{at}` has clients of unknown location", self.path);
                    let fault = notes.error(key.span(), message, "\"unknown\" is in the group");
                    let remedy = "take it out of the group: the order for them is `default`";
                    notes.push(fault.remedy(remedy));
                    continue;
                }
                self.rule(selector, &order, key, notes);
            }
        }
    }

    /// Adds the rule for one selector, which must have none yet.
    fn rule(&mut self, selector: Selector, order: &Order, key: &Spanned<String>, notes: &mut Notes<'_>) {
        let Some((_, first)) = self.rules.get(&selector) else {
            self.rules.insert(selector, (order.clone(), key.span()));
            return;
        };
        let message = format!("`{}` has two rules for {}", self.path, shown(&selector));
        let fault = notes.twice(first.clone(), key.span(), message);
        notes.push(fault.remedy("keep one: equally specific rules cannot both decide"));
    }
}

/// Regions in order; those with a bar between them are equally good.
pub(crate) fn order(written: &Spanned<List>, path: &str, regions: &Names<'_>, notes: &mut Notes<'_>) -> Order {
    let mut found: Vec<(RegionId, u16, Range<usize>)> = Vec::new();
    let elements = items(Some(written));
    for (place, item) in elements.iter().enumerate() {
        for name in item.get_ref().split('|') {
            let name = Spanned::new(item.span(), name);
            let Some(at) = regions.seek(&name, &format!("`{path}`"), notes) else { continue };
            let region = RegionId(at as u16);
            match found.iter().find(|(known, ..)| *known == region) {
                Some((.., first)) => {
                    let message = format!("`{path}` has region {:?} twice", name.get_ref());
                    let fault = notes.twice(first.clone(), item.span(), message);
                    notes.push(fault.remedy("keep one: it has one place"));
                }
                None => found.push((region, place as u16, item.span())),
            }
        }
    }
    if elements.is_empty() && notes.is_whole_at(path) {
        let fault = notes.error(written.span(), format!("`{path}` is empty"), "it prefers no region to another");
        notes.push(fault.remedy("name regions; to keep clients out use a `fence`"));
    }
    found.into_iter().map(|(region, place, _)| (region, place)).collect()
}
