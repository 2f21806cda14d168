//! `source` of a monitor: the local address of its probes.

use std::net::IpAddr;

use crate::config::{notes::Notes, spec::MonitorSpec};

/// The address. Whether this node has it is known only when it probes.
pub(super) fn source(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Option<IpAddr> {
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
