//! How much load there is: what is reported, smoothed, until it is too old to count. Must not know whose load it is.

use serde::{Deserialize, Serialize};

use crate::{
    engine::types::{At, Millis},
    probing::pull::Pull,
};

/// From here on a number is no load: no capacity is so large.
pub const TOO_MUCH: f64 = 1e12;

/// A configured source of load reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The name in the configuration, by which pools name it.
    pub name: Box<str>,
    /// What is asked for it; none: reports are brought.
    pub pull: Option<Pull>,
    /// From one question to the next.
    pub interval: Millis,
    /// Scope an answer is about.
    pub of: Of,
    /// A report that is older counts no more.
    pub max_age: Millis,
    /// Half-life of the smoothing; 0: every report counts as it is.
    pub smooth: Millis,
}

/// Scope the answer to a question for load is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Of {
    /// The endpoint that was asked.
    #[default]
    Endpoint,
    /// All of the endpoint's region.
    Region,
}

/// Whether a number can be a load.
#[must_use]
pub fn is_load(number: f64) -> bool {
    (0.0..TOO_MUCH).contains(&number)
}

/// An average in which a report counts half as much as one that came a half-life later.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smoothed {
    value: f64,
    at: At,
    /// What it was before the reports of the moment `at`, and when: of several at one moment the last one counts.
    before: Option<(f64, At)>,
}

impl Smoothed {
    /// The first report.
    #[must_use]
    pub fn new(at: At, report: f64) -> Self {
        Self { value: report, at, before: None }
    }

    /// Takes in a report. What came before a gap longer than `max_age` counts no more.
    pub fn take(&mut self, at: At, report: f64, max_age: Millis, smooth: Millis) {
        if at > self.at {
            self.before = self.fresh(at, max_age).map(|value| (value, self.at));
            self.at = at;
        }
        self.value = match self.before {
            Some((value, since)) if !smooth.is_zero() => {
                let kept = (-(self.at.since(since).0 as f64) / smooth.0 as f64).exp2();
                report + (value - report) * kept
            }
            _ => report,
        };
    }

    /// Its value, while the last report is not older than `max_age`.
    #[must_use]
    pub fn fresh(&self, now: At, max_age: Millis) -> Option<f64> {
        (now.since(self.at) <= max_age).then_some(self.value)
    }

    /// The first moment at which it is too old.
    #[must_use]
    pub fn stale_at(&self, max_age: Millis) -> At {
        self.at.plus(max_age).plus(Millis(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_older_report_counts_half_after_a_half_life() {
        let mut load = Smoothed::new(At(0), 100.0);
        for (at, report, value) in [(10_000, 0.0, 50.0), (20_000, 0.0, 25.0), (20_000, 75.0, 62.5), (40_000, 2.5, 17.5)]
        {
            load.take(At(at), report, Millis(60_000), Millis(10_000));
            assert_eq!(load.fresh(At(at), Millis(60_000)), Some(value), "at {at}");
        }
    }

    #[test]
    fn without_smoothing_the_last_report_counts() {
        let mut load = Smoothed::new(At(0), 100.0);
        load.take(At(0), 70.0, Millis(10_000), Millis(0));
        assert_eq!(load.fresh(At(0), Millis(10_000)), Some(70.0));
        load.take(At(1), 30.0, Millis(10_000), Millis(0));
        assert_eq!(load.fresh(At(1), Millis(10_000)), Some(30.0));
    }

    #[test]
    fn a_gap_ends_what_was_before() {
        let mut load = Smoothed::new(At(0), 100.0);
        assert_eq!(
            (load.fresh(At(10_000), Millis(10_000)), load.fresh(At(10_001), Millis(10_000))),
            (Some(100.0), None)
        );
        assert_eq!(load.stale_at(Millis(10_000)), At(10_001));
        load.take(At(10_001), 10.0, Millis(10_000), Millis(10_000));
        assert_eq!(load.fresh(At(10_001), Millis(10_000)), Some(10.0));
    }

    proptest! {
        /// It never leaves the range of what was reported.
        #[test]
        fn it_stays_among_the_reports(reports in prop::collection::vec((0u64..5000, 0f64..1e6), 1..30), smooth in 0u64..20_000) {
            let mut now = 0;
            let mut load = Smoothed::new(At(0), reports[0].1);
            for (wait, report) in &reports {
                now += wait;
                load.take(At(now), *report, Millis::MAX, Millis(smooth));
            }
            let least = reports.iter().map(|r| r.1).fold(f64::MAX, f64::min);
            let most = reports.iter().map(|r| r.1).fold(0.0, f64::max);
            let value = load.fresh(At(now), Millis::MAX).expect("fresh");
            prop_assert!(value >= least - 1e-6 && value <= most + 1e-6, "{value} of {least} to {most}");
        }
    }
}
