//! EDNS (P74 to P81).

use meridian::engine::{
    snapshot::Snapshot,
    types::Transport::{Tcp, Udp},
};

use super::*;

fn zone() -> Snapshot {
    let many: String = (0..80).map(|n| format!("many A 192.0.2.{n}\n")).collect();
    example(&format!("www A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.60\nd DNAME example.org.\n{many}"))
}

#[test]
fn p74_p79_p81_opt_answers_opt_whatever_the_outcome() {
    let snapshot = zone();
    let long = format!("{0}.{0}.{0}.d.example.test A", "x".repeat(63));
    for question in [
        "www.example.test A",
        "none.example.test A",
        "www.example.test MX",
        "x.sub.example.test A",
        "example.org A",
        "many.example.test A",
        "example.test AXFR",
        &long,
    ] {
        for transport in [Udp, Tcp] {
            let plain = Ask { transport, ..ask(question) };
            assert_eq!(plain.of(&snapshot).opt, None, "P74: {question}");
            let reply = plain.size(512).of(&snapshot);
            let opt = reply.opt.as_ref().expect("P74: OPT");
            assert_eq!((opt.version, opt.flags, opt.extended, &*opt.options), (0, 0, 0, &[][..]), "P74: {question}");
            assert_eq!(opt.size, 1232, "P80: what we advertise");
            let truncated = transport == Udp && question.starts_with("many");
            assert_eq!(reply.tc(), truncated, "P79: {question}");
        }
        assert!(ask(question).class(3).size(512).of(&snapshot).opt.is_some(), "P74: class CH");
    }
}

#[test]
fn p75_later_versions_get_badvers_and_nothing_else() {
    let snapshot = zone();
    for version in [1, 2, 100, 255] {
        for flags in [0, 0x8000, 0x0080] {
            // Options of a later version may mean anything: even what looks like a broken subnet.
            for options in [vec![], vec![0, 100, 0, 0], vec![0, 8, 0, 1, 9], vec![0xff]] {
                let query = Ask { opt: Some((1232, version, flags, options)), ..ask("www.example.test A") };
                let reply = query.of(&snapshot);
                assert_bare(&reply, BADVERS, "P75");
                let opt = reply.opt.expect("P75: OPT");
                assert_eq!((opt.version, &*opt.options), (0, &[][..]), "P75");
                assert_eq!(opt.flags, flags & 0x8000, "P77");
            }
        }
    }
}

#[test]
fn p75_a_later_version_comes_before_the_opcode() {
    let snapshot = zone();
    for opcode in 0..16u8 {
        let usual = match opcode {
            0 => NOERROR,
            4 | 5 => REFUSED,
            _ => NOTIMP,
        };
        for (version, code) in [(0, usual), (1, BADVERS), (255, BADVERS)] {
            let query = Ask { opt: Some((1232, version, 0, Vec::new())), ..ask("www.example.test A") };
            let mut packet = query.packet();
            packet[2] |= opcode << 3;
            for transport in [Udp, Tcp] {
                let reply = sound(&packet, &send(&snapshot, &packet, transport).expect("reply"));
                assert_eq!(reply.rcode(), code, "P75: opcode {opcode}, version {version}");
                assert_eq!(reply.opt.map(|opt| opt.version), Some(0), "P75: opcode {opcode}, version {version}");
            }
        }
    }
}

#[test]
fn p76_unknown_options_are_ignored_and_not_given_back() {
    let snapshot = zone();
    let mut query = ask("www.example.test A");
    for n in 0..50 {
        query = query.option(65_000 + n, &[n as u8; 7]);
    }
    for query in [query, ask("www.example.test A").option(100, b""), ask("www.example.test A").option(0, b"x")] {
        let reply = query.of(&snapshot);
        assert_eq!((reply.rcode(), reply.answers().len()), (NOERROR, 1), "P76");
        assert_eq!(reply.opt.expect("OPT").options, [], "P76");
    }
    let thousands = [0u8, 100, 0, 0].repeat(4_000);
    let reply = Ask { opt: Some((1232, 0, 0, thousands)), ..ask("www.example.test A") }.tcp().of(&snapshot);
    assert_eq!((reply.rcode(), reply.opt.expect("OPT").options.len()), (NOERROR, 0), "P76");
}

#[test]
fn p77_do_is_copied_and_other_flags_are_not() {
    let snapshot = zone();
    for flags in [0, 0x8000, 0x4000, 0xffff, 0x7fff] {
        let reply = Ask { opt: Some((1232, 0, flags, Vec::new())), ..ask("www.example.test A") }.of(&snapshot);
        assert_eq!(reply.opt.expect("OPT").flags, flags & 0x8000, "P77");
    }
}

#[test]
fn p78_two_or_broken_opts_are_form_errors() {
    let snapshot = zone();
    let one = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
    let with = |parts: &[&[u8]]| {
        let mut packet = ask("www.example.test A").packet();
        packet[11] = parts.len() as u8;
        packet.extend(parts.concat());
        sound(&packet, &send(&snapshot, &packet, Udp).expect("reply"))
    };
    let twice = with(&[one, one]);
    assert_bare(&twice, FORMERR, "P78");
    assert!(twice.opt.is_some(), "P79");
    for (broken, why) in [
        (&b"\0\0\x29\x04\xd0\0\0\0\0\0\x03\0\x64\0"[..], "an option's head is cut"),
        (b"\0\0\x29\x04\xd0\0\0\0\0\0\x05\0\x64\0\x02\0", "an option's value is cut"),
        (b"\0\0\x29\x04\xd0\0\0\0\0\0\x04\0\x64\xff\xff", "an option of 65535 octets"),
    ] {
        let reply = with(&[broken]);
        assert_bare(&reply, FORMERR, &format!("P78: {why}"));
        assert!(reply.opt.is_some(), "P79: {why}");
    }
    assert_bare(&with(&[b"\0\0\x29\x04\xd0\0\0\0\0\0\x09\0"]), FORMERR, "P78: RDLEN reaches beyond the end");
    assert_bare(&with(&[b"\x03www\0\0\x29\x04\xd0\0\0\0\0\0\0"]), FORMERR, "P78: an owner that is not the root");
}

#[test]
fn p80_sizes_below_512_mean_512() {
    let snapshot = zone();
    for size in [0, 1, 511, 512] {
        let reply = ask("www.example.test A").size(size).of(&snapshot);
        assert_eq!((reply.tc(), reply.answers().len()), (false, 1), "P80: {size}");
    }
}
