//! Rows of outcomes and the verdicts after them.

use proptest::prelude::*;

use super::*;

const RHYTHM: Rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
const NO_FLAP: Flap = Flap { suppress: 0, ..Calm::NONE.flap };
const FLAP: Flap = Flap { suppress: 2000, reuse: 1000, half_life: Millis(10_000) };

fn outcome(letter: char) -> Outcome {
    match letter {
        'g' => Outcome::good(1000),
        'b' => Outcome::Bad("connection refused".into()),
        'n' => Outcome::NoRoute,
        'u' => Outcome::Unasked("too many open files".into()),
        other => panic!("no outcome is called {other}"),
    }
}

fn letter(health: Health) -> char {
    match health {
        Health::Unknown => '?',
        Health::Up => 'U',
        Health::Down => 'D',
    }
}

/// Plays outcomes a second apart: g good, b bad, n no route, u unasked, and ! for an operator's word. Gives the verdict
/// after each: U, D or ?; in small letters where a recovery was kept from counting.
fn play(calm: &Calm, outcomes: &str) -> String {
    let mut record = Record::default();
    let step = |(i, what)| {
        let at = At(i as u64 * 1000);
        let turn = match what {
            '!' => record.release(&RHYTHM, at).and(None),
            what => record.observe(&RHYTHM, calm, at, outcome(what)),
        };
        let verdict = letter(record.health);
        if matches!(turn, Some(Turn::Kept(_))) { verdict.to_ascii_lowercase() } else { verdict }
    };
    outcomes.chars().enumerate().map(step).collect()
}

#[test]
fn verdicts_follow_rise_and_fall() {
    for (outcomes, verdicts) in [
        ("g", "U"),
        ("b", "D"),
        ("nnb", "??D"),
        ("nug", "??U"),
        ("gbbgbb", "UUUUUU"),
        ("gbbb", "UUUD"),
        ("gbbnub", "UUUUUD"),
        ("bgbgg", "DDDDU"),
        ("bgng", "DDDU"),
        ("gnnbnn", "UUUUUU"),
        ("gnunn", "UUUU?"),
        ("bnnnb", "DDD?D"),
        ("gbbnnnbg", "UUUUU?DD"),
        ("gbbbgg", "UUUDDU"),
    ] {
        assert_eq!(play(&Calm::NONE, outcomes), verdicts, "{outcomes}");
    }
}

#[test]
fn failures_add_up_until_enough_good_outcomes_forget_them() {
    let calm = Calm { clear: 3, ..Calm::NONE };
    for (outcomes, verdicts) in [
        ("gbgbgb", "UUUUUD"),
        ("gbggbggb", "UUUUUUUD"),
        ("gbggbgggbgb", "UUUUUUUUUUU"),
        ("gbgggbb", "UUUUUUU"),
        ("gbunbgnb", "UUUUUUUD"),
        ("gbbbggbb", "UUUDDUUU"),
    ] {
        assert_eq!(play(&calm, outcomes), verdicts, "{outcomes}");
    }
}

#[test]
fn a_hold_ends_with_the_first_good_outcome_after_it() {
    let calm = Calm { hold: Millis(5000), ..Calm::NONE };
    for (outcomes, verdicts) in [
        ("gbbbggggggg", "UUUDDdDDUUU"),
        // A good run that begins late needs its `rise`.
        ("gbbbbbbbbbgg", "UUUDDDDDDDDU"),
        // The first verdict of all rests on one outcome, and is not held.
        ("bggggg", "DDUUUU"),
        ("gnnnbgg", "UUU?DDU"),
        // A time without a route does not end it.
        ("gbbbnnng", "UUUDDD?D"),
        ("gbbbnnnnng", "UUUDDD???U"),
    ] {
        assert_eq!(play(&calm, outcomes), verdicts, "{outcomes}");
    }
}

#[test]
fn each_recovery_that_does_not_come_to_be_is_told_once() {
    let calm = Calm { hold: Millis(60_000), ..Calm::NONE };
    assert_eq!(play(&calm, "gbbbggggbggbgbggg"), "UUUDDdDDDDdDDDDdD");
}

#[test]
fn manual_failback_waits_for_a_word() {
    let calm = Calm { manual: true, hold: Millis(5000), ..Calm::NONE };
    for (outcomes, verdicts) in [
        ("gbbbgggggggggg", "UUUDDdDDDDDDDD"),
        // It counts at once, or as soon as it has risen, also within the hold.
        ("gbbbgg!g", "UUUDDdUU"),
        ("gbbb!gg", "UUUDDDU"),
        ("gbbbg!bgg", "UUUDDDDDU"),
        // Once.
        ("gbbb!ggbbbgg", "UUUDDDUUUDDd"),
        ("!gbbbgg", "?UUUDDd"),
        ("gbbbnnng!", "UUUDDD?DD"),
    ] {
        assert_eq!(play(&calm, outcomes), verdicts, "{outcomes}");
    }
}

