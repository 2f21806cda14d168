//! Moves datagrams and streams between sockets and the engine, and bounds what a client may hold. Must not know
//! policy, configuration, or who probes.
//!
//! ```text
//! bind ─▶ Sockets ─▶ start ─┬▶ udp: a thread and a socket for each worker and address ─▶ batch (system calls)
//!                           └▶ tcp: a task for each listener ─▶ stream: a task for each connection
//! ```
//!
//! Sockets are bound early, so that a taken port shows before anything else is done; until [`start`] the kernel
//! queues what comes.

mod batch;
mod bind;
mod limit;
mod stream;
mod tcp;
pub mod udp;

#[cfg(test)]
mod tests;

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{runtime::Handle, sync::watch, task};

pub use self::bind::{BindError, Sockets, bind, bind_usual};
pub use crate::engine::respond::Answered;
use crate::{
    engine::{
        respond,
        snapshot::Snapshot,
        steer::trace::Silent,
        types::{Chance, Origin, UnixMillis},
        wire::read::Query,
    },
    state::board::Board,
    telemetry::counters::Counters,
};

/// What the transports ask of the engine: three stages, so that a batch can interleave them and a memory fetch of one
/// query overlaps the work of the others. No stage allocates, locks or logs.
pub trait Respond: Send + Sync + 'static {
    /// What a request asks: offsets and values, never slices, since the reply is written over the request.
    type Query: Copy;

    /// Reads a request. None: it gets no reply.
    fn read(&self, request: &[u8]) -> Option<Self::Query>;

    /// Starts to fetch what [`finish`](Self::finish) will read.
    fn touch(&self, query: &Self::Query);

    /// Answers the request that stands in the first `len` octets of `buffer`, in place. `query` was read from
    /// this request by this Snapshot. Only a reply changes the buffer.
    fn finish(&self, buffer: &mut [u8], len: usize, query: &Self::Query, origin: Origin, chance: Chance) -> Answered;
}

/// The query path of the engine, with no one to record its reasons.
impl Respond for Snapshot {
    type Query = Query;

    #[inline]
    fn read(&self, request: &[u8]) -> Option<Query> {
        respond::read(request)
    }

    #[inline]
    fn touch(&self, query: &Query) {
        respond::touch(self, query);
    }

    #[inline]
    fn finish(&self, buffer: &mut [u8], _len: usize, query: &Query, origin: Origin, chance: Chance) -> Answered {
        respond::finish(self, buffer, query, origin, chance, &mut Silent)
    }
}

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

/// Serves the sockets with what the board shows: UDP on threads of their own, TCP on `runtime`.
///
/// # Errors
///
/// When a thread cannot be made or a listener cannot be handed to the runtime. What was started until then is stopped.
pub fn start<S: Respond>(
    sockets: Sockets,
    board: &Arc<Board<S>>,
    tcp: TcpOptions,
    runtime: &Handle,
) -> io::Result<Running> {
    let _inside = runtime.enter();
    let streams = Arc::new(Counters::default());
    let seats = limit::Seats::new(tcp.connections, tcp.per_client);
    let mut running = Running {
        addresses: sockets.addresses(),
        counters: vec![Arc::clone(&streams)],
        stop_threads: Arc::new(AtomicBool::new(false)),
        stop_tasks: watch::Sender::new(false),
        datagrams: Vec::new(),
        threads: Vec::new(),
        tasks: Vec::new(),
    };
    let Sockets { bound, udp } = sockets;
    for bind::Bound { address, workers, listener } in bound {
        for (number, socket) in workers.into_iter().enumerate() {
            let counters = Arc::new(Counters::default());
            running.counters.push(Arc::clone(&counters));
            let socket = Arc::new(socket);
            running.datagrams.push(Arc::clone(&socket));
            let (reader, stop) = (board.reader(), Arc::clone(&running.stop_threads));
            let serve = move || udp::Worker::new(batch::Batch::new(socket, udp.batch), reader, counters).run(&stop);
            // A thread's name is cut after 15 octets, so the worker's number comes before the port.
            let named = thread::Builder::new().name(format!("udp-{number}:{}", address.port()));
            running.threads.push(named.spawn(serve)?);
        }
        let door = tcp::Door {
            listener: tokio::net::TcpListener::from_std(listener)?,
            board: Arc::clone(board),
            seats: Arc::clone(&seats),
            counters: Arc::clone(&streams),
            stop: running.stop_tasks.subscribe(),
            options: tcp,
        };
        running.tasks.push(runtime.spawn(door.keep()));
    }
    Ok(running)
}

/// The transports at work. Dropping it stops them without waiting.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    counters: Vec<Arc<Counters>>,
    stop_threads: Arc<AtomicBool>,
    stop_tasks: watch::Sender<bool>,
    /// The sockets that the threads wait on.
    datagrams: Vec<Arc<UdpSocket>>,
    threads: Vec<JoinHandle<()>>,
    tasks: Vec<task::JoinHandle<()>>,
}

impl Running {
    /// Where queries are answered, over UDP and TCP alike.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// One block for all of TCP, then one for each UDP worker.
    #[must_use]
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Takes nothing new, answers what has arrived, and returns when that is done: at once, or after `drain` at the latest
    /// where TCP clients are in the middle of something.
    pub async fn stop(mut self) {
        self.signal();
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await; // a listener that panicked has stopped too
        }
        let threads = std::mem::take(&mut self.threads);
        let joined = task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = joined.await;
    }

    fn signal(&self) {
        self.stop_threads.store(true, Relaxed);
        self.stop_tasks.send_replace(true);
        self.datagrams.iter().for_each(|socket| batch::wake(socket));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal();
    }
}

/// The wall clock, which in an answer only numbers slots; read once for each batch.
#[expect(clippy::disallowed_methods, reason = "the transports supply time to the engine")]
fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
