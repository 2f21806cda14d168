//! Counters that cost the query path nothing worth measuring: a worker adds up a batch in a plain [`Tally`] and puts
//! it into its own [`Counters`], which no other worker writes. Must not know who reads them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::answers::Answers;
use crate::engine::wire::rr::Rcode;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What is counted beside replies. All are totals since the start.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Count {
            $($(#[$doc])* $name,)*
        }

        impl Count {
            /// Every count, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

counts! {
    /// Datagrams and stream messages received.
    Requests = "requests",
    /// Requests that get no reply, because they are no queries (RFC 1035 4.1.1: QR set, or no whole header), or were
    /// larger than a datagram may be, or came from port 0.
    Silent = "silent",
    /// Requests for steered names before the first probe round: silence over UDP, a wait over TCP.
    NotReady = "not_ready",
    /// Replies with TC set.
    Truncated = "truncated",
    /// UDP replies that the kernel would not take.
    UnsentReplies = "unsent_replies",
    /// Datagrams that the kernel dropped because the receive buffer was full, as it reported them.
    ReceiveOverflows = "receive_overflows",
    /// Receive calls that failed.
    ReceiveErrors = "receive_errors",
    /// Panics that cost a batch. Any is a bug.
    Panics = "panics",
    /// TCP connections accepted.
    Accepted = "tcp_accepted",
    /// Failures to accept a TCP connection.
    AcceptErrors = "tcp_accept_errors",
    /// TCP connections closed to make room for a newer one.
    Evicted = "tcp_evicted",
    /// TCP connections closed because a message, its reply or the readiness it waited for took too long.
    Overdue = "tcp_overdue",
}

/// One more than the largest code that the wire format of ours knows, BADCOOKIE (RFC 7873 8).
const RCODES: usize = 24;

/// Counts, as plain numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u64; Count::ALL.len()],
    replies: [u64; RCODES],
}

impl Tally {
    /// Counts `n` more.
    #[inline]
    pub fn add(&mut self, count: Count, n: u64) {
        self.counts[count as usize] += n;
    }

    /// Counts a reply.
    #[inline]
    pub fn add_reply(&mut self, rcode: Rcode, truncated: bool) {
        self.replies[slot(rcode)] += 1;
        self.counts[Count::Truncated as usize] += u64::from(truncated);
    }

    /// How many of these.
    #[must_use]
    pub fn get(&self, count: Count) -> u64 {
        self.counts[count as usize]
    }

    /// How many replies with this code.
    #[must_use]
    pub fn replies(&self, rcode: Rcode) -> u64 {
        self.replies[slot(rcode)]
    }

    /// How many replies.
    #[must_use]
    pub fn all_replies(&self) -> u64 {
        self.replies.iter().sum()
    }
}

fn slot(rcode: Rcode) -> usize {
    (rcode as usize).min(RCODES - 1)
}

/// The shared form of a [`Tally`]. Aligned to two cache lines, which is what processors fetch together, so that two
/// workers never write to the same.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    counts: [AtomicU64; Count::ALL.len()],
    replies: [AtomicU64; RCODES],
    /// Scope steered answers were for.
    pub answers: Answers,
}

impl Counters {
    /// Puts a tally in. Safe from many threads; cheap from one.
    #[inline]
    pub fn put(&self, tally: &Tally) {
        let pairs = self.counts.iter().zip(&tally.counts).chain(self.replies.iter().zip(&tally.replies));
        for (total, &n) in pairs.filter(|(_, n)| **n > 0) {
            total.fetch_add(n, Relaxed);
        }
    }

    /// Counts one more.
    pub fn put_one(&self, count: Count) {
        self.counts[count as usize].fetch_add(1, Relaxed);
    }

    /// The sum over several workers. Each number is exact; together they are of no single moment.
    #[must_use]
    pub fn total(workers: &[Arc<Self>]) -> Tally {
        let mut tally = Tally::default();
        for worker in workers {
            for (sum, n) in tally.counts.iter_mut().zip(&worker.counts) {
                *sum += n.load(Relaxed);
            }
            for (sum, n) in tally.replies.iter_mut().zip(&worker.replies) {
                *sum += n.load(Relaxed);
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_and_every_code_has_its_place() {
        let workers = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        let mut tally = Tally::default();
        tally.add(Count::Requests, 3);
        tally.add_reply(Rcode::NoError, true);
        tally.add_reply(Rcode::BadVers, false);
        workers[0].put(&tally);
        workers[1].put(&tally);
        workers[1].put_one(Count::Evicted);

        let total = Counters::total(&workers);
        assert_eq!(total.get(Count::Requests), 6);
        assert_eq!(total.get(Count::Truncated), 2);
        assert_eq!(total.get(Count::Evicted), 1);
        assert_eq!((total.replies(Rcode::NoError), total.replies(Rcode::BadVers)), (2, 2));
        assert_eq!((total.replies(Rcode::Refused), total.all_replies()), (0, 4));
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = Count::ALL.iter().map(|count| count.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Count::ALL.len());
    }
}
