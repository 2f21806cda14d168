//! Delegations and additional data (P65 to P73).

use meridian::engine::snapshot::Snapshot;

use super::*;

fn zone() -> Snapshot {
    example(concat!(
        "sub1 NS ns.sub1\nsub1 NS ns.sub2\nns.sub1 A 192.0.2.61\nns.sub1 AAAA 2001:db8::61\nns.sub2 A 192.0.2.62\n",
        "sub2 NS ns.sub2\nsub1 DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\noccluded.sub1 A 192.0.2.99\noccluded.sub1 TXT no\n",
        "x.y.sub1 NS ns.elsewhere.example.net.\n",
        "self NS self\nself A 192.0.2.63\nfar NS ns.example.org.\nbare NS ns.bare\n",
        "own NS www\nwww A 192.0.2.1\n",
        "@ MX 10 mail\n@ MX 20 mail\n@ MX 30 out.example.org.\nmail A 192.0.2.25\nmail AAAA 2001:db8::25\n",
        "ns1 A 192.0.2.53\nnull MX 0 .\nnosrv SRV 0 0 0 .\n_x._tcp SRV 0 0 1 mail\nbelow MX 1 ns.sub1\n",
        "hidden MX 1 occluded.sub1\nsvc HTTPS 1 www\nalias HTTPS 0 www\nitself HTTPS 1 . alpn=h2\nitself A 192.0.2.7\n",
        "toalias MX 1 viacname\nviacname CNAME mail\n",
    ))
}

#[test]
fn p65_referrals() {
    let snapshot = zone();
    for name in ["sub1", "x.sub1", "a.b.c.sub1", "ns.sub1", "occluded.sub1", "x.y.sub1", "*.sub1"] {
        for rtype in ["A", "NS", "SOA", "ANY", "MX", "CNAME", "TYPE1000"] {
            let reply = ask(&format!("{name}.example.test {rtype}")).of(&snapshot);
            assert_eq!((reply.rcode(), reply.aa()), (NOERROR, false), "P65: {name} {rtype}");
            assert!(reply.answers().is_empty(), "P65, P68: {name} {rtype}");
            let ns = ("sub1.example.test.".to_owned(), NS);
            assert_eq!(kinds(reply.authority()), [ns.clone(), ns], "P65: {name} {rtype}");
        }
    }
}

#[test]
fn p66_p67_glue() {
    let snapshot = zone();
    let of = |name: &str| kinds(ask(&format!("x.{name}.example.test A")).of(&snapshot).additional());
    let glue = |list: &[(&str, u16)]| -> Vec<(String, u16)> {
        list.iter().map(|(name, rtype)| (format!("{name}.example.test."), *rtype)).collect()
    };
    assert_eq!(of("sub1"), glue(&[("ns.sub1", A), ("ns.sub1", 28), ("ns.sub2", A)]), "P66; P67: sibling glue");
    assert_eq!(of("self"), glue(&[("self", A)]), "P66: a cut that serves itself");
    assert_eq!(of("own"), glue(&[("www", A)]), "P67: addresses of the zone's own");
    assert!(of("far").is_empty() && of("bare").is_empty(), "P67: none are invented");
}

#[test]
fn p66_glue_that_does_not_fit_truncates() {
    let servers: String =
        (0..13).map(|n| format!("sub NS ns{n}.sub\nns{n}.sub A 192.0.2.{n}\nns{n}.sub AAAA 2001:db8::{n}\n")).collect();
    let sibling = servers.replace(".sub ", ".other ").replace(".sub\n", ".other\n");
    let snapshot = serve(&[("in.test", &servers), ("side.test", &format!("other NS x.example.org.\n{sibling}"))]);
    let small = ask("x.sub.in.test A").of(&snapshot);
    assert!(small.tc() && small.len <= 512, "P66");
    assert_eq!(small.authority().len(), 13, "P66: the NS RRset fits, some of the glue does not");
    assert!((1..26).contains(&small.additional().len()), "P66: what fits goes out: {}", small.additional().len());
    for whole in [ask("x.sub.in.test A").size(1232), ask("x.sub.in.test A").tcp()] {
        let reply = whole.of(&snapshot);
        assert_eq!((reply.tc(), reply.additional().len()), (false, 26), "P66");
    }
    let side = ask("x.sub.side.test A").of(&snapshot);
    assert_eq!((side.tc(), side.authority().len()), (false, 13), "P67: sibling glue is optional");
    assert_eq!(ask("x.sub.side.test A").tcp().of(&snapshot).additional().len(), 26, "P67");
}

