//! One target's task: wait, ask, report, and again, until it is aborted.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{self, Instant},
};

use super::{Desk, probe, schedule::Schedule};
use crate::{
    engine::health::monitor::{ProbeKey, Rhythm},
    state::ledger::Event,
};

/// Probes `key` until nobody takes outcomes any more. A changed rhythm counts from the start of the last probe.
pub(super) async fn run(key: Arc<ProbeKey>, mut rhythm: watch::Receiver<Rhythm>, draws: [u64; 2], desk: Desk) {
    let (mut schedule, mut wait) = Schedule::start(&rhythm.borrow_and_update(), draws);
    let mut began = moment();
    loop {
        tokio::select! {
            () = time::sleep_until(began + Duration::from_millis(wait)) => {}
            changed = rhythm.changed() => {
                if changed.is_err() {
                    return;
                }
                wait = schedule.wait(&rhythm.borrow_and_update());
                continue;
            }
        }
        // Held until the probe is over. The semaphore is never closed.
        let Ok(_turn) = desk.turns.acquire().await else { return };
        let now = *rhythm.borrow();
        began = moment();
        let outcome = probe::run(&desk.client, &key, now.timeout).await;
        schedule.observe(&now, desk.clock.now(), outcome.clone());
        wait = schedule.wait(&now);
        if desk.events.send(Event::Outcome { key: Arc::clone(&key), outcome }).await.is_err() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn moment() -> Instant {
    Instant::now()
}
