//! Each change as the sentence that an operator reads. Must not know what listens.

use std::fmt;

use super::{
    event::Change,
    governed::{Believed, Late},
    shaping::{Pace, Span},
    verdict::{list, stand},
};
use crate::engine::units::Permille;

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
                    list(f, down)?;
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
            Self::Failback { scope, now: 0, later: 0 } => {
                write!(f, "nothing to let back: no target of {scope} is down, or an operator has let it back before")
            }
            Self::Failback { scope, now, later } => {
                write!(f, "an operator lets {scope} back: {now} up by that, {later} as soon as they have recovered")
            }
            Self::Override(told) => told.fmt(f),
            Self::Held(_)
            | Self::LetGo(_)
            | Self::NotHeld(_)
            | Self::Believed(_)
            | Self::Isolated { .. }
            | Self::SeesCanaries { .. } => governed(f, self),
            other => shaping(f, other),
        }
    }
}

/// The sentence of a change of this kind.
fn governed(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    match change {
        Change::Held(held) => write!(f, "{held}"),
        Change::LetGo(told) => write!(f, "{told}"),
        Change::Believed(believed) => {
            let Believed { why, address, endpoints, pools } = &**believed;
            list(f, endpoints)?;
            let counts = if endpoints.len() == 1 { "counts" } else { "count" };
            write!(f, " {address} {counts} as down from now on: ")?;
            f.write_str(match why {
                Late::Answered => "a canary has answered since",
                Late::NoCanaries => "there are no canaries any more to wait for",
                Late::NotHeld => "its region is held no longer",
            })?;
            stand(f, pools)
        }
        Change::Isolated { canaries: 1 } => f.write_str(
            "this node does not see its canary: its own network is in trouble, and no failure of a target is believed \
             until one probe round after the canary answers again",
        ),
        Change::Isolated { canaries } => write!(
            f,
            "this node sees none of its {canaries} canaries: its own network is in trouble, and no failure of a target \
             is believed until one probe round after one answers again"
        ),
        Change::SeesCanaries { after } => write!(
            f,
            "a canary answers again, after {}: failures of targets are believed again one probe round from now",
            Span(*after)
        ),
        Change::NotHeld(region) => write!(f, "region {region} is not held: there is nothing to let go"),
        _ => Ok(()),
    }
}

/// The sentence of a change of load shaping.
fn shaping(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    match change {
        Change::NothingToLift(scope) => write!(f, "nothing to lift: no operator has said anything of {scope}"),
        Change::SlowStart { endpoint, over, pace: Pace::Back } => {
            write!(f, "{endpoint} takes its share back step by step, over {}", Span(*over))
        }
        Change::SlowStart { endpoint, over, pace: Pace::First } => {
            write!(f, "{endpoint} takes its share step by step, over {}, since others serve already", Span(*over))
        }
        Change::SlowStart { endpoint, over, pace: Pace::Whole } => {
            write!(f, "{endpoint} has its whole share, after a slow start of {}", Span(*over))
        }
        Change::Shed { endpoint, parts, load } => {
            match parts {
                Permille(0) => write!(f, "{endpoint} keeps all its blocks again: ")?,
                parts => write!(f, "{endpoint} passes on {parts} of its blocks: ")?,
            }
            match load {
                Some(load) => write!(f, "its load is {load} of its capacity"),
                None => f.write_str("its load is not reported any more"),
            }
        }
        Change::Reports { scope, silent: None } => write!(f, "load is reported of {scope} again"),
        Change::Reports { scope, silent: Some(silent) } => {
            write!(f, "no load was reported of {scope} for {}: weights alone decide there", Span(*silent))
        }
        _ => Ok(()),
    }
}
