//! What one probe found, and how outcomes fold into health: counts that make a verdict turn, what keeps it from turning
//! back too easily, and the evidence for what is believed. Must not know how an outcome was found.

use std::fmt;

use serde::{Deserialize, Serialize};

use arrayvec::ArrayVec;

use crate::{
    engine::types::{At, Millis},
    probing::monitor::{Calm, Flap, Rhythm},
};

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As expected.
    Good {
        /// From the start to the answer, in microseconds.
        took: u64,
        /// How long the connection took to open, in microseconds, where there was one.
        connect: Option<u64>,
        /// What people should know although it is good: "certificate expires in 9 days".
        note: Option<Box<str>>,
        /// When the server's certificate ends, in Unix seconds, where it has shown one.
        ends: Option<i64>,
    },
    /// Not as expected; the text is for people: "connection refused", "status 503", "no answer within 800 ms".
    Bad(Box<str>),
    /// This node has no route for the address's family: it says nothing of the target.
    NoRoute,
    /// This node could not ask, being out of sockets or memory; the text is for people. It says nothing of the target.
    Unasked(Box<str>),
}

impl Outcome {
    /// A good one that took so many microseconds, of which nothing else is known.
    #[must_use]
    pub const fn good(took: u64) -> Self {
        Self::Good { took, connect: None, note: None, ends: None }
    }

    /// Whether it counts for or against the target; none where it says nothing of it.
    #[must_use]
    pub fn is_good(&self) -> Option<bool> {
        match self {
            Self::Good { .. } => Some(true),
            Self::Bad(_) => Some(false),
            Self::NoRoute | Self::Unasked(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { took, note, .. } => {
                write!(f, "answered in {}.{} ms", took / 1000, took % 1000 / 100)?;
                note.iter().try_for_each(|note| write!(f, " ({note})"))
            }
            Self::Bad(why) => f.write_str(why),
            Self::NoRoute => f.write_str("this node has no route there"),
            Self::Unasked(why) => write!(f, "this node could not ask: {why}"),
        }
    }
}

/// What is believed of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The verdict.
    pub health: Health,
    /// Since when.
    pub since: At,
    /// Good outcomes in a row.
    pub good: u32,
    /// Bad outcomes that count against it: those since `clear` good ones in a row were seen, or since it came up.
    pub bad: u32,
    /// Outcomes, good or bad, since the first of those counted in `bad`.
    pub span: u32,
    /// Probes in a row for which this node had no route.
    pub lost: u32,
    /// How it went down from up; none once it has come up since.
    pub fall: Option<Fall>,
    /// What is left of the penalties for going down.
    pub penalty: Penalty,
    /// The last outcomes, newest last. In place: all records are copied whenever one changes what queries read, and thousands
    /// of small pieces of memory would make a sieve of the heap.
    pub evidence: ArrayVec<(At, Outcome), EVIDENCE>,
    /// What an earlier process knew of it, until a probe says something.
    pub restored: Option<Restored>,
}

/// A target went down from up and has not come up since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fall {
    /// When; the start of this process where an earlier one saw it.
    pub at: At,
    /// For how long it was down before that.
    pub before: Millis,
    /// An operator has said that it may come back.
    pub released: bool,
}

/// The penalty of a target that comes and goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// How much it was, 1 for each turn to down, at a moment.
    points: f64,
    at: At,
    /// It has reached `suppress`, and not fallen below `reuse` since.
    damped: bool,
}

/// What an earlier process knew of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Its verdict.
    pub health: Health,
    /// How old that was when this process started; none: it cannot be told, for the clock was set.
    pub age: Option<Millis>,
    /// Whether it is believed; else it is only shown.
    pub used: bool,
    /// What its last probe found, for people.
    pub last: Option<Box<str>>,
}

/// What came of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The verdict is another one.
    Made(Transition),
    /// It would have come up, and is kept down.
    Kept(Kept),
}

/// A change of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// What was believed.
    pub from: Health,
    /// What is believed now.
    pub to: Health,
}

/// What keeps a target down that answers well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The hold-down, for so long yet.
    Hold(Millis),
    /// It has come and gone too often: for so long yet.
    Flap(Millis),
    /// It waits for an operator.
    Manual,
}

