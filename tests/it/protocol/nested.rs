//! Zones inside zones (P44), and the root as a zone.

use super::*;

/// Addresses of services, in any zone.
const SERVICE: &str = concat!(
    "[regions.r]\n[pools.p]\n[pools.p.endpoints.e]\nregion = \"r\"\naddress = [\"192.0.2.10\"]\n",
    "[services.'NAME']\npools = [\"p\"]\n",
);

#[test]
fn p44_the_closest_zone_answers_and_the_parent_speaks_for_ds() {
    let snapshot = serve(&[
        (
            "example.test",
            "child NS ns.child\nns.child A 192.0.2.9\nchild DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nwww A 192.0.2.1\n",
        ),
        ("child.example.test", "www A 192.0.2.2\nns A 192.0.2.53\n"),
        ("bare.example.test", "www A 192.0.2.3\n"),
    ]);
    for (name, last) in [("www", 1), ("www.child", 2), ("www.bare", 3), ("ns.child", 53)] {
        let reply = ask(&format!("{name}.example.test A")).of(&snapshot);
        assert_eq!(reply.answers()[0].data[3], last, "P44: {name}");
        assert!(reply.aa(), "P44");
    }
    let ds = ask("child.example.test DS").of(&snapshot);
    assert_eq!((ds.aa(), kinds(ds.answers())), (true, vec![("child.example.test.".into(), 43)]), "P44");
    assert_negative(&ask("bare.example.test DS").of(&snapshot), NOERROR, "example.test", "P44: the parent has none");
    assert_negative(&ask("example.test DS").of(&snapshot), NOERROR, "example.test", "P44: the parent is not ours");
    assert_negative(&ask("www.child.example.test DS").of(&snapshot), NOERROR, "child.example.test", "P44");
    assert_negative(&ask("none.child.example.test A").of(&snapshot), NXDOMAIN, "child.example.test", "P44");
    let ns = ask("child.example.test NS").of(&snapshot);
    assert_eq!((ns.aa(), ns.answers().len()), (true, 2), "P44: NS comes from the child");
}

#[test]
fn p44_ds_of_a_zone_whose_parent_is_delegated_away() {
    let snapshot =
        serve(&[("example.test", "mid NS ns.example.net.\n"), ("low.mid.example.test", "www A 192.0.2.2\n")]);
    // RFC 4035 3.1.4.1: authoritative for the child, not for the parent `mid`: the child's own NODATA.
    let reply = ask("low.mid.example.test DS").of(&snapshot);
    assert_negative(&reply, NOERROR, "low.mid.example.test", "P44: example.test is not the parent");
    let between = ask("x.mid.example.test A").of(&snapshot);
    assert_eq!((between.aa(), kinds(between.authority())), (false, vec![("mid.example.test.".into(), NS)]), "P65");
    assert_eq!(ask("www.low.mid.example.test A").of(&snapshot).answers().len(), 1, "P44");
}

#[test]
fn p41_names_between_a_zone_and_one_far_below_it() {
    // The low zone makes no name of the high one exist; what the high one has between them does.
    let zones = [
        ("example.test", "b.c TXT here\n* TXT wild\n"),
        ("low.a.b.c.example.test", "www A 192.0.2.2\n"),
        ("low.x.y.example.test", "www A 192.0.2.3\n"),
    ];
    let snapshot = healthy(&world(&zones, &SERVICE.replace("NAME", "p.q.example.test")));
    assert_negative(&ask("c.example.test A").of(&snapshot), NOERROR, "example.test", "P41");
    assert_negative(&ask("b.c.example.test A").of(&snapshot), NOERROR, "example.test", "P39");
    assert_negative(&ask("q.example.test A").of(&snapshot), NOERROR, "example.test", "P41");
    assert_negative(&ask("a.b.c.example.test TXT").of(&snapshot), NXDOMAIN, "example.test", "P48: b.c exists");
    for name in ["y", "x.y", "other.x.y"] {
        let reply = ask(&format!("{name}.example.test TXT")).of(&snapshot);
        assert_eq!(kinds(reply.answers()), [(format!("{name}.example.test."), 16)], "P45: {name} is not in the zone");
    }
    // A service between them, with the low zone made first or last.
    for low in ["low.a.svc.between.example.test", "a.svc.between.example.test"] {
        let zones = [("example.test", ""), (low, "www A 192.0.2.2\n")];
        let snapshot = healthy(&world(&zones, &SERVICE.replace("NAME", "svc.between.example.test")));
        assert_eq!(ask("svc.between.example.test A").of(&snapshot).answers().len(), 1);
        assert_negative(&ask("between.example.test A").of(&snapshot), NOERROR, "example.test", "P41");
    }
}

