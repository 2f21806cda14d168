//! What must hold step by step. Whole runs, with caches and late reports, are played in `tests/it/simulate.rs`.

mod eligible;

use std::net::Ipv4Addr;

use super::*;
use crate::engine::types::Millis;
use crate::engine::{
    live::{EndpointRow, PoolRow},
    signal::load::Load,
    types::{Family, PerFamily, RegionId},
    units::{Admission, Permille},
    wire::name::Name,
    world::{
        Draft, Region,
        endpoint::Endpoint,
        policy::{Key, Policy, Watermarks},
        pool::Pool,
        service::Service,
    },
};

/// Three regions from north to south, 100 of capacity each, one endpoint each, one catchment: all clients prefer the
/// first, then the second, then the third, by order.
fn draft() -> Draft {
    let region = |name: &str| Region { name: name.into(), capacity: Some(100.0), ..Region::default() };
    let endpoint = |n: u16| Endpoint {
        name: format!("e{n}").into(),
        region: RegionId(n),
        v4: Some(Ipv4Addr::new(192, 0, 2, 1 + n as u8)),
        weight: 100,
        order: n.into(),
        ..Endpoint::default()
    };
    let policy = Policy {
        prefer: vec![(Key::Order, 0)],
        shed: Some(Watermarks { low: Permille(700), high: Permille(950) }),
        answers: 1,
        depth: 3,
        ..Policy::default()
    };
    let mut service = Service::new(Name::from_text("www.g.test").expect("a name"));
    service.routes = vec![RouteId(0)];
    Draft {
        regions: vec![region("a"), region("b"), region("c")],
        pools: vec![Pool {
            name: "web".into(),
            endpoints: (0..3).map(endpoint).collect(),
            load: Some("app".into()),
            ..Pool::default()
        }],
        loads: vec![Load { name: "app".into(), max_age: Millis(60_000), smooth: Millis(0), ..Load::default() }],
        policies: vec![policy],
        services: vec![service],
        ..Draft::default()
    }
}

/// A truth without a ledger: who is up, and what each region reports.
struct Bench {
    snapshot: Snapshot,
    balance: Balance,
    at: u64,
}

impl Bench {
    fn new(draft: Draft) -> Self {
        let world = Arc::new(World::seal(draft));
        let (pools, services) = (world.pools.len(), world.services.len());
        let row = EndpointRow { weight: 100, ..EndpointRow::default() };
        let snapshot = Snapshot {
            pools: vec![PoolRow { up: PerFamily::new(0b111, 0), weighted: 0b111, ..PoolRow::default() }; pools],
            endpoints: vec![row; world.endpoint_count()],
            assignments: vec![None; world.routes.len()],
            fine: vec![false; services],
            ready: true,
            at: At(0),
            world,
        };
        Self { snapshot, balance: Balance::default(), at: 0 }
    }

    /// Regions report so much, of 100; those that are down report nothing.
    fn report(&mut self, loads: [u32; 3]) {
        for (row, load) in self.snapshot.endpoints.iter_mut().zip(loads) {
            row.load = Permille(load * 10);
        }
    }

    fn up(&mut self, set: u64) {
        self.snapshot.pools[0].up = PerFamily::new(set, 0);
    }

    /// A second passes; what is assigned then, where it is something else, in thousandths.
    fn tick(&mut self) -> Option<Vec<u32>> {
        self.at += 1000;
        let assigned = self.balance.tick(At(self.at), &self.snapshot, &[])?.first()?.as_ref()?.shares.clone();
        Some(
            assigned
                .into_iter()
                .map(|share| (u64::from(share.0) * 1000 / u64::from(Admission::ALL.0)) as u32)
                .collect(),
        )
    }

    fn shares(&self) -> &[f64] {
        &self.balance.shares[0]
    }
}

#[test]
fn below_the_low_watermark_everybody_is_admitted_and_nothing_is_said_twice() {
    let mut bench = Bench::new(draft());
    bench.report([60, 0, 0]);
    assert_eq!(bench.tick(), Some(vec![1000, 1000, 1000]));
    assert!((0..200).all(|_| bench.tick().is_none()));
}

