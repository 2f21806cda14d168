//! What the log says of changes, each line at the level of its weight. Two verdicts of one endpoint in both families are one
//! line. Must not know what else is made of a change.

use std::sync::Arc;

use tracing::{error, info, warn};

use crate::{
    engine::{
        health::fold::{Health, Kept},
        types::At,
    },
    node::change::{
        Change, Fate, Standing, Verdict,
        pairs::{LogLine, Pairs},
    },
};

/// LogLines on their way to the log. What waits when this is dropped is logged then.
#[derive(Default)]
pub(super) struct LogLines(Pairs);

impl LogLines {
    /// Logs what changed, but for a verdict that may be one of two.
    pub(super) fn take(&mut self, now: At, changes: &[Arc<Change>]) {
        for change in changes {
            self.0.take(now, change).iter().for_each(log);
        }
        self.0.pass(now).iter().for_each(log);
    }

    /// When a verdict that waits for another one is logged by itself; none: none waits.
    pub(super) fn next(&self) -> Option<At> {
        self.0.next()
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        self.0.flush().iter().for_each(log);
    }
}

/// Logs a line at the level of its weight.
fn log(line: &LogLine) {
    let change = match line {
        LogLine::One(change) => &**change,
        LogLine::Both(first, second) => {
            let addresses = format!("{}, {}", first.address, second.address);
            return log_verdict(second, &addresses, line);
        }
    };
    match change {
        Change::Verdict(verdict) => log_verdict(verdict, &verdict.address.to_string(), line),
        Change::Region(turn) => {
            let region = &*turn.region;
            match turn.to {
                Health::Up => info!(region, "{turn}"),
                _ => error!(region, "{turn}"),
            }
        }
        Change::Kept(kept) => {
            let (address, monitor) = (kept.address, &*kept.monitor);
            match kept.kept {
                Kept::Manual => warn!(%address, monitor, "{kept}"),
                Kept::Hold(_) | Kept::Flap(_) => info!(%address, monitor, "{kept}"),
            }
        }
        Change::Restored { shown: 0, age: Some(_), .. } => info!("{change}"),
        Change::Restored { .. } => warn!("{change}"),
        Change::Failback { now: 0, later: 0, .. } => warn!("{change}"),
        Change::Failback { .. } => info!("{change}"),
        Change::Override(told) => match told.fate {
            Fate::Refused(_) | Fate::Kept => warn!("{change}"),
            _ => info!("{change}"),
        },
        Change::World { what, .. } if what.is_suspect() => warn!("{change}"),
        Change::Ready { heard, targets, .. } if heard < targets => warn!("{change}"),
        Change::Held(_) | Change::Isolated { .. } => error!("{change}"),
        // What counts late is no smaller for that.
        Change::Believed(late) if late.pools.iter().any(Standing::is_empty) => error!("{change}"),
        Change::LetGo(told) if told.empty && told.pools.iter().any(Standing::is_empty) => error!("{change}"),
        Change::LetGo(_) | Change::NotHeld(_) | Change::Believed(_) | Change::SeesCanaries { .. } => warn!("{change}"),
        Change::Shed { .. } | Change::NothingToLift(_) | Change::Reports { silent: Some(_), .. } => warn!("{change}"),
        Change::Ready { .. } | Change::World { .. } | Change::SlowStart { .. } | Change::Reports { .. } => {
            info!("{change}");
        }
    }
}

/// Logs a line of a verdict, or of two of which this is the second.
fn log_verdict(verdict: &Verdict, address: &str, line: &LogLine) {
    let monitor = &*verdict.monitor;
    match verdict.transition.to {
        Health::Down if verdict.empties_a_pool() => error!(%address, monitor, "{line}"),
        Health::Down | Health::Unknown => warn!(%address, monitor, "{line}"),
        Health::Up => info!(%address, monitor, "{line}"),
    }
}
