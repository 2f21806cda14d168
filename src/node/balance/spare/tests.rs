//! Against a grid that knows nothing of flows, and what must hold whatever the numbers.

use crate::{engine::units::Permille, node::balance::spare::*};

/// Numbers that look random and are the same everywhere (a linear congruence, its high half).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn part(&mut self, below: u64) -> f64 {
        self.roll(below) as f64
    }
}

fn room(capacity: f64, low: u32, high: u32) -> Room {
    Room { capacity, low: Permille(low), high: Permille(high), fixed: 0.0 }
}

fn group(demand: f64, home: usize, cost: &[u32]) -> Group {
    Group { demand, natural: (0..cost.len()).map(|r| f64::from(u8::from(r == home))).collect(), cost: cost.to_vec() }
}

/// All shares of three regions on a grid of `grid` parts.
fn grid(grid: u32) -> impl Iterator<Item = Vec<f64>> + Clone {
    let part = move |n: u32| f64::from(n) / f64::from(grid);
    (0..=grid).flat_map(move |a| (0..=grid - a).map(move |b| vec![part(a), part(b), part(grid - a - b)]))
}

fn random_case(dice: &mut Dice, groups: usize) -> (Vec<Room>, Vec<Group>) {
    let rooms = (0..3)
        .map(|_| Room {
            fixed: dice.part(10),
            ..room(20.0 + dice.part(80), 500 + dice.roll(300) as u32, 850 + dice.roll(150) as u32)
        })
        .collect();
    let groups = (0..groups)
        .map(|_| {
            let home = dice.roll(3) as usize;
            let mut cost: Vec<u32> =
                (0..3).map(|_| if dice.roll(8) == 0 { NEVER } else { dice.roll(2500) as u32 }).collect();
            cost[home] = 0;
            let mut group = group(5.0 + dice.part(60), home, &cost);
            let second = (home + 1) % 3;
            if dice.roll(3) == 0 {
                (group.natural[home], group.natural[second]) = (0.75, 0.25);
            }
            group
        })
        .collect();
    (rooms, groups)
}

fn assert_sound(groups: &[Group], shares: &[Vec<f64>]) {
    for (group, shares) in groups.iter().zip(shares) {
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
        for (region, share) in shares.iter().enumerate() {
            assert!(*share >= 0.0 && (*share == 0.0 || group.cost(region).is_some()), "{group:?} {shares:?}");
        }
    }
}

#[test]
fn no_point_of_a_grid_is_better() {
    let mut dice = Dice(7);
    for _ in 0..20 {
        let (rooms, groups) = random_case(&mut dice, 2);
        let shares = solve(&rooms, &groups);
        assert_sound(&groups, &shares);
        let ours = objective(&rooms, &groups, &shares);
        for a in grid(14) {
            for b in grid(14) {
                let theirs = objective(&rooms, &groups, &[a.clone(), b]);
                assert!(
                    ours <= theirs * (1.0 + 1e-6) + 1e-3,
                    "{ours} against {theirs}: {rooms:?} {groups:?} {shares:?}"
                );
            }
        }
    }
}

#[test]
fn the_best_of_a_grid_is_not_far_from_ours() {
    // The other way round: the objective is not 0 by mistake, and a fine grid comes within 5 % of the solution.
    let mut dice = Dice(11);
    let mut loaded = 0;
    for _ in 0..40 {
        let (rooms, groups) = random_case(&mut dice, 1);
        let ours = objective(&rooms, &groups, &solve(&rooms, &groups));
        let best = grid(400).map(|a| objective(&rooms, &groups, &[a])).fold(f64::INFINITY, f64::min);
        assert!(ours <= best * (1.0 + 1e-6) + 1e-3 && best <= ours * 1.05 + 1.0, "{ours} {best}");
        loaded += usize::from(ours > 1.0);
    }
    assert!(loaded >= 10, "only {loaded} of the cases had anything to decide");
}

#[test]
fn where_nobody_is_above_the_low_watermark_nature_decides() {
    let mut dice = Dice(3);
    for _ in 0..200 {
        let (mut rooms, groups) = random_case(&mut dice, 6);
        for room in &mut rooms {
            (room.capacity, room.fixed) = (1000.0, 0.0);
        }
        let natural: Vec<Vec<f64>> = groups.iter().map(|group| group.natural.clone()).collect();
        assert_eq!(solve(&rooms, &groups), natural);
    }
}

#[test]
fn the_lost_spread_by_spare_capacity_and_not_to_the_nearest_alone() {
    // 60 units lost their home (region 0, not offered any more); the nearest can take 20 up to its low watermark.
    let rooms = [
        room(0.0, 700, 950),
        Room { fixed: 50.0, ..room(100.0, 700, 950) },
        Room { fixed: 10.0, ..room(100.0, 700, 950) },
    ];
    let lost = Group { demand: 60.0, natural: vec![0.0, 1.0, 0.0], cost: vec![NEVER, 0, 300] };
    let shares = solve(&rooms, &[lost]);
    let moved = 60.0 * shares[0][2];
    // The steps below the high watermark are 3.125 wide; the one whose slope passes 300 is the third (562).
    assert!((moved - (40.0 - 6.25)).abs() < 0.01, "{moved}");
}

#[test]
fn where_nothing_suffices_regions_are_overloaded_alike() {
    let mut dice = Dice(5);
    for _ in 0..50 {
        let rooms: Vec<Room> = (0..8).map(|_| room(50.0 + dice.part(100), 700, 950)).collect();
        let capacity: f64 = rooms.iter().map(|room| room.capacity).sum();
        let groups: Vec<Group> = (0..40)
            .map(|_| {
                let cost: Vec<u32> = (0..8).map(|_| dice.roll(3000) as u32).collect();
                group(capacity * 1.2 / 40.0, dice.roll(8) as usize, &cost)
            })
            .collect();
        let shares = solve(&rooms, &groups);
        assert_sound(&groups, &shares);
        for (room, load) in rooms.iter().zip(loads(&rooms, &groups, &shares)) {
            let full = load / room.capacity;
            // Costs may bend it by as many steps as they are worth: 3000 tenths, three steps of 1/32, and one for rounding.
            assert!((full - 1.2).abs() < 4.0 / 32.0, "{full}");
        }
    }
}

#[test]
fn a_large_case_ends_and_no_region_is_above_its_high_watermark() {
    let mut dice = Dice(9);
    let rooms: Vec<Room> = (0..64).map(|_| room(100.0, 700, 950)).collect();
    let groups: Vec<Group> = (0..1000)
        .map(|_| {
            let cost: Vec<u32> = (0..64).map(|_| 1 + dice.roll(3000) as u32).collect();
            // All in the first half of the regions by nature: twice what these can take.
            group(5500.0 / 1000.0, dice.roll(32) as usize, &cost)
        })
        .collect();
    let shares = solve(&rooms, &groups);
    assert_sound(&groups, &shares);
    assert!(loads(&rooms, &groups, &shares).iter().all(|load| *load <= 95.001));
}

#[test]
fn nothing_and_nobody_are_fine() {
    assert!(solve(&[], &[]).is_empty());
    assert!(solve(&[room(1.0, 700, 950)], &[]).is_empty());
    let idle = group(0.0, 0, &[0, 5]);
    assert_eq!(solve(&[room(0.0, 700, 950), room(1.0, 700, 950)], &[idle]), [vec![1.0, 0.0]]);
    let heavy = group(2.0, 0, &[0, 5]);
    assert_eq!(solve(&[room(0.0, 700, 950), room(10.0, 700, 950)], &[heavy]), [vec![0.0, 1.0]]);
}
