//! Plain shed: the share of its blocks that an endpoint passes on, from its load ÷ capacity alone. A feedback loop behind
//! DNS caches: what it does shows late, so it acts seldom, and reckons with what it did before. Must not know endpoints,
//! blocks or clocks.
//!
//! The law: offered load d = ratio ÷ (1 − shed in effect); then shed = (d − low) ÷ (d + high − low), the one share for
//! which what is left, d × (1 − shed), lies on the line from `low` (nothing is shed) to `high` (all is). docs/steering.md
//! says why it is stable.

use serde::{Deserialize, Serialize};

use crate::engine::types::{At, Millis};

/// The most that is shed. The rest stays, so that load goes on being measured.
pub const MOST: f64 = 0.98;
/// The most by which a shed moves at a time, except upwards from a ratio of `high` or more.
pub const STEP: f64 = 0.25;
/// What is not worth moving for.
const LEAST: f64 = 0.01;

/// Load ÷ capacity where blocks start to move on, and where all must.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marks {
    /// Where they start.
    pub low: f64,
    /// Where all must.
    pub high: f64,
}

/// The shed of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shed {
    share: f64,
    moved: Option<At>,
}

impl Shed {
    /// The share of blocks that is passed on, 0 to [`MOST`].
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// When it may move again, having moved: its last move shows in the ratio by then.
    #[must_use]
    pub fn due(&self, period: Millis) -> At {
        self.moved.map_or(At(0), |at| at.plus(period))
    }

    /// Acts on a ratio, if it is time, and says whether the shed moved. Where nothing is reported it goes back, step by
    /// step. `period`: how long until a move shows in full.
    pub fn act(&mut self, now: At, ratio: Option<f64>, marks: Marks, period: Millis) -> bool {
        if now < self.due(period) {
            return false;
        }
        let Some(ratio) = ratio else { return self.put(now, (self.share - STEP).max(0.0)) };
        let wanted = wanted(ratio / (1.0 - self.share), marks);
        let most = if ratio >= marks.high { MOST } else { self.share + STEP };
        self.put(now, wanted.clamp(self.share - STEP, most.max(self.share - STEP)))
    }

    fn put(&mut self, now: At, share: f64) -> bool {
        let worth = (share - self.share).abs() >= LEAST || share == 0.0 && self.share > 0.0;
        if worth {
            *self = Self { share, moved: Some(now) };
        }
        worth
    }
}

