//! The question (P19 to P22) and its echo.

use meridian::engine::{snapshot::Snapshot, types::Transport};

use super::*;

fn zone() -> Snapshot {
    example("www A 192.0.2.1\n")
}

fn reply_to(packet: &[u8]) -> Strict {
    sound(packet, &send(&zone(), packet, Transport::Udp).expect("reply"))
}

#[test]
fn p19_p20_exactly_one_question() {
    let one = ask("www.example.test A").packet();
    let mut none = one[..12].to_vec();
    none[5] = 0;
    assert_bare(&reply_to(&none), FORMERR, "P20");
    let mut two = [&one[..], &one[12..]].concat();
    two[5] = 2;
    assert_bare(&reply_to(&two), FORMERR, "P19");
    let mut missing = one[..12].to_vec();
    missing[5] = 1;
    assert_bare(&reply_to(&missing), FORMERR, "P19: one promised, none there");
    let mut sixty = one.clone();
    sixty[5] = 60;
    for _ in 1..60 {
        sixty.extend_from_slice(&one[12..]);
    }
    assert_bare(&reply_to(&sixty), FORMERR, "P19: sixty");
    // No question, but OPT: the error is told with OPT.
    let mut with_opt = ask("www.example.test A").size(1232).packet();
    with_opt.drain(12..12 + 18 + 4);
    with_opt[5] = 0;
    let reply = reply_to(&with_opt);
    assert_bare(&reply, FORMERR, "P20");
    assert!(reply.opt.is_some(), "P74, P79");
}

#[test]
fn p21_the_question_comes_back_octet_for_octet() {
    let snapshot = zone();
    for name in ["wWw.ExAmPlE.tEsT", "WWW.EXAMPLE.TEST", "nONE.eXample.Test", "WwW.example.ORG"] {
        let reply = ask(&format!("{name} A")).of(&snapshot);
        assert_eq!(reply.question, Some((wire(name), 1, 1)), "P21");
    }
    let answer = ask("wWw.ExAmPlE.tEsT A").of(&snapshot);
    assert_eq!(answer.answers()[0].owner, wire("wWw.ExAmPlE.tEsT"), "P21: the owner points at the question");
}

#[test]
fn p22_bad_names_are_form_errors() {
    let long_label = [&[64][..], &[b'a'; 64], b"\0"].concat();
    let too_long: Vec<u8> = [[&[63][..], &[b'a'; 63]].concat().repeat(4), vec![0]].concat();
    let deep = [b"\x01a".repeat(128), vec![0]].concat();
    for (name, why) in [
        (&b"\xc0\x0c"[..], "a pointer to itself"),
        (b"\xc0\x0e\x03www\0", "a forward pointer"),
        (b"\xc0\0", "a pointer into the header"),
        (b"\x03www\xc0\x0c", "a pointer at the end"),
        (b"\x03www\xff\xff", "a pointer beyond the end"),
        (b"\x41\x01", "an extended label"),
        (b"\x80abc\0", "label type 10"),
        (&long_label, "a label of 64 octets"),
        (&too_long, "256 octets and more"),
        (&deep, "257 octets in 128 labels"),
    ] {
        let query = Ask { name: name.to_vec(), ..ask(". A") };
        assert_bare(&reply_to(&query.packet()), FORMERR, &format!("P22: {why}"));
        let notify = query.flags(4 << 11);
        assert_bare(&reply_to(&notify.packet()), REFUSED, &format!("P22: {why}, in a NOTIFY"));
    }
    let whole = ask("www.example.test A").packet();
    for end in 12..whole.len() {
        assert_bare(&reply_to(&whole[..end]), FORMERR, "P22: cut");
    }
    // Names of records behind the question.
    for owner in [&b"\xc0\xff"[..], b"\xc0\x22", b"\x80\0", b"\x3fa"] {
        let mut packet = [&whole[..], owner, b"\0\x01\0\x01\0\0\0\0\0\0"].concat();
        packet[11] = 1;
        assert_bare(&reply_to(&packet), FORMERR, "P22: a bad owner in the additional section");
    }
}
