//! Single values: text to numbers within their bounds. Each takes what was written, its path and its default, and notes
//! what is wrong with it; the default then stands in. Must not know tables.

use std::{
    net::IpAddr,
    ops::{Range, RangeInclusive},
};

use toml::Spanned;

pub(crate) use super::address::address;
use crate::{
    config::{
        diagnostics::{Notes, join, suggest},
        dns_name::{self, NotAName},
        quantity::{self, QuantityError},
        schema::{Mark, not_yet},
        spec::{DistanceText, DurationText, List, NumberOr, Real, ShareText, SizeText, Text, Whole},
        unreadable::unexpanded,
    },
    engine::{types::Millis, units::Kilometres, wire::name::Name},
};

/// No two points are further apart, in kilometres.
const HALF_THE_GLOBE: u64 = 20_040;

/// A whole number within bounds.
pub(crate) fn whole(
    written: Option<&Spanned<Whole>>,
    path: &str,
    default: i64,
    bounds: RangeInclusive<i64>,
    notes: &mut Notes<'_>,
) -> i64 {
    let Some(written) = written else { return default };
    let number = written.get_ref().0;
    if bounds.contains(&number) {
        return number;
    }
    let fault = notes.error(
        written.span(),
        format!("`{path}` is out of range"),
        format!("from {} to {}", bounds.start(), bounds.end()),
    );
    notes.push(fault);
    default
}

/// How a quantity that is written as text is read, shown and asked for.
struct QuantityKind {
    read: fn(&str) -> Result<u64, QuantityError>,
    show: fn(u64) -> String,
    noun: &'static str,
    remedy: &'static str,
}

const DURATION: QuantityKind = QuantityKind {
    read: quantity::duration,
    show: quantity::show_duration,
    noun: "duration",
    remedy: "write it as \"250ms\", \"5s\" or \"1m30s\"",
};

const SIZE: QuantityKind = QuantityKind {
    read: quantity::size,
    show: quantity::show_size,
    noun: "size",
    remedy: "write it as \"64KiB\" or \"4MiB\"",
};

const SHARE: QuantityKind = QuantityKind {
    read: quantity::share,
    show: quantity::show_share,
    noun: "share",
    remedy: "write it as \"50%\" or \"2.5%\"",
};

const DISTANCE: QuantityKind = QuantityKind {
    read: quantity::distance,
    show: |km| format!("{km}km"),
    noun: "distance",
    remedy: "write it as \"500km\"",
};

/// A quantity of a kind within bounds.
fn bounded(
    (span, text): (Range<usize>, &str),
    kind: &QuantityKind,
    path: &str,
    default: u64,
    bounds: RangeInclusive<u64>,
    notes: &mut Notes<'_>,
) -> u64 {
    let fault = match (kind.read)(text) {
        Ok(value) if bounds.contains(&value) => return value,
        Ok(_) => {
            let (from, to) = ((kind.show)(*bounds.start()), (kind.show)(*bounds.end()));
            notes.error(span, format!("`{path}` is out of range"), format!("from {from} to {to}"))
        }
        Err(cause) => {
            notes.error(span, format!("`{path}` is not a {}", kind.noun), cause.to_string()).remedy(kind.remedy)
        }
    };
    notes.push(fault);
    default
}

/// A duration within bounds. All are microseconds.
pub(crate) fn micros(
    written: Option<&Spanned<DurationText>>,
    path: &str,
    default: u64,
    bounds: RangeInclusive<u64>,
    notes: &mut Notes<'_>,
) -> u64 {
    let Some(written) = written else { return default };
    bounded((written.span(), written.get_ref()), &DURATION, path, default, bounds, notes)
}

