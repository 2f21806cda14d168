//! What the governor and the canaries keep from counting, and what lets it go: the sentences that an operator reads when
//! something is badly wrong. Must not know who decides.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{
    shaping::Span,
    verdict::{Standing, list, stand},
};
use crate::engine::{health::governor::Ended, types::Millis};

/// A region is held up against its probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The region.
    pub region: Box<str>,
    /// The regions that probes have emptied in the window.
    pub left: Vec<Box<str>>,
    /// Of how many regions with probes.
    pub of: usize,
    /// How long the window is.
    pub window: Millis,
    /// The endpoints that count as up against their probes, as `pool/endpoint`.
    pub endpoints: Vec<Box<str>>,
    /// Their pools that stand before another one in a service: they give way to it while nothing else of them is up.
    pub gives_way: Vec<Box<str>>,
    /// After so long it is let go.
    pub release: Millis,
    /// For how long it has been held before a restart; none: it is held from now on.
    pub since: Option<Millis>,
    /// Whether canaries can let it go sooner.
    pub canaries: bool,
}

/// A region is held no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetGo {
    /// The region.
    pub region: Box<str>,
    /// Why.
    pub why: Ended,
    /// For how long it was held.
    pub after: Millis,
    /// Who in it is down now, as `pool/endpoint`.
    pub down: Vec<Box<str>>,
    /// Whether nobody in it is up.
    pub empty: bool,
    /// The pools of those who count as down from now on, as they stand now.
    pub pools: Vec<Standing>,
}

/// Why what was found down before counts so only now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// A canary has answered since.
    Answered,
    /// There are no canaries any more whose answer it would wait for.
    NoCanaries,
    /// Its region is held no longer.
    NotHeld,
}

/// What was found down before counts so from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Believed {
    /// Why only now.
    pub why: Late,
    /// The address that is probed.
    pub address: IpAddr,
    /// The endpoints that it belongs to, as `pool/endpoint`.
    pub endpoints: Vec<Box<str>>,
    /// The pools of these endpoints, as they stand now.
    pub pools: Vec<Standing>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, left, of, window, endpoints, gives_way, release, since, canaries } = self;
        write!(f, "region {region} is held up against its probes: ")?;
        if let Some(since) = since {
            write!(f, "it was before the restart, for {}", Span::in_seconds(*since))?;
        } else if left.is_empty() {
            f.write_str("with it more regions would go at once than may")?;
        } else {
            list(f, left)?;
            let have = if left.len() == 1 { "has" } else { "have" };
            write!(f, " of {of} regions {have} gone within {} already", Span(*window))?;
        }
        f.write_str("; ")?;
        list(f, endpoints)?;
        let counts = if endpoints.len() == 1 { "counts" } else { "count" };
        write!(f, " {counts} as up until the probes are good again, {TODAY}, ")?;
        if *canaries {
            write!(f, "canaries have answered for {}, ", Span(*window))?;
        }
        let release = if since.is_some() { Span::in_seconds(*release) } else { Span(*release) };
        write!(f, "or {release} have passed")?;
        if !gives_way.is_empty() {
            f.write_str("; while nothing else of ")?;
            list(f, gives_way)?;
            f.write_str(" is up, later pools answer instead")?;
        }
        Ok(())
    }
}

/// How an operator lets a region go as long as the running server takes no word of one.
const TODAY: &str = "a reload sets its weight to 0 (an operator's word comes with the control plane)";

impl fmt::Display for LetGo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, why, after, down, empty, pools } = self;
        let after = Span(*after);
        write!(f, "region {region} is held no longer, after {after}: ")?;
        match why {
            Ended::Canaries => f.write_str("canaries have answered all the while, so its failure is real")?,
            Ended::Release => f.write_str("that is as long as a region may be held")?,
            Ended::Operator => f.write_str("an operator has let it go")?,
            Ended::Unlimited => f.write_str("the configuration in force lets all regions go at once")?,
            Ended::Recovered => f.write_str("there is nothing left to hold")?,
        }
        if *empty && !down.is_empty() {
            f.write_str("; ")?;
            list(f, down)?;
            let counts = if down.len() == 1 { "counts" } else { "count" };
            write!(f, " {counts} as down from now on")?;
            stand(f, pools)?;
        }
        Ok(())
    }
}
