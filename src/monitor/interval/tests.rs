//! Waits after rows of outcomes, and the schedule held against what the ledger counts.

use proptest::prelude::*;

use super::*;
use crate::probing::{
    millis::Millis,
    monitor::{Calm, Flap, Rhythm},
};

const RHYTHM: Rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };

fn judge(monitor: &str, rhythm: Rhythm, calm: Calm) -> Judge {
    Judge { monitor: monitor.into(), rhythm, calm }
}

fn beat(rhythm: &Rhythm, calm: Calm) -> Beat {
    Beat { rhythm: *rhythm, judges: vec![judge("lb", *rhythm, calm)] }
}

fn outcome(letter: char) -> Outcome {
    match letter {
        'g' => Outcome::good(1),
        'b' => Outcome::Bad("status 503".into()),
        'n' => Outcome::NoRoute,
        _ => Outcome::Unasked("too many open files".into()),
    }
}

/// A second between one outcome and the next.
fn play(schedule: &mut Schedule, beat: &Beat, outcomes: &str) -> Vec<u64> {
    let steps = outcomes.chars().enumerate();
    let step = |(n, letter)| {
        schedule.observe(beat, At(n as u64 * 1000), &outcome(letter));
        schedule.wait(beat).0
    };
    steps.map(step).collect()
}

fn waits([first, phase]: [u64; 2], beat: &Beat, outcomes: &str) -> Vec<u64> {
    let (mut schedule, first) = Schedule::start(beat, Vec::new(), Draws { first, phase });
    let mut waits = vec![first.0];
    waits.append(&mut play(&mut schedule, beat, outcomes));
    waits
}

/// What the ledger knows after these outcomes.
fn known(calm: &Calm, outcomes: &str) -> Record {
    let mut record = Record::default();
    for letter in outcomes.chars() {
        record.observe(&RHYTHM, calm, At(0), outcome(letter));
    }
    record
}

#[test]
fn the_first_probe_comes_at_once_the_second_anywhere_the_others_in_step() {
    let beat = |rhythm| beat(rhythm, Calm::NONE);
    assert_eq!(waits([0, 0], &beat(&RHYTHM), "ggg"), [0, 200, 1000, 1000]);
    assert_eq!(waits([399, 800], &beat(&RHYTHM), "ggg"), [199, 1000, 1000, 1000]);
    assert_eq!(waits([401, 801], &beat(&RHYTHM), "bb"), [1, 200, 1000]);
    let short = Rhythm { interval: Millis(100), recheck: Millis(50), ..RHYTHM };
    assert_eq!(waits([199, 50], &beat(&short), "g"), [99, 100]);
}

#[test]
fn another_rhythm_does_not_put_off_the_first_probe() {
    let beat = |rhythm| beat(&rhythm, Calm::NONE);
    let (mut schedule, first) = Schedule::start(&beat(RHYTHM), Vec::new(), Draws { first: 150, phase: 700 });
    let slow = beat(Rhythm { interval: Millis(3_600_000), recheck: Millis(60_000), ..RHYTHM });
    assert_eq!((first, schedule.wait(&slow)), (Millis(150), Millis(150)));
    assert_eq!(schedule.wait(&beat(Rhythm { interval: Millis(100), recheck: Millis(50), ..RHYTHM })), Millis(100));
    schedule.observe(&slow, At(0), &Outcome::good(1));
    assert_eq!(schedule.wait(&slow), Millis(60_700), "the phase was not used up before");
}

#[test]
fn probes_hurry_while_health_is_in_question() {
    let beat = beat(&RHYTHM, Calm::NONE);
    assert_eq!(waits([0, 500], &beat, "gbbbgbgg"), [0, 700, 200, 200, 1000, 200, 1000, 200, 1000]);
}

#[test]
fn failures_add_up_by_the_rules_of_the_monitor() {
    let row = "gbgbgbg";
    let adding = beat(&RHYTHM, Calm { clear: 10, ..Calm::NONE });
    // The third bad one makes down, so nothing hurries until a good one comes.
    assert_eq!(waits([0, 800], &adding, row), [0, 1000, 200, 1000, 200, 1000, 1000, 200]);
    let forgetting = beat(&RHYTHM, Calm::NONE);
    assert_eq!(waits([0, 800], &forgetting, row), [0, 1000, 200, 1000, 200, 1000, 200, 1000]);
}