#[test]
fn what_is_above_goes_on_where_it_costs_less() {
    let mut bench = Bench::new(draft());
    bench.report([90, 0, 0]);
    // The steps above 70 are 3.125 wide; the second one costs 250 a unit, the way to b 200.
    assert_eq!(bench.tick(), Some(vec![812, 1000, 1000]));
    assert!((bench.shares()[0] - 73.125 / 90.0).abs() < 1e-6);
    let [a, b, _] = bench.balance.regions()[..] else { panic!("three regions") };
    let near = |found: f64, wanted: f64| (found - wanted).abs() < 1e-6;
    assert!(near(a.passed, 0.1875) && near(a.natural, 0.9) && near(a.assigned, 0.73125), "{a:?}");
    assert!(near(b.passed, 0.0) && near(b.natural, 0.0) && near(b.assigned, 0.16875), "{b:?}");
}

#[test]
fn clients_of_a_lost_region_move_at_once_and_its_vanished_reports_take_no_demand_away() {
    let mut bench = Bench::new(draft());
    bench.report([60, 40, 0]);
    let first = bench.tick().expect("assigned");
    assert_eq!(first.len(), 3);
    bench.up(0b110);
    bench.report([0, 40, 0]);
    let shares = bench.tick().expect("said at once");
    assert_eq!(shares[0], 0, "who is gone finds its door closed when it comes back");
    let foreseen = bench.balance.foreseen();
    assert!((foreseen.iter().sum::<f64>() - 100.0).abs() < 1e-6, "{foreseen:?}");
    assert!(foreseen[0] == 0.0 && foreseen[1] <= 80.0 && foreseen[2] >= 20.0, "{foreseen:?}");
}

#[test]
fn a_return_is_bounded_by_a_tenth_of_a_period() {
    let mut bench = Bench::new(draft());
    bench.report([60, 0, 0]);
    bench.tick();
    bench.up(0b110);
    bench.report([0, 60, 0]);
    assert_eq!(bench.tick(), Some(vec![0, 1000, 1000]));
    bench.up(0b111);
    assert!(bench.tick().is_none_or(|shares| shares[0] == 0), "nobody is admitted before a step");
    // 30 s of TTL and 10 s of reports: one step in 40 s, of a tenth of what b has.
    let mut before = 0.0;
    for period in 1..=40 {
        let steps = (0..40).filter(|_| bench.tick().is_some()).count();
        let home = bench.shares()[0];
        assert!(steps <= 1 && home >= before && home - before <= 0.1 + 1e-9, "{period}: {before} to {home}");
        bench.report([(home * 60.0) as u32, 60 - (home * 60.0) as u32, 0]);
        if period == 20 {
            assert!(home > 0.85, "{home}");
        }
        before = home;
    }
    assert_eq!(bench.shares(), [1.0, 0.0, 0.0], "it ends where nature is");
}

#[test]
fn where_reports_are_missing_the_configured_demand_stands_in() {
    let mut bench = Bench::new({
        let mut draft = draft();
        draft.pools[0].load = None;
        draft.regions[0].demand = Some(90.0);
        draft
    });
    assert_eq!(bench.tick(), Some(vec![812, 1000, 1000]));
}

#[test]
fn without_a_capacity_or_anything_to_tell_demand_by_nothing_is_assigned() {
    for change in [
        (|draft| draft.regions[1].capacity = None) as fn(&mut Draft),
        |draft| draft.pools[0].load = None,
        |draft| draft.policies[0].shed = None,
    ] {
        let mut changed = draft();
        change(&mut changed);
        let mut bench = Bench::new(changed);
        bench.report([90, 0, 0]);
        assert!((0..100).all(|_| bench.tick().is_none()));
    }
}

#[test]
fn a_reload_of_the_same_groups_keeps_what_is_known_and_says_it_again() {
    let mut bench = Bench::new(draft());
    bench.report([90, 0, 0]);
    let said = bench.tick();
    bench.snapshot.world = Arc::new(World::seal(draft()));
    bench.report([60, 0, 0]);
    assert_eq!(bench.tick(), said, "the ledger forgets assignments with the configuration that they were made for");

    let mut other = draft();
    other.pools[0].name = "other".into();
    bench.snapshot.world = Arc::new(World::seal(other));
    assert_eq!(bench.tick(), Some(vec![1000, 1000, 1000]));
}
