//! The kernel's table of TCP connections, by `sock_diag` over netlink. Any user may read it for the network namespace that
//! it is in. Must not know what is made of it.

use std::{io, net::IpAddr};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, nlas::Nla},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};

use crate::engine::types::Millis;

/// The kernel sends no larger datagram.
const DATAGRAM: usize = 1 << 16;
/// Where the kernel's `struct tcp_info` has the milliseconds since the last acknowledgement, and the smoothed round-trip
/// time in microseconds. Fields are only ever added behind them.
const LAST_ACK: usize = 56;
const RTT: usize = 68;

/// An established connection to a local port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// The local address, IPv4 as itself.
    pub(super) local: IpAddr,
    /// The client's.
    pub(super) client: IpAddr,
    /// The smoothed round-trip time in microseconds, above 0.
    pub(super) rtt: u32,
    /// How long ago the client acknowledged anything.
    pub(super) quiet: Millis,
}

/// Every established connection to a local port whose round trip has been measured.
pub(super) fn connections(port: u16, mut each: impl FnMut(Connection)) -> io::Result<()> {
    for family in [AF_INET, AF_INET6] {
        dump(family, port, &mut each)?;
    }
    Ok(())
}

fn dump(family: u8, port: u16, each: &mut impl FnMut(Connection)) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&request(family, port), 0)?;
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let size = match socket.recv(&mut &mut datagram[..], 0) {
            Ok(size) if size <= DATAGRAM => size,
            Ok(_) => return Err(io::Error::other("the kernel sent more than fits")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if size == 0 || read(&datagram[..size], port, each)? {
            return Ok(());
        }
    }
}

fn request(family: u8, port: u16) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let nobody = if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() };
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::INFO,
        states: StateFlags::ESTABLISHED,
        socket_id: SocketId { source_port: port, ..nobody },
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    octets
}

/// Reads the messages of a datagram, and says whether they were the last.
fn read(datagram: &[u8], port: u16, each: &mut impl FnMut(Connection)) -> io::Result<bool> {
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest)
            .map_err(|error| io::Error::other(format!("the kernel's answer cannot be read: {error}")))?;
        match message.payload {
            // Kernels without a filter by port send all.
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response))
                if response.header.socket_id.source_port == port =>
            {
                connection(&response).into_iter().for_each(&mut *each);
            }
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(refused(io::Error::from_raw_os_error(-done.code)));
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) if error.code.is_some() => return Err(refused(error.to_io())),
            _ => {}
        }
        // Messages begin at multiples of four.
        let len = (message.header.length as usize).next_multiple_of(4);
        rest = rest.get(len.max(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// What can be done when the kernel does not say.
fn refused(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EOPNOTSUPP | libc::EINVAL) => io::Error::new(
            error.kind(),
            format!("the kernel lists no TCP connections ({error}): load its module tcp_diag"),
        ),
        _ => error,
    }
}

fn connection(response: &InetResponse) -> Option<Connection> {
    let info = response.nlas.iter().find_map(|nla| match nla {
        Nla::TcpInfo(info) => Some(info.as_slice()),
        _ => None,
    })?;
    let field = |at: usize| Some(u32::from_ne_bytes(info.get(at..at + 4)?.try_into().ok()?));
    let id = &response.header.socket_id;
    Some(Connection {
        local: id.source_address.to_canonical(),
        client: id.destination_address.to_canonical(),
        rtt: field(RTT).filter(|rtt| *rtt > 0)?,
        quiet: Millis(field(LAST_ACK)?.into()),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn found(port: u16) -> Vec<Connection> {
        let mut found = Vec::new();
        connections(port, |connection| found.push(connection)).unwrap();
        found
    }

    #[test]
    fn connections_of_both_families_are_found_by_their_local_port() {
        for (listen, client) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1")] {
            let listener = TcpListener::bind(listen).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert_eq!(found(port), [], "who listens is no connection");
            let address: IpAddr = client.parse().unwrap();
            // The kernel has them before anybody takes them.
            let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect((address, port)).unwrap()).collect();
            let of_server = found(port);
            assert_eq!(of_server.len(), 3, "{listen}: {of_server:?}");
            for connection in of_server {
                assert_eq!((connection.local, connection.client), (address, address), "IPv4 as itself");
                assert!(connection.rtt < 10_000_000 && connection.quiet < Millis(600_000), "{connection:?}");
            }
            // By its own port a client is the other side.
            assert_eq!(found(held[0].local_addr().unwrap().port()).len(), 1);
            drop(held);
        }
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        assert!(read(&[1, 2, 3], 80, &mut |_| ()).is_err());
        assert!(read(&request(AF_INET, 80)[..20], 80, &mut |_| ()).is_err());
    }
}
