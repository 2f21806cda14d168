//! Admission: who takes which blocks, exactly, and that nobody else moves when it changes.

use std::collections::BTreeMap;

use meridian::engine::{
    live::PoolRow,
    snapshot::Snapshot,
    steer::trace::{Lack, Rung, Step},
    types::{Family, PerFamily, Prefix},
    units::Admission,
    world::{policy::Spread, table::Assignment},
};

use super::{
    lab::{A, Lab, Question, Told, at, draft, listen},
    shares::config,
};

/// The n-th /16 from 20.0.0.0 on.
fn client(n: u32) -> Prefix {
    Prefix::from_bits(Family::V4, u128::from(0x1400 + n) << 112, 16)
}

fn told(snapshot: &Snapshot, n: u32) -> Told {
    listen(snapshot, &Question::new("www.g.test", A).with(client(n)), at(0)).expect("ready")
}

/// The last octet of the first address, less one: the position of the endpoint.
fn choice(told: &Told) -> usize {
    let std::net::IpAddr::V4(first) = told.answer.addresses[0] else { panic!("{told:?}") };
    usize::from(first.octets()[3]) - 1
}

fn layout(snapshot: &Snapshot) -> Vec<usize> {
    (0..512).map(|n| choice(&told(snapshot, n))).collect()
}

/// Three regions by order, one endpoint in each: the best band holds one, so that no weight could move anybody.
fn in_order() -> Lab {
    let text = config("extends = \"failover\"", &[("a", 100), ("b", 100), ("c", 100)])
        .replace("weight = 100\n[pools.p.endpoints.e01]", "weight = 100\ntier = 1\n[pools.p.endpoints.e01]")
        .replace("weight = 100\n[pools.p.endpoints.e02]", "weight = 100\ntier = 2\n[pools.p.endpoints.e02]")
        .replace("weight = 100\n[services", "weight = 100\ntier = 3\n[services");
    let mut draft = draft(&text, &[]);
    for service in &mut draft.services {
        service.cut = Some(PerFamily::new(16, 32));
        service.maps = vec![draft.plain];
    }
    Lab::new(draft)
}

/// The Snapshot with the admission of one endpoint changed.
fn admitting(mut snapshot: Snapshot, endpoint: usize, parts: Admission) -> Snapshot {
    snapshot.endpoints[endpoint].admission = parts;
    let bit = 1 << endpoint;
    let PoolRow { partial, .. } = &mut snapshot.pools[0];
    *partial = if parts < Admission::ALL { *partial | bit } else { *partial & !bit };
    snapshot
}

/// As admission falls, blocks leave for good; as it rises, they come back in the reverse order; no other block moves.
/// Where the best band holds one endpoint the next in order takes them.
#[test]
fn the_same_blocks_leave_first_and_come_back_last() {
    let steps = [
        Admission::ALL,
        Admission(Admission::ALL.0 / 4 * 3),
        Admission(Admission::ALL.0 / 2),
        Admission(Admission::ALL.0 / 10),
        Admission(1),
        Admission::NONE,
    ];
    for spread in [None, Some("hash"), Some("weighted"), Some("round-robin")] {
        let mut lab = match spread {
            None => in_order(),
            Some(spread) => {
                let set = [("a", 100), ("b", 50), ("c", 70)];
                Lab::new(draft(&config(&format!("prefer = []\nspread = \"{spread}\""), &set), &[]))
            }
        };
        let before = layout(&lab.healthy());
        let mut last = before.clone();
        for parts in steps {
            let now = layout(&admitting(lab.healthy(), 0, parts));
            for n in 0..before.len() {
                assert!(before[n] == 0 || now[n] == before[n], "{spread:?}: block {n} was not at the one that sheds");
                assert!(now[n] == last[n] || last[n] == 0, "{spread:?}: block {n} left twice");
            }
            last = now;
        }
        assert!(!last.contains(&0), "{spread:?}: at 0 everybody has left");
        assert!(before.contains(&0), "{spread:?}");
        for parts in steps.iter().rev() {
            let now = layout(&admitting(lab.healthy(), 0, *parts));
            assert!(
                (0..now.len()).all(|n| now[n] == last[n] || now[n] == 0),
                "{spread:?}: they come back where they were"
            );
            last = now;
        }
        assert_eq!(last, before, "{spread:?}");
    }
}

