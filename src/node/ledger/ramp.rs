//! What goes in steps: the share that an endpoint takes when it begins to serve, and a drain over a time. Pure arithmetic
//! of moments. Must not know pools, nor what a share is taken from.

use serde::{Deserialize, Serialize};

use crate::engine::{
    health::fold::Health,
    types::{At, Millis},
    units::Admission,
};

/// In how many steps anything grows or shrinks.
pub(super) const STEPS: u32 = 20;

/// How many steps of a change that takes `over` have been taken `gone` after its start.
pub(super) fn taken(gone: Millis, over: Millis) -> u32 {
    if gone >= over { STEPS } else { (u128::from(gone.0) * u128::from(STEPS) / u128::from(over.0)) as u32 }
}

/// How long after its start the next step is taken; none when all are.
pub(super) fn next(gone: Millis, over: Millis) -> Option<Millis> {
    let step = u128::from(taken(gone, over)) + 1;
    (gone < over).then(|| Millis((step * u128::from(over.0)).div_ceil(u128::from(STEPS)) as u64))
}

/// So many of [`STEPS`].
pub(super) fn parts(steps: u32) -> Admission {
    Admission::parts(steps, STEPS)
}

/// The way back to a whole share. Its first step is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ramp {
    /// How long it had walked before `walking`.
    gone: Millis,
    /// Since when it walks; none while it is halted.
    walking: Option<At>,
}

impl Ramp {
    /// How much of it has passed.
    pub(super) fn gone(&self, now: At) -> Millis {
        self.gone.plus(self.walking.map_or(Millis::ZERO, |since| now.since(since)))
    }

    /// The share of blocks that it has come to.
    pub(super) fn admission(&self, now: At, over: Millis) -> Admission {
        parts(taken(self.gone(now), over) + 1)
    }

    /// When it takes its next step; none when it is halted or done.
    pub(super) fn next(&self, now: At, over: Millis) -> Option<At> {
        let since = self.walking.filter(|_| !self.is_done(now, over))?;
        next(self.gone(now), over).map(|gone| since.plus(gone.minus(self.gone)))
    }

    pub(super) fn is_done(&self, now: At, over: Millis) -> bool {
        self.admission(now, over) == Admission::ALL
    }

    /// One that begins now.
    pub(super) fn begun(now: At, walks: bool) -> Self {
        Self { gone: Millis::ZERO, walking: walks.then_some(now) }
    }

    /// One that has come so far, and is halted.
    pub(super) fn halted(gone: Millis) -> Self {
        Self { gone, walking: None }
    }

    /// How far it had come at the moment since which it walks; none while it is halted.
    pub(super) fn way(&self) -> (Millis, Option<At>) {
        (self.gone, self.walking)
    }

    /// Walks on from now, or halts, where it does not do so already.
    pub(super) fn walks(&mut self, now: At, on: bool) {
        if self.walking.is_some() != on {
            *self = Self { gone: self.gone(now), walking: on.then_some(now) };
        }
    }

    /// The same share under a configuration in which the whole way takes `to`; none where it takes no time.
    pub(super) fn carried(self, now: At, from: Millis, to: Millis) -> Option<Self> {
        (!to.is_zero()).then(|| if from == to { self } else { self.stretched(now, from, to) })
    }

    /// The same share of the way, where the whole way takes another time.
    fn stretched(self, now: At, from: Millis, to: Millis) -> Self {
        let gone = u128::from(self.gone(now).0) * u128::from(to.0) / u128::from(from.0.max(1));
        Self { gone: Millis(gone as u64), walking: self.walking.map(|_| now) }
    }
}

/// Why an endpoint that comes to serve starts slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Cold {
    /// It was down.
    Down,
    /// Its weight was 0.
    Weightless,
    /// A reload brought it into a pool that was serving.
    New,
}

/// What is seen of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) health: Health,
    /// It is up, with failures counted.
    pub(super) failing: bool,
    /// Its weight is above 0.
    pub(super) weighted: bool,
}

/// Whether an endpoint has to start slowly, and how far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recovery {
    /// Why it starts slowly when it serves next; none: it has served since.
    pub(super) cold: Option<Cold>,
    pub(super) ramp: Option<Ramp>,
}

/// What became of a slow start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begun,
    /// The endpoint went down, or its weight went to 0.
    Lost,
}

impl Recovery {
    /// Takes in what is seen of the endpoint. `over`: how long a slow start takes, 0 for none; `begins` says whether one
    /// begins for this reason.
    pub(super) fn observe(
        &mut self,
        now: At,
        seen: Seen,
        over: Millis,
        begins: impl FnOnce(Cold) -> bool,
    ) -> Option<Turn> {
        let walks = seen.health == Health::Up && !seen.failing;
        match (seen.health, seen.weighted) {
            (Health::Down, _) => {
                self.cold = Some(Cold::Down);
                return self.ramp.take().map(|_| Turn::Lost);
            }
            (health, false) => {
                // What is up without a weight has nothing to recover from any more.
                let before = self.cold.filter(|_| health == Health::Unknown);
                self.cold = Some(before.unwrap_or(Cold::Weightless));
                return self.ramp.take().map(|_| Turn::Lost);
            }
            (Health::Up, true) => {
                if self.cold.take().is_some_and(|cold| !over.is_zero() && begins(cold)) {
                    self.ramp = Some(Ramp::begun(now, walks));
                    return Some(Turn::Begun);
                }
            }
            (Health::Unknown, true) => {}
        }
        if let Some(ramp) = &mut self.ramp {
            ramp.walks(now, walks);
        }
        None
    }

