//! Composition: builds the rooms, joins their channels, starts and stops them in order, hears the signals. Must not
//! know the command line.
//!
//! Start: sockets are bound (a taken port shows at once) → the writer → the prober and the feed → the transports. Static names
//! answer from then on, steered names once the writer says so. Stop: the transports finish what has arrived, then the
//! rest ends.

pub mod agent;
mod balance;
mod descriptors;
mod hooks;
mod log_lines;
mod reload;
mod saving;
mod signals;
#[cfg(test)]
mod tests;
mod watch;
pub mod writer;

use std::{
    io,
    num::NonZero,
    path::{Path, PathBuf},
    process,
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::broadcast,
    task,
    time::{self, MissedTickBehavior},
};
use tracing::{error, info, level_filters::LevelFilter, warn};

pub use self::signals::{Signal, Signals};
use self::{
    balance::Balancing,
    hooks::Hooks,
    reload::{Reloads, deferred, fits, leaves},
    saving::Saving,
    watch::Watch,
    writer::{ENDED, Writer},
};
use crate::{
    clock::{Clock, duration},
    config::{
        self, Config, Loaded,
        fault::Severity,
        geo::InForce,
        secret::{self, SecretFault},
        settings::{self, LogFormat, LogLevel, Workers},
    },
    feed::{self, Feed},
    monitor::{Plan, Prober},
    net::{self, BindError, TcpOptions, UdpOptions},
    node::{change::Change, input::Configuration, machine::Node},
    telemetry::{
        log::{Form, Log},
        signals::Signals as Numbers,
    },
};

/// How often it is looked after the prober.
const WATCH: Duration = Duration::from_secs(1);

/// How long somebody who is told twice to end still waits for the disk.
const LAST_WRITING: Duration = Duration::from_secs(1);

