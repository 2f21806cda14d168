//! Which regions an event would empty: those whose last endpoint goes down that probes have up and operators have not
//! taken out. Must not know what is decided then.

use super::super::{
    Ledger,
    derive::supposed,
    members::{endpoint, name},
    overrides::Named,
};
use crate::{
    engine::{
        health::{fold::Health, governor::Ended},
        live::{EndpointState, eligible::Standing},
        types::{At, Millis, PoolId, RegionId, TargetId, members as positions},
    },
    node::{
        change::{Change, Held, LetGo},
        ledger::derive::overridden,
    },
};

impl Ledger {
    /// Where the endpoints are that a target is about.
    pub(in crate::node::ledger) fn regions_of(&self, id: TargetId) -> Vec<RegionId> {
        let mut found: Vec<RegionId> =
            self.seats_of(id).map(|(_, index)| endpoint(&self.world, index).region).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The endpoints that a target is about: pool, and place among all.
    fn seats_of(&self, id: TargetId) -> impl Iterator<Item = (PoolId, usize)> + '_ {
        self.index.users[id.at()].iter().flat_map(|(pool, set)| {
            let first = self.world.pools[pool.at()].first.at();
            positions(*set).map(move |n| (*pool, first + usize::from(n)))
        })
    }

    /// What is probed in a region.
    pub(in super::super) fn targets_in(&self, region: RegionId) -> Vec<TargetId> {
        let endpoints = self.index.seats.in_region(region).iter().map(|(_, index)| endpoint(&self.world, *index));
        endpoints.flat_map(|endpoint| endpoint.targets).flatten().collect()
    }

    /// The regions that have somebody, and would have nobody were these down. In id order.
    pub(super) fn emptied(&self, now: At, down: &[TargetId]) -> Vec<RegionId> {
        let mut sorted = down.to_vec();
        sorted.sort_unstable();
        // A region is looked through only for somebody who would go: at the start of thousands nobody is there yet.
        let goes = |seat| self.is_there(now, seat, &[]) && !self.is_there(now, seat, &sorted);
        let mut regions: Vec<RegionId> = down
            .iter()
            .flat_map(|id| self.seats_of(*id))
            .filter(|seat| goes(*seat))
            .map(|(_, index)| endpoint(&self.world, index).region)
            .collect();
        regions.sort_unstable();
        regions.dedup();
        regions.retain(|region| !self.has_somebody(now, *region, &sorted));
        regions
    }

    /// Whether a region has anybody, were these down, who are sorted.
    fn has_somebody(&self, now: At, region: RegionId, down: &[TargetId]) -> bool {
        self.index.seats.in_region(region).iter().any(|seat| self.is_there(now, *seat, down))
    }

    /// Whether an endpoint is there for its region, were these targets down, which are sorted: whether it would be eligible
    /// and up by itself. What an operator has taken out is not there for probes to take out; what one forces up they do not.
    fn is_there(&self, now: At, (pool, index): (PoolId, usize), down: &[TargetId]) -> bool {
        let endpoint = endpoint(&self.world, index);
        let said = self.facts.words.effect(now, Named::of(&self.world, &self.world.pools[pool.at()].name, endpoint));
        overridden(self.stood(index, down), endpoint, &said)
            .verdict(self.index.shaping[pool.at()].families)
            .is_ok_and(Standing::is_up)
    }

    /// How an endpoint would stand, were these targets down, which are sorted. Of a target of which nothing is known any
    /// more it matters how it stood before.
    fn stood(&self, index: usize, down: &[TargetId]) -> EndpointState {
        let stood = |id: TargetId| self.facts.beliefs.stood[id.at()].0;
        let health = |id: TargetId| if down.binary_search(&id).is_ok() { Health::Down } else { stood(id) };
        supposed(endpoint(&self.world, index), health)
    }

    /// Tells that a region is held; `since`: for how long already, by an earlier process.
    pub(in crate::node::ledger) fn hold(&self, now: At, region: RegionId, since: Option<Millis>) -> Change {
        let rules = &self.world.health.governor;
        let lately = self.facts.beliefs.governed.lately(rules, now);
        Change::Held(Box::new(Held {
            region: self.region_name(region),
            left: lately.map(|region| self.region_name(region)).collect(),
            of: self.index.seats.count(),
            window: rules.window,
            endpoints: self.those(region, |seat, _| self.is_kept(seat)),
            gives_way: self.gives_way(region),
            release: rules.release.minus(since.unwrap_or_default()),
            since,
            canaries: !self.world.health.canaries.is_empty(),
        }))
    }

    fn is_kept(&self, (_, index): (PoolId, usize)) -> bool {
        endpoint(&self.world, index).targets.into_iter().flatten().any(|id| self.facts.beliefs.keeper(id).is_some())
    }

    /// The pools of a region's held endpoints that stand before another pool in a service.
    fn gives_way(&self, region: RegionId) -> Vec<Box<str>> {
        let kept = self.index.seats.in_region(region).iter().filter(|seat| self.is_kept(**seat));
        let mut pools: Vec<PoolId> = kept.map(|(pool, _)| *pool).collect();
        pools.dedup();
        let is_followed = |pool: &PoolId| {
            let mut services = self.world.services.iter();
            services.any(|s| s.pools(&self.world).take(s.routes.len().saturating_sub(1)).any(|before| before == *pool))
        };
        pools.iter().filter(|pool| is_followed(pool)).map(|pool| self.world.pools[pool.at()].name.clone()).collect()
    }

    /// Tells that it is held no longer.
    /// `counted`: who counts as down by that.
    pub(super) fn let_go(&self, now: At, region: RegionId, why: Ended, after: Millis, counted: &[TargetId]) -> Change {
        // An endpoint of which nothing is known, as after a reload, is not called down.
        let down = self.those(region, |(pool, index), _| {
            self.stood(index, &[]).health(self.index.shaping[pool.at()].families) == Health::Down
        });
        let empty = !self.has_somebody(now, region, &[]);
        let pools = self.standings(counted);
        Change::LetGo(Box::new(LetGo { region: self.region_name(region), why, after, down, empty, pools }))
    }

    /// Some endpoints of a region, as `pool/endpoint`.
    fn those(&self, region: RegionId, which: impl Fn((PoolId, usize), Vec<TargetId>) -> bool) -> Vec<Box<str>> {
        let seats = self.index.seats.in_region(region).iter();
        seats
            .filter(|(pool, index)| {
                which((*pool, *index), endpoint(&self.world, *index).targets.into_iter().flatten().collect())
            })
            .map(|(pool, index)| name(&self.world.pools[pool.at()], endpoint(&self.world, *index)))
            .collect()
    }

    /// The endpoints that a target is about, as `pool/endpoint`.
    pub(super) fn names_of(&self, id: TargetId) -> Vec<Box<str>> {
        self.index.users[id.at()]
            .iter()
            .flat_map(|(pool, set)| super::super::health::names(&self.world, *pool, *set))
            .collect()
    }

    fn region_name(&self, region: RegionId) -> Box<str> {
        self.world.regions.get(region.at()).map_or_else(Box::default, |region| region.name.clone())
    }
}
