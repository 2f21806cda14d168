//! The command line: verbs, rendering for people, exit codes. Must not know how rooms work inside.

mod agent;
mod demo;
mod exit;
mod explain;
mod folder;
mod geo;
mod serve;
pub mod test;

use std::{
    io::{self, Write},
    path::Path,
};

use clap::{Parser, Subcommand};

pub use exit::Exit;
use exit::fail;

/// A GSLB authoritative DNS server.
#[derive(Debug, Parser)]
#[command(name = "meridian", version, about)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Serve),
    Check(serve::Check),
    Explain(explain::Explain),
    Test(test::Test),
    Geo(geo::Geo),
    Demo(demo::Demo),
    Agent(agent::Agent),
}

/// Runs what the arguments ask for.
pub fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let done = match args.verb {
        Verb::Serve(serve) => Ok(serve::run(&serve, err)),
        Verb::Check(check) => check.run(out),
        Verb::Explain(explain) => explain.run(out, err),
        Verb::Test(test) => test.run(out),
        Verb::Geo(geo) => Ok(geo::run(geo, places, out, err)),
        Verb::Demo(demo) => Ok(demo::run(&demo, out, err)),
        Verb::Agent(agent) => Ok(agent::run(agent, out, err)),
    };
    done.unwrap_or_else(|error| {
        // Whoever reads may close the pipe early; there is then nobody to tell.
        if error.kind() == io::ErrorKind::BrokenPipe { Exit::Failed } else { fail(err, &error.to_string()) }
    })
}

/// Where addresses and regions are, by a configuration; what is wrong with it is told to `err`.
fn places(path: &Path, err: &mut dyn Write) -> Result<geo::Places, Exit> {
    let config = serve::read(path, err).ok_or(Exit::Failed)?;
    Ok(geo::Places::of(config.draft))
}
