//! The way back after a recovery.

use super::*;
use crate::engine::{types::PolicyId, world::pool::Route};

fn slow(text: &str, over: u64) -> Arc<World> {
    shaped(text, |draft| draft.policies[0].slow_start = Millis(over))
}

fn probe(ledger: &mut Ledger, at: u64, outcomes: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for found in outcomes {
        let event = Input::outcome(&key("192.0.2.1"), outcome(found));
        told.extend(ledger.fold(At(at), event).iter().map(ToString::to_string));
    }
    told
}

const DOWN: [&str; 3] = ["status-503"; 3];
const AGAIN: [&str; 2] = ["good"; 2];

/// Lets the ledger tick by itself up to a moment; gives each moment at which the first endpoint's admission changed.
fn tick(ledger: &mut Ledger, to: u64) -> Vec<(u64, Admission)> {
    let mut steps = Vec::new();
    while let Some(at) = ledger.due().filter(|at| at.0 <= to) {
        let before = ledger.snapshot(at).endpoints[0].admission;
        ledger.fold(at, Input::Tick);
        let after = ledger.snapshot(at).endpoints[0].admission;
        if after != before {
            steps.push((at.0, after));
        }
    }
    steps
}

fn twentieths(n: u32) -> Admission {
    Admission::parts(n, 20)
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
    assert_eq!(steps, (1..20).map(|n| (10_000 + u64::from(n) * 3000, twentieths(n + 1))).collect::<Vec<_>>());
    assert_eq!(ledger.due(), None, "then it is calm");
    assert_eq!(ledger.snapshot(At(0)).pools[0].moving, 0);
}

#[test]
fn its_end_is_told_once() {
    let mut ledger = all_up(&slow(TWO, 20_000));
    probe(&mut ledger, 1000, &DOWN);
    probe(&mut ledger, 10_000, &AGAIN);
    let told: Vec<String> = ledger.fold(At(50_000), Input::Tick).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["web/eu has its whole share, after a slow start of 20 s"]);
    assert_eq!(ledger.fold(At(50_001), Input::Tick), []);
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
            ledger.fold(At(0), Input::outcome(&key(address), outcome(found)));
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
    ledger.fold(At(12_000), Input::Lift(subject("eu")));
    assert_eq!(shares(&ledger), "100*15u 100*100u", "as if nobody had said anything");
}

#[test]
fn the_strictest_policy_of_all_routes_through_a_pool_counts() {
    let world = shaped(TWO, |draft| {
        draft.policies.push(Policy { slow_start: Millis(20_000), ..Policy::default() });
        draft.routes = vec![Route::default(), Route { policy: PolicyId(1), ..Route::default() }];
    });
    let mut ledger = all_up(&world);
    probe(&mut ledger, 0, &DOWN);
    let told = probe(&mut ledger, 1000, &AGAIN);
    assert!(told[0].ends_with("; web has 2 of 2 endpoints up"), "a pool is listed once: {}", told[0]);
    let snapshot = ledger.snapshot(At(1000));
    assert_eq!(snapshot.endpoints[0].admission, twentieths(1));
    assert_eq!(snapshot.pools.len(), 1);
}

// ----- Beside others, and against other regions --------------------------------------------------------------------

const THREE: &str = "web eu-1 192.0.2.1
                     web eu-2 192.0.2.2
                     web us-1 192.0.2.9";

/// The pool goes slowly, over 20 s, and any number of regions may go.
fn slowly(text: &str) -> Arc<World> {
    shaped(text, |draft| {
        draft.policies[0].slow_start = Millis(20_000);
        ungoverned(draft);
    })
}

/// What each endpoint takes of its region's blocks and its region of others', in percent: `eu-1 100/5`; only what is
/// not whole.
fn ways(ledger: &Ledger) -> String {
    let snapshot = ledger.snapshot(At(0));
    let percent = |share: Admission| (share.fraction() * 100.0).round();
    let rows = snapshot.world.endpoints().map(|(_, endpoint)| endpoint).zip(&snapshot.endpoints);
    let words = rows
        .filter(|(_, row)| !row.admission.min(row.warmth).is_all())
        .map(|(endpoint, row)| format!("{} {}/{}", endpoint.name, percent(row.admission), percent(row.warmth)));
    words.collect::<Vec<_>>().join(", ")
}

fn found(ledger: &mut Ledger, at: u64, last: u8, outcomes: &[&str]) {
    for outcome in outcomes {
        let event = Input::outcome(&key(&format!("192.0.2.{last}")), self::outcome(outcome));
        ledger.fold(At(at), event);
    }
}

