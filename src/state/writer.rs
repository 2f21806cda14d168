//! The single writer: one task that receives events, folds them into the [`Ledger`], says what changed and publishes.
//! It waits for nobody but its channel.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
    time,
};
use tracing::{error, info, warn};

use super::{
    board::Board,
    change::Change,
    clock::Clock,
    ledger::{Event, Ledger},
};
use crate::engine::{health::fold::Health, snapshot::World};

/// How many events may wait. Who sends more waits too: probes slow down, the writer never does.
const EVENTS: usize = 4096;
/// How many changes a listener may be behind before it misses some.
const CHANGES: usize = 1024;

/// The running writer, as seen by those who send to it and listen to it.
#[derive(Debug)]
pub struct Writer {
    /// Where events go. They are folded in the order in which they were sent.
    pub events: mpsc::Sender<Event>,
    /// Where the newest Snapshot is.
    pub board: Arc<Board>,
    changes: broadcast::Sender<Arc<Change>>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Starts the writer with `world` in force; steered names wait at most `startup_wait` for the first probe round.
    /// Wants a tokio runtime.
    #[must_use]
    pub fn start(world: Arc<World>, clock: Clock, startup_wait: Duration) -> Self {
        let ledger = Ledger::new(world);
        let board = Arc::new(Board::new(Arc::new(ledger.snapshot(clock.now()))));
        let (events, inbox) = mpsc::channel(EVENTS);
        let (changes, _) = broadcast::channel(CHANGES);
        let task = tokio::spawn(write(ledger, inbox, Arc::clone(&board), changes.clone(), clock, startup_wait));
        Self { events, board, changes, task }
    }

    /// Hears every change from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn write(
    mut ledger: Ledger,
    mut inbox: mpsc::Receiver<Event>,
    board: Arc<Board>,
    changes: broadcast::Sender<Arc<Change>>,
    clock: Clock,
    startup_wait: Duration,
) {
    let deadline = time::sleep(startup_wait);
    tokio::pin!(deadline);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            received = inbox.recv_many(&mut batch, EVENTS) => if received == 0 { return },
            () = &mut deadline, if !board.load().ready => batch.push(Event::Deadline),
        }
        let told: Vec<Change> = batch.drain(..).flat_map(|event| ledger.fold(clock.now(), event)).collect();
        // Published first: who hears of a change finds it in the newest Snapshot.
        if ledger.differs_from(&board.load()) {
            board.publish(Arc::new(ledger.snapshot(clock.now())));
        }
        for change in told {
            say(&change);
            // Nobody listening is no fault.
            let _ = changes.send(Arc::new(change));
        }
    }
}

/// Logs a change at the level of its weight.
fn say(change: &Change) {
    match change {
        Change::Verdict(verdict) => {
            let (address, monitor) = (verdict.address, &*verdict.monitor);
            match verdict.transition.to {
                Health::Down if verdict.empties_a_pool() => error!(%address, monitor, "{verdict}"),
                Health::Down => warn!(%address, monitor, "{verdict}"),
                _ => info!(%address, monitor, "{verdict}"),
            }
        }
        Change::Ready { heard, targets } if heard < targets => warn!("{change}"),
        Change::Ready { .. } | Change::World { .. } => info!("{change}"),
    }
}
