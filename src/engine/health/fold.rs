//! Outcomes fold into health: rise and fall counts, and the evidence for what is believed.

use super::monitor::{Outcome, Rhythm};
use crate::engine::types::At;

/// What is believed of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Health {
    /// Nothing has been heard yet.
    #[default]
    Unknown,
    /// It works.
    Up,
    /// It does not.
    Down,
}

/// How many outcomes are kept as evidence.
pub const EVIDENCE: usize = 8;

/// What is known of one target.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The verdict.
    pub health: Health,
    /// Since when.
    pub since: At,
    /// Good outcomes in a row.
    pub good: u32,
    /// Bad outcomes in a row.
    pub bad: u32,
    /// Probes in a row for which this node had no route.
    pub lost: u32,
    /// The last outcomes, newest last, at most [`EVIDENCE`].
    pub evidence: Vec<(At, Outcome)>,
}

/// A change of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What was believed.
    pub from: Health,
    /// What is believed now.
    pub to: Health,
}

impl Record {
    /// Takes in one outcome. The first that says anything decides `unknown` alone; then `fall` bad ones in a row make
    /// down, `rise` good ones in a row make up. A node that could not ask learns nothing; one that has had no route for
    /// `fall` probes in a row knows nothing any more, neither up nor down, until it has a route again.
    pub fn observe(&mut self, rhythm: &Rhythm, at: At, outcome: Outcome) -> Option<Transition> {
        let from = self.health;
        let to = match &outcome {
            Outcome::Unasked(_) => from,
            Outcome::NoRoute => {
                self.lost = self.lost.saturating_add(1);
                if self.lost >= rhythm.fall { Health::Unknown } else { from }
            }
            Outcome::Good { .. } => {
                self.good = self.good.saturating_add(1);
                self.bad = 0;
                match from {
                    Health::Unknown => Health::Up,
                    Health::Down if self.good >= rhythm.rise => Health::Up,
                    other => other,
                }
            }
            Outcome::Bad(_) => {
                self.bad = self.bad.saturating_add(1);
                self.good = 0;
                match from {
                    Health::Unknown => Health::Down,
                    Health::Up if self.bad >= rhythm.fall => Health::Down,
                    other => other,
                }
            }
        };
        if matches!(outcome, Outcome::Good { .. } | Outcome::Bad(_)) {
            self.lost = 0;
        } else if to == Health::Unknown {
            (self.good, self.bad) = (0, 0);
        }
        if self.evidence.len() == EVIDENCE {
            self.evidence.remove(0);
        }
        self.evidence.push((at, outcome));
        (from != to).then(|| {
            (self.health, self.since) = (to, at);
            Transition { from, to }
        })
    }

