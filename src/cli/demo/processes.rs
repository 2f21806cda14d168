//! The regions' processes: started from this very program, heard, and ended with the demo.

use std::{
    env, io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::{mpsc, watch},
    task::JoinSet,
    time,
};

use super::{guide::Guide, region::Region};

/// How long a region may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(1);

/// The processes that this demo has started. Dropping it kills them.
#[derive(Debug, Default)]
pub(super) struct Processes {
    pids: Vec<u32>,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Processes {
    /// Starts a region and waits until it listens. What it says later, and its end, goes to `said`.
    pub(super) async fn start(
        &mut self,
        region: &'static Region,
        guide: &Guide,
        said: mpsc::Sender<String>,
    ) -> io::Result<()> {
        let mut child = Command::new(env::current_exe()?)
            .args(guide.region_args(region))
            .arg("--tied")
            // The pipe ends with this process, however it ends, and the region with the pipe.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C is the demo's business.
            .process_group(0)
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        let mut lines = BufReader::new(out).lines();
        if lines.next_line().await?.is_none() {
            return Err(io::Error::other(format!("it {}", ending(child.wait().await?))));
        }
        self.pids.extend(child.id());
        let again = guide.region_command(region);
        self.tasks.spawn(attend(region, child, lines, again, said, self.stop.subscribe()));
        Ok(())
    }

    /// Their numbers, in the order in which they were started.
    pub(super) fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// Ends them and returns when they have ended.
    pub(super) async fn end(mut self) {
        self.stop.send_replace(());
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Passes on what a region says until it ends, or until it is to end.
async fn attend(
    region: &'static Region,
    mut child: Child,
    mut lines: Lines<BufReader<ChildStdout>>,
    again: String,
    said: mpsc::Sender<String>,
    mut stop: watch::Receiver<()>,
) {
    loop {
        tokio::select! {
            // Said, or nobody there to say it: both are the end.
            _ = stop.changed() => break,
            line = lines.next_line() => match line {
                Ok(Some(line)) => drop(said.try_send(line)),
                _ => {
                    if let Ok(status) = child.wait().await {
                        let line = format!("{} {}; start it again: {again}", region.name, ending(status));
                        let _ = said.try_send(line);
                    }
                    return;
                }
            }
        }
    }
    drop(child.stdin.take());
    if time::timeout(PATIENCE, child.wait()).await.is_err() {
        // It has been killed when this returns; there is nothing more to do about one that cannot be.
        let _ = child.kill().await;
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (_, Some(code)) => format!("has ended with exit code {code}"),
        _ => "has ended".into(),
    }
}
