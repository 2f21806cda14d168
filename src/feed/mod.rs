//! Brings load in: asks on schedule and reports what was answered. Must not know what a load influences.
//!
//! Each thing that is asked has a task of its own (`beat`), which asks (`ask`), reads the answer (`haproxy`, `agent`,
//! `nginx`, `prometheus`; `reading` for JSON), makes a load of what was read (`reading`) and reports it. The [`Feed`] keeps the tasks
//! in step with a [`Plan`]. Apart from them `kernel` reads round-trip times for the agent.

mod agent;
mod ask;
mod beat;
mod error;
mod haproxy;
pub mod kernel;
mod nginx;
mod plan;
mod prometheus;
mod reading;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, io, sync::Arc};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::AbortHandle,
};

pub use self::plan::Plan;
use self::{
    beat::Desk,
    plan::{Order, Question},
};
use crate::{clock::Clock, node::input::Input, telemetry::signals::Signals};

/// So many questions may be open at a time: each holds a descriptor until its answer or its time is over. One that waits
/// for its turn is late, not failed.
const AT_ONCE: usize = 512;

/// Keeps one task for each question.
pub struct Feed {
    running: HashMap<Arc<Question>, Running>,
    desk: Desk,
    chance: fastrand::Rng,
}

/// A question's task; it stops when this is dropped.
struct Running {
    order: watch::Sender<Order>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Feed {
    /// A feed that asks nobody. Reports go to `events`, what it counts to `signals`; `chance` spreads the questions over
    /// time.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        events: mpsc::Sender<Input>,
        clock: Clock,
        chance: fastrand::Rng,
        signals: Arc<Signals>,
    ) -> io::Result<Self> {
        let desk = Desk { client: ask::client()?, turns: Arc::new(Semaphore::new(AT_ONCE)), events, clock, signals };
        Ok(Self { running: HashMap::new(), desk, chance })
    }

    /// Asks nothing any more that `plan` does not say. What is gone stops at once, also in the middle of a question. To be
    /// done before the reports are taken for those of another configuration: what was asked for the old one may be
    /// counted in another unit.
    pub fn stop_beyond(&mut self, plan: &Plan) {
        // One that has died by a fault of this program is started again, by `set`.
        self.running.retain(|question, running| plan.orders.contains_key(question) && !running.task.is_finished());
    }

    /// Asks what `plan` says and nothing else, from now on. What stays goes on undisturbed; what is new starts at once.
    /// Wants a tokio runtime.
    pub fn set(&mut self, plan: &Plan) {
        self.stop_beyond(plan);
        for (question, order) in &plan.orders {
            if let Some(running) = self.running.get(question) {
                running.order.send_if_modified(|known| {
                    let other = known != order;
                    known.clone_from(order);
                    other
                });
                continue;
            }
            let (sender, receiver) = watch::channel(order.clone());
            let task = beat::run(Arc::clone(question), receiver, self.chance.fork(), self.desk.clone());
            let running = Running { order: sender, task: tokio::spawn(task).abort_handle() };
            self.running.insert(Arc::clone(question), running);
        }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("questions", &self.running.len()).finish_non_exhaustive()
    }
}
