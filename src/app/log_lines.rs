//! What the log says of changes, each line at the level of its weight. Two verdicts of one endpoint in both families are one
//! line. And the lines about regions that pass clients on. Must not know what else is made of a change.

use std::{collections::BTreeMap, sync::Arc};

use tracing::{error, info, warn};

use crate::{
    engine::{
        health::fold::{Health, Kept},
        types::At,
        world::World,
    },
    node::{
        balance::Foreseen,
        change::{
            Change, Fate, Standing, Verdict,
            pairs::{LogLine, Pairs},
        },
    },
};

/// Lines on their way to the log. What waits when this is dropped is logged then.
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

/// What the log has of each region by name: the part of its clients that it passes on, in hundredths.
#[derive(Debug, Default)]
pub(super) struct Passing(BTreeMap<Box<str>, f64>);

impl Passing {
    /// What is news, and whether the region passes clients on. Less than a point is none.
    pub(super) fn lines(&mut self, world: &World, regions: &[Foreseen]) -> Vec<(bool, String)> {
        let mut lines = Vec::new();
        for Foreseen { region, passed, natural, assigned } in regions {
            let Some(name) = world.regions.get(region.at()).map(|region| region.name.clone()) else { continue };
            let percent = passed * 100.0;
            let before = self.0.get(&name).copied().unwrap_or(0.0);
            let ends = percent < 0.5;
            if (percent - before).abs() < 1.0 && !(ends && before > 0.0) {
                continue;
            }
            let (natural, assigned) = (natural * 100.0, assigned * 100.0);
            if ends {
                lines
                    .push((false, format!("region {name} passes no client on any more: all that come to it may stay")));
                self.0.remove(&name);
            } else {
                lines.push((
                    true,
                    format!(
                        "region {name} passes on {percent:.0} % of its clients: with all of them its load would be \
                         {natural:.0} % of its capacity, so it is {assigned:.0} %"
                    ),
                ));
                self.0.insert(name, percent);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        types::RegionId,
        world::{Draft, Region},
    };

    #[test]
    fn a_region_that_passes_clients_on_is_told_at_each_step_and_when_it_ends() {
        let regions = vec![Region { name: "eu".into(), ..Region::default() }];
        let world = World::seal(Draft { regions, ..Draft::default() });
        let mut told = Passing::default();
        let mut lines =
            |passed: f64| told.lines(&world, &[Foreseen { region: RegionId(0), passed, natural: 1.4, assigned: 0.95 }]);
        assert_eq!(lines(0.0), []);
        assert_eq!(lines(0.004), [], "no client");
        let words = "region eu passes on 32 % of its clients: with all of them its load would be 140 % of its capacity, \
                     so it is 95 %";
        assert_eq!(lines(0.32), [(true, words.to_owned())]);
        assert_eq!(lines(0.325), [], "less than a point");
        assert!(lines(0.34)[0].1.contains("passes on 34 %"));
        let over = "region eu passes no client on any more: all that come to it may stay";
        assert_eq!(lines(0.001), [(false, over.to_owned())]);
        assert_eq!(lines(0.0), []);
    }
}
