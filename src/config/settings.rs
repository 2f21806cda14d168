//! What the process needs of the configuration beside the [`World`](crate::engine::world::World): plain data.

use std::{net::SocketAddr, path::PathBuf};

pub use crate::engine::signal::latency::LatencyRules as Latency;
use crate::probing::{check::Trust, millis::Millis};

/// How the server listens and where it keeps its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens, for UDP and TCP alike; at least one, no two equal.
    pub listen: Vec<SocketAddr>,
    /// Whether that is the default: then a family that the host does not have is left out.
    pub listens_as_usual: bool,
    /// What `id.server` answers; empty: nothing.
    pub identity: String,
    /// The folder of everything that outlives the process; it may not exist yet.
    pub state_dir: PathBuf,
    /// The file that keys the draws; in `state_dir` unless the configuration names one.
    pub secret_file: PathBuf,
    /// UDP threads for each listen address.
    pub workers: Workers,
    /// How long steered names wait for the first probe round.
    pub startup_wait: Millis,
    /// Whether the order of several addresses differs from query to query.
    pub rotate: bool,
    /// UDP settings.
    pub udp: Udp,
    /// TCP settings.
    pub tcp: Tcp,
}

/// UDP threads for each listen address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// As many as there are processors.
    Auto,
    /// This many.
    Count(u16),
}

impl std::fmt::Display for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("\"auto\""),
            Self::Count(count) => count.fmt(f),
        }
    }
}

/// UDP settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp {
    /// The largest reply in octets, whatever the client says it takes.
    pub max_size: u16,
    /// The socket's receive buffer in octets.
    pub receive_buffer: u64,
    /// Datagrams moved by one system call.
    pub batch: u16,
}

/// TCP settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Connections at a time.
    pub connections: u32,
    /// Connections at a time of one client address.
    pub per_client: u32,
    /// A connection that is silent this long is closed.
    pub idle: Millis,
    /// A whole message must arrive in this time.
    pub message: Millis,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least important events that are written.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// How important an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whoever wants to be told of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The name in the configuration.
    pub name: Box<str>,
    /// Of what.
    pub on: Vec<Occasion>,
    /// How.
    pub tell: Tell,
    /// How long telling may take.
    pub timeout: Millis,
    /// How often it may be told.
    pub rate: Rate,
}

/// What hooks are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// Somebody who is probed is judged differently.
    Endpoint,
    /// A region's last endpoint is down, or its first is up again.
    Region,
    /// The governor holds a region, or lets it go; this node is isolated, or no longer.
    Governor,
    /// Another configuration is in force, or refused.
    Reload,
}

/// How a hook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// By a command: the program and its arguments. It reads what there is to tell.
    Command(Vec<String>),
    /// By an HTTP POST.
    Post {
        /// Where to.
        url: Box<str>,
        /// Headers by name.
        headers: Vec<(Box<str>, Hidden)>,
        /// Whose certificates are trusted; none: those of the system.
        trust: Option<Trust>,
    },
}

/// Text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Box<str>);

impl Hidden {
    /// Hides a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Millis,
}
