//! One target's task: wait, ask, report, and again, until it is aborted.

use std::sync::{Arc, atomic::Ordering};

use tokio::{
    sync::watch,
    time::{self, Duration},
};

use super::{
    context::{Desk, Heard},
    error_text::moment,
    interval::{Draws, Schedule},
    plan::Beat,
    prober::{self, Prepared},
    timer::Course,
    watchdog::Cause,
};
use crate::{
    engine::health::fold::{Outcome, Record},
    node::input::Input,
    probing::monitor::ProbeKey,
};

/// Probes a target until no outcome is taken any more; its judges may know something of it already. `heard` is told the
/// moment of each outcome.
pub(super) async fn run(
    (key, known): (Arc<ProbeKey>, Vec<Record>),
    mut beats: watch::Receiver<Arc<Beat>>,
    (draws, seed): (Draws, u64),
    desk: Desk,
    heard: Heard,
) {
    let (mut schedule, mut wait) = Schedule::start(&beats.borrow_and_update(), known, draws);
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
        let outcome = Box::pin(prober::run(&desk.tools, &mut prepared, beat.rhythm.timeout)).await;
        course.end(desk.micros(moment()));
        if matches!(outcome, Outcome::Unasked(_)) {
            desk.watchdog.unasked();
        }
        desk.unasked.take(&key, &outcome);
        let now = desk.clock.now();
        schedule.observe(&beat, now, &outcome);
        wait = schedule.wait(&beat);
        if desk.events.send(Input::outcome(&key, outcome)).await.is_err() {
            return;
        }
        heard.store(now.0, Ordering::Relaxed);
    }
}
