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
    /// The draw that spreads the second probe over an interval, until it is used: all later ones keep that phase.
    phase: Option<u64>,
}

impl Schedule {
    /// The schedule of a target that was never probed, from two draws, and the milliseconds to its first probe.
    pub(super) fn start(rhythm: &Rhythm, [first, phase]: [u64; 2]) -> (Self, u64) {
        (Self { record: Record::default(), phase: Some(phase) }, first % rhythm.interval.clamp(1, START))
    }

    /// Takes in what the last probe found.
    pub(super) fn observe(&mut self, rhythm: &Rhythm, at: At, outcome: Outcome) {
        self.record.observe(rhythm, &Calm::NONE, at, outcome);
    }

    /// Milliseconds from the start of the last probe to the start of the next.
    pub(super) fn wait(&mut self, rhythm: &Rhythm) -> u64 {
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

    const RHYTHM: Rhythm = Rhythm { interval: 1000, timeout: 800, recheck: 200, fall: 3, rise: 2 };

    fn waits(draws: [u64; 2], rhythm: &Rhythm, outcomes: &str) -> Vec<u64> {
        let (mut schedule, first) = Schedule::start(rhythm, draws);
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
    fn probes_hurry_while_health_is_in_question() {
        assert_eq!(waits([0, 500], &RHYTHM, "gbbbgbgg"), [0, 700, 200, 200, 1000, 200, 1000, 200, 1000]);
    }
}
