//! From the choice for the name to the answer for one address family: inside the pool that answers, an endpoint whose
//! family is down, or that has no address of it, is passed over, and no family is empty while an endpoint of the pool has
//! it alive. An empty answer is kept for every client of a resolver, whatever its scope (RFC 7871 7.4). Must not know how a
//! pool is chosen.

use super::{
    super::{
        Verdict,
        rank::Field,
        spread::{self, Chosen, Doors, Wanted},
        trace::{Lack, NoAddress, Rung, Step, Trace},
    },
    Asked, Ladder,
};
use crate::engine::{
    live::eligible::{Belief, Eligibility, Exclusion, Standing},
    types::{Family, RegionId, members},
    world::{
        policy::Spread,
        service::{Fallback, Families},
    },
};

impl Ladder<'_> {
    /// What of the choice for the name the type gets. `self.chosen` holds that choice when it comes, and what is told when
    /// it goes.
    #[inline]
    pub(super) fn told<T: Trace>(&mut self, asked: &Asked<'_>, turn: Option<u64>, trace: &mut T) -> Verdict {
        let (field, gate) = (asked.field, asked.gate);
        let (mut falling, mut verdict) = (gate.falling(), asked.verdict());
        // Another name answers every type.
        if let Some(family) = self.family.filter(|_| !self.is_alias(field)) {
            if self.service.families == Families::Apart {
                falling &= field.row.falling[family];
                self.calm.wait_for(asked.eligible & field.row.rising[family], field.live);
            }
            let serving = self.serving(field, gate, asked.eligible, family);
            if self.picked() & !serving == 0 {
                self.alike = self.is_alike(family.other(), asked);
            } else {
                verdict = self.stand_in(family, asked, serving, turn, trace);
            }
        }
        self.calm.wait_for(falling & self.picked(), field.live);
        let all = std::mem::take(&mut self.all) || field.policy.spread == Spread::All;
        // Which of addresses and another name answers is settled before anything takes turns, alike for all types; the
        // first choice, beside which a runner-up stands, does not take turns either.
        if all && self.turns && self.parts.world.rotate && !self.is_alias(field) {
            if !field.table.aliases.is_empty() {
                self.chosen.retain(|n| field.table.alias(*n).is_none());
            }
            spread::turn(field, &mut self.chosen, &self.drawing, trace);
        }
        for &n in &self.chosen {
            trace.note(|| Step::Chosen(field.id(n)));
        }
        verdict
    }

    /// How an endpoint stands, for the family that is asked for.
    pub(super) fn standing(&self, field: &Field<'_>, gate: &Eligibility, n: u8) -> Result<Standing, Exclusion> {
        let standing = gate.verdict(n)?;
        let Some(family) = self.family.filter(|_| field.table.alias(n).is_none()) else { return Ok(standing) };
        let (has, is) = (field.table.addressed[family], |set: u64| set >> n & 1 == 1);
        let beside = || self.beside.is_some_and(|region| is(field.table.in_region(region)));
        match () {
            () if !is(has) => Err(Exclusion::NoFamily(family)),
            () if !is(gate.serving(field.row, family, has)) => Err(Exclusion::FamilyDown(family)),
            () if is(self.serving(field, gate, gate.set(), family)) => Ok(standing),
            () if beside() => Err(Exclusion::FirstChoice),
            () => Err(Exclusion::FamilyDown(family)),
        }
    }

    /// The endpoints that may answer the family, of those that are eligible for the name.
    #[inline]
    fn serving(&self, field: &Field<'_>, gate: &Eligibility, eligible: u64, family: Family) -> u64 {
        let mut serving = gate.serving(field.row, family, field.table.addressed[family]);
        if self.service.families == Families::Leave && !gate.believes() {
            // All are out for a family that they may not be asked for.
            let alive = serving & field.row.up[family];
            if alive & eligible != 0 && self.service.when_all_down != Fallback::ServeAll {
                serving = alive;
            }
        }
        match self.beside.map(|region| serving & !field.table.in_region(region)) {
            Some(elsewhere) if elsewhere & eligible != 0 => elsewhere,
            _ => serving,
        }
    }

    /// Whether a family has no reason to be answered otherwise than what is chosen for the name.
    #[inline]
    fn is_alike(&self, family: Family, asked: &Asked<'_>) -> bool {
        let (row, picked) = (asked.field.row, self.picked());
        self.beside.is_none()
            && picked & !self.serving(asked.field, asked.gate, asked.eligible, family) == 0
            && picked & row.falling[family] == 0
            && picked & row.falling[family.other()] == 0
            && asked.eligible & (row.rising.any()) == 0
    }

    fn is_alias(&self, field: &Field<'_>) -> bool {
        !field.table.aliases.is_empty() && self.chosen.first().is_some_and(|n| field.table.alias(*n).is_some())
    }

    fn picked(&self) -> u64 {
        self.chosen.iter().fold(0, |set, n| set | 1 << n)
    }

    /// Others stand in for chosen endpoints that cannot answer the family: first what may answer the name as well, then
    /// with less asked of the pool, then as `when_all_down` says. The pool is never left.
    #[cold]
    #[inline(never)]
    fn stand_in<T: Trace>(
        &mut self,
        family: Family,
        asked: &Asked<'_>,
        serving: u64,
        turn: Option<u64>,
        trace: &mut T,
    ) -> Verdict {
        let (pool, field) = (asked.field.pool_id(), asked.field);
        if self.family_gate(field, Belief::Lifted, family, None).set() == 0 {
            self.chosen.clear();
            trace.note(|| Step::NoAddress(family, NoAddress::Pool(pool)));
            return Verdict::NoAddress { pool };
        }
        for &n in self.chosen.iter().filter(|n| serving >> **n & 1 == 0) {
            trace.note(|| Step::StoodInFor(field.id(n), family));
        }
        self.chosen.retain(|n| serving >> *n & 1 == 1);
        self.draw(field, asked.eligible & serving, asked.doors, turn, trace);
        if !self.chosen.is_empty() {
            return asked.verdict();
        }
        trace.note(|| Step::PassedOver(pool, Lack::NoneAlive(family)));
        self.lowered = Rung::Relaxed;
        if asked.doors.is_some() {
            self.look(field, |n| self.standing(field, asked.gate, n), trace);
            self.draw(field, asked.eligible & serving, None, turn, trace);
            if !self.chosen.is_empty() {
                return asked.verdict();
            }
        }
        if asked.gate.believes() && self.again(family, asked, Belief::Relaxed, trace) {
            return asked.verdict();
        }
        self.lost(family, asked, trace)
    }

    /// No endpoint of the pool has the family alive.
    fn lost<T: Trace>(&mut self, family: Family, asked: &Asked<'_>, trace: &mut T) -> Verdict {
        let (pool, service) = (asked.field.pool_id(), self.service);
        self.lowered = Rung::AllDown;
        let found = match &service.when_all_down {
            Fallback::IgnoreHealth => false,
            Fallback::ServeAll => self.serve_all(family, asked, trace),
            Fallback::LastKnown => self.again(family, asked, Belief::LastKnown, trace),
            Fallback::Addresses(list) if list.iter().any(|address| Family::of(*address) == family) => {
                return Verdict::Listed { pool };
            }
            Fallback::Addresses(_) | Fallback::Cname(_) | Fallback::NoData | Fallback::ServFail | Fallback::Refused => {
                trace.note(|| Step::NoAddress(family, NoAddress::Lost(pool)));
                return Verdict::NoAddress { pool };
            }
        };
        if !found && !self.again(family, asked, Belief::Ignored, trace) {
            self.lowered = Rung::Lifted;
            self.again(family, asked, Belief::Lifted, trace);
        }
        asked.verdict()
    }

    /// Chooses among what another belief leaves of the pool for the family; where the runner-up is asked for, the region
    /// of the first choice comes last.
    fn again<T: Trace>(&mut self, family: Family, asked: &Asked<'_>, belief: Belief, trace: &mut T) -> bool {
        let Some(field) = Field::new(self.parts, asked.field.route, self.client, belief == Belief::Lifted) else {
            return false;
        };
        let gate = self.gate_with_any(&field, belief, family);
        let set = gate.set();
        if set == 0 {
            return false;
        }
        self.look(&field, |n| family_standing(&field, &gate, n), trace);
        self.draw(&field, set, None, None, trace);
        !self.chosen.is_empty()
    }

    /// Every address of the family that the pool has.
    fn serve_all<T: Trace>(&mut self, family: Family, asked: &Asked<'_>, trace: &mut T) -> bool {
        let gate = self.gate_with_any(asked.field, Belief::Ignored, family);
        let set = gate.set();
        if set != 0 {
            self.look(asked.field, |n| family_standing(asked.field, &gate, n), trace);
            self.chosen = members(set).collect();
            self.all = true;
        }
        set != 0
    }

    /// The gate for the family, with the first choice's region where nothing is left without it.
    fn gate_with_any(&self, field: &Field<'_>, belief: Belief, family: Family) -> Eligibility {
        let gate = self.family_gate(field, belief, family, self.other);
        if gate.set() == 0 && self.other.is_some() { self.family_gate(field, belief, family, None) } else { gate }
    }

    fn family_gate(&self, field: &Field<'_>, belief: Belief, family: Family, other: Option<RegionId>) -> Eligibility {
        let has = field.table.addressed[family];
        Eligibility::of_family(field.row, self.scope(field, other), belief, family, has)
    }

    /// Draws among `from` as many as are missing from what the policy answers with. Where some are chosen already, the
    /// others come from the best band and keep apart from them.
    fn draw<T: Trace>(
        &mut self,
        field: &Field<'_>,
        from: u64,
        doors: Option<Doors<'_>>,
        turn: Option<u64>,
        trace: &mut T,
    ) {
        let policy = field.policy;
        let from = match self.chosen.is_empty() {
            true => from,
            false if policy.spread == Spread::All => 0,
            false => {
                let band = field.rank(from, false, trace);
                self.chosen.iter().fold(band, |left, n| left & !field.table.mates(*n, policy.distinct))
            }
        };
        let answers = usize::from(policy.answers).saturating_sub(self.chosen.len());
        if from == 0 || answers == 0 {
            return;
        }
        let mut more = Chosen::new();
        spread::choose_some(field, from, doors, &self.drawing, Wanted { answers, turn }, &mut more, trace);
        self.chosen.extend(more);
    }
}

/// How an endpoint stands for a family alone. What is another name answers every type or none.
fn family_standing(field: &Field<'_>, gate: &Eligibility, n: u8) -> Result<Standing, Exclusion> {
    match gate.verdict(n) {
        Err(Exclusion::NoFamily(_)) if field.table.alias(n).is_some() => Err(Exclusion::OtherName),
        verdict => verdict,
    }
}