/// A duration within bounds, in whole multiples of `unit` microseconds. Default, bounds and result are counted in it.
pub(crate) fn units(
    written: Option<&Spanned<DurationText>>,
    path: &str,
    unit: u64,
    default: u64,
    bounds: RangeInclusive<u64>,
    notes: &mut Notes<'_>,
) -> u64 {
    let wide = bounds.start() * unit..=bounds.end() * unit;
    let micros = micros(written, path, default * unit, wide, notes);
    if let Some(written) = written
        && !micros.is_multiple_of(unit)
    {
        let unit = quantity::show_duration(unit);
        let fault =
            notes.error(written.span(), format!("`{path}` is too fine"), format!("it is counted in steps of {unit}"));
        notes.push(fault);
        return default;
    }
    micros / unit
}

/// A duration in whole milliseconds.
pub(crate) fn millis(
    written: Option<&Spanned<DurationText>>,
    path: &str,
    default: Millis,
    bounds: RangeInclusive<Millis>,
    notes: &mut Notes<'_>,
) -> Millis {
    Millis(units(written, path, 1000, default.0, bounds.start().0..=bounds.end().0, notes))
}

/// A size within bounds, in octets.
pub(crate) fn size(
    written: Option<&Spanned<SizeText>>,
    path: &str,
    default: u64,
    bounds: RangeInclusive<u64>,
    notes: &mut Notes<'_>,
) -> u64 {
    let Some(written) = written else { return default };
    bounded((written.span(), written.get_ref()), &SIZE, path, default, bounds, notes)
}

/// A share within bounds, in parts of a thousand.
pub(crate) fn share(
    written: Option<&Spanned<ShareText>>,
    path: &str,
    default: u64,
    bounds: RangeInclusive<u64>,
    notes: &mut Notes<'_>,
) -> u64 {
    let Some(written) = written else { return default };
    bounded((written.span(), written.get_ref()), &SHARE, path, default, bounds, notes)
}

/// A distance on the globe of at least so much.
pub(crate) fn distance(
    written: Option<&Spanned<DistanceText>>,
    path: &str,
    default: Kilometres,
    least: Kilometres,
    notes: &mut Notes<'_>,
) -> Kilometres {
    let Some(written) = written else { return default };
    let bounds = least.0.into()..=HALF_THE_GLOBE;
    Kilometres(bounded((written.span(), written.get_ref()), &DISTANCE, path, default.0.into(), bounds, notes) as u32)
}

/// A number with or without a fraction, within bounds.
pub(crate) fn real(
    written: Option<&Spanned<Real>>,
    path: &str,
    bounds: RangeInclusive<f64>,
    notes: &mut Notes<'_>,
) -> Option<f64> {
    let written = written?;
    let number = written.get_ref().0;
    if bounds.contains(&number) {
        return Some(number);
    }
    let label = format!("from {} to {}", bounds.start(), bounds.end());
    let fault = notes.error(written.span(), format!("`{path}` is out of range"), label);
    notes.push(fault);
    None
}

/// One word of several. `later` are those of version 1 that this release does not have, with the work that brings them.
pub(crate) fn word<T: Copy>(
    written: Spanned<&str>,
    path: &str,
    words: &[(&str, T)],
    later: &[(&str, Mark)],
    notes: &mut Notes<'_>,
) -> Option<T> {
    let given = *written.get_ref();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == given) {
        return Some(*value);
    }
    let fault = match later.iter().find(|(word, _)| *word == given) {
        Some((_, mark)) => not_yet(notes, written.span(), &format!("\"{given}\" in `{path}`"), *mark),
        None => notes
            .error(written.span(), format!("`{path}` cannot be {given:?}"), "no such choice")
            .remedy(suggest(given, words.iter().map(|(word, _)| *word))),
    };
    notes.push(fault);
    None
}

/// The text of a value, with its place.
pub(crate) fn text(written: &Spanned<Text>) -> Spanned<&str> {
    Spanned::new(written.span(), &written.get_ref().0)
}

/// The text of an element, with its place.
pub(crate) fn element(written: &Spanned<String>) -> Spanned<&str> {
    Spanned::new(written.span(), written.get_ref())
}

