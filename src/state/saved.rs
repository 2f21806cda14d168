//! Health as it is saved, so that a restart does not forget it: what of it, as which text, and how it comes back. Pure:
//! moments are arguments. Must not know files.

use std::{fmt, hash::Hasher, net::IpAddr};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::engine::{
    health::{
        fold::{Fall, Health, Penalty, Record, Restored},
        monitor::{Monitor, ProbeKey},
    },
    snapshot::Snapshot,
    types::At,
};

/// The version of the text.
const VERSION: u32 = 1;

/// Health as an earlier process saved it.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The wall clock then, in Unix milliseconds.
    pub wall: u64,
    targets: Vec<Line>,
}

/// How old saved health is now, and how old it may be to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// Milliseconds; none: the clock says that it was saved in the future, so nobody can tell.
    pub age: Option<u64>,
    /// Milliseconds.
    pub limit: u64,
}

impl Age {
    /// Whether it is believed.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        self.age.is_some_and(|age| age <= self.limit)
    }
}

/// Why saved health cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is of another version.
    Version(u64),
    /// It is no saved health, or not all of it.
    Garbage(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    meridian_health: u64,
    saved: u64,
    targets: usize,
}

/// One target. Moments are milliseconds before it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    address: IpAddr,
    monitor: Box<str>,
    /// What is asked, as a digest: it may hold what is nobody's business.
    check: Box<str>,
    health: Word,
    since: u64,
    good: u32,
    bad: u32,
    span: u32,
    /// When it went down from up.
    fall: Option<u64>,
    released: bool,
    /// In millionths.
    penalty: u64,
    damped: bool,
    /// What the last probe found, for people.
    last: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Unknown,
    Up,
    Down,
}

/// What tells a check of an address from all others, also in another process.
fn identity(key: &ProbeKey) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(format!("{:?} from {:?}", key.check, key.source).as_bytes());
    format!("{:016x}", hasher.finish())
}

/// The text of what is known now. Targets that are made of others follow from these.
#[must_use]
pub fn encode(snapshot: &Snapshot, now: At, wall: u64) -> String {
    let probed = snapshot.world.targets.iter().zip(&snapshot.targets);
    let lines: Vec<Line> = probed
        .filter(|(_, record)| record.is_heard())
        .filter_map(|(target, record)| {
            Some(line(target.key()?, &snapshot.world.monitors[target.monitor.at()], record, now))
        })
        .collect();
    let head = Head { meridian_health: VERSION.into(), saved: wall, targets: lines.len() };
    let mut text = serde_json::to_string(&head).unwrap_or_default();
    text.push('\n');
    for line in &lines {
        text.push_str(&serde_json::to_string(line).unwrap_or_default());
        text.push('\n');
    }
    text
}

fn line(key: &ProbeKey, monitor: &Monitor, record: &Record, now: At) -> Line {
    let flap = &monitor.calm.flap;
    // What was restored and not heard of since lies further back than this process.
    let earlier = record.restored.and_then(|restored| restored.age).unwrap_or(0);
    Line {
        address: key.address,
        monitor: monitor.name.clone(),
        check: identity(key).into(),
        health: match record.health {
            Health::Unknown => Word::Unknown,
            Health::Up => Word::Up,
            Health::Down => Word::Down,
        },
        since: now.since(record.since) + earlier,
        good: record.good,
        bad: record.bad,
        span: record.span,
        fall: record.fall.map(|fall| now.since(fall.at).saturating_add(fall.before)),
        released: record.fall.is_some_and(|fall| fall.released),
        penalty: (record.penalty.points(flap, now) * 1e6).round() as u64,
        damped: record.penalty.is_damped(flap, now),
        last: record.evidence.last().map(|(_, outcome)| outcome.to_string()),
    }
}

/// Reads the text: all of it or nothing.
///
/// # Errors
/// Why it is not to be used.
pub fn decode(text: &str) -> Result<Saved, Unreadable> {
    let garbage = |what: String| Unreadable::Garbage(what);
    let mut lines = text.lines();
    let head: serde_json::Value = lines
        .next()
        .and_then(|head| serde_json::from_str(head).ok())
        .ok_or_else(|| garbage("its first line says nothing".into()))?;
    match head.get("meridian_health").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => return Err(Unreadable::Version(version)),
        None => return Err(garbage("its first line does not name a version".into())),
    }
    let head: Head = serde_json::from_value(head).map_err(|error| garbage(format!("line 1: {error}")))?;
    let read =
        |(n, line): (usize, &str)| serde_json::from_str(line).map_err(|e| garbage(format!("line {}: {e}", n + 2)));
    let targets: Vec<Line> = lines.enumerate().map(read).collect::<Result<_, _>>()?;
    if targets.len() != head.targets {
        return Err(garbage(format!("it has {} targets, and says {}", targets.len(), head.targets)));
    }
    Ok(Saved { wall: head.saved, targets })
}

impl Saved {
    /// How many targets it speaks of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether it speaks of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// How old it is by the wall clock.
    #[must_use]
    pub fn age(&self, wall: u64, limit: u64) -> Age {
        Age { age: wall.checked_sub(self.wall), limit }
    }

    /// What it says of a target under a monitor of this name, or else under any. `now` is the start of this process.
    #[must_use]
    pub fn record(&self, key: &ProbeKey, monitor: &Monitor, age: Age, now: At) -> Option<Record> {
        let check = identity(key);
        let same = || self.targets.iter().filter(|line| line.address == key.address && *line.check == *check);
        let line = same().find(|line| line.monitor == monitor.name).or_else(|| same().next())?;
        Some(line.record(age, now))
    }
}

impl Line {
    fn record(&self, age: Age, now: At) -> Record {
        let health = match self.health {
            Word::Unknown => Health::Unknown,
            Word::Up => Health::Up,
            Word::Down => Health::Down,
        };
        let used = age.is_fresh();
        let restored = Some(Restored { health, age: age.age.map(|age| age.saturating_add(self.since)), used });
        if !used {
            return Record { restored, ..Record::default() };
        }
        let old = age.age.unwrap_or(0);
        let fall = |down: u64| Fall { at: now, before: down.saturating_add(old), released: self.released };
        Record {
            health,
            since: now,
            good: self.good,
            bad: self.bad,
            span: self.span,
            fall: self.fall.map(fall),
            penalty: Penalty::restored(self.penalty as f64 / 1e6, self.damped, now),
            restored,
            ..Record::default()
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "it is of version {version}, and this program reads {VERSION}"),
            Self::Garbage(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests;
