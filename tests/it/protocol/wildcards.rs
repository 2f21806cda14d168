//! Wildcards (P45 to P51, RFC 4592).

use meridian::engine::snapshot::Snapshot;

use super::*;

/// The zone of RFC 4592 2.2.1, and more.
fn zone() -> Snapshot {
    example(concat!(
        "* TXT \"any name\"\n* MX 10 host1\nsub.* TXT \"below an asterisk\"\nhost1 A 192.0.2.1\n",
        "_ssh._tcp.host1 SRV 0 0 22 host1\nsubdel NS ns.example.net.\n",
        "*.wild A 192.0.2.2\nhost.wild TXT blocks\nx.host2.wild A 192.0.2.3\n",
        "a.*.ent A 192.0.2.4\n*.c CNAME www.wild\n*.loop CNAME x.loop\n",
    ))
}

#[test]
fn p45_p46_p51_synthesis() {
    let snapshot = zone();
    for name in ["q.wild", "a.b.c.wild", "A.B.wIlD", "sub.q.wild", "_tcp._tcp.wild"] {
        let reply = ask(&format!("{name}.example.test A")).of(&snapshot);
        assert_eq!(reply.answers().len(), 1, "P45, P46: {name}");
        assert_eq!(reply.answers()[0].owner, wire(&format!("{name}.example.test")), "P45, P51: {name}");
        assert_eq!((reply.rcode(), reply.aa()), (NOERROR, true));
    }
    // RFC 4592 2.2.1
    let mx = ask("host3.example.test MX").of(&snapshot);
    assert_eq!(kinds(mx.answers()), [("host3.example.test.".into(), 15)]);
    assert!(!ask("foo.bar.example.test TXT").of(&snapshot).answers().is_empty());
    assert!(!ask("telnet._tcp.host4.example.test TXT").of(&snapshot).answers().is_empty());
}

#[test]
fn p47_p48_p49_what_is_not_synthesised() {
    let snapshot = zone();
    for (question, rcode, rule) in [
        ("host3.example.test A", NOERROR, "P47"),
        ("q.wild.example.test MX", NOERROR, "P47"),
        ("host1.example.test MX", NOERROR, "P48: the name exists"),
        ("sub.*.example.test MX", NOERROR, "P48: the name exists"),
        ("_telnet._tcp.host1.example.test SRV", NXDOMAIN, "P48: _tcp.host1 exists"),
        ("host.wild.example.test A", NOERROR, "P48"),
        ("host2.wild.example.test A", NOERROR, "P48: an empty name blocks"),
        ("y.host2.wild.example.test A", NXDOMAIN, "P48"),
        ("ghost.*.example.test MX", NXDOMAIN, "P49: nothing below an asterisk"),
        ("foo.*.wild.example.test A", NXDOMAIN, "P49"),
        ("*.ent.example.test A", NOERROR, "P49: an asterisk without records"),
        ("q.ent.example.test A", NOERROR, "P49: synthesised from it, so NODATA"),
    ] {
        assert_negative(&ask(question).of(&snapshot), rcode, "example.test", &format!("{rule}: {question}"));
    }
    let literal = ask("*.wild.example.test A").of(&snapshot);
    assert_eq!(kinds(literal.answers()), [("*.wild.example.test.".into(), A)], "P49: asked by its own name");
    let referral = ask("host.subdel.example.test A").of(&snapshot);
    assert_eq!((referral.aa(), referral.authority()[0].rtype), (false, NS), "P48: a cut blocks");
}

#[test]
fn p50_wildcard_cname() {
    let snapshot = zone();
    let reply = ask("q.c.example.test A").of(&snapshot);
    let expected = [("q.c.example.test.".into(), CNAME), ("www.wild.example.test.".into(), A)];
    assert_eq!(kinds(reply.answers()), expected, "P50");
    let looping = ask("q.loop.example.test A").of(&snapshot);
    let expected = [("q.loop.example.test.".into(), CNAME), ("x.loop.example.test.".into(), CNAME)];
    assert_eq!(kinds(looping.answers()), expected, "P50, P56: a wildcard that leads to itself");
    assert_eq!(looping.rcode(), NOERROR);
}

#[test]
fn a_wildcard_at_the_apex_takes_every_name_but_those_that_exist() {
    let snapshot = example("* A 192.0.2.1\nwww TXT here\na.b.c TXT deep\n");
    for (name, answers) in [("x", 1), ("x.y.z", 1), ("www", 0), ("c", 0), ("b.c", 0), ("*", 1)] {
        let reply = ask(&format!("{name}.example.test A")).of(&snapshot);
        assert_eq!((reply.rcode(), reply.answers().len()), (NOERROR, answers), "{name}");
    }
    assert_negative(&ask("x.www.example.test A").of(&snapshot), NXDOMAIN, "example.test", "P48");
    assert_negative(&ask("x.b.c.example.test A").of(&snapshot), NXDOMAIN, "example.test", "P48");
    assert_negative(&ask("example.test A").of(&snapshot), NOERROR, "example.test", "the apex is no child of itself");
}
