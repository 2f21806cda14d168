//! Which of several addresses stands first: by the query's own number, each as often as it should, whatever holds them.

use std::{collections::BTreeSet, sync::Arc};

use hickory_proto::{
    op::Message,
    rr::{RData, Record as Read, rdata::svcb::SvcParamValue},
};
use meridian::engine::{
    respond::{self, Answered},
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{Origin, Transport},
    units::Ttl,
    wire::{name::Name, rr::RrType},
    world::{
        Draft,
        service::{Fallback, Https},
    },
    zone::ZoneRecord,
};

use super::{
    lab::{A, AAAA, Lab, draft, drawn, packet},
    shares::config,
};

const NS: u16 = 2;
const CNAME: u16 = 5;
const MX: u16 = 15;
const TXT: u16 = 16;
const SRV: u16 = 33;
const HTTPS: u16 = 65;

/// Three endpoints of weights 3, 2 and 1 in one answer, `www.g.test`; `lost.g.test` answers a list of the configuration.
/// Static records beside them: three addresses of each family at `three`, which `to-three` leads to, and which
/// MX, NS and SRV records point at.
fn world(change: impl FnOnce(&mut Draft)) -> Lab {
    let text = config("prefer = []\nspread = \"all\"", &[("eu", 3), ("us", 2), ("ap", 1)]);
    let text = text
        + "[pools.lost]\nmonitor = \"m\"\n[pools.lost.endpoints]\ne = { region = \"eu\", address = \"192.0.2.99\" }\n\
           [services.\"lost.g.test\"]\npools = [\"lost\"]\n\
           when_all_down = { address = [\"192.0.2.11\", \"2001:db8::11\", \"192.0.2.12\", \"192.0.2.13\"] }\n";
    let mut draft = draft(&text, &[]);
    let name = |text: &str| Name::from_text(&format!("{text}.g.test")).expect(text);
    let mut put = |owner: &str, rtype: RrType, rdata: Vec<u8>| {
        Arc::make_mut(&mut draft.zones[0]).records.push(ZoneRecord {
            owner: name(owner),
            rtype,
            ttl: Ttl(300),
            rdata: rdata.into(),
        });
    };
    for last in 1..=3u8 {
        put("three", RrType::A, vec![192, 0, 2, last]);
        put("*.any", RrType::A, vec![192, 0, 2, last]);
        put("three", RrType::AAAA, [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[last]].concat());
        put("three", RrType::TXT, vec![1, b'0' + last]);
        put("mail", RrType::MX, [&[0, last][..], name("three").wire()].concat());
        put("cut", RrType::NS, name(&format!("ns{last}.cut")).wire().to_vec());
        put("ns1.cut", RrType::A, vec![192, 0, 2, 50 + last]);
    }
    for last in 0..60u8 {
        put("many", RrType::A, vec![192, 0, 2, last]);
    }
    put("to-three", RrType::CNAME, name("three").wire().to_vec());
    put("srv", RrType::SRV, [&[0, 1, 0, 1, 1, 187][..], name("www").wire()].concat());
    let www = draft.services.iter_mut().find(|service| service.name == name("www")).expect("a service");
    www.https = Some(Https { alpn: vec!["h2".into()], port: None, hints: true });
    change(&mut draft);
    Lab::new(draft)
}

/// All is up but `lost`.
fn up(mut lab: Lab) -> Snapshot {
    let letters: Vec<&str> =
        lab.world.targets.iter().map(|t| if t.address().to_string() == "192.0.2.99" { "b" } else { "g" }).collect();
    lab.healths(&letters)
}

/// The reply for a draw, as it stands and as it is read.
fn reply(snapshot: &Snapshot, name: &str, rtype: u16, draw: u64) -> (Vec<u8>, Message) {
    let mut buffer = vec![0; 4096];
    let query = packet(&format!("{name}.g.test"), rtype, None);
    buffer[..query.len()].copy_from_slice(&query);
    let origin = Origin { source: [9, 9, 9, 9].into(), transport: Transport::Udp };
    let sent = respond::respond(snapshot, &mut buffer, query.len(), origin, drawn(draw), &mut Silent);
    let Answered::Reply { len, .. } = sent else { panic!("{sent:?}") };
    buffer.truncate(len);
    let message = Message::from_vec(&buffer).expect("it can be read");
    (buffer, message)
}

