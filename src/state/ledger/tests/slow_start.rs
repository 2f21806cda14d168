//! The way back after a recovery.

use super::*;

fn slow(text: &str, over: u64) -> Arc<World> {
    shaped(text, |draft| draft.policies[0].slow_start = over)
}

fn probe(ledger: &mut Ledger, at: u64, outcomes: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for found in outcomes {
        let event = Event::Outcome { key: key("192.0.2.1"), outcome: outcome(found) };
        told.extend(ledger.fold(At(at), event).iter().map(ToString::to_string));
    }
    told
}

const DOWN: [&str; 3] = ["status-503"; 3];
const AGAIN: [&str; 2] = ["good"; 2];

/// Lets the ledger tick by itself up to a moment; gives each moment at which the first endpoint's admission changed.
fn tick(ledger: &mut Ledger, to: u64) -> Vec<(u64, u32)> {
    let mut steps = Vec::new();
    while let Some(at) = ledger.next_tick(At(0)).filter(|at| at.0 <= to) {
        let before = ledger.snapshot(at).endpoints[0].admission;
        ledger.fold(at, Event::Tick);
        let after = ledger.snapshot(at).endpoints[0].admission;
        if after != before {
            steps.push((at.0, after));
        }
    }
    steps
}

fn twentieths(n: u64) -> u32 {
    (u64::from(ADMIT_ALL) * n / 20) as u32
}

#[test]
fn a_recovery_takes_twenty_equal_steps() {
    let mut ledger = all_up(&slow(TWO, 60_000));
    assert_eq!(shares(&ledger), "100*100u 100*100u", "the first verdict is no recovery");
    probe(&mut ledger, 1000, &DOWN);
    let told = probe(&mut ledger, 10_000, &AGAIN);
    assert_eq!(told[1], "web/eu takes its share back step by step, over 1 min");
    assert_eq!(shares(&ledger), "100*5u 100*100u");
    let row = ledger.snapshot(At(10_000)).pools[0];
    assert_eq!((row.partial, row.moving, ledger.snapshot(At(0)).endpoints[0].change_in), (1, 1, 3000));
    let steps = tick(&mut ledger, u64::MAX);
    assert_eq!(steps, (1..20).map(|n| (10_000 + n * 3000, twentieths(n + 1))).collect::<Vec<_>>());
    assert_eq!(ledger.next_tick(At(0)), None, "then it is calm");
    assert_eq!(ledger.snapshot(At(0)).pools[0].moving, 0);
}

#[test]
fn its_end_is_told_once() {
    let mut ledger = all_up(&slow(TWO, 20_000));
    probe(&mut ledger, 1000, &DOWN);
    probe(&mut ledger, 10_000, &AGAIN);
    let told: Vec<String> = ledger.fold(At(50_000), Event::Tick).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["web/eu has its whole share again, after a slow start of 20 s"]);
    assert_eq!(ledger.fold(At(50_001), Event::Tick), []);
}

#[test]
fn a_failing_probe_halts_it_and_going_down_ends_it() {
    let mut ledger = all_up(&slow(TWO, 20_000));
    probe(&mut ledger, 1000, &DOWN);
    probe(&mut ledger, 10_000, &AGAIN);
    assert_eq!(tick(&mut ledger, 12_500), [(11_000, twentieths(2)), (12_000, twentieths(3))]);
    probe(&mut ledger, 12_500, &["status-503"]);
    assert_eq!(tick(&mut ledger, 100_000), []);
    probe(&mut ledger, 100_000, &["good"]);
    assert_eq!(tick(&mut ledger, 101_000), [(100_500, twentieths(4))]);
    probe(&mut ledger, 101_000, &DOWN);
    assert_eq!(shares(&ledger), "100*100d 100*100u");
    let told = probe(&mut ledger, 102_000, &AGAIN);
    assert_eq!(told[1], "web/eu takes its share back step by step, over 20 s");
    assert_eq!(shares(&ledger), "100*5u 100*100u");
}

#[test]
fn only_a_recovery_ramps() {
    for (outcomes, share) in [
        (&["good"][..], "100*100u"),
        (&["no-route", "good"], "100*100u"),
        (&["good", "no-route", "no-route", "no-route", "good"], "100*100u"),
        (&["status-503", "good", "good"], "100*5u"),
        (&["status-503", "no-route", "no-route", "no-route", "good"], "100*5u"),
    ] {
        let mut ledger = Ledger::new(slow("web eu 192.0.2.1", 20_000));
        probe(&mut ledger, 0, outcomes);
        assert_eq!(shares(&ledger), share, "{outcomes:?}");
    }
}

#[test]
fn the_first_probes_of_two_families_are_no_recovery() {
    for order in [["192.0.2.1", "2001:db8::1"], ["2001:db8::1", "192.0.2.1"]] {
        let mut ledger = Ledger::new(slow("web eu 192.0.2.1,2001:db8::1", 20_000));
        for address in order {
            let found = if address == "192.0.2.1" { "good" } else { "status-503" };
            ledger.fold(At(0), Event::Outcome { key: key(address), outcome: outcome(found) });
        }
        assert_eq!(shares(&ledger), "100*100ud", "{order:?}");
    }
}

#[test]
fn who_is_forced_up_is_whole_at_once() {
    let mut ledger = all_up(&slow(TWO, 20_000));
    probe(&mut ledger, 1000, &DOWN);
    ledger.fold(At(2000), said("eu", "up", None));
    probe(&mut ledger, 10_000, &AGAIN);
    assert_eq!(shares(&ledger), "100*100u 100*100u");
    ledger.fold(At(12_000), Event::Lift(whom("eu")));
    assert_eq!(shares(&ledger), "100*15u 100*100u", "as if nobody had said anything");
}

#[test]
fn the_strictest_policy_of_a_pool_and_its_copies_counts() {
    let world = shaped(TWO, |draft| {
        draft.policies.push(Policy { slow_start: 20_000, ..Policy::default() });
        let copy =
            Pool { stands_for: Some(PoolId(0)), policy: crate::engine::types::PolicyId(1), ..draft.pools[0].clone() };
        draft.pools.push(copy);
    });
    let mut ledger = all_up(&world);
    probe(&mut ledger, 0, &DOWN);
    let told = probe(&mut ledger, 1000, &AGAIN);
    assert!(told[0].ends_with("; web has 2 of 2 endpoints up"), "a copy is not listed: {}", told[0]);
    let snapshot = ledger.snapshot(At(1000));
    assert_eq!(snapshot.endpoints[0].admission, twentieths(1));
    assert_eq!(snapshot.pools[0], snapshot.pools[1]);
}
