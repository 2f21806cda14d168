//! The ladder: which pool answers, how much is asked of it, and what is answered when none can.

mod family;

use super::{
    Decision, Parts, Verdict,
    locate::Client,
    rank::Field,
    spread::{self, Chosen, Doors, Drawing},
    trace::{Lack, Rung, Silent, Step, Trace, TtlFrom},
};
use crate::engine::{
    live::{
        EndpointRow,
        eligible::{Belief, Eligibility, Exclusion, Scope, Standing},
    },
    types::{Chance, EndpointId, Family, PoolId, RegionId, RouteId, ServiceId, members},
    units::Ttl,
    world::{
        draw,
        service::{Canary, Fallback, Service},
    },
};

/// Decides which endpoints a client of a service gets for addresses of a family. Which pool answers, and whether it answers
/// with addresses or with another name, does not depend on the family.
pub fn decide<T: Trace>(
    parts: &Parts<'_>,
    service: (ServiceId, &Service),
    client: &Client,
    family: Family,
    chance: Chance,
    trace: &mut T,
) -> Decision {
    decide_for(parts, service, client, Some(family), chance, trace)
}

/// The same for the name: what all types have in common. The endpoints are those that the draws fell on, whatever families
/// they have alive.
pub fn decide_name<T: Trace>(
    parts: &Parts<'_>,
    service: (ServiceId, &Service),
    client: &Client,
    chance: Chance,
    trace: &mut T,
) -> Decision {
    decide_for(parts, service, client, None, chance, trace)
}

#[inline]
fn decide_for<T: Trace>(
    parts: &Parts<'_>,
    (id, service): (ServiceId, &Service),
    client: &Client,
    family: Option<Family>,
    chance: Chance,
    trace: &mut T,
) -> Decision {
    let drawing = Drawing { seed: &service.table.seed, block: client.block, slot: service.ttl_max.millis(), chance };
    let mut ladder = Ladder {
        parts,
        service,
        client,
        family,
        drawing,
        other: None,
        beside: None,
        chosen: Chosen::new(),
        calm: Calm::default(),
        lowered: Rung::Preferred,
        alike: false,
        open: false,
        more: false,
        held: None,
        all: false,
        turns: true,
    };
    if ladder.is_closed() {
        trace.note(|| Step::Closed(id));
        return ladder.fenced(trace);
    }
    if service.second
        && let Some((region, first)) = ladder.first_choice(None)
    {
        trace.note(|| Step::FirstChoice(first));
        ladder.beside = family.and_then(|family| Some(ladder.first_choice(Some(family))?.0));
        ladder.other = Some(region);
        if let Some(decision) = ladder.climb(trace) {
            return decision;
        }
        (ladder.other, ladder.beside) = (None, None); // nothing else is left: the first choice it is
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
    /// The family that is asked for; none: what is decided is the choice for the name.
    family: Option<Family>,
    drawing: Drawing<'s>,
    /// The region that is left out, where the runner-up is asked for.
    other: Option<RegionId>,
    /// Where the runner-up is asked for: the region that the first choice for this family is in, where that is another one.
    /// It is left out as long as another region of the answering pool has the family alive.
    beside: Option<RegionId>,
    /// Scope the last pool that was asked answers with.
    chosen: Chosen,
    calm: Calm,
    /// How far down the ladder the answer for this family comes from, beside what the name comes from.
    lowered: Rung,
    /// Whether the other family would be answered with the same endpoints, for as long.
    alike: bool,
    /// Whether fences leave the client anybody in the pools that were looked at.
    open: bool,
    /// Whether any of them has somebody when less is asked of it.
    more: bool,
    /// The first pool that was passed over for what the governor holds in it.
    held: Option<PoolId>,
    /// Whether all that a pool has is told, whatever its policy.
    all: bool,
    /// Whether several addresses take turns by the query's number.
    turns: bool,
}

/// A pool that has endpoints for the name on this rung.
struct Asked<'a> {
    field: &'a Field<'a>,
    gate: &'a Eligibility,
    eligible: u64,
    doors: Option<Doors<'a>>,
    catchment: u32,
}

impl Asked<'_> {
    fn verdict(&self) -> Verdict {
        Verdict::Endpoints { route: self.field.route, catchment: self.catchment }
    }
}

