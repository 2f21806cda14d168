//! What the lines of a scenario say, as data, or why one cannot be played and what to do about it. Must not know how they are
//! written, or what comes of them.

use std::ops::RangeInclusive;

use crate::{
    engine::types::Millis,
    sim::{Ask, Blocks, Expectation, Fare, Happening},
};

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    /// A configuration to begin with.
    Config(Written),
    /// Another configuration, now, or the same one read again.
    Reload(Option<Written>),
    /// A file beside the configurations that stand in the scenario: its name and its text.
    File(String, String),
    /// Time goes on to this moment, in milliseconds from the beginning.
    At(u64),
    /// Time goes on by this.
    Pass(Millis),
    /// Something becomes different now.
    Happens(Happening),
    /// The server is killed and started again at once.
    Restart,
    /// A question.
    Ask(Ask),
    /// What comes back to the last question.
    Expect(Expectation),
    /// What comes back to the last question from many blocks.
    Count(Count),
    /// Notes what comes back to the last question from many blocks, to compare with later.
    Remember(Blocks),
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Its text, in the scenario itself, and how many lines stand before it there.
    Here(String, usize),
    /// A file, relative to the scenario.
    File(String),
}

/// How many blocks are to fare so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) times: RangeInclusive<usize>,
    pub(super) blocks: Blocks,
    pub(super) fare: Fare,
}

/// Why a line cannot be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) cause: String,
    pub(super) remedy: String,
}

pub(super) fn fault(cause: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { cause: cause.into(), remedy: remedy.into() }
}
