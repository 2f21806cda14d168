//! Rows made from what is known: health, what operators said, slow starts, sheds, load. Nothing else writes them. What changes
//! a fact marks the pools whose rows rest on it, and [`Ledger::derive`] makes those again. Must not know inputs.

use super::{
    Ledger,
    index::Shaping,
    load::{Capacities, Ratio, Sums},
    members::members,
    overrides::{Effect, Named},
    rows::Extent,
};
use crate::{
    engine::{
        health::fold::Health,
        live::{EndpointRow, EndpointState, PoolRow},
        types::{At, Family, Millis, PerFamily, PoolId, TargetId},
        units::{Admission, Permille, Rtt},
        wire::edns::Notice,
        world::{
            World,
            endpoint::{Endpoint, MAX_WEIGHT},
        },
    },
    node::change::Keeper,
};

/// What is measured of an endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// Without what operators say.
    pub(super) state: EndpointState,
    /// A family has not been probed yet.
    unheard: bool,
    /// How long until any of it can change.
    soon: Option<Millis>,
}

impl<'a> Named<'a> {
    pub(super) fn of(world: &'a World, pool: &'a str, endpoint: &'a Endpoint) -> Self {
        let region = world.regions.get(endpoint.region.at()).map_or("", |region| &region.name);
        Self { region, pool, endpoint: &endpoint.name }
    }
}

impl Measured {
    /// Of all families together, as eligibility counts them. Before all of them have been probed once an endpoint is not
    /// known to be down, though the one that was probed is: what begins here must not look like a loss.
    pub(super) fn health(&self, shaping: &Shaping) -> Health {
        match self.state.health(shaping.families) {
            Health::Down if self.unheard && !self.state.up.v4 && !self.state.up.v6 => Health::Unknown,
            health => health,
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state.falling.v4 || self.state.falling.v6
    }
}

/// The state of an endpoint with what operators say of it.
pub(super) fn overridden(state: EndpointState, endpoint: &Endpoint, said: &Effect) -> EndpointState {
    let state = EndpointState {
        out: said.force == Some(false),
        drained: said.drained && said.force != Some(false),
        weighted: weighed(endpoint.weight, said.weight) > 0,
        ..state
    };
    if said.force != Some(true) {
        return state;
    }
    let none = PerFamily::default();
    let up = PerFamily::of(|family| state.up[family] || has(endpoint, family));
    EndpointState { up, down: none, falling: none, rising: none, governed: none, held: false, forced: true, ..state }
}

/// The state that an endpoint would have, were its targets so, without what operators say.
pub(super) fn supposed(endpoint: &Endpoint, health: impl Fn(TargetId) -> Health) -> EndpointState {
    let of = |family| target(endpoint, family).map(&health);
    EndpointState {
        up: PerFamily::of(|family| of(family).map_or_else(|| has(endpoint, family), |health| health == Health::Up)),
        down: PerFamily::of(|family| of(family) == Some(Health::Down)),
        ..EndpointState::default()
    }
}

/// For each region, the weights of the endpoints that take part in its load. `weight`: of the n-th endpoint.
fn by_region(world: &World, shaping: &[Shaping], weight: impl Fn(usize) -> u64) -> Vec<u64> {
    let mut sums = vec![0; world.regions.len()];
    for (pool, _) in world.pools.iter().zip(shaping).filter(|(_, shaping)| shaping.load) {
        for (_, index, endpoint) in members(pool) {
            if let Some(sum) = sums.get_mut(endpoint.region.at()) {
                *sum += weight(index);
            }
        }
    }
    sums
}

/// Whose health an endpoint's is in a family. Who is another name has one health, whatever the family.
fn target(endpoint: &Endpoint, family: Family) -> Option<TargetId> {
    let any = || endpoint.cname.as_ref().and_then(|_| endpoint.targets.into_iter().flatten().next());
    endpoint.targets[family].or_else(any)
}

/// Whether an endpoint answers in a family: with an address of it, or as another name. Without a target there it is up.
fn has(endpoint: &Endpoint, family: Family) -> bool {
    endpoint.address(family).is_some() || endpoint.cname.is_some()
}

impl Ledger {
    pub(super) fn measured(&self, now: At, endpoint: &Endpoint) -> Measured {
        let mut measured = Measured::default();
        for family in Family::BOTH {
            let state = &mut measured.state;
            let Some(target) = target(endpoint, family) else {
                state.up[family] = has(endpoint, family);
                continue;
            };
            let (record, believed) = (&self.facts.records[target.at()], self.facts.beliefs.of(target));
            let kept = self.facts.beliefs.keeper(target);
            // A recovery beyond the longest TTL moves nothing yet.
            let near = |soon: &Millis| record.health != Health::Down || *soon <= self.index.horizon;
            // What is kept up against its probes may go at any moment.
            let soon = if kept.is_some() { Some(Millis::ZERO) } else { self.change_in(now, target).filter(near) };
            state.held |= kept.is_some();
            state.governed[family] = kept == Some(Keeper::Governor);
            state.up[family] = believed == Health::Up;
            state.down[family] = believed == Health::Down;
            state.falling[family] = state.up[family] && soon.is_some();
            state.rising[family] = state.down[family] && soon.is_some();
            measured.unheard |= !self.is_heard(target);
            measured.soon = measured.soon.into_iter().chain(soon).min();
        }
        measured
    }

