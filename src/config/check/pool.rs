//! `[pools]` and their endpoints.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::Range,
};

use toml::Spanned;

use super::{
    MeantEndpoint, MeantPool,
    order::order,
    policy::Policies,
    value::{address, items, name, text, whole},
};
use crate::{
    config::{
        notes::{Notes, join, suggest},
        presets::key_name,
        spec::{EndpointSpec, Named, PoolSpec, Spec},
    },
    engine::steer::policy::{Key, MAX_ENDPOINTS, MAX_WEIGHT},
};

const WEIGHT: i64 = 100;
const MAX_TIER: i64 = 1000;

/// Which regions and monitors something refers to, by position.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) regions: BTreeSet<usize>,
    pub(crate) monitors: BTreeSet<usize>,
}

/// `[pools]`, in name order.
pub(crate) fn pools(spec: &Spec, policies: &mut Policies<'_>, notes: &mut Notes<'_>) -> (Vec<MeantPool>, Used) {
    let mut used = Used::default();
    let known = Known { regions: positions(&spec.regions), monitors: positions(&spec.monitors) };
    let pools: Vec<MeantPool> =
        spec.pools.iter().map(|(key, pool)| one(key, pool, &known, &mut used, policies, notes)).collect();
    for key in spec.regions.iter().filter(|(_, region)| region.location.is_none()).map(|(key, _)| key) {
        // Told once for each region, however many pools go by it.
        if let Some((pool, prefer)) = asking(&pools, known.regions.get(key.get_ref().as_str()).copied())
            && !notes.has_errors()
        {
            let message = format!("region \"{}\" has no location", key.get_ref());
            let label = format!("it comes last for every client of pool \"{pool}\", which prefers {prefer:?}");
            let fault = notes.warning(key.span(), message, label).remedy("add `location = { lat = …, lon = … }`");
            notes.push(fault);
        }
    }
    if spec.geo.databases.is_none()
        && spec.geo.overrides.is_none()
        && !notes.has_errors()
        && let Some((at, (pool, prefer))) =
            pools.iter().enumerate().find_map(|(at, pool)| Some((at, asking(std::slice::from_ref(pool), None)?)))
        && let Some(key) = spec.pools.keys().nth(at)
    {
        let message = format!("pool \"{pool}\" goes by where clients are, and nothing says where they are");
        let label = format!("it prefers {prefer:?}: all regions are equally near");
        let remedy = "add `[geo]` with `databases` or `overrides`";
        let fault = notes.warning(key.span(), message, label).remedy(remedy);
        notes.push(fault);
    }
    (pools, used)
}

struct Known<'s> {
    regions: BTreeMap<&'s str, usize>,
    monitors: BTreeMap<&'s str, usize>,
}

fn positions<T>(named: &Named<T>) -> BTreeMap<&str, usize> {
    named.keys().enumerate().map(|(at, key)| (key.get_ref().as_str(), at)).collect()
}

/// The first pool that asks where clients are (and has an endpoint in `region`), with the key that asks.
fn asking(pools: &[MeantPool], region: Option<usize>) -> Option<(&str, &'static str)> {
    pools.iter().find_map(|pool| {
        let several =
            pool.endpoints.iter().any(|endpoint| Some(endpoint.region) != pool.endpoints.first().map(|e| e.region));
        let here = region.is_none_or(|region| pool.endpoints.iter().any(|endpoint| endpoint.region == region));
        let key = pool.policy.prefer.iter().find(|(key, _)| *key != Key::Order)?;
        (several && here).then(|| (pool.name.as_str(), key_name(key.0)))
    })
}

