//! Takes the addresses before anything is served. Must not know what will be served there.
//!
//! UDP workers share a port by SO_REUSEPORT, which would also let a second server share it unnoticed and take half of
//! the queries. So TCP is bound without it first, and one plain UDP socket as a test.

use std::{
    borrow::Cow,
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    batch::set_option,
    udp::{PATIENCE, UdpOptions},
};
use crate::engine::types::Transport;

/// Connections that the kernel completes before they are accepted.
pub(super) const BACKLOG: i32 = 1024;

/// How often another port is tried, where any will do and the one that TCP got is taken for UDP.
const PORT_TRIES: usize = 16;

/// Sockets that are bound and not yet served.
#[derive(Debug)]
pub struct Sockets {
    pub(super) bound: Vec<Bound>,
    pub(super) udp: UdpOptions,
}

/// What is bound at one address.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    pub(super) workers: Vec<UdpSocket>,
    pub(super) listener: TcpListener,
}

impl Sockets {
    /// Where, in the order asked for; a port 0 has become the one that was given.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.bound.iter().map(|bound| bound.address).collect()
    }
}

/// An address that cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} over {transport}: {}", cause(*.address, .source))]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// Why. [`io::Error::kind`] tells the common causes apart, for a remedy.
    pub source: io::Error,
}

impl BindError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        let port = self.address.port();
        match self.source.kind() {
            io::ErrorKind::AddrInUse => {
                let resolved = if port == 53 { "; systemd-resolved lets it go with `DNSStubListener=no`" } else { "" };
                format!(
                    "another process has it: `ss -lntup 'sport = :{port}'` shows which; stop it, or change `server.listen`{resolved}"
                )
            }
            io::ErrorKind::AddrNotAvailable => {
                "`ip address` shows those that it has; correct `server.listen`, or let it be bound before it is there: \
                 sysctl net.ipv4.ip_nonlocal_bind=1, net.ipv6.ip_nonlocal_bind=1"
                    .to_owned()
            }
            io::ErrorKind::PermissionDenied if port < 1024 => {
                "ports below 1024 are for those with the capability CAP_NET_BIND_SERVICE: `AmbientCapabilities=CAP_NET_BIND_SERVICE` \
                 in the unit of systemd, or `setcap cap_net_bind_service+ep` of the program; or change `server.listen`"
                    .to_owned()
            }
            io::ErrorKind::PermissionDenied => "look at what confines the process (SELinux, AppArmor, a container)".to_owned(),
            _ if is_unsupported(&self.source) => {
                format!("take it out of `server.listen`, or turn {} on", family(self.address))
            }
            _ => match self.source.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE) => "raise the limit of open files (`LimitNOFILE=` in the unit)".to_owned(),
                Some(libc::EINVAL) => "correct `server.listen`: a link-local address needs its zone".to_owned(),
                _ => "correct `server.listen`, or the host's network".to_owned(),
            },
        }
    }
}

/// What an error says of an address, in the words of people.
fn cause(address: SocketAddr, error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".into(),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ if is_unsupported(error) => format!("this host has no {}", family(address)).into(),
        _ => error.to_string().into(),
    }
}

fn family(address: SocketAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// Whether the kernel does not have the family of an address.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EPFNOSUPPORT))
}

/// Binds every address for TCP and for `workers` UDP sockets. Port 0 takes a free one, the same for both.
///
/// # Errors
///
/// The first address that cannot be had; none is held then.
pub fn bind(listen: &[SocketAddr], workers: usize, udp: &UdpOptions) -> Result<Sockets, BindError> {
    let bound = listen.iter().map(|&address| bind_one(address, workers, udp)).collect::<Result<_, _>>()?;
    Ok(Sockets { bound, udp: *udp })
}

/// The same for addresses that were not asked for by name: one whose family this host does not have is passed over, with
/// a warning.
///
/// # Errors
///
/// The first address that cannot be had for another reason; the last one, when no family is there.
pub fn bind_usual(listen: &[SocketAddr], workers: usize, udp: &UdpOptions) -> Result<Sockets, BindError> {
    usual(listen, |address| bind_one(address, workers, udp)).map(|bound| Sockets { bound, udp: *udp })
}

