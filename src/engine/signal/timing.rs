//! How long a target takes to answer, from its good probes: an average for ranking, percentiles for people. Fixed memory
//! for each target. Must not know targets, endpoints or clocks.

use serde::{Deserialize, Serialize};

use crate::engine::units::Rtt;

/// How many of the newest measurements percentiles are made of.
pub const WINDOW: usize = 64;
/// How much of the average the newest measurement is.
const RECENT: f64 = 0.125;

/// Measurements of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Microseconds.
    average: f64,
    /// The newest ones in microseconds; the next one is put where the oldest stands.
    #[serde(with = "newest")]
    newest: [u32; WINDOW],
    /// How many there were.
    taken: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { average: 0.0, newest: [0; WINDOW], taken: 0 }
    }
}

/// How the newest measurements are written: as a list.
mod newest {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::WINDOW;

    pub(super) fn serialize<S: Serializer>(newest: &[u32; WINDOW], serializer: S) -> Result<S::Ok, S::Error> {
        newest[..].serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u32; WINDOW], D::Error> {
        let newest = Vec::deserialize(deserializer)?;
        newest.try_into().map_err(|_| D::Error::custom("there are as many newest measurements as places for them"))
    }
}

/// What is said of measurements. All times are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The moving average: an eighth of it is the newest one.
    pub average: u32,
    /// Half of the newest ones took no longer.
    pub p50: u32,
    /// Of twenty of the newest ones nineteen took no longer.
    pub p95: u32,
    /// How many the newest ones are, at most [`WINDOW`].
    pub of: usize,
}

impl Window {
    /// Takes in one, in microseconds.
    pub fn take(&mut self, micros: u64) {
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        let before = if self.taken == 0 { f64::from(micros) } else { self.average };
        self.average = before + (f64::from(micros) - before) * RECENT;
        self.newest[(self.taken % WINDOW as u64) as usize] = micros;
        self.taken += 1;
    }

    /// The moving average, for ranking; none before the first.
    #[must_use]
    pub fn average(&self) -> Option<Rtt> {
        (self.taken > 0).then(|| Rtt::nearest(self.average / 100.0))
    }

    /// All that is said of it; none before the first.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let of = self.taken.min(WINDOW as u64) as usize;
        let mut sorted = self.newest;
        let sorted = &mut sorted[..of];
        sorted.sort_unstable();
        // The nearest rank: the smallest value that so many parts of a hundred do not exceed.
        let rank = |parts: usize| sorted.get((of * parts).div_ceil(100).saturating_sub(1)).copied();
        Some(Summary { average: self.average.round() as u32, p50: rank(50)?, p95: rank(95)?, of })
    }
}

/// How long a target takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the start of a probe to its answer.
    pub response: Window,
    /// Until its connection was open, where there was one.
    pub connect: Window,
}

impl Timing {
    /// Takes in a good probe, in microseconds.
    pub fn take(&mut self, response: u64, connect: Option<u64>) {
        self.response.take(response);
        connect.into_iter().for_each(|micros| self.connect.take(micros));
    }
}

impl std::fmt::Display for Summary {
    /// `20.1 ms on average, p50 20.0, p95 24.9 of 64`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |micros: u32| f64::from(micros) / 1000.0;
        let (average, p50, p95) = (millis(self.average), millis(self.p50), millis(self.p95));
        write!(f, "{average:.1} ms on average, p50 {p50:.1}, p95 {p95:.1} of {}", self.of)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(micros: impl IntoIterator<Item = u64>) -> Window {
        let mut window = Window::default();
        micros.into_iter().for_each(|micros| window.take(micros));
        window
    }

    #[test]
    fn nothing_is_said_before_the_first() {
        assert_eq!((window([]).average(), window([]).summary()), (None, None));
        let only = Summary { average: 7, p50: 7, p95: 7, of: 1 };
        assert_eq!((window([7]).average(), window([7]).summary()), (Some(Rtt::SHORTEST), Some(only)));
    }

    #[test]
    fn the_average_moves_by_an_eighth() {
        assert_eq!(window([20_000, 36_000]).average(), Some(Rtt(220)));
        assert_eq!(window([20_000, 36_000, 22_000]).average(), Some(Rtt(220)));
    }

    #[test]
    fn percentiles_are_of_the_newest_and_outliers_fall_out() {
        let summary = window((1..=100).map(|n| n * 1000)).summary().unwrap();
        // 37 to 100 are left: the 32nd of them and the 61st.
        assert_eq!((summary.p50, summary.p95, summary.of), (68_000, 97_000, 64));
        let slow_once = |after: usize| window([900_000].into_iter().chain(std::iter::repeat_n(1000, after)));
        assert_eq!(slow_once(19).summary().unwrap().p95, 1000, "one of twenty");
        assert_eq!(slow_once(18).summary().unwrap().p95, 900_000, "one of nineteen");
        assert_eq!(slow_once(64).summary().unwrap().to_string(), "1.2 ms on average, p50 1.0, p95 1.0 of 64");
    }

    #[test]
    fn connecting_and_answering_are_apart() {
        let mut timing = Timing::default();
        timing.take(9000, Some(2000));
        timing.take(9000, None);
        let of = |window: &Window| window.summary().map(|summary| (summary.p50, summary.of));
        assert_eq!((of(&timing.response), of(&timing.connect)), (Some((9000, 2)), Some((2000, 1))));
    }

    proptest! {
        /// Against sorting what there was, and no more.
        #[test]
        fn it_says_what_sorting_says(micros in prop::collection::vec(0..5_000_000_000_u64, 1..200)) {
            let summary = window(micros.iter().copied()).summary().unwrap();
            let mut newest: Vec<u64> = micros.iter().rev().take(WINDOW).map(|m| (*m).min(u32::MAX.into())).collect();
            newest.sort_unstable();
            prop_assert_eq!(summary.of, newest.len());
            for (parts, value) in [(50, summary.p50), (95, summary.p95)] {
                let upto = newest.iter().filter(|m| **m <= u64::from(value)).count();
                let below = newest.iter().filter(|m| **m < u64::from(value)).count();
                prop_assert!(upto * 100 >= parts * newest.len() && below * 100 < parts * newest.len());
            }
        }
    }
}
