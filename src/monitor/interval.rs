//! When the next probe of a target is due. Pure: chance and outcomes are arguments.

use super::plan::{Beat, Judge};
use crate::engine::{
    health::fold::{Health, Outcome, Record},
    types::{At, Millis},
};

/// First probes are spread over so long at most, so that a start learns quickly what is up.
const START: Millis = Millis(200);

/// The schedule of one target. It counts the outcomes as the ledger does, by the rules of each of its judges, to know
/// when health is in question.
#[derive(Debug)]
pub(super) struct Schedule {
    views: Vec<View>,
    /// The wait for the first probe, until that has ended: no other rhythm makes it longer.
    first: Option<Millis>,
    /// The draw that spreads the second probe over an interval, until it is used: all later ones keep that phase.
    phase: Option<u64>,
}

/// What one judge thinks of the target.
#[derive(Clone, Debug)]
struct View {
    monitor: Box<str>,
    record: Record,
    /// What it would be, had it come up when something kept it down: the ledger may have let it back, for an operator
    /// or because it was not taken for down. It is gone once both say the same.
    let_back: Option<Box<Record>>,
}

/// Two draws of a target, so that targets are not probed all at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    /// When its first probe begins.
    pub(super) first: u64,
    /// Where in the interval its probes stand from then on.
    pub(super) phase: u64,
}

impl Schedule {
    /// The schedule of a target that this process has not probed, from what its judges know of it and two draws, and the
    /// wait for its first probe.
    pub(super) fn start(beat: &Beat, known: Vec<Record>, Draws { first, phase }: Draws) -> (Self, Millis) {
        let mut known = known.into_iter();
        let views = beat.judges.iter().map(|judge| View::of(judge, known.next().unwrap_or_default())).collect();
        let first = Millis(first % beat.rhythm.interval.clamp(Millis(1), START).0);
        (Self { views, first: Some(first), phase: Some(phase) }, first)
    }

    /// Other judges, from now on. Who has another monitor's name knows what the first one did, as in the ledger.
    pub(super) fn judge(&mut self, beat: &Beat) {
        let heir = |judge: &Judge| {
            let same = self.views.iter().find(|view| view.monitor == judge.monitor).or(self.views.first());
            same.map_or_else(|| View::of(judge, Record::default()), |view| view.to(judge))
        };
        self.views = beat.judges.iter().map(heir).collect();
    }

    /// Takes in what the last probe found.
    pub(super) fn observe(&mut self, beat: &Beat, at: At, outcome: &Outcome) {
        self.first = None;
        for (view, judge) in self.views.iter_mut().zip(&beat.judges) {
            view.observe(judge, at, outcome);
        }
    }

    /// From the start of the last probe, or before the first one of the task, to the start of the next.
    pub(super) fn wait(&mut self, beat: &Beat) -> Millis {
        if let Some(first) = self.first {
            return first.min(beat.rhythm.interval);
        }
        let waits = self.views.iter().zip(&beat.judges).map(|(view, judge)| view.next_in(judge));
        let (interval, recheck) = (beat.rhythm.interval, beat.rhythm.recheck);
        let regular = waits.fold(interval, Millis::min);
        match self.phase {
            // Somewhere in the interval, but no sooner than a recheck would come.
            Some(draw) if regular == interval => {
                self.phase = None;
                let earliest = recheck.min(regular);
                earliest.plus(Millis(draw % (regular.minus(earliest).0 + 1)))
            }
            _ => regular,
        }
    }
}

impl View {
    /// Evidence is the ledger's business.
    fn of(judge: &Judge, record: Record) -> Self {
        let record = Record { evidence: Default::default(), ..record };
        let let_back = is_kept(&record, judge).then(|| Box::new(released(&record, judge)));
        Self { monitor: judge.monitor.clone(), record, let_back }
    }

    fn to(&self, judge: &Judge) -> Self {
        Self { monitor: judge.monitor.clone(), ..self.clone() }
    }

    fn observe(&mut self, judge: &Judge, at: At, outcome: &Outcome) {
        let Judge { rhythm, calm, .. } = judge;
        let could_rise = self.record.health != Health::Up && outcome.is_good() == Some(true);
        let back = could_rise.then(|| released(&self.record, judge));
        let turn = self.record.count(rhythm, calm, at, outcome);
        if let Some(back) = &mut self.let_back {
            back.count(rhythm, calm, at, outcome);
        }
        // A good outcome that turns it, but not up, or does not turn it where it has risen: something keeps it.
        let kept = turn.is_some() || self.let_back.is_none() && is_kept(&self.record, judge);
        if let Some(mut back) = back.filter(|_| kept) {
            back.count(rhythm, calm, at, outcome);
            self.let_back = Some(Box::new(back));
        }
        self.let_back.take_if(|back| back.health == self.record.health && back.health != Health::Unknown);
    }

    fn next_in(&self, Judge { rhythm, .. }: &Judge) -> Millis {
        let back = self.let_back.as_ref().map(|back| back.next_in(rhythm));
        back.into_iter().fold(self.record.next_in(rhythm), Millis::min)
    }
}

/// Whether it would be up if nothing kept it down.
fn is_kept(record: &Record, judge: &Judge) -> bool {
    record.health == Health::Down && record.good >= judge.rhythm.rise
}

fn released(record: &Record, judge: &Judge) -> Record {
    let mut back = record.clone();
    back.release(&judge.rhythm, back.since);
    back
}

#[cfg(test)]
mod tests;