    /// The same under a configuration in which a slow start takes `to`.
    pub(super) fn carried(self, now: At, from: Millis, to: Millis) -> Self {
        Self { ramp: self.ramp.and_then(|ramp| ramp.carried(now, from, to)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_equal_and_end_on_time() {
        for over in [1, 7, 20, 30, 1000, 60_000, u64::MAX].map(Millis) {
            let before = |moment: Millis| moment.minus(Millis(1));
            assert_eq!(
                (taken(Millis::ZERO, over), taken(before(over), over), taken(over, over)),
                (0, if over == Millis(1) { 0 } else { taken(before(over), over) }, STEPS)
            );
            let mut gone = Millis::ZERO;
            let mut seen = 0;
            while let Some(then) = next(gone, over) {
                assert!(then > gone && taken(then, over) > taken(gone, over), "{over:?} at {gone:?}");
                let same = taken(gone, over);
                assert_eq!(taken(before(then), over), same, "nothing moves before, {over:?} at {gone:?}");
                (gone, seen) = (then, seen + 1);
            }
            assert_eq!(gone, over, "the last step is the end");
            assert!(seen <= STEPS);
        }
        assert_eq!((taken(Millis::ZERO, Millis::ZERO), next(Millis::ZERO, Millis::ZERO)), (STEPS, None));
    }

    #[test]
    fn a_ramp_starts_above_nothing_halts_and_goes_on() {
        let mut recovery = Recovery::default();
        let see = |recovery: &mut Recovery, at, health, failing| {
            recovery.observe(At(at), Seen { health, failing, weighted: true }, Millis(2000), |_| true)
        };
        assert_eq!(see(&mut recovery, 0, Health::Up, false), None, "the first verdict is no recovery");
        see(&mut recovery, 0, Health::Down, false);
        see(&mut recovery, 0, Health::Unknown, false);
        assert_eq!(see(&mut recovery, 100, Health::Up, false), Some(Turn::Begun));
        let share = |recovery: &Recovery, at| {
            let ramp = recovery.ramp.expect("a ramp");
            (ramp.admission(At(at), Millis(2000)), ramp.next(At(at), Millis(2000)).map(|at| at.0))
        };
        assert_eq!(share(&recovery, 100), (parts(1), Some(200)));
        assert_eq!(share(&recovery, 199), (parts(1), Some(200)));
        assert_eq!(share(&recovery, 200), (parts(2), Some(300)));
        see(&mut recovery, 250, Health::Up, true);
        assert_eq!(share(&recovery, 10_000), (parts(2), None));
        see(&mut recovery, 10_000, Health::Up, false);
        assert_eq!(share(&recovery, 10_000), (parts(2), Some(10_050)));
        assert_eq!(share(&recovery, 10_050), (parts(3), Some(10_150)));
        assert_eq!(share(&recovery, 10_050 + 17 * 100), (Admission::ALL, None));
        assert_eq!(see(&mut recovery, 10_100, Health::Down, false), Some(Turn::Lost));
        assert_eq!(recovery.ramp, None);
    }

    #[test]
    fn another_length_keeps_the_share() {
        let mut recovery = Recovery { cold: Some(Cold::Down), ramp: None };
        recovery.observe(At(0), Seen { health: Health::Up, failing: false, weighted: true }, Millis(2000), |_| true);
        let longer = recovery.carried(At(1000), Millis(2000), Millis(20_000));
        let (before, after) = (recovery.ramp.expect("a ramp"), longer.ramp.expect("a ramp"));
        assert_eq!(after.admission(At(1000), Millis(20_000)), before.admission(At(1000), Millis(2000)));
        assert_eq!(after.next(At(1000), Millis(20_000)), Some(At(2000)));
        assert_eq!(recovery.carried(At(1000), Millis(2000), Millis(0)).ramp, None);
    }

    #[test]
    fn weight_0_is_left_slowly_and_only_while_up() {
        let mut recovery = Recovery::default();
        let mut see = |at, health, weighted, begins| {
            let turn = recovery.observe(At(at), Seen { health, failing: false, weighted }, Millis(2000), |_| begins);
            (turn, recovery.cold)
        };
        assert_eq!(see(0, Health::Up, false, true), (None, Some(Cold::Weightless)));
        assert_eq!(see(10, Health::Up, true, false), (None, None), "where nothing else serves it takes all at once");
        assert_eq!(see(20, Health::Up, false, true), (None, Some(Cold::Weightless)));
        assert_eq!(see(30, Health::Down, false, true), (None, Some(Cold::Down)));
        assert_eq!(see(40, Health::Unknown, false, true), (None, Some(Cold::Down)));
        assert_eq!(see(50, Health::Up, false, true), (None, Some(Cold::Weightless)));
        assert_eq!(see(60, Health::Unknown, true, true), (None, Some(Cold::Weightless)));
        assert_eq!(see(70, Health::Up, true, true), (Some(Turn::Begun), None));
        assert_eq!(see(80, Health::Up, false, true), (Some(Turn::Lost), Some(Cold::Weightless)));
    }
}
