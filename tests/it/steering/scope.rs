//! Scopes: who shares an answer in a cache is given the same by us; and no scope is longer than it must be.

use std::collections::BTreeMap;

use meridian::engine::{
    snapshot::Snapshot,
    steer::trace::{Basis, Step},
    types::{Family, Prefix},
};
use proptest::prelude::*;

use super::{
    agree::{strain, under},
    lab::{A, AAAA, Answer, Lab, Question, Told, ask, at, draft, listen, prefix},
    plan::{fenced, healths, plan},
};

const NAME: &str = "www.g.test";

/// Every block of the small spaces that plans draw in, and some others.
fn clients() -> Vec<Prefix> {
    let v4 = (0..256_u128).map(|n| Prefix::from_bits(Family::V4, (0x1400 << 112) | n << 104, 24));
    let v6 = (0..256_u128).map(|n| Prefix::from_bits(Family::V6, (0x2a00_0100 << 96) | n << 72, 56));
    let others =
        ["8.8.8.0/24", "20.1.0.0/24", "19.255.255.0/24", "203.0.113.0/24", "2001:db8:7::/56", "2a00:100:1::/56"];
    v4.chain(v6).chain(others.map(prefix)).collect()
}

fn told(snapshot: &Snapshot, rtype: u16, client: Prefix) -> Told {
    listen(snapshot, &Question::new(NAME, rtype).with(client), at(0)).expect("ready")
}

/// The answer without its scope.
fn said(answer: &Answer) -> Answer {
    Answer { scope: None, ..answer.clone() }
}

/// Whether the client named a special-purpose block.
fn is_special(told: &Told) -> bool {
    told.steps.iter().any(|step| matches!(step, Step::Located { basis: Basis::Special, .. }))
}

