//! What is told of regions that are lost or back: their endpoints, and where their clients go. Must not know how it is counted
//! which of them are.

use std::{cmp::Reverse, collections::BTreeMap, net::Ipv4Addr};

use super::{
    Ledger,
    members::{members, name},
    region_counts::RegionChange,
};
use crate::{
    engine::{
        geo::normalise,
        health::fold::Health,
        live::PoolRow,
        steer::{
            self, Parts, Verdict as Answer,
            locate::{Asker, Whereabouts, locate},
            trace::{Rung, Silent},
        },
        types::{At, Chance, Family, MapId, PoolId, Prefix, RegionId, ServiceId, TargetId, UnixMillis},
        world::{
            Asks, World,
            draw::splitmix,
            service::{Fallback, Service},
        },
    },
    node::change::{Change, Move, RegionTurn},
};

/// The most clients of one service that are asked for, one of each catchment.
const CLIENTS: usize = 256;
/// The most services that are asked for; those with equal pools are one.
const SERVICES: usize = 64;
/// Further clients of each service, in blocks of their own, so that all that share by the block are seen.
const BLOCKS: u64 = 64;
/// Draws for a service at the least, shared by its clients, so that all that share a band are seen; each client has some.
const DRAWS: usize = 1024;

impl Ledger {
    /// The regions that have turned since this was asked last. That one is up for the first time is no news.
    pub fn turn_regions(&mut self, now: At) -> Vec<RegionChange> {
        let mut turns = self.rows.regions.turns(now, &mut self.facts.said);
        turns.retain(|turn| turn.to != Health::Up || turn.before.is_some());
        turns
    }

    /// Adds to the changes of the newest input which regions are lost or back by it. Slow where a region is lost: what it
    /// changes for queries should be published before.
    pub fn tell_regions(&self, now: At, turns: Vec<RegionChange>, changes: &mut Vec<Change>) {
        for RegionChange { region, to, before } in turns {
            let class = (to == Health::Up).then_some(Health::Up);
            let endpoints = self.counted(region, class);
            let decided = |change: &&Change| match change {
                Change::Verdict(verdict) => {
                    verdict.transition.to == to && verdict.endpoints.iter().any(|name| endpoints.contains(name))
                }
                _ => false,
            };
            let verdict = match changes.iter().rev().find(decided) {
                Some(Change::Verdict(verdict)) => Some(verdict.clone()),
                _ => None,
            };
            let (since, moves) = match to {
                Health::Up => (before.map(|(_, at)| now.since(at)), Vec::new()),
                _ => (self.last_good(region).map(|at| now.since(at)), self.moves(region)),
            };
            let region = self.world.regions.get(region.at()).map_or_else(Box::default, |region| region.name.clone());
            changes.push(Change::Region(Box::new(RegionTurn { region, to, since, endpoints, moves, verdict })));
        }
    }

    /// The endpoints of a region that are counted, or counted as something, as `pool/endpoint`.
    fn counted(&self, region: RegionId, class: Option<Health>) -> Vec<Box<str>> {
        let pools = self.world.pools.iter();
        let own = pools.flat_map(|pool| members(pool).map(move |(_, index, e)| (pool, index, e)));
        own.filter(|(_, index, endpoint)| {
            let counts = self.rows.regions.classes.get(*index).copied().flatten();
            endpoint.region == region && counts.is_some() && class.is_none_or(|class| counts == Some(class))
        })
        .map(|(pool, _, endpoint)| name(pool, endpoint))
        .collect()
    }

    /// When a probe of an endpoint of a region was good last, as far as the evidence goes back.
    fn last_good(&self, region: RegionId) -> Option<At> {
        let mut open: Vec<TargetId> = self.targets_in(region);
        let mut last = None;
        while let Some(id) = open.pop() {
            if let Some(Asks::Several { of, .. }) = self.world.targets.get(id.at()).map(|target| &target.asks) {
                open.extend(of);
            }
            let record = self.facts.records.get(id.at());
            let evidence = record.into_iter().flat_map(|record| record.evidence.iter().rev());
            last = last.max(evidence.filter(|(_, found)| found.is_good() == Some(true)).map(|(at, _)| *at).next());
        }
        last
    }

    /// Where the clients of a lost region go: of each service one client of each catchment is asked for twice, by the code
    /// that answers queries, once as if the region were up and once as it is.
    fn moves(&self, lost: RegionId) -> Vec<Move> {
        let rows = self.rows_with(lost);
        let mut known: Vec<(&Service, Vec<Box<str>>)> = Vec::new();
        let mut moves: Vec<Move> = Vec::new();
        let own = self.world.services.iter().enumerate().filter(|(_, s)| s.is_configured());
        for (at, service) in own.filter(|(_, service)| service.pools(&self.world).any(|pool| self.is_in(pool, lost))) {
            let alike = known.iter().find(|(other, _)| is_steered_alike(other, service)).map(|(_, to)| to.clone());
            if alike.is_none() && known.len() == SERVICES {
                continue;
            }
            let to = alike.unwrap_or_else(|| {
                let to = self.takers(ServiceId(at as u32), service, lost, &rows);
                known.push((service, to.clone()));
                to
            });
            if to.is_empty() {
                continue;
            }
            let text = service.name.to_string();
            let name: Box<str> = text.strip_suffix('.').unwrap_or(&text).into();
            let alike =
                |known: &&mut Move| known.to.len() == to.len() && known.to.iter().all(|taker| to.contains(taker));
            match moves.iter_mut().find(alike) {
                Some(known) => known.services.push(name),
                None => moves.push(Move { services: vec![name], to }),
            }
        }
        moves
    }

