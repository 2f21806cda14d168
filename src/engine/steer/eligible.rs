//! Who may answer at all. Filter first, weigh second.

use super::{
    row::PoolRow,
    trace::{Exclusion, Standing},
};

/// How health counts on a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// As measured; unknown counts as up only while nothing in the pool is up.
    Measured,
    /// Everything is down, so health tells nothing.
    Ignored,
}

/// What decides for the endpoints of one pool.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    up: u64,
    unknown: u64,
    falling: u64,
    weighted: u64,
    belief: Belief,
    trust_unknown: bool,
}

impl Gate {
    /// `weighted`: the endpoints whose weight is not 0.
    #[must_use]
    pub fn new(row: &PoolRow, weighted: u64, belief: Belief) -> Self {
        let ([u4, u6], [d4, d6], [f4, f6]) = (row.up, row.down, row.falling);
        let up = u4 | u6;
        let unknown = !up & !(d4 | d6);
        Self { up, unknown, falling: f4 | f6, weighted, belief, trust_unknown: up & weighted == 0 }
    }

    /// The eligible endpoints, as bits.
    #[must_use]
    pub fn set(&self) -> u64 {
        match self.belief {
            Belief::Ignored => self.weighted,
            Belief::Measured if self.trust_unknown => self.unknown & self.weighted,
            Belief::Measured => self.up & self.weighted,
        }
    }

    /// The verdict on one endpoint: the same as its bit in [`Gate::set`], with the reason.
    ///
    /// # Errors
    /// Why it may not answer.
    pub fn verdict(&self, n: u8) -> Result<Standing, Exclusion> {
        let has = |set: u64| set >> n & 1 == 1;
        if !has(self.weighted) {
            return Err(Exclusion::Weightless);
        }
        match self.belief {
            Belief::Ignored => Ok(Standing::Ignored),
            Belief::Measured if has(self.up) && has(self.falling) => Ok(Standing::Failing),
            Belief::Measured if has(self.up) => Ok(Standing::Up),
            Belief::Measured if has(self.unknown) && self.trust_unknown => Ok(Standing::Unknown),
            Belief::Measured if has(self.unknown) => Err(Exclusion::Unknown),
            Belief::Measured => Err(Exclusion::Down),
        }
    }

    /// Whether the set rests on endpoints of which nothing is known.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.belief == Belief::Measured && self.trust_unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_and_set_agree() {
        for bits in 0u64..1 << 6 {
            let bit = |n: u32| bits >> n & 1;
            let up = bit(0) | bit(1) << 1;
            let down = (bit(2) | bit(3) << 1) & !up;
            let row = PoolRow { up: [up, 0], down: [down, 0], falling: [bit(4) & up, 0], ..PoolRow::default() };
            for weighted in 0..4 {
                for belief in [Belief::Measured, Belief::Ignored] {
                    let gate = Gate::new(&row, weighted, belief);
                    for n in 0..2 {
                        assert_eq!(gate.set() >> n & 1 == 1, gate.verdict(n).is_ok(), "{gate:?} {n}");
                    }
                }
            }
        }
    }
}
