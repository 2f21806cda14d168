//! What the operator and the system tell the process. SIGPIPE is not among it: Rust ignores it from the start, and a
//! log or pipe that nobody reads ends nothing.

use std::{fmt, io};

use tokio::signal::unix::{self, SignalKind};

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM: end.
    Terminate,
    /// SIGINT, Ctrl-C: end.
    Interrupt,
}

/// The signals of the process, from when it was made: none of them has its usual effect any more.
#[derive(Debug)]
pub struct Signals {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Starts to listen. Wants a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal. Equal ones that come before it is asked for are one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }

    /// The next signal that ends the process.
    pub async fn last(&mut self) -> Signal {
        loop {
            match self.next().await {
                Signal::Reload => {}
                last => return last,
            }
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reload => "SIGHUP",
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}
