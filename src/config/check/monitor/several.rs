//! Monitors of monitors: `any`, `all` and `at_least`.

use std::ops::Range;

use toml::Spanned;

use super::{Around, required};
use crate::{
    config::{
        check::value::{element, items, whole},
        notes::{Notes, join},
        spec::{AtLeastSpec, List, MonitorSpec, Named},
    },
    engine::{
        health::monitor::{Monitor, Watch},
        types::MonitorId,
    },
};

/// How deep monitors may be made of monitors.
const DEPTH: usize = 8;

/// `any`: one of them is enough.
pub(super) fn any(of: &Spanned<List>, monitor: &str, around: &mut Around<'_, '_>, notes: &mut Notes<'_>) -> Watch {
    let of = named((of.span(), List::items(of)), &["monitors", monitor, "any"], around, notes);
    Watch::Several { needed: 1, of }
}

/// `all` of them.
pub(super) fn all(of: &Spanned<List>, monitor: &str, around: &mut Around<'_, '_>, notes: &mut Notes<'_>) -> Watch {
    let of = named((of.span(), List::items(of)), &["monitors", monitor, "all"], around, notes);
    Watch::Several { needed: of.len() as u32, of }
}

/// `at_least` so many of them.
pub(super) fn at_least(
    written: &Spanned<AtLeastSpec>,
    monitor: &str,
    around: &mut Around<'_, '_>,
    notes: &mut Notes<'_>,
) -> Watch {
    let path = ["monitors", monitor, "at_least"];
    let spec = written.get_ref();
    if spec.n.is_none() {
        required("n", "n = 2", written.span(), &path, notes);
    }
    let list = items(spec.of.as_ref());
    let of = match &spec.of {
        Some(place) => named((place.span(), list), &[path[0], path[1], path[2], "of"], around, notes),
        None => {
            required("of", "of = [\"one\", \"another\"]", written.span(), &path, notes);
            Vec::new()
        }
    };
    // Names with faults of their own count too: what is wrong with them is no reason to doubt the number.
    let most = items(spec.of.as_ref()).len().max(1) as i64;
    let needed = whole(spec.n.as_ref(), &join(&[path[0], path[1], path[2], "n"]), 1, 1..=most, notes) as u32;
    Watch::Several { needed, of }
}

fn named(
    (place, list): (Range<usize>, Vec<Spanned<String>>),
    path: &[&str],
    around: &mut Around<'_, '_>,
    notes: &mut Notes<'_>,
) -> Vec<MonitorId> {
    let what = format!("`{}`", join(path));
    if list.is_empty() {
        let fault = notes.error(place, format!("{what} is empty"), "a monitor of nothing says nothing");
        notes.push(fault.remedy("name the monitors that it is made of"));
    }
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    for name in &list {
        let Some(at) = around.names.find(&element(name), &what, notes) else { continue };
        match found.iter().find(|(known, _)| *known == at) {
            Some((_, first)) => {
                let message = format!("{what} names monitor {:?} twice", name.get_ref());
                let fault = notes.twice(first.clone(), name.span(), message);
                notes.push(fault.remedy("take one out: it counts once"));
            }
            None => found.push((at, name.span())),
        }
    }
    found.into_iter().map(|(at, _)| MonitorId(at as u32)).collect()
}

/// Tells the keys that mean nothing in a monitor that is made of others: they have them.
pub(super) fn idle_keys(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) {
    macro_rules! places {
        ($($key:ident)*) => { [$( (stringify!($key), spec.$key.as_ref().map(Spanned::span)), )*] };
    }
    let keys = places!(interval timeout recheck fall rise clear hold failback flap source);
    for (key, place) in keys.into_iter().filter_map(|(key, place)| Some((key, place?))) {
        let message = format!("`{path}.{key}` has no effect");
        let fault = notes.error(place, message, "this monitor has no probes: its verdict follows those that it names");
        notes.push(fault.remedy("take it out, or write it in the monitors that it names or in `[defaults.monitor]`"));
    }
}

/// Tells monitors that are made of themselves, by whatever way, and those that are made of others too deep.
pub(super) fn circles(spec: &Named<MonitorSpec>, monitors: &[Monitor], notes: &mut Notes<'_>) {
    let mut told: Vec<usize> = Vec::new();
    let keys: Vec<&Spanned<String>> = spec.keys().collect();
    for start in 0..monitors.len() {
        if told.contains(&start) {
            continue;
        }
        if let Some(way) = way_back(monitors, start) {
            let mut names: Vec<&str> = way.iter().map(|at| &*monitors[*at].name).collect();
            names.push(&monitors[start].name);
            let message = match way.as_slice() {
                [_] => format!("monitor \"{}\" is made of itself", monitors[start].name),
                _ => format!("monitors are made of each other in a circle: {}", names.join(" → ")),
            };
            let mut fault = notes.error(keys[start].span(), message, "this leads back to itself");
            for at in &way[1..] {
                fault = fault.also(notes.place(keys[*at].span()), "by way of this");
            }
            notes.push(fault.remedy("take one of them out of the list of another"));
            told.extend(way);
        }
    }
    if told.is_empty() {
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| depth(monitors, *at) == DEPTH + 1) {
            let message = format!("monitor \"{}\" is made of others too deep", monitors[at].name);
            let fault = notes.error(key.span(), message, format!("{DEPTH} levels at most"));
            notes.push(fault.remedy("name the monitors at the bottom directly"));
        }
    }
}

fn parts(monitor: &Monitor) -> &[MonitorId] {
    match &monitor.watch {
        Watch::Several { of, .. } => of,
        Watch::Probe(_) => &[],
    }
}

/// The shortest way from a monitor to itself.
fn way_back(monitors: &[Monitor], start: usize) -> Option<Vec<usize>> {
    let mut came: Vec<Option<usize>> = vec![None; monitors.len()];
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for part in parts(&monitors[at]) {
            if part.at() == start {
                let mut way = vec![at];
                while let Some(before) = way.last().filter(|at| **at != start).and_then(|at| came[*at]) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if came[part.at()].is_none() {
                came[part.at()] = Some(at);
                open.push_back(part.at());
            }
        }
    }
    None
}

/// How many levels of monitors stand below one that is in no circle.
fn depth(monitors: &[Monitor], at: usize) -> usize {
    fn below(monitors: &[Monitor], at: usize, known: &mut [Option<usize>]) -> usize {
        if let Some(known) = known[at] {
            return known;
        }
        let deepest = parts(&monitors[at]).iter().map(|part| below(monitors, part.at(), known) + 1).max();
        *known[at].insert(deepest.unwrap_or(0))
    }
    below(monitors, at, &mut vec![None; monitors.len()])
}
