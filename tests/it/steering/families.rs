//! The pool is chosen for the name, the endpoint for the type: no type is empty while an endpoint of the answering pool has
//! its family alive, and the answering pool never depends on the type.

use std::{collections::BTreeMap, net::IpAddr};

use meridian::engine::{
    live::eligible::Exclusion,
    snapshot::Snapshot,
    steer::trace::{NoAddress, Rung, Step},
    types::{EndpointId, Family, RouteId, UnixMillis},
    units::Admission,
    wire::{name::Name, rr::Rcode},
    world::service::{Canary, Families, Service},
};
use proptest::prelude::*;

use super::{
    agree::{strain, under},
    lab::{A, AAAA, Lab, Question, Told, at, draft, drawn, listen, prefix},
    plan::{fenced, healths},
    shares,
};

const CLIENTS: [&str; 5] = ["20.0.1.0/24", "20.0.77.0/24", "20.0.200.0/24", "2a00:100::/56", "8.8.8.0/24"];

fn chosen(told: &Told) -> Vec<EndpointId> {
    told.steps.iter().filter_map(|step| if let Step::Chosen(id) = step { Some(*id) } else { None }).collect()
}

fn rung(told: &Told) -> Rung {
    let rung = told.steps.iter().find_map(|step| if let Step::Rung(rung) = step { Some(*rung) } else { None });
    rung.expect("every decision names its rung")
}

/// The route to the pool that was looked at last: the one that answers, where one does.
fn pool(told: &Told) -> Option<RouteId> {
    told.steps.iter().rev().find_map(|step| if let Step::Pool(id) = step { Some(*id) } else { None })
}

/// Whether the name is answered by endpoints of a pool, or by what stands in for that pool's family.
fn is_answered(told: &Told) -> bool {
    !chosen(told).is_empty()
        || told.steps.iter().any(|step| {
            matches!(step, Step::NoAddress(_, NoAddress::Pool(_) | NoAddress::Lost(_)) | Step::StoodInFor(..))
        })
}

/// What holds of one client's A and AAAA in one state.
fn hold(snapshot: &Snapshot, name: &str, client: &str) -> Result<(), TestCaseError> {
    let world = &snapshot.world;
    let told = [A, AAAA].map(|rtype| {
        let question = Question::new(name, rtype).with(prefix(client));
        listen(snapshot, &question, at(0)).expect("ready")
    });
    if !is_answered(&told[0]) || !is_answered(&told[1]) {
        // `when_all_down` or a fence answers the name: for both types.
        prop_assert_eq!(is_answered(&told[0]), is_answered(&told[1]), "{} {}", name, client);
        return Ok(());
    }
    let id = pool(&told[0]).expect("a pool");
    prop_assert_eq!(Some(id), pool(&told[1]), "{} {}: the pool never depends on the type", name, client);
    let route = &world.routes[id.at()];
    let (pool, row) = (&world.pools[route.pool.at()], &snapshot.pools[route.pool.at()]);
    let alias = |id: &EndpointId| world[*id].cname.is_some();
    let kinds = told.each_ref().map(|told| chosen(told).first().is_some_and(alias));
    prop_assert_eq!(kinds[0], kinds[1], "{} {}: addresses or another name, for both types", name, client);
    if kinds[0] {
        return Ok(());
    }
    let position = |id: &EndpointId| id.at() - pool.first.at();
    let has = |id: &EndpointId, family: Family| world[*id].address(family).is_some();
    let alive = |id: &EndpointId, family: Family| {
        let up = row.up[family] & row.weighted & !row.out;
        has(id, family) && up >> position(id) & 1 == 1
    };
    for (told, family) in told.iter().zip(Family::BOTH) {
        // What fences and the name leave of the pool, by what the first look at it said.
        let open = |id: &EndpointId| {
            let out = |step: &Step| matches!(step, Step::Candidate(of, Err(Exclusion::Fenced | Exclusion::NotAskedFor | Exclusion::Weightless)) if of == id);
            !told.steps.iter().any(out)
        };
        let ids = || (0..u32::from(pool.count())).map(|n| EndpointId(pool.first.0 + n));
        let chosen = chosen(told);
        let case = || format!("{name} {family} {client} {:?} {:#?}", row, told.steps);
        prop_assert!(chosen.iter().all(|id| has(id, family)), "{}", case());
        prop_assert_eq!(told.answer.rcode, Rcode::NoError);
        if ids().any(|id| open(&id) && alive(&id, family)) {
            prop_assert!(!told.answer.addresses.is_empty(), "{}", case());
            let down = |id: &EndpointId| row.down[family] >> position(id) & 1 == 1;
            prop_assert!(rung(told) > Rung::Relaxed || !chosen.iter().any(down), "{}", case());
        } else if !ids().any(|id| open(&id) && has(&id, family)) {
            prop_assert!(told.answer.addresses.is_empty(), "{}", case());
        }
        if told.answer.addresses.is_empty() {
            prop_assert_eq!(told.answer.scope, Some(0), "{}", case());
        }
    }
    // One endpoint for both types, wherever it has both alive.
    let policy = &world.policies[route.policy.at()];
    let [a, aaaa] = told.each_ref().map(chosen);
    let both = |id: &EndpointId| Family::BOTH.into_iter().all(|family| alive(id, family));
    if policy.answers == 1
        && let ([a], [aaaa]) = (&a[..], &aaaa[..])
    {
        prop_assert!(a == aaaa || !(both(a) && both(aaaa)), "{} {}: {:?} {:?}", name, client, a, aaaa);
    }
    if ids_all(pool.first, pool.count()).all(|id| row.up.v4 >> position(&id) & 1 == row.up.v6 >> position(&id) & 1)
        && ids_all(pool.first, pool.count()).all(|id| has(&id, Family::V4) && has(&id, Family::V6))
        && row.down.v4 == row.down.v6
    {
        prop_assert_eq!(a, aaaa, "{} {}: families that stand alike have the same endpoints", name, client);
    }
    Ok(())
}

