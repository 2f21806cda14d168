//! A scenario being played: each line is told to a simulation, and what comes of it is told to people.

use std::path::{Path, PathBuf};

use super::{
    inline,
    line::Fault,
    line::{Count, Line, Written},
    played::{Finding, Said, told},
    wording,
};
use crate::sim::{Ask, Asked, Expectation, Missed, Refusal, Simulation};

/// A scenario, as far as it has been played.
#[derive(Debug)]
pub(super) struct Play {
    scenario: PathBuf,
    files: Vec<(String, String)>,
    /// The configuration in force, as it is written.
    written: Option<Written>,
    /// There is none, for its faults: nothing more is played.
    pub(super) is_over: bool,
    simulation: Simulation,
    pub(super) expectations: usize,
    pub(super) questions: Vec<Said>,
    pub(super) findings: Vec<Finding>,
}

impl Play {
    pub(super) fn new(scenario: &Path) -> Self {
        Self {
            scenario: scenario.to_owned(),
            files: Vec::new(),
            written: None,
            is_over: false,
            simulation: Simulation::default(),
            expectations: 0,
            questions: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Plays one line.
    pub(super) fn take(&mut self, number: usize, line: Line) {
        self.expectations += usize::from(matches!(line, Line::Expect(_) | Line::Count(_)));
        if let Err(fault) = self.line(number, line) {
            self.findings.push(told(number, fault));
        }
    }

    fn line(&mut self, number: usize, line: Line) -> Result<(), Fault> {
        match line {
            Line::File(name, text) => {
                self.files.retain(|(known, _)| *known != name);
                self.files.push((name, text));
            }
            Line::Config(written) => self.begin(&written)?,
            Line::Reload(written) => self.reload(written)?,
            Line::Restart => self.restart()?,
            Line::At(moment) => self.simulation.go_to(moment)?,
            Line::Pass(long) => self.simulation.go_to(self.simulation.now().saturating_add(long.0))?,
            Line::Happens(what) => self.simulation.happen(what)?,
            Line::Ask(ask) => self.ask(number, ask)?,
            Line::Expect(expectation) => self.expect(number, &expectation)?,
            Line::Count(count) => self.count(number, &count)?,
            Line::Remember(blocks) => self.simulation.remember(&blocks)?,
        }
        Ok(())
    }

    fn begin(&mut self, written: &Written) -> Result<(), Fault> {
        if self.simulation.is_configured() {
            return Err(Refusal::Configured.into());
        }
        self.is_over = true;
        let configuration = inline::load(&self.scenario, written, &self.files)?;
        self.simulation.begin(configuration)?;
        self.is_over = false;
        self.written = Some(written.clone());
        Ok(())
    }

    fn reload(&mut self, written: Option<Written>) -> Result<(), Fault> {
        let written = written.or_else(|| self.written.clone()).filter(|_| self.simulation.is_configured());
        let written = written.ok_or(Refusal::NoConfiguration)?;
        let configuration = inline::load(&self.scenario, &written, &self.files)?;
        self.simulation.reload(configuration)?;
        self.written = Some(written);
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Fault> {
        let written = self.written.as_ref().ok_or(Refusal::NoConfiguration)?;
        let configuration = inline::load(&self.scenario, written, &self.files)?;
        Ok(self.simulation.restart(configuration)?)
    }

    fn ask(&mut self, number: usize, ask: Ask) -> Result<(), Fault> {
        let question = wording::question(&ask);
        let Asked { answer, because, timings } = self.simulation.ask(ask, number as u64)?;
        self.questions.push(Said {
            line: number,
            at: self.simulation.now(),
            question,
            answer: answer.as_ref().map_or("silence".into(), wording::answer),
            because,
            timings,
        });
        Ok(())
    }

    fn expect(&mut self, number: usize, expectation: &Expectation) -> Result<(), Fault> {
        if let Some(Missed { unmet, got, because }) = self.simulation.expect(expectation)? {
            let expected = wording::unmet(expectation, &unmet);
            let got = got.as_ref().map_or("silence: not ready".into(), wording::answer);
            self.findings.push(Finding::Failed { line: number, expected, got, because });
        }
        Ok(())
    }

    fn count(&mut self, number: usize, Count { times, blocks, fare }: &Count) -> Result<(), Fault> {
        let count = self.simulation.count(blocks, fare)?;
        if !times.contains(&count) {
            let (low, high) = (times.start(), times.end());
            let times = if low == high { low.to_string() } else { format!("{low}-{high}") };
            let expected = format!("{times} of {}", wording::fare(blocks, fare));
            self.findings.push(Finding::Failed { line: number, expected, got: count.to_string(), because: Vec::new() });
        }
        Ok(())
    }
}
