//! What hooks are told: a change as a value that others read. Must not know who is told, nor how.

use serde::Serialize;

use crate::{
    config::settings::Occasion,
    engine::{health::fold::Health, types::UnixMillis},
    node::change::{Because, Change, RegionTurn, Standing, Verdict},
};

/// The version of what is told: another one only where a key changes its meaning or goes away.
const VERSION: u32 = 1;

/// Something that hooks are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// Of the schema.
    version: u32,
    /// endpoint, region, governor or reload.
    pub(crate) kind: Occasion,
    /// The level of the line that the log has.
    severity: Severity,
    /// When, in milliseconds since 1970.
    pub(crate) time: u64,
    /// The sentence that the log has.
    pub(crate) text: String,
    /// What was the case, and what is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    /// Since when, in milliseconds since 1970: of a lost region since a probe there was good last, of one that is back
    /// since it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
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

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
    /// What is good news, or was wanted.
    Info,
}

/// What some probes found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Evidence {
    found: Box<str>,
    times: usize,
}

impl Event {
    fn new(kind: Occasion, severity: Severity, now: UnixMillis, text: String) -> Self {
        Self {
            version: VERSION,
            kind,
            severity,
            time: now.0,
            text,
            from: None,
            to: None,
            since: None,
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
        Self { to: Some("refused"), ..Self::new(Occasion::Reload, Severity::Error, now, text) }
    }

    /// Whether it comes before all others and is never left out: what concerns a whole region or this node.
    pub(crate) fn is_urgent(&self) -> bool {
        matches!(self.kind, Occasion::Region | Occasion::Governor)
    }

    /// What a change means.
    pub(crate) fn of(change: &Change, now: UnixMillis) -> Option<Self> {
        let said = |kind| Self::new(kind, severity(change), now, change.to_string());
        Some(match change {
            Change::Verdict(verdict) => {
                Self { text: change.to_string(), severity: severity(change), ..Self::of_verdict(verdict, now) }
            }
            Change::Region(turn) => Self::of_region(turn, said(Occasion::Region), now),
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
            ..Self::new(Occasion::Endpoint, Severity::Warning, now, String::new())
        }
    }

    /// With what the deciding verdict found, where one did.
    fn of_region(turn: &RegionTurn, said: Self, now: UnixMillis) -> Self {
        let RegionTurn { region, to, since, endpoints, verdict, .. } = turn;
        let decided = verdict.as_ref().map_or_else(|| said.clone(), |verdict| Self::of_verdict(verdict, now));
        let from = if *to == Health::Up { Health::Down } else { Health::Up };
        Self {
            from: Some(word(from)),
            to: Some(word(*to)),
            since: since.map(|since| now.0.saturating_sub(since.0)),
            region: Some(region.clone()),
            endpoints: endpoints.clone(),
            address: decided.address,
            monitor: decided.monitor,
            evidence: decided.evidence,
            ..said
        }
    }
}

/// As the log has it.
fn severity(change: &Change) -> Severity {
    match change {
        Change::Verdict(verdict) => match verdict.transition.to {
            Health::Down if verdict.empties_a_pool() => Severity::Error,
            Health::Down | Health::Unknown => Severity::Warning,
            Health::Up => Severity::Info,
        },
        Change::Region(turn) if turn.to == Health::Up => Severity::Info,
        Change::Region(_) | Change::Held(_) | Change::Isolated { .. } => Severity::Error,
        Change::Believed(late) if late.pools.iter().any(Standing::is_empty) => Severity::Error,
        Change::LetGo(told) if told.empty && told.pools.iter().any(Standing::is_empty) => Severity::Error,
        Change::World { what, .. } if !what.is_suspect() => Severity::Info,
        _ => Severity::Warning,
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
    use crate::engine::types::Millis;
    use crate::node::change::{Believed, Held, Late};

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
    fn a_lost_region_says_how_bad_it_is_since_when_and_what_was_found() {
        let turn = |to| RegionTurn {
            region: "eu".into(),
            to,
            since: Some(Millis(3000)),
            endpoints: vec!["web/eu-1".into()],
            moves: Vec::new(),
            verdict: None,
        };
        let at = UnixMillis(10_000);
        let json = |to| serde_json::to_value(Event::of(&Change::Region(Box::new(turn(to))), at)).expect("JSON");
        let (lost, back) = (json(Health::Down), json(Health::Up));
        assert_eq!(
            (&lost["kind"], &lost["severity"], &lost["version"]),
            (&"region".into(), &"error".into(), &1.into())
        );
        assert_eq!((&lost["from"], &lost["to"], &lost["since"]), (&"up".into(), &"down".into(), &7000.into()));
        assert_eq!((&back["severity"], &back["from"], &back["to"]), (&"info".into(), &"down".into(), &"up".into()));
        assert_eq!(lost["text"], turn(Health::Down).to_string());
    }

    #[test]
    fn a_held_region_is_named_apart_from_the_sentence() {
        let held = Held {
            region: "eu".into(),
            left: Vec::new(),
            of: 2,
            window: Millis(1000),
            endpoints: vec!["web/eu".into()],
            gives_way: Vec::new(),
            release: Millis(1000),
            since: None,
            canaries: false,
        };
        let told = json(&Change::Held(Box::new(held)));
        assert_eq!((&told["kind"], &told["region"], &told["to"]), (&"governor".into(), &"eu".into(), &"held".into()));
    }
}
