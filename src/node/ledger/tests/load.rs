//! Load: shared out by weight, against capacity, until it is too old; and the sheds that follow.

use super::*;

/// The load of each endpoint, in parts of a thousand.
fn loads(ledger: &Ledger) -> Vec<u32> {
    ledger.snapshot(At(0)).endpoints.iter().map(|row| row.load.0).collect()
}

const SHARED: &str = "shop eu-a 192.0.2.1
                      web eu-b 192.0.2.2
                      web eu-c 192.0.2.3
                      web us 192.0.2.4";

fn report(ledger: &mut Ledger, at: u64, of: &str, load: f64) -> Vec<String> {
    ledger.fold(At(at), Input::Load { scope: subject(of), load }).iter().map(ToString::to_string).collect()
}

#[test]
fn a_region_is_shared_out_by_live_weight_over_all_its_pools() {
    let mut ledger = all_up(&shaped(SHARED, |draft| draft.endpoints_mut().nth(2).expect("an endpoint").weight = 200));
    report(&mut ledger, 0, "eu", 80.0);
    assert_eq!(loads(&ledger), [800, 800, 800, 800], "the region's ratio, and the pool's mean for who is not reported");
    report(&mut ledger, 0, "us", 20.0);
    assert_eq!(loads(&ledger), [800, 800, 800, 200]);
    // A part of its own: 60 of what is its share of 100, which is 50 of 100.
    report(&mut ledger, 0, "web/eu-c", 60.0);
    assert_eq!(loads(&ledger), [800, 800, 1200, 200]);
    // Without it the others are the region; it has the mean of those of its pool who have a part.
    ledger.fold(At(0), said("web/eu-c", "down", None));
    assert_eq!(loads(&ledger), [800, 800, 500, 200]);
}

#[test]
fn capacity_is_the_endpoints_or_the_regions_or_nobodys() {
    for (own, region, load) in [
        (Some(40.0), Some(100.0), [1000, 1000]),
        (None, Some(100.0), [800, 800]),
        (None, None, [40_000, 40_000]),
        (Some(40.0), None, [1000, 1000]),
    ] {
        let world = shaped("web eu-a 192.0.2.1\nweb eu-b 192.0.2.2", |draft| {
            draft.regions[0].capacity = region;
            draft.endpoints_mut().for_each(|endpoint| endpoint.capacity = own);
        });
        let mut ledger = all_up(&world);
        report(&mut ledger, 0, "eu", 80.0);
        assert_eq!(loads(&ledger), load, "{own:?} {region:?}");
    }
}

#[test]
fn a_pool_is_shared_out_too_and_the_narrowest_report_counts() {
    let mut ledger = all_up(&shaped(SHARED, |_| {}));
    report(&mut ledger, 0, "eu", 300.0);
    report(&mut ledger, 0, "web", 30.0);
    // A third each, of a third of the capacity of eu, and of all of that of us.
    assert_eq!(loads(&ledger), [3000, 300, 300, 100]);
}

#[test]
fn what_names_no_load_or_is_none_says_nothing() {
    let mut ledger = all_up(&shaped(TWO, |draft| draft.pools[0].load = None));
    let before = ledger.snapshot(At(0));
    for of in ["eu", "web", "web/eu", "nobody"] {
        assert_eq!(report(&mut ledger, 0, of, 50.0), [""; 0]);
    }
    assert!(!ledger.differs_from(&before) && ledger.due().is_none());
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    for load in [f64::NAN, f64::INFINITY, -1.0, 1e12, f64::MAX] {
        report(&mut ledger, 0, "eu", load);
    }
    assert!(!ledger.differs_from(&ledger.snapshot(At(0))) && ledger.due().is_none());
}

