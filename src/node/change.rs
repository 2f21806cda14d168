//! What became different, as values; and each as the sentence that an operator reads. Must not know who listens.

mod difference;
mod governed;
pub mod pairs;
mod region;
mod shaping;
mod verdict;

use serde::{Deserialize, Serialize};

use std::fmt;

pub(super) use self::verdict::of_parts;
pub use self::{
    difference::{Difference, Names, Serial, Source},
    governed::{Believed, Held, Late, LetGo},
    region::{Move, RegionTurn},
    shaping::{Fate, Pace, Told},
    verdict::{Because, Keeper, KeptDown, Standing, Verdict},
};
use super::overrides::Whom;
use crate::engine::{types::Millis, units::Permille};

/// Something that became different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Another configuration is in force.
    World {
        /// Targets whose health was carried over.
        kept: usize,
        /// Targets that nobody has probed yet.
        fresh: usize,
        /// Targets that are probed no more.
        gone: usize,
        /// What it has otherwise than the one before.
        what: Box<Difference>,
    },
    /// Steered names are answered from now on.
    Ready {
        /// Targets of which a probe has ended.
        heard: usize,
        /// All targets.
        targets: usize,
        /// Whether an earlier process probed them, and this one none yet.
        restored: bool,
    },
    /// What an earlier process knew of targets is taken over.
    Restored {
        /// Targets whose health is believed.
        used: usize,
        /// Targets whose health is only shown, for its age.
        shown: usize,
        /// Targets of which it knew and that are probed no more.
        unknown: usize,
        /// How old it is; none: it cannot be told.
        age: Option<Millis>,
        /// Who is down, each with what its last probe found.
        down: Vec<Box<str>>,
    },
    /// A target is judged differently.
    Verdict(Box<Verdict>),
    /// A region is lost, or back.
    Region(Box<RegionTurn>),
    /// A target has recovered, but something keeps it down.
    Kept(Box<KeptDown>),
    /// An operator lets back what is kept down.
    Failback {
        /// Whom.
        whom: Whom,
        /// Targets that are up by that.
        now: usize,
        /// Targets that come up as soon as they have recovered.
        later: usize,
    },
    /// What became of an operator's word.
    Override(Box<Told>),
    /// An operator took back what nobody has said.
    NothingToLift(Whom),
    /// A region is held up against its probes.
    Held(Box<Held>),
    /// A region is held no longer.
    LetGo(Box<LetGo>),
    /// An operator lets a region go that is not held.
    NotHeld(Box<str>),
    /// What was found down before counts so from now on.
    Believed(Box<Believed>),
    /// This node sees none of so many canaries, and believes no failure.
    Isolated {
        /// How many there are.
        canaries: usize,
    },
    /// A canary answers again.
    SeesCanaries {
        /// After so long.
        after: Millis,
    },
    /// An endpoint that comes to serve takes its share in steps.
    SlowStart {
        /// As `pool/endpoint`.
        endpoint: Box<str>,
        /// From its first step to a whole share.
        over: Millis,
        /// How far it is.
        pace: Pace,
    },
    /// An endpoint passes on another share of its blocks, for its load.
    Shed {
        /// As `pool/endpoint`.
        endpoint: Box<str>,
        /// The share.
        parts: Permille,
        /// Load ÷ capacity; none: nothing is reported any more.
        load: Option<Permille>,
    },
    /// Load is reported of somebody, or has not been for too long.
    Reports {
        /// Of whom.
        whom: Whom,
        /// None: it is reported again; else for so long it was not.
        silent: Option<Millis>,
    },
}

impl Change {
    /// Whether it concerns whole regions or this node: what an operator must hear of before all else.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::Region(_)
                | Self::Held(_)
                | Self::LetGo(_)
                | Self::NotHeld(_)
                | Self::Isolated { .. }
                | Self::SeesCanaries { .. }
        )
    }
}

/// `1 target`, `2 targets`.
struct Targets(usize);

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} target{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

fn all_of(targets: usize) -> String {
    if targets == 1 { "the only target".to_owned() } else { format!("all {targets} targets") }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World { kept, fresh, gone, what } => {
                let keep = if *kept == 1 { "keeps its" } else { "keep their" };
                let kept = Targets(*kept);
                write!(f, "the configuration is in force: {kept} {keep} health, {fresh} new, {gone} gone{what}")
            }
            Self::Ready { targets: 0, .. } => f.write_str("steered names are answered; nothing is probed"),
            Self::Ready { heard, targets, restored: true } if heard == targets => {
                write!(f, "steered names are answered: health of {} is known from before", all_of(*targets))
            }
            Self::Ready { heard: 1, targets: 1, .. } => {
                f.write_str("steered names are answered: the only target has been probed")
            }
            Self::Ready { heard, targets, .. } if heard == targets => {
                write!(f, "steered names are answered: all {targets} targets have been probed")
            }
            Self::Ready { heard, targets, .. } => {
                f.write_str("steered names are answered: the wait is over, but ")?;
                match (targets - heard, targets) {
                    (1, 1) => f.write_str("the only target has not been heard of and counts as unknown"),
                    (1, of) => write!(f, "1 of {of} targets has not been heard of and counts as unknown"),
                    (left, of) => write!(f, "{left} of {of} targets have not been heard of and count as unknown"),
                }
            }
            Self::Restored { used, shown, unknown, age, down } => {
                match (age, shown) {
                    (Some(age), 0) => write!(f, "health of {} is restored, {} s old", Targets(*used), age.0 / 1000)?,
                    (Some(age), shown) => {
                        write!(
                            f,
                            "health of {} was saved {} s ago: too old to be used",
                            Targets(*shown),
                            age.0 / 1000
                        )?;
                    }
                    (None, _) => f.write_str("health was saved in the future by this clock: it is not used")?,
                }
                if !down.is_empty() {
                    f.write_str("; down: ")?;
                    verdict::list(f, down)?;
                }
                match unknown {
                    0 => Ok(()),
                    1 => f.write_str("; 1 more is not probed any more"),
                    more => write!(f, "; {more} more are not probed any more"),
                }
            }
            Self::Verdict(verdict) => verdict.fmt(f),
            Self::Region(turn) => turn.fmt(f),
            Self::Kept(kept) => kept.fmt(f),
            Self::Failback { whom, now: 0, later: 0 } => {
                write!(f, "nothing to let back: no target of {whom} is down, or an operator has let it back before")
            }
            Self::Failback { whom, now, later } => {
                write!(f, "an operator lets {whom} back: {now} up by that, {later} as soon as they have recovered")
            }
            Self::Override(told) => told.fmt(f),
            Self::Held(_)
            | Self::LetGo(_)
            | Self::NotHeld(_)
            | Self::Believed(_)
            | Self::Isolated { .. }
            | Self::SeesCanaries { .. } => governed::sentence(f, self),
            shaping => shaping::sentence(f, shaping),
        }
    }
}