/// The share that is admitted is the share of the blocks' numbers below it, to the block: counted over every number.
#[test]
fn an_admission_is_a_share_of_blocks() {
    let mut lab = in_order();
    for parts in [Admission::NONE, Admission(Admission::ALL.0 / 10), Admission(Admission::ALL.0 / 2), Admission::ALL] {
        let snapshot = admitting(lab.healthy(), 0, parts);
        let key = snapshot.world.pools[0].table.places()[0].key;
        let seed = &snapshot.world.services[0].table.seed;
        for n in 0..512 {
            let number = meridian::engine::world::draw::admission(seed.block(client(n)), key);
            assert_eq!(choice(&told(&snapshot, n)) == 0, number < parts, "block {n} at {parts:?}");
        }
    }
}

/// A region's endpoints share one number for a block: half a region is half, however many endpoints it has.
#[test]
fn a_whole_region_sheds_as_one() {
    let set = [("a", 100), ("a", 100), ("a", 100), ("b", 300)];
    let mut lab = Lab::new(draft(&config("prefer = []", &set), &[]));
    let before = layout(&lab.healthy());
    let mut snapshot = lab.healthy();
    for n in 0..3 {
        snapshot = admitting(snapshot, n, Admission(Admission::ALL.0 / 2));
    }
    let (after, key) = (layout(&snapshot), snapshot.world.pools[0].table.places()[0].key);
    for n in 0..before.len() {
        let number = meridian::engine::world::draw::admission(
            snapshot.world.services[0].table.seed.block(client(n as u32)),
            key,
        );
        let stays = number < Admission(Admission::ALL.0 / 2);
        assert_eq!(after[n], if before[n] == 3 || stays { before[n] } else { 3 }, "block {n}");
    }
}

/// Nobody admits the block: the next pool; no pool does: the second rung, as if there were no admission.
#[test]
fn a_block_that_nobody_admits_is_still_answered() {
    let mut lab = in_order();
    let mut snapshot = lab.healthy();
    for n in 0..3 {
        snapshot = admitting(snapshot, n, Admission::NONE);
    }
    let told = told(&snapshot, 7);
    assert_eq!(choice(&told), 0);
    assert!(told.steps.iter().any(|step| matches!(step, Step::PassedOver(_, Lack::NoneAdmits))));
    assert!(told.steps.contains(&Step::Rung(Rung::Relaxed)));
    assert_eq!(told.answer.ttl, Some(5), "`ttl.min` below the first rung");
}

/// What is assigned to a region of a catchment is one more factor, the same for all its endpoints.
#[test]
fn an_assignment_is_admission_by_region() {
    let mut lab = in_order();
    let mut snapshot = lab.healthy();
    let shares = vec![Admission(Admission::ALL.0 / 2), Admission(Admission::ALL.0 / 2), Admission::ALL];
    snapshot.assignments = vec![Some(std::sync::Arc::new(Assignment { regions: 3, shares }))];
    let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
    for n in 0..4096 {
        let draw = snapshot.world.services[0].table.seed.block(client(n % 512))
            ^ u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let chance = meridian::engine::types::Chance { draw: Some(draw), ..at(0) };
        let question = Question::new("www.g.test", A).with(client(n % 512));
        *counts.entry(choice(&listen(&snapshot, &question, chance).expect("ready"))).or_default() += 1;
        let place =
            |at: usize| meridian::engine::world::draw::admission(draw, snapshot.world.pools[0].table.places()[at].key);
        let expected =
            (0..3).find(|at| *at == 2 || place(*at) < Admission(Admission::ALL.0 / 2)).expect("the last takes all");
        assert_eq!(choice(&listen(&snapshot, &question, chance).expect("ready")), expected, "draw {draw:x}");
    }
    assert!(counts.len() == 3, "{counts:?}");
}

// ----- Slow starts ---------------------------------------------------------------------------------------------------

/// The Snapshot with one endpoint so far in its slow start.
fn starting(mut snapshot: Snapshot, endpoint: usize, parts: Admission) -> Snapshot {
    snapshot.endpoints[endpoint].warmth = parts;
    snapshot.pools[0].slow |= 1 << endpoint;
    snapshot
}

