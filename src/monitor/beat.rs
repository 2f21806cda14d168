//! One target's task: wait, ask, report, and again, until it is aborted.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{self, Instant},
};

use super::{Desk, Heard, pace::Line, prepared::Prepared, probe, schedule::Schedule, watchdog::Cause};
use crate::{
    engine::health::{
        fold::Record,
        monitor::{Outcome, ProbeKey, Rhythm},
    },
    state::ledger::Event,
};

/// Probes a target until nobody takes outcomes any more; something may be known of it already. A changed rhythm counts
/// from the start of the last probe. `heard` is told the moment of each outcome.
pub(super) async fn run(
    (key, known): (Arc<ProbeKey>, Record),
    mut rhythm: watch::Receiver<Rhythm>,
    draws: [u64; 3],
    desk: Desk,
    heard: Heard,
) {
    let [first, phase, seed] = draws;
    let (mut schedule, mut wait) = Schedule::start(&rhythm.borrow_and_update(), known, [first, phase]);
    let mut prepared = Prepared::of(&key, fastrand::Rng::with_seed(seed), &desk.tools);
    let mut began = moment();
    loop {
        let due = began + Duration::from_millis(wait);
        tokio::select! {
            () = time::sleep_until(due) => {}
            changed = rhythm.changed() => {
                if changed.is_err() {
                    return;
                }
                wait = schedule.wait(&rhythm.borrow_and_update());
                continue;
            }
        }
        let woken = moment();
        desk.within_budget(&key).await;
        let afforded = moment();
        // Held until the probe is over. The semaphore is never closed.
        let Ok(_turn) = desk.turns.acquire().await else { return };
        let now = *rhythm.borrow();
        began = moment();
        let parts = [
            (Cause::Busy, woken.saturating_duration_since(due)),
            (Cause::Budget, afforded - woken),
            (Cause::Turns, began - afforded),
        ];
        desk.watchdog.began(parts, now.interval);
        // In a box of its own: a task that waits keeps nothing of the kilobytes that a probe needs while it is under way.
        let outcome = Box::pin(probe::run(&desk.tools, &mut prepared, now.timeout)).await;
        if matches!(outcome, Outcome::Unasked(_)) {
            desk.watchdog.unasked();
        }
        desk.unasked.take(&key, &outcome);
        schedule.observe(&now, desk.clock.now(), outcome.clone());
        wait = schedule.wait(&now);
        if desk.events.send(Event::Outcome { key: Arc::clone(&key), outcome }).await.is_err() {
            return;
        }
        heard.store(desk.clock.now().0, Ordering::Relaxed);
    }
}

impl Desk {
    /// Waits until the budgets allow a probe. Only the first of a line has a moment booked: whoever leaves, as those do
    /// whom a reload takes away, leaves no moments behind that nobody uses and all others wait for.
    pub(super) async fn within_budget(&self, key: &ProbeKey) {
        let line = self.pace().line(key.address);
        self.booked(&line, |pace, now| pace.own(now, key.address)).await;
        self.booked(&self.line, |pace, now| pace.all(now)).await;
    }

    async fn booked(&self, line: &Line, book: impl Fn(&mut super::Pace, u64) -> u64) {
        let _first = line.lock().await;
        let now = self.start.elapsed().as_micros() as u64;
        let at = book(&mut self.pace(), now);
        if at > now {
            time::sleep_until(self.start + Duration::from_micros(at)).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
pub(super) fn moment() -> Instant {
    Instant::now()
}
