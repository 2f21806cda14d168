//! What one probe found, in the words of people: of an error the innermost cause, of a target's own words the beginning.
//! Must not know the ways of asking.

use std::{error::Error, io};

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, OtherError,
    pki_types::{ServerName, UnixTime},
};
use tokio::time::Instant;

use super::certificate::{self, span};
use crate::engine::health::monitor::Outcome;

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

/// The beginning of what a target said, for people.
pub(super) fn snippet(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    text.trim_end().chars().take(SNIPPET).collect()
}

/// What an error says of the target, in the words of people: the innermost cause, where the system gives one.
pub(super) fn say(error: &(dyn Error + 'static)) -> Outcome {
    let mut cause = error;
    loop {
        if let Some(error) = cause.downcast_ref::<TlsError>() {
            return say_tls(error);
        }
        let error = cause.downcast_ref::<io::Error>();
        if let Some(outcome) = error.and_then(say_io) {
            return outcome;
        }
        // What an I/O error was made from is not its source, but that one's.
        match error.and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static)).or(cause.source()) {
            Some(inner) => cause = inner,
            None => return Outcome::Bad(cause.to_string().into()),
        }
    }
}

fn say_io(error: &io::Error) -> Option<Outcome> {
    match error.raw_os_error() {
        Some(libc::ENETUNREACH | libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => return Some(Outcome::NoRoute),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            return Some(Outcome::Unasked(error.to_string().into()));
        }
        _ => {}
    }
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::ConnectionAborted => "connection aborted",
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => "connection closed in the middle",
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::PermissionDenied => "not permitted by this node's own firewall or rights",
        _ => return None,
    };
    Some(Outcome::Bad(text.into()))
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
pub(super) fn moment() -> Instant {
    Instant::now()
}

/// What an error of TLS says of the target, for people.
fn say_tls(error: &TlsError) -> Outcome {
    let between = |early: &UnixTime, late: &UnixTime| late.as_secs().saturating_sub(early.as_secs()) as i64;
    let text = match error {
        TlsError::InvalidCertificate(why) => match why {
            CertificateError::ExpiredContext { time, not_after } => certificate::expired(between(not_after, time)),
            CertificateError::NotValidYetContext { time, not_before } => {
                format!("certificate is valid only in {}", span(between(time, not_before)))
            }
            CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented),
            CertificateError::UnknownIssuer => "certificate is signed by nobody that is trusted".to_owned(),
            CertificateError::Revoked => "certificate is revoked".to_owned(),
            CertificateError::BadEncoding => "certificate cannot be read".to_owned(),
            CertificateError::BadSignature => "certificate has a wrong signature".to_owned(),
            CertificateError::Other(OtherError(why)) => why.to_string(),
            other => format!("certificate does not hold: {other}"),
        },
        TlsError::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        TlsError::NoCertificatesPresented => "it shows no certificate".to_owned(),
        TlsError::PeerIncompatible(why) => format!("no way of TLS that both sides know: {why:?}"),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => "it knows no such name in TLS".to_owned(),
        TlsError::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "it does not offer this version of HTTP in TLS (ALPN)".to_owned()
        }
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => "it wants a certificate of ours".to_owned(),
        TlsError::AlertReceived(alert) => format!("it ended the TLS handshake with the alert {alert:?}"),
        other => format!("TLS: {other}"),
    };
    Outcome::Bad(text.into())
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    // As WebPKI shows them: DnsName("www.example.com").
    let names = presented.iter().take(3).map(|name| name.split('"').nth(1).unwrap_or(name));
    let names: Vec<String> = names.map(|name| snippet(name.as_bytes())).collect();
    let more = if presented.len() > 3 { format!(" and {} more", presented.len() - 3) } else { String::new() };
    let bearer = if names.is_empty() { "no name".to_owned() } else { names.join(", ") + &more };
    format!("certificate is for {bearer}, not for {}", expected.to_str())
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