#[test]
fn who_comes_and_goes_is_kept_down_until_its_penalty_has_decayed() {
    let calm = Calm { flap: FLAP, ..Calm::NONE };
    let mut record = Record::default();
    let mut see = |at: u64, what| record.observe(&RHYTHM, &calm, At(at), outcome(what));
    let made = |from, to| Some(Turn::Made(Transition { from, to }));
    "gbbb".chars().for_each(|what| _ = see(0, what));
    assert_eq!((see(0, 'g'), see(0, 'g')), (None, made(Health::Down, Health::Up)), "once is no flapping");
    for what in ['b', 'b'] {
        see(0, what);
    }
    assert_eq!(see(0, 'b'), made(Health::Up, Health::Down));
    // Two points halve in ten seconds; below one it comes up.
    assert_eq!((see(1000, 'g'), see(1000, 'g')), (None, Some(Turn::Kept(Kept::Flap(Millis(9001))))));
    assert_eq!(see(10_000, 'g'), None);
    assert_eq!(see(10_001, 'g'), made(Health::Down, Health::Up));
    // One point is left: the next fall reaches two again, but one that comes late enough does not.
    "bb".chars().for_each(|what| _ = see(12_000, what));
    assert_eq!(see(12_000, 'b'), made(Health::Up, Health::Down));
    "gg".chars().for_each(|what| _ = see(12_000, what));
    assert_eq!(record.health, Health::Up, "1.87 points");
}

#[test]
fn without_a_threshold_nothing_is_damped() {
    let calm = Calm { flap: NO_FLAP, ..Calm::NONE };
    let flapping = "gbbbggbbbggbbbggbbbgg";
    assert_eq!(play(&calm, flapping), "UUUDDUUUDDUUUDDUUUDDU");
    let damped = Calm { flap: FLAP, ..Calm::NONE };
    assert!(play(&damped, flapping).contains('d'));
}

#[test]
fn probes_hurry_only_while_the_last_outcome_points_away() {
    for (calm, steps) in [
        (
            Calm::NONE,
            [
                ('g', None, 1000),
                ('b', Some(400), 200),
                ('b', Some(200), 200),
                ('b', None, 1000),
                ('g', Some(200), 200),
                ('b', None, 1000),
                ('g', Some(200), 200),
                ('g', None, 1000),
            ],
        ),
        // Failures that add up are no haste once it answers again.
        (
            Calm { clear: 10, ..Calm::NONE },
            [
                ('g', None, 1000),
                ('b', Some(400), 200),
                ('g', None, 1000),
                ('b', Some(200), 200),
                ('g', None, 1000),
                ('b', None, 1000),
                ('g', Some(200), 200),
                ('g', None, 1000),
            ],
        ),
        // What is held says when the hold ends, and nobody hurries for that.
        (
            Calm { hold: Millis(7000), ..Calm::NONE },
            [
                ('g', None, 1000),
                ('b', Some(400), 200),
                ('b', Some(200), 200),
                ('b', None, 1000),
                ('g', Some(6000), 200),
                ('g', Some(5000), 1000),
                ('b', None, 1000),
                ('g', Some(3000), 200),
            ],
        ),
        // An operator's word can come at any time, and nothing points to it.
        (
            Calm { manual: true, ..Calm::NONE },
            [
                ('g', None, 1000),
                ('b', Some(400), 200),
                ('b', Some(200), 200),
                ('b', None, 1000),
                ('g', None, 200),
                ('g', None, 1000),
                ('b', None, 1000),
                ('g', None, 200),
            ],
        ),
    ] {
        let mut record = Record::default();
        for (n, (letter, change_in, next_in)) in steps.into_iter().enumerate() {
            let now = At(n as u64 * 1000);
            record.observe(&RHYTHM, &calm, now, outcome(letter));
            let found = (record.change_in(&RHYTHM, &calm, now), record.next_in(&RHYTHM));
            assert_eq!(found, (change_in.map(Millis), Millis(next_in)), "{n}: {record:?}");
        }
    }
}

#[test]
fn evidence_is_bounded_and_newest_last() {
    let mut record = Record::default();
    for i in 0..20 {
        record.observe(&RHYTHM, &Calm::NONE, At(i), outcome('g'));
    }
    assert_eq!(record.evidence.len(), EVIDENCE);
    assert_eq!(record.evidence.last().map(|(at, _)| *at), Some(At(19)));
}

