//! `[monitors]`: when and what is probed, and from which address. `probe_kind` chooses what reads the check, `timing`
//! says when it runs. Must not know what rests on a monitor.

mod body;
mod composite;
mod http;
mod plain;
mod probe_kind;
mod timing;
mod tls;

use std::{net::IpAddr, ops::Range, path::PathBuf};

use toml::Spanned;

use super::{
    symbols::Names,
    value::{name, whole},
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        spec::{MonitorSpec, Spec, Whole},
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
    let usual = timing::usual(&spec.defaults.monitor, notes);
    timing::coming(spec.defaults.monitor.failback.as_ref(), "defaults.monitor", notes);
    let monitors: Vec<Monitor> = spec
        .monitors
        .iter()
        .map(|(key, monitor)| {
            name("monitor", key, notes);
            let path = join(&["monitors", key.get_ref()]);
            if monitor.any.is_none() && monitor.all.is_none() && monitor.at_least.is_none() {
                timing::coming(monitor.failback.as_ref(), &path, notes);
            }
            let monitor = &timing::merged(monitor, &usual);
            let rhythm = timing::rhythm(monitor, &path, notes);
            Monitor {
                name: key.get_ref().as_str().into(),
                watch: probe_kind::watch(key, monitor, around, notes),
                rhythm,
                calm: timing::calm(monitor, rhythm.interval, &path, notes),
                source: source(monitor, &path, notes),
            }
        })
        .collect();
    composite::circles(&spec.monitors, &monitors, notes);
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

/// `source` of a monitor: the local address of its probes. Whether this node has it is known only when it probes.
fn source(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Option<IpAddr> {
    let written = spec.source.as_ref()?;
    let at = format!("{path}.source");
    let label = match written.get_ref().parse::<IpAddr>() {
        Err(_) => "not an IPv4 or IPv6 address",
        Ok(address) if address.is_unspecified() => "the unspecified address: leave it out, and the system chooses",
        Ok(address) if address.is_multicast() => "a multicast address: nothing is sent from there",
        Ok(IpAddr::V6(six)) if six.to_ipv4_mapped().is_some() => "an IPv4-mapped address: write it as IPv4",
        Ok(address) => {
            let kind = match spec {
                _ if spec.exec.is_some() => "a command sends what it sends by itself",
                _ if spec.file.is_some() => "nothing is sent to look into a file",
                _ if spec.any.is_some() || spec.all.is_some() || spec.at_least.is_some() => {
                    "the monitors that it is made of have their own"
                }
                _ => return Some(address),
            };
            let fault = notes.warning(written.span(), format!("`{at}` has no effect"), kind);
            notes.push(fault.remedy("take it out"));
            return None;
        }
    };
    let fault = notes.error(written.span(), format!("`{at}` is no address to probe from"), label);
    notes.push(fault.remedy("write an address of this node, such as \"198.51.100.9\""));
    None
}
