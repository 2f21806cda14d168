//! When the next probe of a target is due. Pure: chance and outcomes are arguments.

use crate::engine::{
    health::{
        fold::Record,
        monitor::{Calm, Outcome, Rhythm},
    },
    types::At,
};

/// First probes are spread over this many milliseconds at most, so that a start learns quickly what is up.
const START: u64 = 200;

/// The schedule of one target. It folds the outcomes as the ledger does, to know when health is in question.
#[derive(Debug)]
pub(super) struct Schedule {
    record: Record,
    /// The wait for the first probe, until that has ended: no other rhythm makes it longer.
    first: Option<u64>,
    /// The draw that spreads the second probe over an interval, until it is used: all later ones keep that phase.
    phase: Option<u64>,
}

impl Schedule {
    /// The schedule of a target that this process has not probed, from what the ledger knows of it and two draws, and the
    /// milliseconds to its first probe.
    pub(super) fn start(rhythm: &Rhythm, record: Record, [first, phase]: [u64; 2]) -> (Self, u64) {
        let first = first % rhythm.interval.clamp(1, START);
        (Self { record, first: Some(first), phase: Some(phase) }, first)
    }

    /// Takes in what the last probe found.
    pub(super) fn observe(&mut self, rhythm: &Rhythm, at: At, outcome: Outcome) {
        self.first = None;
        self.record.observe(rhythm, &Calm::NONE, at, outcome);
    }

    /// Milliseconds from the start of the last probe, or before the first one of the task, to the start of the next.
    pub(super) fn wait(&mut self, rhythm: &Rhythm) -> u64 {
        if let Some(first) = self.first {
            return first.min(rhythm.interval);
        }
        let regular = self.record.next_in(rhythm);
        match self.phase {
            // Somewhere in the interval, but no sooner than a recheck would come.
            Some(draw) if regular == rhythm.interval => {
                self.phase = None;
                let earliest = rhythm.recheck.min(regular);
                earliest + draw % (regular - earliest + 1)
            }
            _ => regular,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::health::fold::Health;

    const RHYTHM: Rhythm = Rhythm { interval: 1000, timeout: 800, recheck: 200, fall: 3, rise: 2 };

    fn waits(draws: [u64; 2], rhythm: &Rhythm, outcomes: &str) -> Vec<u64> {
        let (mut schedule, first) = Schedule::start(rhythm, Record::default(), draws);
        let mut waits = vec![first];
        for letter in outcomes.chars() {
            let outcome = if letter == 'g' { Outcome::good(1) } else { Outcome::Bad("status 503".into()) };
            schedule.observe(rhythm, At(0), outcome);
            waits.push(schedule.wait(rhythm));
        }
        waits
    }

    #[test]
    fn the_first_probe_comes_at_once_the_second_anywhere_the_others_in_step() {
        assert_eq!(waits([0, 0], &RHYTHM, "ggg"), [0, 200, 1000, 1000]);
        assert_eq!(waits([399, 800], &RHYTHM, "ggg"), [199, 1000, 1000, 1000]);
        assert_eq!(waits([401, 801], &RHYTHM, "bb"), [1, 200, 1000]);
        let short = Rhythm { interval: 100, recheck: 50, ..RHYTHM };
        assert_eq!(waits([199, 50], &short, "g"), [99, 100]);
    }

    #[test]
    fn another_rhythm_does_not_put_off_the_first_probe() {
        let (mut schedule, first) = Schedule::start(&RHYTHM, Record::default(), [150, 700]);
        let slow = Rhythm { interval: 3_600_000, recheck: 60_000, ..RHYTHM };
        assert_eq!((first, schedule.wait(&slow)), (150, 150));
        assert_eq!(schedule.wait(&Rhythm { interval: 100, recheck: 50, ..RHYTHM }), 100);
        schedule.observe(&slow, At(0), Outcome::good(1));
        assert_eq!(schedule.wait(&slow), 60_700, "the phase was not used up before");
    }

    /// The ledger counts on from what was restored; a schedule that knew nothing of it would take one failure of who was
    /// up for a first verdict, and see nothing left to hurry for.
    #[test]
    fn what_was_known_before_is_in_question_as_the_ledger_has_it() {
        let then = |health, outcome| {
            let record = Record { health, ..Record::default() };
            let (mut schedule, _) = Schedule::start(&RHYTHM, record, [0, 500]);
            schedule.observe(&RHYTHM, At(0), outcome);
            schedule.wait(&RHYTHM)
        };
        let bad = || Outcome::Bad("status 503".into());
        assert_eq!(then(Health::Up, bad()), 200);
        assert_eq!(then(Health::Down, Outcome::good(1)), 200);
        assert_eq!(then(Health::Unknown, bad()), 700);
        assert_eq!(then(Health::Down, bad()), 700);
    }

    #[test]
    fn probes_hurry_while_health_is_in_question() {
        assert_eq!(waits([0, 500], &RHYTHM, "gbbbgbgg"), [0, 700, 200, 200, 1000, 200, 1000, 200, 1000]);
    }
}
