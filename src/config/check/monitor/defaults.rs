//! `[defaults.monitor]`: what monitors say that do not say otherwise. The one place where it is merged into them.

use super::{calm, rhythm};
use crate::{
    config::{
        notes::Notes,
        spec::{DefaultMonitorSpec, FlapSpec, MonitorSpec},
    },
    engine::health::monitor::Calm,
};

/// A monitor without a kind that says what is usual. Its values are held to their bounds here, once; one with a fault is
/// left out.
pub(super) fn usual(spec: &DefaultMonitorSpec, notes: &mut Notes<'_>) -> MonitorSpec {
    let DefaultMonitorSpec { interval, timeout, recheck, fall, rise, clear, hold, failback, flap, source } =
        spec.clone();
    let usual = MonitorSpec {
        interval,
        timeout,
        recheck,
        fall,
        rise,
        clear,
        hold,
        failback,
        flap,
        source,
        ..MonitorSpec::default()
    };
    let told = notes.faults.len();
    let rhythm = rhythm::values(&usual, "defaults.monitor", notes);
    let _: Calm = calm::calm(&usual, rhythm.interval, "defaults.monitor", notes);
    if notes.faults.len() > told { MonitorSpec::default() } else { usual }
}

/// A monitor with what is usual where it says nothing itself.
pub(super) fn merged(own: &MonitorSpec, usual: &MonitorSpec) -> MonitorSpec {
    let mut merged = own.clone();
    // Whoever is made of others has a rhythm by theirs alone.
    if own.any.is_some() || own.all.is_some() || own.at_least.is_some() {
        return merged;
    }
    macro_rules! fill {
        ($($key:ident)*) => {$( merged.$key = merged.$key.or_else(|| usual.$key.clone()); )*};
    }
    fill!(interval timeout recheck fall rise clear hold failback source);
    merged.flap = match (merged.flap, &usual.flap) {
        (Some(own), Some(usual)) => {
            let (place, usual) = (own.span(), usual.get_ref().clone());
            let FlapSpec { suppress, reuse, half_life } = own.into_inner();
            let flap = FlapSpec {
                suppress: suppress.or(usual.suppress),
                reuse: reuse.or(usual.reuse),
                half_life: half_life.or(usual.half_life),
            };
            Some(toml::Spanned::new(place, flap))
        }
        (own, usual) => own.or_else(|| usual.clone()),
    };
    merged
}
