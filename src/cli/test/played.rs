//! What came of playing a scenario, for people and for programs. Must not know how it was played.

use serde::Serialize;

use super::line::Fault;

/// What came of playing one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// The scenario's file.
    pub file: String,
    /// How many expectations there were.
    pub expectations: usize,
    /// Every question with its answer.
    pub questions: Vec<Said>,
    /// What is wrong, in the order of lines.
    pub findings: Vec<Finding>,
}

/// A question with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// The line in the scenario, from 1.
    pub line: usize,
    /// When, in milliseconds of the scenario's time.
    pub at: u64,
    /// Name, type, client.
    pub question: String,
    /// What came back.
    pub answer: String,
    /// Why, in the words of `because`.
    pub because: Vec<String>,
    /// How long the probes of those endpoints took that were compared by it.
    pub timings: Vec<String>,
}

/// One thing that is wrong, with its line in the scenario, from 1.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Finding {
    /// An expectation failed.
    Failed {
        /// The line.
        line: usize,
        /// What was expected.
        expected: String,
        /// What came instead.
        got: String,
        /// Why it came, in the words of `because`.
        because: Vec<String>,
    },
    /// The line could not be played.
    Fault {
        /// The line; 0: the whole file.
        line: usize,
        /// Why.
        cause: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Finding {
    pub(super) fn is_fault(&self) -> bool {
        matches!(self, Self::Fault { .. })
    }
}

/// A line that cannot be played, as a finding.
pub(super) fn told(line: usize, Fault { cause, remedy }: Fault) -> Finding {
    Finding::Fault { line, cause, remedy }
}