#[test]
fn p69_ds_at_a_cut_is_the_parents() {
    let snapshot = zone();
    let ds = ask("sub1.example.test DS").of(&snapshot);
    assert_eq!((ds.aa(), kinds(ds.answers())), (true, vec![("sub1.example.test.".into(), 43)]), "P69");
    assert!(ds.authority().is_empty(), "P69");
    assert_negative(&ask("sub2.example.test DS").of(&snapshot), NOERROR, "example.test", "P69");
    let below = ask("x.sub1.example.test DS").of(&snapshot);
    assert_eq!((below.aa(), below.authority()[0].rtype), (false, NS), "P69: below the cut it is a referral");
}

#[test]
fn p70_the_apex_is_no_cut() {
    let reply = ask("example.test NS").of(&zone());
    assert_eq!((reply.aa(), reply.answers().len(), reply.authority().len()), (true, 2, 0), "P70");
    assert_eq!(kinds(reply.additional()), [("ns1.example.test.".into(), A)], "P71");
}

#[test]
fn p71_p72_additional_data() {
    let snapshot = zone();
    let of = |question: &str| {
        let reply = ask(question).of(&snapshot);
        assert!(!reply.answers().is_empty(), "{question}");
        kinds(reply.additional())
    };
    let mail = [("mail.example.test.".to_owned(), A), ("mail.example.test.".to_owned(), 28)];
    assert_eq!(of("example.test MX"), mail, "P71: once for a name that stands twice");
    assert_eq!(of("_x._tcp.example.test SRV"), mail, "P71");
    assert_eq!(of("svc.example.test HTTPS"), [("www.example.test.".to_owned(), A)], "P71");
    assert_eq!(of("alias.example.test HTTPS"), [("www.example.test.".to_owned(), A)], "P71");
    for question in ["null.example.test MX", "nosrv.example.test SRV", "itself.example.test HTTPS"] {
        assert_eq!(of(question), [], "P72: {question}");
    }
    for question in ["below.example.test MX", "hidden.example.test MX", "toalias.example.test MX"] {
        assert_eq!(of(question), [], "P71: only what the zone itself has at that name: {question}");
    }
}

#[test]
fn p71_steered_targets_are_left_out() {
    let config = concat!(
        "[regions.r]\n[pools.p]\n[pools.p.endpoints.e]\nregion = \"r\"\naddress = [\"192.0.2.10\"]\n",
        "[services.'www.example.test']\npools = [\"p\"]\n",
    );
    let snapshot = healthy(&world(&[("example.test", "@ MX 10 www\n")], config));
    let reply = ask("example.test MX").subnet("198.51.100.0/24").of(&snapshot);
    assert_eq!((reply.answers().len(), reply.additional().len()), (1, 0), "P71");
    assert_eq!(reply.subnet().map(|(_, _, scope, _)| scope), Some(0), "P98: no decision was made");
}

#[test]
fn p73_optional_data_are_dropped_without_tc() {
    let many: String = (0..20).map(|n| format!("@ MX {n} m{n}\nm{n} A 192.0.2.{n}\n")).collect();
    let reply = ask("example.test MX").of(&example(&many));
    assert_eq!((reply.tc(), reply.answers().len()), (false, 20), "P73");
    assert!(reply.additional().len() < 20 && reply.len <= 512, "P73");
}
