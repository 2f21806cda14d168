//! When a measurement comes to count, when it moves, and when it is gone: by example, and against a slow reading.

use proptest::prelude::*;

use super::*;

const TERMS: Terms =
    Terms { least: Rtt(50), share: Permille(100), hold: Millis(100), min_samples: 5, max_age: Millis(1000) };

fn measured(rtt: u32, age: u64) -> Reading {
    Reading { rtt: Rtt(rtt), samples: Some(5), age: Millis(age) }
}

fn stated(rtt: u32) -> Reading {
    Reading { rtt: Rtt(rtt), samples: None, age: Millis(0) }
}

/// The value that counts for the only cell.
fn counts(table: &Latencies<u8, u8>, now: u64) -> Option<u32> {
    table.published(At(now)).next().map(|(_, _, reading)| reading.rtt.0)
}

/// The only cell.
const ONLY: (u8, u8) = (0, 0);

fn begun(reading: Reading) -> Latencies<u8, u8> {
    let mut table = Latencies::new(TERMS);
    table.import(At(0), [(ONLY, reading)]);
    table
}

#[test]
fn what_is_read_first_counts_at_once_when_it_is_believed() {
    assert_eq!(counts(&begun(measured(300, 0)), 0), Some(300));
    assert_eq!(counts(&begun(stated(300)), 0), Some(300));
    assert_eq!(counts(&begun(Reading { samples: Some(4), ..measured(300, 0) }), 0), None, "too few samples");
    assert_eq!(counts(&begun(measured(300, 1000)), 0), None, "too old");
}

#[test]
fn a_value_moves_when_it_has_differed_by_both_for_long_enough() {
    let moved = |from: u32, to: u32| {
        let mut table = begun(stated(from));
        table.import(At(10), [(ONLY, stated(to))]);
        let due = table.due(At(10));
        assert_eq!(counts(&table, 109), Some(from));
        assert_eq!(due.is_some(), counts(&table, 110) == Some(to));
        due
    };
    assert_eq!(moved(300, 350), Some(At(110)));
    assert_eq!(moved(300, 250), Some(At(110)));
    assert_eq!(moved(300, 349), None, "not by 5 ms");
    assert_eq!(moved(1000, 1099), None, "not by a tenth");
    assert_eq!(moved(1000, 1100), Some(At(110)));
}

#[test]
fn the_time_runs_on_while_it_differs_and_starts_anew_when_it_did_not() {
    let mut table = begun(stated(300));
    table.import(At(10), [(ONLY, stated(400))]);
    table.import(At(60), [(ONLY, stated(500))]);
    assert_eq!((counts(&table, 109), counts(&table, 110)), (Some(300), Some(500)), "to what is latest then");
    table.import(At(120), [(ONLY, stated(300))]);
    table.import(At(150), [(ONLY, stated(480))]);
    table.import(At(160), [(ONLY, stated(300))]);
    assert_eq!((counts(&table, 259), counts(&table, 260)), (Some(500), Some(300)));
}

#[test]
fn a_cell_that_comes_or_goes_later_waits_too() {
    let mut table = Latencies::new(TERMS);
    table.import(At(0), []);
    table.import(At(10), [(ONLY, stated(300))]);
    assert_eq!((counts(&table, 109), counts(&table, 110)), (None, Some(300)));
    table.import(At(200), []);
    assert_eq!((counts(&table, 299), counts(&table, 300)), (Some(300), None));
    assert_eq!(table.due(At(300)), None);
    // Gone and there again within the time: nothing moves.
    let mut table = begun(stated(300));
    table.import(At(10), []);
    table.import(At(100), [(ONLY, stated(310))]);
    assert_eq!(table.due(At(100)), None);
    assert_eq!(counts(&table, 10_000), Some(300));
}

#[test]
fn what_is_too_old_falls_back_once_and_for_all() {
    let table = begun(measured(300, 400));
    assert_eq!(table.due(At(0)), Some(At(600)));
    assert_eq!((counts(&table, 599), counts(&table, 600)), (Some(300), None));
    assert_eq!(table.due(At(600)), None);
    assert_eq!(counts(&table, u64::MAX), None);
    let stated = begun(stated(300));
    assert_eq!((stated.due(At(0)), counts(&stated, u64::MAX)), (None, Some(300)), "a statement does not age");
}

