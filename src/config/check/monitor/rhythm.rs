//! When a monitor probes, and how many outcomes change health.

use crate::{
    config::{
        check::value::{millis, whole},
        notes::Notes,
        spec::MonitorSpec,
    },
    engine::health::monitor::Rhythm,
};

const INTERVAL: u64 = 1000;
const TIMEOUT: u64 = 800;
const LEAST_RECHECK: u64 = 50;

/// The rhythm of a monitor.
pub(super) fn rhythm(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Rhythm {
    let rhythm = values(spec, path, notes);
    fits(spec, &rhythm, path, notes);
    rhythm
}

/// Each value within its own bounds.
pub(super) fn values(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Rhythm {
    let at = |key: &str| format!("{path}.{key}");
    let interval = millis(spec.interval.as_ref(), &at("interval"), INTERVAL, 100..=3_600_000, notes);
    // The usual timeout, or the same part of an interval that is shorter than the usual one.
    let timeout = TIMEOUT.min(interval * 4 / 5);
    let timeout = millis(spec.timeout.as_ref(), &at("timeout"), timeout, 10..=3_600_000, notes);
    let recheck = LEAST_RECHECK.max(interval / 5);
    let recheck = millis(spec.recheck.as_ref(), &at("recheck"), recheck, LEAST_RECHECK..=3_600_000, notes);
    // What a file says has been decided by whoever writes it.
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
                format!("the interval is {interval} ms"),
            );
            let fault = match &spec.interval {
                Some(interval) => fault.also(notes.place(interval.span()), "the interval"),
                None => fault,
            };
            notes.push(fault.remedy(format!("shorten it, or lengthen `{}`", at("interval"))));
        }
    }
}
