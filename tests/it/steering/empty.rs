//! Never empty by accident: who has endpoints answers with some, unless its policy says otherwise; and how long such
//! an answer may be kept.

use meridian::{
    engine::{
        health::fold::{Health, Record},
        steer::trace::{Rung, Step, TtlFrom},
        types::{At, EndpointId, Family},
        wire::rr::Rcode,
        world::{endpoint::Endpoint, pool::Pool, service::Fallback},
    },
    node::status::Status,
};
use proptest::prelude::*;

use super::{
    lab::{A, AAAA, Lab, Question, Told, ask, at, draft, listen, prefix},
    plan::{healths, plan},
    shares,
};

/// What is believed of an endpoint: up in one family is up, down in one and up in none is down.
fn health(endpoint: &Endpoint, records: &[Record]) -> Health {
    let known: Vec<Health> = endpoint.targets.iter().flatten().map(|t| records[t.at()].health).collect();
    match () {
        () if known.contains(&Health::Up) => Health::Up,
        () if known.contains(&Health::Down) => Health::Down,
        () => Health::Unknown,
    }
}

fn members(pool: &Pool) -> Vec<(EndpointId, &Endpoint)> {
    pool.members().map(|(_, id, endpoint)| (id, endpoint)).filter(|(_, endpoint)| endpoint.weight > 0).collect()
}

/// Who may answer, read once more from the configuration: the first pool that has somebody who is up, or, where nobody
/// is, somebody of whom nothing is known. None: all are down.
fn eligible(status: &Status) -> Option<(Vec<EndpointId>, bool)> {
    let world = &status.world;
    world.services[0].pools(world).find_map(|id| {
        let members = members(&world.pools[id.at()]);
        [Health::Up, Health::Unknown].into_iter().find_map(|wanted| {
            let of = |(_, e): &&(EndpointId, &Endpoint)| health(e, &status.targets) == wanted;
            let found: Vec<EndpointId> = members.iter().filter(of).map(|(id, _)| *id).collect();
            (!found.is_empty()).then_some((found, wanted == Health::Unknown))
        })
    })
}

fn chosen(told: &Told) -> Vec<EndpointId> {
    told.steps.iter().filter_map(|step| if let Step::Chosen(id) = step { Some(*id) } else { None }).collect()
}

fn rung(told: &Told) -> Rung {
    let rung = told.steps.iter().find_map(|step| if let Step::Rung(rung) = step { Some(*rung) } else { None });
    rung.expect("every decision names its rung")
}

