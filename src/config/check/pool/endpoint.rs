//! The endpoints of a pool: what each is answered with, where it is probed, and its position for the key `order`, from
//! the pool's list or from tiers. Must not know how pools are steered, nor what probes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use toml::Spanned;

use super::super::{
    meant::{CAPACITY, MeantEndpoint},
    selector::{Groups, fence},
    symbols::Names,
    value::{address, items, name, real, target, text, whole},
};
use crate::{
    config::{
        diagnostics::{Notes, join, nearest, suggest},
        spec::{EndpointSpec, List, PoolSpec, Whole},
    },
    engine::{
        types::{Family, PerFamily},
        wire::name::Name,
        world::{
            endpoint::MAX_WEIGHT,
            policy::{Key, Policy},
        },
    },
};

const WEIGHT: i64 = 100;
const MAX_TIER: i64 = 1000;

/// What a pool's endpoints are answered with so far: nothing twice.
#[derive(Debug, Default)]
pub(super) struct Seen {
    addresses: BTreeMap<IpAddr, Range<usize>>,
    cnames: BTreeMap<Name, Range<usize>>,
}

/// One endpoint of a pool.
pub(super) fn endpoint(
    pool: &str,
    key: &Spanned<String>,
    spec: &EndpointSpec,
    (regions, groups): (&mut Names<'_>, &mut Groups<'_>),
    seen: &mut Seen,
    notes: &mut Notes<'_>,
) -> MeantEndpoint {
    let own = key.get_ref();
    let path = ["pools", pool, "endpoints", own];
    let what = format!("endpoint \"{pool}/{own}\"");
    let region = match &spec.region {
        Some(written) => regions.find(&text(written), &what, notes),
        None => {
            if notes.is_whole(&path) {
                let fault = notes.error(key.span(), format!("{what} is in no region"), "`region` is missing");
                notes.push(fault.remedy(suggest("", regions.all())));
            }
            None
        }
    };
    let (v4, v6) = families(&what, key, spec, &path, seen, notes);
    let cname = cname(&what, spec, seen, notes);
    let (probe, probe_port) = probe(&what, spec, PerFamily::new(v4.is_some(), v6.is_some()), &path, notes);
    let at = |key: &str| format!("{}.{key}", join(&path));
    MeantEndpoint {
        name: own.clone(),
        region: region.unwrap_or(0),
        v4,
        v6,
        cname,
        probe,
        probe_port,
        weight: whole(spec.weight.as_ref(), &at("weight"), WEIGHT, 0..=MAX_WEIGHT.into(), notes) as u32,
        order: whole(spec.tier.as_ref(), &at("tier"), 0, 1..=MAX_TIER, notes) as u32,
        group: spec.group.as_ref().map(|written| {
            let group = Spanned::new(written.span(), written.get_ref().0.clone());
            name("group", &group, notes);
            group.into_inner()
        }),
        capacity: real(spec.capacity.as_ref(), &at("capacity"), CAPACITY, notes),
        fence: fence(spec.fence.as_ref(), &at("fence"), groups, notes),
    }
}

fn families(
    what: &str,
    key: &Spanned<String>,
    spec: &EndpointSpec,
    path: &[&str],
    seen: &mut Seen,
    notes: &mut Notes<'_>,
) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
    let (mut v4, mut v6) = (None, None);
    let mut places: PerFamily<Option<Range<usize>>> = PerFamily::default();
    for item in items(spec.address.as_ref()) {
        let Some(address) = address(&item, what, notes) else { continue };
        let family = Family::of(address);
        if let Some(first) = seen.addresses.get(&address) {
            let fault = notes
                .error(item.span(), format!("{address} stands twice in one pool"), format!("{what} has it again"))
                .also(notes.place(first.clone()), "first here")
                .remedy("one endpoint for each address: weights say how much it takes");
            notes.push(fault);
        } else if let Some(first) = &places[family] {
            let label = format!("a second {family} address");
            let fault = notes
                .error(item.span(), format!("{what} has two addresses of one family"), label)
                .also(notes.place(first.clone()), "the first")
                .remedy("make it an endpoint of its own, in the same region");
            notes.push(fault);
        }
        seen.addresses.entry(address).or_insert(item.span());
        places[family].get_or_insert(item.span());
        match address {
            IpAddr::V4(address) => v4 = v4.or(Some(address)),
            IpAddr::V6(address) => v6 = v6.or(Some(address)),
        }
    }
    let none = spec.address.as_ref().is_none_or(|written| items(Some(written)).is_empty());
    if none && spec.cname.is_none() && notes.is_whole(path) {
        let span = spec.address.as_ref().map_or_else(|| key.span(), Spanned::span);
        let fault = notes
            .error(span, format!("{what} has no address"), "nobody could be sent to it")
            .remedy("add `address = [\"192.0.2.1\", \"2001:db8::1\"]`, at most one of each family, or `cname`");
        notes.push(fault);
    }
    (v4, v6)
}