    fn is_in(&self, pool: PoolId, region: RegionId) -> bool {
        let pool = self.world.pools.get(pool.at());
        pool.is_some_and(|pool| members(pool).any(|(.., endpoint)| endpoint.region == region))
    }

    /// The rows of pools as if all endpoints of a region were up.
    fn rows_with(&self, region: RegionId) -> Vec<PoolRow> {
        let mut rows = self.rows.pools().to_vec();
        for (pool, row) in self.world.pools.iter().zip(&mut rows) {
            for (position, _, endpoint) in members(pool).filter(|(.., e)| e.region == region) {
                for family in Family::BOTH {
                    if endpoint.address(family).is_some() || endpoint.cname.is_some() {
                        row.up[family] |= 1 << position;
                    }
                    row.down[family] &= !(1 << position);
                    row.governed[family] &= !(1 << position);
                }
            }
        }
        rows
    }

    /// What takes the clients that a service would send to a region, were it up; the most first.
    fn takers(&self, id: ServiceId, service: &Service, lost: RegionId, with: &[PoolRow]) -> Vec<Box<str>> {
        let world: &World = &self.world;
        let now = self.parts(self.rows.pools());
        let before = self.parts(with);
        let here = Whereabouts { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers };
        let mut takers: BTreeMap<Box<str>, usize> = BTreeMap::new();
        let samples = samples(world, &service.table.maps);
        let draws = (DRAWS / samples.len()).max(8);
        for (at, source) in samples.into_iter().enumerate() {
            let asker = Asker { source: normalise(source).0, subnet: None, believed: false };
            let client = locate(&asker, service, false, &here);
            for draw in (at * draws..(at + 1) * draws).map(|n| splitmix(n as u64)) {
                let chance = Chance { now: UnixMillis(0), random: draw, draw: Some(draw) };
                let decide = |parts| steer::decide_name(parts, (id, service), &client, chance, &mut Silent);
                let was = decide(&before);
                let Some((pool, region)) = self.first(&was) else { continue };
                if region != lost {
                    continue;
                }
                *takers.entry(self.taker(service, pool, &decide(&now))).or_default() += 1;
            }
        }
        let mut takers: Vec<(Box<str>, usize)> = takers.into_iter().collect();
        takers.sort_by_key(|(_, clients)| Reverse(*clients));
        takers.into_iter().map(|(taker, _)| taker).collect()
    }

    fn parts<'s>(&'s self, rows: &'s [PoolRow]) -> Parts<'s> {
        Parts { world: &self.world, rows, live: self.rows.endpoints(), assignments: &self.facts.assignments }
    }

    /// The pool that a decision answers from, and the region of its first endpoint.
    fn first(&self, decision: &steer::Decision) -> Option<(PoolId, RegionId)> {
        let Answer::Endpoints { route, .. } = decision.verdict else { return None };
        let id = self.world.routes.get(route.at())?.pool;
        let pool = self.world.pools.get(id.at())?;
        Some((id, pool.endpoints.get(usize::from(*decision.chosen.first()?))?.region))
    }

    /// What a decision answers with, in words.
    fn taker(&self, service: &Service, from: PoolId, decision: &steer::Decision) -> Box<str> {
        let living = matches!(decision.rung, Rung::Preferred | Rung::Relaxed);
        let pool_name = |id: PoolId| self.world.pools.get(id.at()).map_or("", |pool| &pool.name);
        match self.first(decision).filter(|_| living) {
            Some((pool, region)) => {
                let region = self.world.regions.get(region.at()).map_or("", |region| &region.name);
                if pool_name(pool) == pool_name(from) {
                    region.into()
                } else {
                    format!("{region} by pool {}", pool_name(pool)).into()
                }
            }
            None => match service.when_all_down {
                Fallback::IgnoreHealth => "endpoints that are down (when_all_down = \"ignore-health\")",
                Fallback::ServeAll => "endpoints that are down (when_all_down = \"serve-all\")",
                Fallback::LastKnown => "the endpoints that were up last (when_all_down = \"last-known\")",
                Fallback::Cname(_) => "the other name of when_all_down",
                Fallback::Addresses(_) => "the addresses of when_all_down",
                Fallback::NoData => "nothing (when_all_down = \"nodata\")",
                Fallback::ServFail => "nothing (when_all_down = \"servfail\")",
                Fallback::Refused => "nothing (when_all_down = \"refused\")",
            }
            .into(),
        }
    }
}

/// Whether clients of both go the same ways.
fn is_steered_alike(one: &Service, other: &Service) -> bool {
    (&one.routes, &one.table.maps, &one.when_all_down, one.families, one.canary, one.gate)
        == (&other.routes, &other.table.maps, &other.when_all_down, other.families, other.canary, other.gate)
}

/// One client of each catchment of some maps, evenly thinned out, and some clients in other blocks.
fn samples(world: &World, maps: &[MapId]) -> Vec<Prefix> {
    let maps = maps.iter().filter_map(|id| world.maps.get(id.at()));
    let all: Vec<Prefix> = maps.flat_map(|map| map.samples()).collect();
    let step = all.len().div_ceil(CLIENTS).max(1);
    let mut thinned: Vec<Prefix> = all.into_iter().step_by(step).collect();
    // 32.0.0.0/3 has no special-purpose block in it.
    let address = |n: u64| Ipv4Addr::from(splitmix(n) as u32 & 0x1fff_ffff | 0x2000_0000);
    thinned.extend((0..BLOCKS).map(|n| Prefix::host(address(n).into())));
    thinned
}
