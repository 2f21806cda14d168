//! How a verb ends: its exit code, and what is said where it could not run.

use std::{io::Write, process::ExitCode};

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

/// Says why a verb could not run. The exit is the same if nothing reads it.
pub(super) fn fail(err: &mut dyn Write, why: &str) -> Exit {
    let _ = writeln!(err, "error: {why}");
    Exit::Failed
}