    /// All rows are to be made again.
    pub(super) fn mark_all(&mut self) {
        (0..self.world.pools.len() as u32).map(PoolId).for_each(|id| self.mark(id));
        self.rows.mark_loads();
    }

    /// A pool's rows are to be made again.
    pub(super) fn mark(&mut self, id: PoolId) {
        self.rows.mark(id, Extent::Whole);
    }

    /// Load and response times in a pool's rows are to be made again.
    pub(super) fn mark_measures(&mut self, id: PoolId) {
        self.rows.mark(id, Extent::Measures);
    }

    /// Makes all rows again that were marked, and those whose load is shared out with their weights.
    pub(super) fn derive(&mut self, now: At) {
        let (dirty, mut loads) = self.rows.take_marked();
        for id in dirty.iter().filter(|(_, extent)| **extent == Extent::Whole).map(|(id, _)| *id) {
            loads |= self.work_out(now, id) && self.index.shaping[id.at()].load;
        }
        if loads {
            let weights = by_region(&self.world, &self.index.shaping, |index| u64::from(self.rows.parts()[index]));
            self.rows.put_region_weights(weights);
            (0..self.world.pools.len() as u32).for_each(|id| self.fill(now, PoolId(id)));
        } else {
            dirty.into_keys().for_each(|id| self.fill(now, id));
        }
    }

    /// Works out all but load, and says whether other weights take part in it.
    fn work_out(&mut self, now: At, id: PoolId) -> bool {
        let world = std::sync::Arc::clone(&self.world);
        let (pool, shaping) = (&world.pools[id.at()], &self.index.shaping[id.at()]);
        let assigned = shaping.routes.iter().any(|id| self.facts.assignments[id.at()].is_some());
        let (mut row, mut known, mut addressed) = (PoolRow::default(), 0, PerFamily::default());
        let (mut others, mut due) = (false, None);
        for (position, index, endpoint) in members(pool) {
            let bit = 1u64 << position;
            let put = |set: &mut u64, yes: bool| *set |= if yes { bit } else { 0 };
            let (measured, said) =
                (self.measured(now, endpoint), self.facts.words.effect(now, Named::of(&world, &pool.name, endpoint)));
            let (forced, state) = (said.force == Some(true), overridden(measured.state, endpoint, &said));
            row.put(position as u8, &state);
            for family in Family::BOTH {
                let up = measured.state.up[family];
                put(&mut known, up);
                put(&mut addressed[family], up && endpoint.address(family).is_some());
            }
            let weight = weighed(endpoint.weight, said.weight);
            let health = if forced { Health::Up } else { measured.health(shaping) };
            let counts = state.weighted && !state.out && !state.drained;
            self.rows.regions.count(index, endpoint.region, counts.then_some(health));
            // What is forced up is up at once and whole.
            let live = &self.facts.live[index];
            let region = self.facts.returns[id.at()].get(&endpoint.region);
            let ramps = [region.copied(), live.recovery.ramp].map(|ramp| ramp.filter(|_| !forced));
            let [region, own] =
                ramps.map(|ramp| ramp.map_or(Admission::ALL, |ramp| ramp.admission(now, shaping.slow_start)));
            let kept = if assigned { 1.0 } else { 1.0 - live.shed.share() };
            let admission = Admission::within(kept).of(said.admission.of(region));
            let warmth = own.out_of(region);
            put(&mut row.partial, !admission.is_all());
            put(&mut row.slow, !warmth.is_all());
            let steps = ramps.into_iter().filter_map(|ramp| ramp?.next(now, shaping.slow_start));
            let next = steps.chain(said.next).min();
            let (moves_in, tick) = next.map_or((u32::MAX, None), |next| countdown(now, next, self.index.horizon));
            put(&mut row.moving, moves_in < u32::MAX);
            due = due.into_iter().chain(tick).min();
            let health_in =
                measured.soon.filter(|_| !forced).map_or(u32::MAX, |soon| u32::try_from(soon.0).unwrap_or(u32::MAX));
            let takes_part = if state.out || !(state.up.v4 || state.up.v6) { 0 } else { weight };
            others |= self.rows.put_part(index, takes_part);
            let before = self.rows.endpoints()[index];
            let after = EndpointRow { weight, admission, warmth, change_in: health_in.min(moves_in), ..before };
            self.rows.put_endpoint(index, after);
        }
        row.notice = match () {
            () if self.facts.beliefs.is_isolated() => Some(Notice::Blind),
            () => (row.governed.any() != 0).then_some(Notice::Held),
        };
        let last = &mut self.facts.last[id.at()];
        last.last_in = PerFamily::of(|family| match addressed[family] {
            0 => last.last_in[family],
            up => up,
        });
        (last.last, last.last_at) = match (known, last.last_at) {
            (0, u64::MAX) => (last.last, now.0),
            (0, ended) => (last.last, ended),
            (known, _) => (known, u64::MAX),
        };
        (row.last, row.last_in, row.last_at) = (last.last, last.last_in, last.last_at);
        self.rows.put_pool(id, row, due);
        others
    }

