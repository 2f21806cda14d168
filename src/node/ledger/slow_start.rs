//! Slow starts: which endpoints begin one, and against what. An endpoint gives way to the others of its region; a region
//! that comes back with none of its endpoints serving gives way to other regions. Must not know how a share is reckoned,
//! nor how a query reads it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{
    Ledger,
    derive::weighed,
    facts::Returns,
    members::{members, name},
    overrides::Named,
    ramp::{Cold, Ramp, Recovery, Seen, Turn},
};
use crate::{
    engine::{
        health::fold::Health,
        live::eligible::Standing,
        types::{At, EndpointId, Family, Millis, PoolId, RegionId, TargetId, members as positions},
        world::{World, endpoint::Endpoint, pool::Pool},
    },
    node::{
        change::{Change, Pace},
        ledger::derive::overridden,
        saved::{Age, Saved},
        status::{SlowStart, SlowStartOf},
    },
};

/// What of a pool serves while endpoints of it begin to.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving {
    /// The endpoints, as bits.
    pub(super) endpoints: u64,
    /// Regions that were served up to now, though perhaps by none of these endpoints.
    pub(super) regions: Vec<RegionId>,
}

/// On what occasion endpoints are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Health or an operator's word has changed.
    Change,
    /// Another configuration is in force: what is up under it has nothing to recover from, unless it was at it.
    Reload,
    /// What an earlier process knew is taken over.
    Restart,
}

impl Ledger {
    /// Begins, halts and ends slow starts of a pool's endpoints, as their health and weights want.
    pub(super) fn recover(&mut self, now: At, id: PoolId, set: u64, changes: &mut Vec<Change>) {
        // Where nothing can begin, nothing is made of it.
        let (first, count) = (self.world.pools[id.at()].first.at(), self.world.pools[id.at()].count());
        let is_cold = |n: u8| self.facts.live.get(first + usize::from(n)).is_some_and(|live| !live.is_warm());
        let begins = self.index.shaping[id.at()].slow_start != Millis::ZERO
            && positions(set).take_while(|n| *n < count).any(is_cold);
        let serving = if begins { self.serving(now, id) } else { Serving::default() };
        self.begin(now, id, set, &serving, Occasion::Change, changes);
    }

    /// The same for all pools.
    pub(super) fn recover_all(&mut self, now: At, changes: &mut Vec<Change>) {
        for id in (0..self.world.pools.len() as u32).map(PoolId) {
            self.recover(now, id, u64::MAX, changes);
        }
    }

    /// The endpoints of a pool that serve: up by their own probes or by an operator's word, with a weight, and not about
    /// to begin. What the governor holds does not.
    pub(super) fn serving(&self, now: At, id: PoolId) -> Serving {
        let (world, shaping) = (&self.world, &self.index.shaping[id.at()]);
        let pool = &world.pools[id.at()];
        let mut serving = Serving::default();
        for (position, index, endpoint) in members(pool) {
            let said = self.facts.words.effect(now, Named::of(world, &pool.name, endpoint));
            let measured = self.measured(now, endpoint);
            let eligible = overridden(measured.state, endpoint, &said).verdict(shaping.families);
            let serves = measured.health(shaping) == Health::Up
                && measured.state.is_truly_up()
                && self.facts.live[index].is_warm();
            if eligible.is_ok_and(Standing::is_up) && (said.force == Some(true) || serves) {
                serving.endpoints |= 1 << position;
            }
        }
        serving
    }