/// The elements of a list that may be missing.
pub(crate) fn items(written: Option<&Spanned<List>>) -> Vec<Spanned<String>> {
    written.map(List::items).unwrap_or_default()
}

/// A number, or the word for "let the program choose".
pub(crate) fn number_or<T>(
    written: Option<&Spanned<NumberOr>>,
    path: &str,
    word: (&str, T),
    bounds: RangeInclusive<i64>,
    make: impl Fn(i64) -> T,
    notes: &mut Notes<'_>,
) -> T {
    let Some(written) = written else { return word.1 };
    match written.get_ref() {
        NumberOr::Number(number) if bounds.contains(number) => return make(*number),
        NumberOr::Word(given) if given == word.0 => return word.1,
        _ => {}
    }
    let label = format!("\"{}\", or a number from {} to {}", word.0, bounds.start(), bounds.end());
    let mut fault = notes.error(written.span(), format!("`{path}` is out of range"), label);
    if let NumberOr::Word(given) = written.get_ref()
        && let Ok(number) = given.parse::<i64>()
    {
        fault = fault.remedy(format!("take off the quotes: {number}"));
    }
    notes.push(fault);
    word.1
}

/// A name that an alias leads to.
pub(crate) fn target(written: &Spanned<&str>, what: &str, notes: &mut Notes<'_>) -> Option<Name> {
    let text = *written.get_ref();
    let (label, remedy) = match dns_name::read(text) {
        Ok(name) if name == Name::root() => ("the root has no addresses".to_owned(), None),
        Ok(name) if name.is_wildcard() => ("a wildcard is not a name that can be looked up".to_owned(), None),
        Ok(_) if text.parse::<IpAddr>().is_ok() => ("an address is no name: write it as `address`".to_owned(), None),
        Ok(name)
            if name.labels().flatten().any(|octet| matches!(octet, b':' | b'/') || octet.is_ascii_whitespace()) =>
        {
            let host = dns_name::host_of(text);
            let remedy = (!host.is_empty()).then(|| format!("write \"{host}\""));
            ("a name without scheme, port and path is expected".to_owned(), remedy)
        }
        Ok(name) => return Some(name),
        Err(NotAName { cause, remedy }) => (cause, remedy),
    };
    let fault = notes.error(written.span(), format!("{what} has a bad cname"), label);
    notes.push(match remedy {
        Some(remedy) => fault.remedy(remedy),
        None => fault,
    });
    None
}

/// Refuses a path that a shell would have expanded. One that leads somewhere as it stands is meant so.
pub(crate) fn literal(written: Spanned<&str>, notes: &mut Notes<'_>) {
    let text = *written.get_ref();
    let Some(part) = unexpanded(text) else { return };
    if notes.path(&Spanned::new(written.span(), text.to_owned())).exists() {
        return;
    }
    let fault = notes.error(
        written.span(),
        format!("the path {text:?} is not expanded"),
        format!("`{part}` is taken as it stands"),
    );
    notes.push(fault.remedy("write it out: variables and `~` are not expanded in a configuration"));
}

/// Whether a name of the operator's can be a label in metrics and a part of `pool/endpoint`. What it must be is noted.
pub(crate) fn name(what: &str, written: &Spanned<String>, notes: &mut Notes<'_>) {
    let name = written.get_ref();
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
    if !good {
        let fault = notes
            .error(
                written.span(),
                format!("{what} {name:?} has an unusable name"),
                "1 to 63 letters, digits, `-`, `_` or `.`",
            )
            .remedy("give it another name");
        notes.push(fault);
    }
}

/// The `port` of the table at `path`, whose place is `table`.
pub(crate) fn port(
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
pub(crate) fn required(key: &str, example: &str, table: Range<usize>, path: &[&str], notes: &mut Notes<'_>) {
    if notes.is_whole(path) {
        let fault = notes.error(table, format!("`{}` has no {key}", join(path)), format!("`{key}` is missing"));
        notes.push(fault.remedy(format!("add `{example}`")));
    }
}
