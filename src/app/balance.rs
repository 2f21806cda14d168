//! Answers for balancing: each second what the transports counted goes to the writer, where anything is made of it. Must
//! not know what comes of them.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};

use super::writer::Writer;
use crate::{
    node::{answers, input::Input},
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