fn one(
    key: &Spanned<String>,
    spec: &PoolSpec,
    known: &Known<'_>,
    used: &mut Used,
    policies: &mut Policies<'_>,
    notes: &mut Notes<'_>,
) -> MeantPool {
    name("pool", key, notes);
    let pool = key.get_ref();
    let monitor = monitor(key, spec, known, used, notes);
    let policy = policies.find(spec.policy.as_ref().map(text), notes);
    let mut endpoints = Vec::new();
    let mut addresses: BTreeMap<IpAddr, Range<usize>> = BTreeMap::new();
    for (key, endpoint) in &spec.endpoints {
        name("endpoint", key, notes);
        endpoints.push(self::endpoint(pool, key, endpoint, known, used, &mut addresses, notes));
    }
    count(key, spec, &endpoints, notes);
    uneven(key, &endpoints, notes);
    order(key, spec, &policy, &mut endpoints, notes);
    MeantPool { name: pool.clone(), monitor, policy, endpoints }
}

fn monitor(
    key: &Spanned<String>,
    spec: &PoolSpec,
    known: &Known<'_>,
    used: &mut Used,
    notes: &mut Notes<'_>,
) -> Option<usize> {
    let pool = key.get_ref();
    let Some(written) = &spec.monitor else {
        if notes.is_whole(&["pools", pool, "monitor"]) {
            let fault = notes
                .warning(key.span(), format!("pool \"{pool}\" has no monitor"), "its endpoints always count as up")
                .remedy("add `monitor = \"NAME\"` and a `[monitors.NAME]` table");
            notes.push(fault);
        }
        return None;
    };
    let given: &str = written.get_ref();
    let found = known.monitors.get(given).copied();
    match found {
        Some(at) => {
            used.monitors.insert(at);
        }
        None if !notes.knows_all("monitors") => {}
        None => {
            let message = format!("pool \"{pool}\" names monitor {given:?}, which does not exist");
            let fault = notes.error(written.span(), message, "no such monitor");
            let fault = fault.remedy(suggest(given, known.monitors.keys().copied()));
            notes.push(fault);
        }
    }
    found
}

fn endpoint(
    pool: &str,
    key: &Spanned<String>,
    spec: &EndpointSpec,
    known: &Known<'_>,
    used: &mut Used,
    addresses: &mut BTreeMap<IpAddr, Range<usize>>,
    notes: &mut Notes<'_>,
) -> MeantEndpoint {
    let own = key.get_ref();
    let path = ["pools", pool, "endpoints", own];
    let what = format!("endpoint \"{pool}/{own}\"");
    let region = match &spec.region {
        Some(written) => {
            let given: &str = written.get_ref();
            let found = known.regions.get(given).copied();
            if found.is_none() && notes.knows_all("regions") {
                let message = format!("{what} names region {given:?}, which does not exist");
                let fault = notes.error(written.span(), message, "no such region");
                let fault = fault.remedy(suggest(given, known.regions.keys().copied()));
                notes.push(fault);
            }
            found
        }
        None => {
            if notes.is_whole(&path) {
                let fault = notes.error(key.span(), format!("{what} is in no region"), "`region` is missing");
                notes.push(fault.remedy(suggest("", known.regions.keys().copied())));
            }
            None
        }
    };
    used.regions.extend(region);
    let (v4, v6) = families(&what, key, spec, &path, addresses, notes);
    let at = |key: &str| format!("{}.{key}", join(&path));
    MeantEndpoint {
        name: own.clone(),
        region: region.unwrap_or(0),
        v4,
        v6,
        weight: whole(spec.weight.as_ref(), &at("weight"), WEIGHT, 0..=MAX_WEIGHT.into(), notes) as u32,
        order: whole(spec.tier.as_ref(), &at("tier"), 0, 1..=MAX_TIER, notes) as u32,
    }
}

