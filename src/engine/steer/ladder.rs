//! The ladder: which pool answers, how much is asked of it, and what is answered when none can.

use super::{
    Decision, Parts, Verdict,
    draw::{self, Seed},
    eligible::{Belief, Gate, Scope},
    locate::Client,
    policy::{Fallback, Policy, Service},
    rank::Field,
    row::{EndpointRow, members},
    spread::{self, Chosen, Doors, Drawing},
    trace::{Lack, Rung, Silent, Step, Trace, TtlFrom},
};
use crate::engine::types::{Chance, Family, PoolId, RegionId, ServiceId};

/// Decides which endpoints a client of a service gets. `family` is the one that is asked for; it matters only where
/// each is steered by itself.
pub fn decide<T: Trace>(
    parts: &Parts<'_>,
    (id, service): (ServiceId, &Service),
    seed: &Seed,
    client: &Client,
    family: Family,
    chance: Chance,
    trace: &mut T,
) -> Decision {
    let drawing = Drawing { seed, block: client.block, slot: u64::from(service.ttl_max) * 1000, chance };
    let mut ladder = Ladder {
        parts,
        service,
        client,
        family,
        drawing,
        other: None,
        chosen: Chosen::new(),
        calm: Calm::default(),
        open: false,
        more: false,
        held: None,
    };
    if ladder.is_closed() {
        trace.note(|| Step::Closed(id));
        return ladder.fenced(trace);
    }
    if service.second
        && let Some((region, first)) = ladder.first_choice()
    {
        trace.note(|| Step::FirstChoice(first));
        ladder.other = Some(region);
        if let Some(decision) = ladder.climb(trace) {
            return decision;
        }
        ladder.other = None; // nobody else is left: the first choice it is
    }
    if let Some(decision) = ladder.climb(trace) {
        return decision;
    }
    if ladder.open { ladder.all_down(trace) } else { ladder.fenced(trace) }
}

/// One decision under way.
struct Ladder<'s> {
    parts: &'s Parts<'s>,
    service: &'s Service,
    client: &'s Client,
    family: Family,
    drawing: Drawing<'s>,
    /// The region that is left out, where the runner-up is asked for.
    other: Option<RegionId>,
    /// Whom the last pool that was asked answers with.
    chosen: Chosen,
    calm: Calm,
    /// Whether fences leave the client anybody in the pools that were looked at.
    open: bool,
    /// Whether any of them has somebody when less is asked of it.
    more: bool,
    /// The first pool that was passed over for what the governor holds in it.
    held: Option<PoolId>,
}