impl Ladder<'_> {
    /// Whether the service's own fence keeps the client out.
    fn is_closed(&self) -> bool {
        let gate = self.service.gate.and_then(|id| Some((id, self.parts.world.maps.get(id.at())?)));
        gate.is_some_and(|(id, map)| map.denied(self.client.catchment(id, map)) != 0)
    }

    /// The first endpoint that the service would answer with, for the name or for a family, were the runner-up not asked
    /// for; and its region.
    fn first_choice(&mut self, family: Option<Family>) -> Option<(RegionId, EndpointId)> {
        let asked = std::mem::replace(&mut self.family, family);
        self.turns = false;
        let found = self.climb(&mut Silent);
        (self.family, self.turns) = (asked, true);
        let Decision { verdict: Verdict::Endpoints { route, .. }, chosen, .. } = found? else { return None };
        let (pool, first) = (self.parts.world.pool_of(route)?, *chosen.first()?);
        Some((pool.endpoints.get(usize::from(first))?.region, pool.id(first)))
    }

    /// The rungs on which measured health counts.
    fn climb<T: Trace>(&mut self, trace: &mut T) -> Option<Decision> {
        (self.calm, self.held, self.lowered, self.alike) = (Calm::default(), None, Rung::Preferred, false);
        let service = self.service;
        if let Some(Canary { route, share }) = service.canary {
            let taken = draw::canary(self.drawing.of_block()) < share;
            trace.note(|| Step::Canary(route, taken));
            let known = (self.open, self.more, self.held);
            if taken && let Some(verdict) = self.ask(route, Belief::Measured, trace) {
                return Some(self.decided(verdict, Rung::Preferred, trace));
            }
            // A canary is no fallback: only the service's pools are asked again.
            (self.open, self.more, self.held) = known;
        }
        for &route in &service.routes {
            if let Some(verdict) = self.ask(route, Belief::Measured, trace) {
                return Some(self.decided(verdict, Rung::Preferred, trace));
            }
        }
        let again = if self.more { &service.routes[..] } else { &[] };
        for &route in again {
            if let Some(verdict) = self.ask(route, Belief::Relaxed, trace) {
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
                Some(route) => self.ask(route, Belief::LastKnown, trace),
                None => self.anybody(trace),
            },
            Fallback::ServeAll => self.everybody(trace),
            _ => Some(Verdict::AllDown),
        };
        if let Some(verdict) = verdict {
            return self.decided(verdict, Rung::AllDown, trace);
        }
        // Operators have forced down or unweighted all that fences leave: a name is not emptied by that.
        let lifted = service.routes.iter().find_map(|route| self.ask(*route, Belief::Lifted, trace));
        self.decided(lifted.unwrap_or(Verdict::AllDown), Rung::Lifted, trace)
    }

    /// The first pool with anybody, as if all were up.
    fn anybody<T: Trace>(&mut self, trace: &mut T) -> Option<Verdict> {
        let service = self.service;
        service.routes.iter().find_map(|route| self.ask(*route, Belief::Ignored, trace))
    }

    /// Every address of the first pool with anybody.
    fn everybody<T: Trace>(&mut self, trace: &mut T) -> Option<Verdict> {
        let service = self.service;
        service.routes.iter().find_map(|&route| {
            let field = Field::new(self.parts, route, self.client, false)?;
            let gate = self.gate(&field, Belief::Ignored);
            let eligible = gate.set();
            self.look(&field, |n| self.standing(&field, &gate, n), trace);
            let catchment = field.here.map_or(0, |(_, catchment)| catchment);
            self.chosen = members(eligible).collect();
            self.all = true;
            let asked = Asked { field: &field, gate: &gate, eligible, doors: None, catchment };
            (eligible != 0).then(|| self.told(&asked, None, trace))
        })
    }

    /// The pool in which somebody was up last.
    fn last_known(&self) -> Option<RouteId> {
        let known = self.service.routes.iter().filter_map(|&route| {
            let field = Field::new(self.parts, route, self.client, false)?;
            let has_any = self.gate(&field, Belief::LastKnown).set() != 0;
            has_any.then_some((field.row.last_at, route))
        });
        // Of pools that were lost together, the first.
        known.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, route)| route)
    }

    /// Fences leave the client nothing.
    fn fenced<T: Trace>(&mut self, trace: &mut T) -> Decision {
        self.decided(Verdict::Fenced, Rung::Fenced, trace)
    }

    fn decided<T: Trace>(&mut self, verdict: Verdict, rung: Rung, trace: &mut T) -> Decision {
        let rung = rung.max(self.lowered);
        trace.note(|| Step::Rung(rung));
        let (ttl, from) = match rung {
            Rung::Preferred => self.calm.ttl(self.service),
            // By configuration, not by what is measured.
            Rung::Fenced => (self.service.ttl_max, TtlFrom::Calm),
            _ => (self.service.ttl_min, TtlFrom::Uncertain),
        };
        trace.note(|| Step::Ttl(ttl, from));
        Decision { verdict, chosen: std::mem::take(&mut self.chosen), ttl, alike: self.alike, rung, held: self.held }
    }

    /// What the question, fences and limits leave of a pool.
    #[inline(always)]
    fn scope(&self, field: &Field<'_>, other: Option<RegionId>) -> Scope {
        let mut scope = Scope::new(field.table, field.on_map, field.policy, field.here);
        if let Some(region) = self.service.only_region {
            scope.wanted = field.table.in_region(region);
        }
        if let Some(region) = other {
            scope.other = !field.table.in_region(region);
        }
        scope
    }

    /// The gate of a pool for the name. Always inlined: most of a gate is for a listener.
    #[inline(always)]
    fn gate(&self, field: &Field<'_>, belief: Belief) -> Eligibility {
        Eligibility::new(field.pool, field.row, self.scope(field, self.other), belief, self.service.families)
    }

    /// One pool: eligible → rank → admit → spread, then what of it the type gets. None when it does not answer on this rung.
    fn ask<T: Trace>(&mut self, route: RouteId, belief: Belief, trace: &mut T) -> Option<Verdict> {
        let field = Field::new(self.parts, route, self.client, belief == Belief::Lifted)?;
        let gate = self.gate(&field, belief);
        self.look(&field, |n| self.standing(&field, &gate, n), trace);
        self.open |= gate.is_open();
        self.more |= gate.has_more();
        let measured = belief == Belief::Measured;
        // A pool that gives way for what the governor holds takes its clients back as soon as the hold ends well.
        self.calm.wait_for(gate.rising() | gate.yields() | field.row.moving, field.live);
        let eligible = gate.set();
        let lack = match () {
            () if eligible == 0 && gate.yields() != 0 => Some(Lack::Held),
            () if eligible == 0 => Some(Lack::NoneEligible),
            () if gate.is_thin(field.pool) => Some(Lack::TooFew),
            // What is held gives way to what is up, not to what is unknown.
            () if measured && self.held.is_some() && gate.is_guess() => Some(Lack::Guess),
            () => None,
        };
        if let Some(lack) = lack {
            if lack == Lack::Held {
                self.held = self.held.or(Some(field.pool_id()));
            }
            trace.note(|| Step::PassedOver(field.pool_id(), lack));
            return None;
        }
        let catchment = field.here.map_or(0, |(_, catchment)| catchment);
        let assignment = field.assignment;
        for (at, place) in field.table.places().iter().enumerate().filter(|_| T::ON && measured) {
            if let Some(assignment) = assignment {
                trace.note(|| Step::Assigned(place.id, assignment.share(catchment, at)));
            }
        }
        let doors = (measured && ((field.row.partial | field.row.slow) != 0 || assignment.is_some()))
            .then_some(Doors { assignment, catchment });
        let turn = spread::choose(&field, eligible, doors, &self.drawing, &mut self.chosen, trace);
        if self.chosen.is_empty() {
            trace.note(|| Step::PassedOver(field.pool_id(), Lack::NoneAdmits));
            return None;
        }
        self.calm.guess |= gate.is_guess();
        let asked = Asked { field: &field, gate: &gate, eligible, doors, catchment };
        Some(self.told(&asked, turn, trace))
    }

    /// A pool is looked at: each of its endpoints as `standing` has it.
    #[inline(always)]
    fn look<T: Trace>(&self, field: &Field<'_>, standing: impl Fn(u8) -> Result<Standing, Exclusion>, trace: &mut T) {
        trace.note(|| Step::Pool(field.route));
        let map = self.parts.world.routes.get(field.route.at()).and_then(|route| route.map).filter(|_| T::ON);
        if let (Some(id), Some((map, catchment))) = (map, field.here) {
            trace.note(|| Step::Catchment(id, catchment, self.client.piece(map).prefix));
        }
        for n in (0..field.pool.count()).filter(|_| T::ON) {
            trace.note(|| Step::Candidate(field.id(n), standing(n)));
        }
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

    fn ttl(&self, service: &Service) -> (Ttl, TtlFrom) {
        match self.change_in {
            _ if self.guess => (service.ttl_min, TtlFrom::Uncertain),
            u32::MAX => (service.ttl_max, TtlFrom::Calm),
            wait => (Ttl(wait / 1000).clamp(service.ttl_min, service.ttl_max), TtlFrom::ChangeIn(wait)),
        }
    }
}
