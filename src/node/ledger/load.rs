//! What is reported of load, by the endpoints that it is of, and what that makes of an endpoint: load ÷ capacity. Kept by name, so
//! that it outlives a reload. Must not know what follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::overrides::Named;
use crate::{
    engine::{
        entries,
        signal::load::{Load, Smoothed, is_load},
        types::{At, Millis, PoolId},
        world::World,
    },
    node::{change::Change, overrides::Scope},
};

/// One sum that is reported again and again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Report {
    load: Smoothed,
    max_age: Millis,
    silent: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Reports {
    #[serde(with = "entries")]
    of: BTreeMap<Scope, Report>,
    /// How often a report was missed for longer than it may be.
    gaps: u64,
}

/// What the weight of an endpoint is a share of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// The endpoint's own weight; 0 while it is down or out.
    pub(super) own: u64,
    /// All of its pool's.
    pub(super) pool: u64,
    /// All of its region's, in the pools that name a load.
    pub(super) region: u64,
}

/// Load ÷ capacity of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ratio {
    /// As reported.
    Fresh(f64),
    /// Nothing fresh is reported since then.
    Silent(At),
    /// It has no part in what is reported: it is down, out or of no weight.
    Idle,
}

impl Reports {
    /// Takes in a report. One that is no load, or is of endpoints in no pool that names a load, says nothing.
    pub(super) fn take(&mut self, now: At, scope: &Scope, load: f64, world: &World) -> Option<Change> {
        let (max_age, smooth) = terms(world, scope).filter(|_| is_load(load))?;
        let Some(report) = self.of.get_mut(scope) else {
            self.of.insert(scope.clone(), Report { load: Smoothed::new(now, load), max_age, silent: false });
            return None;
        };
        report.load.take(now, load, max_age, smooth);
        std::mem::take(&mut report.silent).then(|| Change::Reports { scope: scope.clone(), silent: None })
    }

    /// Lets time pass: which reports are too old now.
    pub(super) fn pass(&mut self, now: At) -> Vec<Change> {
        let mut changes = Vec::new();
        for (scope, report) in &mut self.of {
            if !report.silent && report.load.fresh(now, report.max_age).is_none() {
                report.silent = true;
                self.gaps += 1;
                changes.push(Change::Reports { scope: scope.clone(), silent: Some(report.max_age) });
            }
        }
        changes
    }

    /// When the next report is too old.
    pub(super) fn next(&self) -> Option<At> {
        let fresh = self.of.values().filter(|report| !report.silent);
        fresh.map(|report| report.load.stale_at(report.max_age)).min()
    }

    /// Takes over the terms of another configuration, and forgets reports of which it wants none, or for which it polls
    /// something else: that is another number, perhaps in another unit.
    pub(super) fn carry(&mut self, old: &World, world: &World) {
        self.of.retain(|scope, report| {
            let terms = terms(world, scope);
            report.max_age = terms.map_or(Millis::ZERO, |(max_age, _)| max_age);
            terms.is_some() && about(world, scope).any(|load| about(old, scope).any(|was| was.pull == load.pull))
        });
    }

    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Load ÷ capacity of an endpoint: of the narrowest report that is fresh, its share by weight. Without a capacity the
    /// load itself is the ratio.
    pub(super) fn ratio(&self, now: At, named: Named<'_>, sums: Sums, capacities: Capacities) -> Ratio {
        if sums.own == 0 {
            return Ratio::Idle;
        }
        let share = |of: u64| sums.own as f64 / of.max(1) as f64;
        let about = [
            (Scope::Endpoint(named.pool.into(), named.endpoint.into()), 1.0),
            (Scope::Pool(named.pool.into()), share(sums.pool)),
            (Scope::Region(named.region.into()), share(sums.region)),
        ];
        let mut since = At(0);
        for (scope, share) in about {
            let Some(report) = self.of.get(&scope) else { continue };
            let Some(load) = report.load.fresh(now, report.max_age) else {
                since = since.max(report.load.stale_at(report.max_age));
                continue;
            };
            let own = load * share;
            return Ratio::Fresh(match capacities {
                Capacities { own: Some(capacity), .. } => own / capacity,
                // The region's capacity is shared like its load.
                Capacities { own: None, region: Some(capacity) } => own / (capacity * self::share(sums)),
                Capacities { own: None, region: None } => own,
            });
        }
        Ratio::Silent(since)
    }
}

/// What an endpoint and its region are able to take, where it is configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacities {
    pub(super) own: Option<f64>,
    pub(super) region: Option<f64>,
}

fn share(sums: Sums) -> f64 {
    sums.own as f64 / sums.region.max(1) as f64
}

/// How reports of these endpoints count: `max_age` and `smooth`, the longest of the pools that they are about. None: of no pool
/// that names a load.
fn terms(world: &World, scope: &Scope) -> Option<(Millis, Millis)> {
    about(world, scope).map(|load| (load.max_age, load.smooth)).reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
}

/// The loads of the pools that these endpoints are in.
fn about<'w>(world: &'w World, scope: &Scope) -> impl Iterator<Item = &'w Load> {
    let pools = (0..world.pools.len() as u32).map(PoolId).filter(move |id| scope.touches(world, *id));
    pools.filter_map(|id| load_of(world, id))
}

/// The load that a pool names.
pub(super) fn load_of(world: &World, id: PoolId) -> Option<&Load> {
    let name = world.pools[id.at()].load.as_ref()?;
    world.loads.iter().find(|load| load.name == *name)
}
