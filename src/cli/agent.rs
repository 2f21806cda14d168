//! `meridian agent`: samples of round-trip times from the kernel of the machine that serves a region's clients.

use std::{
    io,
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    exit::{Exit, fail},
    serve::PATIENCE,
};
use crate::{
    app::{
        self, Signals,
        agent::{self, Lines, Look, Wanted},
    },
    config::{
        self, QuantityError,
        unreadable::{Unreadable, unwritable},
    },
    engine::types::Millis,
};

/// Reads the round-trip times of established TCP connections to a port from the kernel, and writes them as JSON lines, put
/// together by client prefix (/24 and /48). No client address leaves it. Run it where the connections of clients end.
#[derive(Debug, clap::Args)]
pub(super) struct Agent {
    /// The port that clients connect to.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The region's name, as the configuration of the servers has it.
    #[arg(long, value_parser = name)]
    region: String,
    /// How often it looks.
    #[arg(long, default_value = "10s", value_parser = interval, value_name = "TIME")]
    interval: Duration,
    /// Only connections to this address of the machine.
    #[arg(long, value_name = "ADDRESS")]
    vip: Option<IpAddr>,
    /// The file that lines are added to; `-`: standard output.
    #[arg(long, default_value = "-", value_name = "FILE")]
    to: PathBuf,
    /// Tell private, loopback and other special-purpose addresses too.
    #[arg(long)]
    include_private: bool,
    /// How many prefixes are told at most, each time.
    #[arg(long, default_value_t = 100_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_prefixes: u32,
}

/// 0 when a signal ended it or nobody reads any more, 2 when it could not run.
pub(super) fn run(args: Agent, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(err, &format!("the agent cannot start: {error}")),
    };
    let exit = runtime.block_on(watch(args, out, err));
    runtime.shutdown_timeout(PATIENCE);
    exit
}

async fn watch(args: Agent, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let mut signals = match Signals::of_server() {
        Ok(signals) => signals,
        Err(error) => return fail(err, &format!("signals cannot be heard: {error}")),
    };
    let mut file = match args.to.to_str() {
        Some("-") => None,
        _ => match Lines::open(args.to.clone()) {
            Ok(lines) => Some(lines),
            Err(error) => return fail(err, &unwritten(&args.to, &error, "")),
        },
    };
    let wanted = Wanted {
        port: args.port,
        vip: args.vip.map(|vip| vip.to_canonical()),
        region: args.region,
        private: args.include_private,
        max_prefixes: args.max_prefixes as usize,
        recent: u64::try_from(args.interval.as_millis()).map_or(Millis::MAX, Millis),
    };
    let (most, to) = (args.max_prefixes, args.to);
    let mut complained = false;
    let take = |lines: &str, look: &Look| {
        // What cannot be said is not said; the agent goes on.
        if look.left_out > 0 {
            let left = look.left_out;
            let _ = writeln!(
                err,
                "{left} connections are left out: they are of more than {most} prefixes (--max-prefixes)"
            );
        }
        let Some(file) = &mut file else { return out.write_all(lines.as_bytes()).and_then(|()| out.flush()) };
        match file.add(lines) {
            Ok(()) => complained = false,
            Err(error) => {
                if !std::mem::replace(&mut complained, true) {
                    let _ = writeln!(err, "{}", unwritten(&to, &error, ", samples are lost"));
                }
            }
        }
        Ok(())
    };
    let done = agent::run(&wanted, args.interval, &mut signals, take).await;
    match done {
        Ok(()) => Exit::Fine,
        // Whoever read has gone.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
        Err(error) => fail(err, &format!("the agent ends: {error}")),
    }
}

/// What is wrong with an argument.
#[derive(Debug, thiserror::Error)]
enum ArgumentError {
    #[error(transparent)]
    Duration(#[from] QuantityError),
    #[error("from 100ms to 1h")]
    Interval,
    #[error("1 to 63 letters, digits, `-`, `_` or `.`")]
    Name,
}

fn interval(text: &str) -> Result<Duration, ArgumentError> {
    let every = Duration::from_micros(config::duration(text)?);
    if every < Duration::from_millis(100) || every > Duration::from_secs(3600) {
        return Err(ArgumentError::Interval);
    }
    Ok(every)
}

fn name(text: &str) -> Result<String, ArgumentError> {
    let good = (1..=63).contains(&text.len())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
    if good { Ok(text.to_owned()) } else { Err(ArgumentError::Name) }
}

fn unwritten(to: &Path, error: &io::Error, lost: &str) -> String {
    let Unreadable { cause, remedy } = unwritable(to, error, "name another file with --to");
    format!("cannot write {}{lost}: {cause}; {remedy}", to.display())
}