impl Kept {
    /// How long until it ends by itself; none: it does not.
    #[must_use]
    pub fn left(self) -> Option<Millis> {
        match self {
            Self::Hold(left) | Self::Flap(left) => Some(left),
            Self::Manual => None,
        }
    }
}

impl Record {
    /// Takes in one outcome. The first that says anything decides `unknown` alone. Then `fall` bad ones make down, which
    /// add up until `clear` good ones in a row forget them; `rise` good ones in a row make up, unless something keeps it
    /// down that has been up before: then the first good one after that. A node that could not ask learns nothing; one that has had no route for
    /// `fall` probes in a row knows nothing any more, neither up nor down, until it has a route again.
    pub fn observe(&mut self, rhythm: &Rhythm, calm: &Calm, at: At, outcome: Outcome) -> Option<Turn> {
        let turn = self.count(rhythm, calm, at, &outcome);
        self.keep(at, outcome);
        turn
    }

    /// Keeps an outcome as evidence, instead of the oldest where there are enough.
    pub fn keep(&mut self, at: At, outcome: Outcome) {
        if self.evidence.is_full() {
            self.evidence.remove(0);
        }
        self.evidence.push((at, outcome));
    }

    /// The same, for who needs the verdict alone: nothing is kept as evidence.
    pub fn count(&mut self, rhythm: &Rhythm, calm: &Calm, at: At, outcome: &Outcome) -> Option<Turn> {
        match outcome {
            Outcome::Good { .. } => self.take_good(rhythm, calm, at),
            Outcome::Bad(_) => self.take_bad(rhythm, calm, at),
            Outcome::NoRoute => self.lose(rhythm, at),
            Outcome::Unasked(_) => None,
        }
    }

    fn take_good(&mut self, rhythm: &Rhythm, calm: &Calm, at: At) -> Option<Turn> {
        (self.lost, self.restored) = (0, None);
        self.good = self.good.saturating_add(1);
        if self.bad > 0 {
            self.span = self.span.saturating_add(1);
        }
        match self.health {
            Health::Up => {
                if self.good >= calm.clear {
                    (self.bad, self.span) = (0, 0);
                }
                None
            }
            // What is known of an earlier fall outlives a time without a route.
            Health::Unknown => match self.kept(calm, at) {
                Some(_) => self.turn(Health::Down, at),
                None => self.turn(Health::Up, at),
            },
            Health::Down if self.good < rhythm.rise => None,
            Health::Down => match self.kept(calm, at) {
                // Told once for each recovery that does not come to be.
                Some(kept) => (self.good == rhythm.rise).then_some(Turn::Kept(kept)),
                None => self.turn(Health::Up, at),
            },
        }
    }

    fn take_bad(&mut self, rhythm: &Rhythm, calm: &Calm, at: At) -> Option<Turn> {
        (self.lost, self.restored, self.good) = (0, None, 0);
        self.bad = self.bad.saturating_add(1);
        self.span = self.span.saturating_add(1);
        match self.health {
            Health::Down => None,
            Health::Up if self.bad < rhythm.fall => None,
            from => {
                // Who has not been up has nothing to be held for: a first verdict rests on one outcome alone.
                if from == Health::Up {
                    self.penalty.add(&calm.flap, at);
                    self.fall = Some(Fall { at, ..Fall::default() });
                }
                self.turn(Health::Down, at)
            }
        }
    }

    fn lose(&mut self, rhythm: &Rhythm, at: At) -> Option<Turn> {
        self.lost = self.lost.saturating_add(1);
        if self.lost < rhythm.fall || self.health == Health::Unknown {
            return None;
        }
        (self.good, self.bad, self.span) = (0, 0, 0);
        self.turn(Health::Unknown, at)
    }

    fn turn(&mut self, to: Health, at: At) -> Option<Turn> {
        let from = std::mem::replace(&mut self.health, to);
        self.since = at;
        if to == Health::Up {
            (self.fall, self.bad, self.span) = (None, 0, 0);
        }
        Some(Turn::Made(Transition { from, to }))
    }

