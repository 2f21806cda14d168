//! `health.allow_targets`, and whether everybody that is probed is on it.

use std::net::IpAddr;

use toml::Spanned;

use super::{MeantEndpoint, MeantPool, acl::Acls, value::items};
use crate::{
    config::{
        notes::Notes,
        spec::{EndpointSpec, HealthSpec, List, Spec},
    },
    engine::{
        health::rules::{Allow, Barred},
        types::{Family, Prefix},
    },
};

/// `health.allow_targets`.
pub(crate) fn allow(spec: &HealthSpec, acls: &mut Acls<'_>, notes: &mut Notes<'_>) -> Allow {
    let Some(written) = &spec.allow_targets else { return Allow { any: true, listed: Vec::new() } };
    let before = notes.faults.len();
    let given = items(Some(written));
    let mut listed: Vec<Prefix> = Vec::new();
    for item in &given {
        if item.get_ref() == "none" && given.len() > 1 {
            let fault = notes.error(item.span(), "\"none\" stands beside others in `health.allow_targets`", "nobody");
            notes.push(fault.remedy("take it out"));
        }
        listed.extend(acls.element(item, "health.allow_targets", notes));
    }
    let everybody = |prefix: &Prefix| prefix.len() == 0;
    let [four, six] = [Family::V4, Family::V6]
        .map(|family| listed.iter().any(|prefix| everybody(prefix) && prefix.family() == family));
    // A list with a fault in it says nothing of who is not on it.
    let any = notes.faults.len() > before || four && six;
    Allow { any, listed }
}

/// Tells every address that is probed, or asked for its load, and may not be.
pub(crate) fn hold(allow: &Allow, spec: &Spec, pools: &[MeantPool], notes: &mut Notes<'_>) {
    for ((key, written), pool) in spec.pools.iter().zip(pools) {
        if pool.monitor.is_none() && pool.load.is_none() {
            continue;
        }
        for ((name, written), endpoint) in written.endpoints.iter().zip(&pool.endpoints) {
            let what = format!("endpoint \"{}/{}\"", key.get_ref(), name.get_ref());
            for (barred, address, place) in barred(allow, written, endpoint) {
                tell(&what, address, barred, place, spec, notes);
            }
        }
    }
    for (at, canary) in spec.health.canaries.iter().flatten().enumerate() {
        let Some(written) = &canary.get_ref().address else { continue };
        let Ok(address) = written.get_ref().parse::<IpAddr>() else { continue };
        if let Err(barred) = allow.admits(address) {
            tell(&format!("canary {}", at + 1), address, barred, written.span(), spec, notes);
        }
    }
}

/// The addresses of an endpoint that may not be probed, with their places.
fn barred(
    allow: &Allow,
    written: &EndpointSpec,
    endpoint: &MeantEndpoint,
) -> Vec<(Barred, IpAddr, std::ops::Range<usize>)> {
    let probe = written.probe.as_ref().and_then(|probe| probe.get_ref().address.as_ref());
    let all = items(probe).into_iter().chain(items(written.address.as_ref()));
    let all: Vec<(IpAddr, std::ops::Range<usize>)> =
        all.filter_map(|item: Spanned<String>| Some((item.get_ref().parse().ok()?, item.span()))).collect();
    let reach = endpoint.reach().into_iter().flatten();
    reach
        .filter_map(|address| {
            let barred = allow.admits(address).err()?;
            // Written in whatever form: no address is probed because its place was not found.
            let place = all.iter().find(|(written, _)| *written == address).or(all.first()).map(|(_, place)| place);
            Some((barred, address, place.cloned().unwrap_or_default()))
        })
        .collect()
}

fn tell(
    what: &str,
    address: IpAddr,
    barred: Barred,
    place: std::ops::Range<usize>,
    spec: &Spec,
    notes: &mut Notes<'_>,
) {
    let list: Option<&Spanned<List>> = spec.health.allow_targets.as_ref();
    if !notes.is_whole(&["health", "allow_targets"]) {
        return;
    }
    let fault = notes.error(place, format!("{what} may not be probed at {address}"), barred.to_string());
    let fault = match list {
        Some(list) => fault
            .also(notes.place(list.span()), "the list")
            .remedy(format!("add \"{address}\" to the list, or probe another address")),
        None => fault.remedy(format!("write `allow_targets = [\"any\", \"{address}\"]` in `[health]` if it must be")),
    };
    notes.push(fault);
}
