//! What one probe found, in the words of people: of an error the innermost cause, of a target's own words the beginning;
//! and why nothing can be asked. Must not know the ways of asking.

use std::{error::Error, io, net::IpAddr, num::ParseFloatError, str::FromStr};

use hickory_proto::ProtoError;
use reqwest::Url;
use rustls::{
    client::VerifierBuilderError,
    pki_types::{InvalidDnsNameError, pem},
};
use tokio::time::Instant;

use crate::{engine::health::fold::Outcome, telemetry::causes};

/// No line of a target's own words is longer when people are told, in characters.
const SNIPPET: usize = 100;

/// What is known of a good probe beside how long it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fine {
    /// How long the connection took to open, in microseconds, where there was one.
    pub(super) connect: Option<u64>,
    /// What people should know although it is good.
    pub(super) note: Option<Box<str>>,
    /// When the server's certificate ends, in Unix seconds.
    pub(super) ends: Option<i64>,
}

/// Why nothing can be asked of a target. The configuration has been read by then, so this is a fault of the program, or
/// of this node.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error(transparent)]
    Pattern(#[from] regex::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Number(#[from] ParseFloatError),
    #[error("{0}")]
    Url(#[source] <Url as FromStr>::Err),
    #[error("{0} cannot be sent in a request")]
    Unsendable(&'static str),
    #[error("over HTTP/2 `host` must be a name without a port")]
    NotAnAuthority,
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Sni(#[from] InvalidDnsNameError),
    #[error("this system trusts no certificates, so set `ca_file` or install them")]
    NothingTrusted,
    #[error(transparent)]
    Pem(#[from] pem::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Verifier(#[from] VerifierBuilderError),
    #[error("{name:?}: {source}")]
    Name { name: Box<str>, source: ProtoError },
    #[error("{0:?} is no type")]
    RecordType(Box<str>),
    #[error(transparent)]
    Query(#[from] ProtoError),
}

/// The beginning of what a target said, for people.
pub(super) fn snippet(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    text.trim_end().chars().take(SNIPPET).collect()
}

/// What an error says of the target, in the words of people: the innermost cause, where the system gives one.
pub(super) fn say(error: &(dyn Error + 'static)) -> Outcome {
    let known = causes::chain(error).find_map(|cause| match cause.downcast_ref() {
        Some(error) => Some(Outcome::Bad(causes::tls::sentence(error))),
        None => cause.downcast_ref().and_then(say_io),
    });
    known.unwrap_or_else(|| Outcome::Bad(causes::innermost(error)))
}

fn say_io(error: &io::Error) -> Option<Outcome> {
    match error.raw_os_error() {
        Some(libc::ENETUNREACH | libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => Some(Outcome::NoRoute),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            Some(Outcome::Unasked(error.to_string().into()))
        }
        _ => causes::of_system(error).map(|text| Outcome::Bad(text.into())),
    }
}

/// That a connection which the HTTP library has made could not be bound to the address that the configuration wants, where
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

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
pub(super) fn moment() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_node_lacks_is_not_held_against_the_target() {
        let of = |code| say(&io::Error::from_raw_os_error(code));
        for code in [libc::ENETUNREACH, libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL] {
            assert_eq!(of(code), Outcome::NoRoute);
        }
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert_eq!(of(code).is_good(), None, "{}", of(code));
        }
        assert_eq!(of(libc::ECONNREFUSED), Outcome::Bad("connection refused".into()));
        assert_eq!(of(libc::EHOSTUNREACH), Outcome::Bad("host unreachable".into()));
    }

    #[test]
    fn the_innermost_cause_speaks() {
        let inner = io::Error::from(io::ErrorKind::ConnectionReset);
        let outer = io::Error::other(io::Error::other(inner));
        assert_eq!(say(&outer), Outcome::Bad("connection reset".into()));
    }
}
