//! Zones inside zones, in whatever order they are compiled: what each makes exist, and which speaks for DS.

mod apart;
mod shared;

use std::sync::Arc;

use super::{
    ZoneRecord, ZoneSource,
    table::{Found, NodeRef, Table},
};
use crate::engine::{
    units::Ttl,
    wire::{fold, fragment::Held, name::Name, rr::RrType},
};

fn name(text: &str) -> Name {
    Name::from_text(text).expect(text)
}

fn zone(apex: &str, records: &[(&str, RrType, &[u8])]) -> Arc<ZoneSource> {
    let soa = (apex, RrType::SOA, &b"\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x3c"[..]);
    let record = |&(owner, rtype, data): &(&str, RrType, &[u8])| ZoneRecord {
        owner: name(owner),
        rtype,
        ttl: Ttl(300),
        rdata: data.into(),
    };
    Arc::new(ZoneSource { apex: name(apex), records: [soa].iter().chain(records).map(record).collect() })
}

/// What a name leads to, with the names of the nodes.
fn found(table: &Table, question: &str) -> String {
    let question = name(question);
    let told = |word: &str, node: NodeRef<'_>| format!("{word} {}", Name::from_wire(node.name()).expect("a name"));
    match table.find(question.wire(), fold::hash(question.wire())) {
        Found::NotOurs => "not ours".into(),
        Found::Here(node) => told("here", node),
        Found::Cut(node) => told("cut", node),
        Found::Redirect(node, _) => told("redirect", node),
        Found::NoName(node) => told("none below", node),
    }
}

/// Both orders of two zones.
fn both(zones: [Arc<ZoneSource>; 2], services: &[&str]) -> [Table; 2] {
    let services: Vec<Name> = services.iter().map(|service| name(service)).collect();
    let services: Vec<&Name> = services.iter().collect();
    let turned = [Arc::clone(&zones[1]), Arc::clone(&zones[0])];
    [Table::build(&zones, &services, None, None), Table::build(&turned, &services, None, None)]
}

#[test]
fn names_above_a_record_exist_also_between_two_zones() {
    let high = zone("test", &[("b.c.test", RrType::TXT, b"\x01x"), ("*.test", RrType::TXT, b"\x01w")]);
    for table in both([high, zone("low.a.b.c.test", &[])], &["q.r.test"]) {
        assert_eq!(found(&table, "b.c.test"), "here b.c.test.");
        assert_eq!(found(&table, "c.test"), "here c.test.", "an empty non-terminal, whichever zone is first");
        assert_eq!(found(&table, "a.b.c.test"), "none below b.c.test.", "the low zone makes nothing exist up here");
        assert_eq!(found(&table, "low.a.b.c.test"), "here low.a.b.c.test.");
        assert_eq!(found(&table, "x.low.a.b.c.test"), "none below low.a.b.c.test.");
        assert_eq!(found(&table, "r.test"), "here r.test.");
        assert_eq!(found(&table, "x.y.test"), "here *.test.");
        assert_eq!(found(&table, "other"), "not ours");
    }
}

#[test]
fn a_service_between_two_zones_makes_the_names_above_it_exist() {
    for table in both([zone("test", &[]), zone("a.svc.mid.test", &[])], &["svc.mid.test"]) {
        assert_eq!(found(&table, "svc.mid.test"), "here svc.mid.test.");
        assert_eq!(found(&table, "mid.test"), "here mid.test.");
    }
}

#[test]
fn ds_comes_from_the_zone_that_delegates_and_from_no_other() {
    let above = |table: &Table, apex: &str| {
        let apex = name(apex);
        let Found::Here(node) = table.find(apex.wire(), fold::hash(apex.wire())) else { panic!("an apex") };
        node.above().map(|above| above.map(|ds| ds.rtype()).map_err(|(_, len)| len))
    };
    let delegating = zone("test", &[("low.test", RrType::NS, b"\x02ns\0"), ("low.test", RrType::DS, &[0; 36])]);
    for table in both([delegating, zone("low.test", &[])], &[]) {
        assert_eq!(above(&table, "low.test"), Some(Ok(RrType::DS)));
        assert_eq!(above(&table, "test"), None);
    }
    for table in both([zone("test", &[]), zone("low.test", &[])], &[]) {
        assert_eq!(above(&table, "low.test"), Some(Err(6)), "NODATA with the SOA of `test.`, six octets");
    }
    let between = zone("test", &[("mid.test", RrType::NS, b"\x02ns\0")]);
    for table in both([between, zone("low.mid.test", &[])], &[]) {
        assert_eq!(above(&table, "low.mid.test"), None, "its parent is `mid.test.`, which is not here");
        assert_eq!(found(&table, "x.mid.test"), "cut mid.test.");
    }
}

#[test]
fn extras_are_taken_from_the_zone_that_answers() {
    // The parent's NS RRset of the child's name has other targets, in other places.
    let high = zone(
        "test",
        &[
            ("low.test", RrType::NS, b"\x04long\x04name\x03low\x04test\0"),
            ("low.test", RrType::NS, b"\x01a\x03low\x04test\0"),
            ("a.low.test", RrType::A, &[192, 0, 2, 1]),
        ],
    );
    let low = zone(
        "low.test",
        &[("low.test", RrType::NS, b"\x01a\x03low\x04test\0"), ("a.low.test", RrType::A, &[192, 0, 2, 11])],
    );
    for table in both([high, low], &[]) {
        let apex = name("low.test");
        let Found::Here(node) = table.find(apex.wire(), fold::hash(apex.wire())) else { panic!("an apex") };
        let [extra] = &*node.rrset(RrType::NS).expect("NS").extras else { panic!("one address") };
        let Held::Rrset(number) = extra.of else { panic!("nothing is steered") };
        let address = &node.fragments()[number as usize];
        assert_eq!((usize::from(extra.at), address.target()), (12, &[192, 0, 2, 11][..]));
    }
}
