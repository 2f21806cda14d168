//! One TCP connection: messages with their length before them (RFC 1035 4.2.2), answered in the order in which they
//! came. Must not know other connections.
//!
//! ```text
//!          first octet            whole message              nothing more to answer
//!   idle ──────────────▶ message ───────────────▶ answering ────────────────────────▶ writing ──▶ idle or message
//!   [idle]               [message]                (no wait, or [ready])               [write]
//! ```
//!
//! Every wait has the time limit in brackets, ends when the seat is wanted, and holds nothing but this connection's
//! own buffers: at most one message and a read more of input, and one reply more than [`FULL`] of output.

use std::{cell::RefCell, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    limit::Seat,
    respond::{Answered, Respond, unix_now},
};
use crate::{
    engine::{
        types::{Chance, Origin, Transport},
        wire::reply::Counted,
    },
    net::board::Board,
    telemetry::counters::{Count, Counters, Tally},
};

/// Octets of a message's length.
const LENGTH: usize = 2;

/// The largest message that a length of two octets can announce.
const MESSAGE: usize = u16::MAX as usize;

/// Octets asked of the kernel at a time. A client's claim to send a large message reserves no more than this.
const READ: usize = 4096;

/// Octets of output at which no further message is answered until the client has taken them.
pub(super) const FULL: usize = 64 * 1024;

thread_local! {
    /// Where a request becomes its reply. One for each thread: nothing is awaited while it is used.
    static DESK: RefCell<Vec<u8>> = RefCell::new(vec![0; MESSAGE]);
}

/// How long an idle connection is still listened to at a stop, for what was sent before the client could know.
const LAST_WORDS: Duration = Duration::from_millis(10);

/// What a TCP client may hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    /// Connections in all; at the limit the longest idle one gives way to a newcomer (RFC 9210 4.2).
    pub connections: usize,
    /// Connections of one client, which is an IPv4 address or an IPv6 /64; at the limit its own longest idle one
    /// gives way.
    pub per_client: usize,
    /// How long a connection may stay without a message begun (RFC 7766 6.2.3).
    pub idle: Duration,
    /// How long a message may take from its first octet to its last, however steadily octets come.
    pub message: Duration,
    /// How long the replies to what was read may take to be taken by the client.
    pub write: Duration,
    /// How long a query for a steered name may wait for the first probe round before its connection is closed.
    pub ready: Duration,
    /// How long connections may take to finish at a stop.
    pub drain: Duration,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_client: 64,
            idle: Duration::from_secs(10),
            message: Duration::from_secs(5),
            write: Duration::from_secs(5),
            ready: Duration::from_secs(5),
            drain: Duration::from_secs(3),
        }
    }
}

/// A connection and what it holds.
pub(super) struct Stream<S> {
    socket: TcpStream,
    source: IpAddr,
    seat: Seat,
    board: Arc<Board<S>>,
    options: TcpOptions,
    random: fastrand::Rng,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The client closed or broke it; or it is idle for long enough, or we stop; or its seat is wanted.
    Done,
    /// Something that was begun took too long.
    Overdue,
}

/// Why no further message of the input is answered.
#[derive(Debug)]
enum Pause {
    /// What is left is no whole message.
    Partial,
    /// The output is full.
    Full,
    /// The next message asks for a steered name too early.
    NotReady,
}

impl<S: Respond> Stream<S> {
    pub(super) fn new(
        socket: TcpStream,
        source: IpAddr,
        seat: Seat,
        board: Arc<Board<S>>,
        options: TcpOptions,
    ) -> Self {
        let random = fastrand::Rng::new();
        Self { socket, source, seat, board, options, random, input: Vec::new(), output: Vec::new() }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self, counters: Arc<Counters>, mut stop: watch::Receiver<bool>) {
        let end = loop {
            if let Err(end) = self.read(&mut stop).await {
                break end;
            }
            if let Err(end) = self.answer(&mut stop, &counters).await {
                break end;
            }
        };
        if matches!(end, End::Overdue) {
            counters.put_one(Count::Overdue);
        }
        if !self.output.is_empty() {
            // The client does not take it. Closed in order, the kernel would keep all that it was given for it.
            let _ = self.socket.set_zero_linger();
        }
    }

