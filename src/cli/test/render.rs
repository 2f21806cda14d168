//! What came of scenarios, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::played::{Finding, Played};

/// All that was played, as a program reads it.
#[derive(Debug, Serialize)]
pub(super) struct Report<'p> {
    scenarios: &'p [Played],
    expectations: usize,
    failed: usize,
    faults: usize,
}

impl<'p> Report<'p> {
    pub(super) fn new(played: &'p [Played]) -> Self {
        let findings = || played.iter().flat_map(|played| &played.findings);
        let faults = findings().filter(|finding| finding.is_fault()).count();
        let expectations = played.iter().map(|played| played.expectations).sum();
        Self { scenarios: played, expectations, failed: findings().count() - faults, faults }
    }
}

/// A line for each finding, and one that counts them; with every question and its answer when `verbose`.
pub(super) fn write(played: &[Played], verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for played in played {
        let mut findings = played.findings.iter().peekable();
        for said in played.questions.iter().filter(|_| verbose) {
            while let Some(finding) = findings.next_if(|finding| finding.line() < said.line) {
                writeln!(out, "{}", in_words(&played.file, finding))?;
            }
            writeln!(out, "{}:{}: at {}, {}", played.file, said.line, clock(said.at), said.question)?;
            writeln!(out, "    {}, because {}", said.answer, said.because.join(", "))?;
            said.timings.iter().try_for_each(|timing| writeln!(out, "    {timing}"))?;
        }
        for finding in findings {
            writeln!(out, "{}", in_words(&played.file, finding))?;
        }
    }
    let report = Report::new(played);
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let scenarios = plural(played.len(), "scenario");
    let expectations = plural(report.expectations, "expectation");
    match (report.failed, report.faults) {
        (0, 0) => writeln!(out, "{scenarios}, {expectations}: all as expected"),
        (failed, 0) => writeln!(out, "{scenarios}, {expectations}: {failed} failed"),
        (failed, faults) => {
            writeln!(out, "{scenarios}, {expectations}: {failed} failed, {}", plural(faults, "fault"))
        }
    }
}

/// A moment as people write it.
fn clock(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// A finding on one line, but for what a configuration's own faults need.
fn in_words(file: &str, finding: &Finding) -> String {
    match finding {
        Finding::Failed { line, expected, got, because } if because.is_empty() => {
            format!("{file}:{line}: expected {expected}, got {got}")
        }
        Finding::Failed { line, expected, got, because } => {
            format!("{file}:{line}: expected {expected}, got {got}, because {}", because.join(", "))
        }
        Finding::Fault { line: 0, cause, remedy } => format!("{file}: {cause}; {remedy}"),
        Finding::Fault { line, cause, remedy } => format!("{file}:{line}: {cause}; {remedy}"),
    }
}

impl Finding {
    fn line(&self) -> usize {
        match self {
            Self::Failed { line, .. } | Self::Fault { line, .. } => *line,
        }
    }
}

impl std::fmt::Display for Played {
    /// Its findings, a line each.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{}", in_words(&self.file, finding)))
    }
}
