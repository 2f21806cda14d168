//! The positions of a pool's endpoints for the key `order`: from the pool's list, or from tiers.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use toml::Spanned;

use super::super::{MeantEndpoint, value::items};
use crate::{
    config::{
        notes::{Notes, nearest, suggest},
        spec::{List, PoolSpec, Whole},
    },
    engine::world::policy::{Key, Policy},
};

/// Fills in the positions from the pool's list (tiers are filled in already), and notes what is missing.
pub(crate) fn order(
    key: &Spanned<String>,
    spec: &PoolSpec,
    policy: &Policy,
    endpoints: &mut [MeantEndpoint],
    notes: &mut Notes<'_>,
) {
    let pool = key.get_ref();
    let asked = policy.prefer.iter().any(|(key, _)| *key == Key::Order);
    let tier = spec.endpoints.values().find_map(|endpoint| endpoint.tier.as_ref());
    if let (Some(written), Some(tier)) = (&spec.order, tier) {
        let message = format!("pool \"{pool}\" has an order and tiers");
        let fault = notes
            .error(written.span(), message, "they may contradict each other")
            .also(notes.place(tier.span()), "a tier")
            .remedy("keep one of them");
        notes.push(fault);
    }
    match &spec.order {
        Some(written) => listed(pool, written, endpoints, notes),
        None if asked && notes.is_whole(&["pools", pool]) => tiered(key, spec, tier, policy, notes),
        None => {}
    }
}

/// The list names every endpoint exactly once.
fn listed(pool: &str, written: &Spanned<List>, endpoints: &mut [MeantEndpoint], notes: &mut Notes<'_>) {
    let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
    let names = || names.iter().map(String::as_str);
    let mut named: BTreeMap<String, Range<usize>> = BTreeMap::new();
    // Endpoints that a misspelt entry most likely means: not missing as well.
    let mut meant: BTreeSet<&str> = BTreeSet::new();
    for (at, item) in items(Some(written)).into_iter().enumerate() {
        let given = item.get_ref().as_str();
        let fault = match endpoints.iter_mut().find(|endpoint| endpoint.name == given) {
            None if !notes.lacks(&["pools", pool, "endpoints"], given) => continue,
            None => {
                meant.extend(nearest(given, names()));
                notes
                    .error(item.span(), format!("pool \"{pool}\" has no endpoint {given:?}"), "no such endpoint")
                    .remedy(suggest(given, names()))
            }
            Some(endpoint) => match named.get(given) {
                Some(first) => {
                    let message = format!("the order of pool \"{pool}\" has {given:?} twice");
                    notes.twice(first.clone(), item.span(), message)
                }
                None => {
                    endpoint.order = at as u32;
                    named.insert(given.to_owned(), item.span());
                    continue;
                }
            },
        };
        notes.push(fault);
    }
    let missing: Vec<String> = names()
        .filter(|name| !named.contains_key(*name) && !meant.contains(name))
        .map(|name| format!("\"{name}\""))
        .collect();
    if !missing.is_empty() && notes.is_whole(&["pools", pool, "order"]) {
        let message = format!("the order of pool \"{pool}\" is not complete");
        let fault = notes
            .error(written.span(), message, "it must name every endpoint")
            .remedy(format!("add {}", missing.join(", ")));
        notes.push(fault);
    }
}

/// Without a list, every endpoint has a tier.
fn tiered(
    key: &Spanned<String>,
    spec: &PoolSpec,
    tier: Option<&Spanned<Whole>>,
    policy: &Policy,
    notes: &mut Notes<'_>,
) {
    let pool = key.get_ref();
    let Some((first, _)) = spec.endpoints.iter().find(|(_, endpoint)| endpoint.tier.is_none()) else { return };
    let (span, message, label) = match tier {
        Some(_) => (
            first.span(),
            format!("endpoint \"{pool}/{}\" has no tier", first.get_ref()),
            format!("others of the pool have one, and policy \"{}\" prefers \"order\"", policy.name),
        ),
        None => (
            key.span(),
            format!("pool \"{pool}\" has no order"),
            format!("policy \"{}\" prefers \"order\"", policy.name),
        ),
    };
    let names: Vec<String> = spec.endpoints.keys().map(|key| format!("\"{}\"", key.get_ref())).collect();
    let fault = notes
        .error(span, message, label)
        .remedy(format!("add `order = [{}]` in the order you want, or a `tier` to each", names.join(", ")));
    notes.push(fault);
}