    /// Whether any probe has ended, whatever it found.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.evidence.is_empty()
    }

    /// Milliseconds until the verdict can change at the earliest; none while nothing points that way.
    #[must_use]
    pub fn change_in(&self, rhythm: &Rhythm) -> Option<u64> {
        let left = match self.health {
            Health::Up if self.bad > 0 => rhythm.fall.saturating_sub(self.bad),
            Health::Down if self.good > 0 => rhythm.rise.saturating_sub(self.good),
            _ => return None,
        };
        Some(u64::from(left) * rhythm.recheck)
    }

    /// When the next probe is due, counted from the start of the last: sooner while health is in question.
    #[must_use]
    pub fn next_in(&self, rhythm: &Rhythm) -> u64 {
        if self.change_in(rhythm).is_some() { rhythm.recheck } else { rhythm.interval }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RHYTHM: Rhythm = Rhythm { interval: 1000, timeout: 800, recheck: 200, fall: 3, rise: 2 };

    fn outcome(letter: char) -> Outcome {
        match letter {
            'g' => Outcome::good(1000),
            'b' => Outcome::Bad("connection refused".into()),
            'n' => Outcome::NoRoute,
            'u' => Outcome::Unasked("too many open files".into()),
            other => panic!("no outcome is called {other}"),
        }
    }

    /// Plays outcomes a second apart: g good, b bad, n no route, u unasked. Gives the verdict after each: U, D or ?.
    fn play(outcomes: &str) -> String {
        let mut record = Record::default();
        let verdict = |health| match health {
            Health::Unknown => '?',
            Health::Up => 'U',
            Health::Down => 'D',
        };
        let step = |(i, letter)| {
            record.observe(&RHYTHM, At(i as u64 * 1000), outcome(letter));
            verdict(record.health)
        };
        outcomes.chars().enumerate().map(step).collect()
    }

    #[test]
    fn verdicts_follow_rise_and_fall() {
        for (outcomes, verdicts) in [
            ("g", "U"),
            ("b", "D"),
            ("nnb", "??D"),
            ("nug", "??U"),
            ("gbbgbb", "UUUUUU"),
            ("gbbb", "UUUD"),
            ("gbbnub", "UUUUUD"),
            ("bgbgg", "DDDDU"),
            ("bgng", "DDDU"),
            ("gnnbnn", "UUUUUU"),
            ("gnunn", "UUUU?"),
            ("bnnnb", "DDD?D"),
            ("gbbnnnbg", "UUUUU?DD"),
            ("gbbbgg", "UUUDDU"),
        ] {
            assert_eq!(play(outcomes), verdicts, "{outcomes}");
        }
    }

    #[test]
    fn probes_hurry_only_while_the_verdict_is_in_question() {
        let mut record = Record::default();
        for (letter, change_in, next_in) in [
            ('g', None, 1000),
            ('b', Some(400), 200),
            ('b', Some(200), 200),
            ('b', None, 1000),
            ('g', Some(200), 200),
            ('b', None, 1000),
            ('g', Some(200), 200),
            ('g', None, 1000),
        ] {
            record.observe(&RHYTHM, At(0), outcome(letter));
            assert_eq!((record.change_in(&RHYTHM), record.next_in(&RHYTHM)), (change_in, next_in), "{record:?}");
        }
    }

    #[test]
    fn evidence_is_bounded_and_newest_last() {
        let mut record = Record::default();
        for i in 0..20 {
            record.observe(&RHYTHM, At(i), outcome('g'));
        }
        assert_eq!(record.evidence.len(), EVIDENCE);
        assert_eq!(record.evidence.last().map(|(at, _)| *at), Some(At(19)));
    }

    proptest! {
        /// Up becomes down only behind `fall` bad outcomes with no good one between, down up behind `rise` good ones.
        #[test]
        fn a_verdict_never_turns_early(letters in "[gbnu]{0,60}", fall in 1u32..5, rise in 1u32..5) {
            let rhythm = Rhythm { fall, rise, ..RHYTHM };
            let mut record = Record::default();
            let (mut run, mut lost) = ((' ', 0), 0);
            for (i, letter) in letters.chars().enumerate() {
                let turned = record.observe(&rhythm, At(i as u64), outcome(letter));
                lost = if letter == 'n' { lost + 1 } else if letter == 'u' { lost } else { 0 };
                if matches!(letter, 'g' | 'b') {
                    run = if run.0 == letter { (letter, run.1 + 1) } else { (letter, 1) };
                }
                match turned.map(|t| (t.from, t.to)) {
                    Some((Health::Up, Health::Down)) => prop_assert_eq!(run, ('b', fall)),
                    Some((Health::Down, Health::Up)) => prop_assert_eq!(run, ('g', rise)),
                    Some((_, Health::Unknown)) => {
                        prop_assert_eq!((letter, lost), ('n', fall));
                        run = (' ', 0);
                    }
                    Some((Health::Unknown, to)) => prop_assert_eq!(to == Health::Up, letter == 'g'),
                    Some(other) => prop_assert!(false, "{:?}", other),
                    None => {}
                }
            }
        }
    }
}
