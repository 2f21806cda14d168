//! Health as it is saved, so that a restart does not forget it: what of it is kept, and how it comes back. Pure: moments
//! are arguments. Must not know files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::text::{Contents, Governor, Kept, SavedTarget, Start};
use super::format::{FORMAT, Unreadable};
use crate::{
    engine::{
        health::{
            fold::{Fall, Health, Penalty, Record, Restored},
            governor::Governed,
        },
        types::{At, Family, Millis, Past, PoolId, RegionId, TargetId},
        world::{Target, World, endpoint::Endpoint, pool::Pool},
    },
    node::status::{SlowStart, SlowStartOf, Status},
    probing::{
        identity,
        monitor::{Monitor, ProbeKey},
    },
};

mod text;
mod version_1;

/// Health as an earlier process saved it. Targets stand by address and check: a configuration with thousands of them looks
/// each one up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved(Contents);

/// How old saved health is now, and how old it may be to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    /// How old it is; none: the clock says that it was saved in the future, so that cannot be told.
    pub age: Option<Millis>,
    /// How old it may be.
    pub limit: Millis,
}

impl Age {
    /// Whether it is believed.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        self.age.is_some_and(|age| age <= self.limit)
    }
}

/// The text of what is known now. Targets that are made of others follow from these.
#[must_use]
pub fn encode(status: &Status, now: At, wall: u64) -> String {
    let world = &status.world;
    let probed = world.targets.iter().zip(&status.targets).filter(|(_, record)| record.is_heard());
    let line =
        |(target, record): (&Target, _)| Some(line(target.key()?, &world.monitors[target.monitor.at()], record, now));
    text::write(&Contents {
        version: FORMAT,
        wall,
        targets: probed.filter_map(line).collect(),
        governor: Governor::of(status, now),
        slow_starts: status.slow_starts.iter().filter_map(|start| Start::of(world, start, now)).collect(),
    })
}

fn line(key: &ProbeKey, monitor: &Monitor, record: &Record, now: At) -> SavedTarget {
    let flap = &monitor.calm.flap;
    // What was restored and not heard of since lies further back than this process.
    let restored = record.restored.as_ref();
    let earlier = restored.and_then(|restored| restored.age).unwrap_or_default();
    let last = record.evidence.last().map(|(_, outcome)| outcome.to_string());
    SavedTarget {
        address: key.address,
        monitor: monitor.name.clone(),
        check: identity::digest(key).into(),
        health: record.health.into(),
        since: now.since(record.since).plus(earlier),
        good: record.good,
        bad: record.bad,
        span: record.span,
        fall: record.fall.map(|fall| now.since(fall.at).plus(fall.before)),
        released: record.fall.is_some_and(|fall| fall.released),
        penalty: (record.penalty.points(flap, now) * 1e6).round() as u64,
        damped: record.penalty.is_damped(flap, now),
        last: last.or_else(|| restored?.last.as_deref().map(str::to_owned)),
    }
}

impl Governor {
    fn of(status: &Status, now: At) -> Self {
        let world = &status.world;
        let name = |(region, at): (RegionId, Past)| Some((world.regions.get(region.at())?.name.clone(), at.until(now)));
        let kept = |(id, health): &(TargetId, Health)| {
            let target = world.targets.get(id.at())?;
            Some(Kept {
                address: target.address(),
                monitor: world.monitors.get(target.monitor.at())?.name.clone(),
                check: target.key().map(|key| identity::digest(key).into()),
                counts: (*health).into(),
            })
        };
        Self {
            emptied: status.governed.emptied().filter_map(name).collect(),
            held: status.governed.held().into_iter().filter_map(name).collect(),
            kept: status.kept.iter().filter_map(kept).collect(),
        }
    }
}

/// Reads the text: all of it or nothing.
///
/// # Errors
/// Why it is not to be used.
pub fn decode(text: &str) -> Result<Saved, Unreadable> {
    let mut contents = text::read(text)?;
    contents.targets.sort_by(|a, b| (a.address, &a.check).cmp(&(b.address, &b.check)));
    contents.governor.kept.sort_by(|a, b| (a.address, &a.check).cmp(&(b.address, &b.check)));
    Ok(Saved(contents))
}

impl Saved {
    /// The digest of a check in this text.
    fn digest(&self, key: &ProbeKey) -> Box<str> {
        if self.0.version == 1 { version_1::digest(key).into() } else { identity::digest(key).into() }
    }

