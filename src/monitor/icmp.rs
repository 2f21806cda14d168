//! An ICMP echo. All targets of a family share a socket: one that needs no rights where the system lets this process
//! have it (`net.ipv4.ping_group_range`), else a raw one.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

use super::{
    dial::lacking,
    words::{Fine, say},
};
use crate::engine::health::monitor::Outcome;

const PAYLOAD: &[u8] = b"meridian health probe";
const ECHO_REPLY: u8 = 0;
const ECHO_REPLY_V6: u8 = 129;

/// The sockets, by whether the family is IPv6 and by local address; opened when first wanted.
#[derive(Default)]
pub(super) struct Pings {
    clients: Mutex<HashMap<(bool, Option<IpAddr>), Client>>,
}

impl std::fmt::Debug for Pings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pings").finish_non_exhaustive()
    }
}

impl Pings {
    fn client(&self, six: bool, source: Option<IpAddr>) -> Result<Client, Outcome> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&(six, source)) {
            return Ok(client.clone());
        }
        let config = Config::builder().kind(if six { ICMP::V6 } else { ICMP::V4 });
        let config = match source {
            Some(source) => config.bind(SocketAddr::new(source, 0)),
            None => config,
        };
        let client = Client::new(&config.build()).map_err(|error| refused(source, &error))?;
        clients.insert((six, source), client.clone());
        Ok(client)
    }
}

fn refused(source: Option<IpAddr>, error: &io::Error) -> Outcome {
    match (error.kind(), source) {
        (io::ErrorKind::PermissionDenied, _) => Outcome::Unasked(
            "ICMP is not permitted: put a group of this process into the sysctl net.ipv4.ping_group_range, or give it \
             CAP_NET_RAW"
                .into(),
        ),
        (io::ErrorKind::AddrNotAvailable, Some(source)) => lacking(source, error),
        _ => say(error),
    }
}

/// A target of `icmp`.
#[derive(Debug)]
pub(super) struct Icmp {
    address: IpAddr,
    source: Option<IpAddr>,
    ident: PingIdentifier,
    sequence: u16,
}

impl Icmp {
    pub(super) fn of(address: IpAddr, source: Option<IpAddr>, mut chance: fastrand::Rng) -> Self {
        Self { address, source, ident: PingIdentifier(chance.u16(..)), sequence: chance.u16(..) }
    }

    pub(super) async fn ask(&mut self, pings: &Pings) -> Result<Fine, Outcome> {
        let client = pings.client(self.address.is_ipv6(), self.source)?;
        self.sequence = self.sequence.wrapping_add(1);
        let mut pinger = client.pinger(self.address, self.ident).await;
        // Whoever asks keeps the time; no timeout is longer than this.
        pinger.timeout(std::time::Duration::from_secs(3601));
        match pinger.ping(PingSequence(self.sequence), PAYLOAD).await {
            Ok((packet, _)) => judge(kind(&packet)).map(|()| Fine::default()),
            Err(SurgeError::IOError(error)) => Err(say(&error)),
            Err(error) => Err(Outcome::Unasked(error.to_string().into())),
        }
    }
}

/// The type of a message, and whether it is IPv6's.
fn kind(packet: &IcmpPacket) -> (u8, bool) {
    match packet {
        IcmpPacket::V4(packet) => (packet.get_icmp_type().0, false),
        IcmpPacket::V6(packet) => (packet.get_icmpv6_type().0, true),
    }
}

fn judge(kind: (u8, bool)) -> Result<(), Outcome> {
    let why = match kind {
        (ECHO_REPLY, false) | (ECHO_REPLY_V6, true) => return Ok(()),
        (3, false) | (1, true) => "a router on the way says: unreachable".to_owned(),
        (11, false) | (3, true) => "a router on the way says: time exceeded".to_owned(),
        (other, _) => format!("an ICMP message of type {other} came back"),
    };
    Err(Outcome::Bad(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reply_is_good() {
        assert_eq!(judge((0, false)), Ok(()));
        assert_eq!(judge((129, true)), Ok(()));
        for other in [(129, false), (0, true), (3, false), (11, false), (1, true), (5, false)] {
            assert!(judge(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_this_process_may_not_do_is_not_held_against_the_target() {
        let of = |code| refused(None, &io::Error::from_raw_os_error(code));
        for code in [libc::EPERM, libc::EACCES] {
            assert!(of(code).to_string().contains("net.ipv4.ping_group_range"), "{}", of(code));
            assert_eq!(of(code).is_good(), None);
        }
        assert_eq!(of(libc::EAFNOSUPPORT), Outcome::NoRoute);
    }

    #[tokio::test]
    async fn loopback_answers_or_what_is_missing_is_told() {
        use socket2::{Domain, Protocol, Socket, Type};
        for (address, domain, protocol) in [
            (IpAddr::from([127, 0, 0, 1]), Domain::IPV4, Protocol::ICMPV4),
            ("::1".parse().expect("address"), Domain::IPV6, Protocol::ICMPV6),
        ] {
            let may = [Type::DGRAM, Type::RAW].iter().any(|kind| Socket::new(domain, *kind, Some(protocol)).is_ok());
            let said = Icmp::of(address, None, fastrand::Rng::with_seed(7)).ask(&Pings::default()).await;
            match said {
                Ok(fine) => assert_eq!((fine, may), (Fine::default(), true)),
                Err(Outcome::Unasked(why)) => assert!(!may && why.contains("net.ipv4.ping_group_range"), "{why}"),
                Err(other) => panic!("{address}: {other}"),
            }
        }
    }
}
