//! When a monitor probes, how many outcomes change health, and what keeps health from changing too easily (`clear`,
//! `hold`, `failback` and `flap`). `[defaults.monitor]` says the same for all monitors: the one place where it is
//! merged into them. Must not know what is probed.

use toml::Spanned;

use crate::{
    config::{
        check::value::{millis, real, text, whole, word},
        diagnostics::Notes,
        spec::{DefaultMonitorSpec, FlapSpec, MonitorSpec, Text},
    },
    probing::{
        millis::Millis,
        monitor::{Calm, Flap, Rhythm},
    },
};

const INTERVAL: Millis = Millis(1000);
const TIMEOUT: Millis = Millis(800);
/// The longest that anything of a rhythm takes.
const HOUR: Millis = Millis::seconds(3600);
const LEAST_RECHECK: Millis = Millis(50);

/// The rhythm of a monitor.
pub(super) fn rhythm(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Rhythm {
    let rhythm = values(spec, path, notes);
    fits(spec, &rhythm, path, notes);
    rhythm
}

/// Each value within its own bounds.
pub(super) fn values(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Rhythm {
    let at = |key: &str| format!("{path}.{key}");
    let interval = millis(spec.interval.as_ref(), &at("interval"), INTERVAL, Millis(100)..=HOUR, notes);
    // The usual timeout, or the same part of an interval that is shorter than the usual one.
    let timeout = TIMEOUT.min(Millis(interval.0 * 4 / 5));
    let timeout = millis(spec.timeout.as_ref(), &at("timeout"), timeout, Millis(10)..=HOUR, notes);
    let recheck = LEAST_RECHECK.max(Millis(interval.0 / 5));
    let recheck = millis(spec.recheck.as_ref(), &at("recheck"), recheck, LEAST_RECHECK..=HOUR, notes);
    // What a file says has been decided by the program that writes it.
    let (fall, rise) = if spec.file.is_some() { (1, 1) } else { (3, 2) };
    Rhythm {
        interval,
        timeout,
        recheck,
        fall: whole(spec.fall.as_ref(), &at("fall"), fall, 1..=100, notes) as u32,
        rise: whole(spec.rise.as_ref(), &at("rise"), rise, 1..=100, notes) as u32,
    }
}

/// No probe may take longer than the interval, and none hurries by waiting longer.
fn fits(spec: &MonitorSpec, rhythm: &Rhythm, path: &str, notes: &mut Notes<'_>) {
    let Rhythm { interval, timeout, recheck, .. } = *rhythm;
    let at = |key: &str| format!("{path}.{key}");
    for (key, written, value) in [("timeout", &spec.timeout, timeout), ("recheck", &spec.recheck, recheck)] {
        if let Some(written) = written
            && value > interval
        {
            let fault = notes.error(
                written.span(),
                format!("`{}` is longer than the interval", at(key)),
                format!("the interval is {} ms", interval.0),
            );
            let fault = match &spec.interval {
                Some(interval) => fault.also(notes.place(interval.span()), "the interval"),
                None => fault,
            };
            notes.push(fault.remedy(format!("shorten it, or lengthen `{}`", at("interval"))));
        }
    }
}

/// The longest that anything keeps a target down by time alone.
const DAY: Millis = Millis::seconds(86_400);

/// Those of a monitor with this interval.
pub(super) fn calm(spec: &MonitorSpec, interval: Millis, path: &str, notes: &mut Notes<'_>) -> Calm {
    // What a file says has been decided by the program that writes it.
    let usual = if spec.file.is_some() { Calm::NONE } else { Calm::usual(interval) };
    let at = |key: &str| format!("{path}.{key}");
    let manual = spec
        .failback
        .as_ref()
        .and_then(|way| word(text(way), &at("failback"), &[("auto", false), ("manual", true)], &[], notes));
    Calm {
        clear: whole(spec.clear.as_ref(), &at("clear"), usual.clear.into(), 1..=1000, notes) as u32,
        hold: millis(spec.hold.as_ref(), &at("hold"), usual.hold, Millis::ZERO..=DAY, notes),
        manual: manual.unwrap_or(usual.manual),
        flap: flap(spec, &at("flap"), usual.flap, notes),
    }
}

/// Says what `failback = "manual"` does until an operator's word can reach the running server. `written` is of the table at
/// `path`.
pub(super) fn coming(written: Option<&Spanned<Text>>, path: &str, notes: &mut Notes<'_>) {
    let Some(written) = written.filter(|written| &*written.get_ref().0 == "manual") else { return };
    let message = format!("`{path}.failback` is coming: nothing can let a target of the running server back yet");
    let label = "what goes down stays down until a reload with \"auto\", or with another check of it";
    let remedy = "write \"auto\" until the control plane is there; scenarios can let it back already";
    let fault = notes.warning(written.span(), message, label).remedy(remedy);
    notes.push(fault);
}

fn flap(spec: &MonitorSpec, path: &str, usual: Flap, notes: &mut Notes<'_>) -> Flap {
    let Some(written) = &spec.flap else { return usual };
    let table = written.get_ref();
    let at = |key: &str| format!("{path}.{key}");
    let thousandths = |number: f64| (number * 1000.0).round() as u32;
    let suppress = real(table.suppress.as_ref(), &at("suppress"), 0.0..=1000.0, notes).map(thousandths);
    let reuse = real(table.reuse.as_ref(), &at("reuse"), 0.001..=1000.0, notes).map(thousandths);
    let half_life = millis(table.half_life.as_ref(), &at("half_life"), usual.half_life, Millis(1000)..=DAY, notes);
    let flap = Flap { suppress: suppress.unwrap_or(usual.suppress), reuse: reuse.unwrap_or(usual.reuse), half_life };
    if flap.suppress > 0 && flap.reuse >= flap.suppress {
        let label = format!("`reuse` is {} and `suppress` {}", shown(flap.reuse), shown(flap.suppress));
        let fault = notes.error(written.span(), format!("`{path}` would never let anybody back"), label);
        notes.push(fault.remedy("`reuse` is below `suppress`; `suppress = 0` turns damping off"));
    }
    flap
}

fn shown(thousandths: u32) -> f64 {
    f64::from(thousandths) / 1000.0
}

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
    let rhythm = values(&usual, "defaults.monitor", notes);
    let _: Calm = calm(&usual, rhythm.interval, "defaults.monitor", notes);
    if notes.faults.len() > told { MonitorSpec::default() } else { usual }
}

/// A monitor with what is usual where it says nothing itself.
pub(super) fn merged(own: &MonitorSpec, usual: &MonitorSpec) -> MonitorSpec {
    let mut merged = own.clone();
    // A monitor that is made of others is timed by these alone.
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
            Some(Spanned::new(place, flap))
        }
        (own, usual) => own.or_else(|| usual.clone()),
    };
    merged
}
