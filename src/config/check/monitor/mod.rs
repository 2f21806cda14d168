//! `[monitors]`: when and what is probed. One file for each kind that needs one; `kind` chooses.

mod body;
mod calm;
mod defaults;
mod dns;
mod exec;
mod file;
mod grpc;
mod http;
mod kind;
mod rhythm;
mod several;
mod source;
mod tcp;
mod tls;

use std::{ops::Range, path::PathBuf};

use toml::Spanned;

use super::{
    names::Names,
    value::{name, whole},
};
use crate::{
    config::{
        notes::{Notes, join},
        spec::{Spec, Whole},
    },
    engine::health::monitor::Monitor,
};

pub(crate) use http::headers;
pub(crate) use tls::trust;

/// What the checks of monitors need beside what is written in them.
#[derive(Debug)]
pub(crate) struct Around<'a, 's> {
    /// The monitors, since they may be made of each other.
    pub(crate) names: &'a mut Names<'s>,
    /// Every file that is read.
    pub(crate) files: &'a mut Vec<PathBuf>,
}

/// `[monitors]`, in name order.
pub(crate) fn monitors(spec: &Spec, around: &mut Around<'_, '_>, notes: &mut Notes<'_>) -> Vec<Monitor> {
    let usual = defaults::usual(&spec.defaults.monitor, notes);
    calm::coming(spec.defaults.monitor.failback.as_ref(), "defaults.monitor", notes);
    let monitors: Vec<Monitor> = spec
        .monitors
        .iter()
        .map(|(key, monitor)| {
            name("monitor", key, notes);
            let path = join(&["monitors", key.get_ref()]);
            if monitor.any.is_none() && monitor.all.is_none() && monitor.at_least.is_none() {
                calm::coming(monitor.failback.as_ref(), &path, notes);
            }
            let monitor = &defaults::merged(monitor, &usual);
            let rhythm = rhythm::rhythm(monitor, &path, notes);
            Monitor {
                name: key.get_ref().as_str().into(),
                watch: kind::watch(key, monitor, around, notes),
                rhythm,
                calm: calm::calm(monitor, rhythm.interval, &path, notes),
                source: source::source(monitor, &path, notes),
            }
        })
        .collect();
    several::circles(&spec.monitors, &monitors, notes);
    monitors
}

/// The `port` of the table at `path`, whose place is `table`.
fn port(
    written: Option<&Spanned<Whole>>,
    table: Range<usize>,
    path: &[&str],
    default: Option<u16>,
    notes: &mut Notes<'_>,
) -> u16 {
    if written.is_none() && default.is_none() && notes.is_whole(path) {
        let fault = notes.error(table, format!("`{}` has no port", join(path)), "`port` is missing");
        notes.push(fault.remedy("add `port = 443`, or whichever it is"));
    }
    whole(written, &format!("{}.port", join(path)), default.unwrap_or(0).into(), 1..=65_535, notes) as u16
}

/// Tells that the table at `path`, whose place is `table`, lacks a key that it cannot be without.
fn required(key: &str, example: &str, table: Range<usize>, path: &[&str], notes: &mut Notes<'_>) {
    if notes.is_whole(path) {
        let fault = notes.error(table, format!("`{}` has no {key}", join(path)), format!("`{key}` is missing"));
        notes.push(fault.remedy(format!("add `{example}`")));
    }
}
