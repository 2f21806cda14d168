//! `[health]`: how much automation may empty, what shows that this node itself is well, and the bounds of probing: how
//! often, and at which addresses (`health.allow_targets`). Must not know services.

use std::{net::IpAddr, ops::Range};

use toml::Spanned;

use super::{
    meant::{MeantEndpoint, MeantPool},
    selector::Acls,
    symbols::Names,
    value::{address, items, millis, text, whole},
};
use crate::{
    config::{
        diagnostics::Notes,
        quantity,
        spec::{CanaryTargetSpec, EndpointSpec, GovernorSpec, HealthSpec, List, NumberOr, RateSpec, Spec},
    },
    engine::{
        health::rules::{Allow, Barred, Governor, HealthRules, MaxRegions, Rate},
        types::{Family, Millis, Prefix},
        units::Permille,
    },
};

const DAY: Millis = Millis::seconds(86_400);
/// More canaries than any node needs: each is probed all the time.
const MAX_CANARIES: usize = 64;

/// The rules without the canaries, and these as monitor and address.
pub(crate) fn health(
    spec: &HealthSpec,
    monitors: &mut Names<'_>,
    notes: &mut Notes<'_>,
) -> (HealthRules, Vec<(usize, IpAddr)>) {
    let usual = HealthRules::default();
    let rules = HealthRules {
        governor: governor(&spec.governor, usual.governor, notes),
        restore_age: millis(
            spec.restore_age.as_ref(),
            "health.restore_age",
            usual.restore_age,
            Millis::ZERO..=DAY.times(7),
            notes,
        ),
        rate: rate(&spec.rate, usual.rate, notes),
        ..usual
    };
    (rules, canaries(spec.canaries.as_deref().unwrap_or_default(), monitors, notes))
}

fn governor(spec: &GovernorSpec, usual: Governor, notes: &mut Notes<'_>) -> Governor {
    Governor {
        max_regions: spec.max_regions.as_ref().map_or(usual.max_regions, |at| max_regions(at, usual, notes)),
        window: millis(spec.window.as_ref(), "health.governor.window", usual.window, Millis::seconds(1)..=DAY, notes),
        release: millis(
            spec.release.as_ref(),
            "health.governor.release",
            usual.release,
            Millis::seconds(1)..=DAY.times(7),
            notes,
        ),
    }
}

fn max_regions(written: &Spanned<NumberOr>, usual: Governor, notes: &mut Notes<'_>) -> MaxRegions {
    const AT: &str = "`health.governor.max_regions`";
    let fault = match written.get_ref() {
        NumberOr::Number(count @ 1..=65_535) => return MaxRegions::Count(*count as u32),
        NumberOr::Number(_) => {
            let fault = notes.error(written.span(), format!("{AT} is out of range"), "from 1 to 65535");
            fault.remedy("regions that may not go at all are held by an override: `force-up`")
        }
        NumberOr::Word(text) => match quantity::share(text) {
            Ok(parts @ 1..=1000) => return MaxRegions::Share(Permille(parts as u32)),
            Ok(_) => notes.error(written.span(), format!("{AT} is out of range"), "from 0.1% to 100%"),
            Err(cause) => notes
                .error(written.span(), format!("{AT} is neither a number nor a share"), cause.to_string())
                .remedy("write 2 or \"50%\""),
        },
    };
    notes.push(fault);
    usual.max_regions
}

fn rate(spec: &RateSpec, usual: Rate, notes: &mut Notes<'_>) -> Rate {
    let RateSpec { total, per_target } = spec;
    Rate {
        total: whole(total.as_ref(), "health.rate.total", usual.total.into(), 1..=1_000_000, notes) as u32,
        per_target: whole(per_target.as_ref(), "health.rate.per_target", usual.per_target.into(), 1..=100_000, notes)
            as u32,
    }
}

fn canaries(
    written: &[Spanned<CanaryTargetSpec>],
    monitors: &mut Names<'_>,
    notes: &mut Notes<'_>,
) -> Vec<(usize, IpAddr)> {
    let mut found: Vec<((usize, IpAddr), Range<usize>)> = Vec::new();
    for (n, canary) in written.iter().enumerate() {
        let (spec, what) = (canary.get_ref(), format!("canary {}", n + 1));
        for (key, missing) in [("monitor", spec.monitor.is_none()), ("address", spec.address.is_none())] {
            if missing && notes.is_whole(&["health", "canaries"]) {
                let fault = notes
                    .error(canary.span(), format!("{what} has no {key}"), "it says what is probed, and where")
                    .remedy("write { monitor = \"NAME\", address = \"192.0.2.1\" }");
                notes.push(fault);
            }
        }
        let monitor = spec.monitor.as_ref().and_then(|at| monitors.find(&text(at), &what, notes));
        let address = spec.address.as_ref().and_then(|at| {
            let written = Spanned::new(at.span(), at.get_ref().0.clone());
            address(&written, &what, notes)
        });
        let (Some(monitor), Some(address)) = (monitor, address) else { continue };
        let one = (monitor, address);
        match found.iter().find(|(known, _)| *known == one) {
            Some((_, first)) => {
                let fault = notes.twice(first.clone(), canary.span(), "`health.canaries` has a canary twice");
                notes.push(fault);
            }
            None => found.push((one, canary.span())),
        }
    }
    if let Some(one) = written.get(MAX_CANARIES) {
        let message = format!("there are {} canaries", written.len());
        let fault = notes.error(one.span(), message, format!("at most {MAX_CANARIES}"));
        notes.push(fault);
    }
    found.into_iter().map(|(one, _)| one).collect()
}

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
    let is_all = |prefix: &Prefix| prefix.len() == 0;
    let [four, six] =
        [Family::V4, Family::V6].map(|family| listed.iter().any(|prefix| is_all(prefix) && prefix.family() == family));
    // A list with a fault in it does not say which addresses are not on it.
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
fn barred(allow: &Allow, written: &EndpointSpec, endpoint: &MeantEndpoint) -> Vec<(Barred, IpAddr, Range<usize>)> {
    let probe = written.probe.as_ref().and_then(|probe| probe.get_ref().address.as_ref());
    let all = items(probe).into_iter().chain(items(written.address.as_ref()));
    let all: Vec<(IpAddr, Range<usize>)> =
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

fn tell(what: &str, address: IpAddr, barred: Barred, place: Range<usize>, spec: &Spec, notes: &mut Notes<'_>) {
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
