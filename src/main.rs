//! The front door: arguments to a verb, its exit to the shell.

use std::{io, process::ExitCode};

use clap::Parser;
use meridian::cli::{self, Args};

fn main() -> ExitCode {
    cli::run(Args::parse(), &mut io::stdout(), &mut io::stderr()).into()
}
