//! The command line: one verb a file, rendering for people, exit codes. Must not know how rooms work inside.

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

pub mod geo;

/// What a verb ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine,
    /// It ran and found something.
    Finding,
    /// It could not run.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Finding => 1,
            Exit::Failed => 2,
        })
    }
}

/// A GSLB authoritative DNS server.
#[derive(Debug, Parser)]
#[command(name = "meridian", version, about)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {}

/// Runs what the arguments ask for.
pub fn run(args: Args, _out: &mut dyn Write, _err: &mut dyn Write) -> Exit {
    match args.verb {}
}