    /// Reads until the input holds a whole message.
    async fn read(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), End> {
        let mut begun = !self.input.is_empty();
        let mut stopping = false;
        let mut timer = pin!(sleep(if begun { self.options.message } else { self.options.idle }));
        while whole_message(&self.input).is_none() {
            self.input.reserve(READ);
            tokio::select! {
                biased; // what has already arrived counts before the time does
                () = self.seat.evicted() => return Err(End::Done),
                read = self.socket.read_buf(&mut self.input) => match read {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Err(End::Done),
                },
                () = stopped(stop), if !begun && !stopping => {
                    stopping = true;
                    timer.set(sleep(LAST_WORDS));
                    continue;
                }
                () = &mut timer => return Err(if begun { End::Overdue } else { End::Done }),
            }
            if !begun {
                // Once, at the first octet: those that follow buy no time.
                begun = true;
                timer.set(sleep(self.options.message));
            }
        }
        Ok(())
    }

    /// Answers every whole message of the input, and writes the replies, few writes for many.
    async fn answer(&mut self, stop: &mut watch::Receiver<bool>, counters: &Counters) -> Result<(), End> {
        let mut timer = pin!(sleep(self.options.ready));
        let mut waited = false;
        loop {
            // Before the board is looked at, so that no publication falls between.
            let mut published = self.board.subscribe();
            let pause = self.answer_some(counters);
            self.write().await?;
            match pause {
                Pause::Partial => return Ok(()),
                Pause::Full => continue,
                Pause::NotReady => {}
            }
            if !waited {
                counters.put_one(Count::NotReady);
                waited = true;
            }
            tokio::select! {
                published = published.changed() => published.map_err(|_| End::Done)?,
                () = self.seat.evicted() => return Err(End::Done),
                () = stopped(stop) => return Err(End::Done),
                () = &mut timer => return Err(End::Overdue),
            }
        }
    }

    /// Answers messages from the input into the output, without waiting for anything.
    fn answer_some(&mut self, counters: &Counters) -> Pause {
        let snapshot = self.board.load();
        let origin = Origin { source: self.source, transport: Transport::Tcp };
        let now = unix_now();
        let mut tally = Tally::default();
        let mut at = 0;
        let pause = DESK.with_borrow_mut(|desk| {
            loop {
                if self.output.len() >= FULL {
                    return Pause::Full;
                }
                let Some(request) = whole_message(&self.input[at..]) else { return Pause::Partial };
                let chance = Chance { now, random: self.random.u64(..), draw: None };
                match answer_one(&*snapshot, desk, request, origin, chance) {
                    Answered::NotReady => return Pause::NotReady,
                    Answered::Silence => tally.add(Count::Silent, 1),
                    Answered::Reply { len, rcode, truncated, counted, .. } => {
                        let reply = &desk[..len.min(MESSAGE)];
                        self.output.extend_from_slice(&(reply.len() as u16).to_be_bytes());
                        self.output.extend_from_slice(reply);
                        tally.add_reply(rcode, truncated);
                        if let Some(Counted { route, catchment, ttl }) = counted {
                            counters.answers.add(route, catchment, ttl);
                        }
                    }
                }
                tally.add(Count::Requests, 1);
                at += LENGTH + request.len();
            }
        });
        self.input.drain(..at);
        if tally.all_replies() > 0 {
            self.seat.renew(); // what draws silence does not count: garbage keeps no seat
        }
        counters.put(&tally);
        pause
    }

    /// Writes the output.
    async fn write(&mut self) -> Result<(), End> {
        if !self.output.is_empty() {
            tokio::select! {
                written = timeout(self.options.write, self.socket.write_all(&self.output)) => match written {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Err(End::Done),
                    Err(_) => return Err(End::Overdue),
                },
                () = self.seat.evicted() => return Err(End::Done),
            }
        }
        self.output.clear();
        // A connection that had much to say must not keep the memory for it while it is idle.
        self.output.shrink_to(READ);
        self.input.shrink_to(READ);
        Ok(())
    }
}

/// Returns when told to stop, also for the second time.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await; // an error: nobody is left to say so
}

/// The message at the start of the input, without its length, when all of it is there.
fn whole_message(input: &[u8]) -> Option<&[u8]> {
    let (len, rest) = input.split_first_chunk::<LENGTH>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len)))
}

/// Answers one message on the desk, which is as large as any message.
fn answer_one<S: Respond>(snapshot: &S, desk: &mut [u8], request: &[u8], origin: Origin, chance: Chance) -> Answered {
    let Some(query) = snapshot.read(request) else { return Answered::Silence };
    snapshot.touch(&query);
    desk[..request.len()].copy_from_slice(request);
    snapshot.finish(desk, request.len(), &query, origin, chance)
}
