//! What holds for every text.

use proptest::prelude::*;

use super::*;

/// Pieces that texts are made of at random: whatever has a meaning somewhere.
const PIECES: &[&str] = &[
    "www",
    "@",
    "*",
    "a.b.",
    "example.com.",
    "..",
    ".",
    "\\",
    "\\.",
    "\\065",
    "\\25",
    "\\#",
    "\"",
    "\"x y\"",
    "\"\"",
    "(",
    ")",
    ";",
    "\n",
    "\n ",
    "\r\n",
    " ",
    "\t",
    "$ORIGIN ",
    "$TTL ",
    "$GENERATE 1-3 ",
    "$INCLUDE ",
    "$",
    "${",
    "${1,2,x}",
    "300",
    "1h",
    "99999999999",
    "IN ",
    "CH ",
    " A ",
    " AAAA ",
    " NS ",
    " SOA ",
    " CNAME ",
    " MX ",
    " TXT ",
    " SRV ",
    " CAA ",
    " DS ",
    " DNSKEY ",
    " HTTPS ",
    " SVCB ",
    " TLSA ",
    " SSHFP ",
    " NAPTR ",
    " IPSECKEY ",
    " ZONEMD ",
    " NSEC3 ",
    " TYPE1 ",
    " TYPE65280 ",
    " DNAME ",
    " RP ",
    " URI ",
    " OPENPGPKEY ",
    "192.0.2.1",
    "::1",
    "0",
    "1",
    "2",
    "AAEC",
    "alpn=",
    "alpn=h2",
    "mandatory=",
    "mandatory=alpn",
    "key9=",
    "port=1",
    "ipv4hint=",
    "no-default-alpn",
    "=",
    ",",
    "é",
    "\0",
    "\u{1}",
    "\u{feff}",
    "-",
    "10",
    "issue",
];

/// What a zone file says, apart from where.
fn content(outcome: &Outcome) -> Vec<String> {
    let severe = outcome.raw.iter().filter(|fault| fault.severity == Severity::Error);
    outcome.records().into_iter().chain(severe.map(|fault| fault.message.clone())).collect()
}

/// What may stand between two tokens.
const BREAKS: &[&str] = &[" ", "\t ", " (\n", " ( ; a \"comment\" ( \n ", " ) ", "\n", " ; more )\n\t", "\r\n "];

/// Entries of all shapes, by token.
const ENTRIES: &[&[&str]] = &[
    &["w", "60", "IN", "TXT", "a", "\"b ; ( c\"", "\\040"],
    &["w", "MX", "10", "mail"],
    &["@", "IN", "30", "CAA", "0", "issue", "\"x; y=z\""],
    &["w", "NAPTR", "1", "2", "\"U\"", "\"E2U+sip\"", "\"!^.*$!sip:x!\"", "."],
    &["w", "HTTPS", "1", ".", "alpn=\"h2,h3\"", "port=443"],
    &["w", "TLSA", "3", "1", "0", "abcd", "ef"],
    &["w", "A", "192.0.2.1", "left-over"],
    &["w", "TYPE65280", "\\#", "2", "ab", "cd"],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        let outcome = load_octets(format!("{HEAD}{text}").as_bytes());
        prop_assert!(outcome.faults.len() <= 202);
        load_octets(text.as_bytes());
    }

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        load_octets(&octets);
    }

    #[test]
    fn no_data_of_any_type_make_it_panic(number in any::<u16>(), octets in prop::collection::vec(any::<u8>(), 0..60)) {
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        load_text(&format!("x TYPE{number} \\# {} {hex}\n", octets.len()));
        let low = number % 70;
        let outcome = load_text(&format!("x TYPE{low} \\# {} {hex}\n", octets.len()));
        if let Some(record) = outcome.records().first() {
            prop_assert_eq!(record.rsplit(' ').next(), Some(hex.as_str()), "taken as written, or refused");
        }
    }

    #[test]
    fn where_an_entry_is_broken_means_nothing(
        entry in prop::sample::select(ENTRIES),
        breaks in prop::collection::vec(prop::sample::select(BREAKS), 8),
    ) {
        let plain = load_text(&format!("{}\n", entry.join(" ")));
        // Line ends go inside parentheses; a parenthesis may close and another open.
        let mut text = String::new();
        let mut open = 0usize;
        for (number, token) in entry.iter().enumerate() {
            if number > 0 {
                let chosen = breaks[number - 1];
                let opens = chosen.contains("(") && !chosen.contains(")");
                if chosen.contains(')') && open == 0 || chosen.contains('\n') && !opens && open == 0 {
                    text.push(' ');
                } else {
                    text.push_str(chosen);
                    open += usize::from(opens);
                    // In a comment it closes nothing.
                    open -= usize::from(chosen == " ) ");
                }
            }
            text.push_str(token);
        }
        text.push_str(&")".repeat(open));
        prop_assert_eq!(content(&load_text(&text)), content(&plain), "{}", text);
        text.push_str(" ; the end\n\n ; of it\nz TXT z\n");
        prop_assert_eq!(load_text(&text).records().len(), plain.records().len() + 1, "{}", text);
    }
}

#[test]
fn a_text_that_ends_inside_an_entry_is_told_or_taken() {
    for text in
        ["w TXT (", "w TXT a (", "w TXT", "w TXT \"", "w A 192.0.2.1 (", "w TYPE1 \\#", "w HTTPS 1 . alpn=\"", "w ("]
    {
        assert!(!load_text(text).faults.is_empty(), "{text}");
    }
    assert_eq!(load_text("w TXT a").records(), ["w.Example.com. 3600 TXT 0161"]);
}

#[test]
fn a_zone_of_many_names_takes_one_pass() {
    // Not timed: were anything here quadratic, the test would not end.
    let mut text = String::from("$GENERATE 0-65535 h$ A 192.0.2.1\n$GENERATE 0-65535 d$.e.f.g.h CNAME h$\n");
    text.push_str("$GENERATE 0-65535 big TYPE65280 \\# 4 ${0,8,x}\n");
    let outcome = load_text(&text);
    assert_eq!(outcome.records().len(), 3 * 65_536);
    assert_eq!(outcome.faults, ["E 7:19 the 65536 records of big.Example.com. TYPE65280 fit in no message"]);
}