#[test]
fn an_endpoint_gives_way_inside_its_region_and_only_a_region_that_comes_back_to_others() {
    let mut ledger = all_up(&slowly(THREE));
    found(&mut ledger, 0, 1, &DOWN);
    found(&mut ledger, 1000, 1, &AGAIN);
    assert_eq!(ways(&ledger), "eu-1 100/5", "eu-2 serves beside it");
    found(&mut ledger, 6000, 2, &DOWN);
    assert_eq!(ways(&ledger), "eu-1 100/30", "its region was never gone: it takes all of it");
    found(&mut ledger, 6000, 1, &DOWN);
    found(&mut ledger, 8000, 2, &AGAIN);
    assert_eq!(ways(&ledger), "eu-1 5/100, eu-2 5/100", "now it was, and comes back as one");
    found(&mut ledger, 13_000, 1, &AGAIN);
    assert_eq!(ways(&ledger), "eu-1 30/17, eu-2 30/100", "5 % of all beside 30 %");
    found(&mut ledger, 13_000, 2, &DOWN);
    assert_eq!(ways(&ledger), "eu-1 30/17, eu-2 30/100", "what is left goes on with the way of the region");
    ledger.fold(At(28_000), Input::Tick);
    assert_eq!(ways(&ledger), "eu-1 100/80", "which is over before its own");
    ledger.fold(At(60_000), Input::Tick);
    assert_eq!((ways(&ledger), ledger.due()), (String::new(), None));
    found(&mut ledger, 61_000, 9, &DOWN);
    found(&mut ledger, 62_000, 9, &AGAIN);
    assert_eq!(ways(&ledger), "us-1 5/100");
}

#[test]
fn what_is_drained_or_weightless_or_forced_down_does_not_serve_beside_it() {
    for (word, expected) in [
        ("weight=1", "eu-1 100/5"),
        ("weight=0", "eu-1 5/100, eu-2 5/100"),
        ("down", "eu-1 5/100, eu-2 5/100"),
        ("drain=0", "eu-1 5/100, eu-2 0/100"),
    ] {
        let mut ledger = all_up(&slowly(THREE));
        ledger.fold(At(0), said("web/eu-2", word, None));
        found(&mut ledger, 0, 1, &DOWN);
        found(&mut ledger, 1000, 1, &AGAIN);
        assert_eq!(ways(&ledger), expected, "{word}");
    }
}

#[test]
fn a_failing_probe_halts_a_region_while_all_of_it_fails() {
    let mut ledger = all_up(&slowly(THREE));
    (1..=2).for_each(|last| found(&mut ledger, 0, last, &DOWN));
    (1..=2).for_each(|last| found(&mut ledger, 1000, last, &AGAIN));
    found(&mut ledger, 2000, 1, &["status-503"]);
    ledger.fold(At(4000), Input::Tick);
    assert_eq!(ways(&ledger), "eu-1 20/50, eu-2 20/100", "eu-1 stands, the region goes on");
    found(&mut ledger, 4000, 2, &["status-503"]);
    ledger.fold(At(9000), Input::Tick);
    assert_eq!(ways(&ledger), "eu-1 20/50, eu-2 20/100", "all stand");
}

// ----- New endpoints ------------------------------------------------------------------------------------------------

/// Another configuration, and what is found of the fourth address under it.
fn after_reload(first: &str, then: &str) -> (Ledger, String) {
    let mut ledger = all_up(&slowly(first));
    ledger.configure(At(1000), slowly(then));
    found(&mut ledger, 2000, 4, &["good"]);
    let ways = ways(&ledger);
    (ledger, ways)
}

#[test]
fn what_a_reload_brings_into_a_pool_that_serves_begins_slowly() {
    let with = |line: &str| format!("{THREE}\n{line}");
    for (then, expected) in [
        (with("web eu-4 192.0.2.4"), "eu-4 100/5"),
        (with("web us-4 192.0.2.4"), "us-4 100/5"),
        (THREE.replace("eu-2 192.0.2.2", "eu-2 192.0.2.4"), "eu-2 100/5"),
        (THREE.replace("eu-1 192.0.2.1", "eu-9 192.0.2.1"), ""),
        (THREE.replace("eu-1 192.0.2.1", "eu-1 192.0.2.1,2001:db8::1"), ""),
        // A pool of its own, and all of a pool.
        (format!("a eu-4 192.0.2.4\n{THREE}"), ""),
        ("web eu-4 192.0.2.4\nweb us-4 192.0.2.4".into(), ""),
        // The same pool by another name, with one more.
        (with("web eu-4 192.0.2.4").replace("web", "www"), "eu-4 100/5"),
        (THREE.replace("web", "www"), ""),
    ] {
        assert_eq!(after_reload(THREE, &then).1, expected, "{then}");
    }
    // A region that nothing served.
    let (first, then) = ("web us-1 192.0.2.9", "web eu-4 192.0.2.4\nweb us-1 192.0.2.9");
    assert_eq!(after_reload(first, then).1, "eu-4 5/100");
    // From another pool: it is known to be up, and begins with the reload.
    let (first, then) = (
        "a eu-1 192.0.2.1\na eu-2 192.0.2.2\nweb us-1 192.0.2.9",
        "a eu-2 192.0.2.2\nweb eu-1 192.0.2.1\nweb us-1 192.0.2.9",
    );
    assert_eq!(after_reload(first, then).1, "eu-1 10/100", "a second later");
    // Without a monitor it is always up.
    let (first, then) = ("web! eu-1 192.0.2.1", "web! eu-1 192.0.2.1\nweb! eu-2 192.0.2.2");
    assert_eq!(after_reload(first, then).1, "eu-2 100/10", "a second later");
}

