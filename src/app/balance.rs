//! Balancing while serving: each second what the transports counted and what the board shows go into the control law,
//! and what it assigns goes to the writer, and to the log where that moves anybody. Must not know how either decides.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};
use tracing::{info, warn};

use crate::{
    engine::world::World,
    node::{
        balance::{Balance, Foreseen},
        clock::Clock,
        ledger::Event,
        writer::Writer,
    },
    telemetry::{answers::Answers, counters::Counters},
};

/// How often it is looked whether demand has to go elsewhere.
const BEAT: Duration = Duration::from_secs(1);

/// The task. Dropping it ends it; what was assigned last stays.
#[derive(Debug)]
pub(super) struct Balancing(JoinHandle<()>);

impl Balancing {
    /// Starts it. Wants a tokio runtime.
    pub(super) fn start(writer: &Writer, clock: Clock, counters: &[Arc<Counters>]) -> Self {
        let (events, board, counters) = (writer.events.clone(), Arc::clone(&writer.board), counters.to_vec());
        Self(tokio::spawn(async move {
            let (mut balance, mut beat) = (Balance::default(), time::interval(BEAT));
            let mut told = Told::default();
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                beat.tick().await;
                let snapshot = board.load();
                let answers = Answers::take(counters.iter().map(|worker| &worker.answers));
                let Some(assigned) = balance.tick(clock.now(), &snapshot, &answers) else { continue };
                let of = Arc::clone(&snapshot.world);
                let event = Event::Assign { of, assignments: assigned.clone() };
                if events.send(event).await.is_err() {
                    return; // the writer has ended
                }
                for (passes, line) in told.lines(&snapshot.world, &balance.regions()) {
                    if passes { warn!("{line}") } else { info!("{line}") }
                }
            }
        }))
    }
}

impl Drop for Balancing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the log has of each region by name: the part of its clients that it passes on, in hundredths.
#[derive(Debug, Default)]
struct Told(BTreeMap<Box<str>, f64>);

impl Told {
    /// What is news, and whether the region passes anybody on. Less than a point is none.
    fn lines(&mut self, world: &World, regions: &[Foreseen]) -> Vec<(bool, String)> {
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
                lines.push((false, format!("region {name} passes nobody on any more: all who come to it may stay")));
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
        let mut told = Told::default();
        let mut lines =
            |passed: f64| told.lines(&world, &[Foreseen { region: RegionId(0), passed, natural: 1.4, assigned: 0.95 }]);
        assert_eq!(lines(0.0), []);
        assert_eq!(lines(0.004), [], "nobody");
        let words = "region eu passes on 32 % of its clients: with all of them its load would be 140 % of its capacity, \
                     so it is 95 %";
        assert_eq!(lines(0.32), [(true, words.to_owned())]);
        assert_eq!(lines(0.325), [], "less than a point");
        assert!(lines(0.34)[0].1.contains("passes on 34 %"));
        let over = "region eu passes nobody on any more: all who come to it may stay";
        assert_eq!(lines(0.001), [(false, over.to_owned())]);
        assert_eq!(lines(0.0), []);
    }
}
