//! Composition: builds the rooms, joins their channels, starts and stops them in order, hears the signals. Must not
//! know the command line.
//!
//! Start: sockets are bound (a taken port shows at once) → the writer → the prober → the transports. Static names
//! answer from then on, steered names once the writer says so. Stop: the transports finish what has arrived, then the
//! rest ends.

mod reload;
pub mod seam;
mod signals;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::broadcast,
};
use tracing::{info, level_filters::LevelFilter, warn};

pub use self::signals::{Signal, Signals};
use self::{
    reload::Reloads,
    seam::{
        config::{self, Config},
        net,
    },
};
use crate::{
    config::settings::{self, LogFormat, LogLevel},
    engine::snapshot::World,
    monitor::{Plan, Prober},
    state::{change::Change, clock::Clock, writer::Writer},
    telemetry::log::{Form, Log},
};

/// A server at work.
#[derive(Debug)]
pub struct App {
    path: PathBuf,
    settings: settings::Server,
    writer: Writer,
    prober: Prober,
    transports: net::Running,
    log: Option<Log>,
}

/// Why a server did not start.
#[derive(Debug)]
pub enum Refusal {
    /// The sockets cannot be had; names the address and the cause.
    Sockets(io::Error),
    /// The secret that keys the draws can be neither read nor made.
    Secret(PathBuf, io::Error),
    /// A thread or the HTTP client cannot be made, or logging cannot start.
    Process(io::Error),
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It answered what had arrived.
    Drained,
    /// A second signal cut that short.
    Cut,
}

/// The runtime of everything but UDP, which has threads of its own, so that a busy prober delays no answer.
///
/// # Errors
/// When its threads cannot be made.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).thread_name("meridian").enable_all().build()
}

/// Starts the process's log as the configuration wants it.
///
/// # Errors
/// When the process has a log already, or its thread cannot be made.
pub fn start_log(settings: settings::Log) -> Result<Log, Refusal> {
    let (level, form) = log_shape(settings);
    Log::start(level, form).map_err(Refusal::Process)
}

impl App {
    /// Starts a server with a configuration that was read from `path`, which a reload reads again. With a `log`, a
    /// reload sets its level and form too. Wants a tokio runtime.
    ///
    /// # Errors
    /// What stands in the way; nothing is left running then.
    pub async fn start(config: Config, path: &Path, log: Option<Log>) -> Result<Self, Refusal> {
        let Config { mut draft, server, secret, .. } = config;
        let sockets = net::bind(&server).map_err(Refusal::Sockets)?;
        draft.secret = take_secret(&server, secret)?;
        let (world, clock) = (Arc::new(World::seal(draft)), Clock::new());
        let writer = Writer::start(Arc::clone(&world), clock, Duration::from_millis(server.startup_wait));
        let mut prober = Prober::new(writer.events.clone(), clock, fastrand::Rng::new()).map_err(Refusal::Process)?;
        prober.set(&Plan::of(&world));
        let transports = net::start(sockets, &server, &writer.board).map_err(Refusal::Process)?;
        for address in transports.addresses() {
            info!(%address, "listening on {address}, UDP and TCP");
        }
        info!(zones = world.zones.len(), services = world.services.len(), "static names are answered");
        Ok(Self { path: path.to_owned(), settings: server, writer, prober, transports, log })
    }

    /// Hears every change of the world from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.writer.changes()
    }

    /// Whether steered names are answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.writer.board.load().ready
    }

    /// Serves until a signal ends it: reloads at SIGHUP, drains at SIGTERM or SIGINT, stops at once at a second one.
    pub async fn run(mut self, mut signals: Signals) -> Ended {
        let mut reloads = Reloads::new(self.path.clone());
        let last = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => reloads.ask(),
                    last => break last,
                },
                loaded = reloads.next() => self.take(loaded).await,
            }
        };
        info!("{last}: answering what has arrived, then ending");
        let Self { transports, prober, writer, log, .. } = self;
        drop(prober);
        let ended = tokio::select! {
            () = transports.stop() => Ended::Drained,
            last = signals.last() => {
                warn!("{last} again: ending at once");
                Ended::Cut
            }
        };
        drop(writer);
        info!("ended");
        drop(log);
        ended
    }
}

/// The secret of the configuration, or the one in its file, which is made when missing.
fn take_secret(server: &settings::Server, secret: Option<[u8; 16]>) -> Result<[u8; 16], Refusal> {
    match secret {
        Some(secret) => Ok(secret),
        None => config::ensure(server).map_err(|error| Refusal::Secret(server.secret_file.clone(), error)),
    }
}

fn log_shape(settings: settings::Log) -> (LevelFilter, Form) {
    let level = match settings.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let form = match settings.format {
        LogFormat::Text => Form::Text,
        LogFormat::Json => Form::Json,
    };
    (level, form)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sockets(error) => error.fmt(f),
            Self::Secret(file, error) => write!(f, "the secret {} cannot be had: {error}", file.display()),
            Self::Process(error) => write!(f, "the server cannot start: {error}"),
        }
    }
}

impl Error for Refusal {}