#[test]
fn noise_renews_what_counts_without_moving_it() {
    let mut table = begun(measured(300, 0));
    for step in 1..10 {
        table.import(At(step * 900), [(ONLY, measured(300 + step as u32 % 3 * 10, 0))]);
    }
    let (_, _, reading) = table.published(At(8150)).next().unwrap();
    assert_eq!((reading.rtt.0, reading.age), (300, Millis(50)));
    assert_eq!(counts(&table, 9100), None);
}

#[test]
fn other_terms_hold_for_what_comes() {
    let mut table = begun(stated(300));
    table.set_terms(At(5), Terms { least: Rtt(10), share: Permille(0), hold: Millis(0), ..TERMS });
    table.import(At(5), [(ONLY, stated(310))]);
    assert_eq!(counts(&table, 5), Some(310));
}

/// The rule read slowly, for one region of one client: the value that counts at each moment. What is due at a moment
/// happens before what is read at it.
fn slowly(terms: &Terms, reads: &[(u64, Option<Reading>)], end: u64) -> Vec<Option<u32>> {
    // What was said last, and until when it is fresh; one that is not believed says nothing.
    let said = |reads: &[(u64, Option<Reading>)]| {
        reads.iter().fold(None, |last, (at, reading)| {
            let Some(reading) = reading else { return None };
            let Some(samples) = reading.samples else { return Some((reading.rtt.0, u64::MAX)) };
            let fresh = at + terms.max_age.minus(reading.age).0;
            if samples >= terms.min_samples && *at < fresh { Some((reading.rtt.0, fresh)) } else { last }
        })
    };
    let (mut counting, mut since): (Option<(u32, u64)>, Option<u64>) = (None, None);
    let mut all = Vec::new();
    for now in 0..end {
        let (before, with) = [now, now + 1].map(|end| reads.partition_point(|(at, _)| *at < end)).into();
        for latest in [said(&reads[..before]), said(&reads[..with])] {
            let is_fresh = |reading: &(u32, u64)| now < reading.1;
            for _ in 0..2 {
                let far = match (counting, latest) {
                    (_, Some(latest)) if !is_fresh(&latest) => false,
                    (Some((a, _)), Some((b, _))) => {
                        let by = u64::from(a.abs_diff(b));
                        by >= u64::from(terms.least.0) && by * 1000 >= u64::from(a) * u64::from(terms.share.0)
                    }
                    (a, b) => a.is_some() != b.is_some(),
                };
                since = far.then(|| since.unwrap_or(now));
                if !far {
                    let renewed = counting.zip(latest).map(|((rtt, _), (_, fresh))| (rtt, fresh));
                    counting = renewed.filter(is_fresh).or(counting);
                } else if now == 0 || since.is_some_and(|since| now >= since + terms.hold.0) {
                    (counting, since) = (latest, None);
                }
                // Nothing fresh stands beside it.
                counting = counting.filter(|counts| is_fresh(counts) || latest.as_ref().is_some_and(is_fresh));
            }
        }
        all.push(counting.map(|(rtt, _)| rtt));
    }
    all
}