    /// How many targets it speaks of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.targets.len()
    }

    /// Whether it speaks of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.targets.is_empty()
    }

    /// How old it is by the wall clock.
    #[must_use]
    pub fn age(&self, wall: u64, limit: Millis) -> Age {
        Age { age: wall.checked_sub(self.0.wall).map(Millis), limit }
    }

    /// What it says of a target under a monitor of this name, or else under any. `now` is the start of this process.
    #[must_use]
    pub fn record(&self, key: &ProbeKey, monitor: &Monitor, age: Age, now: At) -> Option<Record> {
        let wanted = (key.address, &self.digest(key));
        let from = self.0.targets.partition_point(|line| (line.address, &line.check) < wanted);
        let same = || self.0.targets[from..].iter().take_while(|line| (line.address, &line.check) == wanted);
        let line = same().find(|line| line.monitor == monitor.name).or_else(|| same().next())?;
        Some(line.record(age, now))
    }

    /// What it says of regions, by their numbers in this configuration; nothing, where it is too old.
    #[must_use]
    pub fn governed(&self, world: &World, age: Age, now: At) -> Governed {
        let Some(old) = age.age.filter(|_| age.is_fresh()) else { return Governed::default() };
        let numbered = |of: &BTreeMap<Box<str>, Millis>| -> Vec<(RegionId, Past)> {
            let regions = world.regions.iter().enumerate();
            let known = regions.filter_map(|(at, region)| Some((RegionId(at as u16), of.get(&region.name)?)));
            known.map(|(region, before)| (region, Past::ago(now, before.plus(old)))).collect()
        };
        Governed::resumed(numbered(&self.0.governor.emptied), numbered(&self.0.governor.held))
    }

    /// What begins to serve in this configuration, so far as it had come by now; nothing, where that is too old.
    #[must_use]
    pub fn slow_starts(&self, world: &World, age: Age) -> Vec<SlowStart> {
        let Some(old) = age.age.filter(|_| age.is_fresh()) else { return Vec::new() };
        self.0.slow_starts.iter().filter_map(|start| start.resumed(world, old)).collect()
    }

    /// What a target counted as that was found down; none: as down.
    #[must_use]
    pub fn counted(&self, world: &World, id: TargetId) -> Option<Health> {
        if self.0.governor.kept.is_empty() {
            return None;
        }
        let target = world.targets.get(id.at())?;
        let monitor = &world.monitors.get(target.monitor.at())?.name;
        let check = target.key().map(|key| self.digest(key));
        let wanted = (target.address(), &check);
        let from = self.0.governor.kept.partition_point(|kept| (kept.address, &kept.check) < wanted);
        let same = || self.0.governor.kept[from..].iter().take_while(|kept| (kept.address, &kept.check) == wanted);
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
        let gone = |(gone, since): (Millis, Option<At>)| since.map_or(gone, |since| gone.plus(now.since(since)));
        Some(Self {
            pool: world.pools.get(start.pool.at())?.name.clone(),
            endpoint,
            of,
            gone: start.way.map(gone),
            walks: start.way.is_some_and(|(_, since)| since.is_some()),
            over: start.over,
        })
    }

    /// The same in this configuration, `old` after it was saved: whatever serves goes on to do so while no
    /// server of ours looks at it.
    fn resumed(&self, world: &World, old: Millis) -> Option<SlowStart> {
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
        let gone = self.gone.map(|gone| if self.walks { gone.plus(old) } else { gone });
        Some(SlowStart { pool: PoolId(pool as u32), of, way: gone.map(|gone| (gone, None)), over: self.over })
    }
}

/// The addresses of an endpoint, or the name that it is.
fn answered_as(endpoint: &Endpoint) -> Vec<Box<str>> {
    let addresses = Family::BOTH.into_iter().filter_map(|family| endpoint.address(family));
    let name = endpoint.cname.iter().map(|name| name.to_string().into());
    addresses.map(|address| address.to_string().into()).chain(name).collect()
}

impl SavedTarget {
    fn record(&self, age: Age, now: At) -> Record {
        let health = self.health.into();
        let used = age.is_fresh();
        let last = self.last.as_deref().map(Box::from);
        let restored = Some(Restored { health, age: age.age.map(|age| age.plus(self.since)), used, last });
        if !used {
            return Record { restored, ..Record::default() };
        }
        let old = age.age.unwrap_or_default();
        let fall = |down: Millis| Fall { at: now, before: down.plus(old), released: self.released };
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

#[cfg(test)]
mod tests;