/// A server at work.
#[derive(Debug)]
pub struct App {
    path: PathBuf,
    settings: settings::Server,
    clock: Clock,
    latency_watch: Watch,
    /// The geo databases of the configuration in force, with which a reload compares.
    databases: InForce,
    writer: Writer,
    prober: Prober,
    feed: Feed,
    transports: net::Running,
    balancing: Balancing,
    hooks: Hooks,
    saving: Saving,
    /// Numbers of probes, health and feeds.
    numbers: Arc<Numbers>,
    log: Option<Log>,
    /// The changes since the start, until somebody asks for them or the server runs.
    early: Option<broadcast::Receiver<Arc<Change>>>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// An address that cannot be served, with the cause.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Sockets(#[source] BindError),
    /// The secret that keys the draws can be neither read nor made.
    #[error("the secret {file}: {1}; {remedy}", file = .0.display(), remedy = .1.remedy(.0))]
    Secret(PathBuf, #[source] SecretFault),
    /// A thread or the HTTP client cannot be made, or logging cannot start.
    #[error("the server cannot start: {0}")]
    Process(#[source] io::Error),
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

/// The first line of a server's log: what starts here, and with what.
pub fn announce(config: &Config, path: &Path) {
    let draft = &config.draft;
    let services = draft.services.iter().filter(|service| service.is_configured()).count();
    let endpoints = draft.pools.iter().map(|pool| pool.endpoints.len()).sum();
    let counts =
        [(services, "service"), (draft.pools.len(), "pool"), (endpoints, "endpoint"), (draft.zones.len(), "zone")];
    let counts = counts.map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
    info!(
        "meridian {} starts with {}, pid {}: {}",
        env!("CARGO_PKG_VERSION"),
        path.display(),
        process::id(),
        counts.join(", ")
    );
}

impl App {
    /// Starts a server with a configuration that was read from `path`, which a reload reads again. With a `log`, a
    /// reload sets its level and form too. Wants a tokio runtime.
    ///
    /// # Errors
    /// What stands in the way; nothing is left running then.
    pub async fn start(config: Config, path: &Path, log: Option<Log>) -> Result<Self, Refusal> {
        let Config { mut draft, server, secret, latency, cells, latency_files, hooks, databases, .. } = config;
        let udp = UdpOptions {
            receive_buffer: usize::try_from(server.udp.receive_buffer).unwrap_or(usize::MAX),
            batch: usize::from(server.udp.batch),
        };
        let at_once =
            descriptors::raise(server.tcp.connections as usize, server.listen.len() * workers(server.workers));
        // What was written is meant; the default presumes both families, and takes what is there.
        let bind = if server.listens_as_usual { net::bind_usual } else { net::bind };
        let sockets = bind(&server.listen, workers(server.workers), &udp).map_err(Refusal::Sockets)?;
        draft.secret = take_secret(&server, secret)?;
        let clock = Clock::new();
        let numbers = Arc::new(Numbers::default());
        let configuration = Configuration { draft, latency, cells, startup_wait: server.startup_wait };
        let node = Node::new(clock.now(), configuration);
        let world = node.world();
        let writer = Writer::start(node, clock, Arc::clone(&numbers));
        // Before anybody probes: hooks hear of the first verdict too.
        let hooks = Hooks::start(hooks, config::node(&server), &writer, clock, Arc::clone(&numbers));
        let mut prober = Prober::new(writer.inputs.clone(), clock, fastrand::Rng::new(), at_once, Arc::clone(&numbers));
        // Before anybody probes: what is restored is no news beside an outcome.
        saving::restore(&server.state_dir, world.health.restore_age, &writer).await;
        let saving = Saving::start(&server.state_dir, &writer, clock);
        let mut feed = Feed::new(writer.inputs.clone(), clock, fastrand::Rng::new(), Arc::clone(&numbers))
            .map_err(Refusal::Process)?;
        let transports =
            net::start(sockets, &writer.board, tcp_options(&server), &Handle::current()).map_err(Refusal::Process)?;
        let balancing = Balancing::start(&writer, transports.counters());
        for address in transports.addresses() {
            info!(%address, "listening on {address}, UDP and TCP");
        }
        info!("static names are answered");
        let early = Some(writer.changes());
        // Only now, so that the log tells where queries are taken before it tells what the first probes found.
        if let Some(status) = writer.wanted().status().await {
            prober.set(&Plan::resumed(&status));
        } else {
            error!("the writer has ended: nothing is probed; restart the server");
        }
        feed.set(&feed::Plan::of(&world));
        Ok(Self {
            path: path.to_owned(),
            settings: server,
            clock,
            latency_watch: Watch::new(latency_files),
            databases,
            writer,
            prober,
            feed,
            transports,
            balancing,
            hooks,
            saving,
            numbers,
            log,
            early,
        })
    }

    /// The clock by which all moments in changes are told.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Hears every change of the world: from now on, or since before the first probe where nobody has asked yet.
    #[must_use]
    pub fn changes(&mut self) -> broadcast::Receiver<Arc<Change>> {
        self.early.take().unwrap_or_else(|| self.writer.changes())
    }

    /// Its numbers of probes, health and feeds.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Whether steered names are answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.writer.board.load().ready
    }

    /// Serves until a signal ends it: reloads at SIGHUP, drains at SIGTERM or SIGINT, stops at once at a second one.
    pub async fn run(mut self, mut signals: Signals) -> Ended {
        // Who has not asked by now does not want them, and they are not kept for nobody.
        self.early = None;
        let mut reloads = Reloads::new(self.path.clone(), self.databases.clone());
        let mut watch = time::interval(WATCH);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let signal = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => reloads.ask(),
                    Signal::End(name) => break name,
                    Signal::Ignored(name) => info!("{name} means nothing here: SIGHUP reloads, SIGTERM ends"),
                },
                loaded = reloads.next() => tokio::select! {
                    () = self.take(loaded) => reloads.compare_with(&self.databases),
                    // Large maps take their time, and whoever is to end has no use for them.
                    name = signals.end() => break name,
                },
                _ = watch.tick() => self.prober.watch(),
                reread = self.latency_watch.next() => watch::pass_on(reread, &self.writer).await,
            }
        };
        info!("{signal}: answering what has arrived, then ending");
        let Self { transports, prober, feed, balancing, saving, writer, log, .. } = self;
        drop((prober, feed, balancing));
        let mut ended = tokio::select! {
            () = transports.stop() => Ended::Drained,
            signal = signals.end() => {
                warn!("{signal} again: ending at once");
                Ended::Cut
            }
        };
        // A disk that never answers keeps nobody who is told twice.
        tokio::select! {
            () = saving.finish() => {}
            signal = signals.end(), if ended == Ended::Drained => {
                warn!("{signal} again: health is not saved once more");
                ended = Ended::Cut;
            }
            () = time::sleep(LAST_WRITING), if ended == Ended::Cut => {}
        }
        writer.end().await;
        info!("ended");
        drop(log);
        ended
    }
}

