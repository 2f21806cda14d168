//! Everything that can become different. Must not know its sentences.

use serde::{Deserialize, Serialize};

use super::{
    difference::Difference,
    governed::{Believed, Held, LetGo},
    region::RegionTurn,
    shaping::{Pace, Told},
    verdict::{KeptDown, Verdict},
};
use crate::{
    engine::{types::Millis, units::Permille},
    node::overrides::Scope,
};

/// Something that became different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Another configuration is in force.
    World {
        /// Targets whose health was carried over.
        kept: usize,
        /// Targets that have not been probed yet.
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
        /// Scope.
        scope: Scope,
        /// Targets that are up by that.
        now: usize,
        /// Targets that come up as soon as they have recovered.
        later: usize,
    },
    /// What became of an operator's word.
    Override(Box<Told>),
    /// An operator took back a word that was never said.
    NothingToLift(Scope),
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
    /// Load is reported again, or has not been for too long.
    Reports {
        /// Which endpoints have it.
        scope: Scope,
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
