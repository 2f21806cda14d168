//! Where Snapshots are put up for everybody to read.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::engine::snapshot::Snapshot;

/// Holds the newest Snapshot. Readers never wait; who wants to hear of the next one subscribes.
#[derive(Debug)]
pub struct Board {
    newest: ArcSwap<Snapshot>,
    published: watch::Sender<()>,
}

impl Board {
    /// A board that shows `first`.
    #[must_use]
    pub fn new(first: Arc<Snapshot>) -> Self {
        Self { newest: ArcSwap::new(first), published: watch::Sender::new(()) }
    }

    /// Puts up `snapshot` and tells the subscribers.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.newest.store(snapshot);
        self.published.send_replace(());
    }

    /// The newest.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.newest.load_full()
    }

    /// Changes whenever something was published; look with [`Board::load`] then.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }
}