/// The name that stands in for the endpoint.
fn cname(what: &str, spec: &EndpointSpec, seen: &mut Seen, notes: &mut Notes<'_>) -> Option<Name> {
    let written = spec.cname.as_ref()?;
    if let Some(address) = &spec.address {
        let fault = notes
            .error(written.span(), format!("{what} has a cname and addresses"), "it can be only one of them")
            .also(notes.place(address.span()), "its addresses")
            .remedy("keep one, or make two endpoints of it");
        notes.push(fault);
    }
    let target = target(&text(written), what, notes)?;
    if let Some(first) = seen.cnames.get(&target) {
        let fault = notes
            .error(written.span(), format!("{target} stands twice in one pool"), format!("{what} has it again"))
            .also(notes.place(first.clone()), "first here")
            .remedy("one endpoint for each name: weights say how much it takes");
        notes.push(fault);
    }
    seen.cnames.entry(target.clone()).or_insert(written.span());
    Some(target)
}

/// The addresses to probe by family, and the port. `own` says which families the endpoint is answered with.
fn probe(
    what: &str,
    spec: &EndpointSpec,
    own: PerFamily<bool>,
    path: &[&str],
    notes: &mut Notes<'_>,
) -> (PerFamily<Option<IpAddr>>, Option<u16>) {
    let Some(written) = &spec.probe else { return (PerFamily::default(), None) };
    let probe = written.get_ref();
    let at = join(&[path, &["probe"]].concat());
    let mut found: PerFamily<Option<(IpAddr, Range<usize>)>> = PerFamily::default();
    for item in items(probe.address.as_ref()) {
        let Some(address) = address(&item, what, notes) else { continue };
        let family = Family::of(address);
        if let Some((_, first)) = &found[family] {
            let label = format!("a second {family} address");
            let fault = notes
                .error(item.span(), format!("`{at}.address` has two addresses of one family"), label)
                .also(notes.place(first.clone()), "the first")
                .remedy("one of each family: it stands for the endpoint's own of that family");
            notes.push(fault);
        } else {
            found[family] = Some((address, item.span()));
        }
    }
    if probe.address.is_none() && probe.port.is_none() && notes.is_whole_at(&at) {
        let fault = notes
            .error(written.span(), format!("`{at}` says nowhere to probe"), "neither an address nor a port")
            .remedy("write { address = [\"10.0.0.10\"], port = 8080 }, or one of them");
        notes.push(fault);
    }
    if let Some(list) = &probe.address
        && items(Some(list)).is_empty()
        && notes.is_whole_at(&at)
    {
        let fault = notes.error(list.span(), format!("`{at}.address` is empty"), "it would be probed nowhere");
        notes.push(fault.remedy("leave it out for the addresses that are answered"));
    }
    // One address to probe stands for the one that is answered, whatever the families; a name has none of its own.
    let stand_in = found.iter().flatten().count() == 1 && own.iter().filter(|own| **own).count() <= 1;
    for family in Family::BOTH {
        if let Some((address, span)) = &found[family]
            && !own[family]
            && !stand_in
            && own.contains(&true)
        {
            let label = format!("{what} is not answered with {family}");
            let fault = notes
                .error(span.clone(), format!("{address} would never be probed"), label)
                .remedy("take it out, or give the endpoint an address of that family");
            notes.push(fault);
        }
    }
    let port = probe.port.as_ref().map(|port| whole(Some(port), &format!("{at}.port"), 0, 1..=65_535, notes) as u16);
    (found.map(|one| one.map(|(address, _)| address)), port)
}

/// Fills in the positions from the pool's list (tiers are filled in already), and notes what is missing.
pub(super) fn order(
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
