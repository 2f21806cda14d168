//! `clear`, `hold`, `failback` and `flap` of a monitor: what keeps health from changing too easily.

use toml::Spanned;

use crate::{
    config::{
        check::value::{millis, real, text, whole, word},
        notes::Notes,
        spec::{MonitorSpec, Text},
    },
    engine::health::monitor::{Calm, Flap},
};

/// The longest that anything keeps a target down by time alone.
const DAY: u64 = 86_400_000;

/// Those of a monitor with this interval in milliseconds.
pub(super) fn calm(spec: &MonitorSpec, interval: u64, path: &str, notes: &mut Notes<'_>) -> Calm {
    // What a file says has been decided by whoever writes it.
    let usual = if spec.file.is_some() { Calm::NONE } else { Calm::usual(interval) };
    let at = |key: &str| format!("{path}.{key}");
    let manual = spec
        .failback
        .as_ref()
        .and_then(|way| word(text(way), &at("failback"), &[("auto", false), ("manual", true)], &[], notes));
    Calm {
        clear: whole(spec.clear.as_ref(), &at("clear"), usual.clear.into(), 1..=1000, notes) as u32,
        hold: millis(spec.hold.as_ref(), &at("hold"), usual.hold, 0..=DAY, notes),
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
    let half_life = millis(table.half_life.as_ref(), &at("half_life"), usual.half_life, 1000..=DAY, notes);
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
