//! Where the off-line walk says that blocks land, against where the very decision sends them.

use std::sync::Arc;

use meridian::{
    engine::{
        health::fold::Outcome,
        steer::{
            self, Parts, Verdict,
            locate::{Asker, Whereabouts, locate},
            trace::{Rung, Silent},
        },
        types::{At, Chance, Family, Prefix, RouteId, ServiceId, UnixMillis},
        units::Admission,
        world::{World, draw::splitmix, table::Assignment},
    },
    node::{
        balance::{
            assign::PoolView,
            landing::{admissions, land},
        },
        input::Input,
        ledger::Ledger,
    },
};

use super::instance::{Instance, KINDS};
use crate::steering::lab::draft;

/// Blocks of one catchment: 1.5 % is more than four standard deviations of the most uncertain share.
const BLOCKS: u32 = 20_000;
const NEAR: f64 = 0.015;

#[test]
fn the_decision_lands_blocks_where_the_walk_says_and_the_assignment_wants() {
    for (seed, kind) in KINDS.iter().enumerate() {
        let instance = Instance::new(seed as u64, kind);
        let world = Arc::new(World::seal(draft(&instance.text, &[("o.csv", &instance.places)])));
        let mut ledger = Ledger::new(Arc::clone(&world));
        for (n, target) in world.targets.iter().enumerate() {
            // One region is down, and a last one is not: seven take part.
            let outcome = if n == 3 { Outcome::Bad("gone".into()) } else { Outcome::good(1000) };
            for _ in 0..3 {
                ledger.fold(At(0), Input::outcome(target.key().expect("probed"), outcome.clone()));
            }
        }
        let catchments = world.routes[0].map.map_or(1, |map| world.maps[map.at()].catchments());
        let regions = world.regions.len();
        // Wanted: random shares of the regions that are up, the same for all catchments.
        let parts: Vec<f64> =
            (0..regions as u64).map(|r| if r == 3 { 0.0 } else { (splitmix(r + seed as u64) % 100) as f64 }).collect();
        let wanted: Vec<f64> = parts.iter().map(|part| part / parts.iter().sum::<f64>()).collect();
        let before = ledger.snapshot(At(0));
        let standing = PoolView::of(&before, RouteId(0)).expect("a route");
        assert_eq!(standing.catchments(), catchments);
        let mut assigned = Assignment { regions, shares: Vec::new() };
        for catchment in 0..catchments as u32 {
            let of = admissions(&standing.bands(catchment), &wanted);
            assigned.shares.extend(of.iter().map(|share| Admission::nearest(*share)));
        }
        let assignments = vec![Some(Arc::new(assigned.clone()))];
        ledger.assign(At(0), &world, assignments);
        let snapshot = ledger.snapshot(At(0));
        let (parts, here) =
            (Parts::of(&snapshot), Whereabouts { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers });
        for group in [0u8, 77, 150] {
            let asker = Asker { source: Prefix::host([20, group, 0, 1].into()), subnet: None, believed: true };
            let mut client = locate(&asker, &world.services[0], false, &here);
            let mut landed = vec![0u32; regions];
            let mut catchment = 0;
            for block in 0..BLOCKS {
                client.block = Prefix::new(std::net::Ipv4Addr::from(block << 8).into(), 24);
                let chance = Chance { now: UnixMillis(0), random: 0, draw: None };
                let service = (ServiceId(0), &world.services[0]);
                let decision = steer::decide(&parts, service, &client, Family::V4, chance, &mut Silent);
                assert_eq!(decision.rung, Rung::Preferred, "nobody falls through");
                let Verdict::Endpoints { route: RouteId(0), catchment: of } = decision.verdict else {
                    panic!("nobody")
                };
                catchment = of;
                landed[world.pools[0].endpoints[usize::from(decision.chosen[0])].region.at()] += 1;
            }
            let share = |r: usize| assigned.shares[catchment as usize * regions + r].fraction();
            let walked = land(&standing.bands(catchment), regions, share);
            for r in 0..regions {
                let (found, walked) = (f64::from(landed[r]) / f64::from(BLOCKS), walked[r]);
                assert!((walked - wanted[r]).abs() < 1e-3, "{} {r}: {walked} {}", kind.name, wanted[r]);
                assert!((found - wanted[r]).abs() < NEAR, "{} {r}: {found} {}", kind.name, wanted[r]);
            }
        }
    }
}
