//! What the tasks of all targets share: clients, what has been read, the budgets and turns that they wait for, and where
//! they report. Must not know what is asked, nor what is found.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64};

use tokio::{
    sync::{Semaphore, mpsc},
    time::{self, Duration, Instant},
};

use super::{
    body::Bodies,
    client::Clients,
    error_text::moment,
    file::Files,
    rate_limit::{Pace, Queue},
    tls::Configs,
    unasked::Unasked,
    watchdog::Watchdog,
};
use crate::{
    clock::Clock, engine::health::rules::HealthRules, node::input::Input, probing::monitor::ProbeKey,
    telemetry::signals::Signals,
};

/// When a target was last heard of: the clock's milliseconds.
pub(super) type Heard = Arc<AtomicU64>;

/// Clients of all probes, and what they have read.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) clients: Clients,
    pub(super) configs: Configs,
    pub(super) bodies: Bodies,
    pub(super) files: Files,
}

/// What every task needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) tools: Arc<Tools>,
    pub(super) turns: Arc<Semaphore>,
    pace: Arc<Mutex<Pace>>,
    /// Of those who wait for the budget of all.
    line: Arc<Queue>,
    pub(super) watchdog: Arc<Watchdog>,
    pub(super) unasked: Arc<Unasked>,
    /// Since when the budgets count.
    pub(super) start: Instant,
    pub(super) events: mpsc::Sender<Input>,
    pub(super) clock: Clock,
}

impl Desk {
    /// For tasks of which at most `at_once` probe at a time.
    pub(super) fn new(events: mpsc::Sender<Input>, clock: Clock, at_once: usize, signals: Arc<Signals>) -> Self {
        Self {
            tools: Arc::default(),
            turns: Arc::new(Semaphore::new(at_once)),
            pace: Arc::new(Mutex::new(Pace::new(HealthRules::default().rate))),
            line: Arc::default(),
            watchdog: Arc::new(Watchdog::new(signals)),
            unasked: Arc::default(),
            start: moment(),
            events,
            clock,
        }
    }

    /// The budgets.
    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the start.
    pub(super) fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }

    /// Waits until the budgets allow a probe. Only the first of a line has a moment booked: a task that leaves the line,
    /// as a reload may have it do, leaves no moment behind that no task uses and all others wait for.
    pub(super) async fn within_budget(&self, key: &ProbeKey) {
        let line = self.pace().line(key.address);
        self.booked(&line, |pace, now| pace.own(now, key.address)).await;
        self.booked(&self.line, |pace, now| pace.all(now)).await;
    }

    async fn booked(&self, line: &Queue, book: impl Fn(&mut Pace, u64) -> u64) {
        let _first = line.lock().await;
        let now = self.micros(moment());
        let at = book(&mut self.pace(), now);
        if at > now {
            time::sleep_until(self.start + Duration::from_micros(at)).await;
        }
    }
}
