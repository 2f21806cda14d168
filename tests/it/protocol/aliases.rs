//! CNAME (P52 to P57) and DNAME (P59 to P63). P58 and P64 are refused when a zone is loaded.

use meridian::engine::snapshot::Snapshot;

use super::*;

fn zone() -> Snapshot {
    example(concat!(
        "c1 CNAME c2\nc2 CNAME www\nwww A 192.0.2.1\ncnx CNAME none\ncnd CNAME www\nout CNAME www.example.org.\n",
        "l1 CNAME l2\nl2 CNAME l1\nself CNAME self\nin CNAME host.sub\nat CNAME sub\nsub NS ns.sub\n",
        "ns.sub A 192.0.2.60\n",
        "d 77 DNAME new\na.new A 192.0.2.2\nb.new CNAME www\n*.wnew A 192.0.2.3\nw DNAME wnew\n",
        "dd DNAME x.dd2\ndd2 DNAME new\nx.new A 192.0.2.5\na.x.new A 192.0.2.6\n",
        "dl1 DNAME dl2\ndl2 DNAME dl1\ndout DNAME example.org.\ngrow DNAME y.grow\ndsub DNAME sub\n",
        "deep.d2 DNAME new\ntod CNAME a.d\n",
    ))
}

fn chain(question: &str) -> (Vec<(String, u16)>, Strict) {
    let reply = ask(question).tcp().of(&zone());
    let kinds = kinds(reply.answers()).into_iter();
    (kinds.map(|(owner, rtype)| (owner.trim_end_matches(".example.test.").to_owned(), rtype)).collect(), reply)
}

fn is(found: &[(String, u16)], expected: &[(&str, u16)]) {
    let found: Vec<_> = found.iter().map(|(owner, rtype)| (&**owner, *rtype)).collect();
    assert_eq!(found, expected);
}

#[test]
fn p52_p53_p54_chains_stand_in_order_and_end_where_the_zone_does() {
    is(&chain("c1.example.test A").0, &[("c1", CNAME), ("c2", CNAME), ("www", A)]);
    is(&chain("c1.example.test CNAME").0, &[("c1", CNAME)]);
    let (found, reply) = chain("out.example.test A");
    is(&found, &[("out", CNAME)]);
    assert_eq!((reply.rcode(), reply.aa(), reply.authority().len()), (NOERROR, true, 0), "P54");
}

#[test]
fn p55_the_last_name_decides() {
    for (question, rcode) in [("cnx.example.test A", NXDOMAIN), ("cnd.example.test MX", NOERROR)] {
        let (found, reply) = chain(question);
        assert_eq!((found.len(), reply.rcode(), reply.aa()), (1, rcode, true), "P55");
        let [soa] = reply.authority() else { panic!("P55: {:?}", reply.authority()) };
        assert_eq!((soa.rtype, &soa.owner, soa.ttl), (SOA, &wire("example.test"), 60), "P55");
    }
}

#[test]
fn p56_loops_and_long_chains_end() {
    is(&chain("l1.example.test A").0, &[("l1", CNAME), ("l2", CNAME)]);
    is(&chain("self.example.test A").0, &[("self", CNAME)]);
    let long: String = (0..40).map(|n| format!("h{n} CNAME h{}\n", n + 1)).collect();
    let snapshot = example(&format!("{long}h40 A 192.0.2.1\n"));
    for (from, aliases, ends) in [(39, 1, true), (26, 14, true), (25, 15, true), (24, 16, false), (0, 16, false)] {
        let reply = ask(&format!("h{from}.example.test A")).tcp().of(&snapshot);
        let cnames = reply.answers().iter().filter(|rr| rr.rtype == CNAME).count();
        assert_eq!((cnames, reply.answers().iter().any(|rr| rr.rtype == A)), (aliases, ends), "P56: from h{from}");
        assert_eq!((reply.rcode(), reply.aa()), (NOERROR, true), "P56: the rest is the resolver's to ask for");
    }
}

#[test]
fn p57_into_a_delegation() {
    for question in ["in.example.test A", "at.example.test A", "x.dsub.example.test A"] {
        let (found, reply) = chain(question);
        assert!(!found.is_empty() && found.iter().all(|(_, rtype)| matches!(*rtype, CNAME | DNAME)), "P57: {question}");
        assert!(reply.aa(), "P57: AA for the first owner");
        assert_eq!(kinds(reply.authority()), [("sub.example.test.".into(), NS)], "P57");
        assert_eq!(kinds(reply.additional()), [("ns.sub.example.test.".into(), A)], "P57, P66");
    }
}

