//! `[policies]`: presets, `extends` and tables to whole policies. Must not know pools.

mod geo;
mod policy_table;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use toml::Spanned;

use super::value::{name, text};
use crate::{
    config::{
        diagnostics::{Notes, suggest},
        presets,
        spec::{Named, PolicySpec, Text},
    },
    engine::{
        types::Prefix,
        world::policy::{Key, Policy},
    },
};
pub(crate) use geo::{RulesContext, order};
use policy_table::{Terms, overlay};

/// All policies by name.
#[derive(Debug)]
pub(crate) struct Policies<'s> {
    spec: &'s Named<PolicySpec>,
    terms: BTreeMap<&'s str, Terms>,
    used: BTreeSet<String>,
}

impl<'s> Policies<'s> {
    /// Resolves every table.
    pub(crate) fn resolve(
        spec: &'s Named<PolicySpec>,
        around: &mut RulesContext<'_, '_>,
        notes: &mut Notes<'_>,
    ) -> Self {
        let mut policies = Self { spec, terms: BTreeMap::new(), used: BTreeSet::new() };
        for key in spec.keys() {
            name("policy", key, notes);
            let taken = key.get_ref().as_str();
            if presets::find(taken).is_some() {
                let fault = notes
                    .error(
                        key.span(),
                        format!("policy \"{taken}\" takes the name of a preset"),
                        "presets keep their names",
                    )
                    .remedy(format!("give it another name, with `extends = \"{taken}\"`"));
                notes.push(fault);
            }
            policies.chain(key, around, notes);
        }
        policies
    }

    /// The policy that a pool names, or the default.
    pub(crate) fn find(&mut self, written: Option<Spanned<&str>>, notes: &mut Notes<'_>) -> Policy {
        let (name, span) = written.map_or((presets::DEFAULT, 0..0), |name| (*name.get_ref(), name.span()));
        self.used.insert(name.to_owned());
        let found = self.terms.get(name).cloned().or_else(|| presets::find(name).map(Terms::from));
        let Some(policy) = found.map(|terms| terms.policy(name)) else {
            self.absent(&Spanned::new(span, name), notes);
            return Terms::from(&presets::ADAPTIVE).policy(name);
        };
        if policy.prefer.iter().any(|(key, _)| *key == Key::Geo) && policy.preferences.is_none() && !notes.has_errors()
        {
            let message = format!("policy \"{name}\" has no geo rules");
            let fault = notes.error(span, message, "it prefers \"geo\", and all regions are equally good");
            notes.push(fault.remedy(
                "name a policy with `extends = \"geo\"` and a table `geo` that says which regions whose clients prefer",
            ));
        }
        policy
    }

    /// The policy of pools that name none, if it exists; told once where it does not.
    pub(crate) fn usual<'w>(
        &mut self,
        written: Option<&'w Spanned<Text>>,
        notes: &mut Notes<'_>,
    ) -> Option<&'w Spanned<Text>> {
        let name = text(written?);
        if self.terms.contains_key(*name.get_ref()) || presets::find(name.get_ref()).is_some() {
            return written;
        }
        self.absent(&name, notes);
        None
    }

    /// Where the `sticky` of a policy is written.
    pub(crate) fn sticky_at(&self, policy: &str) -> Option<Range<usize>> {
        self.terms.get(policy)?.sticky_at.clone()
    }

    /// Where the geo rule of a policy for a prefix is written.
    pub(crate) fn net_at(&self, policy: &str, prefix: Prefix) -> Option<Range<usize>> {
        self.terms.get(policy)?.geo.nets.get(&prefix).cloned()
    }

    /// Tables that no pool names, directly or through another.
    pub(crate) fn unused(&self) -> Vec<&'s Spanned<String>> {
        self.spec.keys().filter(|key| !self.used.contains(key.get_ref())).collect()
    }

    fn absent(&self, name: &Spanned<&str>, notes: &mut Notes<'_>) {
        let given = *name.get_ref();
        let known = self.spec.keys().map(|key| key.get_ref().as_str()).chain(presets::PRESETS.iter().map(|p| p.name));
        if notes.lacks(&["policies"], given) {
            let fault = notes
                .error(name.span(), format!("policy \"{given}\" does not exist"), "neither a table nor a preset")
                .remedy(suggest(given, known));
            notes.push(fault);
        }
    }

    /// Resolves one table and all that it extends, the furthest first.
    fn chain(&mut self, key: &'s Spanned<String>, around: &mut RulesContext<'_, '_>, notes: &mut Notes<'_>) {
        let mut chain: Vec<(&'s Spanned<String>, &'s PolicySpec)> = Vec::new();
        let mut next = Some(key.get_ref().as_str());
        let mut base = Terms::from(&presets::ADAPTIVE);
        while let Some(name) = next.take() {
            if let Some(terms) = self.terms.get(name) {
                base = terms.clone();
            } else if let Some(start) = chain.iter().position(|(key, _)| key.get_ref() == name) {
                let fault = round(&chain[start..], name, notes);
                notes.push(fault);
                base.is_certain = false;
            } else if let Some(pair) = self.spec.get_key_value(name) {
                chain.push(pair);
                next = Some(pair.1.extends.as_ref().map_or(presets::DEFAULT, |extends| &extends.get_ref().0));
                // A table of the preset's own name was told already, and must not be its own base.
                if next == Some(presets::DEFAULT) {
                    next = None;
                }
            } else if let Some(preset) = presets::find(name) {
                base = Terms::from(preset);
            } else if let Some(extends) = chain.last().and_then(|(_, spec)| spec.extends.as_ref()) {
                self.absent(&text(extends), notes);
                base.is_certain = false;
            }
        }
        for (key, spec) in chain.into_iter().rev() {
            if let Some(extends) = &spec.extends {
                self.used.insert(extends.get_ref().0.clone());
            }
            base = overlay(base, key.get_ref(), spec, around, notes);
            self.terms.insert(key.get_ref(), base.clone());
        }
    }
}

fn round(chain: &[(&Spanned<String>, &PolicySpec)], name: &str, notes: &Notes<'_>) -> crate::config::fault::Fault {
    let names: Vec<String> = chain.iter().map(|(key, _)| format!("\"{}\"", key.get_ref())).collect();
    let message = match names.len() {
        1 => format!("policy \"{name}\" extends itself"),
        _ => format!("policies {} extend each other in a circle", names.join(", ")),
    };
    let mut places = chain.iter().filter_map(|(_, spec)| spec.extends.as_ref());
    let first = places.next().map_or(0..0, Spanned::span);
    let fault = notes.error(first, message, "this leads back to itself").remedy("let one of them extend a preset");
    places.fold(fault, |fault, place| fault.also(notes.place(place.span()), "by way of this"))
}