fn families(
    what: &str,
    key: &Spanned<String>,
    spec: &EndpointSpec,
    path: &[&str],
    addresses: &mut BTreeMap<IpAddr, Range<usize>>,
    notes: &mut Notes<'_>,
) -> (Option<std::net::Ipv4Addr>, Option<std::net::Ipv6Addr>) {
    let (mut v4, mut v6) = (None, None);
    let mut places: [Option<Range<usize>>; 2] = [None, None];
    for item in items(spec.address.as_ref()) {
        let Some(address) = address(&item, what, notes) else { continue };
        let family = usize::from(address.is_ipv6());
        if let Some(first) = addresses.get(&address) {
            let fault = notes
                .error(item.span(), format!("{address} stands twice in one pool"), format!("{what} has it again"))
                .also(notes.place(first.clone()), "first here")
                .remedy("one endpoint for each address: weights say how much it takes");
            notes.push(fault);
        } else if let Some(first) = &places[family] {
            let label = format!("a second IPv{} address", if family == 0 { 4 } else { 6 });
            let fault = notes
                .error(item.span(), format!("{what} has two addresses of one family"), label)
                .also(notes.place(first.clone()), "the first")
                .remedy("make it an endpoint of its own, in the same region");
            notes.push(fault);
        }
        addresses.entry(address).or_insert(item.span());
        places[family].get_or_insert(item.span());
        match address {
            IpAddr::V4(address) => v4 = v4.or(Some(address)),
            IpAddr::V6(address) => v6 = v6.or(Some(address)),
        }
    }
    let none = spec.address.as_ref().is_none_or(|written| items(Some(written)).is_empty());
    if none && notes.is_whole(path) {
        let span = spec.address.as_ref().map_or_else(|| key.span(), Spanned::span);
        let fault = notes
            .error(span, format!("{what} has no address"), "nobody could be sent to it")
            .remedy("add `address = [\"192.0.2.1\", \"2001:db8::1\"]`, at most one of each family");
        notes.push(fault);
    }
    (v4, v6)
}

/// Where only some endpoints have a family, what a client gets of it depends on where it is sent: nothing may be empty by
/// accident.
fn uneven(key: &Spanned<String>, endpoints: &[MeantEndpoint], notes: &mut Notes<'_>) {
    if notes.has_errors() {
        return;
    }
    let chosen = || endpoints.iter().filter(|endpoint| endpoint.weight > 0);
    for (family, (number, rtype)) in [(4, "A"), (6, "AAAA")].into_iter().enumerate() {
        let (have, lack): (Vec<_>, Vec<_>) = chosen().partition(|endpoint| endpoint.addresses()[family].is_some());
        if have.is_empty() || lack.is_empty() {
            continue;
        }
        let names: Vec<&str> = lack.iter().map(|endpoint| endpoint.name.as_str()).collect();
        let message = format!("pool \"{}\" has IPv{number} at some endpoints only", key.get_ref());
        let label = format!("clients that are sent to {} get no {rtype}", listed(&names));
        let remedy = format!("give them an IPv{number} address, or make two pools of it");
        let fault = notes.warning(key.span(), message, label).remedy(remedy);
        notes.push(fault);
    }
}

/// The first few of some names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let more = names.len().saturating_sub(SHOWN);
    match names {
        _ if more > 0 => format!("{} or {more} more", names[..SHOWN].join(", ")),
        [before @ .., one, last] => {
            before.iter().map(|name| format!("{name}, ")).collect::<String>() + &format!("{one} or {last}")
        }
        _ => names.concat(),
    }
}

fn count(key: &Spanned<String>, spec: &PoolSpec, endpoints: &[MeantEndpoint], notes: &mut Notes<'_>) {
    let pool = key.get_ref();
    let fault = if endpoints.is_empty() {
        if !notes.is_whole(&["pools", pool]) {
            return;
        }
        notes
            .error(key.span(), format!("pool \"{pool}\" has no endpoints"), "there is nothing to answer with")
            .remedy(format!("add a `[pools.{pool}.endpoints.NAME]` table with `region` and `address`"))
    } else if let Some((extra, _)) = spec.endpoints.iter().nth(MAX_ENDPOINTS) {
        let message = format!("pool \"{pool}\" has {} endpoints", endpoints.len());
        notes
            .error(extra.span(), message, format!("at most {MAX_ENDPOINTS}, in name order this is the first too many"))
            .remedy("make two pools of it")
    } else if endpoints.iter().all(|endpoint| endpoint.weight == 0) {
        notes
            .error(key.span(), format!("every endpoint of pool \"{pool}\" has weight 0"), "none can ever be chosen")
            .remedy("give one of them a weight; 0 is for those that are only probed")
    } else {
        return;
    };
    notes.push(fault);
}
