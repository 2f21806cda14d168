//! Runs probes on schedule and reports what they found. Must not know pools, policies or what an outcome will mean.
//!
//! Each target has a task of its own (`beat`), which makes its check ready once (`prepared`: `tcp`, `handshake`, `http`,
//! `grpc`, `dns`, `icmp`, `exec`, `file`), asks (`probe`), reports and waits, by a `schedule` and a `course` and within a `pace` that are pure. The [`Prober`]
//! keeps the tasks in step with a [`Plan`], and with its `watchdog` sees to it that none of them dies or lags unnoticed.

mod beat;
mod body;
mod certificate;
mod client;
mod course;
mod dial;
mod dns;
mod exec;
mod file;
mod grpc;
mod handshake;
mod http;
mod icmp;
mod pace;
mod plan;
mod prepared;
mod probe;
mod redirect;
mod schedule;
mod shared;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod tools;
mod unasked;
mod watchdog;
mod words;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tracing::error;

pub use self::plan::Plan;
use self::{
    pace::Pace,
    plan::Beat,
    tools::Tools,
    unasked::Unasked,
    watchdog::{Sight, Watchdog},
};
use crate::{
    engine::health::{fold::Record, rules::HealthRules},
    probing::monitor::ProbeKey,
    state::{clock::Clock, ledger::Event},
    telemetry::signals::Signals,
};

/// When a target was last heard of: the clock's milliseconds.
type Heard = Arc<AtomicU64>;

/// Keeps one task for each target.
pub struct Prober {
    running: HashMap<Arc<ProbeKey>, Running>,
    desk: Desk,
    chance: fastrand::Rng,
    told: (watchdog::Told, unasked::Told),
}

/// What every task needs.
#[derive(Clone)]
struct Desk {
    tools: Arc<Tools>,
    turns: Arc<Semaphore>,
    pace: Arc<Mutex<Pace>>,
    /// Of those who wait for the budget of all.
    line: Arc<pace::Line>,
    watchdog: Arc<Watchdog>,
    unasked: Arc<Unasked>,
    /// Since when the budgets count.
    start: Instant,
    events: mpsc::Sender<Event>,
    clock: Clock,
}

/// A target's task; it stops when this is dropped.
struct Running {
    beat: watch::Sender<Arc<Beat>>,
    heard: Heard,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prober {
    /// A prober without targets. Outcomes go to `events`; `chance` spreads the probes over time; at most `at_once` are
    /// under way at a time, which bounds sockets and memory. A probe that waits for its turn is late, not failed.
    #[must_use]
    pub fn new(
        events: mpsc::Sender<Event>,
        clock: Clock,
        chance: fastrand::Rng,
        at_once: usize,
        signals: Arc<Signals>,
    ) -> Self {
        let desk = Desk {
            tools: Arc::default(),
            turns: Arc::new(Semaphore::new(at_once)),
            pace: Arc::new(Mutex::new(Pace::new(HealthRules::default().rate))),
            line: Arc::default(),
            watchdog: Arc::new(Watchdog::new(signals)),
            unasked: Arc::default(),
            start: words::moment(),
            events,
            clock,
        };
        Self { running: HashMap::new(), desk, chance, told: Default::default() }
    }

    /// Probes what `plan` says and nothing else, from now on. What stays goes on undisturbed, by its new rhythm if
    /// that changed; what is gone stops at once, also in the middle of a probe; what is new starts at once. Wants a
    /// tokio runtime.
    pub fn set(&mut self, plan: &Plan) {
        self.desk.pace().set(plan.rate());
        let diff = plan.diff(self.running.iter().map(|(key, running)| (key, Arc::clone(&running.beat.borrow()))));
        for key in &diff.stop {
            self.running.remove(key);
            self.desk.unasked.forget(key);
        }
        for (key, beat) in diff.change {
            if let Some(running) = self.running.get(&key) {
                running.beat.send_replace(beat);
            }
        }
        for (key, beat) in diff.start {
            let known = plan.known(&key);
            self.start(key, beat, known);
        }
    }

    fn start(&mut self, key: Arc<ProbeKey>, beat: Arc<Beat>, known: Vec<Record>) {
        let (sender, receiver) = watch::channel(beat);
        let draws = [self.chance.u64(..), self.chance.u64(..), self.chance.u64(..)];
        let heard = Heard::new(AtomicU64::new(self.desk.clock.now().0));
        let task = beat::run((Arc::clone(&key), known), receiver, draws, self.desk.clone(), Arc::clone(&heard));
        self.running.insert(key, Running { beat: sender, heard, task: tokio::spawn(task) });
    }

    /// Looks after the tasks, which is to be done once a second: one that has died is started again, late probes and
    /// targets that have fallen silent are told. What is silent keeps its health, whatever it is.
    pub fn watch(&mut self) {
        self.desk.pace().sweep(self.desk.start.elapsed().as_micros() as u64);
        let dead: Vec<Arc<ProbeKey>> = self
            .running
            .iter()
            .filter(|(_, running)| running.task.is_finished())
            .map(|(key, _)| Arc::clone(key))
            .collect();
        for key in dead {
            let Some(running) = self.running.remove(&key) else { continue };
            // Once nobody takes outcomes every task ends, and that is no fault of theirs.
            if !self.desk.events.is_closed() {
                error!("the probes of {} have ended by a fault of this program; they are started again", key.address);
                let beat = Arc::clone(&running.beat.borrow());
                self.start(key, beat, Vec::new());
            }
        }
        let now = self.desk.clock.now().0;
        let sights = self.running.iter().filter_map(|(key, running)| {
            let age = now.saturating_sub(running.heard.load(Ordering::Relaxed));
            let sight = Sight { name: String::new(), age, rhythm: running.beat.borrow().rhythm };
            sight.is_silent().then(|| Sight { name: key.address.to_string(), ..sight })
        });
        let silent: Vec<Sight> = sights.collect();
        let (late, unasked) = &mut self.told;
        self.desk.watchdog.tell(now, late, &silent, self.running.len());
        self.desk.unasked.keep(|key| self.running.contains_key(key));
        self.desk.unasked.tell(now, unasked);
    }
}

impl Desk {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("targets", &self.running.len()).finish_non_exhaustive()
    }
}
