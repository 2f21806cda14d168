//! The sentences of load shaping: what operators said, slow starts, sheds, load reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    engine::types::Millis,
    node::overrides::{Act, Override, Scope},
};

/// What became of an operator's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The word.
    pub word: Override,
    /// How long until it ends by itself.
    pub left: Option<Millis>,
    /// What became of it.
    pub fate: Fate,
}

/// What can become of a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It counts from now on.
    Taken {
        /// Whose word it replaces.
        instead_of: Option<Box<str>>,
        /// How long until a drain starts to move clients.
        begins_in: Millis,
    },
    /// It does not count, for this reason.
    Refused(Box<str>),
    /// A timed drain moves its first blocks from now on.
    Begun,
    /// A timed drain has moved everybody.
    Done,
    /// It was taken back.
    Lifted,
    /// Its time is over.
    Expired,
    /// Nobody is called so any more; should somebody be again, it counts again.
    Kept,
}

/// How far a slow start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// It begins: the endpoint was down.
    Back,
    /// It begins: the endpoint is new, or had no weight.
    First,
    /// It is over: the endpoint has its whole share.
    Whole,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word: Override { scope, act, reason, author, .. }, left, fate } = self;
        match fate {
            Fate::Taken { instead_of, begins_in } => {
                write!(f, "{scope} {}, says {author}: {reason}; ", Phrase(*act))?;
                if !begins_in.is_zero() {
                    write!(
                        f,
                        "it begins in {}, when caches hold only answers that can be moved in parts; ",
                        Span(*begins_in)
                    )?;
                }
                match left {
                    Some(left) => write!(f, "for {}", Span(*left))?,
                    None => f.write_str("until it is lifted")?,
                }
                instead_of.as_ref().map_or(Ok(()), |before| write!(f, "; this replaces a word of {before}"))
            }
            Fate::Refused(why) => write!(f, "refused: {scope} {}, says {author}: {why}", Phrase(*act)),
            Fate::Begun => write!(f, "the drain of {scope} begins to move clients ({author}: {reason})"),
            Fate::Done => write!(f, "{scope} is drained: it is given to nobody any more ({author}: {reason})"),
            Fate::Lifted => write!(f, "lifted: {scope} {} ({author}: {reason})", Phrase(*act)),
            Fate::Expired => write!(f, "expired: {scope} {} ({author}: {reason})", Phrase(*act)),
            Fate::Kept => write!(
                f,
                "nobody is called {scope} any more, but the word is kept: it {}, says {author}: {reason}",
                Phrase(*act)
            ),
        }
    }
}

impl fmt::Display for Scope {
    /// `region eu-west`, `pool web`, `web/eu-1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => write!(f, "region {region}"),
            Self::Pool(pool) => write!(f, "pool {pool}"),
            Self::Endpoint(pool, endpoint) => write!(f, "{pool}/{endpoint}"),
        }
    }
}

/// What an act says of somebody.
pub(super) struct Phrase(Act);

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Act::Drain(Millis::ZERO) => f.write_str("is drained"),
            Act::Drain(over) => write!(f, "is drained over {}", Span(over)),
            Act::ForceUp => f.write_str("is forced up"),
            Act::ForceDown => f.write_str("is forced down"),
            Act::Weight(parts) => write!(f, "has {parts} of its weight"),
            Act::Shed(parts) => write!(f, "passes on {parts} of its blocks"),
        }
    }
}

/// A length of time, in the largest unit that tells it whole.
pub(super) struct Span(pub(super) Millis);

impl Span {
    /// In whole seconds, no shorter than it is: what another process has measured, or what is only told for people, is not
    /// known better.
    pub(super) fn in_seconds(Millis(millis): Millis) -> Self {
        Self(Millis(millis.div_ceil(1000) * 1000))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
        let Millis(millis) = self.0;
        match units.iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{} {name}", millis / unit),
            None => write!(f, "{millis} ms"),
        }
    }
}

/// A length of time that was measured, as exactly as a person wants to know them.
pub(super) struct Rough(pub(super) Millis);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.0 {
            millis @ 0..10_000 => write!(f, "{}.{} s", millis / 1000, millis % 1000 / 100),
            millis @ 10_000..120_000 => write!(f, "{} s", millis / 1000),
            millis @ 120_000..7_200_000 => write!(f, "{} min", millis / 60_000),
            millis @ 7_200_000..172_800_000 => write!(f, "{} h", millis / 3_600_000),
            millis => write!(f, "{} d", millis / 86_400_000),
        }
    }
}
