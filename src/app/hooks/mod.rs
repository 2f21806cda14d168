//! Hooks: commands and HTTP POSTs that tell of changes. Listens to what the writer says, and is never waited for: what comes
//! too fast for it is left out and counted. Must not know how changes come about.
//!
//! What is told is made by `event`; each hook tells in a task of its own (`tell`), one thing after the other. What concerns a
//! whole region or this node comes by a channel of its own, goes before all else, and is never left out.

mod event;
mod not_told;
mod tell;

use std::{
    collections::HashSet,
    net::IpAddr,
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

use self::{event::Event, tell::Teller};
use crate::{
    app::writer::Writer,
    clock::Clock,
    config::settings::Hook,
    engine::{health::fold::Health, types::UnixMillis, world::World},
    node::change::{Change, Verdict},
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
    /// These, from now on, of a server of this name.
    Set(Vec<Hook>, String),
    /// A reload was refused.
    Refused(String),
}

impl Hooks {
    /// Starts them for a server that is called `node`. Wants a tokio runtime.
    pub(super) fn start(hooks: Vec<Hook>, node: String, writer: &Writer, clock: Clock, signals: Arc<Signals>) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let mut desk = Desk::new(&writer.board.load().world, clock, signals);
        desk.set(hooks, node);
        let task = tokio::spawn(desk.work(inbox, writer.alarms(), writer.changes()));
        Self { orders, task }
    }

    /// Replaces them. One that is as it was goes on undisturbed; one that has changed takes over what waits; one that is
    /// gone ends with what it is at.
    pub(super) fn set(&self, hooks: Vec<Hook>, node: String) {
        // They end with the server only.
        let _ = self.orders.send(Order::Set(hooks, node));
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
    node: String,
    /// The targets of the first configuration that have not been judged yet: that such a one is up is no news.
    starting: HashSet<(IpAddr, Box<str>)>,
    clock: Clock,
    signals: Arc<Signals>,
}

/// What is told: the event, by which hook of which server, and how much was left out before it.
#[derive(Serialize)]
struct Message<'e> {
    hook: &'e str,
    node: &'e str,
    #[serde(flatten)]
    event: &'e Event,
    left_out: u64,
}

impl Desk {
    fn new(world: &World, clock: Clock, signals: Arc<Signals>) -> Self {
        let monitor = |at: usize| world.monitors.get(at).map_or_else(Box::default, |monitor| monitor.name.clone());
        let starting = world.targets.iter().map(|target| (target.address(), monitor(target.monitor.at()))).collect();
        Self { tellers: Vec::new(), node: String::new(), starting, clock, signals }
    }

    async fn work(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut alarms: broadcast::Receiver<Arc<Change>>,
        mut changes: broadcast::Receiver<Arc<Change>>,
    ) {
        loop {
            let (heard, is_alarm) = tokio::select! {
                // A hook that comes with a configuration is told that it is in force.
                biased;
                order = orders.recv() => {
                    match order {
                        Some(Order::Set(hooks, node)) => self.set(hooks, node),
                        Some(Order::Refused(why)) => self.tell(&Event::refused(now(), &why)),
                        None => return,
                    }
                    continue;
                }
                alarm = alarms.recv() => (alarm, true),
                change = changes.recv() => (change, false),
            };
            match heard {
                // An alarm comes by both ways.
                Ok(change) if change.is_alarm() == is_alarm => self.take(&change),
                Ok(_) => {}
                Err(RecvError::Lagged(count)) => {
                    let changes = if count == 1 { "change: it came" } else { "changes: they came" };
                    warn!("hooks were not told of {count} {changes} too fast");
                    self.signals.hooks_failed.add(count);
                    self.tellers.iter_mut().for_each(|teller| teller.miss(count));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn set(&mut self, hooks: Vec<Hook>, node: String) {
        self.node = node;
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
        if let Change::Verdict(verdict) = change
            && self.is_start(verdict)
        {
            return;
        }
        if let Some(event) = Event::of(change, now()) {
            self.tell(&event);
        }
    }

    /// Whether a verdict says no more than that a target was found well at the start of this process.
    fn is_start(&mut self, verdict: &Verdict) -> bool {
        let first = self.starting.remove(&(verdict.address, verdict.monitor.clone()));
        first && (verdict.transition.from, verdict.transition.to) == (Health::Unknown, Health::Up)
    }

    fn tell(&mut self, event: &Event) {
        let now = self.clock.now();
        for teller in self.tellers.iter_mut().filter(|teller| teller.hook.on.contains(&event.kind)) {
            let node = &self.node;
            let text = |hook: &Hook, left_out| {
                // Text and numbers can always be written.
                serde_json::to_string(&Message { hook: &hook.name, node, event, left_out }).unwrap_or_default()
            };
            if !teller.tell(now, event, text) {
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
