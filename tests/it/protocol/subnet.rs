//! Client subnet (P97 to P105, RFC 7871), as far as it is about the protocol.

use meridian::engine::snapshot::Snapshot;

use super::*;

const CONFIG: &str = concat!(
    "[regions.r]\n[regions.s]\n",
    "[pools.p]\npolicy = \"ip-hash\"\n[pools.p.endpoints]\n",
    "e = { region = \"r\", address = [\"192.0.2.10\"] }\nf = { region = \"s\", address = [\"192.0.2.11\"] }\n",
    "[services.'www.example.test']\npools = [\"p\"]\n",
);

fn steered() -> Snapshot {
    let zone = "static A 192.0.2.1\nalias CNAME www\nsub NS ns.example.net.\ntwice CNAME alias\n*.w A 192.0.2.2\n";
    healthy(&world(&[("example.test", zone)], CONFIG))
}

#[test]
fn p97_p98_the_option_comes_back_as_it_was_with_scope_0_for_static_data() {
    let snapshot = steered();
    for prefix in ["198.51.96.0/20", "198.51.100.0/24", "198.51.100.32/27", "198.51.100.7/32", "2001:db8::/56"] {
        for name in ["static", "x.w"] {
            let query = ask(&format!("{name}.example.test A")).subnet(prefix);
            let sent = query.opt.as_ref().expect("OPT").3[4..].to_vec();
            let (family, source, scope, address) = query.of(&snapshot).subnet().expect("P97: the option");
            assert_eq!([&[0, family as u8, source, 0], &*address].concat(), sent, "P97: {prefix}");
            assert_eq!(scope, 0, "P98");
        }
    }
    let host = ask("static.example.test A").subnet("2001:db8::1/128").of(&snapshot);
    assert_eq!(host.subnet().map(|(family, source, ..)| (family, source)), Some((2, 128)), "P97");
}

#[test]
fn p99_malformed_options_are_form_errors() {
    let snapshot = steered();
    for (value, why) in [
        (&b""[..], "empty"),
        (b"\0\x01\x18", "three octets"),
        (b"\0\x03\x18\0\xc6\x33\x64", "family 3"),
        (b"\x01\x01\x18\0\xc6\x33\x64", "family 257"),
        (b"\0\x01\x21\0\xc6\x33\x64\x07\x80", "SOURCE 33 in IPv4"),
        (b"\0\x02\x81\0\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x80", "SOURCE 129 in IPv6"),
        (b"\0\x01\x18\0\xc6\x33", "an octet too few"),
        (b"\0\x01\x18\0\xc6\x33\x64\0", "an octet too many"),
        (b"\0\x01\x19\0\xc6\x33\x64\x01", "bits beyond SOURCE"),
        (b"\0\x01\x14\0\xc6\x33\x6f", "bits beyond SOURCE, within an octet"),
        (b"\0\x01\x18\x18\xc6\x33\x64", "SCOPE in a query"),
        (b"\0\0\x18\0\xc6\x33\x64", "family 0 with an address"),
        (b"\0\x01\0\0\0", "SOURCE 0 with an octet"),
    ] {
        for name in ["www", "static", "none"] {
            let reply = ask(&format!("{name}.example.test A")).option(8, value).of(&snapshot);
            assert_bare(&reply, FORMERR, &format!("P99: {why}"));
            assert_eq!(reply.opt.expect("P99: plain OPT").options, [], "P99: {why}");
        }
    }
}

#[test]
fn p100_source_0_asks_for_no_location() {
    let snapshot = steered();
    for prefix in ["0.0.0.0/0", "::/0"] {
        for name in ["www", "static"] {
            let reply = ask(&format!("{name}.example.test A")).subnet(prefix).of(&snapshot);
            let (family, source, scope, address) = reply.subnet().expect("P100: the option");
            assert_eq!((source, scope, address.len()), (0, 0, 0), "P100");
            assert_eq!(family, if prefix == "::/0" { 2 } else { 1 }, "P97");
            assert_eq!(reply.answers().len(), 1, "P100");
        }
        let anonymous = ask("www.example.test A").subnet(prefix).of(&snapshot);
        let plain = ask("www.example.test A").of(&snapshot);
        assert_eq!(anonymous.answers(), plain.answers(), "P100: answered for the resolver's address");
    }
    let tools = ask("www.example.test A").option(8, &[0, 0, 0, 0]).of(&snapshot);
    assert_eq!(tools.subnet(), Some((0, 0, 0, Vec::new())), "P100: family 0, as some tools write it");
}