/// The last octets of the addresses among records.
fn last(records: &[Read]) -> Vec<u8> {
    let octet = |record: &Read| match &record.data {
        RData::A(a) => Some(a.0.octets()[3]),
        RData::AAAA(a) => Some(a.0.octets()[15]),
        _ => None,
    };
    records.iter().filter_map(octet).collect()
}

/// Over as many draws as there are addresses each stands first once, and the others follow it in turn.
fn turns(orders: &[Vec<u8>], of: &[u8]) {
    let expected: Vec<Vec<u8>> = (0..of.len()).map(|at| [&of[at..], &of[..at]].concat()).collect();
    assert_eq!(orders, expected);
}

#[test]
fn static_addresses_stand_first_equally_often() {
    let snapshot = up(world(|_| {}));
    for (name, rtype) in [("three", A), ("three", AAAA), ("to-three", A), ("to-three", AAAA), ("x.any", A)] {
        let orders: Vec<Vec<u8>> = (0..3).map(|draw| last(&reply(&snapshot, name, rtype, draw).1.answers)).collect();
        turns(&orders, &[1, 2, 3]);
        assert_eq!(last(&reply(&snapshot, name, rtype, u64::MAX).1.answers), orders[(u64::MAX % 3) as usize]);
    }
    for draw in 0..3 {
        let (_, message) = reply(&snapshot, "to-three", A, draw);
        assert!(message.answers[1..].iter().all(|rr| rr.name.to_utf8() == "three.g.test." && rr.ttl == 300));
    }
}

#[test]
fn addresses_in_the_additional_section_stand_as_in_an_answer() {
    let snapshot = up(world(|_| {}));
    for (name, rtype, of) in [("mail", MX, &[1, 2, 3, 1, 2, 3][..]), ("x.cut", A, &[51, 52, 53])] {
        for draw in 0..3 {
            let (_, message) = reply(&snapshot, name, rtype, draw);
            let turned: Vec<u8> =
                of.chunks(3).flat_map(|family| [&family[draw as usize..], &family[..draw as usize]].concat()).collect();
            assert_eq!(last(&message.additionals), turned, "{name}, {draw}");
            let (_, first) = reply(&snapshot, name, rtype, 0);
            assert_eq!((message.answers, message.authorities), (first.answers, first.authorities), "other types stand");
        }
    }
}

#[test]
fn other_types_and_truncated_sets_stand_as_they_are() {
    let snapshot = up(world(|_| {}));
    for (name, rtype) in [("three", TXT), ("cut", 43), ("many", A), ("none", A)] {
        let first = reply(&snapshot, name, rtype, 0).0;
        (1..60).for_each(|draw| assert_eq!(reply(&snapshot, name, rtype, draw).0, first, "{name}"));
    }
    assert!(reply(&snapshot, "many", A, 7).1.metadata.truncation);
}

#[test]
fn a_list_of_the_configuration_stands_first_equally_often() {
    let snapshot = up(world(|_| {}));
    let orders: Vec<Vec<u8>> = (0..3).map(|draw| last(&reply(&snapshot, "lost", A, draw).1.answers)).collect();
    turns(&orders, &[11, 12, 13]);
    for draw in 0..3 {
        assert_eq!(last(&reply(&snapshot, "lost", AAAA, draw).1.answers), [0x11], "one of its family alone");
    }
}

/// Hints and additional addresses have the order that the addresses themselves have in the same query: 3 of 6 draws begin
/// with the first endpoint, 2 with the second.
#[test]
fn hints_and_steered_targets_have_the_order_of_addresses() {
    let snapshot = up(world(|_| {}));
    let mut firsts = [0; 3];
    for draw in 0..6 {
        let answer = last(&reply(&snapshot, "www", A, draw).1.answers);
        firsts[usize::from(answer[0]) - 1] += 1;
        assert_eq!(last(&reply(&snapshot, "srv", SRV, draw).1.additionals), answer);
        let (_, message) = reply(&snapshot, "www", HTTPS, draw);
        let RData::HTTPS(https) = &message.answers[0].data else { panic!("{message}") };
        let hints = https.0.svc_params.iter().find_map(|(_, value)| match value {
            SvcParamValue::Ipv4Hint(hint) => Some(hint.0.iter().map(|a| a.0.octets()[3]).collect::<Vec<_>>()),
            _ => None,
        });
        assert_eq!(hints, Some(answer));
    }
    assert_eq!(firsts, [3, 2, 1]);
}

