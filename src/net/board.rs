//! Where the one writer publishes and everybody reads: a pointer that is swapped whole, and a version for those who
//! wait for the next. Must not know what is published, nor who made it.

use std::{fmt, sync::Arc};

use arc_swap::{ArcSwap, Cache};
use tokio::sync::watch;

/// What is published now. One task publishes; readers never wait for it and never see half of it.
pub struct Board<S> {
    current: Arc<ArcSwap<S>>,
    version: watch::Sender<u64>,
}

impl<S> Board<S> {
    /// A board that shows `first`.
    #[must_use]
    pub fn new(first: Arc<S>) -> Self {
        Self { current: Arc::new(ArcSwap::new(first)), version: watch::Sender::new(0) }
    }

    /// Shows `next` from now on, and wakes those who wait.
    pub fn publish(&self, next: Arc<S>) {
        self.current.store(next);
        self.version.send_modify(|version| *version += 1);
    }

    /// What is shown now.
    #[must_use]
    pub fn load(&self) -> Arc<S> {
        self.current.load_full()
    }

    /// A reader for one thread that looks often.
    #[must_use]
    pub fn reader(&self) -> Reader<S> {
        Reader(Cache::new(Arc::clone(&self.current)))
    }

    /// Hears of every publication from now on. Who looks at the board after this call and before waiting cannot miss
    /// one; the number itself means nothing.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

impl<S> fmt::Debug for Board<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("version", &*self.version.borrow()).finish_non_exhaustive()
    }
}

/// Remembers the pointer, so that looking costs one comparison while nothing is published. It keeps what it last
/// showed alive: a thread that sleeps must look now and then, even when it has nothing to do.
pub struct Reader<S>(Cache<Arc<ArcSwap<S>>, Arc<S>>);

impl<S> Reader<S> {
    /// What is shown now.
    #[inline]
    pub fn load(&mut self) -> &Arc<S> {
        self.0.load()
    }
}

impl<S> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_the_next_and_lets_the_last_go() {
        let first = Arc::new(1);
        let board = Board::new(Arc::clone(&first));
        let mut reader = board.reader();
        assert_eq!(**reader.load(), 1);
        board.publish(Arc::new(2));
        assert_eq!((**reader.load(), *board.load()), (2, 2));
        assert_eq!(Arc::strong_count(&first), 1, "nobody holds the old one");
    }

    #[tokio::test]
    async fn who_subscribes_before_looking_misses_nothing() {
        let board = Arc::new(Board::new(Arc::new(1)));
        let mut versions = board.subscribe();
        let seen = board.load();
        let writer = tokio::spawn({
            let board = Arc::clone(&board);
            async move { board.publish(Arc::new(2)) }
        });
        versions.changed().await.unwrap();
        assert_eq!((*seen, *board.load()), (1, 2));
        writer.await.unwrap();
    }
}