/// First, last and some other addresses of a block.
fn inside(block: Prefix, salt: u128) -> [Prefix; 4] {
    let width = u32::from(block.family().bits());
    let host = u128::MAX.checked_shr(u32::from(block.len())).unwrap_or(0);
    let some = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    [0, host, some & host, some.rotate_left(64) & host].map(|low| {
        let whole = block.bits() | low & (u128::MAX << (128 - width));
        Prefix::from_bits(block.family(), whole, 128)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scope_speaks_for_all_its_addresses_in_every_health_state(
        plan in fenced(), states in prop::collection::vec((healths(), prop::collection::vec(strain(), 3)), 3), salt: u128
    ) {
        let (text, overrides) = plan.text();
        let mut lab = Lab::new(draft(&text, &[("o.csv", &overrides)]));
        let mut blocks: BTreeMap<Prefix, Prefix> = BTreeMap::new();
        for (n, (state, strains)) in states.iter().enumerate() {
            let snapshot = under(lab.healths(state), strains);
            let mut answers: BTreeMap<Prefix, [Answer; 2]> = BTreeMap::new();
            for client in clients() {
                let both = [A, AAAA].map(|rtype| told(&snapshot, rtype, client));
                let (block, scope) = both[0].located();
                prop_assert_eq!(scope, block.len());
                for told in &both {
                    // A negative answer is for everybody (P102); a positive one for its block, whatever the type.
                    let expected = if told.answer.addresses.is_empty() { 0 } else { scope };
                    prop_assert_eq!(told.answer.scope, Some(expected), "{}", client);
                }
                let known = *blocks.entry(client).or_insert(block);
                prop_assert_eq!(known, block, "the scope of {} is the same in every health state", client);
                let both = both.map(|told| said(&told.answer));
                prop_assert_eq!(answers.entry(block).or_insert_with(|| both.clone()), &both, "{} in {}", client, block);
            }
            let mut last: Option<Prefix> = None;
            for (block, known) in &answers {
                prop_assert!(last.is_none_or(|last| !last.contains(*block)), "{:?} holds {}", last, block);
                last = Some(*block);
                for address in inside(*block, salt) {
                    let told = told(&snapshot, A, address);
                    let (own, _) = told.located();
                    prop_assert!(!is_special(&told) && own == *block, "{} of {} says {}", address, block, own);
                    prop_assert_eq!(&said(&told.answer), &known[0], "{} of {}", address, block);
                }
            }
            // In another slot too.
            if n == 0 {
                for block in answers.keys() {
                    let later = inside(*block, salt).map(|address| {
                        ask(&snapshot, &Question::new(NAME, A).with(address), at(10_000)).map(|a| said(&a))
                    });
                    prop_assert!(later.iter().all(|answer| *answer == later[0]), "{}", block);
                }
            }
        }
    }

    /// A SOURCE of any length gets a scope that other clients get too, or one that is disjoint from theirs.
    #[test]
    fn scopes_of_any_sources_are_equal_or_disjoint(
        plan in fenced(), sources in prop::collection::vec((any::<bool>(), 1..=128_u8, any::<u16>()), 40)
    ) {
        let (text, overrides) = plan.text();
        let snapshot = Lab::new(draft(&text, &[("o.csv", &overrides)])).healthy();
        let mut seen: Vec<Prefix> = Vec::new();
        for (four, len, place) in sources {
            let place = u128::from(place);
            let client = if four {
                Prefix::from_bits(Family::V4, (0x1400 << 112) | place << 96, len.min(32))
            } else {
                Prefix::from_bits(Family::V6, (0x2a00_0100 << 96) | place << 64, len)
            };
            let told = told(&snapshot, A, client);
            let (block, scope) = told.located();
            prop_assert!(!is_special(&told), "none in these spaces");
            let together = block.contains(client) || client.contains(block);
            prop_assert!(scope == 0 || together, "{} is not of {}", block, client);
            prop_assert_eq!(scope, block.len());
            // A short SOURCE is answered as its block is.
            prop_assert_eq!(said(&told.answer), said(&self::told(&snapshot, A, if scope == 0 { client } else { block }).answer));
            seen.extend((scope > 0).then_some(block));
        }
        for (a, b) in seen.iter().flat_map(|a| seen.iter().map(move |b| (a, b))) {
            prop_assert!(a == b || !a.contains(*b), "{} and {}", a, b);
        }
    }

    /// Where nothing but the catchment decides: two sibling blocks that are answered alike in all health states would
    /// have been one. Policies of two geographic keys are left out: a catchment compares every key for every set of
    /// regions, also for those that an earlier key never leaves.
    #[test]
    fn where_nothing_splits_no_shorter_scope_would_do(plan in plan(false)) {
        let (text, overrides) = plan.text();
        let mut lab = Lab::new(draft(&text, &[("o.csv", &overrides)]));
        let targets = lab.world.targets.len();
        let snapshots: Vec<Snapshot> = (0..1_u32 << targets)
            .map(|state| {
                let letters: Vec<&str> = (0..targets).map(|n| if state >> n & 1 == 1 { "g" } else { "b" }).collect();
                lab.healths(&letters)
            })
            .collect();
        let mut blocks: Vec<Prefix> =
            clients().into_iter().map(|client| told(&snapshots[0], A, client).located().0).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let answers = |block: Prefix| -> Vec<Option<Answer>> {
            let question = Question::new(NAME, A).with(block);
            snapshots.iter().map(|snapshot| ask(snapshot, &question, at(0)).map(|a| said(&a))).collect()
        };
        for block in blocks.iter().filter(|block| block.len() > 0) {
            let bit = 1 << (128 - u32::from(block.len()));
            let sibling = Prefix::from_bits(block.family(), block.bits() ^ bit, block.len());
            if block.bits() & bit == 0 && blocks.contains(&sibling) {
                prop_assert!(answers(*block) != answers(sibling), "{} and {} are answered alike", block, sibling);
            }
        }
        // Alike everywhere, in both families: for everybody.
        let first = answers(prefix("20.0.0.0/24"));
        let alike = blocks.iter().all(|block| answers(*block) == first);
        if alike && answers(prefix("10.77.0.0/24").cut(8)) == first && plan.overrides.iter().all(|o| o.0 < 2) {
            prop_assert_eq!(blocks.iter().map(|block| block.len()).max(), Some(0), "{:?}", blocks);
        }
    }
}

const NEAR: &str = r#"
[geo]
overrides = "o.csv"
[monitors.m]
tcp = { port = 80 }
[regions]
eu = { location = { lat = 50.11, lon = 8.68 } }
us = { location = { lat = 39.04, lon = -77.49 } }
[pools.near]
monitor = "m"
policy = "proximity"
[pools.near.endpoints]
eu = { region = "eu", address = "192.0.2.1" }
us = { region = "us", address = "192.0.2.2" }
[pools.first]
monitor = "m"
policy = "failover"
order = ["eu", "us"]
[pools.first.endpoints]
eu = { region = "eu", address = "192.0.2.1" }
us = { region = "us", address = "192.0.2.2" }
[pools.one]
monitor = "m"
[pools.one.endpoints]
eu = { region = "eu", address = "192.0.2.1" }
[services."www.g.test"]
pools = ["near"]
[services."first.g.test"]
pools = ["first", "one"]
[services."one.g.test"]
pools = ["one"]
[services."first-near.g.test"]
pools = ["first", "near"]
[services."*.g.test"]
pools = ["near"]
"#;

const PLACES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
20.0.0.0/16,EU,DE,,,,,
20.0.128.0/20,NA,US,,,,,
9.9.9.0/24,NA,US,,,,,
9.8.8.0/24,EU,DE,,,,,
10.64.0.0/16,EU,DE,,,,,
2a00:100::/40,EU,DE,,,,,
";

fn near(also: &str) -> Snapshot {
    Lab::new(draft(&format!("{NEAR}{also}"), &[("o.csv", PLACES)])).healthy()
}

fn heard(snapshot: &Snapshot, question: &Question) -> (String, Option<u8>) {
    let answer = ask(snapshot, question, at(0)).expect("ready");
    (answer.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), answer.scope)
}

/// G2, G3, G9, G10, G70, G71: whose address speaks, and what goes back with it.
#[test]
fn who_is_believed_and_for_whom_the_answer_stands() {
    let snapshot = near("");
    let ask = |subnet: &str, source: &str| {
        heard(&snapshot, &Question::new("www.g.test", A).with(prefix(subnet)).from(source))
    };
    let (eu, us) = ("192.0.2.1".to_owned(), "192.0.2.2".to_owned());
    // The subnet, not the resolver; IPv6 clients are fine for A (G10).
    assert_eq!(ask("20.0.1.0/24", "9.9.9.9"), (eu.clone(), Some(17)));
    assert_eq!(ask("20.0.130.0/24", "9.8.8.8"), (us.clone(), Some(20)));
    assert_eq!(ask("2a00:100::/56", "9.9.9.9"), (eu.clone(), Some(40)));
    // SOURCE shorter than the block: what is most of it, with the block's length. G1: longer sources do not lengthen.
    assert_eq!(ask("20.0.0.0/16", "9.9.9.9"), (eu.clone(), Some(17)));
    assert_eq!(ask("20.0.130.7/32", "9.9.9.9"), (us.clone(), Some(20)));
    // SOURCE 0: the resolver, for everybody (G2).
    assert_eq!(ask("0.0.0.0/0", "9.9.9.9"), (us.clone(), Some(0)));
    assert_eq!(ask("::/0", "9.8.8.8"), (eu.clone(), Some(0)));
    // No option: the resolver, and no option back (G3).
    assert_eq!(heard(&snapshot, &Question::new("www.g.test", A).from("9.8.8.8")), (eu.clone(), None));
    // A private block says nothing of where the client is: the resolver, for that block; one that we know speaks.
    assert_eq!(ask("10.1.2.0/24", "9.9.9.9"), (us.clone(), Some(10)));
    assert_eq!(ask("10.1.2.0/24", "9.8.8.8"), (eu.clone(), Some(10)));
    assert_eq!(ask("10.64.2.0/24", "9.9.9.9"), (eu.clone(), Some(16)));
    assert_eq!(ask("192.168.0.0/24", "9.9.9.9"), (us.clone(), Some(16)));
    // An IPv4 client in an IPv6 form, scope in that form (G21).
    assert_eq!(ask("2002:1400:8000::/48", "9.8.8.8"), (us, Some(16 + 20)));

    let strict = near("[ecs]\nfrom = [\"9.9.9.0/24\"]\n");
    let ask = |source: &str| {
        let question = Question::new("www.g.test", A).with(prefix("20.0.1.0/24")).from(source);
        heard(&strict, &question)
    };
    assert_eq!(ask("9.9.9.9"), (eu.clone(), Some(17)));
    assert_eq!(ask("9.8.8.8"), (eu, Some(0)), "not believed: by its own address, for everybody (G9)");
    assert_eq!(ask("1.1.1.1").1, Some(0));
}

/// G4, G5, G6, G7, G8: one answer for everybody has scope 0, whatever it hangs on.
#[test]
fn what_does_not_depend_on_the_client_is_for_everybody() {
    let snapshot = near("");
    let scope = |name: &str, rtype: u16, client: &str| {
        ask(&snapshot, &Question::new(name, rtype).with(prefix(client)), at(0)).expect("ready").scope
    };
    for client in ["20.0.1.0/24", "10.1.2.0/24", "8.8.8.0/27", "2a00:100::/56"] {
        assert_eq!(scope("one.g.test", A, client), Some(0), "one endpoint (G4)");
        assert_eq!(scope("first.g.test", A, client), Some(0), "an order without ties");
        assert_eq!(scope("static.g.test", A, client), Some(0), "static (G5)");
        assert_eq!(scope("www.g.test", 15, client), Some(0), "MX beside a steered name (G8)");
        assert_eq!(scope("www.g.test", AAAA, client), Some(0), "NODATA (P102)");
    }
    assert_eq!(scope("any.g.test", A, "20.0.130.0/24"), Some(20), "a steered wildcard (G6)");
    assert_eq!(scope("first-near.g.test", A, "20.0.130.0/24"), Some(20), "what a fallback pool would ask (G7)");
}

/// The knobs of `[ecs]` and `sticky` cut what is answered, not the number alone: who shares a scope shares the answer, and
/// the forms that carry IPv4 have it behind their own bits.
#[test]
fn scope_knobs_cut_what_is_answered() {
    let shared = "[services.\"hash.g.test\"]\npools = [\"hash\"]\n[pools.hash]\nmonitor = \"m\"\npolicy = \"POLICY\"\n\
                  [pools.hash.endpoints]\neu = { region = \"eu\", address = \"192.0.2.1\" }\n\
                  us = { region = \"us\", address = \"192.0.2.2\" }\n";
    let teredo = "2001:0:4136:e378:8000:63bf:ebff:fefe/128"; // 20.0.1.1, inverted
    for (knobs, policy, scopes) in [
        ("", "latency", [17, 20, 40, 33, 113, 113]),
        ("[ecs]\nwidest = { v4 = 22, v6 = 48 }\n", "latency", [22, 22, 48, 38, 118, 118]),
        ("[ecs]\nfinest = { v4 = 18, v6 = 36 }\n", "latency", [16, 16, 32, 32, 112, 112]),
        ("[ecs]\nblock = { v4 = 19, v6 = 44 }\n", "weighted", [19, 19, 44, 35, 115, 115]),
        ("", "weighted", [16, 16, 32, 32, 112, 112]),
        ("", "ip-hash", [24, 24, 56, 40, 120, 120]),
    ] {
        let snapshot = near(&format!("{knobs}{}", shared.replace("POLICY", policy)));
        let name = if policy == "latency" { "www.g.test" } else { "hash.g.test" };
        let ask = |client: &str| heard(&snapshot, &Question::new(name, A).with(prefix(client)).from("9.9.9.9"));
        let clients =
            ["20.0.1.0/24", "20.0.130.0/24", "2a00:100::/56", "2002:1400:101::/48", "64:ff9b::1400:101/128", teredo];
        assert_eq!(clients.map(|client| ask(client).1), scopes.map(Some), "{knobs}{policy}");
        // The same client, in whatever form.
        let forms = [clients[0], clients[3], clients[4], clients[5], "::ffff:20.0.1.1/128"];
        assert!(forms.iter().all(|client| ask(client).0 == ask(forms[0]).0), "{knobs}{policy}");
        // Everybody within a scope is told the same.
        for client in ["20.0.1.0/24", "20.0.130.0/24"].map(prefix) {
            let told = heard(&snapshot, &Question::new(name, A).with(client));
            let block = client.cut(told.1.expect("a scope").min(24));
            for address in inside(block, 7) {
                assert_eq!(heard(&snapshot, &Question::new(name, A).with(address)), told, "{address} of {block}");
            }
        }
    }
}

/// G15, G16: the longer override wins whatever the order of lines, and neighbours that are ranked alike are one.
#[test]
fn the_more_specific_wins_and_neighbours_merge() {
    let header = "prefix,continent,country,subdivision,city,lat,lon,asn\n";
    let lines: Vec<String> =
        (0..8).map(|n| format!("30.{}.0.0/15,EU,{},,,,,", n * 2, if n % 2 == 0 { "DE" } else { "FR" })).collect();
    let mut places = vec!["30.0.130.0/24,NA,US,,,,,".to_owned()];
    places.extend(lines);
    let whole =
        format!("{NEAR}[policies.whole]\nprefer = [\"distance\"]\nspread = \"all\"\n").replace("proximity", "whole");
    let snapshot = Lab::new(draft(&whole, &[("o.csv", &format!("{header}{}\n", places.join("\n")))])).healthy();
    let ask = |client: &str| heard(&snapshot, &Question::new("www.g.test", A).with(prefix(client)));
    assert_eq!(ask("30.9.0.0/24").1, Some(13), "eight /15 make 30.0.0.0/12, without the half that holds the /24");
    assert_eq!(ask("30.0.130.0/24"), ("192.0.2.2".into(), Some(24)));
    assert_eq!(ask("30.0.131.0/24"), ("192.0.2.1".into(), Some(24)));
}