#[test]
fn without_rotation_everything_stands_as_it_is_written() {
    let snapshot = up(world(|draft| {
        draft.rotate = false;
        let www = draft.services.iter_mut().find(|service| service.https.is_some()).expect("a service");
        www.when_all_down = Fallback::ServeAll;
    }));
    for (name, rtype) in [
        ("three", A),
        ("three", AAAA),
        ("to-three", A),
        ("mail", MX),
        ("cut", NS),
        ("x.cut", A),
        ("lost", A),
        ("www", A),
        ("www", HTTPS),
        ("srv", SRV),
    ] {
        let first = reply(&snapshot, name, rtype, 0).0;
        (1..12).for_each(|draw| assert_eq!(reply(&snapshot, name, rtype, draw).0, first, "{name}"));
    }
    assert_eq!(last(&reply(&snapshot, "three", A, 2).1.answers), [1, 2, 3]);
}

/// Which of addresses and another name answers a pool of both is settled for all types, and beside which region a runner-up
/// stands, whatever the query's number.
#[test]
fn turns_choose_neither_the_kind_of_an_answer_nor_the_first_choice() {
    for other in ["a", "z"] {
        let text = format!(
            "[monitors.m]\ntcp = {{ port = 80 }}\n[regions]\nr = {{ }}\ns = {{ }}\nt = {{ }}\n\
             [policies.all]\nprefer = []\nspread = \"all\"\n\
             [pools.mixed]\nmonitor = \"m\"\npolicy = \"all\"\n[pools.mixed.endpoints]\n\
             {other} = {{ region = \"r\", cname = \"cdn.example.net\", probe = {{ address = \"192.0.2.3\" }} }}\n\
             m = {{ region = \"s\", address = \"192.0.2.1\" }}\nn = {{ region = \"t\", address = \"192.0.2.2\" }}\n\
             [pools.p]\nmonitor = \"m\"\npolicy = \"all\"\n[pools.p.endpoints]\n\
             e = {{ region = \"r\", address = [\"192.0.2.1\", \"2001:db8::1\"] }}\n\
             f = {{ region = \"s\", address = [\"192.0.2.2\", \"2001:db8::2\"] }}\n\
             g = {{ region = \"t\", address = \"192.0.2.3\" }}\n\
             [services]\n\"all.g.test\" = {{ pools = [\"mixed\"] }}\n\
             \"last.g.test\" = {{ pools = [\"mixed\"], when_all_down = \"serve-all\" }}\n\
             \"www.g.test\" = {{ pools = [\"p\"], second = \"next.g.test\" }}\n"
        );
        for health in ["g", "b"] {
            let mut lab = Lab::new(draft(&text, &[]));
            let snapshot = lab.healths(&vec![health; lab.world.targets.len()]);
            let kinds = |name: &str, rtype| -> BTreeSet<bool> {
                let answers = (0..36).map(|draw| reply(&snapshot, name, rtype, draw).1.answers);
                answers.map(|all| all.iter().any(|rr| u16::from(rr.record_type()) == CNAME)).collect()
            };
            let name = if health == "g" { "all" } else { "last" };
            for rtype in [A, AAAA, TXT] {
                assert_eq!(kinds(name, rtype), BTreeSet::from([other == "a"]), "{other} {health} {rtype}");
            }
        }
        let mut lab = Lab::new(draft(&text, &[]));
        let snapshot = lab.healths(&vec!["g"; lab.world.targets.len()]);
        for (rtype, members) in [(A, [2, 3].as_slice()), (AAAA, &[2])] {
            for draw in 0..36 {
                let mut named = last(&reply(&snapshot, "next", rtype, draw).1.answers);
                named.sort_unstable();
                assert_eq!(named, members, "{rtype} {draw}");
            }
        }
    }
}
