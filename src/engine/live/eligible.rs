//! Eligibility: the one answer to whether an endpoint counts for a family and a client, and if not, why. Steering, balance,
//! what log lines and hooks say of a pool, and lint ask it. Filter first, weigh second. Must not know how endpoints are
//! ranked, nor what makes the rows.

use super::row::PoolRow;
use crate::engine::{
    geo::Map,
    types::{Family, PerFamily},
    world::{
        policy::Policy,
        pool::{Pool, Threshold},
        service::Families,
        table::{PoolTable, RouteTable},
    },
};

/// How health counts on a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// As measured; unknown counts as up only while nothing else that may answer is up, and an endpoint that the governor
    /// holds only beside one that is truly up. Endpoints that are drained or beyond a limit are out, and a pool with too
    /// few left is passed over.
    Measured,
    /// As measured, drains and limits lifted, and what the governor holds counts as up. A pool below its `panic` is not
    /// believed.
    Relaxed,
    /// Everything is down, so health tells nothing.
    Ignored,
    /// Those that were up last.
    LastKnown,
    /// Operators have left nobody: what they said is lifted too. Fences and configured weights of 0 are not.
    Lifted,
}

/// How an eligible endpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its probes succeed, or it has no monitor.
    Up,
    /// Up, with failures counted.
    Failing,
    /// Its probes have it down, and it counts as up: too many regions have just gone, or this node is not well.
    Held,
    /// Nothing is known, and nothing in its pool is up.
    Unknown,
    /// Health is ignored: everything is down.
    Ignored,
    /// Health is not believed: too few of the pool are up.
    Distrusted,
    /// It was up when last an endpoint of the pool was.
    LastKnown,
    /// What operators said of it is set aside: it would leave no endpoint.
    Lifted,
}

impl Standing {
    /// Whether it counts as up by what is measured, or by an operator's word.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Failing | Self::Held)
    }
}

/// Why an endpoint may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Down in a family, and up in none; with `families = "leave"`, down in a family.
    Down,
    /// Nothing is known of it, and others are up.
    Unknown,
    /// The governor holds it, and nothing beside it is truly up: another pool that has such an endpoint answers first.
    Held,
    /// Its weight is 0.
    Weightless,
    /// It stands behind a fence that keeps the client out.
    Fenced,
    /// It is in another region than the name asks for.
    NotAskedFor,
    /// It is down in the family that is asked for; the other one may be up.
    FamilyDown(Family),
    /// It has no address of the family that is asked for.
    NoFamily(Family),
    /// It is another name, which would answer every type, and the choice for the name fell on addresses.
    OtherName,
    /// It is in the region of the first choice.
    FirstChoice,
    /// An operator says so.
    ForcedDown,
    /// An operator drains it.
    Drained,
    /// It is beyond the policy's limit.
    BeyondLimit,
}

/// What fences, limits and the question itself leave of a pool, as bits.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Configured weight above 0.
    pub weighted: u64,
    /// Behind no fence that keeps the client out.
    pub open: u64,
    /// In the region that the name asks for.
    pub wanted: u64,
    /// Not in the region of the first choice, where the runner-up is asked for.
    pub other: u64,
    /// Within the policy's limits.
    pub within: u64,
}

impl Scope {
    /// What fences and limits leave of a pool for clients of a catchment.
    #[must_use]
    #[inline(always)]
    pub fn new(table: &PoolTable, on_map: &RouteTable, policy: &Policy, here: Option<(&Map, u32)>) -> Self {
        let mut scope =
            Self { weighted: table.weighted, open: u64::MAX, wanted: u64::MAX, other: u64::MAX, within: u64::MAX };
        if let Some((map, catchment)) = here {
            let denied = map.denied(catchment);
            if denied != 0 {
                scope.open = !on_map.behind(denied);
            }
            if policy.limits != Policy::UNLIMITED {
                scope.within = on_map.in_rule_regions(u64::MAX, map.within(catchment));
            }
        }
        scope
    }

    /// Who may ever answer this client.
    #[must_use]
    pub fn set(&self) -> u64 {
        self.weighted & self.open & self.wanted & self.other
    }
}

/// What decides for the endpoints of one pool.
#[derive(Clone, Copy, Debug)]
pub struct Eligibility {
    scope: Scope,
    /// The family that counts, with the endpoints that have an address of it. None: both families count together.
    of: Option<(Family, u64)>,
    /// Those that could answer, were they healthy.
    base: u64,
    up: u64,
    down: u64,
    falling: u64,
    rising: u64,
    held: u64,
    /// Held by the governor, with nothing beside them that is truly up: out on the first attempt.
    yields: u64,
    last: u64,
    out: u64,
    weighted: u64,
    drained: u64,
    belief: Belief,
    trust_unknown: bool,
    distrusted: bool,
}