fn ttl(told: &Told) -> (u32, TtlFrom) {
    let ttl =
        told.steps.iter().find_map(|step| if let Step::Ttl(ttl, from) = step { Some((ttl.0, *from)) } else { None });
    ttl.expect("every decision has a TTL")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// G30, G33, G41, G68: the model above, against the real path.
    #[test]
    fn nobody_answers_empty_whose_policy_does_not_say_so(plan in plan(true), states in prop::collection::vec(healths(), 12)) {
        let (text, overrides) = plan.text();
        let mut lab = Lab::new(draft(&text, &[("o.csv", &overrides)]));
        for state in &states {
            let snapshot = lab.healths(state);
            let service = &snapshot.world.services[0];
            let status = lab.ledger.status(At(0));
            let expected = eligible(&status);
            for (rtype, family, client) in [
                (A, Family::V4, "20.0.1.0/24"), (A, Family::V4, "20.0.200.0/24"), (AAAA, Family::V6, "2a00:100::/56"),
                (AAAA, Family::V6, "8.8.8.0/24"),
            ] {
                let question = Question::new("www.g.test", rtype).with(prefix(client));
                let told = listen(&snapshot, &question, at(0)).expect("ready");
                let (answer, chosen) = (&told.answer, chosen(&told));
                let (kept, from) = ttl(&told);
                prop_assert!((5..=30).contains(&kept));
                let endpoint = |id: &EndpointId| &snapshot.world[*id];
                let has = |id: &EndpointId| if family == Family::V4 { endpoint(id).v4.is_some() } else { endpoint(id).v6.is_some() };
                let dead = |id: &EndpointId| {
                    endpoint(id).targets[family].is_some_and(|t| status.targets[t.at()].health == Health::Down)
                };
                match &expected {
                    Some((who, guess)) => {
                        // The pool is chosen for the name; inside it, each type has its own endpoints.
                        let pools = service.pools(&snapshot.world).map(|id| members(&snapshot.world.pools[id.at()]));
                        let pool: Vec<EndpointId> = pools
                            .map(|members| members.iter().map(|(id, _)| *id).collect::<Vec<_>>())
                            .find(|ids| ids.contains(&who[0]))
                            .expect("the pool that answers");
                        let of = |ids: &[EndpointId]| ids.iter().copied().filter(|id| has(id) && !dead(id)).collect::<Vec<_>>();
                        let (alive, unknown) = (of(who), of(&pool));
                        let some = pool.iter().any(has);
                        prop_assert_eq!(chosen.len(), if matches!(service.when_all_down, Fallback::Addresses(_)) && chosen.is_empty() { 0 } else { answer.addresses.len() });
                        prop_assert_eq!(answer.rcode, Rcode::NoError);
                        if !alive.is_empty() {
                            prop_assert_eq!(rung(&told), Rung::Preferred);
                            prop_assert!(!chosen.is_empty() && chosen.iter().all(|id| alive.contains(id)));
                            prop_assert_eq!(from == TtlFrom::Uncertain, *guess);
                            prop_assert!(!*guess || kept == 5);
                            let calm = snapshot.endpoints.iter().all(|row| row.change_in == u32::MAX);
                            prop_assert!(!calm || *guess || (kept, from) == (30, TtlFrom::Calm));
                        } else if !unknown.is_empty() {
                            prop_assert_eq!((rung(&told), kept), (Rung::Relaxed, 5));
                            prop_assert!(!chosen.is_empty() && chosen.iter().all(|id| unknown.contains(id)));
                        } else if some {
                            prop_assert_eq!((rung(&told), kept), (Rung::AllDown, 5));
                            let empty = matches!(service.when_all_down, Fallback::NoData | Fallback::ServFail);
                            prop_assert_eq!(answer.addresses.is_empty(), empty);
                            prop_assert!(chosen.iter().all(|id| pool.contains(id)));
                        } else {
                            prop_assert!(answer.addresses.is_empty() && answer.ttl == Some(5));
                        }
                    }
                    None => {
                        prop_assert_eq!((rung(&told), kept, from), (Rung::AllDown, 5, TtlFrom::Uncertain));
                        let failed = service.when_all_down == Fallback::ServFail;
                        prop_assert_eq!(answer.rcode, if failed { Rcode::ServFail } else { Rcode::NoError });
                        let served = match &service.when_all_down {
                            Fallback::IgnoreHealth | Fallback::ServeAll => {
                                let all = members(snapshot.world.pool_of(service.routes[0]).expect("a pool"));
                                prop_assert_eq!(chosen.is_empty(), !all.iter().any(|(id, _)| has(id)));
                                chosen.iter().filter(|id| has(id)).count()
                            }
                            Fallback::Addresses(_) => 1,
                            _ => 0,
                        };
                        prop_assert_eq!(answer.addresses.len(), served);
                        if service.when_all_down == Fallback::ServeAll {
                            let all = members(snapshot.world.pool_of(service.routes[0]).expect("a pool"));
                            let all = all.iter().filter(|(id, _)| has(id)).count();
                            prop_assert_eq!(chosen.len(), all, "every address of the first pool");
                        }
                    }
                }
                prop_assert!(answer.addresses.is_empty() || answer.ttl == Some(kept));
                prop_assert!(chosen.iter().all(|id| endpoint(id).weight > 0), "weight 0 is never lifted");
            }
        }
    }
}

/// A pool of endpoints `a` (192.0.2.1) before `b` (192.0.2.2), and a spare; slow probes, so that times can be told.
const SLOW: &str = r#"
[monitors.m]
interval = "20s"
timeout = "1s"
recheck = "4s"
fall = 5
rise = 4
tcp = { port = 80 }
[regions.eu]
location = { lat = 50, lon = 8 }
[pools.p]
monitor = "m"
policy = "failover"
order = ["a", "b"]
[pools.p.endpoints]
a = { region = "eu", address = "192.0.2.1" }
b = { region = "eu", address = "192.0.2.2" }
[pools.spare]
monitor = "m"
[pools.spare.endpoints]
c = { region = "eu", address = "192.0.2.3" }
[services."www.g.test"]
pools = ["p", "spare"]
ttl = { max = "14s", min = "5s" }
"#;

