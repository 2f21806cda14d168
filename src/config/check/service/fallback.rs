//! TTLs and what is answered when nothing else can be: `ttl`, `when_all_down`, `when_fenced`. Must not know pools.

use std::net::IpAddr;

use toml::Spanned;

use super::super::value::{address, items, target, text, units, word};
use crate::{
    config::{
        diagnostics::Notes,
        spec::{SpareSpec, TableOr, TtlSpec},
    },
    engine::{
        units::Ttl,
        world::{endpoint::MAX_ENDPOINTS, service::Fallback},
    },
};

/// A steered answer that is kept longer than a day is not steered.
const TTL_BOUND: u64 = 86_400;

/// The longest and the shortest TTL of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct TtlBounds {
    pub(super) max: Ttl,
    pub(super) min: Ttl,
}

/// The longest and the shortest TTL of a table that falls back to others.
pub(super) fn ttl(path: &str, spec: &TtlSpec, base: TtlBounds, notes: &mut Notes<'_>) -> TtlBounds {
    let at = |key: &str| format!("{path}.{key}");
    let (max, min) = (spec.max.as_ref(), spec.min.as_ref());
    let longest = units(max, &at("max"), 1_000_000, base.max.0.into(), 1..=TTL_BOUND, notes);
    // A short `max` alone pulls the default of `min` down with it.
    let shortest = units(min, &at("min"), 1_000_000, u64::from(base.min.0).min(longest), 1..=TTL_BOUND, notes);
    if let Some(written) = min
        && shortest > longest
    {
        let message = format!("`{}` is longer than `max`", at("min"));
        let fault = notes.error(written.span(), message, format!("`max` is {longest}s"));
        let fault = match max {
            Some(max) => fault.also(notes.place(max.span()), "`max`"),
            None => fault,
        };
        notes.push(fault.remedy("shorten `min` or lengthen `max`"));
    }
    TtlBounds { max: Ttl(longest as u32), min: Ttl(shortest as u32) }
}

/// What `when_all_down` can be in a word.
const DOWN: [(&str, &Fallback); 6] = [
    ("ignore-health", &Fallback::IgnoreHealth),
    ("serve-all", &Fallback::ServeAll),
    ("last-known", &Fallback::LastKnown),
    ("nodata", &Fallback::NoData),
    ("servfail", &Fallback::ServFail),
    ("refused", &Fallback::Refused),
];
/// What `when_fenced` can be in a word: nothing that would cross a fence.
const FENCED: [(&str, &Fallback); 3] =
    [("nodata", &Fallback::NoData), ("servfail", &Fallback::ServFail), ("refused", &Fallback::Refused)];

/// `when_all_down`.
pub(super) fn when_all_down(
    written: Option<&Spanned<TableOr<SpareSpec>>>,
    path: &str,
    notes: &mut Notes<'_>,
) -> Option<Fallback> {
    written.map(|written| spare(written, path, &DOWN, notes).unwrap_or(Fallback::IgnoreHealth))
}

/// `when_fenced`.
pub(super) fn when_fenced(
    written: Option<&Spanned<TableOr<SpareSpec>>>,
    path: &str,
    notes: &mut Notes<'_>,
) -> Option<Fallback> {
    let written = written?;
    let found = spare(written, path, &FENCED, notes);
    if found == Some(Fallback::NoData) {
        let label = "resolvers keep an empty answer for all their clients, inside the fence and outside (RFC 7871 7.4)";
        let fault = notes.warning(written.span(), format!("`{path}` is \"nodata\""), label);
        notes.push(fault.remedy("answer with an address that says so, or \"servfail\""));
    }
    // One that could not be read is not missing as well.
    found.or(Some(Fallback::ServFail))
}

fn spare(
    written: &Spanned<TableOr<SpareSpec>>,
    path: &str,
    words: &[(&str, &'static Fallback)],
    notes: &mut Notes<'_>,
) -> Option<Fallback> {
    let table = match written.get_ref() {
        TableOr::Word(given) => return word(Spanned::new(written.span(), given), path, words, &[], notes).cloned(),
        TableOr::Table(table) => table,
    };
    let what = format!("`{path}`");
    if let Some(cname) = &table.cname {
        if let Some(address) = &table.address {
            let fault = notes
                .error(cname.span(), format!("{what} has a cname and addresses"), "it can be only one of them")
                .also(notes.place(address.span()), "its addresses")
                .remedy("keep one of them");
            notes.push(fault);
        }
        return target(&text(cname), &what, notes).map(Fallback::Cname);
    }
    let given = items(table.address.as_ref());
    let mut found: Vec<IpAddr> = Vec::new();
    for item in &given {
        let Some(address) = address(item, &what, notes) else { continue };
        if found.contains(&address) {
            let fault = notes.error(item.span(), format!("{what} has {address} twice"), "here again");
            notes.push(fault);
        } else {
            found.push(address);
        }
    }
    let label = if given.is_empty() && notes.is_whole_at(path) {
        Some("`address` is missing or empty".to_owned())
    } else {
        (given.len() > MAX_ENDPOINTS).then(|| format!("at most {MAX_ENDPOINTS} addresses"))
    };
    if let Some(label) = label {
        let fault = notes.error(written.span(), format!("{what} cannot be answered"), label);
        notes.push(fault.remedy("write { address = [\"192.0.2.99\"] }"));
    }
    Some(Fallback::Addresses(found))
}
