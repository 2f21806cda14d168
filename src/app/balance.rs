//! Balancing while serving: each second what the transports counted and what the board shows go into the control law,
//! and what it assigns goes to the writer. Must not know how either decides.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};

use crate::{
    state::{balance::Balance, clock::Clock, ledger::Event, writer::Writer},
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
            }
        }))
    }
}

impl Drop for Balancing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
