//! Admission: who takes which blocks, exactly, and that nobody else moves when it changes.

use std::collections::BTreeMap;

use meridian::engine::{
    snapshot::{PoolRow, Snapshot},
    steer::{
        policy::ADMIT_ALL,
        table::Assignment,
        trace::{Lack, Rung, Step},
    },
    types::{Family, Prefix},
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
        service.cut = Some([16, 32]);
        service.maps = vec![draft.plain];
    }
    Lab::new(draft)
}

/// The Snapshot with the admission of one endpoint changed.
fn admitting(mut snapshot: Snapshot, endpoint: usize, parts: u32) -> Snapshot {
    snapshot.endpoints[endpoint].admission = parts;
    let bit = 1 << endpoint;
    let PoolRow { partial, .. } = &mut snapshot.pools[0];
    *partial = if parts < ADMIT_ALL { *partial | bit } else { *partial & !bit };
    snapshot
}

/// As admission falls, blocks leave for good; as it rises, they come back in the reverse order; no other block moves.
/// Where the best band holds one endpoint the next in order takes them.
#[test]
fn the_same_blocks_leave_first_and_come_back_last() {
    let steps = [ADMIT_ALL, ADMIT_ALL / 4 * 3, ADMIT_ALL / 2, ADMIT_ALL / 10, 1, 0];
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
    for parts in [0, ADMIT_ALL / 10, ADMIT_ALL / 2, ADMIT_ALL] {
        let snapshot = admitting(lab.healthy(), 0, parts);
        let key = snapshot.world.tables[0].places()[0].key;
        let seed = &snapshot.world.seeds[0];
        for n in 0..512 {
            let number = meridian::engine::steer::draw::admission(seed.block(client(n)), key);
            assert_eq!(choice(&told(&snapshot, n)) == 0, number < parts, "block {n} at {parts}");
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
        snapshot = admitting(snapshot, n, ADMIT_ALL / 2);
    }
    let (after, key) = (layout(&snapshot), snapshot.world.tables[0].places()[0].key);
    for n in 0..before.len() {
        let number = meridian::engine::steer::draw::admission(snapshot.world.seeds[0].block(client(n as u32)), key);
        let stays = number < ADMIT_ALL / 2;
        assert_eq!(after[n], if before[n] == 3 || stays { before[n] } else { 3 }, "block {n}");
    }
}

/// Nobody admits the block: the next pool; no pool does: the second rung, as if there were no admission.
#[test]
fn a_block_that_nobody_admits_is_still_answered() {
    let mut lab = in_order();
    let mut snapshot = lab.healthy();
    for n in 0..3 {
        snapshot = admitting(snapshot, n, 0);
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
    let shares = vec![ADMIT_ALL / 2, ADMIT_ALL / 2, ADMIT_ALL];
    snapshot.assignments = vec![Some(std::sync::Arc::new(Assignment { regions: 3, shares }))];
    let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
    for n in 0..4096 {
        let draw = snapshot.world.seeds[0].block(client(n % 512)) ^ u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let chance = meridian::engine::types::Chance { draw: Some(draw), ..at(0) };
        let question = Question::new("www.g.test", A).with(client(n % 512));
        *counts.entry(choice(&listen(&snapshot, &question, chance).expect("ready"))).or_default() += 1;
        let place =
            |at: usize| meridian::engine::steer::draw::admission(draw, snapshot.world.tables[0].places()[at].key);
        let expected = (0..3).find(|at| *at == 2 || place(*at) < ADMIT_ALL / 2).expect("the last takes all");
        assert_eq!(choice(&listen(&snapshot, &question, chance).expect("ready")), expected, "draw {draw:x}");
    }
    assert!(counts.len() == 3, "{counts:?}");
}
