//! A region is lost, or back: the sentence that an operator looks for first. Must not know who finds that out.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Verdict, shaping::Rough, verdict::list};
use crate::engine::{health::fold::Health, types::Millis};

/// A region has lost its last endpoint, or has its first one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionTurn {
    /// The region.
    pub region: Box<str>,
    /// Up or down.
    pub to: Health,
    /// Since when, as the time that has passed since. Of a lost region: since a probe of one of its endpoints was good last;
    /// none: none was good as far as is known. Of one that is back: since it was lost.
    pub since: Option<Millis>,
    /// Its endpoints that count, as `pool/endpoint`: all of a lost region, those that are up of one that is back.
    pub endpoints: Vec<Box<str>>,
    /// Where the clients of a lost region go.
    pub moves: Vec<Move>,
    /// The verdict that decided it, where one did.
    pub verdict: Option<Box<Verdict>>,
}

/// Where clients of some services go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The services, without their final dots.
    pub services: Vec<Box<str>>,
    /// What takes their clients, the most first.
    pub to: Vec<Box<str>>,
}

impl fmt::Display for RegionTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, to, since, endpoints, moves, .. } = self;
        if *to == Health::Up {
            write!(f, "region {region} is back")?;
            if let Some(since) = since {
                write!(f, ", after {}", Rough(*since))?;
            }
            f.write_str(": ")?;
            list(f, endpoints)?;
            return f.write_str(if endpoints.len() == 1 { " is up" } else { " are up" });
        }
        write!(f, "region {region} is lost: ")?;
        match &endpoints[..] {
            [only] => write!(f, "{only} is down")?,
            all => {
                match all.len() {
                    2 => f.write_str("both endpoints are down (")?,
                    more => write!(f, "all {more} endpoints are down (")?,
                }
                list(f, all)?;
                f.write_str(")")?;
            }
        }
        match since {
            Some(since) => write!(f, ", no probe there was good for {}", Rough(*since))?,
            None => f.write_str(", and no probe there has been good yet")?,
        }
        match &moves[..] {
            [] => f.write_str("; no client moves by that"),
            [Move { to, .. }] => {
                f.write_str("; its clients go to ")?;
                list(f, to)
            }
            several => several.iter().try_for_each(|Move { services, to }| {
                f.write_str("; clients of ")?;
                list(f, services)?;
                f.write_str(" go to ")?;
                list(f, to)
            }),
        }
    }
}