#[test]
fn an_old_report_counts_no_more() {
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    report(&mut ledger, 0, "eu", 50.0);
    assert_eq!((loads(&ledger), ledger.due()), (vec![500, 500], Some(At(10_001))));
    play(
        &mut ledger,
        "10000 tick\n10001 tick | no load was reported of region eu for 10 s: weights alone decide there",
    );
    assert_eq!((loads(&ledger), ledger.due(), ledger.load_gaps()), (vec![0, 0], None, 1));
    assert_eq!(report(&mut ledger, 20_000, "eu", 70.0), ["load is reported of region eu again"]);
    assert_eq!(loads(&ledger), [700, 700]);
}

#[test]
fn what_is_asked_otherwise_counts_no_more() {
    use crate::probing::pull::Pull;
    let asked = |port: Option<u16>, interval: u64| {
        shaped(TWO, |draft| {
            (draft.loads[0].pull, draft.loads[0].interval) = (port.map(Pull::Agent), Millis(interval));
        })
    };
    for (after, kept) in [(asked(Some(1), 500), true), (asked(Some(2), 1000), false), (asked(None, 1000), false)] {
        let mut ledger = all_up(&asked(Some(1), 1000));
        report(&mut ledger, 0, "eu", 50.0);
        ledger.configure(At(1), after);
        assert_eq!(loads(&ledger), if kept { [500, 500] } else { [0, 0] });
    }
}

#[test]
fn response_times_count_by_load_where_a_policy_asks() {
    use crate::engine::world::policy::Key;
    let took = |asks: bool, millis: &[u64]| {
        let world = shaped("web eu 192.0.2.1\nweb us 192.0.2.2", |draft| {
            draft.policies[0].prefer = if asks { vec![(Key::Response, 0)] } else { Vec::new() };
        });
        let mut ledger = Ledger::new(world);
        for millis in millis {
            ledger.fold(At(0), Input::outcome(&key("192.0.2.1"), Outcome::good(millis * 1000)));
        }
        report(&mut ledger, 0, "eu", 50.0);
        ledger.snapshot(At(0)).endpoints.iter().map(|row| row.response.0).collect::<Vec<_>>()
    };
    assert_eq!(took(false, &[20]), [0, 0]);
    assert_eq!(took(true, &[]), [0, 0]);
    assert_eq!(took(true, &[20]), [300, 300], "the other one has the mean of its pool: load and time");
    assert_eq!(took(true, &[20, 36]), [300, 300], "22 ms are no reason to move");
    assert_eq!(took(true, &[20, 44]), [345, 345], "23 ms are");
}

/// Shed from 0.7 to 0.95.
fn shedding(text: &str) -> Arc<World> {
    shaped(text, |draft| {
        draft.policies[0].shed = Some(Watermarks { low: Permille(700), high: Permille(950) });
        draft.services[0].cut = Some(PerFamily::new(16, 32));
    })
}

#[test]
fn load_beyond_the_marks_is_shed_once_in_a_period() {
    let mut ledger = all_up(&shedding(TWO));
    assert_eq!(report(&mut ledger, 0, "eu", 70.0), [""; 0]);
    // 120 ÷ 100: (1.2 − 0.7) ÷ (1.2 + 0.25).
    let told = report(&mut ledger, 1000, "eu", 120.0);
    assert_eq!(told, ["web/eu passes on 34.5 % of its blocks: its load is 120 % of its capacity"]);
    assert_eq!(shares(&ledger), "100*65.5u 100*100u");
    // It shows when caches (30 s) and reports (10 s) are through. Until then nothing more is done.
    for at in [5_000, 15_000, 25_000, 35_000, 40_999] {
        assert_eq!(report(&mut ledger, at, "eu", 120.0), [""; 0]);
    }
    assert_eq!(report(&mut ledger, 41_000, "eu", 78.6), [""; 0], "as expected: nothing to do");
    let told = report(&mut ledger, 42_000, "eu", 20.0);
    assert_eq!(told, ["web/eu passes on 9.5 % of its blocks: its load is 20 % of its capacity"]);
    for at in [50_000, 60_000, 70_000, 80_000] {
        assert_eq!(report(&mut ledger, at, "eu", 20.0), [""; 0]);
    }
    assert_eq!(
        report(&mut ledger, 82_000, "eu", 20.0),
        ["web/eu keeps all its blocks again: its load is 20 % of its capacity"]
    );
    assert_eq!(shares(&ledger), "100*100u 100*100u");
}

