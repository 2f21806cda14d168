//! Answers for balancing: each second what the transports counted goes to the writer, where anything is made of it. And the
//! lines about where clients are sent then. Must not know how that is decided.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};

use super::writer::Writer;
use crate::{
    engine::world::World,
    node::{answers, balance::Foreseen, input::Input},
    telemetry::{answers::Answers, counters::Counters},
};

/// How often answers go to the writer.
const INTERVAL: Duration = Duration::from_secs(1);

/// The task. Dropping it ends it; what was assigned last stays.
#[derive(Debug)]
pub(super) struct Balancing(JoinHandle<()>);

impl Balancing {
    /// Starts it. Wants a tokio runtime.
    pub(super) fn start(writer: &Writer, counters: &[Arc<Counters>]) -> Self {
        let (inputs, board, counters) = (writer.inputs.clone(), Arc::clone(&writer.board), counters.to_vec());
        Self(tokio::spawn(async move {
            let mut interval = time::interval(INTERVAL);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                interval.tick().await;
                let world = Arc::clone(&board.load().world);
                // Taken in any case: what was answered long ago says nothing when it is wanted.
                let counts = Answers::take(counters.iter().map(|worker| &worker.answers));
                if answers::are_wanted(&world) {
                    let input = Input::Answers(answers::named(&world, &counts));
                    if inputs.send(input).await.is_err() {
                        return; // the writer has ended
                    }
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
pub(super) struct Passing(BTreeMap<Box<str>, f64>);

impl Passing {
    /// What is news, and whether the region passes anybody on. Less than a point is none.
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
        let mut told = Passing::default();
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
