//! `[health]`: how much automation may empty, what shows that this node itself is well, and the bounds of probing. Must
//! not know pools or services.

use std::net::IpAddr;

use toml::Spanned;

use super::{
    names::Names,
    value::{address, millis, text, whole},
};
use crate::{
    config::{
        notes::Notes,
        quantity,
        spec::{CanaryTargetSpec, GovernorSpec, HealthSpec, NumberOr, RateSpec},
    },
    engine::health::rules::{Governor, HealthRules, MaxRegions, Rate},
};

const DAY: u64 = 86_400_000;
/// More canaries than anybody needs: each is probed all the time.
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
        restore_age: millis(spec.restore_age.as_ref(), "health.restore_age", usual.restore_age, 0..=7 * DAY, notes),
        rate: rate(&spec.rate, usual.rate, notes),
        ..usual
    };
    (rules, canaries(spec.canaries.as_deref().unwrap_or_default(), monitors, notes))
}

fn governor(spec: &GovernorSpec, usual: Governor, notes: &mut Notes<'_>) -> Governor {
    Governor {
        max_regions: spec.max_regions.as_ref().map_or(usual.max_regions, |at| max_regions(at, usual, notes)),
        window: millis(spec.window.as_ref(), "health.governor.window", usual.window, 1000..=DAY, notes),
        release: millis(spec.release.as_ref(), "health.governor.release", usual.release, 1000..=7 * DAY, notes),
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
            Ok(parts @ 1..=1000) => return MaxRegions::Share(parts as u32),
            Ok(_) => notes.error(written.span(), format!("{AT} is out of range"), "from 0.1% to 100%"),
            Err(cause) => notes
                .error(written.span(), format!("{AT} is neither a number nor a share"), cause)
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
    let mut found: Vec<((usize, IpAddr), std::ops::Range<usize>)> = Vec::new();
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