fn ids_all(first: EndpointId, count: u8) -> impl Iterator<Item = EndpointId> {
    (0..u32::from(count)).map(move |n| EndpointId(first.0 + n))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lives, for every client, under any mix of drains, forces, admissions, fences and other names.
    #[test]
    fn no_type_is_empty_while_the_answering_pool_has_its_family_alive(
        plan in fenced(),
        states in prop::collection::vec((healths(), prop::collection::vec(strain(), 3)), 5),
        leave: bool,
        names in prop::collection::vec(any::<bool>(), 3),
        forms in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let (text, overrides) = plan.text();
        // Names other than `www` have no records beside them.
        let mut text = text.replace("www.g.test", "app.g.test");
        for (n, _) in names.iter().zip(&plan.pools).enumerate().filter(|(_, (named, _))| **named) {
            let tier = if plan.pools[n].prefer.contains("order") { "tier = 1\n" } else { "" };
            text += &format!("[pools.p{n}.endpoints.other]\nregion = \"r0\"\ncname = \"p{n}.other.test\"\n{tier}");
        }
        let (second, direct, canary) = forms;
        let mut draft = draft(&text, &[("o.csv", &overrides)]);
        let service = &mut draft.services[0];
        service.families = if leave { Families::Leave } else { Families::Apart };
        if canary {
            service.canary = service.routes.last().map(|id| Canary { route: *id, share: Admission::parts(1, 2) });
        }
        let also = |name: &str, change: fn(&mut Service)| {
            let mut other = draft.services[0].clone();
            other.name = Name::from_text(name).expect("a name");
            change(&mut other);
            other
        };
        let (next, own) = (also("next.g.test", |s| s.second = true), also("r0.g.test", |s| s.only_region = Some(meridian::engine::types::RegionId(0))));
        draft.services.extend([next, own]);
        let mut lab = Lab::new(draft);
        for (state, strains) in &states {
            let snapshot = under(lab.healths(state), strains);
            for client in CLIENTS {
                hold(&snapshot, "app.g.test", client)?;
                if second {
                    hold(&snapshot, "next.g.test", client)?;
                }
                if direct {
                    hold(&snapshot, "r0.g.test", client)?;
                }
            }
        }
    }
}

/// A pool of regions `a`, `b` and `c` of these weights, each of both families.
fn three(spread: &str, weights: [u32; 3]) -> String {
    let set: Vec<(&str, u32)> = ["a", "b", "c"].into_iter().zip(weights).collect();
    (1..=3).fold(shares::config(&format!("extends = \"{spread}\""), &set), |text, n| {
        let text = text.replace("www.g.test", "app.g.test");
        text.replace(&format!("\"192.0.2.{n}\""), &format!("[\"192.0.2.{n}\", \"2001:db8::{n}\"]"))
    })
}

/// The snapshot in which these addresses are down.
fn without(lab: &mut Lab, dead: &[&str]) -> Snapshot {
    let dead: Vec<IpAddr> = dead.iter().map(|address| address.parse().expect("an address")).collect();
    let letters: Vec<&str> =
        lab.world.targets.iter().map(|target| if dead.contains(&target.address()) { "b" } else { "g" }).collect();
    lab.healths(&letters)
}