impl App {
    /// Puts what was read in force, or says why not.
    pub(super) async fn take(&mut self, Loaded { sources, faults, config }: Loaded) {
        for fault in &faults {
            let text = config::report::one(fault, &sources);
            match fault.severity {
                Severity::Error => error!("{text}"),
                Severity::Warning => warn!("{text}"),
            }
        }
        let Some(config) = config else {
            self.hooks.refused("it has faults; see the log");
            error!("the reload is refused for the faults above; the old configuration stays in force");
            return;
        };
        let Config {
            mut draft, server, log, secret, latency, cells, latency_files, hooks, databases, unmatched, ..
        } = config;
        if let Err(reason) =
            fits(&self.settings, &server).and_then(|()| leaves(&self.writer.board.load().world, &draft, &unmatched))
        {
            error!("the reload is refused, the old configuration stays in force: {reason}");
            self.hooks.refused(reason.to_string());
            return;
        }
        // A secret that is gone is kept: a new one would move every client that keeps its region.
        let known = self.writer.board.load().world.secret;
        draft.secret = secret.unwrap_or(known);
        match secret {
            None => warn!("there is no secret in {}; the one in force is kept", server.secret_file.display()),
            Some(new) if new != known => warn!("the secret has changed: clients that keep their region may move"),
            Some(_) => {}
        }
        let configuration = Configuration { draft, latency, cells, startup_wait: server.startup_wait };
        let Ok(job) = self.writer.compile(configuration).await else { return error!("{ENDED}") };
        let id = job.id;
        let product = match task::spawn_blocking(move || job.run()).await {
            Ok(product) => product,
            Err(error) => {
                error!("the reload failed, the old configuration stays in force: {error}");
                self.hooks.refused("it failed by a fault of this program; see the log");
                return self.writer.failed(id).await;
            }
        };
        for key in deferred(&self.settings, &server) {
            warn!("`{key}` has changed; it takes effect at the next start");
        }
        if let Some(open) = &self.log {
            let (level, form) = log_shape(log);
            open.set(level, form);
        }
        self.hooks.set(hooks, config::node(&server));
        self.saving.move_to(&server.state_dir);
        self.latency_watch = Watch::new(latency_files);
        self.databases = databases;
        let plans = product.world().map(|world| (Plan::of(world), feed::Plan::of(world)));
        if let Some((_, pulls)) = &plans {
            self.feed.stop_beyond(pulls);
        }
        // The node knows the targets before they are probed, so no first outcome is lost.
        if self.writer.done(product).await.is_err() {
            return error!("{ENDED}");
        }
        if let Some((probes, pulls)) = &plans {
            self.prober.set(probes);
            self.feed.set(pulls);
        }
    }
}

/// The secret of the configuration, or the one in its file, which is made when missing.
fn take_secret(server: &settings::Server, secret: Option<[u8; 16]>) -> Result<[u8; 16], Refusal> {
    if let Some(secret) = secret {
        return Ok(secret);
    }
    let made = secret::ensure(server).map_err(|fault| Refusal::Secret(server.secret_file.clone(), fault))?;
    warn!(
        "there was no secret, so one was made: {}; all servers of a zone need the same, or their answers differ",
        server.secret_file.display()
    );
    Ok(made)
}

/// UDP threads for each address.
fn workers(workers: Workers) -> usize {
    match workers {
        Workers::Auto => thread::available_parallelism().map_or(1, NonZero::get),
        Workers::Count(count) => usize::from(count),
    }
}

fn tcp_options(server: &settings::Server) -> TcpOptions {
    let settings::Tcp { connections, per_client, idle, message } = server.tcp;
    TcpOptions {
        connections: connections as usize,
        per_client: per_client as usize,
        idle: duration(idle),
        message: duration(message),
        // The first round ends by then, and the reply needs a moment to be written.
        ready: duration(server.startup_wait) + Duration::from_secs(1),
        ..TcpOptions::default()
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