impl Ladder<'_> {
    /// Whether the service's own fence keeps the client out.
    fn is_closed(&self) -> bool {
        let gate = self.service.gate.and_then(|id| Some((id, self.parts.maps.get(id.at())?)));
        gate.is_some_and(|(id, map)| map.denied(self.client.catchment(id, map)) != 0)
    }

    /// The region of whom the service would answer with, were the runner-up not asked for.
    fn first_choice(&mut self) -> Option<(RegionId, crate::engine::types::EndpointId)> {
        let Decision { verdict: Verdict::Endpoints { pool, .. }, chosen, .. } = self.climb(&mut Silent)? else {
            return None;
        };
        let first = self.parts.pools.get(pool.at())?.first.0 + u32::from(*chosen.first()?);
        let endpoint = crate::engine::types::EndpointId(first);
        Some((self.parts.endpoints.get(endpoint.at())?.region, endpoint))
    }

    /// The rungs on which measured health counts.
    fn climb<T: Trace>(&mut self, trace: &mut T) -> Option<Decision> {
        (self.calm, self.held) = (Calm::default(), None);
        let service = self.service;
        if let Some((pool, share)) = service.canary {
            let taken = draw::canary(self.drawing.of_block()) < share;
            trace.note(|| Step::Canary(pool, taken));
            let known = (self.open, self.more, self.held);
            if taken && let Some(verdict) = self.ask(pool, Belief::Measured, trace) {
                return Some(self.decided(verdict, Rung::Preferred, trace));
            }
            // A canary is no fallback: only the service's pools are asked again.
            (self.open, self.more, self.held) = known;
        }
        for &pool in &service.pools {
            if let Some(verdict) = self.ask(pool, Belief::Measured, trace) {
                return Some(self.decided(verdict, Rung::Preferred, trace));
            }
        }
        let again = if self.more { &service.pools[..] } else { &[] };
        for &pool in again {
            if let Some(verdict) = self.ask(pool, Belief::Relaxed, trace) {
                return Some(self.decided(verdict, Rung::Relaxed, trace));
            }
        }
        None
    }

    /// The last rungs: nobody who may answer is up.
    fn all_down<T: Trace>(&mut self, trace: &mut T) -> Decision {
        let service = self.service;
        let verdict = match &service.when_all_down {
            Fallback::IgnoreHealth => self.anybody(trace),
            Fallback::LastKnown => match self.last_known() {
                Some(pool) => self.ask(pool, Belief::LastKnown, trace),
                None => self.anybody(trace),
            },
            Fallback::ServeAll => self.everybody(trace),
            _ => Some(Verdict::AllDown),
        };
        if let Some(verdict) = verdict {
            return self.decided(verdict, Rung::AllDown, trace);
        }
        // Operators have forced down or unweighted all that fences leave: a name is not emptied by that.
        let lifted = service.pools.iter().find_map(|pool| self.ask(*pool, Belief::Lifted, trace));
        self.decided(lifted.unwrap_or(Verdict::AllDown), Rung::Lifted, trace)
    }

    /// The first pool with anybody, as if all were up.
    fn anybody<T: Trace>(&mut self, trace: &mut T) -> Option<Verdict> {
        let service = self.service;
        service.pools.iter().find_map(|pool| self.ask(*pool, Belief::Ignored, trace))
    }

    /// Every address of the first pool with anybody.
    fn everybody<T: Trace>(&mut self, trace: &mut T) -> Option<Verdict> {
        let service = self.service;
        service.pools.iter().find_map(|&pool| {
            let field = Field::new(self.parts, pool, self.client, false)?;
            self.chosen = members(self.gate(&field, Belief::Ignored).set()).collect();
            self.chosen.iter().for_each(|n| trace.note(|| Step::Chosen(field.id(*n))));
            let catchment = field.here.map_or(0, |(_, catchment)| catchment);
            (!self.chosen.is_empty()).then_some(Verdict::Endpoints { pool, catchment, living: false })
        })
    }

    /// The pool in which somebody was up last.
    fn last_known(&self) -> Option<PoolId> {
        let known = self.service.pools.iter().filter_map(|&pool| {
            let field = Field::new(self.parts, pool, self.client, false)?;
            let somebody = self.gate(&field, Belief::LastKnown).set() != 0;
            somebody.then_some((field.row.last_at, pool))
        });
        // Of pools that were lost together, the first.
        known.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, pool)| pool)
    }

    /// Fences leave the client nothing.
    fn fenced<T: Trace>(&mut self, trace: &mut T) -> Decision {
        self.decided(Verdict::Fenced, Rung::Fenced, trace)
    }

    fn decided<T: Trace>(&mut self, verdict: Verdict, rung: Rung, trace: &mut T) -> Decision {
        trace.note(|| Step::Rung(rung));
        let (ttl, from) = match rung {
            Rung::Preferred => self.calm.ttl(self.service),
            // By configuration, not by what is measured.
            Rung::Fenced => (self.service.ttl_max, TtlFrom::Calm),
            _ => (self.service.ttl_min, TtlFrom::Uncertain),
        };
        trace.note(|| Step::Ttl(ttl, from));
        Decision { verdict, chosen: std::mem::take(&mut self.chosen), ttl, rung, held: self.held }
    }

    /// What the question, fences and limits leave of a pool. Always inlined: most of a gate is for a listener.
    #[inline(always)]
    fn gate(&self, field: &Field<'_>, belief: Belief) -> Gate {
        let table = field.table;
        let mut scope =
            Scope { weighted: table.weighted, open: u64::MAX, wanted: u64::MAX, other: u64::MAX, within: u64::MAX };
        if let Some((map, catchment)) = field.here {
            let denied = map.denied(catchment);
            if denied != 0 {
                scope.open = !table.behind(denied);
            }
            if field.policy.limits != Policy::UNLIMITED {
                scope.within = table.in_rule_regions(u64::MAX, map.within(catchment));
            }
        }
        if let Some(region) = self.service.only_region {
            scope.wanted = table.in_region(region);
        }
        if let Some(region) = self.other {
            scope.other = !table.in_region(region);
        }
        let has = table.has.get(self.family.at()).copied().unwrap_or(0);
        Gate::new(field.pool, field.row, scope, belief, self.service.families, (self.family, has))
    }

    /// One pool: eligible → rank → admit → spread. None when it does not answer on this rung.
    fn ask<T: Trace>(&mut self, pool: PoolId, belief: Belief, trace: &mut T) -> Option<Verdict> {
        let field = Field::new(self.parts, pool, self.client, belief == Belief::Lifted)?;
        trace.note(|| Step::Pool(pool));
        if let (Some(id), Some((map, catchment))) = (field.pool.map, field.here) {
            trace.note(|| Step::Catchment(id, catchment, self.client.piece(map).prefix));
        }
        let gate = self.gate(&field, belief);
        for n in (0..field.pool.count).filter(|_| T::ON) {
            trace.note(|| Step::Candidate(field.id(n), gate.verdict(n)));
        }
        self.open |= gate.is_open();
        self.more |= gate.has_more();
        let measured = belief == Belief::Measured;
        // A pool that gives way for what the governor holds takes its clients back as soon as the hold ends well.
        self.calm.wait_for(gate.rising() | gate.yields() | field.row.moving, field.live);
        let eligible = gate.set();
        let lack = match () {
            () if eligible == 0 && gate.yields() != 0 => Some(Lack::Held),
            () if eligible == 0 => Some(Lack::Nobody),
            () if gate.is_thin(field.pool) => Some(Lack::TooFew),
            // What is held gives way to what is up, not to what is unknown.
            () if measured && self.held.is_some() && gate.is_guess() => Some(Lack::Guess),
            () => None,
        };
        if let Some(lack) = lack {
            if lack == Lack::Held {
                self.held = self.held.or(Some(pool));
            }
            trace.note(|| Step::PassedOver(pool, lack));
            return None;
        }
        let catchment = field.here.map_or(0, |(_, catchment)| catchment);
        let assignment = self.parts.assignments.get(pool.at()).and_then(Option::as_deref);
        for (at, place) in field.table.places().iter().enumerate().filter(|_| T::ON && measured) {
            if let Some(assignment) = assignment {
                trace.note(|| Step::Assigned(place.id, assignment.share(catchment, at)));
            }
        }
        let doors =
            (measured && (field.row.partial != 0 || assignment.is_some())).then_some(Doors { assignment, catchment });
        spread::choose(&field, eligible, doors, &self.drawing, &mut self.chosen, trace);
        if self.chosen.is_empty() {
            trace.note(|| Step::PassedOver(pool, Lack::NoneAdmits));
            return None;
        }
        if gate.falling() != 0 {
            let picked = self.chosen.iter().fold(0u64, |set, n| set | 1 << n);
            self.calm.wait_for(gate.falling() & picked, field.live);
        }
        self.calm.guess |= gate.is_guess();
        for &n in &self.chosen {
            trace.note(|| Step::Chosen(field.id(n)));
        }
        Some(Verdict::Endpoints { pool, catchment, living: gate.believes() })
    }
}

/// How long what a decision rests on cannot change.
#[derive(Clone, Copy, Debug)]
struct Calm {
    change_in: u32,
    guess: bool,
}

impl Default for Calm {
    fn default() -> Self {
        Self { change_in: u32::MAX, guess: false }
    }
}

impl Calm {
    fn wait_for(&mut self, moving: u64, live: &[EndpointRow]) {
        for n in members(moving) {
            self.change_in = self.change_in.min(live.get(usize::from(n)).map_or(u32::MAX, |row| row.change_in));
        }
    }

    fn ttl(&self, service: &Service) -> (u32, TtlFrom) {
        match self.change_in {
            _ if self.guess => (service.ttl_min, TtlFrom::Uncertain),
            u32::MAX => (service.ttl_max, TtlFrom::Calm),
            wait => ((wait / 1000).clamp(service.ttl_min, service.ttl_max), TtlFrom::ChangeIn(wait)),
        }
    }
}