#[test]
fn p101_never_unasked() {
    let snapshot = steered();
    for question in ["www.example.test A", "static.example.test A", "none.example.test A"] {
        assert_eq!(ask(question).size(1232).of(&snapshot).subnet(), None, "P101");
        assert_eq!(ask(question).of(&snapshot).opt, None, "P101");
    }
}

#[test]
fn p102_negative_answers_and_referrals_have_scope_0() {
    let snapshot = steered();
    for question in
        ["none.example.test A", "www.example.test AAAA", "www.example.test MX", "x.sub.example.test A", "example.org A"]
    {
        let reply = ask(question).subnet("198.51.100.0/24").of(&snapshot);
        assert_eq!(reply.subnet(), Some((1, 24, 0, vec![198, 51, 100])), "P102: {question}");
    }
}

#[test]
fn p103_steered_answers_say_how_far_they_hold() {
    let snapshot = steered();
    let scope = |prefix: &str| {
        let reply = ask("www.example.test A").subnet(prefix).of(&snapshot);
        reply.subnet().expect("option").2
    };
    assert_eq!(scope("203.0.114.0/24"), 24, "P103: ip-hash splits at /24");
    assert_eq!(scope("203.0.114.9/32"), 24, "P103: shorter than SOURCE");
    assert_eq!(scope("203.0.0.0/16"), 24, "P103: longer than SOURCE, so that caches ask again");
    assert_eq!(scope("2a00:1450::/32"), 56, "P103");
    for last in [0, 77, 255] {
        let reply = ask("www.example.test A").subnet(&format!("203.0.114.{last}/32")).of(&snapshot);
        let whole = ask("www.example.test A").subnet("203.0.114.0/24").of(&snapshot);
        assert_eq!(reply.answers(), whole.answers(), "P103: all within the scope are answered alike");
    }
}

#[test]
fn p104_a_chain_to_a_steered_name_stops_before_it_when_a_subnet_is_given() {
    let snapshot = steered();
    let plain = ask("alias.example.test A").of(&snapshot);
    assert_eq!(plain.answers().len(), 2, "P52: followed without a subnet");
    for (name, aliases) in [("alias", 1), ("twice", 2)] {
        let reply = ask(&format!("{name}.example.test A")).subnet("198.51.100.0/24").of(&snapshot);
        assert_eq!(reply.answers().len(), aliases, "P104");
        assert!(reply.answers().iter().all(|rr| rr.rtype == CNAME) && reply.authority().is_empty(), "P104");
        assert_eq!(reply.subnet().map(|(_, _, scope, _)| scope), Some(0), "P104, P98");
    }
}

#[test]
fn p105_of_two_options_the_first_counts() {
    let snapshot = steered();
    let query = |first: &str, second: &str| ask("www.example.test A").subnet(first).subnet(second).of(&snapshot);
    for (first, second) in [("203.0.114.0/24", "8.8.8.0/24"), ("8.8.8.0/24", "2001:db8::/56")] {
        let (both, alone) = (query(first, second), ask("www.example.test A").subnet(first).of(&snapshot));
        assert_eq!((both.answers(), both.subnet()), (alone.answers(), alone.subnet()), "P105");
        assert_eq!(both.opt.expect("OPT").options.len(), 1, "P105");
    }
}

#[test]
fn a_source_that_is_not_believed_gets_its_option_back_with_scope_0() {
    let config = format!("{CONFIG}[ecs]\nfrom = [\"192.0.2.0/24\"]\n");
    let snapshot = healthy(&world(&[("example.test", "")], &config));
    let query = ask("www.example.test A").subnet("203.0.114.0/24");
    assert_eq!(query.of(&snapshot).subnet(), Some((1, 24, 0, vec![203, 0, 114])));
    let believed = Ask { source: "192.0.2.77".parse().expect("address"), ..query };
    assert_eq!(believed.of(&snapshot).subnet().map(|(_, _, scope, _)| scope), Some(24));
}
