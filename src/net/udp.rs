//! One UDP worker: takes a batch of datagrams, answers them where they lie, sends the replies. Nothing in its loop
//! allocates, locks or logs. Must not know how datagrams are moved, nor what they mean. `benches/answer.rs` turns a worker
//! over frames in memory, so that what it measures is what serves.

use std::{
    io,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use super::respond::{Answered, Respond, unix_now};
use crate::{
    engine::{
        types::{Chance, Origin, Transport},
        wire::reply::Counted,
    },
    net::board::Reader,
    telemetry::counters::{Count, Counters, Tally},
};

/// The largest datagram that is read or sent, in bytes: the largest `udp_max` that can be configured.
pub const DATAGRAM: usize = 4096;

/// How long a receive waits before the worker looks whether to stop, and lets an old Snapshot go.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

/// How long a worker rests when its socket fails again, so that a lasting fault does not take a processor.
const REST: Duration = Duration::from_millis(100);

/// Batches that are still answered after a stop; more means that somebody does not stop sending.
const LAST_BATCHES: usize = 4096;

/// How datagrams are moved.
#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    /// Octets of each socket's receive buffer that are asked of the kernel.
    pub receive_buffer: usize,
    /// Datagrams taken and sent by one system call, 1 to 1024.
    pub batch: usize,
}

impl Default for UdpOptions {
    /// 4 MiB: with the kernel's default, a stall of a few milliseconds at full load loses queries. 32: beyond 8 the
    /// system call is no longer what costs, and more only serve to overlap memory fetches.
    fn default() -> Self {
        Self { receive_buffer: 4 << 20, batch: 32 }
    }
}

/// Moves batches of datagrams, and lends each where it lies: in a socket's buffers today, in an AF_XDP ring one day.
pub trait Datagrams {
    /// Receives a batch and says how many came: 0 when none did. A datagram of the batch before has no reply any more.
    ///
    /// # Errors
    /// The kernel's.
    fn receive(&mut self, wait: Wait) -> io::Result<usize>;

    /// The n-th datagram that was received last.
    fn frame(&mut self, n: usize) -> Frame<'_>;

    /// The n-th datagram has a reply of `len` bytes in its frame.
    fn reply(&mut self, n: usize, len: usize);

    /// Sends every reply to where its request came from, from the address that was asked. One that cannot be sent does not
    /// hold up the others.
    fn send(&mut self) -> Unsent;

    /// Datagrams lost so far because nobody took them in time, as far as the kernel has said; wraps.
    fn overflows(&self) -> u32;
}

/// Whether to wait for a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// Until there is one, but not for long.
    ForOne,
    /// Not at all.
    Never,
}

/// How many replies could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent(pub u64);

/// One datagram, borrowed: a request and, in the same memory, its reply.
#[derive(Debug)]
pub struct Frame<'d> {
    /// The sender's address.
    pub source: IpAddr,
    /// Bytes of the request; 0 where nothing must be answered: it was cut, or came from port 0.
    pub request: usize,
    /// The request, then the reply: room for [`DATAGRAM`] bytes.
    pub bytes: &'d mut [u8],
}

/// Answers the datagrams of one socket.
pub struct Worker<S: Respond, D> {
    datagrams: D,
    reader: Reader<S>,
    /// What each slot asks; its memory is made in the first turn and used again in every other.
    queries: Vec<Option<S::Query>>,
    random: fastrand::Rng,
    overflows: u32,
    counters: Arc<Counters>,
}

impl<S: Respond, D: Datagrams> Worker<S, D> {
    /// A worker that answers with what `reader` shows.
    pub fn new(datagrams: D, reader: Reader<S>, counters: Arc<Counters>) -> Self {
        Self { datagrams, reader, queries: Vec::new(), random: fastrand::Rng::new(), overflows: 0, counters }
    }

    /// What it moves.
    pub fn datagrams(&mut self) -> &mut D {
        &mut self.datagrams
    }

    /// Serves until told to stop, then what is still queued.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        let mut failing = None;
        while !stop.load(Relaxed) {
            match self.guarded_turn(Wait::ForOne) {
                Ok(_) => failing = None,
                Err(error) => {
                    self.counters.put_one(Count::ReceiveErrors);
                    if failing.replace(error.kind()) == Some(error.kind()) {
                        thread::park_timeout(REST);
                    } else {
                        tracing::error!(%error, "a UDP socket fails; trying on");
                    }
                }
            }
        }
        for _ in 0..LAST_BATCHES {
            if !matches!(self.guarded_turn(Wait::Never), Ok(1..)) {
                break;
            }
        }
    }

    /// A turn that survives a panic in the answer path: a bug there may cost a batch, never the worker.
    fn guarded_turn(&mut self, wait: Wait) -> io::Result<usize> {
        // What a turn leaves behind is overwritten by the next, so there is no state to find broken.
        catch_unwind(AssertUnwindSafe(|| self.turn(wait))).unwrap_or_else(|_| {
            self.counters.put_one(Count::Panics);
            tracing::error!("an answer panicked; its batch got no replies");
            Ok(1)
        })
    }

    /// Receives a batch, answers it, sends it. Returns how many datagrams came.
    ///
    /// # Errors
    /// Those of [`Datagrams::receive`].
    pub fn turn(&mut self, wait: Wait) -> io::Result<usize> {
        let received = self.datagrams.receive(wait)?;
        // After the receive: a Snapshot published while it waited must count. And also when nothing came: the reader
        // keeps the last one alive.
        let snapshot = self.reader.load();
        if received == 0 {
            return Ok(0);
        }
        let mut tally = Tally::default();
        tally.add(Count::Requests, received as u64);

        self.queries.clear();
        self.queries.extend((0..received).map(|n| {
            let Frame { request, bytes, .. } = self.datagrams.frame(n);
            snapshot.read(bytes.get(..request)?)
        }));
        for query in self.queries.iter().flatten() {
            snapshot.touch(query);
        }
        let now = unix_now();
        for (n, query) in self.queries.iter().enumerate() {
            let Some(query) = query else {
                tally.add(Count::Silent, 1);
                continue;
            };
            let Frame { source, request, bytes } = self.datagrams.frame(n);
            let origin = Origin { source, transport: Transport::Udp };
            let chance = Chance { now, random: self.random.u64(..), draw: None };
            match snapshot.finish(bytes, request, query, origin, chance) {
                Answered::Reply { len, rcode, truncated, counted, .. } => {
                    self.datagrams.reply(n, len);
                    tally.add_reply(rcode, truncated);
                    if let Some(Counted { route, catchment, ttl }) = counted {
                        self.counters.answers.add(route, catchment, ttl);
                    }
                }
                Answered::Silence => tally.add(Count::Silent, 1),
                Answered::NotReady => tally.add(Count::NotReady, 1),
            }
        }
        let Unsent(unsent) = self.datagrams.send();
        tally.add(Count::UnsentReplies, unsent);

        let overflows = self.datagrams.overflows();
        tally.add(Count::ReceiveOverflows, u64::from(overflows.wrapping_sub(self.overflows)));
        self.overflows = overflows;
        self.counters.put(&tally);
        Ok(received)
    }
}