/// The shed for an offered load ÷ capacity.
fn wanted(offered: f64, Marks { low, high }: Marks) -> f64 {
    if offered <= low { 0.0 } else { ((offered - low) / (offered + high - low)).min(MOST) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::signal::load::Smoothed;

    const MARKS: Marks = Marks { low: 0.7, high: 0.95 };

    #[test]
    fn what_is_left_lies_between_the_marks() {
        let mut last = 0.0;
        for percent in 0..=300 {
            let offered = f64::from(percent) / 100.0;
            let shed = wanted(offered, MARKS);
            let left = offered * (1.0 - shed);
            assert!(shed >= last, "more load, more shed: {offered}");
            last = shed;
            if offered <= MARKS.low {
                assert_eq!(shed, 0.0);
            } else {
                assert!((left - (MARKS.low + (MARKS.high - MARKS.low) * shed)).abs() < 1e-9, "{offered}: {left}");
                assert!(left < MARKS.high);
            }
        }
    }

    #[test]
    fn it_moves_once_in_a_period_and_by_a_bounded_step() {
        let mut shed = Shed::default();
        assert!(!shed.act(At(0), Some(0.7), MARKS, Millis(1000)), "nothing to do");
        assert!(shed.act(At(5), Some(0.9), MARKS, Millis(1000)), "at once, since nothing is under way");
        assert!((shed.share() - 0.2 / 1.15).abs() < 1e-9, "of a load of 0.9 what is beyond 0.7");
        assert!(!shed.act(At(1004), Some(2.0), MARKS, Millis(1000)));
        assert!(shed.act(At(1005), Some(2.0), MARKS, Millis(1000)), "beyond high it goes as far as it must");
        assert!((shed.share() - wanted(2.0 * 1.15 / 0.95, MARKS)).abs() < 1e-9);
        let high = shed.share();
        assert!(shed.act(At(2005), Some(0.0), MARKS, Millis(1000)));
        assert!((shed.share() - (high - STEP)).abs() < 1e-9, "back by steps");
        assert!(shed.act(At(3005), None, MARKS, Millis(1000)));
        assert!((shed.share() - (high - 2.0 * STEP)).abs() < 1e-9, "also without reports");
        for n in 0..4 {
            shed.act(At(4005 + n * 1000), None, MARKS, Millis(1000));
        }
        assert_eq!(shed.share(), 0.0);
    }

    /// An endpoint behind caches: what it offers, how long answers are kept, how late and how smooth reports are. Seconds.
    #[derive(Clone, Copy, Debug)]
    struct Model {
        ttl: u64,
        delay: u64,
        smooth: u64,
        every: u64,
    }

    impl Model {
        /// As the ledger reckons it, with the smallest `max_age` that accepts such reports.
        fn period(self) -> u64 {
            self.ttl + (self.delay + self.every) + 2 * self.smooth
        }

        /// Plays an offered load for each of so many periods; gives ratio and shed of each second. Caches take a new
        /// answer evenly over the TTL; 2 % of the load never do.
        fn play(self, shed: &mut Shed, offered: impl Fn(u64) -> f64, periods: u64) -> Vec<(f64, f64)> {
            let period = self.period();
            let (mut from, mut turned) = (shed.share(), 0);
            let mut ratios = Vec::new();
            let mut load: Option<Smoothed> = None;
            for now in 0..periods * period {
                let done = ((now - turned) as f64 / self.ttl as f64).min(1.0);
                let effect = from + (shed.share() - from) * done;
                ratios.push((offered(now / period) * (0.02 + 0.98 * (1.0 - effect)), shed.share()));
                if now < self.delay || now % self.every != 0 {
                    continue;
                }
                let (at, report) = (At(now * 1000), ratios[(now - self.delay) as usize].0);
                match &mut load {
                    Some(load) => load.take(at, report, Millis(u64::MAX), Millis(self.smooth * 1000)),
                    None => load = Some(Smoothed::new(at, report)),
                }
                let ratio = load.and_then(|load| load.fresh(at, Millis(u64::MAX)));
                if shed.act(at, ratio, MARKS, Millis(period * 1000)) {
                    (from, turned) = (effect, now);
                }
            }
            ratios
        }
    }

    fn model() -> impl Strategy<Value = Model> {
        (5u64..=300, 0u64..=30, 0u64..=20, 1u64..=10).prop_map(|(ttl, delay, smooth, every)| Model {
            ttl,
            delay,
            smooth,
            every,
        })
    }

    /// After so many periods a steady load is answered by a steady shed.
    const SETTLED: usize = 5;

    fn settles(model: Model, played: &[(f64, f64)], offered: f64) -> Result<(), TestCaseError> {
        let calm = &played[SETTLED * model.period() as usize..];
        let least = calm.iter().map(|(ratio, _)| *ratio).fold(f64::MAX, f64::min);
        let most = calm.iter().map(|(ratio, _)| *ratio).fold(0.0, f64::max);
        prop_assert!(most - least <= 0.05, "swings from {least} to {most}");
        let (ratio, shed) = calm[calm.len() - 1];
        prop_assert!(ratio <= MARKS.high, "{ratio}");
        prop_assert!(ratio >= MARKS.low.min(offered) - 0.02, "{ratio} of {offered}: too much is shed");
        prop_assert!(offered > MARKS.low || shed == 0.0, "{offered} needs no shed, not {shed}");
        Ok(())
    }

    proptest! {
        /// From rest, a load of any size is brought between the marks and stays there.
        #[test]
        fn it_settles_without_swings(model in model(), offered in 0f64..3.0) {
            let played = model.play(&mut Shed::default(), |_| offered, 20);
            settles(model, &played, offered)?;
        }

        /// The same from whatever was before: a load that changes is followed.
        #[test]
        fn it_follows_a_change(model in model(), before in 0f64..3.0, after in 0f64..3.0) {
            let mut shed = Shed::default();
            model.play(&mut shed, |_| before, 10);
            // Another start of the clock, and all that was done shows by then.
            shed.moved = None;
            let played = model.play(&mut shed, |_| after, 20);
            settles(model, &played, after)?;
        }

        /// Once it is over, a surge leaves nothing behind.
        #[test]
        fn below_low_it_returns_to_nothing(model in model(), surge in 0.7f64..3.0, rest in 0f64..0.69) {
            let mut shed = Shed::default();
            model.play(&mut shed, |period| if period < 6 { surge } else { rest }, 20);
            prop_assert_eq!(shed.share(), 0.0);
        }
    }
}
