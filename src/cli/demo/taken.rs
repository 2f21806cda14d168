//! Which process has a port that is taken: by what the kernel says of sockets in `/proc/net` and of processes in
//! `/proc/PID/fd`. Must not know what the port is wanted for.

use std::{
    fmt, fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The process that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Its number and what it is called; none: it is another user's, and only the superuser may see which.
    process: Option<(u32, String)>,
    user: u32,
}

/// A socket of the kernel's tables.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    local: SocketAddr,
    user: u32,
    inode: u64,
}

impl Holder {
    /// Of this address and port over UDP or TCP; none: it is free again, or the kernel does not say.
    pub(super) fn of(address: SocketAddr) -> Option<Self> {
        let tables = ["tcp", "udp", "tcp6", "udp6"];
        let socket = tables.iter().find_map(|table| {
            let text = fs::read_to_string(format!("/proc/net/{table}")).ok()?;
            text.lines().filter_map(|line| read(line, table.starts_with("tcp"))).find(|socket| clashes(socket, address))
        })?;
        Some(Self { process: process(socket.inode), user: socket.user })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some((pid, name)) => write!(f, "{name} (process {pid}; `kill {pid}` ends it)"),
            None => write!(f, "a process of user {} (as root `ss -lntup` shows which)", self.user),
        }
    }
}

/// Whether a socket keeps another from this address: it has the same port at the same address, or one of them at all.
fn clashes(socket: &Socket, address: SocketAddr) -> bool {
    let at_all = |ip: IpAddr| ip.is_unspecified();
    socket.local.port() == address.port()
        && (socket.local.ip().to_canonical() == address.ip().to_canonical()
            || at_all(socket.local.ip())
            || at_all(address.ip()))
}

/// A line of `/proc/net/tcp` and its like; none: its heading, or a TCP socket that does not listen.
fn read(line: &str, is_tcp: bool) -> Option<Socket> {
    const LISTENS: &str = "0A";
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (ip, port) = words.get(1)?.split_once(':')?;
    if is_tcp && *words.get(3)? != LISTENS {
        return None;
    }
    let local = SocketAddr::new(read_ip(ip)?, u16::from_str_radix(port, 16).ok()?);
    Some(Socket { local, user: words.get(7)?.parse().ok()?, inode: words.get(9)?.parse().ok()? })
}

/// An address as words of 32 bits in the order of this machine.
fn read_ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut octets = [0; 16];
            for (at, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(octets)))
        }
        _ => None,
    }
}

/// The process that has a socket, and what it is called.
fn process(inode: u64) -> Option<(u32, String)> {
    let wanted = format!("socket:[{inode}]");
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        let mut links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
        if links.any(|link| link.as_os_str() == wanted.as_str()) {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            return Some((pid, name.trim_end().to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn the_process_that_has_a_port_is_named() {
        let pid = std::process::id();
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let udp = UdpSocket::bind("[::]:0").expect("a port");
        let at = tcp.local_addr().expect("an address");
        let of = |address: SocketAddr| Holder::of(address).and_then(|holder| holder.process).map(|(pid, _)| pid);
        assert_eq!(of(at), Some(pid));
        assert_eq!(of(SocketAddr::new([0, 0, 0, 0].into(), at.port())), Some(pid), "any address clashes with each");
        let port = udp.local_addr().expect("an address").port();
        assert_eq!(of(SocketAddr::new([127, 0, 0, 9].into(), port)), Some(pid), "and each with any");
        drop(tcp);
        assert_eq!(of(at), None);
    }

    #[test]
    fn the_tables_of_the_kernel_are_read() {
        let line =
            "   0: 0100007F:14B4 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0";
        let socket = read(line, true).expect("a socket");
        #[cfg(target_endian = "little")]
        assert_eq!(socket.local, "127.0.0.1:5300".parse().expect("an address"));
        assert_eq!((socket.user, socket.inode), (1000, 31337));
        assert_eq!(read(&line.replace(" 0A ", " 01 "), true), None, "it does not listen");
        assert!(read("  sl  local_address rem_address   st tx_queue", true).is_none());
        let unknown = Holder { process: None, user: 0 };
        assert_eq!(unknown.to_string(), "a process of user 0 (as root `ss -lntup` shows which)");
    }
}