impl Eligibility {
    /// Eligibility in a pool for one client, for the name: it does not depend on the type that is asked for.
    #[must_use]
    #[inline]
    pub fn new(pool: &Pool, row: &PoolRow, scope: Scope, belief: Belief, families: Families) -> Self {
        let (up, down) = together(row.up, row.down, families);
        let base = scope.set() & row.weighted & !row.out;
        let governed = row.governed.any();
        let mut yields = 0;
        if governed != 0 {
            // Truly up: by its own newest verdict, or without a monitor.
            let sure = match families {
                Families::Apart => row.up.v4 & !row.governed.v4 | row.up.v6 & !row.governed.v6,
                Families::Leave => up & !governed,
            };
            if sure & !row.forced & base & !row.drained & scope.within == 0 {
                yields = governed & !sure & !down & base;
            }
        }
        let too_few = || (up & base).count_ones() < pool.panic.of(base.count_ones());
        Self {
            scope,
            of: None,
            base,
            up,
            down,
            falling: row.falling.any() & up,
            rising: row.rising.any() & down,
            held: row.held,
            yields,
            last: row.last,
            out: row.out,
            weighted: row.weighted,
            drained: row.drained,
            belief,
            trust_unknown: up & base == 0,
            distrusted: pool.panic != Threshold::NEVER && too_few(),
        }
    }

    /// Eligibility in a pool on the first attempt, whatever the client: what is said of a pool, and of a single endpoint as
    /// if it were a pool.
    #[must_use]
    pub fn of_all(pool: &Pool, row: &PoolRow, families: Families) -> Self {
        let scope = Scope { weighted: u64::MAX, open: u64::MAX, wanted: u64::MAX, other: u64::MAX, within: u64::MAX };
        Self::new(pool, row, scope, Belief::Measured, families)
    }

    /// Eligibility for one family in the pool that already answers the name: `has` are the endpoints with an address of it.
    #[must_use]
    pub fn of_family(row: &PoolRow, scope: Scope, belief: Belief, family: Family, has: u64) -> Self {
        let base = scope.set() & has & row.weighted & !row.out;
        Self {
            scope,
            of: Some((family, has)),
            base,
            up: row.up[family],
            down: row.down[family],
            falling: row.falling[family] & row.up[family],
            rising: row.rising[family] & row.down[family],
            held: row.held,
            yields: 0,
            last: row.last_in[family],
            out: row.out,
            weighted: row.weighted,
            drained: row.drained,
            belief,
            trust_unknown: row.up[family] & base == 0,
            distrusted: false,
        }
    }

    /// Whether measured health decides, so that an address that is known to be dead is passed over.
    #[must_use]
    #[inline]
    pub fn believes(&self) -> bool {
        match self.belief {
            Belief::Measured => true,
            Belief::Relaxed => !self.distrusted,
            Belief::Ignored | Belief::LastKnown | Belief::Lifted => false,
        }
    }

    /// The endpoints that may answer a family, of those that are chosen for the name: `has` have an address of it.
    #[must_use]
    #[inline]
    pub fn serving(&self, row: &PoolRow, family: Family, has: u64) -> u64 {
        if self.believes() { has & !row.down[family] } else { has }
    }

    /// The eligible endpoints, as bits.
    #[must_use]
    #[inline]
    pub fn set(&self) -> u64 {
        let healthy = self.healthy();
        match self.belief {
            Belief::Measured => healthy & !self.drained & self.scope.within & !self.yields,
            Belief::Relaxed if self.distrusted => self.base,
            Belief::Relaxed => healthy,
            Belief::Ignored => self.base,
            Belief::LastKnown => self.base & self.last,
            Belief::Lifted => self.scope.set() & self.of.map_or(u64::MAX, |(_, has)| has),
        }
    }

