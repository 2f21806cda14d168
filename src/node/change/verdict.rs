//! A verdict on one target: what it rests on, which endpoints it concerns, and the sentence for it.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::shaping::Span;
use crate::engine::{
    health::fold::{Health, Kept, Record, Transition},
    types::At,
};

/// A change of one target's health, with the evidence and what rests on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// When.
    pub at: At,
    /// The address that it is about.
    pub address: IpAddr,
    /// The monitor's name.
    pub monitor: Box<str>,
    /// From what to what.
    pub transition: Transition,
    /// What decided it.
    pub because: Because,
    /// The endpoints that it belongs to, as `pool/endpoint`.
    pub endpoints: Vec<Box<str>>,
    /// The pools of these endpoints, as they stand now.
    pub pools: Vec<Standing>,
    /// What keeps a verdict of down from counting.
    pub held: Option<Keeper>,
    /// The health of the other address family of the same endpoints; none: they have no other that is probed.
    pub other: Option<Health>,
}

/// What keeps a target that was found down from counting so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// No canary has answered since, or for long enough.
    Canaries,
    /// Too many regions were emptied lately.
    Governor,
}

/// What decided a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Its own probes.
    Probes {
        /// Whether it is the very first probe of the target.
        first: bool,
        /// How many outcomes of one kind decided it.
        count: u32,
        /// Out of how many.
        among: u32,
        /// What they were, each once with how often, the most frequent first; of the newest few.
        findings: Vec<(Box<str>, usize)>,
    },
    /// The verdicts of other monitors on the same address.
    Parts {
        /// How many of them must be up.
        needed: u32,
        /// Each by the monitor's name.
        parts: Vec<(Box<str>, Health)>,
    },
    /// It answers, but has been down before, and something keeps it there.
    Kept(Kept),
    /// An operator lets it back.
    Word,
}

/// A target that has recovered and stays down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDown {
    /// When it would have come up.
    pub at: At,
    /// The address.
    pub address: IpAddr,
    /// The monitor's name.
    pub monitor: Box<str>,
    /// What keeps it.
    pub kept: Kept,
    /// The endpoints that it belongs to, as `pool/endpoint`.
    pub endpoints: Vec<Box<str>>,
}

/// How many of a pool's endpoints are up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The pool.
    pub pool: Box<str>,
    /// How many are up.
    pub up: u32,
    /// How many the governor holds that do not count, since nothing beside them is truly up.
    pub held: u32,
    /// How many are not judged yet.
    pub unknown: u32,
    /// Of how many.
    pub of: u32,
}

impl Standing {
    /// Whether nobody is left who is up, or might be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.up + self.unknown == 0
    }
}

impl Because {
    /// What its probes say, from the record that has just turned.
    pub(in crate::node) fn probes(record: &Record) -> Self {
        let (count, among, kind) = match record.health {
            Health::Up => (record.good, record.good, Some(true)),
            Health::Down => (record.bad, record.span, Some(false)),
            Health::Unknown => (record.lost, record.lost, None),
        };
        let decided = record.evidence.iter().rev().filter(|(_, o)| o.is_good() == kind).take(count as usize);
        let mut findings: Vec<(Box<str>, usize)> = Vec::new();
        for (_, outcome) in decided {
            let text = outcome.to_string().into_boxed_str();
            match findings.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None => findings.push((text, 1)),
            }
        }
        findings.sort_by_key(|(_, count)| usize::MAX - count);
        Self::Probes { first: record.evidence.len() == 1, count, among, findings }
    }
}

impl Verdict {
    /// Whether it leaves a pool with nobody who is up.
    #[must_use]
    pub fn empties_a_pool(&self) -> bool {
        self.transition.to == Health::Down && self.pools.iter().any(Standing::is_empty)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        subject(f, self.address, &self.monitor, &self.endpoints, &format!("is {}", self.turned()))?;
        f.write_str(": ")?;
        self.reason(f)?;
        self.stand(f)
    }
}

impl Verdict {
    /// `down`, `up again`.
    fn turned(&self) -> String {
        let Transition { from, to } = self.transition;
        let back = if (from, to) == (Health::Down, Health::Up) { " again" } else { "" };
        format!("{}{back}", word(to))
    }

    /// What decided it.
    fn reason(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let Transition { from, to } = self.transition;
        match &self.because {
            Because::Probes { first, count, among, findings } => {
                match (from, to) {
                    (_, Health::Unknown) => f.write_str("nothing can be said of it from here: ")?,
                    (Health::Unknown, to) => {
                        let which = if *first { "the first probe" } else { "a probe" };
                        write!(f, "{which} {}", if to == Health::Down { "failed: " } else { "" })?;
                    }
                    (_, Health::Down) if (*count, *among) == (1, 1) => f.write_str("the last probe failed: ")?,
                    (_, Health::Down) => write!(f, "{count} of the last {among} probes failed: ")?,
                    (_, _) if *count == 1 => f.write_str("the last probe ")?,
                    (_, _) => write!(f, "{count} good probes in a row, the last ")?,
                }
                found(f, to, findings)
            }
            Because::Parts { needed, parts } => f.write_str(&of_parts(*needed, parts)),
            Because::Kept(kept) => {
                f.write_str("it answers, but was down before, and ")?;
                keeps(f, *kept)
            }
            Because::Word => f.write_str("it has recovered, and an operator lets it back"),
        }
    }

