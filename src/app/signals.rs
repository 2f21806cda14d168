//! What the operator and the system tell the process. SIGPIPE is not among it: Rust ignores it from the start, and a
//! log or pipe that nobody reads ends nothing.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// End; by the signal of this name.
    End(&'static str),
}

/// The signals of the process, from when it was made: none of them has its usual effect any more.
#[derive(Debug)]
pub struct Signals {
    hangup: unix::Signal,
    at_hangup: Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
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
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            at_hangup,
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal. Equal ones that come before it is asked for are one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::End("SIGTERM"),
            _ = self.interrupt.recv() => Signal::End("SIGINT"),
            _ = self.hangup.recv() => self.at_hangup,
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
