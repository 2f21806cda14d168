//! Steered names beside what the zone file holds: wildcards, the apex, empty names, records that point at them, and the
//! sizes of their replies (G4 to G8, G25, G26, P82 to P86).

use meridian::engine::snapshot::Snapshot;

use super::*;

const CONFIG: &str = r#"
[regions]
a = {}
b = {}
[pools.hash]
policy = "ip-hash"
[pools.hash.endpoints]
a = { region = "a", address = ["192.0.2.5", "2001:db8::5"] }
b = { region = "b", address = ["192.0.2.6", "2001:db8::6"] }
[pools.fixed]
[pools.fixed.endpoints]
a = { region = "a", address = ["192.0.2.7"] }
[pools.second]
policy = "failover"
order = ["a", "b"]
[pools.second.endpoints]
a = { region = "a", address = ["192.0.2.8"] }
b = { region = "b", address = ["192.0.2.9"] }
[services]
"hash.example.test" = { pools = ["hash"] }
"*.w.example.test" = { pools = ["hash"] }
"example.test" = { pools = ["hash"] }
"fixed.example.test" = { pools = ["fixed"] }
"deep.geo.example.test" = { pools = ["hash"] }
"first.example.test" = { pools = ["second", "hash"] }
"#;

const ZONE: &str = "@ MX 10 hash\n@ MX 20 ns1\n@ TXT apex\nns1 A 192.0.2.53\n*.w TXT wild\nns NS hash\n";

fn snapshot() -> Snapshot {
    healthy(&world(&[("example.test", ZONE)], CONFIG))
}

fn scope(snapshot: &Snapshot, question: &str) -> Option<u8> {
    ask(question).subnet("203.0.113.0/24").of(snapshot).subnet().map(|subnet| subnet.2)
}

#[test]
fn g4_g5_what_is_the_same_for_everybody_has_scope_0() {
    let snapshot = snapshot();
    for question in ["fixed.example.test A", "ns1.example.test A", "first.example.test A"] {
        for subnet in ["203.0.113.0/24", "203.0.113.32/27", "203.0.113.7/32", "2600::/56"] {
            let reply = ask(question).subnet(subnet).of(&snapshot);
            assert_eq!(reply.answers().len(), 1, "G4");
            let scope = reply.subnet().map(|subnet| subnet.2);
            // The fallback pool splits clients, so a service that may come to it has its scope in every state (G7).
            let split = if subnet.contains(':') { 56 } else { 24 };
            assert_eq!(scope, Some(if question.starts_with("first") { split } else { 0 }), "G4, G5, G7: {question}");
        }
    }
}

#[test]
fn g6_a_wildcard_is_steered_under_the_name_that_was_asked_for() {
    let snapshot = snapshot();
    for name in ["a.w.example.test", "A.B.w.example.test", "*.w.example.test"] {
        for rtype in ["A", "AAAA"] {
            let reply = ask(&format!("{name} {rtype}")).subnet("203.0.113.0/24").of(&snapshot);
            let [record] = reply.answers() else { panic!("G6: {reply:?}") };
            assert_eq!((&record.owner, reply.subnet().map(|s| s.2)), (&wire(name), Some(24)), "G6");
        }
        let text = ask(&format!("{name} TXT")).of(&snapshot);
        assert_eq!((text.answers()[0].rtype, &text.answers()[0].owner), (16, &wire(name)), "G28: other types");
    }
    assert_negative(&ask("w.example.test A").of(&snapshot), NOERROR, "example.test", "P41");
}

#[test]
fn g25_the_apex_is_steered_beside_its_own_records() {
    let snapshot = snapshot();
    assert_eq!(ask("example.test A").of(&snapshot).answers()[0].rtype, A, "G25");
    assert_eq!((scope(&snapshot, "example.test A"), scope(&snapshot, "example.test AAAA")), (Some(24), Some(24)));
    for (rtype, number, count) in [("SOA", SOA, 1), ("NS", NS, 2), ("MX", 15, 2), ("TXT", 16, 1)] {
        let reply = ask(&format!("example.test {rtype}")).of(&snapshot);
        assert_eq!(reply.answers().len(), count, "G25: {rtype}");
        assert!(reply.answers().iter().all(|rr| rr.rtype == number), "G25: {rtype}");
        assert_eq!(scope(&snapshot, &format!("example.test {rtype}")), Some(0), "P102");
    }
    assert_negative(&ask("example.test CAA").of(&snapshot), NOERROR, "example.test", "G25");
}

#[test]
fn g26_what_stands_only_above_a_steered_name_is_empty() {
    let snapshot = snapshot();
    assert_negative(&ask("geo.example.test A").of(&snapshot), NOERROR, "example.test", "G26");
    assert_eq!(ask("deep.geo.example.test A").of(&snapshot).answers().len(), 1, "G26");
    assert_eq!(ask("x.deep.geo.example.test A").of(&snapshot).rcode(), NXDOMAIN, "P42");
    assert_eq!(ask("x.geo.example.test A").of(&snapshot).rcode(), NXDOMAIN, "P42");
}

#[test]
fn g8_mail_and_name_servers_that_are_steered_have_no_address_in_the_reply() {
    let snapshot = snapshot();
    for (question, of_static) in [("example.test MX", &["ns1.example.test."][..]), ("x.ns.example.test A", &[])] {
        let reply = ask(question).subnet("203.0.113.0/24").of(&snapshot);
        let owners: Vec<_> = kinds(reply.additional()).into_iter().map(|(owner, _)| owner).collect();
        assert_eq!(owners, of_static, "G8: {question}");
        assert_eq!(reply.subnet().map(|subnet| subnet.2), Some(0), "G8: {question}");
    }
}

#[test]
fn eight_addresses_fit_without_edns_whatever_the_name_and_longer_answers_are_truncated_whole() {
    for (count, name, whole) in [
        (8, "x".repeat(10), true),
        (8, [vec!["y".repeat(60); 3].join("."), "y".repeat(57)].join("."), true),
        (28, "x".into(), false),
    ] {
        let endpoints: String = (1..=count)
            .map(|n| format!("e{n} = {{ region = \"a\", address = [\"192.0.2.{n}\", \"2001:db8::{n:x}\"] }}\n"))
            .collect();
        let config = format!(
            "[regions.a]\n[policies.everybody]\nprefer = []\nspread = \"all\"\n[pools.p]\npolicy = \"everybody\"\n\
             [pools.p.endpoints]\n{endpoints}[services.'{name}.example.test']\npools = [\"p\"]\n"
        );
        let snapshot = healthy(&world(&[("example.test", "")], &config));
        let question = format!("{name}.example.test AAAA");
        let reply = ask(&question).of(&snapshot);
        let expected = if whole { count } else { 0 };
        assert_eq!((reply.answers().len(), reply.tc()), (expected, !whole), "P85: {} octets", reply.len);
        assert!(reply.len <= 512, "P82");
        let stream = ask(&question).tcp().of(&snapshot);
        assert_eq!((stream.answers().len(), stream.tc()), (count, false), "P82");
        // Aliases before it.
        let hops: String = (0..16).map(|n| format!("h{n} CNAME h{}\n", n + 1)).collect();
        let zone = format!("{hops}h16 CNAME {name}\n");
        let chained = healthy(&world(&[("example.test", &zone)], &config));
        let long = ask("h3.example.test AAAA").of(&chained);
        assert!(long.len <= 512 && (long.tc() || long.answers().len() == 14 + count), "P56, P85: {}", long.len);
        let first = kinds(long.answers()).into_iter().take(13).all(|(_, rtype)| rtype == CNAME);
        assert!(first, "P52");
    }
}
