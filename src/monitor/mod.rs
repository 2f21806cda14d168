//! Runs probes on schedule and reports what they found. Must not know pools, policies or what an outcome will mean.
//!
//! Each target has a task of its own (`beat`), which asks (`probe`: `http`, `tcp`), reports and waits, by a `schedule`
//! that is pure. The [`Prober`] keeps the tasks in step with a [`Plan`].

mod beat;
mod http;
mod plan;
mod probe;
mod schedule;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, io, sync::Arc};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::AbortHandle,
};

pub use self::plan::Plan;
use crate::{
    engine::health::monitor::{ProbeKey, Rhythm},
    state::{clock::Clock, ledger::Event},
};

/// Keeps one task for each target.
pub struct Prober {
    running: HashMap<Arc<ProbeKey>, Running>,
    desk: Desk,
    chance: fastrand::Rng,
}

/// What every task needs.
#[derive(Clone)]
struct Desk {
    client: reqwest::Client,
    turns: Arc<Semaphore>,
    events: mpsc::Sender<Event>,
    clock: Clock,
}

/// A target's task; it stops when this is dropped.
struct Running {
    rhythm: watch::Sender<Rhythm>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prober {
    /// A prober without targets. Outcomes go to `events`; `chance` spreads the probes over time; at most `at_once` are
    /// under way at a time, which bounds sockets and memory. A probe that waits for its turn is late, not failed.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(events: mpsc::Sender<Event>, clock: Clock, chance: fastrand::Rng, at_once: usize) -> io::Result<Self> {
        let desk = Desk { client: http::client()?, turns: Arc::new(Semaphore::new(at_once)), events, clock };
        Ok(Self { running: HashMap::new(), desk, chance })
    }

    /// Probes what `plan` says and nothing else, from now on. What stays goes on undisturbed, by its new rhythm if
    /// that changed; what is gone stops at once, also in the middle of a probe; what is new starts at once. Wants a
    /// tokio runtime.
    pub fn set(&mut self, plan: &Plan) {
        let diff = plan.diff(self.running.iter().map(|(key, running)| (key, *running.rhythm.borrow())));
        for key in &diff.stop {
            self.running.remove(key);
        }
        for (key, rhythm) in diff.retime {
            if let Some(running) = self.running.get(&key) {
                running.rhythm.send_replace(rhythm);
            }
        }
        for (key, rhythm) in diff.start {
            let (sender, receiver) = watch::channel(rhythm);
            let draws = [self.chance.u64(..), self.chance.u64(..)];
            let task = tokio::spawn(beat::run(Arc::clone(&key), receiver, draws, self.desk.clone())).abort_handle();
            self.running.insert(key, Running { rhythm: sender, task });
        }
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("targets", &self.running.len()).finish_non_exhaustive()
    }
}
