//! `[monitors]`: when and what is probed, and from which address. `probe_kind` chooses what reads the check, `timing`
//! says when it runs. Must not know what rests on a monitor.

mod body;
mod composite;
mod http;
mod plain;
mod probe_kind;
mod timing;
mod tls;

use std::net::IpAddr;

use super::value::name;
use crate::{
    config::{
        diagnostics::{Notes, join},
        spec::{MonitorSpec, Spec},
    },
    probing::monitor::Monitor,
};

pub(crate) use http::headers;
pub(crate) use probe_kind::ProbeContext;
pub(crate) use tls::trust;

/// `[monitors]`, in name order.
pub(crate) fn monitors(spec: &Spec, around: &mut ProbeContext<'_, '_>, notes: &mut Notes<'_>) -> Vec<Monitor> {
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
