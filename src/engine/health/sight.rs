//! What canaries show: whether this node itself is well. Pure. Must not know what canaries are, nor whose health rests on
//! them.
//!
//! A `down` is believed once a canary has answered after it. So a node that has lost its network believes none, however
//! its probes are timed: those of an endpoint may all have failed before the first of a canary does, and no answer comes
//! after that. While no canary answers nothing is believed; when one does again, what was found meanwhile has one probe
//! round to show itself otherwise.

use serde::{Deserialize, Serialize};

use crate::engine::types::{At, Millis};

/// What the canaries have shown so far. Without canaries it is never asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Since when one of them has answered without a break; none while the newest outcome of each is no answer.
    well: Option<At>,
    /// When one answered last.
    answered: Option<At>,
    /// The newest outcome of each was no answer, since the last time that one answered.
    doubted: bool,
    /// When such a time ended last.
    cleared: Option<At>,
    /// None of them is up.
    isolated: Option<At>,
}

/// What turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SightTurn {
    /// No canary is up any more: no failure is believed.
    Isolated,
    /// One answers again, after so long.
    Sees(Millis),
}

/// A time without a break in which a canary has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answering {
    /// When it began.
    pub since: At,
    /// When one answered last.
    pub last: At,
}

impl Sight {
    /// Takes in an outcome of a canary. `answer`: whether it was one. `any`: whether the newest outcome of any canary
    /// is. `lost`: whether each has been judged and none is up.
    pub fn observe(&mut self, now: At, answer: bool, any: bool, lost: bool) -> Option<SightTurn> {
        if answer {
            self.answered = Some(now);
        }
        if any {
            if self.doubted {
                (self.doubted, self.cleared) = (false, Some(now));
            }
            self.well = self.well.or(Some(now));
            return self.isolated.take().map(|since| SightTurn::Sees(now.since(since)));
        }
        (self.well, self.doubted) = (None, true);
        (lost && self.isolated.is_none()).then(|| {
            self.isolated = Some(now);
            SightTurn::Isolated
        })
    }

    /// Whether a target may be believed down that was found so at `since`. `round`: the time in which it is probed
    /// once, whatever happens.
    #[must_use]
    pub fn confirms(&self, now: At, since: At, round: Millis) -> bool {
        self.well.is_some()
            && self.answered.is_some_and(|answered| answered > since)
            && self.cleared.is_none_or(|cleared| now.since(cleared) >= round)
    }

    /// When time alone may confirm what was found so at `since`; none: it takes an answer.
    #[must_use]
    pub fn next(&self, now: At, since: At, round: Millis) -> Option<At> {
        let waits = self.well.is_some() && self.answered.is_some_and(|answered| answered > since);
        let end = self.cleared?.plus(round);
        (waits && end > now).then_some(end)
    }

    /// The time for which a canary has answered without a break; none: none does.
    #[must_use]
    pub fn well(&self) -> Option<Answering> {
        Some(Answering { since: self.well?, last: self.answered? })
    }

    /// Whether none of them is up.
    #[must_use]
    pub fn is_isolated(&self) -> bool {
        self.isolated.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_believed_after_an_answer_that_came_later() {
        let mut sight = Sight::default();
        assert!(!sight.confirms(At(500), At(100), Millis(1800)), "no canary has answered yet");
        assert_eq!(sight.observe(At(1000), true, true, false), None);
        assert!(sight.confirms(At(1000), At(900), Millis(1800)));
        assert!(!sight.confirms(At(1000), At(1000), Millis(1800)), "the answer may have come just before");
        sight.observe(At(2000), true, true, false);
        assert!(sight.confirms(At(2000), At(1000), Millis(1800)));
    }

    #[test]
    fn while_nobody_answers_nothing_is_believed_nor_in_the_round_after_it() {
        let mut sight = Sight::default();
        sight.observe(At(1000), true, true, false);
        assert_eq!(sight.observe(At(2000), false, false, false), None, "in doubt, but not judged");
        assert!(!sight.confirms(At(2000), At(900), Millis(1800)));
        assert_eq!(sight.observe(At(2400), false, false, true), Some(SightTurn::Isolated));
        assert_eq!(sight.observe(At(3400), false, false, true), None, "told once");
        assert_eq!((sight.is_isolated(), sight.well()), (true, None));
        assert_eq!(sight.observe(At(9000), true, true, true), Some(SightTurn::Sees(Millis(6600))));
        assert_eq!((sight.is_isolated(), sight.well()), (false, Some(Answering { since: At(9000), last: At(9000) })));
        assert!(!sight.confirms(At(10_799), At(2400), Millis(1800)));
        assert_eq!(sight.next(At(9000), At(2400), Millis(1800)), Some(At(10_800)));
        assert!(sight.confirms(At(10_800), At(2400), Millis(1800)));
        assert_eq!(sight.next(At(9000), At(9000), Millis(1800)), None, "it takes an answer");
    }

    #[test]
    fn one_canary_that_answers_is_enough() {
        let mut sight = Sight::default();
        sight.observe(At(1000), true, true, false);
        assert_eq!(sight.observe(At(1500), false, true, false), None);
        assert!(sight.confirms(At(1500), At(900), Millis(1800)));
        assert_eq!(sight.well(), Some(Answering { since: At(1000), last: At(1000) }));
    }

    #[test]
    fn a_node_that_starts_without_its_network_is_isolated() {
        let mut sight = Sight::default();
        assert_eq!(sight.observe(At(10), false, false, false), None, "another canary has not been asked yet");
        assert_eq!(sight.observe(At(20), false, false, true), Some(SightTurn::Isolated));
    }
}
