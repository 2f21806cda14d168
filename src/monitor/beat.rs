//! One target's task: wait, ask, report, and again, until it is aborted.

use std::sync::{Arc, atomic::Ordering};

use tokio::{
    sync::watch,
    time::{self, Duration, Instant},
};

use super::{
    Desk, Heard, course::Course, pace::Line, plan::Beat, prepared::Prepared, probe, schedule::Schedule,
    watchdog::Cause, words::moment,
};
use crate::{
    engine::health::{fold::Record, outcome::Outcome},
    probing::monitor::ProbeKey,
    state::ledger::Event,
};

/// Probes a target until nobody takes outcomes any more; its judges may know something of it already. `heard` is told the
/// moment of each outcome.
pub(super) async fn run(
    (key, known): (Arc<ProbeKey>, Vec<Record>),
    mut beats: watch::Receiver<Arc<Beat>>,
    draws: [u64; 3],
    desk: Desk,
    heard: Heard,
) {
    let [first, phase, seed] = draws;
    let (mut schedule, mut wait) = Schedule::start(&beats.borrow_and_update(), known, [first, phase]);
    let mut prepared = Prepared::of(&key, fastrand::Rng::with_seed(seed), &desk.tools);
    let mut course = Course::new(desk.micros(moment()));
    loop {
        let due = desk.start + Duration::from_micros(course.next(wait));
        tokio::select! {
            () = time::sleep_until(due) => {}
            changed = beats.changed() => {
                if changed.is_err() {
                    return;
                }
                let beat = Arc::clone(&beats.borrow_and_update());
                schedule.judge(&beat);
                wait = schedule.wait(&beat);
                continue;
            }
        }
        let woken = moment();
        desk.within_budget(&key).await;
        let afforded = moment();
        // Held until the probe is over. The semaphore is never closed.
        let Ok(_turn) = desk.turns.acquire().await else { return };
        let began = moment();
        let beat = Arc::clone(&beats.borrow());
        course.begin(wait, desk.micros(began));
        let parts = [
            (Cause::Busy, woken.saturating_duration_since(due)),
            (Cause::Budget, afforded - woken),
            (Cause::Turns, began - afforded),
        ];
        desk.watchdog.began(parts, beat.rhythm.interval);
        // In a box of its own: a task that waits keeps nothing of the kilobytes that a probe needs while it is under way.
        let outcome = Box::pin(probe::run(&desk.tools, &mut prepared, beat.rhythm.timeout)).await;
        course.end(desk.micros(moment()));
        if matches!(outcome, Outcome::Unasked(_)) {
            desk.watchdog.unasked();
        }
        desk.unasked.take(&key, &outcome);
        let now = desk.clock.now();
        schedule.observe(&beat, now, &outcome);
        wait = schedule.wait(&beat);
        if desk.events.send(Event::Outcome { key: Arc::clone(&key), outcome }).await.is_err() {
            return;
        }
        heard.store(now.0, Ordering::Relaxed);
    }
}

impl Desk {
    /// Microseconds since the start.
    fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }

    /// Waits until the budgets allow a probe. Only the first of a line has a moment booked: whoever leaves, as those do
    /// whom a reload takes away, leaves no moments behind that nobody uses and all others wait for.
    pub(super) async fn within_budget(&self, key: &ProbeKey) {
        let line = self.pace().line(key.address);
        self.booked(&line, |pace, now| pace.own(now, key.address)).await;
        self.booked(&self.line, |pace, now| pace.all(now)).await;
    }

    async fn booked(&self, line: &Line, book: impl Fn(&mut super::Pace, u64) -> u64) {
        let _first = line.lock().await;
        let now = self.micros(moment());
        let at = book(&mut self.pace(), now);
        if at > now {
            time::sleep_until(self.start + Duration::from_micros(at)).await;
        }
    }
}
