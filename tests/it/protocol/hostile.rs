//! Packets that nobody sends by mistake. Whatever comes: no panic, silence for what is no query, and every reply is
//! strictly readable, within its limit, and has the query's ID, opcode and RD.

use std::sync::{Arc, LazyLock};

use meridian::engine::{
    respond::{self, Answered},
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{
        Chance, Origin,
        Transport::{self, Tcp, Udp},
    },
};
use proptest::prelude::*;

use super::*;

static WORLD: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let servers: String =
        (0..13).map(|n| format!("cut NS n{n}.cut\nn{n}.cut A 192.0.2.{n}\nn{n}.cut AAAA 2001:db8::{n}\n")).collect();
    let many: String = (0..90).map(|n| format!("many A 192.0.2.{n}\nbig TXT \"{n:0200}\"\nmx MX {n} m{n}\n")).collect();
    let label = "x".repeat(55);
    let zone = format!(
        "www A 192.0.2.1\n* TXT wild\nc1 CNAME c2\nc2 CNAME many\nl1 CNAME l2\nl2 CNAME l1\nd DNAME {label}.{label}.{label}.new\n\
         a.{label}.{label}.{label}.new CNAME many\ngrow DNAME y.grow\ntocut CNAME q.cut\nm1 A 192.0.2.9\n\
         cut DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n{servers}{many}"
    );
    let config = concat!(
        "[regions.r]\n[regions.s]\n[pools.p]\npolicy = \"ip-hash\"\n[pools.p.endpoints]\n",
        "e = { region = \"r\", address = [\"192.0.2.10\"] }\nf = { region = \"s\", address = [\"2001:db8::11\"] }\n",
        "[services.'svc.example.test']\npools = [\"p\"]\n[services.'*.s.example.test']\npools = [\"p\"]\n",
    );
    Arc::new(healthy(&world(&[("example.test", &zone), ("low.example.test", "www A 192.0.2.2\n")], config)))
});

/// A buffer that is used again and again, as a worker's is.
struct Desk {
    buffer: Vec<u8>,
    snapshot: Arc<Snapshot>,
}

impl Desk {
    fn new() -> Self {
        Self { buffer: vec![0; 65_535], snapshot: Arc::clone(&WORLD) }
    }

    /// Sends, and holds the reply to everything that must always hold.
    fn send(&mut self, packet: &[u8], transport: Transport) -> Option<Strict> {
        self.buffer[..packet.len()].copy_from_slice(packet);
        let origin = Origin { source: [198, 51, 100, 7].into(), transport };
        let len = packet.len();
        let sent = respond::respond(&self.snapshot, &mut self.buffer, len, origin, Chance::default(), &mut Silent);
        let no_query = packet.len() < 12 || packet[2] & 0x80 != 0;
        let Answered::Reply { len, rcode, .. } = sent else {
            assert_eq!((sent, no_query), (Answered::Silence, true), "silence is for what is no query: {packet:02x?}");
            return None;
        };
        assert!(!no_query, "P10, P11: {packet:02x?}");
        let reply = &self.buffer[..len];
        let strict = strict::read(reply).unwrap_or_else(|fault| panic!("{fault}\n{packet:02x?}\n{reply:02x?}"));
        assert_eq!(reply[..2], packet[..2], "P1: {packet:02x?}");
        assert_eq!(reply[2] & 0xf9, packet[2] & 0x79 | 0x80, "P2, P3: {packet:02x?}");
        assert_eq!(strict.rcode(), rcode as u16, "{packet:02x?}");
        let limit = match &strict.opt {
            _ if transport != Udp => 65_535,
            None => 512,
            Some(_) => 1232,
        };
        assert!(len <= limit, "P82, P83: {len} octets\n{packet:02x?}");
        if let Some((name, rtype, class)) = &strict.question {
            assert_eq!(packet[12..12 + name.len()], **name, "P21");
            let rest = [rtype.to_be_bytes(), class.to_be_bytes()].concat();
            assert_eq!(packet[12 + name.len()..][..4], rest, "P21");
        }
        if rcode as u16 == NOERROR && !strict.tc() {
            let empty = strict.sections.iter().all(Vec::is_empty);
            assert!(!empty, "an answer, a negative answer or a referral: {packet:02x?}");
        }
        Some(strict)
    }
}

