//! The TCP listener: accepts, seats and starts connections, and sees them out at a stop. Must not know what is said on
//! them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    bind::BACKLOG,
    limit::Seats,
    respond::Respond,
    stream::{FULL, Stream, TcpOptions},
};
use crate::{
    net::board::Board,
    telemetry::counters::{Count, Counters},
};

/// The first and the longest rest after a failure to accept. It doubles while failures follow each other.
const REST: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// The rest after which it is said that something is lacking. Before, it is only counted: where one that leaves makes
/// room for one that comes, there would be a line for each.
const LASTING: Duration = Duration::from_millis(5 << 4);

/// Connections that are still let in at a stop: as many as the kernel holds for us.
const LAST_GUESTS: i32 = BACKLOG;

/// A listener and what its connections need.
pub(super) struct Door<S> {
    pub(super) listener: TcpListener,
    pub(super) board: Arc<Board<S>>,
    pub(super) seats: Arc<Seats>,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) options: TcpOptions,
}

impl<S: Respond> Door<S> {
    /// Lets clients in until told to stop, then waits for those inside, for `drain` at most.
    pub(super) async fn keep(mut self) {
        let mut streams = JoinSet::new();
        let mut rest = REST.0;
        loop {
            let accepted = tokio::select! {
                _ = self.stop.changed() => break,
                Some(ended) = streams.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        self.counters.put_one(Count::Panics);
                        tracing::error!("an answer over TCP panicked; its connection is closed");
                    }
                    continue;
                }
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    rest = REST.0;
                    self.let_in(stream, peer, &mut streams);
                }
                Err(error) => {
                    self.counters.put_one(Count::AcceptErrors);
                    match lack(&error) {
                        Lack::Nothing => {}
                        Lack::Room => {
                            if rest == LASTING {
                                tracing::warn!(%error, "cannot accept TCP connections; closing the longest idle");
                            }
                            // The connection waits in the queue; what one that leaves gives back is its chance.
                            if self.seats.evict() {
                                self.counters.put_one(Count::Evicted);
                            }
                            tokio::select! {
                                _ = self.stop.changed() => break,
                                () = sleep(rest) => rest = (rest * 2).min(REST.1),
                            }
                        }
                    }
                }
            }
        }
        // Who was connected before the stop and has not been let in yet is answered like the others.
        for _ in 0..LAST_GUESTS {
            let Ok((stream, peer)) = self.waiting() else { break };
            self.let_in(stream, peer, &mut streams);
        }
        drop(self.listener);
        let _ = timeout(self.options.drain, async { while streams.join_next().await.is_some() {} }).await;
        // Dropping the set ends whoever is still inside.
    }

    /// A connection that is there already. Asked of the kernel itself: the runtime may not have heard of it yet.
    fn waiting(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = SockRef::from(&self.listener).accept()?;
        socket.set_nonblocking(true)?;
        let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        Ok((TcpStream::from_std(socket.into())?, peer))
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr, streams: &mut JoinSet<()>) {
        let (seat, evicted) = self.seats.admit(peer.ip());
        self.counters.put_one(Count::Accepted);
        (0..evicted).for_each(|_| self.counters.put_one(Count::Evicted));
        prepare(&stream, &self.options);
        let stream = Stream::new(stream, peer.ip(), seat, Arc::clone(&self.board), self.options);
        streams.spawn(stream.serve(Arc::clone(&self.counters), self.stop.clone()));
    }
}

/// Sets what the kernel does for a connection. Where something cannot be set, the connection is served all the same.
fn prepare(stream: &TcpStream, options: &TcpOptions) {
    // A reply must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Without it the kernel takes megabytes for a client that reads nothing, and the write is never seen to wait.
    let _ = socket.set_tcp_notsent_lowat(FULL as u32);
    // Holds beyond our close, too: what nobody takes must not stay with the kernel for as long as a client likes.
    let _ = socket.set_tcp_user_timeout(Some(options.write));
}

/// What is missing when a connection cannot be accepted.
#[derive(Debug, PartialEq, Eq)]
enum Lack {
    /// The failure was that connection's own (accept(2) hands on its network errors): the next may be fine.
    Nothing,
    /// Descriptors or memory, ours or the system's. The connection stays in the queue, so asking again at once spins.
    Room,
}

fn lack(error: &io::Error) -> Lack {
    match error.raw_os_error() {
        Some(
            libc::ECONNABORTED
            | libc::EINTR
            | libc::EPROTO
            | libc::EPERM
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::ENOPROTOOPT
            | libc::ENONET
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ETIMEDOUT,
        ) => Lack::Nothing,
        _ => Lack::Room, // EMFILE, ENFILE, ENOBUFS, ENOMEM; and for what is not known a rest is safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_needs_no_rest_and_a_full_table_does() {
        for code in [libc::ECONNABORTED, libc::EPROTO, libc::ENETDOWN] {
            assert_eq!(lack(&io::Error::from_raw_os_error(code)), Lack::Nothing);
        }
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EINVAL] {
            assert_eq!(lack(&io::Error::from_raw_os_error(code)), Lack::Room);
        }
    }
}
