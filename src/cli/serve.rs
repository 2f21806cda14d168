//! `meridian serve`: a server until a signal ends it; and `meridian check`, which reads a configuration as `serve`
//! would, and tells everything that is wrong with it. `check` opens no socket and writes no file.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::Duration,
};

use tokio::task;

use super::exit::{Exit, fail};
use crate::{
    app::{self, App, Ended, Signals},
    config::{self, report},
    lint,
};

/// Answers DNS for the zones of a configuration. SIGHUP reads it again; SIGTERM and SIGINT answer what has arrived and
/// end, a second one ends at once.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The configuration.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
}

/// How long the end of the process waits for what is still being read.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// 0 when a signal ended it and all was answered, 1 when a second one cut that short, 2 when it could not start.
pub(super) fn run(args: &Serve, err: &mut dyn Write) -> Exit {
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(err, &format!("the server cannot start: {error}")),
    };
    let exit = runtime.block_on(serve(args, err));
    runtime.shutdown_timeout(PATIENCE);
    exit
}

async fn serve(args: &Serve, err: &mut dyn Write) -> Exit {
    // First, so that no signal that comes while the configuration is read has its usual effect.
    let mut signals = match Signals::of_server() {
        Ok(signals) => signals,
        Err(error) => return fail(err, &format!("signals cannot be heard: {error}")),
    };
    let path = args.config.clone();
    // Beside the signals: large zones take their time, and a file on a lost network drive never comes.
    let reading = task::spawn_blocking(move || config::load(&path));
    let read = tokio::select! {
        _ = signals.end() => return Exit::Fine,
        read = reading => read,
    };
    let config::Loaded { sources, faults, config } = match read {
        Ok(loaded) => loaded,
        Err(error) => return fail(err, &format!("the configuration was not read: {error}")),
    };
    let said = if faults.is_empty() { String::new() } else { report::text(&faults, &sources, false) };
    let Some(config) = config else {
        let _ = err.write_all(said.as_bytes());
        return Exit::Failed;
    };
    let app = match app::start_log(config.log) {
        Ok(log) => {
            app::announce(&config, &args.config);
            // By the log's queue: warnings that nobody reads must not keep the server from starting.
            log.put(said);
            App::start(config, &args.config, Some(log)).await
        }
        Err(refusal) => Err(refusal),
    };
    match app {
        Ok(app) => match app.run(signals).await {
            Ended::Drained => Exit::Fine,
            Ended::Cut => Exit::Finding,
        },
        Err(refusal) => fail(err, &refusal.to_string()),
    }
}

/// The configuration; with faults it says them, and with an error among them there is none.
pub(super) fn read(path: &std::path::Path, err: &mut dyn Write) -> Option<config::Config> {
    let config::Loaded { sources, faults, config } = config::load(path);
    if !faults.is_empty() {
        let _ = write!(err, "{}", report::text(&faults, &sources, false));
    }
    config
}

/// Tells everything that is wrong with a configuration; 0 without errors, 1 with, 2 when it cannot be read. With
/// `--lint` it is 1 with warnings too.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration file.
    #[arg(short, long = "config", value_name = "FILE")]
    config: PathBuf,
    /// Also what is sound and still hardly meant: endpoints that are never chosen, regions whose loss the others cannot
    /// carry, rules that decide nothing.
    #[arg(long)]
    lint: bool,
    /// A JSON array instead of text.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<Exit> {
        let loaded = if self.lint { lint::lint(&self.config) } else { config::load(&self.config) };
        if self.json {
            writeln!(out, "{}", report::json(&loaded.faults, &loaded.sources)?)?;
        } else {
            let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            out.write_all(report::text(&loaded.faults, &loaded.sources, colour).as_bytes())?;
        }
        Ok(match loaded.count() {
            _ if !loaded.was_read() => Exit::Failed,
            (0, 0) => Exit::Fine,
            (0, _) if !self.lint => Exit::Fine,
            _ => Exit::Finding,
        })
    }
}