    /// An operator lets it come back: at once where it has risen, else as soon as it does. Nothing keeps it down then,
    /// this once. None: it is not down, or was let back before.
    pub fn release(&mut self, rhythm: &Rhythm, at: At) -> Option<Released> {
        let fall = self.fall.as_mut().filter(|fall| !fall.released)?;
        fall.released = true;
        if self.health == Health::Down && self.good >= rhythm.rise {
            self.turn(Health::Up, at);
            return Some(Released::Now);
        }
        Some(Released::Later)
    }

    /// What keeps it down, however well it answers; of several things the one that lasts longest.
    #[must_use]
    pub fn kept(&self, calm: &Calm, now: At) -> Option<Kept> {
        let fall = self.fall.filter(|fall| !fall.released)?;
        if calm.manual {
            return Some(Kept::Manual);
        }
        let hold = calm.hold.minus(fall.before).minus(now.since(fall.at));
        let flap = self.penalty.damped_for(&calm.flap, now);
        match (hold, flap) {
            (Millis::ZERO, Millis::ZERO) => None,
            (hold, flap) if hold >= flap => Some(Kept::Hold(hold)),
            (_, flap) => Some(Kept::Flap(flap)),
        }
    }

    /// Whether anything is known of it that counts: a probe has ended, whatever it found, or an earlier process knew.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.evidence.is_empty() || self.restored.as_ref().is_some_and(|restored| restored.used)
    }

    /// How long until the verdict can change at the earliest; none while nothing points that way, or while that
    /// takes an operator.
    #[must_use]
    pub fn change_in(&self, rhythm: &Rhythm, calm: &Calm, now: At) -> Option<Millis> {
        match self.health {
            Health::Up if self.is_doubted() => Some(rhythm.recheck.times(rhythm.fall.saturating_sub(self.bad).into())),
            Health::Down if self.is_doubted() => {
                let rise = rhythm.recheck.times(rhythm.rise.saturating_sub(self.good).into());
                match self.kept(calm, now) {
                    None => Some(rise),
                    Some(kept) => kept.left().map(|left| left.max(rise)),
                }
            }
            _ => None,
        }
    }

    /// When the next probe is due, counted from the start of the last: sooner while more probes would decide something.
    #[must_use]
    pub fn next_in(&self, rhythm: &Rhythm) -> Millis {
        let undecided = match self.health {
            Health::Up => true,
            Health::Down => self.good < rhythm.rise,
            Health::Unknown => false,
        };
        if undecided && self.is_doubted() { rhythm.recheck } else { rhythm.interval }
    }

    /// Whether the last outcome points away from the verdict.
    fn is_doubted(&self) -> bool {
        match self.health {
            Health::Up => self.bad > 0 && self.good == 0,
            Health::Down => self.good > 0,
            Health::Unknown => false,
        }
    }
}

/// What an operator's word did to a target that was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It is up.
    Now,
    /// It comes up as soon as it has risen.
    Later,
}

impl Penalty {
    /// One that is left over from an earlier process.
    #[must_use]
    pub fn restored(points: f64, damped: bool, at: At) -> Self {
        Self { points, at, damped }
    }

    /// How much is left of it.
    #[must_use]
    pub fn points(&self, flap: &Flap, now: At) -> f64 {
        self.points * (-(now.since(self.at).0 as f64) / flap.half_life.0.max(1) as f64).exp2()
    }

    /// Whether it was damped when it was last looked at.
    #[must_use]
    pub fn is_damped(&self, flap: &Flap, now: At) -> bool {
        !self.damped_for(flap, now).is_zero()
    }

    fn add(&mut self, flap: &Flap, now: At) {
        let damped = self.is_damped(flap, now);
        let points = self.points(flap, now) + 1.0;
        let reached = flap.suppress > 0 && points >= f64::from(flap.suppress) / 1000.0;
        *self = Self { points, at: now, damped: damped || reached };
    }

    /// How long until it is below `reuse`; none where it keeps nothing down.
    fn damped_for(&self, flap: &Flap, now: At) -> Millis {
        if !self.damped || flap.suppress == 0 {
            return Millis::ZERO;
        }
        // Counted from one moment, so that it is over once and for all.
        let over = (self.points / (f64::from(flap.reuse.max(1)) / 1000.0)).log2() * flap.half_life.0 as f64;
        let over = if over < 0.0 { Millis::ZERO } else { Millis(over as u64 + 1) };
        over.minus(now.since(self.at))
    }
}

#[cfg(test)]
mod tests;
