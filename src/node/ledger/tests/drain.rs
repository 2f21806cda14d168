//! Drains over a time: blocks are cut first, then they leave in steps.

use super::*;
use crate::engine::types::RouteId;

fn admission(ledger: &Ledger) -> Admission {
    ledger.snapshot(At(0)).endpoints[0].admission
}

#[test]
fn blocks_are_cut_a_ttl_before_the_first_one_leaves() {
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    let before = ledger.snapshot(At(0));
    play(
        &mut ledger,
        "1000 say eu drain=20000 | region eu is drained over 20 s, says ann: kernel; it begins in 30 s, when caches hold only answers that can be moved in parts; until it is lifted",
    );
    assert_eq!((ledger.snapshot(At(0)).fine, admission(&ledger)), (vec![true], Admission::ALL));
    let mut steps = Vec::new();
    let mut told = Vec::new();
    while let Some(at) = ledger.due() {
        let was = admission(&ledger);
        told.extend(ledger.fold(at, Input::Tick).iter().map(|change| (at.0, change.to_string())));
        if admission(&ledger) != was {
            steps.push((at.0, admission(&ledger).rest()));
        }
    }
    let expected: Vec<_> = (1..=20).map(|n| (31_000 + u64::from(n) * 1000, Admission::parts(n, 20))).collect();
    assert_eq!(steps, expected);
    assert_eq!(
        told,
        [
            (31_000, "the drain of region eu begins to move clients (ann: kernel)".into()),
            (51_000, "region eu is drained: it is given to nobody any more (ann: kernel)".into())
        ]
    );
    assert_eq!((shares(&ledger).as_str(), ledger.snapshot(At(0)).fine), ("100*0uD 100*100u", vec![false]));
    ledger.fold(At(60_000), Input::Lift(subject("eu")));
    assert!(!ledger.differs_from(&before));
}

#[test]
fn nobody_waits_for_what_is_cut_already() {
    let mut ledger = all_up(&shaped(TWO, |draft| draft.services[0].cut = Some(PerFamily::new(16, 32))));
    play(&mut ledger, "1000 say eu drain=20000 | region eu is drained over 20 s, says ann: kernel; until it is lifted");
    ledger.fold(At(2000), Input::Tick);
    assert_eq!((ledger.snapshot(At(0)).fine, admission(&ledger)), (vec![false], Admission::parts(1, 20).rest()));
    // A second drain begins while the first one has the service cut.
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    ledger.fold(At(0), said("eu", "drain=60000", None));
    play(
        &mut ledger,
        "20000 say us drain=60000 | region us is drained over 1 min, says ann: kernel; it begins in 10 s, when caches hold only answers that can be moved in parts; until it is lifted",
    );
}

#[test]
fn only_services_of_the_endpoints_are_cut() {
    let world = shaped("shop eu 192.0.2.9\nweb eu 192.0.2.1\nweb us 192.0.2.2", |draft| {
        let mut other = draft.services[0].clone();
        other.routes = vec![RouteId(0)];
        draft.services[0].routes = vec![RouteId(1)];
        draft.services.push(other);
    });
    for (of, fine) in [("us", [true, false]), ("eu", [true, true]), ("shop", [false, true]), ("web/eu", [true, false])]
    {
        for act in ["drain=60000", "shed=300"] {
            let mut ledger = all_up(&world);
            ledger.fold(At(0), said(of, act, None));
            assert_eq!(ledger.snapshot(At(0)).fine, fine, "{act} of {of}");
        }
        let mut ledger = all_up(&world);
        ledger.fold(At(0), said(of, "drain=0", None));
        assert_eq!(ledger.snapshot(At(0)).fine, [false, false], "whole endpoints move");
    }
}

#[test]
fn another_word_goes_on_where_the_drain_is() {
    let at = |then: &str| {
        let mut ledger = all_up(&shaped(TWO, |draft| draft.services[0].cut = Some(PerFamily::new(16, 32))));
        ledger.fold(At(0), said("eu", "drain=20000", None));
        ledger.fold(At(10_000), said("eu", then, None));
        let at_once = admission(&ledger);
        ledger.fold(At(12_000), Input::Tick);
        [at_once, admission(&ledger)].map(|admission| u64::from(admission.0) * 100 / u64::from(Admission::ALL.0))
    };
    assert_eq!(at("drain=20000"), [50, 40]);
    assert_eq!(at("drain=40000"), [50, 45]);
    assert_eq!(at("drain=0"), [0, 0]);
    // Who is drained stays so.
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    ledger.fold(At(0), said("eu", "drain=0", None));
    ledger.fold(At(1), said("eu", "drain=60000", None));
    assert_eq!((shares(&ledger).as_str(), ledger.due()), ("100*0uD 100*100u", None));
}

#[test]
fn a_reload_takes_nothing_from_a_drain() {
    // While it waits for the caches, and while it moves: blocks stay cut, and the steps come when they would have come.
    for at in [10_000, 35_500] {
        let steps = |reloaded: bool| {
            let mut ledger = all_up(&shaped(TWO, |_| {}));
            ledger.fold(At(1000), said("eu", "drain=20000", None));
            let mut steps = Vec::new();
            let mut loaded = !reloaded;
            while let Some(tick) = ledger.due() {
                if !loaded && tick.0 > at {
                    loaded = true;
                    let before = (admission(&ledger), ledger.snapshot(At(0)).fine);
                    ledger.configure(At(at), shaped(&format!("a eu 192.0.2.7\n{TWO}"), |_| {}));
                    let snapshot = ledger.snapshot(At(at));
                    assert_eq!((snapshot.endpoints[1].admission, snapshot.fine), before, "at {at}");
                    continue;
                }
                ledger.fold(tick, Input::Tick);
                let snapshot = ledger.snapshot(At(0));
                let of = snapshot
                    .world
                    .endpoints()
                    .map(|(_, endpoint)| endpoint)
                    .position(|e| e.v4 == "192.0.2.1".parse().ok());
                let now = snapshot.endpoints[of.expect("web/eu")].admission;
                if steps.last().is_none_or(|(_, last)| *last != now) {
                    steps.push((tick.0, now));
                }
            }
            assert!(loaded);
            steps
        };
        assert_eq!(steps(true), steps(false), "reloaded at {at}");
    }
}