    /// Begins, halts and ends slow starts where these serve already.
    pub(super) fn begin(
        &mut self,
        now: At,
        id: PoolId,
        set: u64,
        serving: &Serving,
        occasion: Occasion,
        changes: &mut Vec<Change>,
    ) {
        let world = Arc::clone(&self.world);
        let (pool, over) = (&world.pools[id.at()], self.index.shaping[id.at()].slow_start);
        for (position, index, endpoint) in members(pool).filter(|(position, ..)| set >> position & 1 == 1) {
            let seen = self.seen(now, id, endpoint);
            let others = serving.endpoints & !(1 << position);
            let begins = match (occasion, self.facts.live[index].recovery.cold) {
                // Nothing starts slowly in a process's first probe round, but for what is known to have been down.
                (Occasion::Change, Some(Cold::Down)) => self.facts.ready || self.is_restored(endpoint),
                (Occasion::Change, Some(Cold::Weightless)) => self.facts.ready && others != 0,
                (Occasion::Change | Occasion::Reload, Some(Cold::New)) => others != 0,
                (Occasion::Reload, Some(Cold::Weightless)) => others != 0,
                (Occasion::Reload, Some(Cold::Down)) | (Occasion::Restart, _) | (_, None) => false,
            };
            let recovery = &mut self.facts.live[index].recovery;
            let back = recovery.cold == Some(Cold::Down);
            if recovery.observe(now, seen, over, |_| begins) == Some(Turn::Begun) {
                let pace = if back { Pace::Back } else { Pace::First };
                changes.push(Change::SlowStart { endpoint: name(pool, endpoint), over, pace });
                let here = |n: u8| pool.endpoints[usize::from(n)].region == endpoint.region;
                if !serving.regions.contains(&endpoint.region) && !positions(others).any(here) {
                    self.facts.returns[id.at()].entry(endpoint.region).or_insert(Ramp::begun(now, !seen.failing));
                }
            }
        }
        self.walk(now, id);
    }

    /// Lets the regions of a pool that have come back walk on while an endpoint of theirs is well. When all are down the
    /// way is lost.
    fn walk(&mut self, now: At, id: PoolId) {
        if self.facts.returns[id.at()].is_empty() {
            return;
        }
        let world = Arc::clone(&self.world);
        let mut returns = std::mem::take(&mut self.facts.returns[id.at()]);
        returns.retain(|region, ramp| {
            let of_region = members(&world.pools[id.at()]).filter(|(.., endpoint)| endpoint.region == *region);
            let seen: Vec<Seen> =
                of_region.map(|(.., endpoint)| self.seen(now, id, endpoint)).filter(|seen| seen.weighted).collect();
            ramp.walks(now, seen.iter().any(|seen| seen.health == Health::Up && !seen.failing));
            seen.iter().any(|seen| seen.health != Health::Down)
        });
        self.facts.returns[id.at()] = returns;
    }

    /// Ends the slow starts that are done.
    pub(super) fn end_slow_starts(&mut self, now: At, changes: &mut Vec<Change>) {
        let world = Arc::clone(&self.world);
        for (id, pool) in world.pools.iter().enumerate() {
            let over = self.index.shaping[id].slow_start;
            for (_, index, endpoint) in members(pool).filter(|_| !over.is_zero()) {
                let recovery = &mut self.facts.live[index].recovery;
                if recovery.ramp.take_if(|ramp| ramp.is_done(now, over)).is_some() {
                    changes.push(Change::SlowStart { endpoint: name(pool, endpoint), over, pace: Pace::Whole });
                }
            }
            self.facts.returns[id].retain(|_, ramp| !ramp.is_done(now, over));
        }
    }

    fn seen(&self, now: At, id: PoolId, endpoint: &Endpoint) -> Seen {
        let (measured, pool) = (self.measured(now, endpoint), &self.world.pools[id.at()]);
        let said = self.facts.words.effect(now, Named::of(&self.world, &pool.name, endpoint));
        Seen {
            health: measured.health(&self.index.shaping[id.at()]),
            failing: measured.is_failing(),
            weighted: weighed(endpoint.weight, said.weight) > 0,
        }
    }

    /// Whether an earlier process has left something of an endpoint's health.
    fn is_restored(&self, endpoint: &Endpoint) -> bool {
        let used = |id: TargetId| self.facts.records[id.at()].restored.as_ref().is_some_and(|restored| restored.used);
        endpoint.targets.into_iter().flatten().any(used)
    }

    /// All slow starts that are under way, and those that wait for an endpoint's first *up*.
    pub(super) fn slow_starts(&self) -> Vec<SlowStart> {
        let mut all = Vec::new();
        for (n, pool) in self.world.pools.iter().enumerate() {
            let (pool_id, over) = (PoolId(n as u32), self.index.shaping[n].slow_start);
            let start = |of, way: Option<(Millis, Option<At>)>| SlowStart { pool: pool_id, of, way, over };
            for (_, index, _) in members(pool).filter(|_| !over.is_zero()) {
                let Recovery { cold, ramp } = self.facts.live[index].recovery;
                if ramp.is_some() || cold == Some(Cold::New) {
                    all.push(start(SlowStartOf::Endpoint(EndpointId(index as u32)), ramp.map(|ramp| ramp.way())));
                }
            }
            let returns = self.facts.returns[n].iter();
            all.extend(returns.map(|(region, ramp)| start(SlowStartOf::Region(*region), Some(ramp.way()))));
        }
        all
    }

