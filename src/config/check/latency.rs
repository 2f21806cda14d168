//! `[latency]`: measured round-trip times, when they count, and the model where there are none.

use toml::Spanned;

use super::value::{millis, real, share, units, whole};
use crate::{
    config::{
        notes::Notes,
        settings::Latency,
        spec::{LatencySpec, ModelSpec, SwitchSpec},
    },
    engine::{geo::Model, signal::latency::Terms},
};

const DAY: u64 = 86_400_000;

/// When measurements count, and how round trips are reckoned without them.
pub(crate) fn latency(spec: &LatencySpec, notes: &mut Notes<'_>) -> (Latency, Model) {
    let usual = Latency::default();
    let SwitchSpec { ms, percent, hold } = &spec.switch;
    let least = real(ms.as_ref(), "latency.switch.ms", 0.0..=10_000.0, notes).map_or(usual.terms.least, |ms| {
        let tenths = ms * 10.0;
        if (tenths - tenths.round()).abs() > 1e-6 {
            let span = spec.switch.ms.as_ref().map_or(0..0, Spanned::span);
            let fault = notes.error(span, "`latency.switch.ms` is too fine", "it is counted in steps of 0.1");
            notes.push(fault);
        }
        tenths.round() as u32
    });
    let terms = Terms {
        least,
        share: share(percent.as_ref(), "latency.switch.percent", usual.terms.share.into(), 0..=1000, notes) as u32,
        hold: millis(hold.as_ref(), "latency.switch.hold", usual.terms.hold, 0..=DAY, notes),
        min_samples: whole(
            spec.min_samples.as_ref(),
            "latency.min_samples",
            usual.terms.min_samples.into(),
            1..=1_000_000,
            notes,
        ) as u32,
        max_age: millis(spec.max_age.as_ref(), "latency.max_age", usual.terms.max_age, 1000..=366 * DAY, notes),
    };
    let refresh = millis(spec.refresh.as_ref(), "latency.refresh", usual.refresh, 1000..=DAY, notes);
    let usual_most = usual.max_prefixes as i64;
    let most = whole(spec.max_prefixes.as_ref(), "latency.max_prefixes", usual_most, 1..=10_000_000, notes);
    let ModelSpec { km_per_ms, base } = &spec.model;
    let reckons = Model::default();
    let model = Model {
        base: units(base.as_ref(), "latency.model.base", 100, reckons.base.into(), 0..=10_000, notes) as u32,
        km_per_ms: whole(km_per_ms.as_ref(), "latency.model.km_per_ms", reckons.km_per_ms.into(), 1..=300, notes)
            as u32,
    };
    (Latency { terms, refresh, max_prefixes: most as usize }, model)
}
