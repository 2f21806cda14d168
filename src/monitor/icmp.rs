//! An ICMP echo (RFC 792, RFC 4443), from a socket of each probe's own, connected to the target, so that the kernel hands it only what
//! comes from there, and errors about it. The socket needs no rights where the system lets this process have it
//! (`net.ipv4.ping_group_range`); else it is a raw one.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::error_text::{Fine, lacking, say};
use crate::engine::health::fold::Outcome;

const TEXT: &[u8; 8] = b"meridian";
/// Type, code, checksum, identifier and number; then what comes back as it was sent: a token and a text.
const LENGTH: usize = 24;
/// The longest header of IPv4, and an echo behind it.
const ROOM: usize = 60 + LENGTH;

/// A target of `icmp`.
#[derive(Debug)]
pub(super) struct Icmp {
    address: IpAddr,
    source: Option<IpAddr>,
    chance: fastrand::Rng,
    number: u16,
}

/// What kind of socket the system gives this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The kernel sets the identifier, and hands over only answers to it.
    Unprivileged,
    /// It hears all that comes from the target, over IPv4 with the header of IP.
    Raw,
}

impl Icmp {
    pub(super) fn of(address: IpAddr, source: Option<IpAddr>, mut chance: fastrand::Rng) -> Self {
        let number = chance.u16(..);
        Self { address, source, chance, number }
    }

    pub(super) async fn ask(&mut self) -> Result<Fine, Outcome> {
        let (socket, kind) = self.socket()?;
        self.number = self.number.wrapping_add(1);
        let sent = echo(self.address.is_ipv6(), self.chance.u16(..), self.number, self.chance.u64(..));
        socket.send(&sent).await.map_err(|error| say(&error))?;
        let mut came = [0; ROOM];
        loop {
            let count = socket.recv(&mut came).await.map_err(|error| say(&error))?;
            let message = came.get(..count).unwrap_or_default();
            let message = if kind == Kind::Raw && self.address.is_ipv4() { behind_ip(message) } else { Some(message) };
            if message.is_some_and(|message| answers(message, &sent)) {
                return Ok(Fine::default());
            }
        }
    }

    fn socket(&self) -> Result<(UdpSocket, Kind), Outcome> {
        let (domain, protocol) = match self.address {
            IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
            IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
        };
        let open = |kind| Socket::new(domain, kind, Some(protocol));
        let opened = match open(Type::DGRAM) {
            Ok(socket) => Ok((socket, Kind::Unprivileged)),
            Err(_) => open(Type::RAW).map(|socket| (socket, Kind::Raw)),
        };
        let (socket, kind) = opened.map_err(|error| refused(&error))?;
        if let Some(source) = self.source {
            socket.bind(&SocketAddr::new(source, 0).into()).map_err(|error| lacking(source, &error))?;
        }
        let made = socket
            .connect(&SocketAddr::new(self.address, 0).into())
            .and_then(|()| socket.set_nonblocking(true))
            .and_then(|()| UdpSocket::from_std(socket.into()));
        made.map(|socket| (socket, kind)).map_err(|error| say(&error))
    }
}

fn refused(error: &io::Error) -> Outcome {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Outcome::Unasked(
            "ICMP is not permitted: put a group of this process into the sysctl net.ipv4.ping_group_range, or give it \
             CAP_NET_RAW"
                .into(),
        );
    }
    say(error)
}

/// An echo request. Over IPv6 the kernel sets the checksum, which covers addresses too.
fn echo(is_six: bool, identifier: u16, number: u16, token: u64) -> [u8; LENGTH] {
    let mut message = [0; LENGTH];
    message[0] = if is_six { 128 } else { 8 };
    message[4..6].copy_from_slice(&identifier.to_be_bytes());
    message[6..8].copy_from_slice(&number.to_be_bytes());
    message[8..16].copy_from_slice(&token.to_be_bytes());
    message[16..].copy_from_slice(TEXT);
    if !is_six {
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    message
}

/// Of RFC 1071, over whole pairs of octets.
fn checksum(message: &[u8]) -> u16 {
    let pairs = message.chunks_exact(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(pair[1]));
    let mut sum: u64 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Whether a message is the reply to this request. Its identifier may be another: the kernel sets that of an unprivileged
/// socket. The token, which only the target has seen, says more.
fn answers(message: &[u8], request: &[u8; LENGTH]) -> bool {
    let reply = if request[0] == 8 { 0 } else { 129 };
    message.first() == Some(&reply) && message.get(1) == Some(&0) && message.get(6..) == request.get(6..)
}

/// What stands behind the header of IPv4.
fn behind_ip(packet: &[u8]) -> Option<&[u8]> {
    packet.get(usize::from(packet.first()? & 0x0f) * 4..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_the_checksum_that_every_host_expects() {
        let sent = echo(false, 0x1234, 1, 7);
        assert_eq!(checksum(&sent), 0, "over a message with its sum it is zero");
        assert_eq!(checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2, "the example of RFC 1071");
        assert_eq!(echo(true, 1, 1, 7)[..4], [128, 0, 0, 0], "over IPv6 the kernel sets it");
    }

    #[test]
    fn only_the_reply_to_this_request_is_one() {
        for is_six in [false, true] {
            let sent = echo(is_six, 1, 2, 3);
            let mut reply = sent;
            reply[0] = if is_six { 129 } else { 0 };
            reply[2..6].copy_from_slice(&[9; 4]);
            assert!(answers(&reply, &sent), "whatever checksum and identifier are");
            assert!(!answers(&sent, &sent), "a request, which a raw socket hears on loopback");
            for at in [0, 1, 6, 8, LENGTH - 1] {
                let mut other = reply;
                other[at] ^= 4;
                assert!(!answers(&other, &sent), "octet {at}");
            }
            assert!(!answers(&reply[..LENGTH - 1], &sent) && !answers(&[], &sent));
        }
    }

    #[test]
    fn the_header_of_ip_is_passed_over_whatever_its_length() {
        let mut packet = vec![0x46; 24];
        packet.extend([1, 2, 3]);
        assert_eq!(behind_ip(&packet), Some(&[1, 2, 3][..]));
        assert_eq!((behind_ip(&[]), behind_ip(&[0x45; 10])), (None, None));
    }

    #[test]
    fn what_this_process_may_not_do_is_not_held_against_the_target() {
        let of = |code| refused(&io::Error::from_raw_os_error(code));
        for code in [libc::EPERM, libc::EACCES] {
            assert!(of(code).to_string().contains("net.ipv4.ping_group_range"), "{}", of(code));
            assert_eq!(of(code).is_good(), None);
        }
        assert_eq!(of(libc::EAFNOSUPPORT), Outcome::NoRoute);
    }

    #[tokio::test]
    async fn loopback_answers_or_what_is_missing_is_told() {
        for (address, domain, protocol) in [
            (IpAddr::from([127, 0, 0, 1]), Domain::IPV4, Protocol::ICMPV4),
            ("::1".parse().expect("address"), Domain::IPV6, Protocol::ICMPV6),
        ] {
            let may = [Type::DGRAM, Type::RAW].iter().any(|kind| Socket::new(domain, *kind, Some(protocol)).is_ok());
            let mut icmp = Icmp::of(address, None, fastrand::Rng::with_seed(7));
            for _ in 0..3 {
                match icmp.ask().await {
                    Ok(fine) => assert_eq!((fine, may), (Fine::default(), true)),
                    Err(Outcome::Unasked(why)) => assert!(!may && why.contains("net.ipv4.ping_group_range"), "{why}"),
                    Err(other) => panic!("{address}: {other}"),
                }
            }
        }
    }
}
