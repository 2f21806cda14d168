//! Names are octets: lengths, odd octets and case (P23 to P25).

use super::*;

/// A relative name that makes one of 255 octets below `example.test`.
fn longest(fill: char) -> String {
    let label = fill.to_string().repeat(63);
    format!("{label}.{label}.{label}.{}", fill.to_string().repeat(255 - 3 * 64 - 14 - 1))
}

#[test]
fn p23_labels_of_63_and_names_of_255_octets_are_served() {
    let (label, name, wild) = ("l".repeat(63), longest('n'), longest('w'));
    let deep = "d.".repeat(119) + "d";
    let snapshot = example(&format!(
        "{label} A 192.0.2.1\n{name} A 192.0.2.2\n{deep} A 192.0.2.3\nalias CNAME {name}\n* TXT \"wild\"\n"
    ));
    for owner in [&label, &name, &deep] {
        let reply = ask(&format!("{owner}.example.test A")).of(&snapshot);
        assert_eq!((reply.rcode(), reply.answers().len()), (NOERROR, 1), "P23: {owner}");
    }
    let longest_of_all = ask(&format!("{wild}.example.test TXT"));
    assert_eq!(longest_of_all.name.len(), 255);
    let reply = longest_of_all.of(&snapshot);
    assert_eq!(reply.answers()[0].owner, longest_of_all.name, "P23: a wildcard stretches to 255 octets");
    let reply = ask("alias.example.test A").of(&snapshot);
    assert_eq!(reply.answers()[1].owner.len(), 255, "P23: as a target");
    let ents = ask(&format!("{}.example.test A", "d.".repeat(118) + "d")).of(&snapshot);
    assert_negative(&ents, NOERROR, "example.test", "P23, P41: 118 empty non-terminals");
}

#[test]
fn p24_any_octet_may_stand_in_a_label() {
    let snapshot = example(concat!(
        "a\\.b A 192.0.2.1\nb A 192.0.2.99\n",
        "x\\000y A 192.0.2.2\n\\255 A 192.0.2.3\n\\032 A 192.0.2.4\n",
        "\\042 A 192.0.2.6\n\\@ A 192.0.2.7\n",
    ));
    for (name, last) in [
        ("a\\.b.example.test", Some(1)),
        ("a.b.example.test", None),
        ("x\\000y.example.test", Some(2)),
        ("x.example.test", None),
        ("\\255.example.test", Some(3)),
        ("\\032.example.test", Some(4)),
        ("\\@.example.test", Some(7)),
        ("x\\000z.example.test", Some(6)), // `\042` is an asterisk: the octets make a wildcard, not the spelling
    ] {
        let reply = ask(&format!("{name} A")).of(&snapshot);
        let found = reply.answers().first().map(|rr| rr.data[3]);
        if let Some(last) = last {
            assert_eq!(found, Some(last), "P24: {name}");
        } else {
            assert!(found.is_none_or(|n| n == 6), "P24: {name} is none of the others: {found:?}");
        }
    }
}

#[test]
fn p25_only_ascii_letters_fold() {
    let snapshot = example("\\223 A 192.0.2.1\nAbC A 192.0.2.2\n\\[ A 192.0.2.3\n\\@ A 192.0.2.4\n");
    for (name, rcode) in [
        ("\\223", NOERROR),
        ("\\255", NXDOMAIN), // 0xdf and 0xff are a pair in Latin-1 only
        ("aBc", NOERROR),
        ("ABC", NOERROR),
        ("\\[", NOERROR),
        ("\\{", NXDOMAIN), // one bit from `[`
        ("\\@", NOERROR),
        ("`", NXDOMAIN), // one bit from `@`
    ] {
        assert_eq!(ask(&format!("{name}.example.test A")).of(&snapshot).rcode(), rcode, "P25: {name}");
    }
}
