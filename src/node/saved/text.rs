//! The text of saved health: a header, then a line for each target. Must not know what becomes of it.
//!
//! Every name in the file is spelled here, apart from the names of Rust items, which may change. A name that is written is
//! never given another meaning; a section that is added may be missing.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    engine::{health::fold::Health, types::Millis},
    node::format::{self, Unreadable},
};

/// All that the text says, in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The version of the text, which says what the digests of checks are.
    pub(super) version: u64,
    /// The wall clock then, in Unix milliseconds.
    pub(super) wall: u64,
    pub(super) targets: Vec<SavedTarget>,
    pub(super) governor: Governor,
    pub(super) slow_starts: Vec<Start>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head<G, S> {
    #[serde(rename = "meridian_health")]
    version: u64,
    #[serde(rename = "saved")]
    wall: u64,
    /// How many lines follow.
    #[serde(rename = "targets")]
    targets: usize,
    #[serde(rename = "governor", default, skip_serializing_if = "Option::is_none")]
    governor: Option<G>,
    #[serde(rename = "slow_starts", default, skip_serializing_if = "Option::is_none")]
    slow_starts: Option<S>,
}

/// A slow start, by the names of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Start {
    #[serde(rename = "pool")]
    pub(super) pool: Box<str>,
    /// None: it is the region's.
    #[serde(rename = "endpoint")]
    pub(super) endpoint: Option<Box<str>>,
    /// The region, or what the endpoint is answered as: it is known by that, whatever its name.
    #[serde(rename = "of")]
    pub(super) of: Vec<Box<str>>,
    /// How much of it has passed; none: it waits for the endpoint's first *up*.
    #[serde(rename = "gone")]
    pub(super) gone: Option<Millis>,
    /// Whether it goes on, and is not halted.
    #[serde(rename = "walks")]
    pub(super) walks: bool,
    /// How long it takes.
    #[serde(rename = "over")]
    pub(super) over: Millis,
}

/// What the governor remembers. Moments are told by how long before the save they were, by the names of regions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Governor {
    #[serde(rename = "emptied")]
    pub(super) emptied: BTreeMap<Box<str>, Millis>,
    #[serde(rename = "held")]
    pub(super) held: BTreeMap<Box<str>, Millis>,
    #[serde(rename = "kept")]
    pub(super) kept: Vec<Kept>,
}

/// A target that was found down and counts as something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "address")]
    pub(super) address: IpAddr,
    #[serde(rename = "monitor")]
    pub(super) monitor: Box<str>,
    /// None: it is made of others.
    #[serde(rename = "check")]
    pub(super) check: Option<Box<str>>,
    #[serde(rename = "counts")]
    pub(super) counts: Word,
}

/// One target. Moments are told by how long before the save they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedTarget {
    #[serde(rename = "address")]
    pub(super) address: IpAddr,
    #[serde(rename = "monitor")]
    pub(super) monitor: Box<str>,
    /// What is asked, as a digest: the check itself may hold secrets.
    #[serde(rename = "check")]
    pub(super) check: Box<str>,
    #[serde(rename = "health")]
    pub(super) health: Word,
    #[serde(rename = "since")]
    pub(super) since: Millis,
    #[serde(rename = "good")]
    pub(super) good: u32,
    #[serde(rename = "bad")]
    pub(super) bad: u32,
    #[serde(rename = "span")]
    pub(super) span: u32,
    /// When it went down from up.
    #[serde(rename = "fall")]
    pub(super) fall: Option<Millis>,
    #[serde(rename = "released")]
    pub(super) released: bool,
    /// In millionths.
    #[serde(rename = "penalty")]
    pub(super) penalty: u64,
    #[serde(rename = "damped")]
    pub(super) damped: bool,
    /// What the last probe found, for people.
    #[serde(rename = "last")]
    pub(super) last: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "up")]
    Up,
    #[serde(rename = "down")]
    Down,
}

impl From<Health> for Word {
    fn from(health: Health) -> Self {
        match health {
            Health::Unknown => Self::Unknown,
            Health::Up => Self::Up,
            Health::Down => Self::Down,
        }
    }
}

impl From<Word> for Health {
    fn from(word: Word) -> Self {
        match word {
            Word::Unknown => Self::Unknown,
            Word::Up => Self::Up,
            Word::Down => Self::Down,
        }
    }
}

impl Governor {
    fn is_empty(&self) -> bool {
        self.emptied.is_empty() && self.held.is_empty() && self.kept.is_empty()
    }
}

/// Writes the text.
pub(super) fn write(contents: &Contents) -> String {
    let Contents { version, wall, targets, governor, slow_starts } = contents;
    let head = Head {
        version: *version,
        wall: *wall,
        targets: targets.len(),
        governor: Some(governor).filter(|governor| !governor.is_empty()),
        slow_starts: Some(slow_starts).filter(|starts| !starts.is_empty()),
    };
    let mut text = serde_json::to_string(&head).unwrap_or_default();
    text.push('\n');
    for line in targets {
        text.push_str(&serde_json::to_string(line).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Reads the text: all of it or nothing. Version 1 differs in the digests alone.
pub(super) fn read(text: &str) -> Result<Contents, Unreadable> {
    fn of<T: DeserializeOwned>(n: usize, read: Result<T, serde_json::Error>) -> Result<T, Unreadable> {
        read.map_err(|error| Unreadable::Garbage(format!("line {n}: {error}")))
    }
    let mut lines = text.lines();
    let (version, head) = format::header(lines.next(), "meridian_health")?;
    let head: Head<Governor, Vec<Start>> = of(1, serde_json::from_value(head))?;
    let targets: Vec<SavedTarget> =
        lines.enumerate().map(|(n, line)| of(n + 2, serde_json::from_str(line))).collect::<Result<_, _>>()?;
    if targets.len() != head.targets {
        let what = format!("it has {} targets, and says {}", targets.len(), head.targets);
        return Err(Unreadable::Garbage(what));
    }
    let (governor, slow_starts) = (head.governor.unwrap_or_default(), head.slow_starts.unwrap_or_default());
    Ok(Contents { version, wall: head.wall, targets, governor, slow_starts })
}
