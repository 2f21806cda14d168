//! `meridian demo`: the real server and prober on loopback, in front of three regions that can be broken. With
//! `--region` it is one of these regions. Must not know what the server does with its configuration.

mod guide;
mod processes;
mod regions;
mod say;
mod stand_in;
mod taken;

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
};

use tokio::sync::{broadcast, mpsc};

use self::{
    guide::Guide,
    processes::{Knot, Processes, Tie},
    regions::{DemoFolder, REGIONS, Region},
    say::say,
    taken::Holder,
};
use super::{
    exit::{Exit, fail},
    serve::{PATIENCE, read},
};
use crate::{
    app::{self, App, Ended, Refusal, Signals},
    clock::Clock,
    engine::types::{At, Millis},
    node::change::Change,
};

/// Shows the whole server on this machine: three regions to break and to heal, and questions to ask with dig.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Where the demo's DNS server listens, for UDP and TCP.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = regions::LISTEN)]
    listen: SocketAddr,
    /// The HTTP port of the three regions, each on its own loopback address.
    #[arg(long, value_name = "PORT", default_value_t = regions::REGION_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    region_port: u16,
    /// Only be this region: us-east, eu-west or ap-south. Starts one again that was killed.
    #[arg(long, value_name = "NAME", value_parser = regions::find, conflicts_with = "listen")]
    region: Option<&'static Region>,
    /// End when standard input ends: how the demo's own regions end with it.
    #[arg(long, hide = true, requires = "region")]
    tied: bool,
}

/// 0 when a signal ended it, 1 when a second one cut that short, 2 when it could not start.
pub(super) fn run(args: &Demo, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(err, &format!("the demo cannot start: {error}")),
    };
    let exit = match args.region {
        Some(region) => runtime.block_on(stand_in::run(region, args.region_port, args.tied, out, err)),
        None => runtime.block_on(demo(args, out, err)),
    };
    // A read of standard input cannot be called off.
    runtime.shutdown_timeout(PATIENCE);
    exit
}

async fn demo(args: &Demo, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let signals = match Signals::of_terminal() {
        Ok(signals) => signals,
        Err(error) => return fail(err, &format!("signals cannot be heard: {error}")),
    };
    say(out, &format!("meridian {}: the demo starts its regions and its server.\n\n", env!("CARGO_PKG_VERSION")));
    // Before the first region starts, so that any that is started by hand finds it.
    let knot = match Knot::new(args.region_port) {
        Ok(knot) => Some(tokio::spawn(knot.hold())),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return fail(err, &another(args)),
        // Without it a region that is started by hand has to be ended by hand.
        Err(_) => None,
    };
    let folder = match DemoFolder::unpack(args.listen, args.region_port) {
        Ok(folder) => folder,
        Err(error) => return fail(err, &format!("the demo's files cannot be unpacked: {error}")),
    };
    let Some(config) = read(&folder.config(), err) else { return Exit::Failed };
    let guide = Guide::new(args.listen, args.region_port);
    // As many lines as a person can read; a region that says more waits.
    let (said, mut lines) = mpsc::channel(16);
    let mut processes = Processes::default();
    for region in &REGIONS {
        if let Err(error) = processes.start(region, &guide, said.clone()).await {
            processes.end().await;
            return fail(err, &format!("region {} cannot be started: {error}", region.name));
        }
    }
    let exit = match App::start(config, &folder.config(), None).await {
        Ok(mut app) => {
            // All since the start: what the first probes found is shown too, however soon it came.
            let (mut changes, clock) = (app.changes(), app.clock());
            say(out, &guide.text(processes.pids()));
            let serving = app.run(signals);
            tokio::pin!(serving);
            loop {
                tokio::select! {
                    ended = &mut serving => break match ended {
                        Ended::Drained => Exit::Fine,
                        Ended::Cut => Exit::Finding,
                    },
                    Some(line) = lines.recv() => say(out, &stamped(clock.now().since(clock.started()), &line)),
                    Some((at, line)) = next(&mut changes, clock) => say(out, &stamped(at.since(clock.started()), &line)),
                }
            }
        }
        Err(Refusal::Sockets(error)) => {
            let by = Holder::of(args.listen).map_or(String::new(), |holder| format!("; it is taken by {holder}"));
            fail(err, &format!("{error}{by}; choose another with --listen, as in --listen {}", beside(args.listen)))
        }
        Err(refusal) => fail(err, &refusal.to_string()),
    };
    processes.end().await;
    if let Some(knot) = knot {
        knot.abort();
    }
    match folder.remove() {
        Ok(()) => exit,
        Err(error) => fail(err, &format!("the demo's files are left behind: {error}")),
    }
}

/// The next port at the same address.
fn beside(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024))
}

/// What to say when another demo uses this port for its regions.
fn another(args: &Demo) -> String {
    let demo = Tie::to(args.region_port).and_then(|tie| tie.demo);
    let demo = demo.map_or("another demo".into(), |pid| format!("another demo (process {pid}; `kill {pid}` ends it)"));
    format!(
        "port {port} of the regions is taken by {demo}; end it, or choose other ports, as in --listen {} --region-port {}",
        beside(args.listen),
        args.region_port.wrapping_add(1).max(1024),
        port = args.region_port,
    )
}

/// The next change as a line, with its moment; none when there are no more.
async fn next(changes: &mut broadcast::Receiver<Arc<Change>>, clock: Clock) -> Option<(At, String)> {
    let received = changes.recv().await;
    match received {
        Ok(change) => {
            let at = if let Change::Verdict(verdict) = &*change { verdict.at } else { clock.now() };
            Some((at, change.to_string()))
        }
        Err(broadcast::error::RecvError::Lagged(missed)) => {
            Some((clock.now(), format!("({missed} changes were not shown)")))
        }
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// A line with its moment, in seconds since the server's start.
fn stamped(Millis(since): Millis, line: &str) -> String {
    format!("[{}.{} s] {line}\n", since / 1000, since % 1000 / 100)
}