fn reading() -> impl Strategy<Value = Option<Reading>> {
    let samples = prop_oneof![1 => Just(None), 5 => (3..9_u32).prop_map(Some)];
    let reading = (prop_oneof![280..320_u32, 200..500_u32], samples, 0..60_u64);
    prop::option::weighted(
        0.9,
        reading.prop_map(|(rtt, samples, age)| Reading { rtt: Rtt(rtt), samples, age: Millis(age) }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cell_counts_what_the_slow_reading_says(
        reads in prop::collection::btree_map(1..400_u64, reading(), 0..12), first in reading(), hold in 1..60_u64
    ) {
        let terms = Terms { least: Rtt(20), share: Permille(50), hold: Millis(hold), min_samples: 5, max_age: Millis(100) };
        let reads: Vec<_> = [(0, first)].into_iter().chain(reads).collect();
        let mut table = Latencies::new(terms);
        let expected = slowly(&terms, &reads, 600);
        for now in 0..600 {
            if let Some((_, reading)) = reads.iter().find(|(at, _)| *at == now) {
                table.import(At(now), reading.map(|reading| (ONLY, reading)));
            }
            prop_assert_eq!(counts(&table, now), expected[now as usize], "at {}", now);
            // Nothing but an import moves a value before the moment that is named.
            let due = table.due(At(now)).map_or(600, |at| at.0.min(600));
            let read = reads.iter().map(|(at, _)| *at).find(|at| *at > now).unwrap_or(600);
            let quiet = now as usize..due.min(read) as usize;
            prop_assert!(expected[quiet].iter().all(|value| *value == expected[now as usize]));
        }
    }
}

/// What counts of two regions of one client.
fn both(table: &Latencies<u8, u8>, now: u64) -> [Option<u32>; 2] {
    let of = |region| table.published(At(now)).find(|(_, of, _)| *of == region).map(|(_, _, reading)| reading.rtt.0);
    [of(0), of(1)]
}

const NEAR: (u8, u8) = (0, 0);
const FAR: (u8, u8) = (0, 1);

#[test]
fn what_ages_is_kept_beside_what_is_fresh_and_goes_with_it() {
    let mut table = Latencies::new(TERMS);
    table.import(At(0), [(NEAR, measured(300, 0)), (FAR, measured(900, 0))]);
    table.import(At(600), [(NEAR, measured(300, 0)), (FAR, measured(900, 600))]);
    assert_eq!(both(&table, 1599), [Some(300), Some(900)], "a thousand old, six hundred beyond");
    assert_eq!(table.due(At(600)), Some(At(1000)), "looked at when it ages");
    assert_eq!(both(&table, 1600), [None, None], "nothing fresh is known of the client: both go together");
    assert_eq!((table.due(At(1600)), table.published(At(u64::MAX)).count()), (None, 0));
    // Another client's fresh cells keep nothing.
    let mut table = Latencies::new(TERMS);
    table.import(At(0), [(NEAR, measured(300, 0)), ((1, 1), stated(300))]);
    assert_eq!(both(&table, 999), [Some(300), Some(300)]);
    assert_eq!(table.published(At(1000)).count(), 1);
}

#[test]
fn what_is_not_believed_says_nothing_and_what_is_taken_out_goes() {
    let mut table = Latencies::new(TERMS);
    table.import(At(0), [(NEAR, measured(300, 0)), (FAR, measured(900, 0))]);
    let stray = Reading { samples: Some(1), ..measured(200, 0) };
    for now in [500, 900, 1300] {
        table.import(At(now), [(NEAR, measured(300, 0)), (FAR, stray)]);
    }
    assert_eq!(both(&table, 1900), [Some(300), Some(900)], "one stray sample does not call the client back");
    table.import(At(1900), [(NEAR, measured(300, 0))]);
    assert_eq!((both(&table, 1999), both(&table, 2000)), ([Some(300), Some(900)], [Some(300), None]));
}

#[test]
fn the_model_has_its_way_now_and_then_and_seldomer_when_it_was_wrong() {
    let mut table = Latencies::new(TERMS);
    let (mut heard, mut trials) = (0, Vec::new());
    table.import(At(0), [(NEAR, measured(300, 0)), (FAR, measured(900, 0))]);
    // The far region is measured only while the model speaks for it, and says the same each time.
    for now in (100..150_000).step_by(100) {
        if both(&table, now)[1].is_none() {
            if trials.last().is_none_or(|last| now - last > 1000) {
                trials.push(now);
            }
            heard = now;
        }
        table.import(At(now), [(NEAR, measured(300, 0)), (FAR, measured(905, now - heard))]);
    }
    let waits: Vec<u64> = trials.iter().zip([0].iter().chain(&trials)).map(|(at, before)| at - before).collect();
    assert_eq!(waits, [2000, 4000, 8000, 16_000, 32_000, 64_000]);
    // Now it is near: the model was right, and the doubling begins anew.
    let now = trials[5] + 64_000;
    table.import(At(now), [(NEAR, measured(300, 0))]);
    table.import(At(now + 200), [(NEAR, measured(300, 0)), (FAR, measured(200, 0))]);
    table.import(At(now + 300), [(NEAR, measured(300, 0)), (FAR, measured(200, 100))]);
    assert_eq!(both(&table, now + 300), [Some(300), Some(200)]);
}