/// The endpoints that lose a family leave its clients to the others by weight, exactly, and the clients of the others stay
/// where they are for both types.
#[test]
fn a_family_that_an_endpoint_lost_is_shared_by_weight_among_the_others() {
    for (spread, weights, dead, expected) in [
        ("weighted", [2, 1, 3], 3, [2, 1, 0]),
        ("weighted", [5, 3, 4], 1, [0, 3, 4]),
        ("round-robin", [2, 1, 1], 1, [0, 1, 1]),
        ("round-robin", [3, 2, 5], 3, [3, 2, 0]),
        ("random", [1, 1, 2], 3, [1, 1, 0]),
    ] {
        let mut lab = Lab::new(draft(&three(spread, weights), &[]));
        let snapshot = without(&mut lab, &[&format!("2001:db8::{dead}")]);
        let rounds = u64::from(weights.iter().sum::<u32>() * expected.iter().sum::<u32>());
        let mut counts = [0u64; 3];
        for draw in 0..rounds {
            let [a, aaaa] = [A, AAAA].map(|rtype| {
                let told = listen(&snapshot, &Question::new("app.g.test", rtype), drawn(draw)).expect("ready");
                chosen(&told)[0].at()
            });
            assert!(a == aaaa || a == dead - 1, "{spread} {weights:?} {draw}: {a} {aaaa}");
            counts[aaaa] += 1;
        }
        let whole = u64::from(expected.iter().sum::<u32>());
        assert_eq!(counts.map(|count| count * whole / rounds), expected.map(u64::from), "{spread} {weights:?}");
        assert_eq!(rounds % whole, 0);
    }
}

/// With `hash` the clients of an endpoint that lost a family go to the others about by weight, and no other client moves.
#[test]
fn a_family_that_an_endpoint_lost_moves_no_other_client() {
    let mut lab = Lab::new(draft(&three("ip-hash", [1, 1, 2]), &[]));
    let (whole, lost) = (lab.healthy(), without(&mut lab, &["2001:db8::1"]));
    let mut moved = BTreeMap::<usize, u32>::new();
    for n in 0..2000 {
        let question =
            |rtype| Question::new("app.g.test", rtype).with(prefix(&format!("20.{}.{}.0/24", n / 256, n % 256)));
        let of =
            |snapshot: &Snapshot, rtype| chosen(&listen(snapshot, &question(rtype), at(0)).expect("ready"))[0].at();
        let before = of(&whole, AAAA);
        assert_eq!((of(&whole, A), of(&lost, A)), (before, before));
        match (before, of(&lost, AAAA)) {
            (0, after) => *moved.entry(after).or_default() += 1,
            (before, after) => assert_eq!(before, after),
        }
    }
    let (b, c) = (moved[&1], moved[&2]);
    assert!(moved.len() == 2 && (b * 2).abs_diff(c) < (b + c) / 4, "{moved:?}");
}

/// A family that the answering pool has nowhere is NODATA for all, whatever `when_all_down` says, while the name is served.
#[test]
fn a_family_that_the_pool_has_nowhere_is_nodata_with_scope_zero() {
    for instead in [
        "\"servfail\"",
        "\"refused\"",
        "\"nodata\"",
        "\"serve-all\"",
        "\"last-known\"",
        "{ cname = \"sorry.other.test\" }",
        "{ address = [\"192.0.2.99\", \"2001:db8::99\"] }",
    ] {
        let text =
            shares::config("extends = \"ip-hash\"", &[("a", 1), ("b", 1)]) + &format!("when_all_down = {instead}\n");
        let text = text.replace("www.g.test", "app.g.test");
        let mut lab = Lab::new(draft(&text, &[]));
        for snapshot in [lab.healthy(), without(&mut lab, &["192.0.2.1"])] {
            let question = Question::new("app.g.test", AAAA).with(prefix("20.1.2.0/24"));
            let told = listen(&snapshot, &question, at(0)).expect("ready");
            assert_eq!(
                (told.answer.rcode, told.answer.addresses.len(), told.answer.scope),
                (Rcode::NoError, 0, Some(0))
            );
            assert_eq!((told.answer.ttl, rung(&told)), (Some(5), Rung::Preferred), "{instead}");
        }
    }
}

/// A slot turns over for both types at the same moment.
#[test]
fn both_types_turn_over_together() {
    let mut lab = Lab::new(draft(&three("weighted", [1, 1, 1]), &[]));
    let snapshot = lab.healthy();
    for second in 0..120 {
        let chance = meridian::engine::types::Chance { now: UnixMillis(1_700_000_000_000 + second * 1000), ..at(0) };
        let [a, aaaa] = [A, AAAA]
            .map(|rtype| chosen(&listen(&snapshot, &Question::new("app.g.test", rtype), chance).expect("ready")));
        assert_eq!(a, aaaa, "second {second}");
    }
}