/// Good queries of every kind, which the others are made from.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let names = [
        "www", "q.star", "c1", "l1", "a.d", "q.grow", "tocut", "many", "big", "mx", "x.cut", "cut", "svc", "q.s",
        "n.n.n", "www.low", "low", "x.low", "*", "WWW",
    ];
    for (n, name) in names.iter().enumerate() {
        let rtype = ["A", "AAAA", "TXT", "MX", "NS", "DS", "ANY", "CNAME", "SOA", "HTTPS"][n % 10];
        for rtype in [rtype, "A"] {
            let query = ask(&format!("{name}.example.test {rtype}"));
            seeds.push(query.packet());
            seeds.push(query.clone().size(1232).packet());
            seeds.push(query.clone().subnet("203.0.114.0/24").option(10, &[7; 8]).packet());
            seeds.push(query.class(3).subnet("2001:db8::/56").packet());
        }
    }
    // A TSIG-like record last, and records in every section.
    let mut signed = ask("www.example.test A").size(512).packet();
    signed[11] = 2;
    signed.extend(
        b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\x20\x0bhmac-sha256\0\0\0\0\0\0\0\x01\x2c\0\0\x12\x34\0\0\0\0\0\0\0\0",
    );
    seeds.push(signed);
    let mut full = ask("example.test SOA").flags(5 << 11).packet();
    (full[7], full[9], full[11]) = (1, 2, 1);
    for _ in 0..4 {
        full.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01");
    }
    seeds.push(full);
    seeds
}

/// Numbers from a seed, the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % n as u64) as usize
    }
}

/// Spoils a packet in one way.
fn spoil(packet: &mut Vec<u8>, dice: &mut Dice, others: &[Vec<u8>]) {
    let len = packet.len().max(1);
    let at = dice.below(len).min(packet.len().saturating_sub(1));
    match dice.below(12) {
        0..=2 if !packet.is_empty() => packet[at] ^= 1 << dice.below(8),
        3 if !packet.is_empty() => packet[at] = dice.below(256) as u8,
        4 => packet.truncate(dice.below(len + 1)),
        5 => packet.extend((0..dice.below(40)).map(|n| (n * 37) as u8)),
        6 if packet.len() >= 12 => packet[4 + dice.below(8)] = [0, 1, 2, 60, 255][dice.below(5)],
        7 if packet.len() >= at + 2 => {
            let pointer = 0xc000 | dice.below(packet.len() + 2) as u16;
            packet[at..at + 2].copy_from_slice(&pointer.to_be_bytes());
        }
        8 => {
            let other = &others[dice.below(others.len())];
            let from = dice.below(other.len());
            packet.splice(at..at, other[from..].iter().copied());
        }
        9 => packet.extend_from_within(at..),
        10 if packet.len() > 12 => {
            packet.remove(at.max(12));
        }
        _ => packet.insert(at, dice.below(256) as u8),
    }
}

#[test]
fn spoiled_packets() {
    let (mut desk, seeds, mut dice) = (Desk::new(), seeds(), Dice(0x0053_7012));
    let (mut replies, mut codes) = (0u32, [0u32; 17]);
    for round in 0..240_000 {
        let mut packet = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(4) {
            spoil(&mut packet, &mut dice, &seeds);
        }
        packet.truncate(4096);
        let transport = if round % 4 == 0 { Tcp } else { Udp };
        if let Some(reply) = desk.send(&packet, transport) {
            replies += 1;
            codes[usize::from(reply.rcode())] += 1;
        }
    }
    assert!(replies > 150_000, "most are still queries: {replies}");
    for (code, count) in [(NOERROR, 20_000), (FORMERR, 20_000), (NXDOMAIN, 100), (REFUSED, 1_000), (BADVERS, 50)] {
        assert!(codes[usize::from(code)] > count, "all kinds of replies are met: {codes:?}");
    }
}

