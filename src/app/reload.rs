//! Another configuration while serving: all of it or nothing. Reading happens beside the serving, one at a time;
//! what is asked meanwhile is one further reading.

use std::{future, path::PathBuf};

use tokio::task::{self, JoinHandle};
use tracing::{error, info};

use crate::{
    config::{
        self, Loaded,
        geo::InForce,
        settings::{Server, Workers},
    },
    engine::world::{Draft, World},
};

/// Reads the configuration when asked.
#[derive(Debug)]
pub(super) struct Reloads {
    path: PathBuf,
    /// The geo databases of the configuration in force.
    databases: InForce,
    reading: Option<JoinHandle<Loaded>>,
    again: bool,
}

impl Reloads {
    pub(super) fn new(path: PathBuf, databases: InForce) -> Self {
        Self { path, databases, reading: None, again: false }
    }

    /// Reads, or once more when a reading is under way: it may have seen the file before its last change.
    pub(super) fn ask(&mut self) {
        match self.reading {
            Some(_) if self.again => {}
            Some(_) => {
                // Said, so that a reading that never ends shows.
                info!("a reading of {} is under way; another one follows it", self.path.display());
                self.again = true;
            }
            None => self.read(),
        }
    }

    /// From now on these are the geo databases in force.
    pub(super) fn compare_with(&mut self, databases: &InForce) {
        self.databases = databases.clone();
    }

    fn read(&mut self) {
        let (path, databases) = (self.path.clone(), self.databases.clone());
        info!("reading {} again", path.display());
        self.reading = Some(task::spawn_blocking(move || config::reload(&path, &databases)));
    }

    /// The next configuration that was read; waits for ever while none is asked for. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Loaded {
        loop {
            // Only now, when what was read before is in force or refused: the next is compared with what is in force.
            if self.reading.is_none() && std::mem::take(&mut self.again) {
                self.read();
            }
            let Some(reading) = &mut self.reading else { return future::pending().await };
            let read = reading.await;
            self.reading = None;
            match read {
                Ok(loaded) => return loaded,
                Err(error) => error!("the configuration was not read, the old one stays in force: {error}"),
            }
        }
    }
}

/// Why a running server does not take over what is sound.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// Sockets are bound at the start.
    #[error("`server.listen` has changed from {old} to {new}; restart the server to change it")]
    Listen { old: String, new: String },
    /// Workers are started at the start.
    #[error("`server.workers` has changed from {old} to {new}; restart the server to change it")]
    Workers { old: Workers, new: Workers },
    /// It would take every name away, or every zone: `what` there are now, `count` of them. `unmatched` are the patterns of
    /// `include` that match no file.
    #[error("{}", emptied(what, *count, unmatched))]
    Empty { what: &'static str, count: usize, unmatched: Vec<String> },
}

/// Whether a running server can take over settings.
pub(super) fn fits(old: &Server, new: &Server) -> Result<(), Unfit> {
    if old.listen != new.listen {
        let list = |server: &Server| server.listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Unfit::Listen { old: list(old), new: list(new) });
    }
    if old.workers != new.workers {
        return Err(Unfit::Workers { old: old.workers, new: new.workers });
    }
    Ok(())
}

/// Whether a configuration leaves anything of what is served. One that was split over files and has lost them still
/// reads well, and would take every name away.
pub(super) fn leaves(old: &World, new: &Draft, unmatched: &[String]) -> Result<(), Unfit> {
    // Direct names and runners-up come and go with their service.
    let services = old.services.iter().filter(|service| service.is_configured()).count();
    let (what, count) = match () {
        () if new.services.is_empty() && services > 0 => ("service", services),
        () if new.zones.is_empty() && !old.zones.is_empty() => ("zone", old.zones.len()),
        () => return Ok(()),
    };
    Err(Unfit::Empty { what, count, unmatched: unmatched.to_vec() })
}

/// What a configuration that leaves nothing would take away, and what to do.
fn emptied(what: &str, count: usize, unmatched: &[String]) -> String {
    let remedy = match unmatched {
        [] => "put back what was taken out".to_owned(),
        [only] => format!("`include` has \"{only}\", which matches no file: put its files back"),
        several => {
            format!("`include` has \"{}\", which match no file: put their files back", several.join("\" and \""))
        }
    };
    let plural = if count == 1 { "" } else { "s" };
    format!(
        "it would leave no {what} where there {} {count} {what}{plural}; {remedy}, or restart the server if no {what} \
         is to be left",
        if count == 1 { "is" } else { "are" },
    )
}

/// The keys that have changed but are read at the start only.
pub(super) fn deferred(old: &Server, new: &Server) -> Vec<&'static str> {
    [
        ("server.udp.receive_buffer", old.udp.receive_buffer != new.udp.receive_buffer),
        ("server.udp.batch", old.udp.batch != new.udp.batch),
        ("server.tcp", old.tcp != new.tcp),
        ("server.startup_wait", old.startup_wait != new.startup_wait),
    ]
    .into_iter()
    .filter_map(|(key, changed)| changed.then_some(key))
    .collect()
}
