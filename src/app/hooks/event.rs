//! What hooks are told: a change as a value that others read. Must not know who is told, nor how.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    config::settings::Occasion,
    engine::{health::fold::Health, snapshot::Snapshot, types::UnixMillis},
    state::change::{Because, Change, Verdict},
};

/// Something that hooks are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// endpoint, region, governor or reload.
    pub(crate) kind: Occasion,
    /// When, in milliseconds since 1970.
    pub(crate) time: u64,
    /// The sentence that the log has.
    pub(crate) text: String,
    /// What was the case, and what is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Box<str>>,
    /// As `pool/endpoint`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<Box<str>>,
    /// What the deciding probes found, each with how often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
}

/// What some probes found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Evidence {
    found: Box<str>,
    times: usize,
}

impl Event {
    fn new(kind: Occasion, now: UnixMillis, text: String) -> Self {
        Self {
            kind,
            time: now.0,
            text,
            from: None,
            to: None,
            region: None,
            endpoints: Vec::new(),
            address: None,
            monitor: None,
            evidence: Vec::new(),
        }
    }

    /// A reload that was refused.
    pub(crate) fn refused(now: UnixMillis, why: &str) -> Self {
        let text = format!("the reload is refused, the old configuration stays in force: {why}");
        Self { to: Some("refused"), ..Self::new(Occasion::Reload, now, text) }
    }

    /// What a change means on its own, but for regions.
    pub(crate) fn of(change: &Change, now: UnixMillis) -> Option<Self> {
        let said = |kind| Self::new(kind, now, change.to_string());
        Some(match change {
            Change::Verdict(verdict) => Self::of_verdict(verdict, now),
            Change::World { .. } => Self { to: Some("in force"), ..said(Occasion::Reload) },
            Change::Held(held) => Self {
                to: Some("held"),
                region: Some(held.region.clone()),
                endpoints: held.endpoints.clone(),
                ..said(Occasion::Governor)
            },
            Change::LetGo(told) => Self {
                from: Some("held"),
                region: Some(told.region.clone()),
                endpoints: told.down.clone(),
                ..said(Occasion::Governor)
            },
            // Whoever was told that it is down, and does not count so, is told that it does.
            Change::Believed(late) => Self {
                to: Some("down"),
                endpoints: late.endpoints.clone(),
                address: Some(late.address.to_string()),
                ..said(Occasion::Endpoint)
            },
            Change::NotHeld(_) | Change::Isolated { .. } | Change::SeesCanaries { .. } => said(Occasion::Governor),
            _ => return None,
        })
    }

    fn of_verdict(verdict: &Verdict, now: UnixMillis) -> Self {
        let evidence = |(found, times): &(Box<str>, usize)| Evidence { found: found.clone(), times: *times };
        let findings = match &verdict.because {
            Because::Probes { findings, .. } => findings.iter().map(evidence).collect(),
            _ => Vec::new(),
        };
        Self {
            from: Some(word(verdict.transition.from)),
            to: Some(word(verdict.transition.to)),
            endpoints: verdict.endpoints.clone(),
            address: Some(verdict.address.to_string()),
            monitor: Some(verdict.monitor.clone()),
            evidence: findings,
            ..Self::new(Occasion::Endpoint, now, verdict.to_string())
        }
    }
}

/// Which regions have somebody up, by name.
#[derive(Debug, Default)]
pub(crate) struct Regions(BTreeMap<Box<str>, Health>);

impl Regions {
    /// As a snapshot has them.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let world = &snapshot.world;
        // For each region, whether anybody in it is up, unknown or down.
        let mut seen = vec![[false; 3]; world.regions.len()];
        for (pool, row) in world.pools.iter().zip(&snapshot.pools).filter(|(pool, _)| pool.stands_for.is_none()) {
            let first = pool.first.at();
            let endpoints = world.endpoints.iter().skip(first).take(usize::from(pool.count));
            for (position, endpoint) in endpoints.enumerate() {
                let has = |sets: [u64; 2]| (sets[0] | sets[1]) >> position & 1 == 1;
                let health = if has(row.up) {
                    0
                } else if has(row.down) {
                    2
                } else {
                    1
                };
                if let Some(seen) = seen.get_mut(endpoint.region.at()) {
                    seen[health] = true;
                }
            }
        }
        let health = |seen: &[bool; 3]| match seen {
            [true, ..] => Some(Health::Up),
            [_, true, _] => Some(Health::Unknown),
            [.., true] => Some(Health::Down),
            _ => None,
        };
        let named = world.regions.iter().zip(&seen);
        Self(named.filter_map(|(region, seen)| Some((region.name.clone(), health(seen)?))).collect())
    }

    /// What has become of regions since, with what the last verdict found: its last endpoint is down, its first is up.
    pub(crate) fn turn(&mut self, snapshot: &Snapshot, because: Option<&Verdict>, now: UnixMillis) -> Vec<Event> {
        let before = std::mem::replace(self, Self::of(snapshot));
        let mut events = Vec::new();
        for (name, to) in &self.0 {
            let from = before.0.get(name).copied().unwrap_or_default();
            let text = match (from, *to) {
                (from, to) if from == to => continue,
                (_, Health::Unknown) => continue,
                (_, Health::Down) => format!("region {name} is down: its last endpoint is"),
                // A start is no news.
                (Health::Unknown, Health::Up) => continue,
                (_, Health::Up) => format!("region {name} is up again: its first endpoint is"),
            };
            let own = because.map(|verdict| Event::of_verdict(verdict, now));
            events.push(Event {
                from: Some(word(from)),
                to: Some(word(*to)),
                region: Some(name.clone()),
                ..own.map_or_else(
                    || Event::new(Occasion::Region, now, text.clone()),
                    |own| Event { kind: Occasion::Region, text: format!("{text}: {}", own.text), ..own },
                )
            });
        }
        events
    }
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Unknown => "unknown",
        Health::Up => "up",
        Health::Down => "down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::change::{Believed, Held, Late};

    fn json(change: &Change) -> serde_json::Value {
        serde_json::to_value(Event::of(change, UnixMillis(5)).expect("worth telling")).expect("JSON")
    }

    #[test]
    fn whoever_was_told_of_an_endpoint_is_told_when_it_counts() {
        let late = Believed {
            why: Late::Answered,
            address: [192, 0, 2, 1].into(),
            endpoints: vec!["web/eu".into()],
            pools: Vec::new(),
        };
        let told = json(&Change::Believed(Box::new(late)));
        assert_eq!((&told["kind"], &told["to"]), (&"endpoint".into(), &"down".into()));
        assert_eq!((&told["endpoints"][0], &told["address"]), (&"web/eu".into(), &"192.0.2.1".into()));
    }

    #[test]
    fn a_held_region_is_named_apart_from_the_sentence() {
        let held = Held {
            region: "eu".into(),
            left: Vec::new(),
            of: 2,
            window: 1000,
            endpoints: vec!["web/eu".into()],
            gives_way: Vec::new(),
            release: 1000,
            since: None,
            canaries: false,
        };
        let told = json(&Change::Held(Box::new(held)));
        assert_eq!((&told["kind"], &told["region"], &told["to"]), (&"governor".into(), &"eu".into(), &"held".into()));
    }
}
