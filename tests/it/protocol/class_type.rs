//! Class and type (P26 to P33).

use meridian::engine::{snapshot::Snapshot, types::Transport};

use super::*;

fn zone() -> Snapshot {
    let many: String = (0..80).map(|n| format!("www TXT \"{n:0200}\"\n")).collect();
    example(&format!(
        "www A 192.0.2.1\nalias CNAME www\ne.ent A 192.0.2.2\nopaque TYPE65280 \\# 4 DEADBEEF\nempty TYPE65281 \\# 0\n\
         *.wild A 192.0.2.3\n{many}"
    ))
}

#[test]
fn p26_class_ch_tells_identity_and_nothing_else() {
    let snapshot = zone();
    for name in ["id.server", "ID.Server", "hostname.bind"] {
        let reply = ask(&format!("{name} TXT")).class(3).of(&snapshot);
        let [txt] = reply.answers() else { panic!("P26: {:?}", reply.answers()) };
        assert_eq!((txt.class, txt.ttl, &*txt.data), (3, 0, &b"\x06test-1"[..]), "P26");
    }
    for question in
        ["version.bind TXT", "version.server TXT", "example.test SOA", "www.example.test A", "id.server A", ". NS"]
    {
        assert_bare(&ask(question).class(3).of(&snapshot), REFUSED, &format!("P26: {question}"));
    }
    let silent = healthy(&world(&[("example.test", "")], "[server]\nidentity = \"\"\n"));
    assert_bare(&ask("id.server TXT").class(3).of(&silent), REFUSED, "P26: silenced");
    assert_bare(&ask("id.server TXT").of(&snapshot), REFUSED, "P26: in class IN it is any foreign name");
}

#[test]
fn p27_p28_other_classes_give_no_data() {
    let snapshot = zone();
    for class in [0, 2, 4, 254, 255, 256, 65_280, 65_535] {
        assert_bare(&ask("www.example.test A").class(class).of(&snapshot), REFUSED, "P27, P28");
    }
}

#[test]
fn p29_p30_unknown_types() {
    let snapshot = zone();
    assert_negative(&ask("www.example.test TYPE1000").of(&snapshot), NOERROR, "example.test", "P29");
    assert_negative(&ask("none.example.test TYPE1000").of(&snapshot), NXDOMAIN, "example.test", "P29");
    let opaque = ask("opaque.example.test TYPE65280").of(&snapshot);
    assert_eq!(opaque.answers()[0].data, [0xde, 0xad, 0xbe, 0xef], "P30");
    let empty = ask("empty.example.test TYPE65281").of(&snapshot);
    assert_eq!(empty.answers().len(), 1, "P30: a record without data is a record");
    assert!(empty.answers()[0].data.is_empty(), "P30");
}

#[test]
fn p31_any_is_small_and_keeps_the_outcome() {
    let snapshot = zone();
    for name in ["example.test", "www.example.test", "x.wild.example.test"] {
        let reply = ask(&format!("{name} ANY")).of(&snapshot);
        let [hinfo] = reply.answers() else { panic!("P31: {:?}", reply.answers()) };
        assert_eq!((hinfo.rtype, &*hinfo.data, reply.tc()), (13, &b"\x07RFC8482\0"[..], false), "P31");
        assert_eq!(hinfo.owner, wire(name), "P31");
        assert!(reply.len <= 512, "P31, P86");
    }
    let alias = ask("alias.example.test ANY").of(&snapshot);
    assert_eq!(kinds(alias.answers()), [("alias.example.test.".into(), CNAME)], "P31: CNAME alone");
    assert_negative(&ask("none.example.test ANY").of(&snapshot), NXDOMAIN, "example.test", "P31");
    assert_negative(&ask("ent.example.test ANY").of(&snapshot), NOERROR, "example.test", "P31");
    assert_bare(&ask("example.org ANY").of(&snapshot), REFUSED, "P31");
}

#[test]
fn p32_meta_types_are_types_that_no_name_holds() {
    let snapshot = zone();
    for rtype in [0, 41, 128, 249, 250, 253, 254, 65_535] {
        let query = |name: &str| Ask { rtype, ..ask(&format!("{name}.example.test A")) };
        assert_negative(&query("www").of(&snapshot), NOERROR, "example.test", &format!("P32: {rtype}"));
        assert_negative(&query("none").of(&snapshot), NXDOMAIN, "example.test", &format!("P32: {rtype}"));
    }
}

#[test]
fn p33_transfers_are_refused() {
    let snapshot = zone();
    for question in ["example.test AXFR", "example.test IXFR", "www.example.test AXFR"] {
        assert_bare(&ask(question).of(&snapshot), REFUSED, "P33");
        assert_bare(&ask(question).tcp().of(&snapshot), REFUSED, "P33: no secondary is configured");
    }
    // As a secondary sends it: its SOA in the authority section.
    let mut ixfr = ask("example.test IXFR").packet();
    ixfr[9] = 1;
    ixfr.extend_from_slice(b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x16\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01");
    assert_bare(&sound(&ixfr, &send(&snapshot, &ixfr, Transport::Udp).expect("reply")), REFUSED, "P33");
}
