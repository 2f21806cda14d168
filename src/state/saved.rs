//! Health as it is saved, so that a restart does not forget it: what of it, as which text, and how it comes back. Pure:
//! moments are arguments. Must not know files.

use std::{collections::BTreeMap, fmt, hash::Hasher, net::IpAddr};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::engine::{
    health::{
        fold::{Fall, Health, Penalty, Record, Restored},
        governor::Governed,
        monitor::{Monitor, ProbeKey},
    },
    snapshot::{SlowStart, SlowStartOf, Snapshot},
    types::{At, Family, Past, PoolId, RegionId, TargetId},
    world::{
        World,
        policy::{Endpoint, Pool},
    },
};

/// The version of the text.
const VERSION: u32 = 1;

/// Health as an earlier process saved it.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The wall clock then, in Unix milliseconds.
    pub wall: u64,
    /// By address and check: who has thousands looks each of them up.
    targets: Vec<Line>,
    governor: Governor,
    slow_starts: Vec<Start>,
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
    /// Files of earlier programs have none.
    #[serde(default, skip_serializing_if = "Governor::is_empty")]
    governor: Governor,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slow_starts: Vec<Start>,
}

/// A slow start, by the names of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Start {
    pool: Box<str>,
    /// None: it is the region's.
    endpoint: Option<Box<str>>,
    /// The region, or what the endpoint is answered as: it is known by that, whatever its name.
    of: Vec<Box<str>>,
    /// How many milliseconds of it have passed; none: it waits for the endpoint's first *up*.
    gone: Option<u64>,
    /// Whether it goes on, and is not halted.
    walks: bool,
    /// How many milliseconds it takes.
    over: u64,
}

/// What the governor remembers. Moments are milliseconds before it was saved, by the names of regions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Governor {
    emptied: BTreeMap<Box<str>, u64>,
    held: BTreeMap<Box<str>, u64>,
    kept: Vec<Kept>,
}

/// A target that was found down and counts as something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    address: IpAddr,
    monitor: Box<str>,
    /// None: it is made of others.
    check: Option<Box<str>>,
    counts: Word,
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

impl From<Health> for Word {
    fn from(health: Health) -> Self {
        match health {
            Health::Unknown => Self::Unknown,
            Health::Up => Self::Up,
            Health::Down => Self::Down,
        }
    }
}

impl From<Word> for Health {
    fn from(word: Word) -> Self {
        match word {
            Word::Unknown => Self::Unknown,
            Word::Up => Self::Up,
            Word::Down => Self::Down,
        }
    }
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
    let governor = Governor::of(snapshot, now);
    let slow_starts = snapshot.slow_starts.iter().filter_map(|start| Start::of(&snapshot.world, start, now)).collect();
    let head = Head { meridian_health: VERSION.into(), saved: wall, targets: lines.len(), governor, slow_starts };
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
    let restored = record.restored.as_ref();
    let earlier = restored.and_then(|restored| restored.age).unwrap_or(0);
    let last = record.evidence.last().map(|(_, outcome)| outcome.to_string());
    Line {
        address: key.address,
        monitor: monitor.name.clone(),
        check: identity(key).into(),
        health: record.health.into(),
        since: now.since(record.since) + earlier,
        good: record.good,
        bad: record.bad,
        span: record.span,
        fall: record.fall.map(|fall| now.since(fall.at).saturating_add(fall.before)),
        released: record.fall.is_some_and(|fall| fall.released),
        penalty: (record.penalty.points(flap, now) * 1e6).round() as u64,
        damped: record.penalty.is_damped(flap, now),
        last: last.or_else(|| restored?.last.as_deref().map(str::to_owned)),
    }
}