/// The number of a block with the region of an endpoint.
fn number(snapshot: &Snapshot, n: usize, endpoint: u8) -> Admission {
    let table = &snapshot.world.pools[0].table;
    let key = table.places()[table.place_of(endpoint)].key;
    meridian::engine::world::draw::admission(snapshot.world.services[0].table.seed.block(client(n as u32)), key)
}

const SLOW: [(&str, u32); 5] = [("a", 100), ("a", 50), ("b", 100), ("a", 70), ("b", 30)];
const STEPS: [Admission; 5] = [
    Admission(Admission::ALL.0 / 4 * 3),
    Admission(Admission::ALL.0 / 2),
    Admission(Admission::ALL.0 / 10),
    Admission(1),
    Admission::NONE,
];

/// Exactly the blocks whose number lies above the share go to others of the region; no block leaves it, and no other
/// block moves.
#[test]
fn a_slow_start_gives_way_inside_its_region_alone() {
    for spread in ["hash", "weighted", "round-robin"] {
        let mut lab = Lab::new(draft(&config(&format!("prefer = []\nspread = \"{spread}\""), &SLOW), &[]));
        let before = layout(&lab.healthy());
        for parts in STEPS {
            let snapshot = starting(lab.healthy(), 0, parts);
            let now = layout(&snapshot);
            for n in 0..before.len() {
                let takes = number(&snapshot, n, 0) < parts;
                let right = if before[n] == 0 && !takes { matches!(now[n], 1 | 3) } else { now[n] == before[n] };
                assert!(right, "{spread} at {parts:?}: block {n} went from {} to {}", before[n], now[n]);
            }
        }
    }
}

/// Of several that start slowly each takes its own share; what none of them takes goes to what does not, and stays where
/// it was drawn where there is nothing else.
#[test]
fn several_slow_starts_of_a_region_keep_its_blocks_in_it() {
    let mut lab = Lab::new(draft(&config("prefer = []", &SLOW), &[]));
    let before = layout(&lab.healthy());
    let two = |lab: &mut Lab| {
        starting(starting(lab.healthy(), 0, Admission(Admission::ALL.0 / 2)), 1, Admission(Admission::ALL.0 / 4))
    };
    let snapshot = two(&mut lab);
    for (n, now) in layout(&snapshot).into_iter().enumerate() {
        let number = number(&snapshot, n, 0);
        match before[n] {
            0 if number >= Admission(Admission::ALL.0 / 2) => assert_eq!(now, 3, "block {n}"),
            1 if number >= Admission(Admission::ALL.0 / 2) => assert_eq!(now, 3, "block {n}"),
            1 if number >= Admission(Admission::ALL.0 / 4) => assert!(matches!(now, 0 | 3), "block {n}"),
            was => assert_eq!(now, was, "block {n}"),
        }
    }
    let all = starting(two(&mut lab), 3, Admission::NONE);
    for (n, now) in layout(&all).into_iter().enumerate() {
        let number = number(&all, n, 0);
        match before[n] {
            2 | 4 => assert_eq!(now, before[n], "block {n}"),
            _ if number >= Admission(Admission::ALL.0 / 2) => {
                assert_eq!(now, before[n], "nothing takes block {n}: it stays")
            }
            _ => assert!(matches!(now, 0 | 1), "block {n}"),
        }
    }
}

/// What dies, is drained or is only held by the governor beside it leaves all of the region's blocks to what starts slowly.
#[test]
fn the_last_of_its_region_takes_all() {
    let mut lab = Lab::new(draft(&config("prefer = []", &SLOW), &[]));
    let dead = ["g", "gbbb", "g", "gbbb", "g"];
    let before = layout(&lab.healths(&dead));
    assert!(before.iter().all(|n| matches!(n, 0 | 2 | 4)));
    assert_eq!(layout(&starting(lab.healths(&dead), 0, Admission::NONE)), before);
    let mut drained = starting(lab.healthy(), 0, Admission::NONE);
    drained.pools[0].drained = 0b01010;
    assert_eq!(layout(&drained), before);
    let mut held = starting(lab.healthy(), 0, Admission::NONE);
    held.pools[0].governed = PerFamily::new(0b01010, 0);
    assert_eq!(layout(&held), layout(&lab.healthy()), "nothing more is left to what the governor holds");
    let leaving =
        admitting(admitting(starting(lab.healthy(), 0, Admission::NONE), 1, Admission::NONE), 3, Admission::NONE);
    assert!(layout(&leaving).iter().all(|n| matches!(n, 0 | 2 | 4)), "what drains takes nothing of it");
}

