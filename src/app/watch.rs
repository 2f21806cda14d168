//! Looks at the latency files now and then, and reads them again when they have changed. Must not know what comes of it.

use std::{future, sync::Arc, time::Duration};

use tokio::{
    task::{self, JoinHandle},
    time::{self, Interval, MissedTickBehavior},
};
use tracing::{error, info, warn};

use super::writer::{ENDED, Writer};
use crate::{
    config::{
        fault::Severity,
        geo::{LatencyFiles, Reread, Stamp},
        report,
    },
    node::input::Input,
};

/// How often it looks. A file is read when it looks twice the same, so that none is read while it is being written.
const BEAT: Duration = Duration::from_secs(1);

/// The files of the configuration in force.
#[derive(Debug)]
pub(super) struct Watch {
    files: Arc<LatencyFiles>,
    beat: Interval,
    /// What was there when they were read last, and at the last look.
    read: Vec<Stamp>,
    seen: Vec<Stamp>,
    look: Option<JoinHandle<Look>>,
}

/// What one look brought.
#[derive(Debug)]
struct Look {
    seen: Vec<Stamp>,
    reread: Option<Reread>,
}

impl Watch {
    /// Begins with files as a configuration read them. Wants a tokio runtime.
    pub(super) fn new(files: LatencyFiles) -> Self {
        let mut beat = time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stamps = files.stamps().to_vec();
        Self { files: Arc::new(files), beat, read: stamps.clone(), seen: stamps, look: None }
    }

    /// What came of reading them again, once they have changed; waits for ever while they do not. May be dropped and
    /// called again.
    pub(super) async fn next(&mut self) -> Reread {
        if self.files.is_empty() {
            return future::pending().await;
        }
        loop {
            let Some(look) = &mut self.look else {
                self.beat.tick().await;
                let (files, read, seen) = (Arc::clone(&self.files), self.read.clone(), self.seen.clone());
                // Beside the serving: a file on a lost network drive never comes.
                self.look = Some(task::spawn_blocking(move || look_at(&files, &read, &seen)));
                continue;
            };
            let looked = look.await;
            self.look = None;
            match looked {
                Ok(Look { seen, reread }) => {
                    self.seen = seen;
                    if let Some(reread) = reread {
                        self.read.clone_from(&self.seen);
                        return reread;
                    }
                }
                Err(error) => error!("the latency files were not looked at: {error}"),
            }
        }
    }
}

/// Passes on to the writer what the latency files say since they changed, or logs why not.
pub(super) async fn pass_on(Reread { sources, faults, cells }: Reread, writer: &Writer) {
    for fault in &faults {
        let text = report::one(fault, &sources);
        match fault.severity {
            Severity::Error => error!("{text}"),
            Severity::Warning => warn!("{text}"),
        }
    }
    match cells {
        Some(cells) => {
            let (count, are) = (cells.len(), if cells.len() == 1 { "cell is" } else { "cells are" });
            info!("the latency files have changed: {count} {are} read");
            if writer.inputs.send(Input::LatencyFiles(cells)).await.is_err() {
                error!("{ENDED}");
            }
        }
        None => error!("the latency files are not taken over for the faults above; what they said before goes on"),
    }
}

fn look_at(files: &LatencyFiles, read: &[Stamp], seen: &[Stamp]) -> Look {
    let now = files.look();
    let reread = (now != read && now == seen).then(|| files.read());
    Look { seen: now, reread }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_changed_and_stands_still_is_read() {
        let files = LatencyFiles::default();
        let (old, new) = ([None], [Some((1, 2, 3, 4, 5))]);
        // The files themselves are none: what is there now is the empty list.
        assert!(look_at(&files, &[], &[]).reread.is_none(), "as it was read");
        assert!(look_at(&files, &old, &new).reread.is_none(), "it has just changed");
        assert!(look_at(&files, &old, &[]).reread.is_some(), "it has changed and stands still");
    }
}
