//! `meridian check`: reads a configuration as `serve` would, and tells everything that is wrong with it. Opens no socket
//! and writes no file.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use super::Exit;
use crate::config::{self, report};

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
        let loaded = if self.lint { config::lint(&self.config) } else { config::load(&self.config) };
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