    /// Goes on with what an earlier process had begun.
    pub(super) fn resume_slow_starts(&mut self, saved: &Saved, age: Age) {
        let world = Arc::clone(&self.world);
        for SlowStart { pool, of, way, over } in saved.slow_starts(&world, age) {
            let to = self.index.shaping[pool.at()].slow_start;
            let ramp = way.and_then(|(gone, _)| Ramp::halted(gone).carried(At(0), over, to));
            if ramp.is_some_and(|ramp| ramp.is_done(At(0), to)) {
                continue;
            }
            match of {
                SlowStartOf::Endpoint(id) => {
                    let recovery = &mut self.facts.live[id.at()].recovery;
                    if *recovery == Recovery::default() {
                        *recovery = Recovery { cold: way.is_none().then_some(Cold::New), ramp };
                    }
                }
                SlowStartOf::Region(region) => {
                    if let Some(ramp) = ramp {
                        self.facts.returns[pool.at()].entry(region).or_insert(ramp);
                    }
                }
            }
        }
    }
}

/// How slow starts stood under the configuration before.
#[derive(Debug, Default)]
pub(super) struct Before {
    recoveries: Vec<Recovery>,
    /// For each pool.
    returns: Vec<Returns>,
    serving: Vec<Serving>,
    over: Vec<Millis>,
}

/// Which endpoint of the configuration before one goes on from: the one at its address.
#[derive(Debug)]
pub(super) struct Heirs<'w> {
    old: &'w World,
    new: &'w World,
}

/// What an endpoint is answered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answered<'w> {
    Address(IpAddr),
    /// In wire form.
    Name(&'w [u8]),
}

fn answered(endpoint: &Endpoint) -> impl Iterator<Item = Answered<'_>> {
    let addresses = Family::BOTH.into_iter().filter_map(|family| endpoint.address(family));
    addresses.map(Answered::Address).chain(endpoint.cname.iter().map(|name| Answered::Name(name.wire())))
}

impl<'w> Heirs<'w> {
    pub(super) fn of(old: &'w World, new: &'w World) -> Self {
        Self { old, new }
    }

    /// The pool that each pool goes on from: of the same name; else one whose name is gone, by the addresses that both
    /// have. Copies are left out.
    fn pools(&self) -> Vec<(PoolId, Option<PoolId>)> {
        let own = |world: &'w World| world.pools.iter().enumerate();
        let by_name: BTreeMap<&str, usize> = own(self.old).map(|(n, pool)| (&*pool.name, n)).collect();
        let named: BTreeSet<&str> = own(self.new).map(|(_, pool)| &*pool.name).collect();
        // The pools whose name is gone, by what their endpoints are answered as.
        let mut gone: HashMap<Answered<'_>, Vec<usize>> = HashMap::new();
        for (n, was) in own(self.old).filter(|(_, was)| !named.contains(&*was.name)) {
            for answered in members(was).flat_map(|(.., endpoint)| answered(endpoint)) {
                gone.entry(answered).or_default().push(n);
            }
        }
        let renamed = |pool: &Pool| {
            let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
            let answered = members(pool).flat_map(|(.., endpoint)| answered(endpoint));
            for was in answered.filter_map(|answered| gone.get(&answered)).flatten() {
                *shared.entry(*was).or_default() += 1;
            }
            // Of those that share as much the first.
            shared.into_iter().rev().max_by_key(|(_, count)| *count).map(|(was, _)| was)
        };
        let heir = |(n, pool): (usize, &'w Pool)| {
            let was = by_name.get(&*pool.name).copied().or_else(|| renamed(pool));
            (PoolId(n as u32), was.map(|was| PoolId(was as u32)))
        };
        own(self.new).map(heir).collect()
    }

