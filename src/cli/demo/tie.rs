//! How regions that were started by hand end with the demo: each holds a connection to it, and the connection ends with the
//! demo, however that ends. The socket has a name and no file, so it leaves nothing behind. Must not know what the demo does.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener as Listener, UnixStream as Stream},
    },
};

use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

/// The demo's end of the ties. Dropped, it ends them all.
#[derive(Debug)]
pub(super) struct Knot(UnixListener);

/// A region's end of the tie.
#[derive(Debug)]
pub(super) struct Tie {
    stream: UnixStream,
    /// The demo's process.
    pub(super) demo: Option<i32>,
}

/// One name for each region port, which only one demo can use.
fn name(region_port: u16) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("meridian-demo-{region_port}"))
}

impl Knot {
    /// Wants a tokio runtime.
    ///
    /// # Errors
    /// When another demo uses this port for its regions, which is `AddrInUse`, or there are no such sockets.
    pub(super) fn new(region_port: u16) -> io::Result<Self> {
        let listener = Listener::bind_addr(&name(region_port)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self(UnixListener::from_std(listener)?))
    }

    /// Holds every connection until this is dropped.
    pub(super) async fn hold(self) {
        let mut ties = JoinSet::new();
        loop {
            tokio::select! {
                Ok((mut stream, _)) = self.0.accept() => {
                    // A region says nothing: what is read is its end.
                    ties.spawn(async move { while stream.read(&mut [0; 16]).await.is_ok_and(|count| count > 0) {} });
                }
                Some(_) = ties.join_next() => {}
            }
        }
    }
}

impl Tie {
    /// To the demo that uses this port for its regions; none: there is no demo. Wants a tokio runtime.
    pub(super) fn to(region_port: u16) -> Option<Self> {
        let stream = Stream::connect_addr(&name(region_port).ok()?).ok()?;
        stream.set_nonblocking(true).ok()?;
        let stream = UnixStream::from_std(stream).ok()?;
        let demo = stream.peer_cred().ok().and_then(|process| process.pid());
        Some(Self { stream, demo })
    }

    /// Returns when the demo has ended.
    pub(super) async fn ended(&mut self) {
        while self.stream.read(&mut [0; 16]).await.is_ok_and(|count| count > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tie_ends_with_the_demo_and_a_second_demo_is_refused() {
        // No port of a demo: port 0 is never one.
        assert!(Tie::to(0).is_none(), "there is no demo");
        let knot = Knot::new(0).expect("a socket");
        assert_eq!(Knot::new(0).map_err(|error| error.kind()).err(), Some(io::ErrorKind::AddrInUse));
        let demo = tokio::spawn(knot.hold());
        let mut tie = Tie::to(0).expect("a tie");
        assert_eq!(tie.demo.and_then(|pid| u32::try_from(pid).ok()), Some(std::process::id()));
        demo.abort();
        tie.ended().await;
        // Its socket goes with the task, which has been dropped when this returns.
        assert!(demo.await.is_err_and(|end| end.is_cancelled()));
        assert!(Tie::to(0).is_none());
    }
}
