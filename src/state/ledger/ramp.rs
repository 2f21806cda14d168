//! What goes in steps: the share that an endpoint takes after a recovery, and a drain over a time. Pure arithmetic of
//! moments. Must not know who moves.

use crate::engine::{health::fold::Health, steer::policy::ADMIT_ALL, types::At};

/// In how many steps anything grows or shrinks.
pub(super) const STEPS: u32 = 20;

/// How many steps of a change that takes `over` have been taken `gone` milliseconds after its start.
pub(super) fn taken(gone: u64, over: u64) -> u32 {
    if gone >= over { STEPS } else { (u128::from(gone) * u128::from(STEPS) / u128::from(over)) as u32 }
}

/// How long after its start the next step is taken; none when all are.
pub(super) fn next(gone: u64, over: u64) -> Option<u64> {
    let step = u128::from(taken(gone, over)) + 1;
    (gone < over).then(|| (step * u128::from(over)).div_ceil(u128::from(STEPS)) as u64)
}

/// So many of [`STEPS`], in parts of [`ADMIT_ALL`].
pub(super) fn parts(steps: u32) -> u32 {
    (u64::from(ADMIT_ALL) * u64::from(steps.min(STEPS)) / u64::from(STEPS)) as u32
}

/// The way back to a whole share. Its first step is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ramp {
    /// Milliseconds that were walked before `walking`.
    gone: u64,
    /// Since when it walks; none while it is halted.
    walking: Option<At>,
}

impl Ramp {
    fn gone(&self, now: At) -> u64 {
        self.gone + self.walking.map_or(0, |since| now.since(since))
    }

    /// In parts of [`ADMIT_ALL`].
    pub(super) fn admission(&self, now: At, over: u64) -> u32 {
        parts(taken(self.gone(now), over) + 1)
    }

    /// When it takes its next step; none when it is halted or done.
    pub(super) fn next(&self, now: At, over: u64) -> Option<At> {
        let since = self.walking.filter(|_| !self.is_done(now, over))?;
        next(self.gone(now), over).map(|gone| At(since.0.saturating_add(gone.saturating_sub(self.gone))))
    }

    pub(super) fn is_done(&self, now: At, over: u64) -> bool {
        self.admission(now, over) == ADMIT_ALL
    }

    fn walk(&mut self, now: At, on: bool) {
        *self = Self { gone: self.gone(now), walking: on.then_some(now) };
    }

    /// The same share of the way, where the whole way takes another time.
    fn stretched(self, now: At, from: u64, to: u64) -> Self {
        let gone = (u128::from(self.gone(now)) * u128::from(to) / u128::from(from.max(1))) as u64;
        Self { gone, walking: self.walking.map(|_| now) }
    }
}

/// What an endpoint has to recover from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Recovery {
    /// It was down, and has not been up since.
    down: bool,
    pub(super) ramp: Option<Ramp>,
}

/// What became of a slow start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begun,
    /// By going down.
    Lost,
}

impl Recovery {
    /// Takes in what is measured of the endpoint; `failing`: it is up, with failures counted. `over`: how long a slow
    /// start takes, 0 for none.
    pub(super) fn observe(&mut self, now: At, health: Health, failing: bool, over: u64) -> Option<Turn> {
        let walks = health == Health::Up && !failing;
        match health {
            Health::Down => {
                self.down = true;
                return self.ramp.take().map(|_| Turn::Lost);
            }
            Health::Up if self.down && over > 0 => {
                *self = Self { down: false, ramp: Some(Ramp { gone: 0, walking: walks.then_some(now) }) };
                return Some(Turn::Begun);
            }
            Health::Up => self.down = false,
            Health::Unknown => {}
        }
        if let Some(ramp) = self.ramp.as_mut().filter(|ramp| ramp.walking.is_some() != walks) {
            ramp.walk(now, walks);
        }
        None
    }

    /// The same under a configuration in which a slow start takes `to`.
    pub(super) fn carried(self, now: At, from: u64, to: u64) -> Self {
        let ramp = self.ramp.filter(|_| to > 0);
        Self { ramp: ramp.map(|ramp| if from == to { ramp } else { ramp.stretched(now, from, to) }), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_equal_and_end_on_time() {
        for over in [1, 7, 20, 30, 1000, 60_000, u64::MAX] {
            assert_eq!(
                (taken(0, over), taken(over - 1, over), taken(over, over)),
                (0, if over == 1 { 0 } else { taken(over - 1, over) }, STEPS)
            );
            let mut gone = 0;
            let mut seen = 0;
            while let Some(then) = next(gone, over) {
                assert!(then > gone && taken(then, over) > taken(gone, over), "{over} at {gone}");
                assert_eq!(taken(then - 1, over), taken(gone, over), "nothing moves before, {over} at {gone}");
                (gone, seen) = (then, seen + 1);
            }
            assert_eq!(gone, over, "the last step is the end");
            assert!(seen <= STEPS);
        }
        assert_eq!((taken(0, 0), next(0, 0)), (STEPS, None));
    }

    #[test]
    fn a_ramp_starts_above_nothing_halts_and_goes_on() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.observe(At(0), Health::Up, false, 2000), None, "the first verdict is no recovery");
        recovery.observe(At(0), Health::Down, false, 2000);
        recovery.observe(At(0), Health::Unknown, false, 2000);
        assert_eq!(recovery.observe(At(100), Health::Up, false, 2000), Some(Turn::Begun));
        let share = |recovery: &Recovery, at| {
            let ramp = recovery.ramp.expect("a ramp");
            (ramp.admission(At(at), 2000), ramp.next(At(at), 2000).map(|at| at.0))
        };
        assert_eq!(share(&recovery, 100), (parts(1), Some(200)));
        assert_eq!(share(&recovery, 199), (parts(1), Some(200)));
        assert_eq!(share(&recovery, 200), (parts(2), Some(300)));
        recovery.observe(At(250), Health::Up, true, 2000);
        assert_eq!(share(&recovery, 10_000), (parts(2), None));
        recovery.observe(At(10_000), Health::Up, false, 2000);
        assert_eq!(share(&recovery, 10_000), (parts(2), Some(10_050)));
        assert_eq!(share(&recovery, 10_050), (parts(3), Some(10_150)));
        assert_eq!(share(&recovery, 10_050 + 17 * 100), (ADMIT_ALL, None));
        assert_eq!(recovery.observe(At(10_100), Health::Down, false, 2000), Some(Turn::Lost));
        assert_eq!(recovery.ramp, None);
    }

    #[test]
    fn another_length_keeps_the_share() {
        let mut recovery = Recovery { down: true, ramp: None };
        recovery.observe(At(0), Health::Up, false, 2000);
        let longer = recovery.carried(At(1000), 2000, 20_000);
        let (before, after) = (recovery.ramp.expect("a ramp"), longer.ramp.expect("a ramp"));
        assert_eq!(after.admission(At(1000), 20_000), before.admission(At(1000), 2000));
        assert_eq!(after.next(At(1000), 20_000), Some(At(2000)));
        assert_eq!(recovery.carried(At(1000), 2000, 0).ramp, None);
    }
}
