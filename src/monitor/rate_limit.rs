//! How many probes may begin: a budget for all together and one for each address, so that a mistake in a configuration
//! floods no target. Pure: time is an argument. What is beyond a budget waits, it is never left out.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use crate::engine::health::rules::Rate;

/// Part of a second for which a budget may be saved up and spent at once.
const BURST: u64 = 4;
const SECOND: u64 = 1_000_000;

/// Both budgets. Moments and waits are microseconds since some start.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    all: Budget,
    of: HashMap<IpAddr, Own>,
}

/// Where those stand who wait for a budget, first come, first served.
pub(super) type Queue = tokio::sync::Mutex<()>;

/// What an address has.
#[derive(Debug, Default)]
struct Own {
    budget: Budget,
    line: Arc<Queue>,
}

/// A leaky bucket kept as one moment: when it would be as good as full, were nothing more spent (the virtual scheduling
/// of ITU-T I.371, the generic cell rate algorithm).
#[derive(Clone, Copy, Debug, Default)]
struct Budget(u64);

impl Budget {
    /// Spends for one probe that wants to begin at `now`, and says when it may.
    fn book(&mut self, now: u64, rate: u32) -> u64 {
        let burst = (u64::from(rate.max(1)).div_ceil(BURST) - 1) * spacing(rate);
        let at = now.max(self.0.saturating_sub(burst));
        self.0 = self.0.max(at) + spacing(rate);
        at
    }
}

fn spacing(rate: u32) -> u64 {
    SECOND / u64::from(rate.max(1))
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, all: Budget::default(), of: HashMap::new() }
    }

    /// Another rate from now on; what is booked stays booked.
    pub(super) fn set(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// Books a probe of an address out of its own budget, and says when that allows it.
    pub(super) fn own(&mut self, now: u64, address: IpAddr) -> u64 {
        self.of.entry(address).or_default().budget.book(now, self.rate.per_target)
    }

    /// The line of those who wait for an address's budget.
    pub(super) fn line(&mut self, address: IpAddr) -> Arc<Queue> {
        Arc::clone(&self.of.entry(address).or_default().line)
    }

    /// Books a probe out of the budget of all, once its own allows it: one that waits for its own takes no other's turn
    /// meanwhile.
    pub(super) fn all(&mut self, now: u64) -> u64 {
        self.all.book(now, self.rate.total)
    }

    /// Forgets addresses whose budgets are whole again, and for which no probe waits.
    pub(super) fn sweep(&mut self, now: u64) {
        self.of.retain(|_, own| own.budget.0 > now || Arc::strong_count(&own.line) > 1);
    }

    /// How many addresses are remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.of.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { total: 100, per_target: 20 };

    fn address(n: u8) -> IpAddr {
        [192, 0, 2, n].into()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_step() {
        let mut pace = Pace::new(RATE);
        let begun: Vec<u64> = (0..8).map(|_| pace.own(0, address(1)) / 1000).collect();
        assert_eq!(begun, [0, 0, 0, 0, 0, 50, 100, 150]);
        // Another address does not wait for the first one's budget.
        assert_eq!(pace.own(0, address(2)), 0);
        // What was not used is saved up, but for no more than the burst.
        assert_eq!(
            (0..6).map(|_| pace.own(9_000_000, address(1)) / 1000 - 9000).collect::<Vec<_>>(),
            [0, 0, 0, 0, 0, 50]
        );
    }

    #[test]
    fn all_together_have_a_budget_too() {
        let mut pace = Pace::new(RATE);
        let begun: Vec<u64> = (0..30).map(|_| pace.all(0) / 1000).collect();
        assert_eq!(begun[..25], [0; 25]);
        assert_eq!(begun[25..], [10, 20, 30, 40, 50]);
    }

    #[test]
    fn whole_budgets_are_forgotten() {
        let mut pace = Pace::new(RATE);
        (0..10).for_each(|n| _ = pace.own(0, address(n)));
        pace.sweep(49_999);
        assert_eq!(pace.remembered(), 10);
        let line = pace.line(address(3));
        pace.sweep(50_000);
        assert_eq!(pace.remembered(), 1, "a probe waits there");
        drop(line);
        pace.sweep(50_000);
        assert_eq!(pace.remembered(), 0);
    }

    proptest! {
        /// In no second does an address get more than its rate and a burst, nor all together.
        #[test]
        fn no_second_holds_more_than_rate_and_burst(
            asked in prop::collection::vec((0u64..30_000, 0u8..4), 1..400),
            total in 1u32..200,
            per_target in 1u32..50,
        ) {
            let mut pace = Pace::new(Rate { total, per_target });
            // As a target's task does: its own budget, then, at the moment which that allows, that of all.
            let (mut now, mut own) = (0, Vec::new());
            for (wait, n) in asked {
                now += wait;
                own.push((pace.own(now, address(n)), n));
            }
            own.sort_unstable();
            let all: Vec<u64> = own.iter().map(|(at, _)| pace.all(*at)).collect();
            let most = |rate: u32| u64::from(rate) + u64::from(rate).div_ceil(BURST) + 1;
            for (at, n) in &own {
                let within = own.iter().filter(|(other, of)| of == n && (*at..at + SECOND).contains(other)).count();
                prop_assert!(within as u64 <= most(per_target), "{within} of one address");
            }
            for at in &all {
                let within = all.iter().filter(|other| (*at..at + SECOND).contains(other)).count();
                prop_assert!(within as u64 <= most(total), "{within} of all");
            }
        }
    }
}
