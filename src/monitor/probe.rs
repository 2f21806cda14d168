//! One probe, within its time, and the words for what went wrong.

use std::{error::Error, io, time::Duration};

use tokio::time::{self, Instant};

use super::{prepared::Prepared, tls, tools::Tools};
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
}

/// A timer that is so many milliseconds late, and as late as it is long, says that this node is too busy to judge others.
const BUSY: u64 = 200;

/// Asks once; `timeout` in milliseconds covers everything from the first packet to the last octet that matters.
pub(super) async fn run(tools: &Tools, prepared: &mut Prepared, timeout: u64) -> Outcome {
    // It may have to wait for its turn, which is not held against the target.
    if let Prepared::Exec(exec) = prepared {
        return exec.run(timeout).await;
    }
    let began = moment();
    match time::timeout(Duration::from_millis(timeout), prepared.ask(tools)).await {
        Ok(Ok(Fine { connect, note })) => Outcome::Good { took: began.elapsed().as_micros() as u64, connect, note },
        Ok(Err(outcome)) => outcome,
        // The moment to give up has long passed: an answer may have come that this node had no time to read.
        Err(_) if began.elapsed() > Duration::from_millis(timeout.saturating_mul(2).max(timeout + BUSY)) => {
            Outcome::Unasked("it was too busy to read an answer in time".into())
        }
        // What cannot be read says nothing of whom it is about.
        Err(_) if matches!(prepared, Prepared::File(_)) => {
            Outcome::Unasked(format!("the file could not be read within {timeout} ms").into())
        }
        Err(_) => Outcome::Bad(format!("no answer within {timeout} ms").into()),
    }
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
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return tls::say(error);
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