#[test]
fn what_is_held_down_hurries_no_more_than_once_it_may_be_back() {
    let held = beat(&RHYTHM, Calm { hold: Millis(60_000), ..Calm::NONE });
    // Down by the fourth, risen by the sixth and kept: a failure now is news only of who was let back.
    assert_eq!(waits([0, 800], &held, "gbbbggbbb"), [0, 1000, 200, 200, 1000, 200, 1000, 200, 200, 1000]);
}

#[test]
fn a_restored_verdict_is_doubted_like_any_other() {
    let beat = beat(&RHYTHM, Calm::usual(Millis(1000)));
    let after = |before: &str, outcomes: &str| {
        let (mut schedule, _) =
            Schedule::start(&beat, vec![known(&beat.judges[0].calm, before)], Draws { first: 0, phase: 500 });
        play(&mut schedule, &beat, outcomes)
    };
    // Who was up is rechecked at the first failure; of whom nothing is known the first outcome decides.
    assert_eq!(after("g", "bbb"), [200, 200, 700]);
    assert_eq!(after("", "bbb"), [700, 1000, 1000]);
    // Who was down is asked again soon when it answers, until it has risen.
    assert_eq!(after("b", "gg"), [200, 700]);
    assert_eq!(after("b", "b"), [700]);
    // What counted against it still does.
    assert_eq!(after("gbb", "b"), [700]);
}

#[test]
fn the_most_doubtful_judge_sets_the_pace() {
    let calm = Rhythm { fall: 3, ..RHYTHM };
    let hasty = Rhythm { fall: 1, interval: Millis(1500), recheck: Millis(300), ..RHYTHM };
    let judges = vec![judge("hasty", hasty, Calm::NONE), judge("calm", calm, Calm::NONE)];
    let beat = Beat { rhythm: RHYTHM, judges };
    // At once down for the one, in question for the other; then in question for the one, and up for the other.
    assert_eq!(waits([0, 800], &beat, "gbg"), [0, 1000, 200, 300]);
}

#[test]
fn another_configuration_finds_what_was_counted() {
    let one = beat(&RHYTHM, Calm::NONE);
    let (mut schedule, _) = Schedule::start(&one, Vec::new(), Draws { first: 0, phase: 800 });
    assert_eq!(play(&mut schedule, &one, "gb"), [1000, 200]);
    let judges = vec![judge("new", RHYTHM, Calm::NONE), judge("lb", RHYTHM, Calm::NONE)];
    let both = Beat { rhythm: RHYTHM, judges };
    schedule.judge(&both);
    assert_eq!(play(&mut schedule, &both, "bb"), [200, 1000], "down for both, for they asked the same");
}

fn calm() -> impl Strategy<Value = Calm> {
    (1u32..5, prop_oneof![Just(0), 1u64..20_000], any::<bool>(), prop_oneof![Just(0), 1000u32..4000]).prop_map(
        |(clear, hold, manual, suppress)| {
            let flap = Flap { suppress, reuse: suppress / 2, half_life: Millis(10_000) };
            Calm { clear, hold: Millis(hold), manual, flap }
        },
    )
}

proptest! {
    /// The wait is what the ledger's own record wants, and shorter only after something was kept down that may have been
    /// let back.
    #[test]
    fn probes_are_as_quick_as_the_ledger_wants(
        letters in "[gbnu]{0,80}", before in "[gb]{0,6}", fall in 1u32..5, rise in 1u32..5, calm in calm(),
    ) {
        let beat = beat(&Rhythm { fall, rise, ..RHYTHM }, calm);
        let rhythm = &beat.rhythm;
        let mut ledger = Record::default();
        for letter in before.chars() {
            ledger.observe(rhythm, &calm, At(0), outcome(letter));
        }
        let (mut schedule, _) = Schedule::start(&beat, vec![ledger.clone()], Draws { first: 0, phase: 0 });
        schedule.phase = None;
        let mut kept = ledger.health == Health::Down && ledger.good >= rise;
        for (n, letter) in letters.chars().enumerate() {
            let at = At(n as u64 * 700);
            ledger.observe(rhythm, &calm, at, outcome(letter));
            schedule.observe(&beat, at, &outcome(letter));
            kept |= schedule.views[0].let_back.is_some() || ledger.health != schedule.views[0].record.health;
            let (wanted, wait) = (ledger.next_in(rhythm), schedule.wait(&beat));
            prop_assert!(wait <= wanted, "{:?} instead of {:?}: {:?}, {:?}", wait, wanted, ledger, schedule);
            prop_assert!(kept || wait == wanted, "{:?} instead of {:?}", wait, wanted);
        }
    }
}