#[test]
fn a_new_one_begins_with_its_first_up_however_late() {
    let mut ledger = all_up(&slowly(THREE));
    ledger.configure(At(1000), slowly(&format!("{THREE}\nweb us-4 192.0.2.4")));
    ledger.fold(At(50_000), Input::Tick);
    // Reloads between change nothing of it.
    ledger.configure(At(51_000), slowly(&format!("{THREE}\nweb us-5 192.0.2.4")));
    let event = Input::outcome(&key("192.0.2.4"), outcome("good"));
    let told: Vec<String> = ledger.fold(At(60_000), event).iter().map(ToString::to_string).collect();
    assert_eq!(told[1], "web/us-5 takes its share step by step, over 20 s, since others serve already");
    assert_eq!(ways(&ledger), "us-5 100/5");
    // A running one goes on under another name, too.
    ledger.configure(At(65_000), slowly(&format!("{THREE}\nweb us-6 192.0.2.4").replace("web", "www")));
    assert_eq!(ways(&ledger), "us-6 100/30");
}

#[test]
fn nothing_begins_slowly_in_the_first_probe_round_nor_in_a_pool_that_did_not_serve() {
    let more = format!("{THREE}\nweb us-4 192.0.2.4");
    let mut ledger = Ledger::new(slowly(THREE));
    found(&mut ledger, 0, 1, &["good"]);
    ledger.configure(At(10), slowly(&more));
    [2, 9, 4].iter().for_each(|last| found(&mut ledger, 20, *last, &["good"]));
    assert_eq!(ways(&ledger), "", "not all of the first configuration was probed");
    let mut ledger = Ledger::new(slowly(THREE));
    found(&mut ledger, 0, 1, &["status-503", "good", "good"]);
    [2, 9].iter().for_each(|last| found(&mut ledger, 20, *last, &["good"]));
    assert_eq!(ways(&ledger), "", "a failure and a recovery within the first round");
    let mut ledger = all_up(&slowly(THREE));
    [1, 2, 9].iter().for_each(|last| found(&mut ledger, 0, *last, &DOWN));
    ledger.configure(At(10), slowly(&more));
    found(&mut ledger, 20, 4, &["good"]);
    assert_eq!(ways(&ledger), "", "it is all that there is");
}

#[test]
fn what_is_raised_from_weight_0_begins_slowly() {
    let mut ledger = all_up(&slowly(THREE));
    ledger.fold(At(0), said("web/eu-2", "weight=0", None));
    ledger.fold(At(1000), said("web/eu-2", "weight=500", None));
    assert_eq!(ways(&ledger), "eu-2 100/5");
    ledger.fold(At(2000), said("web/eu-2", "weight=1000", None));
    assert_eq!(ways(&ledger), "eu-2 100/10", "from one weight to another nothing begins");
    ledger.fold(At(3000), said("us", "weight=0", Some("5000")));
    ledger.fold(At(30_000), Input::Tick);
    assert_eq!(ways(&ledger), "", "a region at 0 until 5 s: over by 25 s");
    ledger.fold(At(30_000), said("us", "weight=0", Some("31000")));
    ledger.fold(At(32_000), Input::Tick);
    assert_eq!(ways(&ledger), "us-1 10/100", "a region of which nothing served");
    // All of a pool at once.
    let mut ledger = all_up(&slowly(THREE));
    ledger.fold(At(0), said("web", "weight=0", None));
    ledger.fold(At(1000), Input::Lift(subject("web")));
    assert_eq!(ways(&ledger), "");
    // By a reload.
    let weightless = |weight| {
        shaped(THREE, |draft| {
            draft.policies[0].slow_start = Millis(20_000);
            draft.endpoints_mut().nth(1).expect("an endpoint").weight = weight;
        })
    };
    let mut ledger = all_up(&weightless(0));
    ledger.configure(At(1000), weightless(7));
    assert_eq!(ways(&ledger), "eu-2 100/5");
}

#[test]
fn what_takes_the_place_of_all_that_served_takes_all_at_once() {
    // From blue to green by weights: the regions were served up to now, and nothing that served is left.
    let colours = |blue: u32, green: u32| {
        let text = "web eu-b 192.0.2.1\nweb eu-g 192.0.2.2\nweb us-b 192.0.2.3\nweb us-g 192.0.2.4";
        shaped(text, |draft| {
            draft.policies[0].slow_start = Millis(20_000);
            for endpoint in draft.endpoints_mut() {
                endpoint.weight = if endpoint.name.ends_with('b') { blue } else { green };
            }
        })
    };
    let mut ledger = all_up(&colours(100, 0));
    ledger.configure(At(1000), colours(0, 100));
    assert_eq!(ways(&ledger), "");
    let mut ledger = all_up(&colours(100, 0));
    ledger.configure(At(1000), colours(100, 100));
    assert_eq!(ways(&ledger), "eu-g 100/5, us-g 100/5");
}
