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
    /// down, `rise` good ones in a row make up. A node without a route learns nothing.
    pub fn observe(&mut self, rhythm: &Rhythm, at: At, outcome: Outcome) -> Option<Transition> {
        let from = self.health;
        let to = match &outcome {
            Outcome::NoRoute => from,
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
        if self.evidence.len() == EVIDENCE {
            self.evidence.remove(0);
        }
        self.evidence.push((at, outcome));
        (from != to).then(|| {
            (self.health, self.since) = (to, at);
            Transition { from, to }
        })
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
