//! Another configuration: what is kept of what was known, and by which names. Must not know how rows are made.

use std::{collections::HashMap, mem, sync::Arc};

use super::{
    Ledger,
    facts::LastKnown,
    facts::Live,
    index::Index,
    members::members,
    ramp::Recovery,
    rows::Rows,
    slow_start::{Heirs, Occasion},
};
use crate::{
    engine::{
        health::fold::Record,
        signal::shed::Shed,
        types::{At, PoolId, RouteId, TargetId, members as positions},
        world::{
            Target, World,
            endpoint::Endpoint,
            pool::{Pool, Route},
            table::Assignment,
        },
    },
    node::change::Change,
};

impl Ledger {
    /// Puts `world` in force. History goes by what is probed, never by position: first by the same key under a
    /// monitor of the same name, then by the same key. What is new starts unknown. Everything else goes by the names of
    /// pools, endpoints and services.
    pub(super) fn take_over(&mut self, now: At, world: Arc<World>) -> Vec<Change> {
        let before = self.before(now);
        let old = mem::replace(&mut self.world, Arc::clone(&world));
        self.index = Index::of(&world);
        self.rows = Rows::of(&world);
        let mut changes = vec![self.take_over_health(now, &old, &world)];
        let known = Known::of(&old);
        self.facts.live = self.carried_live(&known, &world);
        self.facts.last = world.pools.iter().map(|pool| self.carried_last(&known, pool)).collect();
        let said: HashMap<_, _> = old.regions.iter().map(|region| &*region.name).zip(&self.facts.said).collect();
        let said_of = |name: &str| said.get(name).copied().copied().flatten();
        self.facts.said = world.regions.iter().map(|region| said_of(&region.name)).collect();
        self.facts.assignments =
            (0..world.routes.len() as u32).map(|id| self.carried_assignment(&known, &world, RouteId(id))).collect();
        let fine: HashMap<_, _> = old.services.iter().map(|service| &service.name).zip(&self.facts.fine).collect();
        self.facts.fine =
            world.services.iter().map(|service| fine.get(&service.name).copied().copied().flatten()).collect();
        self.facts.reports.carry(&old, &world);
        changes.extend(self.facts.words.idle(now, &world));
        for (id, serving) in self.carry_slow_starts(now, &Heirs::of(&old, &world), &before) {
            self.begin(now, id, u64::MAX, &serving, Occasion::Reload, &mut changes);
        }
        self.pass_beliefs(now, &mut changes);
        self.reshape(now);
        changes
    }

    /// Other maps of the same configuration: whatever the rows stand for is as it was.
    pub(super) fn take_maps(&mut self, now: At, world: Arc<World>) {
        let old = mem::replace(&mut self.world, Arc::clone(&world));
        self.rows.stir();
        let known = Known::of(&old);
        self.facts.assignments =
            (0..world.routes.len() as u32).map(|id| self.carried_assignment(&known, &world, RouteId(id))).collect();
        self.reshape(now);
    }

    fn take_over_health(&mut self, now: At, old: &World, world: &World) -> Change {
        // The record that a target inherits, by its position in the old configuration.
        let heir = |(n, target): (usize, &Target)| {
            let name = |w: &World, t: &Target| w.monitors[t.monitor.at()].name.clone();
            let Some(probe) = world.probes.id(TargetId(n as u32)) else {
                let is = |was: &Target| {
                    was.key().is_none() && was.address() == target.address() && name(old, was) == name(world, target)
                };
                return old.targets.iter().position(is).map(|n| TargetId(n as u32));
            };
            let same = old.probes.targets(&probe);
            same.iter().find(|id| name(old, &old.targets[id.at()]) == name(world, target)).or(same.first()).copied()
        };
        let heirs: Vec<_> = world.targets.iter().enumerate().map(heir).collect();
        let kept = heirs.iter().flatten().count();
        self.facts.records = heirs
            .iter()
            .map(|heir| heir.map_or_else(Record::default, |id| self.facts.records[id.at()].clone()))
            .collect();
        self.facts.timings = heirs
            .iter()
            .map(|heir| heir.map_or_else(Arc::default, |id| Arc::clone(&self.facts.timings[id.at()])))
            .collect();
        let is_gone = |n: &u32| old.probes.id(TargetId(*n)).is_some_and(|id| world.probes.targets(&id).is_empty());
        let gone = (0..old.targets.len() as u32).filter(is_gone).count();
        self.unheard = self.facts.unheard(world);
        self.compose_all(now);
        self.carry_beliefs(now, old, world, &heirs);
        // The difference is worked out for a reload only: at the start it would name everything.
        Change::World { kept, fresh: world.targets.len() - kept, gone, what: Box::default() }
    }

