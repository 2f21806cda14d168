//! Monitors of monitors: `any`, `all` and `at_least`.

use std::ops::Range;

use toml::Spanned;

use crate::{
    config::{
        check::{
            symbols::Names,
            value::{element, items, required, whole},
        },
        diagnostics::{Notes, join},
        spec::{AtLeastSpec, List, MonitorSpec, Named},
    },
    probing::monitor::{Monitor, MonitorId, Watch},
};

/// How deep monitors may be made of monitors.
const DEPTH: usize = 8;
/// How many of a circle are named.
const NAMED: usize = 8;

/// `any`: one of them is enough.
pub(super) fn any(of: &Spanned<List>, monitor: &str, monitors: &mut Names<'_>, notes: &mut Notes<'_>) -> Watch {
    let of = named((of.span(), List::items(of)), &["monitors", monitor, "any"], monitors, notes);
    Watch::Several { needed: 1, of }
}

/// `all` of them.
pub(super) fn all(of: &Spanned<List>, monitor: &str, monitors: &mut Names<'_>, notes: &mut Notes<'_>) -> Watch {
    let of = named((of.span(), List::items(of)), &["monitors", monitor, "all"], monitors, notes);
    Watch::Several { needed: of.len() as u32, of }
}

/// `at_least` so many of them.
pub(super) fn at_least(
    written: &Spanned<AtLeastSpec>,
    monitor: &str,
    monitors: &mut Names<'_>,
    notes: &mut Notes<'_>,
) -> Watch {
    let path = ["monitors", monitor, "at_least"];
    let spec = written.get_ref();
    if spec.n.is_none() {
        required("n", "n = 2", written.span(), &path, notes);
    }
    let list = items(spec.of.as_ref());
    let of = match &spec.of {
        Some(place) => named((place.span(), list), &[path[0], path[1], path[2], "of"], monitors, notes),
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
    monitors: &mut Names<'_>,
    notes: &mut Notes<'_>,
) -> Vec<MonitorId> {
    let what = format!("`{}`", join(path));
    if list.is_empty() {
        let fault = notes.error(place, format!("{what} is empty"), "a monitor of nothing says nothing");
        notes.push(fault.remedy("name the monitors that it is made of"));
    }
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    for name in &list {
        let Some(at) = monitors.find(&element(name), &what, notes) else { continue };
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
    let mut told = vec![false; monitors.len()];
    let keys: Vec<&Spanned<String>> = spec.keys().collect();
    for start in suspects(monitors) {
        if told[start] {
            continue;
        }
        if let Some(way) = way_back(monitors, start) {
            let mut names: Vec<&str> = way.iter().map(|at| &*monitors[*at].name).collect();
            if names.len() > NAMED {
                names.truncate(NAMED);
                names.push("…");
            }
            names.push(&monitors[start].name);
            let message = match way.as_slice() {
                [_] => format!("monitor \"{}\" is made of itself", monitors[start].name),
                _ => format!("monitors are made of each other in a circle: {}", names.join(" → ")),
            };
            let mut fault = notes.error(keys[start].span(), message, "this leads back to itself");
            for at in way[1..].iter().take(NAMED) {
                fault = fault.also(notes.place(keys[*at].span()), "by way of this");
            }
            notes.push(fault.remedy("take one of them out of the list of another"));
            way.into_iter().for_each(|at| told[at] = true);
        }
    }
    if !told.contains(&true) {
        let depths = depths(monitors);
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| depths[*at] == DEPTH + 1) {
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

/// Monitors that may be in a circle: what is left when those are taken away again and again that are made of nobody who is
/// left, and those of whom nobody is made who is left.
fn suspects(monitors: &[Monitor]) -> Vec<usize> {
    let mut left = vec![true; monitors.len()];
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); monitors.len()];
    for (at, monitor) in monitors.iter().enumerate() {
        parts(monitor).iter().for_each(|part| above[part.at()].push(at));
    }
    let below: Vec<Vec<usize>> =
        monitors.iter().map(|monitor| parts(monitor).iter().map(|part| part.at()).collect()).collect();
    for (needs, needed_by) in [(&below, &above), (&above, &below)] {
        let mut count: Vec<usize> =
            needs.iter().map(|others| others.iter().filter(|other| left[**other]).count()).collect();
        let mut free: Vec<usize> = (0..monitors.len()).filter(|at| left[*at] && count[*at] == 0).collect();
        while let Some(at) = free.pop() {
            left[at] = false;
            for other in needed_by[at].iter().filter(|other| left[**other]) {
                count[*other] -= 1;
                if count[*other] == 0 {
                    free.push(*other);
                }
            }
        }
    }
    (0..monitors.len()).filter(|at| left[*at]).collect()
}

/// How many levels of monitors stand below each where none is in a circle; beyond two too many nobody counts. Without
/// recursion, for a list may be longer than any stack.
fn depths(monitors: &[Monitor]) -> Vec<usize> {
    let mut depths = vec![0; monitors.len()];
    for _ in 0..DEPTH + 2 {
        let deeper = |monitor: &Monitor| parts(monitor).iter().map(|part| depths[part.at()] + 1).max().unwrap_or(0);
        depths = monitors.iter().map(deeper).collect();
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probing::millis::Millis;
    use crate::probing::{
        check::Check,
        monitor::{Calm, Rhythm},
    };

    /// Monitors of which each is made of those that are listed for it.
    fn monitors(parts: impl Iterator<Item = Vec<u32>>) -> Vec<Monitor> {
        let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
        parts
            .map(|of| Monitor {
                name: "m".into(),
                watch: if of.is_empty() {
                    Watch::Probe(Check::Icmp)
                } else {
                    Watch::Several { needed: 1, of: of.into_iter().map(MonitorId).collect() }
                },
                rhythm,
                calm: Calm::NONE,
                source: None,
            })
            .collect()
    }

    #[test]
    fn a_chain_longer_than_any_stack_is_too_deep_and_no_circle() {
        const LONG: u32 = 200_000;
        let chain = monitors((0..LONG).map(|n| if n + 1 < LONG { vec![n + 1] } else { Vec::new() }));
        assert!(suspects(&chain).is_empty());
        let depths = depths(&chain);
        assert_eq!(depths.iter().rev().take(12).copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
    }

    #[test]
    fn only_circles_and_what_lies_between_them_are_looked_at() {
        // 0 leads into the circle 1, 2; 3 lies between it and the circle 4 (of itself); 5 is below.
        let some = monitors([vec![1], vec![2], vec![1, 3], vec![4], vec![4, 5], vec![]].into_iter());
        assert_eq!(suspects(&some), [1, 2, 3, 4]);
        assert_eq!(way_back(&some, 1), Some(vec![1, 2]));
        assert_eq!(way_back(&some, 3), None);
        assert_eq!(way_back(&some, 4), Some(vec![4]));
    }
}
