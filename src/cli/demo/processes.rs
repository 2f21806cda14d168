//! The regions' processes: started from this very program, heard, and ended with the demo. Those that were started by
//! hand end with it too: each holds a connection to it, and the connection ends with the demo, however that ends. Its
//! socket has a name and no file, so it leaves nothing behind. Must not know what the demo does.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            net::{SocketAddr, UnixListener as Listener, UnixStream as Stream},
            process::ExitStatusExt,
        },
    },
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    net::{UnixListener, UnixStream},
    process::{Child, ChildStdout, Command},
    sync::{mpsc, watch},
    task::JoinSet,
    time,
};

use super::{guide::Guide, regions::Region};

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
            // Said, or the sender is gone: both are the end.
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

/// The demo's end of the ties. Dropped, it ends them all.
#[derive(Debug)]
pub(super) struct Knot(UnixListener);

/// A region's end of the tie.
#[derive(Debug)]
pub(super) struct Tie {
    stream: UnixStream,
    /// The demo's process.
    pub(super) demo: Option<i32>,
}

/// One name for each region port, which only one demo can use.
fn name(region_port: u16) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("meridian-demo-{region_port}"))
}

impl Knot {
    /// Wants a tokio runtime.
    ///
    /// # Errors
    /// When another demo uses this port for its regions, which is `AddrInUse`, or there are no such sockets.
    pub(super) fn new(region_port: u16) -> io::Result<Self> {
        let listener = Listener::bind_addr(&name(region_port)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self(UnixListener::from_std(listener)?))
    }

    /// Holds every connection until this is dropped.
    pub(super) async fn hold(self) {
        let mut ties = JoinSet::new();
        loop {
            tokio::select! {
                Ok((mut stream, _)) = self.0.accept() => {
                    // A region says nothing: what is read is its end.
                    ties.spawn(async move { while stream.read(&mut [0; 16]).await.is_ok_and(|count| count > 0) {} });
                }
                Some(_) = ties.join_next() => {}
            }
        }
    }
}

impl Tie {
    /// To the demo that uses this port for its regions; none: there is no demo. Wants a tokio runtime.
    pub(super) fn to(region_port: u16) -> Option<Self> {
        let stream = Stream::connect_addr(&name(region_port).ok()?).ok()?;
        stream.set_nonblocking(true).ok()?;
        let stream = UnixStream::from_std(stream).ok()?;
        let demo = stream.peer_cred().ok().and_then(|process| process.pid());
        Some(Self { stream, demo })
    }

    /// Returns when the demo has ended.
    pub(super) async fn ended(&mut self) {
        while self.stream.read(&mut [0; 16]).await.is_ok_and(|count| count > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tie_ends_with_the_demo_and_a_second_demo_is_refused() {
        // No port of a demo: port 0 is never one.
        assert!(Tie::to(0).is_none(), "there is no demo");
        let knot = Knot::new(0).expect("a socket");
        assert_eq!(Knot::new(0).map_err(|error| error.kind()).err(), Some(io::ErrorKind::AddrInUse));
        let demo = tokio::spawn(knot.hold());
        let mut tie = Tie::to(0).expect("a tie");
        assert_eq!(tie.demo.and_then(|pid| u32::try_from(pid).ok()), Some(std::process::id()));
        demo.abort();
        tie.ended().await;
        // Its socket goes with the task, which has been dropped when this returns.
        assert!(demo.await.is_err_and(|end| end.is_cancelled()));
        assert!(Tie::to(0).is_none());
    }
}