    /// The endpoint of an old pool that one was: with the same address; where several have it, with the most of its
    /// addresses and its name.
    fn predecessor(&self, was: PoolId, endpoint: &Endpoint) -> Option<usize> {
        let rank = |(_, index, before): (u32, usize, &Endpoint)| {
            let alike = [
                before.v4.is_some() && before.v4 == endpoint.v4,
                before.v6.is_some() && before.v6 == endpoint.v6,
                before.cname.is_some() && before.cname == endpoint.cname,
            ];
            let count = alike.iter().filter(|alike| **alike).count();
            (count > 0).then_some(((count, before.name == endpoint.name), index))
        };
        let found = members(&self.old.pools[was.at()]).filter_map(rank);
        // Of those that are alike the first.
        found.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, index)| index)
    }
}

impl Ledger {
    /// How slow starts stand now, to be carried over to another configuration.
    pub(super) fn before(&mut self, now: At) -> Before {
        let pools = (0..self.world.pools.len() as u32).map(PoolId);
        // In the first probe round nothing serves yet.
        let serving = |id| if self.facts.ready { self.serving(now, id) } else { Serving::default() };
        Before {
            recoveries: self.facts.live.iter().map(|live| live.recovery).collect(),
            serving: pools.map(serving).collect(),
            over: self.index.shaping.iter().map(|shaping| shaping.slow_start).collect(),
            returns: std::mem::take(&mut self.facts.returns),
        }
    }

    /// Carries slow starts over to the configuration in force and marks what is new in it. Gives for each pool what of it
    /// was serving up to now.
    pub(super) fn carry_slow_starts(&mut self, now: At, heirs: &Heirs<'_>, before: &Before) -> Vec<(PoolId, Serving)> {
        self.facts.returns = vec![Returns::new(); heirs.new.pools.len()];
        let carried = |(id, was): (PoolId, Option<PoolId>)| {
            (id, was.map_or_else(Serving::default, |was| self.carry_slow_starts_of(now, heirs, (id, was), before)))
        };
        heirs.pools().into_iter().map(carried).collect()
    }

    fn carry_slow_starts_of(
        &mut self,
        now: At,
        heirs: &Heirs<'_>,
        (id, was): (PoolId, PoolId),
        before: &Before,
    ) -> Serving {
        let (old, world) = (heirs.old, heirs.new);
        let (served, returns) = (before.serving[was.at()].endpoints, &before.returns[was.at()]);
        let (pool, from, to) = (&world.pools[id.at()], before.over[was.at()], self.index.shaping[id.at()].slow_start);
        let before_it = &old.pools[was.at()];
        let first = before_it.first.at();
        let (mut serving, mut new) = (Serving::default(), Vec::new());
        // For each region of the pool the furthest way back of those that its endpoints were in; none where one was in a
        // region that served without giving way.
        let mut ways: BTreeMap<RegionId, Option<Ramp>> = BTreeMap::new();
        for (position, index, endpoint) in members(pool) {
            let Some(known) = heirs.predecessor(was, endpoint) else {
                new.push(index);
                continue;
            };
            self.facts.live[index].recovery = before.recoveries[known].carried(now, from, to);
            let serves = served >> (known - first) & 1 == 1;
            let said = self.facts.words.effect(now, Named::of(world, &pool.name, endpoint));
            if serves && weighed(endpoint.weight, said.weight) > 0 && said.force != Some(false) {
                serving.endpoints |= 1 << position;
            }
            match (
                returns.get(&before_it.endpoints[known - first].region).copied(),
                ways.get(&endpoint.region).copied(),
            ) {
                (None, _) if serves => _ = ways.insert(endpoint.region, None),
                (Some(way), None) => _ = ways.insert(endpoint.region, Some(way)),
                (Some(way), Some(Some(other))) if way.gone(now) > other.gone(now) => {
                    ways.insert(endpoint.region, Some(way));
                }
                _ => {}
            }
        }
        let ways = ways.into_iter().filter_map(|(region, way)| Some((region, way?.carried(now, from, to)?)));
        self.facts.returns[id.at()] = ways.collect();
        if serving.endpoints != 0 {
            new.into_iter().for_each(|index| self.facts.live[index].recovery.cold = Some(Cold::New));
        }
        // A region that was served up to now does not come back, whichever of its endpoints it was.
        let regions: BTreeSet<RegionId> =
            positions(served).map(|n| before_it.endpoints[usize::from(n)].region).collect();
        for was in regions.into_iter().filter_map(|region| old.regions.get(region.at())) {
            let number = world.regions.iter().position(|region| region.name == was.name);
            serving.regions.extend(number.map(|number| RegionId(number as u16)));
        }
        serving
    }
}
