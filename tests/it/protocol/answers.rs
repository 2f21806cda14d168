//! Positive and negative answers (P34 to P43); P44 is in `nested`.

use super::*;

#[test]
fn p34_every_type_comes_back_as_its_octets_stand() {
    let snapshot = example(concat!(
        "t A 192.0.2.1\nt A 192.0.2.2\nt AAAA 2001:db8::1\nt MX 10 Mail\nt MX 20 .\nt TXT \"one\" \"two\"\n",
        "t SRV 1 2 443 WWW\nt CAA 0 issue \"ca.example.net\"\nt PTR a.b\nt NAPTR 1 2 \"u\" \"\" \"!^!x!\" .\n",
        "t SSHFP 1 1 0123456789abcdef0123456789abcdef01234567\nt TLSA 3 1 0 00ff\n",
        "t HTTPS 1 . alpn=h2\nt SVCB 0 target\nt TYPE65280 \\# 3 010203\n",
    ));
    for (rtype, expected) in [
        ("A", vec![&b"\xc0\0\x02\x01"[..], b"\xc0\0\x02\x02"]),
        ("AAAA", vec![b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"]),
        ("MX", vec![b"\0\x0a\x04Mail\x07example\x04test\0", b"\0\x14\0"]),
        ("TXT", vec![b"\x03one\x03two"]),
        ("SRV", vec![b"\0\x01\0\x02\x01\xbb\x03WWW\x07example\x04test\0"]),
        ("CAA", vec![b"\0\x05issueca.example.net"]),
        ("PTR", vec![b"\x01a\x01b\x07example\x04test\0"]),
        ("NAPTR", vec![b"\0\x01\0\x02\x01u\0\x05!^!x!\0"]),
        ("TLSA", vec![b"\x03\x01\0\0\xff"]),
        ("HTTPS", vec![b"\0\x01\0\0\x01\0\x03\x02h2"]),
        ("SVCB", vec![b"\0\0\x06target\x07example\x04test\0"]),
        ("TYPE65280", vec![b"\x01\x02\x03"]),
    ] {
        let reply = ask(&format!("t.example.test {rtype}")).of(&snapshot);
        let data: Vec<&[u8]> = reply.answers().iter().map(|rr| &*rr.data).collect();
        assert_eq!(data, expected, "P34: {rtype}");
        assert!(reply.aa() && reply.authority().is_empty(), "P34: {rtype}");
    }
    let soa = ask("example.test SOA").of(&snapshot);
    let expected = b"\x03ns1\x07example\x04test\0\x04Host\x06Master\x07example\x04test\0\
        \0\0\0\x01\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\0\x3c";
    assert_eq!(soa.answers()[0].data, expected, "P34");
}

#[test]
fn p35_ttls_go_out_as_configured() {
    let snapshot = example("zero 0 A 192.0.2.1\nlong 2147483647 A 192.0.2.1\n");
    assert_eq!(ask("zero.example.test A").of(&snapshot).answers()[0].ttl, 0, "P35");
    assert_eq!(ask("long.example.test A").of(&snapshot).answers()[0].ttl, 2_147_483_647, "P35");
    assert_eq!(ask("example.test NS").of(&snapshot).answers()[0].ttl, 300, "P35");
}

#[test]
fn p36_equal_records_are_one_and_share_one_ttl() {
    // Loading merges and levels them; the strict reader refuses a reply that has either.
    let snapshot = example(concat!(
        "www 60 A 192.0.2.1\nwww 90 A 192.0.2.2\nwww 60 A 192.0.2.1\n",
        "@ MX 10 mail\n@ MX 10 MAIL\n@ NS NS1\nmail A 192.0.2.25\nns1 A 192.0.2.53\n",
    ));
    let reply = ask("www.example.test A").of(&snapshot);
    assert_eq!(reply.answers().iter().map(|rr| rr.ttl).collect::<Vec<_>>(), [60, 60], "P36");
    assert_eq!(ask("example.test MX").of(&snapshot).answers().len(), 1, "P36");
    assert_eq!(ask("example.test NS").of(&snapshot).answers().len(), 2, "P36");
    // The chain runs through both records once, and once through each of a loop.
    let looping = example("a CNAME b\nb CNAME c\nc CNAME b\n");
    let reply = ask("a.example.test A").of(&looping);
    let owners = ["a.example.test.", "b.example.test.", "c.example.test."].map(|owner| (owner.to_owned(), CNAME));
    assert_eq!(kinds(reply.answers()), owners, "P36, P56");
}

#[test]
fn p37_text_of_every_shape() {
    let strings = "\"x\" ".repeat(300);
    let long: String = (0..8).map(|n| format!("\"{n:0200}\" ")).collect();
    let snapshot = example(&format!(
        "empty TXT \"\"\nmany TXT {strings}\nfull TXT \"{}\"\noctets TXT \"\\000\\255\\\"\"\nlong TXT {long}\n",
        "y".repeat(255)
    ));
    assert_eq!(ask("empty.example.test TXT").of(&snapshot).answers()[0].data, [0], "P37");
    assert_eq!(ask("many.example.test TXT").size(1232).of(&snapshot).answers()[0].data, b"\x01x".repeat(300), "P37");
    assert_eq!(ask("full.example.test TXT").of(&snapshot).answers()[0].data.len(), 256, "P37");
    assert_eq!(ask("octets.example.test TXT").of(&snapshot).answers()[0].data, b"\x03\0\xff\"", "P37");
    assert!(ask("long.example.test TXT").size(1232).of(&snapshot).tc(), "P37: 1608 octets");
    assert_eq!(ask("long.example.test TXT").tcp().of(&snapshot).answers()[0].data.len(), 8 * 201, "P37");
}

#[test]
fn p38_to_p42_negative_answers() {
    let snapshot =
        example("www A 192.0.2.1\ndeep.er.ent A 192.0.2.2\nsub.made NS ns.example.net.\n*.below.star A 192.0.2.3\n");
    for (question, rcode, rule) in [
        ("none.example.test A", NXDOMAIN, "P38"),
        ("a.b.c.none.example.test A", NXDOMAIN, "P38"),
        ("www.example.test AAAA", NOERROR, "P39"),
        ("www.example.test NS", NOERROR, "P39"),
        ("example.test A", NOERROR, "P39: the apex"),
        ("er.ent.example.test A", NOERROR, "P41"),
        ("ent.example.test A", NOERROR, "P41"),
        ("made.example.test A", NOERROR, "P41: made by a delegation"),
        ("below.star.example.test A", NOERROR, "P41: made by a wildcard"),
        ("star.example.test A", NOERROR, "P41: made by a wildcard"),
        ("foo.www.example.test A", NXDOMAIN, "P42"),
        ("x.ent.example.test A", NXDOMAIN, "P42"),
    ] {
        let reply = ask(question).of(&snapshot);
        assert_negative(&reply, rcode, "example.test", &format!("{rule}: {question}"));
        assert_eq!(reply.authority()[0].ttl, 60, "P40: MINIMUM, not the SOA's TTL");
    }
    let short = "$TTL 30\n@ SOA ns1 h 1 7200 900 1209600 3600\n NS ns1\nns1 A 192.0.2.1\n";
    let snapshot = healthy(&whole_world(&[("example.test", short)], ""));
    let reply = ask("none.example.test A").of(&snapshot);
    assert_eq!(reply.authority()[0].ttl, 30, "P40: the SOA's TTL where it is the smaller");
    assert_eq!(reply.authority()[0].data[reply.authority()[0].data.len() - 4..], 3600u32.to_be_bytes(), "P40");
}

#[test]
fn p41_services_make_names_exist() {
    let config = concat!(
        "[regions.r]\n[pools.p]\n[pools.p.endpoints.e]\nregion = \"r\"\naddress = [\"192.0.2.10\"]\n",
        "[services.'a.b.svc.example.test']\npools = [\"p\"]\n[services.'*.w.svc2.example.test']\npools = [\"p\"]\n",
        "[services.'example.test']\npools = [\"p\"]\n",
    );
    let snapshot = healthy(&world(&[("example.test", "@ MX 10 mail\nmail A 192.0.2.25\n")], config));
    for name in ["b.svc", "svc", "w.svc2", "svc2"] {
        let reply = ask(&format!("{name}.example.test A")).of(&snapshot);
        assert_negative(&reply, NOERROR, "example.test", &format!("P41: {name}"));
    }
    assert_negative(&ask("c.b.svc.example.test A").of(&snapshot), NXDOMAIN, "example.test", "P42");
    for name in ["a.b.svc.example.test", "q.w.svc2.example.test", "x.y.w.svc2.example.test", "example.test"] {
        let reply = ask(&format!("{name} A")).of(&snapshot);
        assert_eq!(kinds(reply.answers()), [(format!("{name}."), A)], "a service at the apex and at a wildcard");
        assert_eq!(reply.answers()[0].data, [192, 0, 2, 10]);
        for rtype in ["AAAA", "HTTPS", "TXT"] {
            let reply = ask(&format!("{name} {rtype}")).of(&snapshot);
            assert_negative(&reply, NOERROR, "example.test", &format!("P39: {name} {rtype}"));
            assert!(reply.authority()[0].ttl <= 5, "the service's ttl.min bounds its negative answers");
        }
    }
    for rtype in ["SOA", "NS", "MX"] {
        assert!(!ask(&format!("example.test {rtype}")).of(&snapshot).answers().is_empty(), "{rtype} beside a service");
    }
}

#[test]
fn p43_what_is_not_ours_is_refused_and_empty() {
    let snapshot = example("www A 192.0.2.1\n");
    for question in [". NS", "test SOA", "example.org A", "badexample.test A", "example.test.org A", "example DS"] {
        assert_bare(&ask(question).of(&snapshot), REFUSED, &format!("P43: {question}"));
    }
    let nothing = healthy(&std::sync::Arc::default());
    assert_bare(&ask("example.test A").of(&nothing), REFUSED, "P43: no zones at all");
    let nothing = healthy(&std::sync::Arc::new(meridian::engine::world::World::seal(Default::default())));
    assert_bare(&ask("example.test A").of(&nothing), REFUSED, "P43: a sealed world without zones");
    assert_bare(&ask(". NS").of(&nothing), REFUSED, "P43");
}
