//! A TOML table to a [`Spec`], entry by entry. Serde stops at the first fault of an entry: it is noted, what stands at
//! its place is taken out, and the entry is read again, until the rest of it is sound. Must not know what values mean.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{Named, Spec};
use crate::config::{
    notes::{Notes, join},
    schema,
};

/// Reads all tables. Whatever is wrong with keys and types is noted, and the rest is read.
pub(crate) fn read(mut table: DeTable<'_>, notes: &mut Notes<'_>) -> Spec {
    schema::prune(&mut table, notes);
    let mut spec = Spec::default();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let path = vec![name.clone()];
        match name.as_str() {
            "version" => spec.version = entry(value, path, notes),
            "server" => {
                spec.server_at = Some(key.span());
                spec.server = entry(value, path, notes).unwrap_or_default();
            }
            "acls" => spec.acls = named(value, path, notes),
            "groups" => spec.groups = named(value, path, notes),
            "ecs" => spec.ecs = entry(value, path, notes).unwrap_or_default(),
            "geo" => spec.geo = entry(value, path, notes).unwrap_or_default(),
            "latency" => spec.latency = entry(value, path, notes).unwrap_or_default(),
            "defaults" => spec.defaults = entry(value, path, notes).unwrap_or_default(),
            "log" => spec.log = entry(value, path, notes).unwrap_or_default(),
            "regions" => spec.regions = named(value, path, notes),
            "monitors" => spec.monitors = named(value, path, notes),
            "loads" => spec.loads = named(value, path, notes),
            "health" => spec.health = entry(value, path, notes).unwrap_or_default(),
            "hooks" => spec.hooks = named(value, path, notes),
            "policies" => spec.policies = named(value, path, notes),
            "pools" => spec.pools = named(value, path, notes),
            "services" => spec.services = named(value, path, notes),
            "zones" => spec.zones = named(value, path, notes),
            // The schema has let nothing else through.
            _ => {}
        }
    }
    spec
}

fn named<T: DeserializeOwned + Default>(
    value: Spanned<DeValue<'_>>,
    path: Vec<String>,
    notes: &mut Notes<'_>,
) -> Named<T> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        let fault =
            notes.error(span, format!("`{}` has the wrong type", shown(&path)), "a table of tables is expected");
        notes.push(fault);
        wound(&path, notes);
        return Named::new();
    };
    let mut found = Named::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let path = vec![path.first().cloned().unwrap_or_default(), name.clone()];
        // One that cannot be read at all keeps its name, so that whoever refers to it is not blamed.
        found.insert(Spanned::new(key.span(), name), entry(value, path, notes).unwrap_or_default());
    }
    found
}

fn entry<T: DeserializeOwned>(mut value: Spanned<DeValue<'_>>, path: Vec<String>, notes: &mut Notes<'_>) -> Option<T> {
    loop {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| value.span());
        let mut place = path.clone();
        let taken = take_out(value.get_mut(), &span, &mut place);
        let what = shown(&place);
        let fault =
            match error.message().strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
                Some((found, expected)) => {
                    let label = format!("expected {expected}, found {}", words(found));
                    let fault = notes.error(span, format!("`{what}` has the wrong type"), label);
                    match quoted_number(found).filter(|_| expected.contains("number")) {
                        Some(number) => fault.remedy(format!("take off the quotes: {number}")),
                        None => fault,
                    }
                }
                None => notes.error(span, format!("`{what}` cannot be read"), error.message().to_owned()),
            };
        notes.push(fault);
        wound(&place, notes);
        if !taken {
            return None;
        }
    }
}

/// Serde's word for what was found, as TOML calls it.
fn words(found: &str) -> String {
    let found = found.replace("sequence", "a list").replace("map", "a table");
    match found.split_once(' ') {
        Some((kind @ ("integer" | "floating" | "boolean"), rest)) => {
            let number = rest.trim_start_matches("point ").trim_matches('`');
            if kind == "boolean" { number.to_owned() } else { format!("the number {number}") }
        }
        Some(("string", _)) => "text".to_owned(),
        _ => found,
    }
}

/// The number in what serde calls a string, where it is nothing else.
fn quoted_number(found: &str) -> Option<&str> {
    let text = found.strip_prefix("string \"")?.strip_suffix('"')?;
    text.parse::<f64>().is_ok_and(f64::is_finite).then_some(text)
}

fn wound(path: &[String], notes: &mut Notes<'_>) {
    notes.wound(&path.iter().map(String::as_str).collect::<Vec<_>>());
}

fn shown(path: &[String]) -> String {
    join(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Takes out the innermost entry or element at `span`, and appends the way there to `path`.
fn take_out(value: &mut DeValue<'_>, span: &Range<usize>, path: &mut Vec<String>) -> bool {
    match value {
        DeValue::Table(table) => {
            for (key, inner) in table.iter_mut() {
                path.push(key.get_ref().to_string());
                if take_out(inner.get_mut(), span, path) {
                    return true;
                }
                path.pop();
            }
            let hit = table.iter().find(|(key, value)| value.span() == *span || key.span() == *span);
            let Some(name) = hit.map(|(key, _)| key.get_ref().to_string()) else { return false };
            table.remove(name.as_str());
            path.push(name);
            true
        }
        DeValue::Array(array) => {
            for (number, inner) in array.iter_mut().enumerate() {
                path.push(number.to_string());
                if take_out(inner.get_mut(), span, path) {
                    return true;
                }
                path.pop();
            }
            let Some(hit) = array.iter().position(|item| item.span() == *span) else { return false };
            *array = array.iter().enumerate().filter(|(at, _)| *at != hit).map(|(_, item)| item.clone()).collect();
            path.push(hit.to_string());
            true
        }
        _ => false,
    }
}
