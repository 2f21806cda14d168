//! A monitor as plain data: what to ask, how often, and how many answers change a mind.

use std::{fmt, net::IpAddr};

/// A configured health check.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// The name in the configuration.
    pub name: Box<str>,
    /// What a probe does.
    pub check: Check,
    /// When, and how many outcomes change health.
    pub rhythm: Rhythm,
}

/// Times in milliseconds and counts of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From the start of one probe to the start of the next.
    pub interval: u64,
    /// A probe that takes longer has failed; at most `interval`.
    pub timeout: u64,
    /// The wait before the next probe after a first failure, until health is decided again.
    pub recheck: u64,
    /// Failures in a row that make up into down.
    pub fall: u32,
    /// Successes in a row that make down into up.
    pub rise: u32,
}

/// What a probe asks and what it takes for an answer. Equal checks of one address share their probes, and their
/// health survives a reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// A connection that opens.
    Tcp {
        /// The port.
        port: u16,
    },
    /// An HTTP/1.1 exchange in clear text.
    Http(HttpCheck),
}

/// The HTTP request and what is expected of the response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpCheck {
    /// The port.
    pub port: u16,
    /// The request method, in capitals.
    pub method: Box<str>,
    /// Path and query, from the slash.
    pub path: Box<str>,
    /// The Host header; without one it is the address.
    pub host: Option<Box<str>>,
    /// Further headers, in name order.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// Inclusive ranges of good status codes.
    pub status: Vec<(u16, u16)>,
    /// Text that the first octets of the body must contain, and how many octets are read for it.
    pub body: Option<(Box<str>, u32)>,
}

/// One thing that is probed: a check of one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProbeKey {
    /// What is asked.
    pub check: Check,
    /// Whom.
    pub address: IpAddr,
}

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Good {
        /// From the start to the answer, in microseconds.
        took: u64,
    },
    /// Not as expected; the text is for people: "connection refused", "status 503", "no answer within 800 ms".
    Bad(Box<str>),
    /// This node has no route for the address's family: it says nothing of the target.
    NoRoute,
    /// This node could not ask, being out of sockets or memory; the text is for people. It says nothing of the target.
    Unasked(Box<str>),
}

impl Outcome {
    /// Whether it counts for or against the target; none where it says nothing of it.
    #[must_use]
    pub fn is_good(&self) -> Option<bool> {
        match self {
            Self::Good { .. } => Some(true),
            Self::Bad(_) => Some(false),
            Self::NoRoute | Self::Unasked(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { took } => write!(f, "answered in {}.{} ms", took / 1000, took % 1000 / 100),
            Self::Bad(why) => f.write_str(why),
            Self::NoRoute => f.write_str("this node has no route there"),
            Self::Unasked(why) => write!(f, "this node could not ask: {why}"),
        }
    }
}
