//! `meridian test`: scenarios, which are what an operator would recognise, as text with time in it, played against a
//! configuration. No sockets and no sleeping: probes are played by the monitors' own rhythm, what they find is folded
//! into the real Ledger, questions are answered by the real engine, so that every run of a scenario is the same.
//!
//! `docs/testing.md` has the lines that a scenario may hold. From text to `line`s by `read`; `play` tells them to a
//! simulation, and what comes of it in the words of `wording`.

mod inline;
mod line;
mod play;
mod played;
mod read;
mod render;
mod wording;
mod words;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

pub use self::played::{Finding, Played, Said};
use self::{
    line::{Fault, fault},
    played::told,
};
use super::exit::Exit;
use crate::config::unreadable::Unreadable;

/// Play scenarios: 0 when all came out as expected, 1 when an expectation failed, 2 when one could not be played.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// The scenarios.
    #[arg(required = true, value_name = "FILE.scn")]
    files: Vec<PathBuf>,
    /// Every question with its answer and its reasons.
    #[arg(short, long)]
    verbose: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<Exit> {
        let played: Vec<Played> = self.files.iter().map(|file| play_file(file)).collect();
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &render::Report::new(&played))?;
            writeln!(out)?;
        } else {
            render::write(&played, self.verbose, out)?;
        }
        let found = |is: fn(&Finding) -> bool| played.iter().flat_map(|played| &played.findings).any(is);
        Ok(match (found(Finding::is_fault), found(|_| true)) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Finding,
            (false, false) => Exit::Fine,
        })
    }
}

/// Octets of a scenario, at most.
const LARGEST: u64 = 64 << 20;

/// Reads a scenario and plays it.
#[must_use]
pub fn play_file(path: &Path) -> Played {
    match read_whole(path) {
        Ok(text) => play(path, &text),
        Err(Unreadable { cause, remedy }) => {
            let finding = Finding::Fault { line: 0, cause: format!("it cannot be read: {cause}"), remedy };
            Played { file: path.display().to_string(), expectations: 0, questions: Vec::new(), findings: vec![finding] }
        }
    }
}

/// A pipe would be waited for, and a device has no end.
fn read_whole(path: &Path) -> Result<String, Unreadable> {
    let unreadable = |error: &io::Error| Unreadable::of(path, error);
    let about = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if let Some(other) = Unreadable::kind(path, &about) {
        return Err(other);
    }
    if about.len() > LARGEST {
        let cause = format!("it is larger than {} MiB", LARGEST >> 20);
        return Err(Unreadable { cause, remedy: "name a scenario, a text file".to_owned() });
    }
    let octets = fs::read(path).map_err(|error| unreadable(&error))?;
    let text = String::from_utf8(octets).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|octet| **octet == b'\n').count() + 1;
        Unreadable { cause: format!("it is not UTF-8 from line {line} on"), remedy: "save it as UTF-8".to_owned() }
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Plays the text of a scenario that stands, or could stand, at `path`: files that it names are looked for beside that.
/// Nothing is played while a line cannot be read.
#[must_use]
pub fn play(path: &Path, text: &str) -> Played {
    let lines = read::read(text);
    let unreadable = lines.iter().filter_map(|(line, read)| Some((*line, read.as_ref().err()?.clone())));
    let unreadable: Vec<Finding> = capped(unreadable.collect());
    let mut played = play::Play::new(path);
    if unreadable.is_empty() {
        for (number, line) in lines.into_iter().filter_map(|(number, line)| Some((number, line.ok()?))) {
            if played.is_over {
                break;
            }
            played.take(number, line);
        }
    } else {
        played.findings = unreadable;
    }
    let play::Play { expectations, questions, findings, .. } = played;
    Played { file: path.display().to_string(), expectations, questions, findings }
}

/// The lines that cannot be read, the first of them each.
fn capped(found: Vec<(usize, Fault)>) -> Vec<Finding> {
    const MOST: usize = 100;
    let more = found.len().saturating_sub(MOST);
    let mut findings: Vec<Finding> = found.into_iter().take(MOST).map(|(line, fault)| told(line, fault)).collect();
    if more > 0 {
        let cause = format!("{more} more lines cannot be read");
        findings.push(told(0, fault(cause, "mend those above, then play it again")));
    }
    findings
}
