//! A TOML table to a [`Spec`], entry by entry. Serde stops at the first fault of an entry: it is noted, what stands at
//! its place is taken out, and the entry is read again, until the rest of it is sound. Must not know what values mean.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{Named, Spec, unlike};
use crate::config::{
    diagnostics::{Notes, join},
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
    let table = match value.into_inner() {
        DeValue::Table(table) => table,
        other => {
            let label = format!("expected a table of tables by name, found {}", unlike::found(&other));
            let fault = notes.error(span, format!("`{}` has the wrong type", shown(&path)), label);
            notes.push(fault.remedy(unlike::named(&shown(&path), &other)));
            wound(&path, notes);
            return Named::new();
        }
    };
    let mut found = Named::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let path = vec![path.first().cloned().unwrap_or_default(), name.clone()];
        // One that cannot be read at all keeps its name, so that what refers to it is not blamed.
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
        let whole = value.get_ref().clone();
        // A list that `[[…]]` makes and the first table in it have one place; the list is what is wrong there.
        let is_list = value.span() == span && unlike::is_of_tables(&whole);
        let taken = if is_list { None } else { take_out(value.get_mut(), &span, &mut place) };
        let said = unlike::told(error.message(), taken.as_ref().unwrap_or(&whole), &place);
        let fault = notes.error(span, said.message, said.label);
        notes.push(match said.remedy {
            Some(remedy) => fault.remedy(remedy),
            None => fault,
        });
        wound(&place, notes);
        taken.as_ref()?;
    }
}

fn wound(path: &[String], notes: &mut Notes<'_>) {
    notes.wound(&path.iter().map(String::as_str).collect::<Vec<_>>());
}

fn shown(path: &[String]) -> String {
    join(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Takes out the innermost entry or element at `span`, and appends the way there to `path`.
fn take_out<'t>(value: &mut DeValue<'t>, span: &Range<usize>, path: &mut Vec<String>) -> Option<DeValue<'t>> {
    match value {
        DeValue::Table(table) => {
            let list = table.iter().find(|(_, value)| value.span() == *span && unlike::is_of_tables(value.get_ref()));
            if let Some(name) = list.map(|(key, _)| key.get_ref().to_string()) {
                let taken = table.remove(name.as_str())?;
                path.push(name);
                return Some(taken.into_inner());
            }
            for (key, inner) in table.iter_mut() {
                path.push(key.get_ref().to_string());
                if let Some(taken) = take_out(inner.get_mut(), span, path) {
                    return Some(taken);
                }
                path.pop();
            }
            let hit = table.iter().find(|(key, value)| value.span() == *span || key.span() == *span);
            let name = hit.map(|(key, _)| key.get_ref().to_string())?;
            let taken = table.remove(name.as_str())?;
            path.push(name);
            Some(taken.into_inner())
        }
        DeValue::Array(array) => {
            for (number, inner) in array.iter_mut().enumerate() {
                path.push(number.to_string());
                if let Some(taken) = take_out(inner.get_mut(), span, path) {
                    return Some(taken);
                }
                path.pop();
            }
            let hit = array.iter().position(|item| item.span() == *span)?;
            let taken = array.get(hit)?.get_ref().clone();
            *array = array.iter().enumerate().filter(|(at, _)| *at != hit).map(|(_, item)| item.clone()).collect();
            path.push(hit.to_string());
            Some(taken)
        }
        _ => None,
    }
}
