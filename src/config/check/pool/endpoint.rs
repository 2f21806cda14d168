//! One endpoint of a pool. Must not know how pools are steered.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use toml::Spanned;

use super::{
    super::{
        CAPACITY, MeantEndpoint,
        selector::fence,
        value::{address, items, name, real, target, text, whole},
    },
    Around, Seen, probe,
};
use crate::{
    config::{
        notes::{Notes, join, suggest},
        spec::EndpointSpec,
    },
    engine::{wire::name::Name, world::policy::MAX_WEIGHT},
};

const WEIGHT: i64 = 100;
const MAX_TIER: i64 = 1000;

/// One endpoint of a pool.
pub(super) fn endpoint(
    pool: &str,
    key: &Spanned<String>,
    spec: &EndpointSpec,
    around: &mut Around<'_, '_>,
    seen: &mut Seen,
    notes: &mut Notes<'_>,
) -> MeantEndpoint {
    let own = key.get_ref();
    let path = ["pools", pool, "endpoints", own];
    let what = format!("endpoint \"{pool}/{own}\"");
    let region = match &spec.region {
        Some(written) => around.regions.find(&text(written), &what, notes),
        None => {
            if notes.is_whole(&path) {
                let fault = notes.error(key.span(), format!("{what} is in no region"), "`region` is missing");
                notes.push(fault.remedy(suggest("", around.regions.all())));
            }
            None
        }
    };
    let (v4, v6) = families(&what, key, spec, &path, seen, notes);
    let cname = cname(&what, spec, seen, notes);
    let (probe, probe_port) = probe::probe(&what, spec, [v4.is_some(), v6.is_some()], &path, notes);
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
        fence: fence(spec.fence.as_ref(), &at("fence"), around.groups, notes),
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
    let mut places: [Option<Range<usize>>; 2] = [None, None];
    for item in items(spec.address.as_ref()) {
        let Some(address) = address(&item, what, notes) else { continue };
        let family = usize::from(address.is_ipv6());
        if let Some(first) = seen.addresses.get(&address) {
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
