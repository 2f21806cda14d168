//! Ways to a target: a TCP connection or a UDP socket, from a given address where one is wanted.

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{
    net::{TcpSocket, TcpStream, UdpSocket},
    time::Instant,
};

use super::words::{moment, say};
use crate::engine::health::outcome::Outcome;

/// A connection to `to`, and how long it took to open, in microseconds.
pub(super) async fn tcp(to: SocketAddr, source: Option<IpAddr>) -> Result<(TcpStream, u64), Outcome> {
    let began: Instant = moment();
    let stream = match source {
        None => TcpStream::connect(to).await,
        Some(source) => bound(to, source)?.connect(to).await,
    };
    let stream = stream.map_err(|error| say(&error))?;
    Ok((stream, began.elapsed().as_micros() as u64))
}

fn bound(to: SocketAddr, source: IpAddr) -> Result<TcpSocket, Outcome> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| say(&error))?;
    socket.bind(SocketAddr::new(source, 0)).map_err(|error| lacking(source, &error))?;
    Ok(socket)
}

/// A UDP socket on a port of the system's choice that hears `to` alone.
pub(super) async fn udp(to: SocketAddr, source: Option<IpAddr>) -> Result<UdpSocket, Outcome> {
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let from = SocketAddr::new(source.unwrap_or(any), 0);
    let socket = UdpSocket::bind(from).await.map_err(|error| match source {
        Some(source) => lacking(source, &error),
        None => say(&error),
    })?;
    socket.connect(to).await.map_err(|error| say(&error))?;
    Ok(socket)
}

/// That a connection which somebody else has made could not be bound to the address that the configuration wants, where
/// an error says so.
pub(super) fn unbound(error: &(dyn Error + 'static), source: Option<IpAddr>) -> Option<Outcome> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.kind() == io::ErrorKind::AddrNotAvailable
        {
            return Some(lacking(source?, error));
        }
        cause = error.source();
    }
    None
}

/// What to report when a socket could not be bound to the address that the configuration wants: it says nothing of the
/// target.
pub(super) fn lacking(source: IpAddr, error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            Outcome::Unasked(format!("`source` says {source}, which is no address of this node").into())
        }
        _ => Outcome::Unasked(format!("nothing can be sent from {source}: {error}").into()),
    }
}