/// Other ranks and pools do not matter: the region comes first, even where what is left of it ranks behind another one.
#[test]
fn what_gives_way_gives_it_to_its_region_whatever_its_rank() {
    let text = config("extends = \"failover\"", &[("a", 100), ("b", 100), ("a", 100)])
        .replace("weight = 100\n[pools.p.endpoints.e01]", "weight = 100\ntier = 1\n[pools.p.endpoints.e01]")
        .replace("weight = 100\n[pools.p.endpoints.e02]", "weight = 100\ntier = 2\n[pools.p.endpoints.e02]")
        .replace("weight = 100\n[services", "weight = 100\ntier = 3\n[services");
    let mut last = None;
    for spread in [Spread::Hash, Spread::Weighted, Spread::RoundRobin, Spread::Random, Spread::All] {
        let mut world = draft(&text, &[]);
        world.policies[0].spread = spread;
        let mut lab = Lab::new(world);
        assert!(layout(&lab.healthy()).iter().all(|n| *n == 0));
        assert!(layout(&starting(lab.healthy(), 0, Admission::NONE)).iter().all(|n| *n == 2), "{spread:?}");
        let alone = lab.healths(&["g", "g", "gbbb"]);
        assert!(layout(&starting(alone, 0, Admission::NONE)).iter().all(|n| *n == 0), "{spread:?}");
        last = Some(told(&starting(lab.healthy(), 0, Admission::NONE), 7));
    }
    let told = last.expect("asked");
    assert!(told.steps.iter().any(|step| matches!(step, Step::Refused { admission: Admission::NONE, .. })));
    assert!(told.steps.contains(&Step::Rung(Rung::Preferred)));
}

/// Several answers, and all: a region that is named already is not named again for what gives way in it.
#[test]
fn of_several_answers_none_is_named_for_what_gives_way() {
    let named = |snapshot: &Snapshot, n: u32| -> Vec<usize> {
        let mut all: Vec<usize> = told(snapshot, n)
            .answer
            .addresses
            .iter()
            .map(|address| {
                let std::net::IpAddr::V4(address) = address else { panic!("{address}") };
                usize::from(address.octets()[3]) - 1
            })
            .collect();
        all.sort_unstable();
        all
    };
    for (policy, whole, rest) in [
        ("prefer = []\nanswers = 5\ndistinct = \"none\"", vec![0, 1, 2, 3, 4], vec![1, 2, 3, 4]),
        ("prefer = []\nspread = \"all\"", vec![0, 1, 2, 3, 4], vec![1, 2, 3, 4]),
    ] {
        let mut lab = Lab::new(draft(&config(policy, &SLOW), &[]));
        let snapshot = starting(lab.healthy(), 0, Admission::NONE);
        let half = starting(lab.healthy(), 0, Admission(Admission::ALL.0 / 2));
        let dead = starting(lab.healths(&["g", "gbbb", "g", "gbbb", "g"]), 0, Admission::NONE);
        for n in 0..64 {
            assert_eq!(named(&snapshot, n), rest, "{policy}");
            assert_eq!(named(&dead, n), [0, 2, 4], "{policy}");
            let located = told(&half, n).located().0;
            let key = half.world.pools[0].table.places()[0].key;
            let takes = meridian::engine::world::draw::admission(half.world.services[0].table.seed.block(located), key)
                < Admission(Admission::ALL.0 / 2);
            assert_eq!(named(&half, n), if takes { whole.clone() } else { rest.clone() }, "{policy}");
        }
    }
    let mut lab = Lab::new(draft(&config("prefer = []\nanswers = 2", &SLOW), &[]));
    for n in 0..64 {
        let regions: Vec<bool> =
            named(&starting(lab.healthy(), 0, Admission::NONE), n).iter().map(|n| matches!(n, 1 | 3)).collect();
        assert_eq!(regions.iter().filter(|a| **a).count(), 1, "one of each region");
        assert_eq!(regions.len(), 2);
    }
}
