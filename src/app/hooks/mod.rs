//! Hooks: whoever wants to be told of changes is, by a command or an HTTP POST. Listens to what the writer says, and is
//! never waited for: what comes too fast for it is left out and counted. Must not know how changes come about.
//!
//! What is told is made by `event`; each hook tells in a task of its own (`tell`), one thing after the other.

mod event;
mod tell;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    task::JoinHandle,
};
use tracing::warn;

use self::{
    event::{Event, Regions},
    tell::Teller,
};
use crate::{
    config::settings::Hook,
    engine::{snapshot::Snapshot, types::UnixMillis},
    state::{
        board::Board,
        change::{Change, Verdict},
        clock::Clock,
        writer::Writer,
    },
    telemetry::signals::Signals,
};

/// The hooks of a running server; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Hooks {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

/// What the server says to them.
#[derive(Debug)]
enum Order {
    /// These, from now on.
    Set(Vec<Hook>),
    /// A reload was refused.
    Refused(String),
}

impl Hooks {
    /// Starts them. Wants a tokio runtime.
    pub(super) fn start(hooks: Vec<Hook>, writer: &Writer, clock: Clock, signals: Arc<Signals>) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let mut desk = Desk::new(Arc::clone(&writer.board), clock, signals);
        desk.set(hooks);
        let task = tokio::spawn(desk.work(inbox, writer.changes()));
        Self { orders, task }
    }

    /// Replaces them. One that is as it was goes on undisturbed; one that has changed takes over what waits; one that is
    /// gone ends with what it is at.
    pub(super) fn set(&self, hooks: Vec<Hook>) {
        // They end with the server only.
        let _ = self.orders.send(Order::Set(hooks));
    }

    /// Tells that a reload was refused.
    pub(super) fn refused(&self, why: impl Into<String>) {
        let _ = self.orders.send(Order::Refused(why.into()));
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the task works with.
struct Desk {
    tellers: Vec<Teller>,
    board: Arc<Board<Snapshot>>,
    /// Of which snapshot the regions are.
    seen: Arc<Snapshot>,
    regions: Regions,
    clock: Clock,
    signals: Arc<Signals>,
}

/// What is told: the event, by whom, and how much was left out before it.
#[derive(Serialize)]
struct Message<'e> {
    hook: &'e str,
    #[serde(flatten)]
    event: &'e Event,
    left_out: u64,
}

impl Desk {
    fn new(board: Arc<Board<Snapshot>>, clock: Clock, signals: Arc<Signals>) -> Self {
        let seen = board.load();
        let regions = Regions::of(&seen);
        Self { tellers: Vec::new(), board, seen, regions, clock, signals }
    }

    async fn work(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut changes: broadcast::Receiver<Arc<Change>>) {
        loop {
            tokio::select! {
                // Whoever comes with a configuration is told that it is in force.
                biased;
                order = orders.recv() => match order {
                    Some(Order::Set(hooks)) => self.set(hooks),
                    Some(Order::Refused(why)) => self.tell(&Event::refused(now(), &why)),
                    None => return,
                },
                change = changes.recv() => match change {
                    Ok(change) => self.take(&change),
                    Err(RecvError::Lagged(count)) => {
                        let changes = if count == 1 { "change: it came" } else { "changes: they came" };
                        warn!("hooks were not told of {count} {changes} too fast");
                        self.signals.hooks_failed.add(count);
                        self.tellers.iter_mut().for_each(|teller| teller.miss(count));
                        self.turn(None);
                    }
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    fn set(&mut self, hooks: Vec<Hook>) {
        let mut old = std::mem::take(&mut self.tellers);
        for hook in hooks {
            let before = old.iter().position(|teller| teller.hook.name == hook.name).map(|at| old.swap_remove(at));
            self.tellers.push(match before {
                Some(same) if same.hook == hook && same.is_alive() => same,
                before => Teller::start(hook, before, self.clock.now(), Arc::clone(&self.signals)),
            });
        }
        old.into_iter().for_each(|teller| teller.dismiss(Arc::clone(&self.signals)));
    }

    fn take(&mut self, change: &Change) {
        if let Some(event) = Event::of(change, now()) {
            self.tell(&event);
        }
        let verdict = match change {
            Change::Verdict(verdict) => Some(&**verdict),
            _ => None,
        };
        self.turn(verdict);
    }

    /// Tells what has become of regions. Changes that came together were published together, and are looked at once.
    fn turn(&mut self, because: Option<&Verdict>) {
        let newest = self.board.load();
        if Arc::ptr_eq(&newest, &self.seen) {
            return;
        }
        self.seen = newest;
        for event in self.regions.turn(&self.seen, because, now()) {
            self.tell(&event);
        }
    }

    fn tell(&mut self, event: &Event) {
        let now = self.clock.now();
        for teller in self.tellers.iter_mut().filter(|teller| teller.hook.on.contains(&event.kind)) {
            let text = |hook: &Hook, left_out| {
                // Text and numbers can always be written.
                serde_json::to_string(&Message { hook: &hook.name, event, left_out }).unwrap_or_default()
            };
            if !teller.tell(now, text) {
                self.signals.hooks_failed.add(1);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