fn calm() -> impl Strategy<Value = Calm> {
    (1u32..5, prop_oneof![Just(0), 1u64..20_000], any::<bool>(), prop_oneof![Just(0), 1000u32..4000], 1u64..60_000)
        .prop_map(|(clear, hold, manual, suppress, half_life)| {
            let flap = Flap { suppress, reuse: suppress / 2, half_life: Millis(half_life) };
            Calm { clear, hold: Millis(hold), manual, flap }
        })
}

proptest! {
    /// Up becomes down only behind `fall` bad outcomes that no `clear` good ones in a row have forgotten, down up behind
    /// `rise` good ones in a row and when nothing keeps it.
    #[test]
    fn a_verdict_never_turns_early(
        letters in "[gbnu]{0,80}", fall in 1u32..5, rise in 1u32..5, calm in calm(), pace in 1u64..3000,
    ) {
        let rhythm = Rhythm { fall, rise, ..RHYTHM };
        let mut record = Record::default();
        let (mut good, mut bad, mut lost, mut fell) = (0, 0, 0, None);
        for (i, letter) in letters.chars().enumerate() {
            let at = At(i as u64 * pace);
            let turned = record.observe(&rhythm, &calm, at, outcome(letter));
            match letter {
                'g' => {
                    (good, lost) = (good + 1, 0);
                    if good >= calm.clear && record.health == Health::Up && turned.is_none() {
                        bad = 0;
                    }
                }
                'b' => (good, bad, lost) = (0, bad + 1, 0),
                'n' => lost += 1,
                _ => {}
            }
            match turned {
                Some(Turn::Made(Transition { from: Health::Up, to: Health::Down })) => {
                    prop_assert_eq!((letter, bad), ('b', fall));
                    fell = Some(at);
                }
                Some(Turn::Made(Transition { from: Health::Down, to: Health::Up })) => {
                    prop_assert!(letter == 'g' && good >= rise && !(calm.manual && fell.is_some()));
                    prop_assert!(fell.is_none_or(|fell| at.since(fell) >= calm.hold));
                    (bad, fell) = (0, None);
                }
                Some(Turn::Made(Transition { to: Health::Unknown, .. })) => {
                    prop_assert_eq!((letter, lost), ('n', fall));
                    (good, bad) = (0, 0);
                }
                Some(Turn::Made(Transition { from: Health::Unknown, to })) => {
                    prop_assert!(to == Health::Up && letter == 'g' || to == Health::Down && (letter == 'b' || fell.is_some()));
                    if to == Health::Up {
                        bad = 0;
                    }
                    fell = fell.filter(|_| to == Health::Down);
                }
                Some(Turn::Made(other)) => prop_assert!(false, "{:?}", other),
                Some(Turn::Kept(_)) => prop_assert!(letter == 'g' && good == rise && record.health == Health::Down),
                None => {}
            }
        }
    }

    /// A penalty only decays while nothing goes down, and what it keeps down it keeps until one moment and no longer.
    #[test]
    fn a_penalty_is_monotone(falls in prop::collection::vec(0u64..30_000, 1..6), half_life in 1u64..60_000) {
        let flap = Flap { suppress: 2000, reuse: 800, half_life: Millis(half_life) };
        let mut penalty = Penalty::default();
        let mut now = At(0);
        for wait in falls {
            now = At(now.0 + wait);
            let before = penalty.points(&flap, now);
            penalty.add(&flap, now);
            prop_assert!((penalty.points(&flap, now) - before - 1.0).abs() < 1e-9);
            let (mut last, mut left) = (f64::MAX, penalty.damped_for(&flap, now));
            let end = now.plus(left);
            for step in 0..100 {
                let later = At(now.0 + step * half_life / 10);
                let points = penalty.points(&flap, later);
                prop_assert!(points <= last);
                prop_assert_eq!(penalty.damped_for(&flap, later), end.since(later));
                prop_assert!(penalty.damped_for(&flap, later) <= left);
                (last, left) = (points, penalty.damped_for(&flap, later));
            }
            if end > now {
                prop_assert!(penalty.points(&flap, end) <= 0.8 && penalty.points(&flap, end.minus(Millis(1))) >= 0.799);
            }
        }
    }

    /// The clearer the sky, the later a fall: a larger `clear` never makes a target come down later.
    #[test]
    fn more_patience_with_failures_never_falls_earlier(letters in "[gb]{0,60}", clear in 1u32..6) {
        let calm = |clear| Calm { clear, ..Calm::NONE };
        let first = |clear| play(&calm(clear), &letters).find('D');
        let (short, long) = (first(clear), first(clear + 1));
        prop_assert!(long.unwrap_or(usize::MAX) <= short.unwrap_or(usize::MAX));
    }
}