    /// Whether anybody may ever answer this client from the pool: what fences leave, whatever health says.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.scope.set() != 0
    }

    /// Whether the pool has somebody when less is asked of it: without admission, drains, limits, `min_healthy` and
    /// `panic`.
    #[must_use]
    #[inline]
    pub fn has_more(&self) -> bool {
        self.distrusted && self.base != 0 || self.healthy() != 0
    }

    fn healthy(&self) -> u64 {
        self.base & if self.trust_unknown { !self.down } else { self.up }
    }

    /// Whether the pool is passed over on the first rung, though it has eligible endpoints: too few of them, or too few
    /// of those that could answer are up.
    #[must_use]
    #[inline]
    pub fn is_thin(&self, pool: &Pool) -> bool {
        self.belief == Belief::Measured
            && (self.distrusted
                || pool.min_healthy != Threshold::ONE
                    && self.set().count_ones() < pool.min_healthy.of(self.base.count_ones()))
    }

    /// The verdict on one endpoint: the same as its bit in [`Eligibility::set`], with the reason.
    ///
    /// # Errors
    /// Why it may not answer.
    pub fn verdict(&self, n: u8) -> Result<Standing, Exclusion> {
        let has = |set: u64| set >> n & 1 == 1;
        let lifted = self.belief == Belief::Lifted;
        if !has(self.scope.weighted) || !(lifted || has(self.weighted)) {
            return Err(Exclusion::Weightless);
        }
        if !has(self.scope.open) {
            return Err(Exclusion::Fenced);
        }
        if !has(self.scope.wanted) {
            return Err(Exclusion::NotAskedFor);
        }
        if !has(self.scope.other) {
            return Err(Exclusion::FirstChoice);
        }
        if let Some((family, with)) = self.of
            && !has(with)
        {
            return Err(Exclusion::NoFamily(family));
        }
        if lifted {
            return Ok(Standing::Lifted);
        }
        if has(self.out) {
            return Err(Exclusion::ForcedDown);
        }
        match self.belief {
            Belief::LastKnown if has(self.last) => return Ok(Standing::LastKnown),
            Belief::LastKnown => return Err(self.down()),
            Belief::Ignored => return Ok(Standing::Ignored),
            Belief::Relaxed if self.distrusted => return Ok(Standing::Distrusted),
            _ => {}
        }
        let standing = match () {
            () if has(self.up & self.held) => Standing::Held,
            () if has(self.up & self.falling) => Standing::Failing,
            () if has(self.up) => Standing::Up,
            () if has(self.down) => return Err(self.down()),
            () if self.trust_unknown => Standing::Unknown,
            () => return Err(Exclusion::Unknown),
        };
        match self.belief {
            Belief::Measured if has(self.drained) => Err(Exclusion::Drained),
            Belief::Measured if !has(self.scope.within) => Err(Exclusion::BeyondLimit),
            Belief::Measured if has(self.yields) => Err(Exclusion::Held),
            _ => Ok(standing),
        }
    }

    fn down(&self) -> Exclusion {
        self.of.map_or(Exclusion::Down, |(family, _)| Exclusion::FamilyDown(family))
    }

    /// Those that are up and may go, of the eligible.
    #[must_use]
    pub fn falling(&self) -> u64 {
        self.falling & self.base
    }

    /// The endpoints that the governor holds and that do not count on the first attempt, since nothing beside them is
    /// truly up.
    #[must_use]
    #[inline]
    pub fn yields(&self) -> u64 {
        self.yields
    }

    /// Those that are down and may come back, of those that could answer.
    #[must_use]
    pub fn rising(&self) -> u64 {
        self.rising & self.base
    }

    /// Whether the set rests on endpoints of which nothing is known.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        matches!(self.belief, Belief::Measured | Belief::Relaxed) && self.trust_unknown
    }
}

/// The endpoints that count as up and as down by both families together, where a service counts them so; no endpoint is
/// both.
#[inline]
pub(super) fn together(up: PerFamily<u64>, down: PerFamily<u64>, families: Families) -> (u64, u64) {
    let (any_up, any_down) = (up.v4 | up.v6, down.v4 | down.v6);
    match families {
        Families::Apart => (any_up, any_down & !any_up),
        Families::Leave => (any_up & !any_down, any_down),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{live::eligible::*, units::Permille};

    #[test]
    fn verdicts_and_set_agree() {
        let two = |bits: u32, at: u32| u64::from(bits >> at & 3);
        for bits in 0u32..1 << 12 {
            let (up, down) = (two(bits, 0), two(bits, 2) & !two(bits, 0));
            let row = PoolRow {
                up: PerFamily::new(up, 0),
                down: PerFamily::new(down, two(bits, 10) & !up),
                falling: PerFamily::new(two(bits, 4) & up, 0),
                out: two(bits, 6),
                drained: two(bits, 8),
                weighted: 0b11,
                last: two(bits, 10),
                last_in: PerFamily::new(two(bits, 10), 0),
                ..PoolRow::default()
            };
            for panic in [Threshold::Share(Permille(0)), Threshold::Share(Permille(600))] {
                let pool = Pool { panic, ..Pool::default() };
                for cut in 0..5 {
                    let mut scope = Scope { weighted: 3, open: 3, wanted: 3, other: 3, within: 3 };
                    match cut {
                        0 => scope.weighted = 1,
                        1 => scope.open = 2,
                        2 => scope.within = 1,
                        3 => scope.other = 2,
                        _ => {}
                    }
                    use Belief::{Ignored, LastKnown, Lifted, Measured, Relaxed};
                    for belief in [Measured, Relaxed, Ignored, LastKnown, Lifted] {
                        let whole = [Families::Apart, Families::Leave]
                            .map(|families| Eligibility::new(&pool, &row, scope, belief, families));
                        let single = [0b00, 0b01, 0b11]
                            .map(|with| Eligibility::of_family(&row, scope, belief, Family::V4, with));
                        for gate in whole.into_iter().chain(single) {
                            for n in 0..2 {
                                assert_eq!(gate.set() >> n & 1 == 1, gate.verdict(n).is_ok(), "{gate:?} {n}");
                            }
                            assert_eq!(gate.set() & !(scope.weighted & scope.open & scope.other), 0, "{gate:?}");
                        }
                    }
                }
            }
        }
    }
}
