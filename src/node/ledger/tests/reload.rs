//! What another configuration keeps: by name, never by position.

use super::*;
use crate::engine::{types::MapId, world::pool::Route};

const MORE: &str = "a eu 192.0.2.7
                    web aa 192.0.2.8
                    web eu 192.0.2.1
                    web us 192.0.2.2";

/// Only what concerns web/eu and web/us, wherever they stand.
fn of_web(ledger: &Ledger) -> String {
    shares(ledger).split(' ').rev().take(2).collect::<Vec<_>>().join(" ")
}

fn slow(text: &str, over: u64) -> Arc<World> {
    shaped(text, |draft| {
        draft.policies[0].slow_start = Millis(over);
        draft.policies[0].shed = Some(Watermarks { low: Permille(700), high: Permille(950) });
        draft.services[0].cut = Some(PerFamily::new(16, 32));
    })
}

#[test]
fn everything_goes_by_name() {
    let mut ledger = all_up(&slow(TWO, 20_000));
    for (at, found) in [(0, "status-503"), (0, "status-503"), (0, "status-503"), (1000, "good"), (1000, "good")] {
        ledger.fold(At(at), Input::outcome(&key("192.0.2.1"), outcome(found)));
    }
    ledger.fold(At(2000), said("web/us", "drain=20000", None));
    ledger.fold(At(2000), said("us", "weight=300", None));
    ledger.fold(At(2000), Input::Load { scope: subject("us"), load: 150.0 });
    ledger.fold(At(6000), Input::Tick);
    let before = of_web(&ledger);
    assert_eq!(before, "30*43.4u 100*30u");
    let load = ledger.snapshot(At(0)).endpoints[1].load;
    ledger.configure(At(6000), slow(MORE, 20_000));
    assert_eq!((of_web(&ledger), ledger.snapshot(At(0)).endpoints[3].load), (before.clone(), load));
    // Another length: the share stays, the rest of the way is longer.
    ledger.configure(At(6000), slow(TWO, 200_000));
    assert_eq!(of_web(&ledger), before);
    ledger.configure(At(8000), slow(TWO, 0));
    assert!(of_web(&ledger).ends_with("100*100u"), "no slow start any more: {}", of_web(&ledger));
}

#[test]
fn a_word_of_nobody_is_kept_and_told() {
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    ledger.fold(At(0), said("web/us", "down", None));
    let told = ledger.configure(At(10), shaped("web eu 192.0.2.1", |_| {}));
    assert_eq!(
        told[1].to_string(),
        "nobody is called web/us any more, but the word is kept: it is forced down, says ann: kernel"
    );
    ledger.configure(At(20), shaped(TWO, |_| {}));
    assert_eq!(shares(&ledger), "100*100u 100*100o");
}

#[test]
fn who_was_up_last_is_remembered() {
    let mut ledger = all_up(&shaped(TWO, ungoverned));
    let last = |ledger: &Ledger| {
        let row = ledger.snapshot(At(0)).pools.last().copied().expect("a pool");
        (row.last, row.last_at)
    };
    let down = |ledger: &mut Ledger, at, address| {
        (0..3).for_each(|_| drop(ledger.fold(At(at), Input::outcome(&key(address), outcome("status-503")))));
    };
    assert_eq!(last(&ledger), (0b11, u64::MAX));
    down(&mut ledger, 1000, "192.0.2.1");
    assert_eq!(last(&ledger), (0b10, u64::MAX));
    down(&mut ledger, 2000, "192.0.2.2");
    assert_eq!(last(&ledger), (0b10, 2000));
    down(&mut ledger, 3000, "192.0.2.2");
    assert_eq!(last(&ledger), (0b10, 2000));
    ledger.configure(At(4000), shaped("web aa 192.0.2.8\nweb us 192.0.2.2", ungoverned));
    assert_eq!(last(&ledger), (0b10, 2000), "by name");
    ledger.configure(At(5000), shaped("web bb 192.0.2.8\nweb eu 192.0.2.1", ungoverned));
    assert_eq!(last(&ledger), (0, 0), "nobody of them is left");
    let mut ledger = Ledger::new(shaped(TWO, |_| {}));
    assert_eq!(last(&ledger), (0, 0));
    ledger.fold(At(0), said("web", "up", None));
    assert_eq!(last(&ledger), (0, 0), "by measurement alone");
}

#[test]
fn an_assignment_goes_with_regions_and_map() {
    let kept = |next: Arc<World>| {
        let world = shaped(TWO, |_| {});
        let mut ledger = all_up(&world);
        let assignment = Arc::new(Assignment { regions: 2, shares: vec![Admission::ALL, Admission::parts(1, 2)] });
        ledger.assign(At(0), &world, vec![Some(assignment)]);
        ledger.configure(At(1), next);
        let snapshot = ledger.snapshot(At(1));
        assert_eq!(snapshot.assignments.len(), snapshot.world.routes.len());
        snapshot.assignments.into_iter().flatten().count()
    };
    assert_eq!(kept(shaped(TWO, |_| {})), 1);
    assert_eq!(kept(shaped(TWO, |draft| draft.monitors[0].rhythm.interval = Millis(5000))), 1);
    assert_eq!(
        kept(shaped("a eu 192.0.2.7\nweb eu 192.0.2.1\nweb us-b 192.0.2.2", |_| {})),
        1,
        "the pool is known by name"
    );
    assert_eq!(kept(shaped("web eu 192.0.2.1", |_| {})), 0);
    assert_eq!(kept(shaped(TWO, |draft| draft.regions[0].name = "zz".into())), 0);
    let mapped = |draft: &mut Draft| {
        draft.rules.push(crate::engine::geo::Rule {
            regions: vec![RegionId(0), RegionId(1)],
            ..crate::engine::geo::Rule::default()
        });
        draft.routes = vec![Route { map: Some(MapId(0)), ..Route::default() }];
    };
    assert_eq!(kept(shaped(TWO, mapped)), 0);
}

#[test]
fn what_is_up_under_a_new_configuration_does_not_ramp() {
    let mut ledger = Ledger::new(slow("web eu 192.0.2.1\nweb us 192.0.2.2", 20_000));
    for (address, found) in [("192.0.2.1", "status-503"), ("192.0.2.2", "good")] {
        ledger.fold(At(0), Input::outcome(&key(address), outcome(found)));
    }
    // eu, which was down, gets the address that is up.
    ledger.configure(At(10), slow("web eu 192.0.2.2\nweb us 192.0.2.1", 20_000));
    assert_eq!(shares(&ledger), "100*100u 100*100d");
    for _ in 0..2 {
        ledger.fold(At(20), Input::outcome(&key("192.0.2.1"), outcome("good")));
    }
    assert_eq!(shares(&ledger), "100*100u 100*5u", "the other one recovers");
}
