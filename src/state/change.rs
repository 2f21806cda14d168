//! What became different, as values; and each as the sentence that an operator reads. Must not know who listens.

mod shaping;

use std::{collections::BTreeMap, fmt, net::IpAddr};

pub use self::shaping::{Fate, Told};
use super::overrides::Whom;
use crate::engine::{
    health::fold::{Health, Record, Transition},
    types::At,
};

/// Something that became different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another configuration is in force.
    World {
        /// Targets whose health was carried over.
        kept: usize,
        /// Targets that nobody has probed yet.
        fresh: usize,
        /// Targets that are probed no more.
        gone: usize,
    },
    /// Steered names are answered from now on.
    Ready {
        /// Targets of which a probe has ended.
        heard: usize,
        /// All targets.
        targets: usize,
    },
    /// A target is judged differently.
    Verdict(Box<Verdict>),
    /// What became of an operator's word.
    Override(Box<Told>),
    /// An operator took back what nobody has said.
    NothingToLift(Whom),
    /// An endpoint that has recovered takes its share back in steps.
    SlowStart {
        /// As `pool/endpoint`.
        endpoint: Box<str>,
        /// Milliseconds from recovery to a whole share.
        over: u64,
        /// Whether it has its whole share now; else it has only begun.
        whole: bool,
    },
    /// An endpoint passes on another share of its blocks, for its load.
    Shed {
        /// As `pool/endpoint`.
        endpoint: Box<str>,
        /// The share in parts of a thousand.
        parts: u32,
        /// Load ÷ capacity in parts of a thousand; none: nothing is reported any more.
        load: Option<u32>,
    },
    /// Load is reported of somebody, or has not been for too long.
    Reports {
        /// Of whom.
        whom: Whom,
        /// None: it is reported again; else for so many milliseconds it was not.
        silent: Option<u64>,
    },
}

/// A change of one target's health, with the evidence and what rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When.
    pub at: At,
    /// The address that is probed.
    pub address: IpAddr,
    /// The monitor's name.
    pub monitor: Box<str>,
    /// From what to what.
    pub transition: Transition,
    /// Whether it is the very first probe of the target.
    pub first: bool,
    /// How many outcomes of one kind in a row decided it.
    pub streak: u32,
    /// What these outcomes were, each once with how often, the most frequent first; of the newest few.
    pub findings: Vec<(Box<str>, usize)>,
    /// The endpoints that it belongs to, as `pool/endpoint`.
    pub endpoints: Vec<Box<str>>,
    /// The pools of these endpoints, as they stand now.
    pub pools: Vec<Standing>,
}

/// How many of a pool's endpoints are up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The pool.
    pub pool: Box<str>,
    /// How many are up.
    pub up: u32,
    /// How many are not judged yet.
    pub unknown: u32,
    /// Of how many.
    pub of: u32,
}

impl Verdict {
    /// The streak that decided, and what it consisted of, from the record that has just turned.
    pub(super) fn evidence(record: &Record) -> (u32, Vec<(Box<str>, usize)>) {
        let (streak, kind) = match record.health {
            Health::Up => (record.good, Some(true)),
            Health::Down => (record.bad, Some(false)),
            Health::Unknown => (record.lost, None),
        };
        let decided = record.evidence.iter().rev().filter(|(_, o)| o.is_good() == kind).take(streak as usize);
        let mut findings: Vec<(Box<str>, usize)> = Vec::new();
        for (_, outcome) in decided {
            let text = outcome.to_string().into_boxed_str();
            match findings.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None => findings.push((text, 1)),
            }
        }
        findings.sort_by_key(|(_, count)| usize::MAX - count);
        (streak, findings)
    }

    /// Whether it leaves a pool with nobody who is up.
    #[must_use]
    pub fn empties_a_pool(&self) -> bool {
        self.transition.to == Health::Down && self.pools.iter().any(|standing| standing.up + standing.unknown == 0)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World { kept, fresh, gone } => {
                write!(f, "the configuration is in force: {kept} targets keep their health, {fresh} new, {gone} gone")
            }
            Self::Ready { targets: 0, .. } => f.write_str("steered names are answered; nothing is probed"),
            Self::Ready { heard, targets } if heard == targets => {
                write!(f, "steered names are answered: all {targets} targets have been probed")
            }
            Self::Ready { heard, targets } => write!(
                f,
                "steered names are answered: the wait is over, but {} of {targets} targets have not been heard of and \
                 count as unknown",
                targets - heard
            ),
            Self::Verdict(verdict) => verdict.fmt(f),
            Self::Override(told) => told.fmt(f),
            shaping => shaping::sentence(f, shaping),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, transition: Transition { from, to }, streak, .. } = self;
        let back = if (*from, *to) == (Health::Down, Health::Up) { " again" } else { "" };
        match self.endpoints.as_slice() {
            [only] => write!(f, "{only} {address} is {}{back}: ", word(*to))?,
            several => {
                write!(f, "{address} is {}{back} for ", word(*to))?;
                list(f, several)?;
                f.write_str(": ")?;
            }
        }
        match (from, to) {
            (_, Health::Unknown) => f.write_str("nothing can be said of it from here: ")?,
            (Health::Unknown, to) => {
                let which = if self.first { "the first probe" } else { "a probe" };
                write!(f, "{which} {}", if *to == Health::Down { "failed: " } else { "" })?;
            }
            (_, Health::Down) => write!(f, "{streak} of the last {streak} probes failed: ")?,
            (_, _) => write!(f, "{streak} good probes in a row, the last ")?,
        }
        match (to, self.findings.as_slice()) {
            // Times differ from probe to probe; the newest says enough.
            (Health::Up, [(newest, _), ..]) | (_, [(newest, _)]) => f.write_str(newest)?,
            (_, findings) => {
                for (i, (text, count)) in findings.iter().enumerate() {
                    write!(f, "{}{text} ({count})", if i > 0 { ", " } else { "" })?;
                }
            }
        }
        // Pools that stand alike share a clause; the worst come first.
        let mut alike: BTreeMap<(u32, u32), Vec<&str>> = BTreeMap::new();
        for standing in &self.pools {
            alike.entry((standing.up, standing.of)).or_default().push(&standing.pool);
        }
        for (i, ((up, of), pools)) in alike.iter().take(MOST).enumerate() {
            write!(f, "{}", if i > 0 { ", " } else { "; " })?;
            list(f, pools)?;
            let (have, each) = if pools.len() > 1 { ("have", " each") } else { ("has", "") };
            write!(f, " {have} {up} of {of} endpoints up{each}")?;
        }
        Ok(())
    }
}

/// How many of anything a sentence names.
const MOST: usize = 3;

/// `a`, `a and b`, `a, b, c and 2 more`.
fn list(f: &mut fmt::Formatter<'_>, words: &[impl AsRef<str>]) -> fmt::Result {
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