    /// Fills in load and response.
    fn fill(&mut self, now: At, id: PoolId) {
        let world = std::sync::Arc::clone(&self.world);
        let (pool, shaping) = (&world.pools[id.at()], &self.index.shaping[id.at()]);
        if !(shaping.load || shaping.response) {
            return;
        }
        let loads: Vec<Option<u32>> = members(pool)
            .map(|(position, ..)| self.ratio(now, id, position).fresh().map(|ratio| Permille::nearest(ratio).0))
            .collect();
        let load = |n: usize| loads.get(n).copied().flatten().or(mean(&loads)).unwrap_or(0);
        let mut responses = Vec::new();
        for (_, index, endpoint) in members(pool).filter(|_| shaping.response) {
            let took: Vec<Option<u32>> =
                endpoint.targets.into_iter().flatten().map(|id| Some(self.took(id)?.0)).collect();
            let live = &mut self.facts.live[index];
            if let Some(took) = mean(&took).map(Rtt) {
                // A value moves by more than an eighth or not at all: a probe is no reason to publish.
                if took.apart(live.response).0 > live.response.0 / 8 {
                    live.response = took;
                }
            }
            responses.push(Some(live.response.0).filter(|response| *response > 0));
        }
        for (position, index, _) in members(pool) {
            let (n, mut row) = (position as usize, self.rows.endpoints()[index]);
            row.load = Permille(load(n));
            let response = responses.get(n).copied().flatten().or(mean(&responses)).unwrap_or(0);
            row.response = Rtt(response).grown(row.load);
            self.rows.put_endpoint(index, row);
        }
    }

    /// Load ÷ capacity of the endpoint at a pool's position.
    pub(super) fn ratio(&self, now: At, id: PoolId, position: u32) -> Ratio {
        let (world, pool) = (&self.world, &self.world.pools[id.at()]);
        let index = pool.first.at() + position as usize;
        let Some(endpoint) = pool.endpoints.get(position as usize).filter(|_| self.index.shaping[id.at()].load) else {
            return Ratio::Idle;
        };
        let weights = pool.part(self.rows.parts());
        let sums = Sums {
            own: self.rows.parts()[index].into(),
            pool: weights.iter().map(|weight| u64::from(*weight)).sum(),
            region: self.rows.region_weight(endpoint.region),
        };
        let region = world.regions.get(endpoint.region.at()).and_then(|region| region.capacity);
        let capacities = Capacities { own: endpoint.capacity, region };
        self.facts.reports.ratio(now, Named::of(world, &pool.name, endpoint), sums, capacities)
    }
}

impl Ratio {
    fn fresh(self) -> Option<f64> {
        match self {
            Self::Fresh(ratio) => Some(ratio),
            Self::Silent(_) | Self::Idle => None,
        }
    }
}

pub(super) fn mean(values: &[Option<u32>]) -> Option<u32> {
    let known = || values.iter().flatten();
    let count = known().count() as u64;
    (count > 0).then(|| (known().map(|value| u64::from(*value)).sum::<u64>() / count) as u32)
}

/// A configured weight times such a ratio: 0 only where either is, and never beyond the largest.
pub(super) fn weighed(weight: u32, ratio: Permille) -> u32 {
    ratio.up_of(weight).min(MAX_WEIGHT.into()) as u32
}

/// Milliseconds until `next` in whole seconds, as a row has them, and when that number is another one. Beyond the longest TTL nobody asks.
fn countdown(now: At, next: At, horizon: Millis) -> (u32, Option<At>) {
    let left = next.since(now);
    if left > horizon {
        return (u32::MAX, Some(next.minus(horizon)));
    }
    let seconds = left.0.div_ceil(1000);
    let number = u32::try_from(seconds * 1000).unwrap_or(u32::MAX);
    (number, Some(next.minus(Millis::seconds(seconds.saturating_sub(1)))))
}
