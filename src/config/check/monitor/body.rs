//! What an HTTP monitor expects of the body: text, a regular expression, a value in JSON.

use regex::bytes::RegexBuilder;
use toml::Spanned;

use crate::{
    config::{
        check::value::{real, size},
        diagnostics::{Notes, join},
        spec::{HttpSpec, JsonSpec, Text},
    },
    probing::check::{Body, Compare},
};

/// How much of a body is read when nothing is said.
const MAX: u64 = 64 << 10;
/// The most octets that a compiled regular expression may take.
const MAX_REGEX: usize = 1 << 20;
/// The largest number that a value is compared with.
const BIGGEST: f64 = 1e15;

/// What must hold of the body of the request in `table`, and how much of it is read.
pub(super) fn body(spec: &HttpSpec, table: &[&str], method: &str, notes: &mut Notes<'_>) -> (Vec<Body>, u32) {
    let path = join(table);
    let at = |key: &str| format!("{path}.{key}");
    for (key, written) in
        [("body", spec.body.as_ref().map(Spanned::span)), ("json", spec.json.as_ref().map(Spanned::span))]
    {
        if let Some(span) = written.filter(|_| method == "HEAD") {
            let fault = notes.error(span, format!("`{}` cannot be met", at(key)), "an answer to HEAD has no body");
            notes.push(fault.remedy(format!("take out `{key}` or use GET")));
        }
    }
    let mut found = Vec::new();
    let mut max = MAX;
    if let Some(written) = &spec.body {
        let body = written.get_ref();
        max = size(body.max.as_ref(), &at("body.max"), MAX, 1..=1 << 20, notes);
        if let Some(contains) = &body.contains {
            found.push(Body::Contains(contain(contains, &at("body.contains"), max, notes).into()));
        }
        if let Some(matches) = &body.matches {
            found.push(Body::Matches(pattern(matches, &at("body.matches"), notes).into()));
        }
        let whole = notes.is_whole(&[table, &["body"]].concat()) && notes.is_whole(table);
        if found.is_empty() && spec.json.is_none() && whole {
            let label = "`contains` or `matches` is missing";
            notes.push(notes.error(written.span(), format!("`{}` expects nothing", at("body")), label));
        }
    }
    if let Some(written) = &spec.json {
        found.extend(json(written, &[table, &["json"]].concat(), notes));
    }
    (found, max as u32)
}

fn contain<'s>(written: &'s Spanned<Text>, at: &str, max: u64, notes: &mut Notes<'_>) -> &'s str {
    let wanted: &str = written.get_ref();
    if wanted.is_empty() || wanted.len() as u64 > max {
        let label = format!("from 1 to {max} octets, since no more are read");
        notes.push(notes.error(written.span(), format!("`{at}` cannot be met"), label));
    }
    wanted
}

/// A regular expression that compiles.
pub(super) fn pattern<'s>(written: &'s Spanned<Text>, at: &str, notes: &mut Notes<'_>) -> &'s str {
    let text: &str = written.get_ref();
    let cause = match RegexBuilder::new(text).size_limit(MAX_REGEX).build() {
        Ok(_) if !text.is_empty() => return text,
        Ok(_) => "it would match anything".to_owned(),
        Err(regex::Error::CompiledTooBig(_)) => "it is too large to be compiled".to_owned(),
        // The last line says what is wrong; those before draw an arrow.
        Err(error) => {
            let error = error.to_string();
            error.lines().last().unwrap_or(&error).trim_start_matches("error: ").to_owned()
        }
    };
    notes.push(notes.error(written.span(), format!("`{at}` is not a regular expression"), cause));
    text
}

fn json(written: &Spanned<JsonSpec>, table: &[&str], notes: &mut Notes<'_>) -> Vec<Body> {
    let spec = written.get_ref();
    let at = |key: &str| format!("{}.{key}", join(table));
    let mut wanted = Vec::new();
    if let Some(equals) = &spec.equals {
        // What TOML has and JSON has not: infinity, and no number at all.
        if equals.get_ref().0 == "null" {
            let label = "JSON has no such number";
            notes.push(notes.error(equals.span(), format!("`{}` cannot be met", at("equals")), label));
        }
        wanted.push(Compare::Equals(equals.get_ref().0.as_str().into()));
    }
    for (key, written, make) in [
        ("at_least", &spec.at_least, Compare::AtLeast as fn(Box<str>) -> Compare),
        ("at_most", &spec.at_most, Compare::AtMost),
    ] {
        let number = real(written.as_ref(), &at(key), -BIGGEST..=BIGGEST, notes);
        wanted.extend(number.map(|number| make(number.to_string().into())));
    }
    let compares = spec.equals.is_some() || spec.at_least.is_some() || spec.at_most.is_some();
    let missing = match (&spec.path, !compares) {
        (None, _) => Some("`path` is missing"),
        (Some(_), true) => Some("`equals`, `at_least` or `at_most` is missing"),
        _ => None,
    };
    if let Some(label) = missing.filter(|_| notes.is_whole(table)) {
        let fault = notes.error(written.span(), format!("`{}` expects nothing", join(table)), label);
        notes.push(fault.remedy("write it as { path = \"/status\", equals = \"ok\" }"));
    }
    if let (Some(least), Some(most)) = (&spec.at_least, &spec.at_most)
        && least.get_ref().0 > most.get_ref().0
    {
        let fault = notes.error(most.span(), format!("`{}` cannot be met", join(table)), "less than `at_least`");
        notes.push(fault.also(notes.place(least.span()), "`at_least`"));
    }
    let Some(path) = &spec.path else { return Vec::new() };
    let pointer: &str = path.get_ref();
    let escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !(pointer.is_empty() || pointer.starts_with('/')) || !escaped {
        let label = "a slash before each part; `~0` for `~` and `~1` for a slash in one (RFC 6901)";
        let fault = notes.error(path.span(), format!("`{}` is not a JSON pointer", at("path")), label);
        let remedy = pointer.trim_start_matches("$.").replace('.', "/");
        notes.push(if pointer.contains('~') { fault } else { fault.remedy(format!("write \"/{remedy}\"")) });
    }
    wanted.into_iter().map(|compare| Body::Json(pointer.into(), compare)).collect()
}
