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
    row: PoolRow,
    weighted: u64,
    belief: Belief,
    trust_unknown: bool,
}

impl Gate {
    /// `weighted`: the endpoints whose weight is not 0.
    #[must_use]
    pub fn new(row: PoolRow, weighted: u64, belief: Belief) -> Self {
        Self { row, weighted, belief, trust_unknown: row.up & weighted == 0 }
    }

    /// The eligible endpoints, as bits.
    #[must_use]
    pub fn set(&self) -> u64 {
        match self.belief {
            Belief::Ignored => self.weighted,
            Belief::Measured if self.trust_unknown => self.row.unknown & self.weighted,
            Belief::Measured => self.row.up & self.weighted,
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
            Belief::Measured if has(self.row.up) && has(self.row.falling) => Ok(Standing::Failing),
            Belief::Measured if has(self.row.up) => Ok(Standing::Up),
            Belief::Measured if has(self.row.unknown) && self.trust_unknown => Ok(Standing::Unknown),
            Belief::Measured if has(self.row.unknown) => Err(Exclusion::Unknown),
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
            let row = PoolRow { up, unknown: (bit(2) | bit(3) << 1) & !up, falling: bit(4) & up, ..PoolRow::default() };
            for weighted in 0..4 {
                for belief in [Belief::Measured, Belief::Ignored] {
                    let gate = Gate::new(row, weighted, belief);
                    for n in 0..2 {
                        assert_eq!(gate.set() >> n & 1 == 1, gate.verdict(n).is_ok(), "{gate:?} {n}");
                    }
                }
            }
        }
    }
}
