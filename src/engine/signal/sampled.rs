//! Round-trip times that come one by one, as an average that forgets: what came a half-life ago counts half, and beyond so
//! many samples the oldest count no more, so that a busy client's average moves within minutes and a quiet one's still
//! rests on enough. Must not know whose they are.

use serde::{Deserialize, Serialize};

use super::latency::Reading;
use crate::engine::{
    types::{At, Millis},
    units::Rtt,
};

/// An average rests on no more samples than this, or than twice what it takes to be believed.
const MOST: u32 = 64;

/// How averages forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgetting {
    /// A sample that is so old counts half.
    pub half_life: Millis,
    /// What an average rests on at most.
    pub most: u32,
}

impl Forgetting {
    /// For averages that are believed from so many samples on, and for so long.
    #[must_use]
    pub fn of(min_samples: u32, max_age: Millis) -> Self {
        Self { half_life: Millis(max_age.0 / 4).max(Millis(1)), most: min_samples.saturating_mul(2).max(MOST) }
    }

    fn kept(&self, age: Millis) -> f64 {
        (-(age.0 as f64) / self.half_life.0 as f64).exp2()
    }
}

/// An average of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// Tenths of a millisecond, with what is less than one.
    rtt: f64,
    weight: f64,
    /// When the newest was taken.
    at: At,
}

impl Sampled {
    /// The average of so many, in tenths of a millisecond.
    #[must_use]
    pub fn new(at: At, rtt: f64, samples: u32, forgetting: &Forgetting) -> Self {
        Self { rtt, weight: f64::from(samples.min(forgetting.most)), at }
    }

    /// Takes in the average of so many more. Those that were taken before others that are in count as if with them.
    pub fn take(&mut self, at: At, rtt: f64, samples: u32, forgetting: &Forgetting) {
        let more = f64::from(samples.min(forgetting.most));
        // Room is made among the old ones: the newest always count in full.
        let kept = (self.weight * forgetting.kept(at.since(self.at))).min(f64::from(forgetting.most) - more);
        self.weight = kept + more;
        self.rtt += (rtt - self.rtt) * more / self.weight;
        self.at = self.at.max(at);
    }

    /// What it says at a moment.
    #[must_use]
    pub fn reading(&self, now: At) -> Reading {
        let samples = Some(self.weight.round() as u32);
        Reading { rtt: Rtt::nearest(self.rtt), samples, age: now.since(self.at) }
    }

    /// How many samples it is worth by now.
    #[must_use]
    pub fn worth(&self, now: At, forgetting: &Forgetting) -> f64 {
        self.weight * forgetting.kept(now.since(self.at))
    }

    /// When the newest was taken.
    #[must_use]
    pub fn at(&self) -> At {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORGETTING: Forgetting = Forgetting { half_life: Millis(1000), most: 64 };

    #[test]
    fn what_came_a_half_life_ago_counts_half() {
        let mut average = Sampled::new(At(0), 100.0, 8, &FORGETTING);
        average.take(At(1000), 200.0, 4, &FORGETTING);
        assert_eq!(average.reading(At(1500)), Reading { rtt: Rtt(150), samples: Some(8), age: Millis(500) });
        assert_eq!((average.worth(At(2000), &FORGETTING), average.at()), (4.0, At(1000)));
    }

    #[test]
    fn a_busy_average_follows_at_once_and_a_late_report_changes_no_age() {
        let mut average = Sampled::new(At(0), 100.0, 1_000_000, &FORGETTING);
        average.take(At(0), 300.0, 32, &FORGETTING);
        assert_eq!(average.reading(At(0)), Reading { rtt: Rtt(200), samples: Some(64), age: Millis(0) });
        average.take(At(0), 900.0, u32::MAX, &FORGETTING);
        assert_eq!(average.reading(At(0)).rtt, Rtt(900), "as many as it may rest on replace it");
        average.take(At(10), 900.0, 1, &FORGETTING);
        average.take(At(5), 900.0, 1, &FORGETTING);
        assert_eq!(average.reading(At(10)).age, Millis(0));
    }

    #[test]
    fn who_wants_many_samples_is_given_as_many() {
        let forgetting = Forgetting::of(1000, Millis(86_400_000));
        let average = Sampled::new(At(0), 100.0, 5000, &forgetting);
        assert_eq!((average.reading(At(0)).samples, forgetting.half_life), (Some(2000), Millis(21_600_000)));
    }

    proptest! {
        /// It stays among what was sampled, and never rests on more than it may.
        #[test]
        fn it_stays_among_the_samples(
            taken in prop::collection::vec((0u64..5000, 1f64..1e5, 1u32..1000), 1..40)
        ) {
            let mut now = 0;
            let mut average = Sampled::new(At(0), taken[0].1, taken[0].2, &FORGETTING);
            for (wait, rtt, samples) in &taken {
                now += wait;
                average.take(At(now), *rtt, *samples, &FORGETTING);
            }
            let reading = average.reading(At(now));
            let least = taken.iter().map(|t| t.1).fold(f64::MAX, f64::min).round() as u32;
            let most = taken.iter().map(|t| t.1).fold(0.0, f64::max).round() as u32;
            prop_assert!((least..=most).contains(&reading.rtt.0), "{reading:?} of {least} to {most}");
            prop_assert!(reading.samples.is_some_and(|samples| (1..=64).contains(&samples)));
        }
    }
}