    /// Sheds and response times go with the endpoint's name.
    fn carried_live(&self, known: &Known<'_>, world: &World) -> Vec<Live> {
        let mut carried = vec![Live::default(); world.endpoint_count()];
        for (pool, shaping) in world.pools.iter().zip(&self.index.shaping) {
            for (_, index, endpoint) in members(pool) {
                let Some((before, _)) = known.endpoint(pool, endpoint) else { continue };
                let mut live = self.facts.live[before];
                live.recovery = Recovery::default(); // it goes by address
                if shaping.marks.is_none() {
                    live.shed = Shed::default();
                }
                carried[index] = live;
            }
        }
        carried
    }

    /// What was up last, by name.
    fn carried_last(&self, known: &Known<'_>, pool: &Pool) -> LastKnown {
        let Some(id) = known.pool(pool) else { return LastKnown::default() };
        let (was, row) = (&known.0.pools[id.at()], self.facts.last[id.at()]);
        let carried = |set: u64| {
            let names: Vec<&str> = positions(set)
                .filter_map(|n| was.endpoints.get(usize::from(n)))
                .map(|endpoint| &*endpoint.name)
                .collect();
            members(pool)
                .filter(|(.., endpoint)| names.contains(&&*endpoint.name))
                .fold(0, |set, (position, ..)| set | 1 << position)
        };
        let (last, last_in) = (carried(row.last), row.last_in.map(carried));
        LastKnown { last, last_in, last_at: if last == 0 { 0 } else { row.last_at } }
    }

    /// An assignment goes with a route whose map, and whose pool's regions, are what they were: it speaks of both by number.
    fn carried_assignment(&self, known: &Known<'_>, world: &World, id: RouteId) -> Option<Arc<Assignment>> {
        let policy = |w: &World, route: &Route| w.policies.get(route.policy.at()).cloned();
        let map = |w: &'_ World, route: &Route| route.map.map(|id| id.at()).filter(|at| *at < w.maps.len());
        let is_own = |w: &World, at: usize| at < w.pools.len();
        let (route, pool) = (&world.routes[id.at()], world.pool_of(id)?);
        let at = (0..known.0.routes.len()).find(|at| {
            let was = &known.0.routes[*at];
            known.0.pools.get(was.pool.at()).is_some_and(|known| known.name == pool.name)
                && is_own(known.0, *at) == is_own(world, id.at())
                && policy(known.0, was) == policy(world, route)
        })?;
        let was = &known.0.routes[at];
        let same_map = match (map(known.0, was), map(world, route)) {
            (Some(a), Some(b)) => known.0.maps[a] == world.maps[b],
            (None, None) => true,
            _ => false,
        };
        let assignment = self.facts.assignments.get(at)?.as_ref()?;
        let before = known.0.pools.get(was.pool.at())?;
        (same_map && regions(known.0, before) == regions(world, pool)).then(|| Arc::clone(assignment))
    }
}

/// A pool's regions by name, in id order.
fn regions<'w>(world: &'w World, pool: &Pool) -> Vec<&'w str> {
    let mut ids: Vec<_> = members(pool).map(|(.., endpoint)| endpoint.region).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(|id| world.regions.get(id.at()).map_or("", |region| &*region.name)).collect()
}

/// The old configuration by names.
struct Known<'w>(&'w World, HashMap<&'w str, PoolId>);

impl<'w> Known<'w> {
    fn of(world: &'w World) -> Self {
        let own = world.pools.iter().enumerate();
        Self(world, own.map(|(id, pool)| (&*pool.name, PoolId(id as u32))).collect())
    }

    /// The pool of the same name.
    fn pool(&self, pool: &Pool) -> Option<PoolId> {
        self.1.get(&*pool.name).copied()
    }

    /// The endpoint of the same name in the pool of the same name: position among all, endpoint.
    fn endpoint(&self, pool: &Pool, endpoint: &Endpoint) -> Option<(usize, &'w Endpoint)> {
        let pool = &self.0.pools[self.pool(pool)?.at()];
        members(pool).find(|(.., was)| was.name == endpoint.name).map(|(_, index, was)| (index, was))
    }
}