#[test]
fn services_live_in_a_child_zone_that_is_properly_delegated() {
    let zones = [
        (
            "example.test",
            "child NS ns.child\nns.child A 192.0.2.9\nchild DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        ),
        ("child.example.test", "ns A 192.0.2.9\n"),
    ];
    for name in ["child.example.test", "www.child.example.test"] {
        let snapshot = healthy(&world(&zones, &SERVICE.replace("NAME", name)));
        assert_eq!(kinds(ask(&format!("{name} A")).of(&snapshot).answers()), [(format!("{name}."), A)]);
        assert_eq!(ask("child.example.test DS").of(&snapshot).answers().len(), 1, "P44");
    }
}

#[test]
fn p54_aliases_stop_at_the_zone_border_also_between_our_own_zones() {
    let snapshot = serve(&[
        ("example.test", "tochild CNAME www.child\ntoother CNAME www.other.test.\nchild NS ns.child\n"),
        ("child.example.test", "www A 192.0.2.2\nup CNAME www.example.test.\n"),
        ("other.test", "www A 192.0.2.3\n"),
    ]);
    for name in ["tochild.example.test", "toother.example.test", "up.child.example.test"] {
        let reply = ask(&format!("{name} A")).of(&snapshot);
        assert_eq!(kinds(reply.answers()), [(format!("{name}."), CNAME)], "P54: the resolver asks the other zone");
        assert_eq!((reply.rcode(), reply.aa(), reply.authority().len()), (NOERROR, true, 0), "P54");
    }
}

#[test]
fn the_additional_section_of_each_zone_is_its_own() {
    // Both have NS records for the child's name, in another order and with other targets.
    let snapshot = serve(&[
        ("example.test", "child NS zz.child\nchild NS aa.child\naa.child A 192.0.2.1\nzz.child A 192.0.2.2\n"),
        ("child.example.test", "@ NS aa\n@ NS zz\naa A 192.0.2.11\nzz A 192.0.2.22\nns1 A 192.0.2.33\n"),
    ]);
    let reply = ask("child.example.test NS").of(&snapshot);
    let mut addresses: Vec<_> = reply.additional().iter().map(|rr| (rr.owner[1], rr.data[3])).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, [(b'a', 11), (b'n', 33), (b'z', 22)], "P71: each address under its own name");
}

#[test]
fn the_root_can_be_a_zone() {
    let root = "$TTL 300\n. SOA a.root. h.root. 1 7200 900 1209600 60\n. NS a.root.\na.root. A 192.0.2.1\n\
        com. NS ns.com.\nns.com. A 192.0.2.2\ncom. DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n. TXT root\ndeep.ent. TXT x\n";
    let child = "$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n NS ns\nns A 192.0.2.3\n";
    let snapshot = healthy(&whole_world(&[(".", root), ("example.org", child)], ""));
    assert_eq!(kinds(ask(". SOA").of(&snapshot).answers()), [(String::new() + ".", SOA)]);
    let ns = ask(". NS").of(&snapshot);
    assert_eq!((ns.aa(), kinds(ns.additional())), (true, vec![("a.root.".into(), A)]), "P70, P71");
    assert_negative(&ask("none A").of(&snapshot), NXDOMAIN, ".", "P38");
    assert_negative(&ask("a.b.none A").of(&snapshot), NXDOMAIN, ".", "P38");
    assert_negative(&ask("root A").of(&snapshot), NOERROR, ".", "P41");
    assert_negative(&ask(". A").of(&snapshot), NOERROR, ".", "P39");
    assert_negative(&ask(". DS").of(&snapshot), NOERROR, ".", "P44: nobody is above the root");
    let referral = ask("www.com A").of(&snapshot);
    assert_eq!((referral.aa(), kinds(referral.authority())), (false, vec![("com.".into(), NS)]), "P65");
    assert_eq!(kinds(referral.additional()), [("ns.com.".into(), A)], "P66");
    assert_eq!(kinds(ask("com DS").of(&snapshot).answers()), [("com.".into(), 43)], "P69");
    assert_negative(&ask("org A").of(&snapshot), NXDOMAIN, ".", "only the low zone is below it");
    assert_eq!(ask("ns.example.org A").of(&snapshot).answers().len(), 1, "P44");
    assert_eq!(ask(". ANY").of(&snapshot).answers()[0].rtype, 13, "P31");
    let wild = "$TTL 300\n. SOA a.root. h.root. 1 7200 900 1209600 60\n. NS a.root.\n* TXT wild\n";
    let snapshot = healthy(&whole_world(&[(".", wild)], ""));
    assert_eq!(ask("a.b TXT").of(&snapshot).answers().len(), 1, "P46: a wildcard below the root");
}
