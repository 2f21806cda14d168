//! Where an endpoint is probed when not at the addresses that are answered. Must not know who probes.

use std::{net::IpAddr, ops::Range};

use super::super::value::{address, items, whole};
use crate::config::{
    notes::{Notes, join},
    spec::EndpointSpec,
};

/// The addresses to probe by family, and the port. `own` says which families the endpoint is answered with.
pub(super) fn probe(
    what: &str,
    spec: &EndpointSpec,
    own: [bool; 2],
    path: &[&str],
    notes: &mut Notes<'_>,
) -> ([Option<IpAddr>; 2], Option<u16>) {
    let Some(written) = &spec.probe else { return ([None, None], None) };
    let probe = written.get_ref();
    let at = join(&[path, &["probe"]].concat());
    let mut found: [Option<(IpAddr, Range<usize>)>; 2] = [None, None];
    for item in items(probe.address.as_ref()) {
        let Some(address) = address(&item, what, notes) else { continue };
        let family = usize::from(address.is_ipv6());
        if let Some((_, first)) = &found[family] {
            let label = format!("a second IPv{} address", if family == 0 { 4 } else { 6 });
            let fault = notes
                .error(item.span(), format!("`{at}.address` has two addresses of one family"), label)
                .also(notes.place(first.clone()), "the first")
                .remedy("one of each family: it stands for the endpoint's own of that family");
            notes.push(fault);
        } else {
            found[family] = Some((address, item.span()));
        }
    }
    if probe.address.is_none() && probe.port.is_none() && notes.is_whole_at(&at) {
        let fault = notes
            .error(written.span(), format!("`{at}` says nowhere to probe"), "neither an address nor a port")
            .remedy("write { address = [\"10.0.0.10\"], port = 8080 }, or one of them");
        notes.push(fault);
    }
    if let Some(list) = &probe.address
        && items(Some(list)).is_empty()
        && notes.is_whole_at(&at)
    {
        let fault = notes.error(list.span(), format!("`{at}.address` is empty"), "it would be probed nowhere");
        notes.push(fault.remedy("leave it out for the addresses that are answered"));
    }
    // One address to probe stands for the one that is answered, whatever the families; a name has none of its own.
    let stand_in = found.iter().flatten().count() == 1 && own.iter().filter(|own| **own).count() <= 1;
    for (family, (own_one, one)) in own.iter().zip(&found).enumerate() {
        if let Some((address, span)) = one
            && !own_one
            && !stand_in
            && own != [false, false]
        {
            let number = if family == 0 { 4 } else { 6 };
            let label = format!("{what} is not answered with IPv{number}");
            let fault = notes
                .error(span.clone(), format!("{address} would never be probed"), label)
                .remedy("take it out, or give the endpoint an address of that family");
            notes.push(fault);
        }
    }
    let port = probe.port.as_ref().map(|port| whole(Some(port), &format!("{at}.port"), 0, 1..=65_535, notes) as u16);
    (found.map(|one| one.map(|(address, _)| address)), port)
}