#[test]
fn p59_p60_p61_dname() {
    let (found, reply) = chain("a.d.example.test A");
    is(&found, &[("d", DNAME), ("a.d", CNAME), ("a.new", A)]);
    assert_eq!(reply.answers()[1].ttl, 77, "P59: the made CNAME has the DNAME's TTL");
    assert_eq!(reply.answers()[1].data, wire("a.new.example.test"), "P59");
    is(&chain("b.d.example.test A").0, &[("d", DNAME), ("b.d", CNAME), ("b.new", CNAME), ("www", A)]);
    is(&chain("tod.example.test A").0, &[("tod", CNAME), ("d", DNAME), ("a.d", CNAME), ("a.new", A)]);
    is(&chain("d.example.test DNAME").0, &[("d", DNAME)]);
    let (found, reply) = chain("d.example.test A");
    assert!(found.is_empty(), "P60: the owner itself is not redirected");
    assert_negative(&reply, NOERROR, "example.test", "P60");
    assert_negative(&chain("d2.example.test A").1, NOERROR, "example.test", "P41: an empty name above a DNAME");
    is(&chain("b.d.example.test CNAME").0, &[("d", DNAME), ("b.d", CNAME)]);
    is(&chain("b.d.example.test ANY").0, &[("d", DNAME), ("b.d", CNAME)]);
    let (found, reply) = chain("none.d.example.test A");
    is(&found, &[("d", DNAME), ("none.d", CNAME)]);
    assert_eq!((reply.rcode(), reply.authority()[0].rtype), (NXDOMAIN, SOA), "P55, P59");
    let (found, reply) = chain("x.y.dout.example.test A");
    is(&found, &[("dout", DNAME), ("x.y.dout", CNAME)]);
    assert_eq!((reply.rcode(), &reply.answers()[1].data), (NOERROR, &wire("x.y.example.org")), "P54, P59");
    let kept = ask("A.b.D.example.test A").of(&zone());
    assert_eq!(kept.answers()[1].data, wire("A.b.new.example.test"), "P51: the labels kept keep their case");
}

#[test]
fn p62_a_name_that_gets_too_long() {
    let label = "l".repeat(60);
    let target = format!("{label}.{label}.{label}.example.test."); // 3 × 61 + 14 = 197 octets
    let snapshot = example(&format!("long 50 DNAME {target}\n"));
    let of_octets = |n: usize| {
        let labels = if n > 60 { format!("{}.{}", "x".repeat(n - 32), "y".repeat(30)) } else { "x".repeat(n - 1) };
        ask(&format!("{labels}.long.example.test A"))
    };
    let fits = of_octets(255 - 197).tcp().of(&snapshot);
    assert_eq!((fits.rcode(), fits.answers().len()), (NXDOMAIN, 2), "P62: 255 octets fit");
    assert_eq!(fits.answers()[1].data.len(), 255, "P62");
    let too_long = of_octets(255 - 197 + 1).tcp().of(&snapshot);
    assert_eq!((too_long.rcode(), too_long.aa()), (YXDOMAIN, true), "P62: 256 do not");
    assert_eq!(kinds(too_long.answers()), [("long.example.test.".into(), DNAME)], "P62: with the DNAME");
    assert!(too_long.authority().is_empty(), "P62");
}

#[test]
fn p63_applied_again_and_bounded() {
    is(
        &chain("a.dd.example.test A").0,
        &[("dd", DNAME), ("a.dd", CNAME), ("dd2", DNAME), ("a.x.dd2", CNAME), ("a.x.new", A)],
    );
    is(&chain("q.w.example.test A").0, &[("w", DNAME), ("q.w", CNAME), ("q.wnew", A)]);
    let (found, reply) = chain("a.dl1.example.test A");
    is(&found, &[("dl1", DNAME), ("a.dl1", CNAME), ("dl2", DNAME), ("a.dl2", CNAME)]);
    assert_eq!(reply.rcode(), NOERROR, "P63: a loop");
    let (found, reply) = chain("a.grow.example.test A");
    assert_eq!(found.iter().filter(|(_, rtype)| *rtype == DNAME).count(), 1, "P36: one DNAME, however often applied");
    assert_eq!((found.len(), reply.rcode()), (17, NOERROR), "P63: bounded");
    // One that ends by its length, applied again and again.
    let label = "g".repeat(40);
    let snapshot = example(&format!("grow DNAME {label}.grow\n"));
    let reply = ask("a.grow.example.test A").tcp().of(&snapshot);
    assert_eq!(reply.rcode(), YXDOMAIN, "P62, P63");
    assert_eq!(reply.answers().iter().filter(|rr| rr.rtype == DNAME).count(), 1, "P36");
}
