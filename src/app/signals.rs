//! What the operator and the system tell the process. SIGPIPE is not among it: Rust ignores it from the start, and a
//! log or pipe that is not read ends nothing.
//!
//! Signals whose usual effect is to end a process, and that have no meaning here, are taken over too: a log rotation that
//! sends SIGUSR1, as other servers want it, must not end this one. SIGQUIT and those of faults keep their usual effect.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// End; by the signal of this name.
    End(&'static str),
    /// Nothing: the signal of this name has no meaning.
    Ignored(&'static str),
}

/// Signals that end a process unless it takes them over, and that only timers and terminals of its own would send:
/// SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR. They are not even logged.
const SILENT: [libc::c_int; 5] = [libc::SIGALRM, libc::SIGVTALRM, libc::SIGPROF, libc::SIGIO, libc::SIGPWR];

/// The signals of the process, from when it was made: none of them has its usual effect any more, to the end of it.
#[derive(Debug)]
pub struct Signals {
    hangup: unix::Signal,
    at_hangup: Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
    /// SIGUSR1 and SIGUSR2.
    user: [unix::Signal; 2],
}

impl Signals {
    /// The signals of a server: SIGHUP reloads, SIGTERM and SIGINT end. Wants a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn of_server() -> io::Result<Self> {
        Self::new(Signal::Reload)
    }

    /// The signals of what belongs to a terminal: SIGHUP, which says that the terminal is gone, ends it too. Wants a
    /// tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn of_terminal() -> io::Result<Self> {
        Self::new(Signal::End("SIGHUP"))
    }

    fn new(at_hangup: Signal) -> io::Result<Self> {
        for signal in SILENT {
            // Once taken over, a signal stays so, whether anything listens or not.
            drop(unix::signal(SignalKind::from_raw(signal))?);
        }
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            at_hangup,
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            user: [unix::signal(SignalKind::user_defined1())?, unix::signal(SignalKind::user_defined2())?],
        })
    }

    /// The next signal. Equal ones that come before it is asked for are one.
    pub async fn next(&mut self) -> Signal {
        let [first, second] = &mut self.user;
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::End("SIGTERM"),
            _ = self.interrupt.recv() => Signal::End("SIGINT"),
            _ = self.hangup.recv() => self.at_hangup,
            _ = first.recv() => Signal::Ignored("SIGUSR1"),
            _ = second.recv() => Signal::Ignored("SIGUSR2"),
        }
    }

    /// The name of the next signal that ends the process. What asks for a reload waits for [`next`](Self::next).
    pub async fn end(&mut self) -> &'static str {
        if let Signal::End(name) = self.at_hangup {
            tokio::select! {
                name = end(&mut self.terminate, &mut self.interrupt) => name,
                _ = self.hangup.recv() => name,
            }
        } else {
            end(&mut self.terminate, &mut self.interrupt).await
        }
    }
}

async fn end(terminate: &mut unix::Signal, interrupt: &mut unix::Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
