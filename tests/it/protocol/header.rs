//! Header and message (P1 to P13), opcodes (P14 to P18).

use meridian::engine::{snapshot::Snapshot, types::Transport};

use super::*;

fn zone() -> Snapshot {
    example("www A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.60\n")
}

#[test]
fn p1_p2_p3_id_opcode_and_rd_are_copied() {
    let snapshot = zone();
    for id in [0, 1, 0x8000, 65_535] {
        for flags in [0, 0x0100] {
            let query = Ask { id, flags, ..ask("www.example.test A") };
            let reply = query.of(&snapshot); // `sound` compares ID, opcode and RD
            assert_eq!(reply.head[..2], id.to_be_bytes(), "P1");
            assert_eq!(reply.head[2] & 0x81, 0x80 | (flags >> 8) as u8, "P2, P3");
        }
    }
}

#[test]
fn p4_aa_for_what_is_ours_and_nothing_else() {
    let snapshot = zone();
    for (question, aa) in [
        ("example.test SOA", true),
        ("www.example.test A", true),
        ("www.example.test MX", true),
        ("none.example.test A", true),
        ("x.sub.example.test A", false),
        ("example.org A", false),
    ] {
        assert_eq!(ask(question).of(&snapshot).aa(), aa, "P4: {question}");
    }
}

#[test]
fn p5_to_p9_flags_of_the_query_are_taken_and_not_given_back() {
    let snapshot = zone();
    // RD, Z, AD, CD, AA, RA, TC, RCODE 15
    for flags in [0x0100, 0x0040, 0x0020, 0x0010, 0x0400, 0x0080, 0x0200, 0x000f, 0x077f] {
        let reply = ask("www.example.test A").flags(flags).of(&snapshot);
        assert_eq!((reply.rcode(), reply.answers().len(), reply.tc()), (NOERROR, 1, false), "P9: {flags:#06x}");
        assert_eq!(reply.head[3] & 0xf0, 0, "P5 RA, P6 Z, P7 AD, P8 CD: {flags:#06x}");
    }
}

#[test]
fn p10_a_response_is_never_answered() {
    let snapshot = zone();
    for transport in [Transport::Udp, Transport::Tcp] {
        for opcode in 0..16u16 {
            let packet = ask("www.example.test A").flags(0x8000 | opcode << 11).packet();
            assert_eq!(send(&snapshot, &packet, transport), None, "P10: opcode {opcode}");
            assert_eq!(send(&snapshot, &packet[..13], transport), None, "P10: not even a broken one");
        }
    }
}

#[test]
fn p11_less_than_a_header_is_dropped() {
    let snapshot = zone();
    let packet = ask("www.example.test A").packet();
    for len in 0..12 {
        assert_eq!(send(&snapshot, &packet[..len], Transport::Udp), None, "P11: {len} octets");
    }
    assert!(send(&snapshot, &packet[..12], Transport::Udp).is_some(), "P11: a header alone is FORMERR");
}

#[test]
fn p12_records_in_a_query_are_never_used() {
    let snapshot = zone();
    let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01";
    for section in [6, 8, 10] {
        let mut packet = ask("www.example.test A").packet();
        packet[section + 1] = 1;
        packet.extend_from_slice(record);
        let reply = sound(&packet, &send(&snapshot, &packet, Transport::Udp).expect("reply"));
        assert_eq!(reply.answers().len(), 1, "P12: section at {section}");
        assert_eq!(reply.answers()[0].data, [192, 0, 2, 1], "P12");
    }
    // OPT behind and before another record
    for first in [true, false] {
        let mut packet = ask("www.example.test A").packet();
        packet[11] = 2;
        let opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
        for part in if first { [&opt[..], &record[..]] } else { [&record[..], &opt[..]] } {
            packet.extend_from_slice(part);
        }
        let reply = sound(&packet, &send(&snapshot, &packet, Transport::Udp).expect("reply"));
        assert!(reply.opt.is_some(), "P12: OPT is found anywhere in the additional section");
    }
}

#[test]
fn p13_octets_behind_the_last_record_are_ignored() {
    let snapshot = zone();
    let mut packet = ask("www.example.test A").packet();
    packet.extend_from_slice(&[0xff; 300]);
    let reply = sound(&packet, &send(&snapshot, &packet, Transport::Udp).expect("reply"));
    assert_eq!((reply.rcode(), reply.answers().len()), (NOERROR, 1), "P13");
}

#[test]
fn p14_to_p18_opcodes_other_than_query() {
    let snapshot = zone();
    for opcode in 1..16u16 {
        let expected = if matches!(opcode, 4 | 5) { REFUSED } else { NOTIMP };
        for query in [ask("www.example.test A"), ask("example.test SOA").size(1232)] {
            let with_opt = query.opt.is_some();
            let reply = query.flags(opcode << 11).of(&snapshot);
            assert_bare(&reply, expected, "P14, P15, P16, P17, P18");
            assert_eq!(reply.opt.is_some(), with_opt, "P79: OPT in errors too");
        }
    }
    // P16: an update that adds a name
    let mut update = ask("example.test SOA").flags(5 << 11).packet();
    update[9] = 1;
    update.extend_from_slice(b"\x03new\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01");
    let reply = sound(&update, &send(&snapshot, &update, Transport::Tcp).expect("reply"));
    assert_bare(&reply, REFUSED, "P16");
    assert_negative(&ask("new.example.test A").of(&snapshot), NXDOMAIN, "example.test", "P16: nothing changed");
    // A message of another opcode that cannot be read is answered by its header alone.
    let packet = [0, 1, 4 << 3, 0, 0, 3, 0, 9, 0, 9, 0, 9, 0xff];
    let reply = sound(&packet, &send(&snapshot, &packet, Transport::Udp).expect("reply"));
    assert_eq!((reply.rcode(), reply.len), (REFUSED, 12), "P17");
}
