//! One probe, within its time, and the words for what went wrong.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use tokio::{
    net::TcpStream,
    time::{self, Instant},
};

use super::http;
use crate::engine::health::{
    check::Check,
    monitor::{Outcome, ProbeKey},
};

/// A timer that is so many milliseconds late, and as late as it is long, says that this node is too busy to judge others.
const BUSY: u64 = 200;

/// Asks once; `timeout` in milliseconds covers everything from the first packet to the last octet that matters.
pub(super) async fn run(client: &reqwest::Client, key: &ProbeKey, timeout: u64) -> Outcome {
    let began = moment();
    let ask = async {
        match &key.check {
            Check::Tcp(check) => connect(SocketAddr::new(key.address, check.port)).await,
            Check::Http(check) => http::ask(client, check, key.address).await,
            // The other kinds are refused in the configuration until they come.
            _ => Err(Outcome::Unasked("this kind is not there yet".into())),
        }
    };
    match time::timeout(Duration::from_millis(timeout), ask).await {
        Ok(Ok(())) => Outcome::good(began.elapsed().as_micros() as u64),
        Ok(Err(outcome)) => outcome,
        // The moment to give up has long passed: an answer may have come that this node had no time to read.
        Err(_) if began.elapsed() > Duration::from_millis(timeout.saturating_mul(2).max(timeout + BUSY)) => {
            Outcome::Unasked("it was too busy to read an answer in time".into())
        }
        Err(_) => Outcome::Bad(format!("no answer within {timeout} ms").into()),
    }
}

async fn connect(address: SocketAddr) -> Result<(), Outcome> {
    TcpStream::connect(address).await.map(drop).map_err(|error| say(&error))
}

/// What an error says of the target, in the words of people: the innermost cause, where the system gives one.
pub(super) fn say(error: &(dyn Error + 'static)) -> Outcome {
    let mut cause = error;
    loop {
        if let Some(outcome) = cause.downcast_ref::<io::Error>().and_then(say_io) {
            return outcome;
        }
        match cause.source() {
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
fn moment() -> Instant {
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
