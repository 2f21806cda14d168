//! Moves datagrams and streams between sockets and the engine, and bounds what a client may hold. Must not know
//! policy, configuration, or who probes.
//!
//! ```text
//! bind ─▶ Sockets ─▶ start ─┬▶ udp: a thread and a socket for each worker and address ─▶ batch (system calls)
//!                           └▶ tcp: a task for each listener ─▶ stream: a task for each connection
//! ```
//!
//! Both ask the engine through [`Respond`].
//!
//! Sockets are bound early, so that a taken port shows before anything else is done; until [`start`] the kernel
//! queues what comes.

mod batch;
mod bind;
pub mod board;
mod limit;
mod respond;
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
};

use tokio::{runtime::Handle, sync::watch, task};

use self::board::Board;
pub use self::{
    bind::{BindError, Sockets, bind, bind_usual},
    respond::{Answered, Respond},
    stream::TcpOptions,
    udp::UdpOptions,
};
use crate::telemetry::counters::Counters;

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
