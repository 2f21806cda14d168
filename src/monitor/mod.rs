//! Runs probes on schedule and reports what they found. Must not know pools, policies or what an outcome will mean.
//!
//! Each target has a task of its own (`task`), which makes its check ready once and asks (`prober`: `tcp`, `tls`, `http`,
//! `grpc`, `dns`, `icmp`, `file`), reports and waits, by an `interval`, a `timer` and a `rate_limit` that are pure. The
//! [`Prober`] keeps the tasks in step with a [`Plan`], and with its `watchdog` sees to it that none of them dies or lags
//! unnoticed.

mod body;
mod cache;
mod certificate;
mod client;
mod context;
mod dns;
mod error_text;
mod file;
mod grpc;
mod http;
mod icmp;
mod interval;
mod plan;
mod prober;
mod rate_limit;
mod redirect;
mod task;
mod tcp;
#[cfg(test)]
mod tests;
mod timer;
mod tls;
mod unasked;
mod watchdog;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::error;

pub use self::plan::Plan;
use self::{
    context::{Desk, Heard},
    interval::Draws,
    plan::Beat,
    watchdog::Sight,
};
use crate::{
    clock::Clock,
    engine::{health::fold::Record, types::At},
    node::input::Input,
    probing::monitor::ProbeKey,
    telemetry::signals::Signals,
};

/// Keeps one task for each target.
pub struct Prober {
    running: HashMap<Arc<ProbeKey>, Running>,
    desk: Desk,
    chance: fastrand::Rng,
    told: (watchdog::Reported, unasked::Told),
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
        events: mpsc::Sender<Input>,
        clock: Clock,
        chance: fastrand::Rng,
        at_once: usize,
        signals: Arc<Signals>,
    ) -> Self {
        let desk = Desk::new(events, clock, at_once, signals);
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
        let draws = Draws { first: self.chance.u64(..), phase: self.chance.u64(..) };
        let seed = self.chance.u64(..);
        let heard = Heard::new(AtomicU64::new(self.desk.clock.now().0));
        let task = task::run((Arc::clone(&key), known), receiver, (draws, seed), self.desk.clone(), Arc::clone(&heard));
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
        let now = self.desk.clock.now();
        let sights = self.running.iter().filter_map(|(key, running)| {
            let age = now.since(At(running.heard.load(Ordering::Relaxed)));
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

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("targets", &self.running.len()).finish_non_exhaustive()
    }
}