#[test]
fn without_reports_a_shed_goes_back_by_itself() {
    let play = |ticks: bool| {
        let mut ledger = all_up(&shedding(TWO));
        report(&mut ledger, 0, "eu", 150.0);
        let mut told = Vec::new();
        while let Some(at) = ledger.due().filter(|_| ticks) {
            told.extend(ledger.fold(at, Input::Tick).iter().map(|change| (at.0, change.to_string())));
        }
        ledger.fold(At(1_000_000), Input::Tick);
        (shares(&ledger), told)
    };
    let (rows, told) = play(true);
    assert_eq!(
        told[1..],
        [
            (40_000, "web/eu passes on 20.7 % of its blocks: its load is not reported any more".into()),
            (80_000, "web/eu keeps all its blocks again: its load is not reported any more".into())
        ]
    );
    assert_eq!((rows.as_str(), play(false).0.as_str()), ("100*100u 100*100u", "100*100u 100*100u"));
}

#[test]
fn an_assignment_is_the_only_shed() {
    let world = shedding(TWO);
    let mut ledger = all_up(&world);
    report(&mut ledger, 0, "eu", 150.0);
    let assignment = Some(Arc::new(Assignment { regions: 2, shares: vec![Admission::parts(1, 2), Admission::ALL] }));
    ledger.assign(At(0), &shedding(TWO), vec![assignment.clone()]);
    assert!(ledger.snapshot(At(0)).assignments[0].is_none(), "it was worked out for another configuration");
    ledger.assign(At(0), &world, vec![assignment.clone()]);
    let snapshot = ledger.snapshot(At(0));
    assert_eq!(&snapshot.assignments, &vec![assignment.clone()]);
    assert_eq!(shares(&ledger), "100*100u 100*100u");
    assert_eq!(report(&mut ledger, 5_000, "eu", 150.0), [""; 0]);
    assert_eq!(shares(&ledger), "100*100u 100*100u");
    ledger.assign(At(5_000), &world, vec![None]);
    assert!(ledger.snapshot(At(0)).assignments[0].is_none());
    assert_eq!(report(&mut ledger, 5_001, "eu", 150.0).len(), 1, "now it sheds by itself again");
}

#[test]
fn how_long_a_target_takes_is_kept_over_a_reload_and_shown() {
    let world = || shaped("web eu 192.0.2.1\nweb us 192.0.2.2", |_| {});
    let mut ledger = Ledger::new(world());
    for (took, connect) in [(20_000, Some(3000)), (40_000, None)] {
        let outcome = Outcome::Good { took, connect, note: None, ends: None };
        ledger.fold(At(0), Input::outcome(&key("192.0.2.1"), outcome));
    }
    ledger.fold(At(0), Input::outcome(&key("192.0.2.1"), Outcome::Bad("refused".into())));
    ledger.configure(At(0), world());
    let shown = ledger.status(At(0));
    let of = |address: &str| {
        let at = shown.world.targets.iter().position(|target| target.address().to_string() == address).unwrap();
        let timing = &shown.timings[at];
        [&timing.response, &timing.connect].map(|window| window.summary().map(|summary| summary.to_string()))
    };
    let said = [
        Some("22.5 ms on average, p50 20.0, p95 40.0 of 2".to_owned()),
        Some("3.0 ms on average, p50 3.0, p95 3.0 of 1".to_owned()),
    ];
    assert_eq!((of("192.0.2.1"), of("192.0.2.2")), (said, [None, None]));
}