impl Governor {
    fn of(snapshot: &Snapshot, now: At) -> Self {
        let world = &snapshot.world;
        let name = |(region, at): (RegionId, Past)| Some((world.regions.get(region.at())?.name.clone(), at.until(now)));
        let kept = |(id, health): &(TargetId, Health)| {
            let target = world.targets.get(id.at())?;
            Some(Kept {
                address: target.address(),
                monitor: world.monitors.get(target.monitor.at())?.name.clone(),
                check: target.key().map(|key| identity(key).into()),
                counts: (*health).into(),
            })
        };
        Self {
            emptied: snapshot.governed.emptied().filter_map(name).collect(),
            held: snapshot.governed.held().into_iter().filter_map(name).collect(),
            kept: snapshot.kept.iter().filter_map(kept).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.emptied.is_empty() && self.held.is_empty() && self.kept.is_empty()
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
    let mut head: Head = serde_json::from_value(head).map_err(|error| garbage(format!("line 1: {error}")))?;
    let read =
        |(n, line): (usize, &str)| serde_json::from_str(line).map_err(|e| garbage(format!("line {}: {e}", n + 2)));
    let mut targets: Vec<Line> = lines.enumerate().map(read).collect::<Result<_, _>>()?;
    if targets.len() != head.targets {
        return Err(garbage(format!("it has {} targets, and says {}", targets.len(), head.targets)));
    }
    targets.sort_by(|a, b| (a.address, &a.check).cmp(&(b.address, &b.check)));
    head.governor.kept.sort_by(|a, b| (a.address, &a.check).cmp(&(b.address, &b.check)));
    Ok(Saved { wall: head.saved, targets, governor: head.governor, slow_starts: head.slow_starts })
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
        let wanted = (key.address, &Box::from(identity(key)));
        let from = self.targets.partition_point(|line| (line.address, &line.check) < wanted);
        let same = || self.targets[from..].iter().take_while(|line| (line.address, &line.check) == wanted);
        let line = same().find(|line| line.monitor == monitor.name).or_else(|| same().next())?;
        Some(line.record(age, now))
    }

    /// What it says of regions, by their numbers in this configuration; nothing, where it is too old.
    #[must_use]
    pub fn governed(&self, world: &World, age: Age, now: At) -> Governed {
        let Some(old) = age.age.filter(|_| age.is_fresh()) else { return Governed::default() };
        let numbered = |of: &BTreeMap<Box<str>, u64>| -> Vec<(RegionId, Past)> {
            let regions = world.regions.iter().enumerate();
            let known = regions.filter_map(|(at, region)| Some((RegionId(at as u16), of.get(&region.name)?)));
            known.map(|(region, before)| (region, Past::ago(now, before.saturating_add(old)))).collect()
        };
        Governed::resumed(numbered(&self.governor.emptied), numbered(&self.governor.held))
    }

    /// What begins to serve in this configuration, so far as it had come by now; nothing, where that is too old.
    #[must_use]
    pub fn slow_starts(&self, world: &World, age: Age) -> Vec<SlowStart> {
        let Some(old) = age.age.filter(|_| age.is_fresh()) else { return Vec::new() };
        self.slow_starts.iter().filter_map(|start| start.resumed(world, old)).collect()
    }

    /// What a target counted as that was found down; none: as down.
    #[must_use]
    pub fn counted(&self, world: &World, id: TargetId) -> Option<Health> {
        if self.governor.kept.is_empty() {
            return None;
        }
        let target = world.targets.get(id.at())?;
        let monitor = &world.monitors.get(target.monitor.at())?.name;
        let check = target.key().map(|key| Box::from(identity(key)));
        let wanted = (target.address(), &check);
        let from = self.governor.kept.partition_point(|kept| (kept.address, &kept.check) < wanted);
        let same = || self.governor.kept[from..].iter().take_while(|kept| (kept.address, &kept.check) == wanted);
        let named = same().find(|kept| kept.monitor == *monitor);
        // What is made of others is known by its name alone.
        let kept = named.or_else(|| same().next().filter(|_| check.is_some()))?;
        Some(kept.counts.into())
    }
}

impl Start {
    fn of(world: &World, start: &SlowStart, now: At) -> Option<Self> {
        let (endpoint, of) = match start.of {
            SlowStartOf::Endpoint(id) => {
                let (_, endpoint) = world.endpoint(id)?;
                (Some(endpoint.name.clone()), answered_as(endpoint))
            }
            SlowStartOf::Region(id) => (None, vec![world.regions.get(id.at())?.name.clone()]),
        };
        let gone = |(gone, since): (u64, Option<At>)| since.map_or(gone, |since| gone.saturating_add(now.since(since)));
        Some(Self {
            pool: world.pools.get(start.pool.at())?.name.clone(),
            endpoint,
            of,
            gone: start.way.map(gone),
            walks: start.way.is_some_and(|(_, since)| since.is_some()),
            over: start.over,
        })
    }

    /// The same in this configuration, `old` milliseconds after it was saved: whatever serves goes on to do so while no
    /// server of ours looks at it.
    fn resumed(&self, world: &World, old: u64) -> Option<SlowStart> {
        let is = |pool: &Pool| pool.name == self.pool;
        let pool = world.pools.iter().position(is)?;
        let own = || world.pools[pool].members();
        let of = match &self.endpoint {
            None => {
                let region = world.regions.iter().position(|region| self.of.contains(&region.name))?;
                SlowStartOf::Region(RegionId(region as u16))
            }
            Some(name) => {
                let same = || own().filter(|(.., e)| answered_as(e).iter().any(|address| self.of.contains(address)));
                let (_, id, _) = same().find(|(.., endpoint)| endpoint.name == *name).or_else(|| same().next())?;
                SlowStartOf::Endpoint(id)
            }
        };
        let gone = self.gone.map(|gone| if self.walks { gone.saturating_add(old) } else { gone });
        Some(SlowStart { pool: PoolId(pool as u32), of, way: gone.map(|gone| (gone, None)), over: self.over })
    }
}

/// The addresses of an endpoint, or the name that it is.
fn answered_as(endpoint: &Endpoint) -> Vec<Box<str>> {
    let addresses = Family::BOTH.into_iter().filter_map(|family| endpoint.address(family));
    let name = endpoint.cname.iter().map(|name| name.to_string().into());
    addresses.map(|address| address.to_string().into()).chain(name).collect()
}

impl Line {
    fn record(&self, age: Age, now: At) -> Record {
        let health = self.health.into();
        let used = age.is_fresh();
        let last = self.last.as_deref().map(Box::from);
        let restored = Some(Restored { health, age: age.age.map(|age| age.saturating_add(self.since)), used, last });
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
