//! Balance, answers and log lines speak of the same endpoints: over random rows, thresholds and ways to count families.

use proptest::prelude::*;

use super::{super::assign::PoolView, *};
use crate::engine::{
    live::{
        EndpointState,
        eligible::{Eligibility, Exclusion, Standing as Stand},
    },
    snapshot::Snapshot,
    steer::{
        self, Parts,
        locate::{Asker, Whereabouts, locate},
        trace::{Lack, Recording, Step},
    },
    types::{Chance, PerFamily, Prefix, ServiceId, UnixMillis},
    units::Permille,
    world::{pool::Threshold, service::Families},
};

/// An endpoint as the writer may leave it: no family is both up and down, only what is up may fail and only what is down
/// come back; what the governor holds counts as up; what is forced up has nothing else said of its health.
fn states() -> impl Strategy<Value = EndpointState> {
    let family = (0..3_u8, any::<bool>(), any::<bool>());
    (family.clone(), family, any::<bool>(), prop::option::weighted(0.2, any::<bool>()), 0..6_u8, 0..8_u8).prop_map(
        |(v4, v6, canaries, force, drained, weight)| {
            let of = |family: Family| if family == Family::V4 { v4 } else { v6 };
            let forced = force == Some(true);
            let up = PerFamily::of(|family| of(family).0 == 0 || forced);
            let governed = PerFamily::of(|family| of(family) == (0, true, true) && !forced);
            EndpointState {
                up,
                down: PerFamily::of(|family| of(family).0 == 1 && !forced),
                falling: PerFamily::of(|family| of(family).0 == 0 && of(family).1 && !forced),
                rising: PerFamily::of(|family| of(family).0 == 1 && of(family).1 && !forced),
                governed,
                held: (governed.v4 || governed.v6 || canaries && up.v4) && !forced,
                forced,
                out: force == Some(false),
                drained: drained == 0 && force != Some(false),
                weighted: weight > 0,
            }
        },
    )
}

fn thresholds() -> impl Strategy<Value = Threshold> {
    prop_oneof![
        (0..4_u8).prop_map(Threshold::Count),
        (0..=1000_u32).prop_map(|parts| Threshold::Share(Permille(parts)))
    ]
}

/// The first attempt of an answer for the name: its steps as far as the first pool goes.
fn first_attempt(snapshot: &Snapshot) -> Vec<Step> {
    let world = &snapshot.world;
    let here = Whereabouts { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers };
    let asker = Asker { source: Prefix::host([203, 0, 113, 9].into()), subnet: None, believed: false };
    let service = &world.services[0];
    let client = locate(&asker, service, false, &here);
    let chance = Chance { now: UnixMillis(0), random: 7, draw: None };
    let mut recording = Recording::default();
    steer::decide_name(&Parts::of(snapshot), (ServiceId(0), service), &client, chance, &mut recording);
    let end = recording
        .0
        .iter()
        .skip(1)
        .position(|step| matches!(step, Step::Pool(_)))
        .map_or(recording.0.len(), |at| at + 1);
    recording.0.truncate(end);
    recording.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn balance_answers_and_log_lines_count_the_same_endpoints(
        of in prop::collection::vec(states(), 3),
        leave in any::<bool>(),
        min_healthy in thresholds(),
        panic in thresholds(),
    ) {
        let mut draft = draft();
        draft.policies[0].shed = None; // nothing but eligibility decides
        (draft.pools[0].min_healthy, draft.pools[0].panic) = (min_healthy, panic);
        let families = if leave { Families::Leave } else { Families::Apart };
        draft.services[0].families = families;
        let mut bench = Bench::new(draft);
        let mut row = PoolRow::default();
        (0..).zip(&of).for_each(|(n, state)| row.put(n, state));
        bench.snapshot.pools[0] = row;
        let snapshot = &bench.snapshot;
        let steps = first_attempt(snapshot);
        let said: Vec<Result<Stand, Exclusion>> = steps
            .iter()
            .filter_map(|step| if let Step::Candidate(_, verdict) = step { Some(*verdict) } else { None })
            .collect();
        prop_assert_eq!(said.len(), 3);
        let in_answers = said.iter().rev().fold(0_u64, |set, verdict| set << 1 | u64::from(verdict.is_ok()));
        let passed_over = steps.iter().any(|step| matches!(step, Step::PassedOver(_, Lack::TooFew)));

        let standing = PoolView::of(snapshot, RouteId(0)).expect("a route");
        let in_balance = standing.eligible(0, families);
        prop_assert_eq!(in_balance, if passed_over { 0 } else { in_answers }, "{:#?}", steps);
        let bands: u64 = standing.bands_of(0, families).iter().flatten().fold(0, |set, (region, _)| set | 1 << region);
        prop_assert_eq!(bands, in_balance, "each endpoint is a region here");

        let pool = &snapshot.world.pools[0];
        let told: Vec<Result<Stand, Exclusion>> =
            (0..3).map(|n| Eligibility::of_all(pool, &row, families).verdict(n)).collect();
        prop_assert_eq!(&told, &said, "what log lines and hooks count");
        for (state, verdict) in of.iter().zip(&said) {
            // By itself an endpoint is excluded for what concerns it alone.
            let alone = state.verdict(families);
            let own = [Exclusion::Weightless, Exclusion::ForcedDown, Exclusion::Drained, Exclusion::Down];
            if let Err(why) = alone && own.contains(&why) {
                prop_assert!(verdict.is_err(), "{:?}: {:?}", why, state);
            }
        }
    }
}