/// What can be bound of addresses of several families.
pub(super) fn usual<T>(
    listen: &[SocketAddr],
    bind: impl Fn(SocketAddr) -> Result<T, BindError>,
) -> Result<Vec<T>, BindError> {
    let (mut bound, mut lacking) = (Vec::new(), None);
    for &address in listen {
        match bind(address) {
            Ok(one) => bound.push(one),
            Err(error) if is_lacking(&error) => lacking = Some(error),
            Err(error) => return Err(error),
        }
    }
    match lacking {
        Some(error) if bound.is_empty() => Err(error),
        Some(error) => {
            let family = family(error.address);
            tracing::warn!(
                address = %error.address,
                "this host has no {family}: {} of the default `server.listen` is left out; no query comes over {family}",
                error.address
            );
            Ok(bound)
        }
        None => Ok(bound),
    }
}

/// Whether an address for all of its family cannot be had because the host does not have the family.
fn is_lacking(error: &BindError) -> bool {
    is_unsupported(&error.source)
        || error.source.kind() == io::ErrorKind::AddrNotAvailable && error.address.ip().is_unspecified()
}

fn bind_one(asked: SocketAddr, workers: usize, udp: &UdpOptions) -> Result<Bound, BindError> {
    let fault = |address, transport| move |source| BindError { address, transport, source };
    let mut tries = if asked.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let (listener, address) = stream_listener(asked).map_err(fault(asked, Transport::Tcp))?;
        let (sockets, granted) = match worker_sockets(address, workers.max(1), udp) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => continue,
            sockets => sockets.map_err(fault(address, Transport::Udp))?,
        };
        if granted < udp.receive_buffer {
            tracing::warn!(
                %address,
                asked = udp.receive_buffer,
                granted,
                "the kernel grants smaller UDP receive buffers than asked for: queries may be lost in a burst; \
                 raise net.core.rmem_max or give the process CAP_NET_ADMIN"
            );
        }
        return Ok(Bound { address, workers: sockets, listener });
    }
}

fn stream_listener(asked: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(asked), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of a server that has just ended must not keep the next from starting. It does not let two listen.
    socket.set_reuse_address(true)?;
    own_family_only(&socket, asked)?;
    socket.bind(&asked.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn datagram_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    own_family_only(&socket, address)?;
    Ok(socket)
}

/// With a socket for each family an IPv4 client is never seen as a mapped IPv6 address, whatever the host's default.
fn own_family_only(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() { socket.set_only_v6(true) } else { Ok(()) }
}

/// The workers' sockets, and the least octets of receive buffer that one of them was given.
fn worker_sockets(address: SocketAddr, workers: usize, udp: &UdpOptions) -> io::Result<(Vec<UdpSocket>, usize)> {
    datagram_socket(address)?.bind(&address.into())?; // the test; it is closed again at once
    let mut granted = usize::MAX;
    let mut sockets = Vec::with_capacity(workers);
    for _ in 0..workers {
        let (socket, size) = worker_socket(address, udp)?;
        granted = granted.min(size);
        sockets.push(socket);
    }
    Ok((sockets, granted))
}

/// A worker's socket, and the octets of receive buffer that it was given.
fn worker_socket(address: SocketAddr, udp: &UdpOptions) -> io::Result<(UdpSocket, usize)> {
    let socket = datagram_socket(address)?;
    socket.set_reuse_port(true)?;
    let granted = enlarge_buffers(&socket, udp.receive_buffer)?;
    // OMIT: replies are within what needs no path MTU, and a forged "too big" must not shrink them (RFC 9715 3.1).
    let (level, discover, omit, packet_info) = if address.is_ipv4() {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT, libc::IP_PKTINFO)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT, libc::IPV6_RECVPKTINFO)
    };
    set_option(&socket, level, discover, omit)?;
    if address.ip().is_unspecified() {
        set_option(&socket, level, packet_info, 1)?;
    }
    set_option(&socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.bind(&address.into())?;
    Ok((socket.into(), granted))
}

/// Asks for a receive buffer of `size`, beyond the system's limit where the process may, and for a send buffer like
/// it, so that a batch of large replies fits. Returns what the receive buffer has become.
fn enlarge_buffers(socket: &Socket, size: usize) -> io::Result<usize> {
    let value = i32::try_from(size).unwrap_or(i32::MAX);
    if set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, value).is_err() {
        socket.set_recv_buffer_size(size)?;
    }
    if set_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, value).is_err() {
        socket.set_send_buffer_size(size)?;
    }
    // The kernel keeps, and tells, twice what was asked, for its own accounting (socket(7)).
    Ok(socket.recv_buffer_size()? / 2)
}