    /// What it counts for, and how its pools stand by that.
    fn stand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.held {
            None => "",
            Some(Keeper::Governor) => "; it is held and counts as before beside an endpoint that is up",
            Some(Keeper::Canaries) => "; it counts as before until a canary has answered",
        })?;
        stand(f, &self.pools)
    }
}

/// Two equal verdicts on the families of the same endpoints as one sentence; pools stand as the second found them.
pub(super) fn both(f: &mut fmt::Formatter<'_>, first: &Verdict, second: &Verdict) -> fmt::Result {
    let (addresses, turned) = (format!("{} and {}", first.address, second.address), second.turned());
    match &first.endpoints[..] {
        [] => write!(f, "{addresses} are {turned} by {}", first.monitor)?,
        [only] => write!(f, "{only} {addresses} are {turned}")?,
        several => {
            write!(f, "{addresses} are {turned} for ")?;
            list(f, several)?;
        }
    }
    let [mut one, mut other] = [String::new(), String::new()];
    first.reason(&mut one)?;
    second.reason(&mut other)?;
    write!(f, ": {one}")?;
    // How long an answer took differs from probe to probe; the newest says enough.
    let is_answer =
        |verdict: &Verdict| verdict.transition.to == Health::Up && matches!(verdict.because, Because::Probes { .. });
    if one != other && !(is_answer(first) && is_answer(second)) {
        write!(f, ", and of the other {other}")?;
    }
    second.stand(f)
}

impl fmt::Display for KeptDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        subject(f, self.address, &self.monitor, &self.endpoints, "has recovered")?;
        f.write_str(", but ")?;
        keeps(f, self.kept)
    }
}

/// `; web has 1 of 2 endpoints up`. Pools that stand alike share a clause; the worst come first.
pub(super) fn stand(f: &mut fmt::Formatter<'_>, pools: &[Standing]) -> fmt::Result {
    let mut alike: BTreeMap<(u32, u32, u32), Vec<&str>> = BTreeMap::new();
    for standing in pools {
        alike.entry((standing.up, standing.of, standing.held)).or_default().push(&standing.pool);
    }
    for (i, ((up, of, held), pools)) in alike.iter().take(MOST).enumerate() {
        write!(f, "{}", if i > 0 { ", " } else { "; " })?;
        list(f, pools)?;
        let (have, each) = if pools.len() > 1 { ("have", " each") } else { ("has", "") };
        write!(f, " {have} {up} of {of} endpoints up{each}")?;
        if *held > 0 {
            write!(f, " and {held} held")?;
        }
    }
    Ok(())
}

/// Scope a sentence is about, and what it says first.
fn subject(
    f: &mut fmt::Formatter<'_>,
    address: IpAddr,
    monitor: &str,
    endpoints: &[Box<str>],
    what: &str,
) -> fmt::Result {
    match endpoints {
        [] => write!(f, "{address} {what} by {monitor}"),
        [only] => write!(f, "{only} {address} {what}"),
        several => {
            write!(f, "{address} {what} for ")?;
            list(f, several)
        }
    }
}

/// `lb is up, db is down, and 2 of 2 must be up`.
pub(in crate::node) fn of_parts(needed: u32, parts: &[(Box<str>, Health)]) -> String {
    let each: String = parts.iter().map(|(monitor, health)| format!("{monitor} is {}, ", word(*health))).collect();
    format!("{each}and {needed} of {} must be up", parts.len())
}

fn found(f: &mut impl fmt::Write, to: Health, findings: &[(Box<str>, usize)]) -> fmt::Result {
    match (to, findings) {
        // Times differ from probe to probe; the newest says enough.
        (Health::Up, [(newest, _), ..]) | (_, [(newest, _)]) => f.write_str(newest),
        (_, findings) => {
            for (i, (text, count)) in findings.iter().enumerate() {
                write!(f, "{}{text} ({count})", if i > 0 { ", " } else { "" })?;
            }
            Ok(())
        }
    }
}

fn keeps(f: &mut impl fmt::Write, kept: Kept) -> fmt::Result {
    match kept {
        Kept::Hold(left) => write!(f, "stays down for {} yet: its hold-down is not over", Span::in_seconds(left)),
        Kept::Flap(left) => write!(f, "stays down for {} yet: it has come and gone too often", Span::in_seconds(left)),
        Kept::Manual => f.write_str(
            "waits for an operator to let it back (coming; a reload with failback = \"auto\" does it today)",
        ),
    }
}

/// How many of anything a sentence names.
const MOST: usize = 3;

/// `a`, `a and b`, `a, b, c and 2 more`.
pub(super) fn list(f: &mut fmt::Formatter<'_>, words: &[impl AsRef<str>]) -> fmt::Result {
    let (named, more) = words.split_at(words.len().min(MOST));
    for (i, word) in named.iter().enumerate() {
        let joint = match i {
            0 => "",
            i if i + 1 == words.len() => " and ",
            _ => ", ",
        };
        write!(f, "{joint}{}", word.as_ref())?;
    }
    if more.is_empty() { Ok(()) } else { write!(f, " and {} more", more.len()) }
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Unknown => "unknown",
        Health::Up => "up",
        Health::Down => "down",
    }
}