#[test]
fn every_cut_of_every_good_query() {
    let mut desk = Desk::new();
    for seed in seeds() {
        for end in 0..=seed.len() {
            desk.send(&seed[..end], Udp);
        }
    }
}

#[test]
fn every_type_in_three_classes() {
    let mut desk = Desk::new();
    for rtype in 0..=u16::MAX {
        for class in [1, 3, 255] {
            let name = ["www.example.test", "none.q.low.example.test", "svc.example.test", "x.cut.example.test"];
            let query = Ask { rtype, class, ..ask(&format!("{} A", name[usize::from(rtype) % 4])) };
            let reply = desk.send(&query.packet(), Udp).expect("a reply");
            assert!(class == 1 || reply.rcode() == REFUSED);
        }
    }
}

#[test]
fn every_opcode_with_every_flag() {
    let mut desk = Desk::new();
    for flags in 0..=u16::MAX {
        let query = ask("www.example.test A").flags(flags);
        let reply = desk.send(&query.packet(), Udp);
        let expected = match (flags >> 15, flags >> 11 & 0xf) {
            (1, _) => None,
            (_, 0) => Some(NOERROR),
            (_, 4 | 5) => Some(REFUSED),
            _ => Some(NOTIMP),
        };
        assert_eq!(reply.map(|reply| reply.rcode()), expected, "{flags:#06x}");
    }
}

#[test]
fn counts_that_lie() {
    let mut desk = Desk::new();
    for query in [ask("www.example.test A"), ask("svc.example.test A").subnet("203.0.114.0/24")] {
        for at in [4, 6, 8, 10] {
            for count in [0u16, 1, 2, 3, 60, 255, 256, 4_000, 65_535] {
                let mut packet = query.packet();
                packet[at..at + 2].copy_from_slice(&count.to_be_bytes());
                desk.send(&packet, Udp);
                packet.extend([0; 4_000]); // which reads as records of type 0
                desk.send(&packet, Tcp);
            }
        }
    }
    let mut all = ask("www.example.test A").packet();
    all[4..12].fill(0xff);
    all.resize(65_535, 0);
    assert_eq!(desk.send(&all, Tcp).map(|reply| reply.rcode()), Some(FORMERR));
}