/// G39: what is left to `fall` or `rise` × the recheck, held between `ttl.min` and `ttl.max`.
#[test]
fn a_ttl_is_the_time_in_which_the_answer_cannot_change() {
    let mut lab = Lab::new(draft(SLOW, &[]));
    let changing = |ms: u32| TtlFrom::ChangeIn(ms);
    for (healths, address, expected) in [
        (["g", "g", "g"], "192.0.2.1", (14, TtlFrom::Calm)),
        (["gb", "g", "g"], "192.0.2.1", (14, changing(16_000))), // four checks left, longer than `ttl.max`
        (["gbb", "g", "g"], "192.0.2.1", (12, changing(12_000))),
        (["gbbb", "g", "g"], "192.0.2.1", (8, changing(8_000))),
        (["gbbbb", "g", "g"], "192.0.2.1", (5, changing(4_000))), // shorter than `ttl.min`
        (["gbbg", "g", "g"], "192.0.2.1", (14, TtlFrom::Calm)),
        (["gbbbbb", "g", "g"], "192.0.2.2", (14, TtlFrom::Calm)),
        (["g", "gbb", "g"], "192.0.2.1", (14, TtlFrom::Calm)), // nobody rests on b
        (["bg", "g", "g"], "192.0.2.2", (12, changing(12_000))), // a may be back in three checks
        (["bgg", "gbbb", "g"], "192.0.2.2", (8, changing(8_000))),
        (["b", "bgg", "g"], "192.0.2.3", (8, changing(8_000))), // a pool that was passed over may be back
        (["b", "b", "gbbb"], "192.0.2.3", (8, changing(8_000))),
        (["", "g", "g"], "192.0.2.2", (14, TtlFrom::Calm)), // unknown keeps out while another is up
        (["", "", "g"], "192.0.2.1", (5, TtlFrom::Uncertain)),
        (["b", "", "g"], "192.0.2.2", (5, TtlFrom::Uncertain)),
        (["b", "b", "b"], "192.0.2.1", (5, TtlFrom::Uncertain)), // G30: all down, the first
    ] {
        let told = listen(&lab.healths(&healths), &Question::new("www.g.test", A), at(0)).expect("ready");
        assert_eq!(told.answer.addresses, [address.parse::<std::net::IpAddr>().expect(address)], "{healths:?}");
        assert_eq!((ttl(&told), told.answer.ttl), (expected, Some(expected.0)), "{healths:?}");
    }
}

/// A node without a route for IPv6 knows nothing of it. When all of IPv4 is down, that must not leave A empty.
#[test]
fn a_family_that_nobody_can_probe_does_not_hold_the_dead_other_up() {
    let text = shares::config("extends = \"weighted\"", &[("eu", 1), ("us", 1)])
        .replace("\"192.0.2.1\"", "[\"192.0.2.1\", \"2001:db8::1\"]")
        .replace("\"192.0.2.2\"", "[\"192.0.2.2\", \"2001:db8::2\"]");
    let mut lab = Lab::new(draft(&text, &[]));
    let letters: Vec<&str> =
        lab.world.targets.iter().map(|target| if target.address().is_ipv4() { "b" } else { "n" }).collect();
    let snapshot = lab.healths(&letters);
    for rtype in [A, AAAA] {
        let told = listen(&snapshot, &Question::new("www.g.test", rtype), at(0)).expect("ready");
        assert_eq!((rung(&told), told.answer.addresses.len()), (Rung::AllDown, 1), "type {rtype}");
    }
}

/// G25, G26: a service at the apex beside its static records; a name that exists only through a deeper steered one.
#[test]
fn the_apex_and_what_lies_between_are_names_like_any_other() {
    let also = "[services.\"g.test\"]\npools = [\"p\"]\n[services.\"deep.only.g.test\"]\npools = [\"p\"]\n";
    let text = shares::config("extends = \"weighted\"", &[("eu", 1)]) + also;
    let snapshot = Lab::new(draft(&text, &[])).healthy();
    let ask = |name: &str, rtype: u16| {
        let answer = ask(&snapshot, &Question::new(name, rtype).with(prefix("20.0.0.0/16")), at(0)).expect("ready");
        (answer.rcode, answer.addresses.len(), answer.scope)
    };
    let (soa, ns, ok) = (6, 2, Rcode::NoError);
    assert_eq!(ask("g.test", A), (ok, 1, Some(0)));
    assert_eq!(ask("g.test", soa).0, ok);
    assert_eq!(ask("g.test", ns), (ok, 1, Some(0)), "and its glue");
    assert_eq!(ask("deep.only.g.test", A), (ok, 1, Some(0)));
    assert_eq!(ask("only.g.test", A), (ok, 0, Some(0)), "an empty non-terminal");
    assert_eq!(ask("other.only.g.test", A), (Rcode::NxDomain, 0, Some(0)));
}
