//! `[zones]`: which zones there are, and what their files hold.

use std::{collections::BTreeMap, ops::Range, path::PathBuf};

use toml::Spanned;

use crate::{
    config::{
        diagnostics::{Notes, dotted},
        dns_name::{self, NotAName},
        fault::Sources,
        spec::Spec,
        zone_file::{self, LoadedZone},
    },
    engine::wire::{name::Name, rr::RrType},
};

/// A configured zone.
#[derive(Debug)]
pub(crate) struct MeantZone {
    pub(crate) apex: Name,
    /// Its records; none when the file could not be read.
    pub(crate) loaded: Option<LoadedZone>,
}

/// `[zones]`, in canonical order of their names.
pub(crate) fn zones(
    spec: &Spec,
    files: &mut Vec<PathBuf>,
    sources: &mut Sources,
    notes: &mut Notes<'_>,
) -> Vec<MeantZone> {
    let steered = spec.services.keys().filter_map(|key| Name::from_text(key.get_ref()).ok()).collect();
    let mut apexes: BTreeMap<Name, Range<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for (key, zone) in &spec.zones {
        let Some(apex) = name("zone", key, notes) else { continue };
        if let Some(first) = apexes.get(&apex) {
            let fault = notes
                .twice(first.clone(), key.span(), format!("zone {apex} stands twice"))
                .remedy("keep one: case and the final dot do not tell names apart");
            notes.push(fault);
            continue;
        }
        if apex.is_wildcard() {
            let fault =
                notes.error(key.span(), format!("zone {apex} is a wildcard"), "a zone's name cannot start with `*`");
            notes.push(fault);
        }
        apexes.insert(apex.clone(), key.span());
        let loaded = match &zone.file {
            Some(written) => {
                let path = notes.path(&Spanned::new(written.span(), written.get_ref().0.clone()));
                files.push(path.clone());
                zone_file::load(&path, &apex, &notes.place(written.span()), &steered, sources, &mut notes.faults)
            }
            None => {
                if notes.is_whole(&["zones", key.get_ref()]) {
                    let message = format!("zone {apex} has no file");
                    let fault =
                        notes.error(key.span(), message, "`file` is missing").remedy("add `file = \"NAME.zone\"`");
                    notes.push(fault);
                }
                None
            }
        };
        found.push(MeantZone { apex, loaded });
    }
    found.sort_by(|a, b| a.apex.cmp(&b.apex));
    nested(&found, &apexes, notes);
    found
}

/// A zone inside another that does not delegate it: resolvers that ask from above would never come here.
fn nested(zones: &[MeantZone], places: &BTreeMap<Name, Range<usize>>, notes: &mut Notes<'_>) {
    for zone in zones {
        let around = zones.iter().filter(|other| other.apex != zone.apex && zone.apex.is_within(&other.apex));
        let Some(parent) = around.max_by_key(|other| other.apex.wire().len()) else { continue };
        let Some(loaded) = &parent.loaded else { continue };
        let delegated =
            loaded.zone.records.iter().any(|record| record.rtype == RrType::NS && record.owner == zone.apex);
        if !delegated && !loaded.zone.records.is_empty() {
            let span = places.get(&zone.apex).cloned().unwrap_or(0..0);
            let fault = notes
                .warning(
                    span,
                    format!("zone {} lies in {}, which does not delegate it", zone.apex, parent.apex),
                    "no NS records",
                )
                .remedy(format!("add NS records for {} to the file of {}", zone.apex, parent.apex));
            notes.push(fault);
        }
    }
}

fn is_reverse(name: &Name) -> bool {
    Name::from_text("arpa").is_ok_and(|arpa| name.is_within(&arpa))
}

/// A DNS name that is a key of the configuration.
pub(crate) fn name(what: &str, key: &Spanned<String>, notes: &mut Notes<'_>) -> Option<Name> {
    let name = match dns_name::read(key.get_ref()) {
        Ok(name) => name,
        Err(NotAName { cause, remedy }) => {
            let message = format!("{what} {} has an impossible name", dotted("", key.get_ref()));
            let fault = notes.error(key.span(), message, cause);
            notes.push(match remedy {
                Some(remedy) => fault.remedy(remedy),
                None => fault,
            });
            return None;
        }
    };
    if name.labels().flatten().any(u8::is_ascii_whitespace) {
        let fault = notes.error(key.span(), format!("{what} {:?} has white space in its name", key.get_ref()), "here");
        notes.push(fault.remedy("take it out"));
        return None;
    }
    // Slashes stand in reverse zones of less than an octet (RFC 2317 4).
    if name.labels().flatten().any(|octet| *octet == b':' || *octet == b'/' && !is_reverse(&name)) {
        let message = format!("{what} {:?} is no name that anyone asks for", key.get_ref());
        let fault = notes.error(key.span(), message, "a name without scheme, port and path is expected");
        let host = dns_name::host_of(key.get_ref());
        notes.push(if host.is_empty() { fault } else { fault.remedy(format!("write \"{host}\"")) });
        return None;
    }
    let odd = name.labels().enumerate().any(|(at, label)| label.contains(&b'*') && (at > 0 || label != b"*"));
    if odd {
        let message = format!("{what} {name} has a `*` that stands for nothing but itself");
        let fault = notes.warning(key.span(), message, "only as the whole first label it stands for other names");
        notes.push(fault.remedy("write \"*.example.com\" for all names below example.com (RFC 4592)"));
    }
    Some(name)
}