#[test]
fn pointers_by_the_thousand() {
    let mut desk = Desk::new();
    // Records whose owners point back, each at the one before.
    let mut packet = ask("www.example.test A").packet();
    let first = packet.len();
    packet[10..12].copy_from_slice(&4_000u16.to_be_bytes());
    for n in 0..4_000usize {
        let target = if n == 0 { 12 } else { (first + (n - 1) * 12).min(0x3fff) };
        packet.extend((0xc000 | target as u16).to_be_bytes());
        packet.extend([0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    assert_eq!(desk.send(&packet, Tcp).map(|reply| reply.rcode()), Some(NOERROR));
    // A question that is nothing but pointers, to anywhere.
    for target in 0..0x400u16 {
        let mut packet = ask(". A").packet();
        packet.splice(12..13, (0xc000 | target).to_be_bytes());
        assert_eq!(desk.send(&packet, Udp).map(|reply| reply.rcode()), Some(FORMERR), "P22");
    }
}

#[test]
fn options_by_the_thousand() {
    let mut desk = Desk::new();
    for (option, times) in [
        (&b"\0\x08\0\x04\0\x01\0\0"[..], 8_000),
        (b"\0\x08\0\x07\0\x01\x18\0\xcb\0\x72", 5_900),
        (b"\xff\xff\0\0", 16_000),
    ] {
        let query = Ask { opt: Some((512, 0, 0x8000, option.repeat(times))), ..ask("svc.example.test A") };
        let reply = desk.send(&query.packet(), Tcp).expect("a reply");
        assert_eq!(reply.rcode(), NOERROR);
        assert!(reply.opt.expect("OPT").options.len() <= 1, "P105");
    }
    for rdlen in [0u16, 1, 3, 4, 7, 10, 12, 255, 65_535] {
        let mut packet = ask("svc.example.test A").subnet("203.0.114.0/24").packet();
        let at = packet.len() - 11 - 2;
        packet[at..at + 2].copy_from_slice(&rdlen.to_be_bytes());
        let reply = desk.send(&packet, Udp).expect("a reply");
        assert_eq!(reply.rcode(), if matches!(rdlen, 0) { NOERROR } else { FORMERR }, "RDLEN {rdlen}");
    }
    // OPT twenty times.
    let mut packet = ask("www.example.test A").packet();
    packet[11] = 20;
    packet.extend(b"\0\0\x29\x04\xd0\0\0\0\0\0\0".repeat(20));
    assert_eq!(desk.send(&packet, Udp).map(|reply| reply.rcode()), Some(FORMERR), "P78");
}

#[test]
fn transaction_signatures_and_keys_are_not_taken_for_anything() {
    let mut desk = Desk::new();
    for rtype in [24u16, 25, 249, 250] {
        for fill in [0, 0xff] {
            for len in [0usize, 1, 15, 16, 17, 60] {
                let mut packet = ask("www.example.test A").packet();
                packet[11] = 1;
                packet.extend([0]);
                packet.extend(rtype.to_be_bytes());
                packet.extend([0, 255, 0, 0, 0, 0]);
                packet.extend((len as u16).to_be_bytes());
                packet.extend(vec![fill; len]);
                let reply = desk.send(&packet, Udp).expect("a reply");
                assert_eq!(reply.rcode(), NOERROR, "read over, until signatures are known");
                packet.pop();
                desk.send(&packet, Udp);
            }
        }
    }
}

#[test]
fn every_limit_is_obeyed_to_the_octet() {
    let mut desk = Desk::new();
    let names =
        ["many A", "big TXT", "mx MX", "x.cut A", "c1 A", "a.d A", "q.grow A", "none.www A", "tocut A", "mx ANY"];
    for question in names {
        let (name, rtype) = question.split_once(' ').expect("name and type");
        for size in (400..1300).chain([4096, 65_535]) {
            for subnet in [false, true] {
                let mut query = ask(&format!("{name}.example.test {rtype}")).size(size);
                if subnet {
                    query = query.subnet("2001:db8::/64");
                }
                let reply = desk.send(&query.packet(), Udp).expect("a reply");
                assert!(reply.len <= usize::from(size.clamp(512, 1232)), "P83: {question} {size}: {}", reply.len);
                assert!(reply.opt.is_some(), "P79: OPT is kept in truncated replies");
                assert_eq!(reply.subnet().is_some(), subnet, "P97");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn octets_at_random(packet in prop::collection::vec(any::<u8>(), 0..200), tcp in any::<bool>()) {
        Desk::new().send(&packet, if tcp { Tcp } else { Udp });
    }

    /// As before, behind a header that lets more of it be read.
    #[test]
    fn octets_at_random_behind_a_good_question(
        seed in any::<prop::sample::Index>(),
        counts in any::<[u8; 3]>(),
        tail in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(41), Just(8)], 0..120),
    ) {
        let seeds = seeds();
        let mut packet = seeds[seed.index(seeds.len())].clone();
        for (at, count) in [7, 9, 11].into_iter().zip(counts) {
            packet[at] = count % 4;
        }
        packet.extend(tail);
        Desk::new().send(&packet, Udp);
    }
}
