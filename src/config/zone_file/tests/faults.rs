//! What is wrong, where, in which words.

use super::*;

fn expect(cases: &[(&str, &[&str])]) {
    for (text, faults) in cases {
        assert_eq!(load_text(text).faults, *faults, "{text}");
    }
}

#[test]
fn entries_blame_their_own_tokens() {
    expect(&[
        ("www A 300.1.1.1\n", &["E 5:7 A data: an IPv4 address is expected"]),
        ("www AAAA 192.0.2.1\n", &["E 5:10 AAAA data: an IPv6 address is expected"]),
        ("www A\n", &["E 5:5 A data: a field is missing behind this"]),
        ("www A 192.0.2.1 192.0.2.2\n", &["E 5:17 A data: nothing more is expected here"]),
        ("www MX 70000 mail\n", &["E 5:8 MX data: the number is too large for its field"]),
        ("www MX mail\n", &["E 5:8 MX data: a number is expected"]),
        ("www MX \"\" mail\n", &["E 5:8 MX data: a number is expected"]),
        ("www\n", &["E 5:1 a record without type"]),
        ("www 300 IN\n", &["E 5:9 a record without type"]),
        ("www AAA 192.0.2.1\n", &["E 5:5 there is no record type AAA"]),
        ("www TYPE70000 \\# 0\n", &["E 5:5 there is no record type TYPE70000"]),
        ("www TYPE+5 \\# 0\n", &["E 5:5 there is no record type TYPE+5"]),
        ("www 1x A 192.0.2.1\n", &["E 5:5 1x is no TTL"]),
        ("www 2147483648 A 192.0.2.1\n", &["E 5:5 the TTL 2147483648 is too large"]),
        ("www 4294967295 A 192.0.2.1\n", &["E 5:5 the TTL 4294967295 is too large"]),
        ("www 5 5 A 192.0.2.1\n", &["E 5:7 a record has two TTLs"]),
        ("www IN CLASS1 A 192.0.2.1\n", &["E 5:8 a record has two classes"]),
        ("www CH TXT a\n", &["E 5:5 class CH is not served"]),
        ("www CLASS4 TXT a\n", &["E 5:5 class CLASS4 is not served"]),
        ("a..b A 192.0.2.1\n", &["E 5:1 an owner: a label is empty"]),
        ("bücher A 192.0.2.1\n", &["E 5:1 an owner: a name holds characters outside ASCII"]),
        (
            "a\\256 A 192.0.2.1\n",
            &["E 5:1 an owner: a backslash needs a character or three digits up to 255 behind it"],
        ),
        ("\"www\" A 192.0.2.1\n", &["E 5:1 an owner: a name is expected, without quotes"]),
        ("www.example.org. A 192.0.2.1\n", &["E 5:1 www.example.org. lies outside the zone Example.com."]),
        ("www NULL ab\n", &["E 5:5 NULL data: this type has no readable form here"]),
        ("www TYPE1000 ab\n", &["E 5:5 TYPE1000 data: this type has no readable form here"]),
        ("www OPT \\# 0\n", &["E 5:5 no zone may hold type OPT"]),
        ("www TYPE0 \\# 0\n", &["E 5:5 no zone may hold type TYPE0"]),
        ("www ANY 192.0.2.1\n", &["E 5:5 no zone may hold type ANY"]),
        ("www AXFR\n", &["E 5:5 no zone may hold type AXFR"]),
        ("www TYPE128 \\# 0\n", &["E 5:5 no zone may hold type NXNAME"]),
        ("www TYPE65535 \\# 0\n", &["E 5:5 no zone may hold type TYPE65535"]),
        ("www TXT\n", &["E 5:5 TXT data: at least one string is expected"]),
        ("www TXT a\"b\"\n", &["E 5:10 TXT data: white space is missing before this"]),
        ("www TXT \"a\"b\n", &["E 5:12 TXT data: white space is missing before this"]),
        ("www TXT a\\25x\n", &["E 5:9 TXT data: a backslash needs a character or three digits up to 255 behind it"]),
        ("www A \\# 3 c00002\n", &["E 5:7 A data: these octets are no A data"]),
        ("www A \\# 4 c000\n", &["E 5:10 A data: the length says 4 octets, but 2 follow"]),
        ("www TYPE1000 \\# 1 f\n", &["E 5:19 TYPE1000 data: the number of hexadecimal digits is odd"]),
        ("www TYPE1000 \\# 1 fg\n", &["E 5:19 TYPE1000 data: hexadecimal digits are expected"]),
        ("www CNAME \\# 2 c00c\n", &["E 5:11 CNAME data: these octets are no CNAME data"]),
        ("www SSHFP 1 1 00ff\n", &["E 5:15 SSHFP data: a SHA-1 digest has 20 octets, not 2"]),
        ("www TLSA 3 1 1\n", &["E 5:14 TLSA data: a SHA-256 digest has 32 octets, not 0"]),
        ("www TLSA 3 1 0 ab c\n", &["E 5:19 TLSA data: the number of hexadecimal digits is odd"]),
        ("www CAA 0 is_sue \"ca\"\n", &["E 5:11 CAA data: CAA tag contains invalid character"]),
    ]);
    data_that_their_type_forbids();
    let long = "x".repeat(256);
    let faults = load_text(&format!("www TXT ok \"{long}\"\n")).faults;
    assert_eq!(faults, ["E 5:12 TXT data: a string is longer than 255 octets"]);
}

/// Each readable and, where that can be, in the generic form.
fn data_that_their_type_forbids() {
    let digest = "00".repeat(32);
    expect(&[
        ("a ZONEMD 1 1 1 FEBE3D4C\n", &["E 5:16 ZONEMD data: a SHA-384 digest has 48 octets, not 4"]),
        ("a ZONEMD 1 1 2 FEBE3D4C\n", &["E 5:16 ZONEMD data: a SHA-512 digest has 64 octets, not 4"]),
        ("a ZONEMD 1 1 9 FEBE3D4C\n", &["E 5:16 ZONEMD data: a digest has at least 12 octets, not 4"]),
        ("a ZONEMD \\# 10 00000001 01 01 febe3d4c\n", &["E 5:31 ZONEMD data: a SHA-384 digest has 48 octets, not 4"]),
        ("a CAA 0 \"\" x\n", &["E 5:9 CAA data: the tag of CAA is empty"]),
        ("a TYPE257 \\# 3 000000\n", &["E 5:16 CAA data: the tag of CAA is empty"]),
        ("a CAA \\# 5 0002692d78\n", &["E 5:12 CAA data: CAA tag contains invalid character"]),
        ("a CAA \\# 3 000569\n", &["E 5:7 CAA data: these octets are no CAA data"]),
        ("a CDS 1 8 1 00\n", &["E 5:13 CDS data: a SHA-1 digest has 20 octets, not 1"]),
        ("a DLV 1 8 4 00\n", &["E 5:13 DLV data: a SHA-384 digest has 48 octets, not 1"]),
        ("a TA 1 8 SHA-256 00\n", &["E 5:18 TA data: a SHA-256 digest has 32 octets, not 1"]),
        ("a SSHFP \\# 4 01020000\n", &["E 5:14 SSHFP data: a SHA-256 digest has 32 octets, not 2"]),
        ("a TLSA \\# 3 030100\n", &["E 5:13 TLSA data: the octets themselves are missing"]),
        ("a DHCID AAIB\n", &["E 5:9 DHCID data: a SHA-256 digest has 32 octets, not 0"]),
        (
            "a DHCID AA==\n",
            &["E 5:9 DHCID data: an identifier's type, a digest's type and the digest are expected (RFC 4701 3.1)"],
        ),
        ("a OPENPGPKEY \\# 0\n", &["E 5:17 OPENPGPKEY data: the octets themselves are missing"]),
        ("a CERT PKIX 1 RSASHA256\n", &["E 5:15 CERT data: the octets themselves are missing"]),
        ("a CERT PKX 1 8 AAEC\n", &["E 5:8 CERT data: a number is expected"]),
        ("a DS 1 RSASHA257 2 00\n", &["E 5:8 DS data: a number is expected"]),
        ("a TXT \\# 0\n", &["E 5:7 TXT data: these octets are no TXT data"]),
        ("a HINFO \\# 2 0161\n", &["E 5:9 HINFO data: these octets are no HINFO data"]),
        ("a MX \\# 4 0001c00c\n", &["E 5:6 MX data: these octets are no MX data"]),
        ("a URI 1 1 \"\"\n", &["E 5:11 URI data: the target is empty"]),
        ("a URI \\# 4 00010001\n", &["E 5:12 URI data: the target is empty"]),
        ("a LOC 91 N 1 E 0\n", &["E 5:7 LOC data: degrees from 0 to 90 are expected"]),
        ("a LOC 90 1 N 1 E 0\n", &["E 5:10 LOC data: the angle is over 90 degrees"]),
        ("a LOC 1 1 1 1 N\n", &["E 5:13 LOC data: N or S is expected"]),
        ("a LOC 1 60 N 1 E 0\n", &["E 5:9 LOC data: minutes from 0 to 59 are expected, or N or S"]),
        ("a LOC 1 N 1 E 1.234\n", &["E 5:15 LOC data: an altitude from -100000.00 to 42849672.95 metres is expected"]),
        ("a LOC 1 N 1 E .\n", &["E 5:15 LOC data: an altitude from -100000.00 to 42849672.95 metres is expected"]),
        ("a LOC 1 N 1 E m\n", &["E 5:15 LOC data: an altitude from -100000.00 to 42849672.95 metres is expected"]),
        ("a LOC .5 N 1 E 0\n", &["E 5:7 LOC data: degrees from 0 to 90 are expected"]),
        ("a LOC 1 N 1 E\n", &["E 5:13 LOC data: a field is missing behind this"]),
        ("a LOC \\# 16 01121613800000008000000000989680\n", &["E 5:7 LOC data: these octets are no LOC data"]),
        ("a LOC \\# 16 00121613f00000008000000000989680\n", &["E 5:7 LOC data: these octets are no LOC data"]),
        ("a APL 1:192.0.2.0/33\n", &["E 5:7 APL data: the length is at most 32"]),
        ("a APL 2:192.0.2.0/3\n", &["E 5:7 APL data: the address is not of its family: 1 is IPv4, 2 is IPv6"]),
        ("a APL \\# 8 00011804c0000200\n", &["E 5:7 APL data: these octets are no APL data"]),
        ("a CSYNC \\# 10 000000420003 0002 6000\n", &["E 5:9 CSYNC data: these octets are no CSYNC data"]),
        ("a CSYNC 1 1 A B\n", &["E 5:15 CSYNC data: there is no record type B"]),
        ("a EUI48 00-00-5e-00-53\n", &["E 5:9 EUI48 data: 6 pairs of hexadecimal digits with hyphens are expected"]),
        ("a NID 1 1:2:3\n", &["E 5:9 NID data: four groups of hexadecimal digits are expected, as in 2001:db8:1:2"]),
        ("a CERT 1 1 1 AAE* AAAA\n", &["E 5:14 CERT data: base64 is expected: letters, digits, `+` and `/`"]),
        (
            "a CERT 1 1 1 AAAA AAE\n",
            &["E 5:19 CERT data: base64 comes in groups of four characters, and the last one is not whole"],
        ),
        ("a CERT 1 1 1 AA== AAAA\n", &["E 5:19 CERT data: `=` ends base64, once or twice"]),
        ("a CERT 1 1 1 A===\n", &["E 5:14 CERT data: `=` ends base64, once or twice"]),
        ("a CERT 1 1 1 AAE=\nb CERT 1 1 1 AAF=\nc CERT 1 1 1 AA EC\n", &[]),
        ("a CERT 1 1 1 AAEC AA$\n", &["E 5:19 CERT data: base64 is expected: letters, digits, `+` and `/`"]),
        ("a TLSA 3 1 0 ABx\n", &["E 5:14 TLSA data: hexadecimal digits are expected"]),
        ("a TLSA 3 1 0 AB xCD\n", &["E 5:17 TLSA data: hexadecimal digits are expected"]),
        ("a SSHFP 1 1 01:23\n", &["E 5:13 SSHFP data: hexadecimal digits are expected"]),
        ("a CERT 1 1 65536 AAEC\n", &["E 5:12 CERT data: the number is too large for its field"]),
        ("a CERT 1 -1 1 AAEC\n", &["E 5:10 CERT data: a number is expected"]),
        ("a TLSA 3 1 0 ABC D1x\n", &["E 5:18 TLSA data: hexadecimal digits are expected"]),
        ("a TLSA 3 1 0 ab C\n", &["E 5:17 TLSA data: the number of hexadecimal digits is odd"]),
        ("a NAPTR 1 1 \"\" \"\" \"(\" .\n", &["E 5:19 NAPTR data: the substitution has no second delimiter"]),
        ("a X25 12a\n", &["E 5:7 X25 data: only decimal digits are expected"]),
        ("a X25 12345a\n", &["E 5:7 X25 data: only decimal digits are expected"]),
        ("a X25 31106170095x\n", &["E 5:7 X25 data: only decimal digits are expected"]),
        ("a X25 311\n", &["E 5:7 X25 data: at least 4 decimal digits are expected"]),
        ("a X25 \\# 4 03333131\n", &["E 5:7 X25 data: these octets are no X25 data"]),
        ("a AMTRELAY 1 2 0 .\n", &["E 5:14 AMTRELAY data: the discovery bit is 0 or 1"]),
        ("a AMTRELAY 1 0 4 .\n", &["E 5:16 AMTRELAY data: the type of a relay is 0, 1, 2 or 3"]),
        ("a IPSECKEY 1 0 2 x AAEC\n", &["E 5:18 IPSECKEY data: type 0 has no gateway: `.` is expected"]),
        ("a IPSECKEY 1 0 2 .\n", &["E 5:18 IPSECKEY data: the key is missing"]),
        ("a GPOS 1 200 3\n", &["E 5:10 GPOS data: degrees from -180 to 180 are expected"]),
        ("a NSAP 47\n", &["E 5:8 NSAP data: 0x and hexadecimal digits are expected"]),
        (
            "a SOA \\# 22 00 00 00000001 80000000 00000001 00000001 00000001\n",
            &["E 5:7 SOA data: these octets are no SOA data"],
        ),
    ]);
    assert_eq!(
        load_octets(b"$TTL 1h\n@ SOA ns1 h 1 1h 15m 1w 5m\n@ DNAME example.net.\n@ NS ns1\n").faults,
        ["W 4:1 Example.com. NS points to ns1.Example.com., which lies below the DNAME of Example.com."]
    );
    assert_eq!(load_text(&format!("a SSHFP 1 2 {digest}\na TLSA 3 1 1 {digest}\n")).faults, [""; 0]);
}

#[test]
fn soa_says_which_timer_is_wrong() {
    let soa = |data: &str| load_octets(format!("$TTL 1h\n@ SOA {data}\n@ NS ns.example.org.\n").as_bytes()).faults;
    assert_eq!(soa("ns hm 1 1h 15m 1w 1y"), ["E 2:25 SOA data: the minimum time is expected"]);
    assert_eq!(soa("ns hm 1 1h 15m 1w 3000000000"), ["E 2:25 SOA data: the minimum time is over 2147483647 seconds"]);
    assert_eq!(soa("ns hm 1 1h 15m 1w"), ["E 2:22 SOA data: a field is missing behind this"]);
    assert_eq!(soa("ns hm 4294967296 1h 15m 1w 5m"), ["E 2:13 SOA data: the number is too large for its field"]);
    assert_eq!(soa("ns admin@example.com 1 1h 15m 1w 5m"), ["E 2:10 SOA data: the mailbox is written with `@`"]);
}

#[test]
fn the_address_of_a_name_server_may_be_a_services() {
    expect(&[
        ("a NS steered\n", &[]),
        ("a NS ns.apps\n", &[]),
        ("a NS ns\n", &["W 5:1 the name server ns.Example.com. of a.Example.com. has no address in this zone"]),
        (
            "ns.apps TXT x\na NS ns.apps\n",
            &["W 6:1 the name server ns.apps.Example.com. of a.Example.com. has no address in this zone"],
        ),
    ]);
    let below = load_text("sub NS steered.sub\n").raw;
    let remedy = below.first().and_then(|fault| fault.remedy.as_deref());
    assert_eq!(remedy, Some("name another server: a service below a delegation is never answered"));
}

#[test]
fn a_mailbox_with_an_at_sign_is_shown_as_a_name() {
    for mailbox in ["host.master@shop.test", "host.master@shop.test."] {
        let faults = load_octets(HEAD.replace(" hostmaster ", &format!(" {mailbox} ")).as_bytes()).raw;
        let remedy = faults.first().and_then(|fault| fault.remedy.as_deref());
        assert_eq!(remedy, Some("write it as a name: host\\.master.shop.test."), "{mailbox}");
    }
}

#[test]
fn text_that_is_no_entry() {
    expect(&[
        (
            "www TXT \"open\nmail A 192.0.2.2 2\n",
            &["E 5:9 a quoted string is not closed on its line", "E 6:18 A data: nothing more is expected here"],
        ),
        ("www A 192.0.2.1 )\n", &["E 5:17 a parenthesis is closed that was never opened"]),
        (
            "www TXT (\n a\n b\nmail A x\n",
            &["E 5:9 a parenthesis is never closed", "E 8:8 A data: an IPv4 address is expected"],
        ),
        ("www TXT (", &["E 5:9 a parenthesis is never closed"]),
        ("www TXT \"open", &["E 5:9 a quoted string is not closed on its line"]),
        ("www TXT a\u{1}b\n", &["E 5:10 a control character stands in the text"]),
        ("www TXT \\\n", &["E 5:9 TXT data: a backslash needs a character or three digits up to 255 behind it"]),
        ("www TXT \\", &["E 5:9 TXT data: a backslash needs a character or three digits up to 255 behind it"]),
    ]);
    // An indented line behind a broken one is not blamed on the owner before it.
    expect(&[
        ("(www\n", &["E 5:1 a parenthesis is never closed"]),
        ("a..b A 192.0.2.1\n  TXT x\n", &["E 5:1 an owner: a label is empty"]),
    ]);
}

#[test]
fn directives() {
    expect(&[
        ("$TTL\n", &["E 5:1 $TTL: an argument is missing"]),
        ("$TTL 1h 2h\n", &["E 5:9 $TTL: one argument too many"]),
        ("$TTL soon\n", &["E 5:6 soon is no TTL"]),
        ("$ORIGN example.com.\n", &["E 5:1 there is no directive $ORIGN"]),
        ("$ORIGIN a..b\n", &["E 5:9 $ORIGIN: a label is empty"]),
        ("$INCLUDE\n", &["E 5:1 $INCLUDE: an argument is missing"]),
        ("$GENERATE 1-2 a A\n", &["E 5:17 $GENERATE: an argument is missing"]),
        ("$GENERATE 2-1 a$ A 192.0.2.$\n", &["E 5:11 2-1 is no range"]),
        ("$GENERATE 1-2/0 a$ A 192.0.2.$\n", &["E 5:11 1-2/0 is no range"]),
        ("$GENERATE 0-65536 a$ A 192.0.2.1\n", &["E 5:11 $GENERATE would make 65537 records"]),
        ("$GENERATE 250-300 a$ A 192.0.2.$\n", &["E 5:24 A data: an IPv4 address is expected"]),
        ("$GENERATE 1-2 a${0,3,q} A 192.0.2.$\n", &["E 5:15 $GENERATE: the base is none of d o x X n N"]),
        (
            "$GENERATE 1-2 a${-3} A 192.0.2.$\n",
            &["E 5:15 $GENERATE: with the offset the counter is negative or too large"],
        ),
        (
            "$GENERATE 1-2 a${2147483647,0,x} A 192.0.2.$\n",
            &["E 5:15 $GENERATE: with the offset the counter is negative or too large"],
        ),
        (
            "$GENERATE 0-2 a${-2147483649,0,n} A 192.0.2.$\n",
            &["E 5:15 $GENERATE: with the offset the counter is negative or too large"],
        ),
        ("$GENERATE 1-2 a${0 A 192.0.2.$\n", &["E 5:15 $GENERATE: `${` without `}`"]),
        ("$GENERATE 1-2 a$ MX \"0 b (\"\n", &["E 5:21 $GENERATE: the data in quotes are not well-formed"]),
    ]);
}

#[test]
fn many_faults_in_one_file_are_all_reported() {
    let outcome = load_text(
        "www A 300.1.1.1\n\
         x 1y A 192.0.2.1\n\
         \u{20}    MX 10\n\
         *.w NS ns1\n\
         txt TXT \"open\n\
         s.org. A 192.0.2.1\n\
         c CNAME ns1\n\
         c A 192.0.2.1\n\
         $TTl -1\n\
         q RRSIG A 13 2 1 1 1 1 example.com. AAAA\n",
    );
    assert_eq!(
        outcome.faults,
        [
            "E 5:7 A data: an IPv4 address is expected",
            "E 6:3 1y is no TTL",
            "E 7:9 MX data: a field is missing behind this",
            "E 8:1 the wildcard *.w.Example.com. has an NS record",
            "E 9:9 a quoted string is not closed on its line",
            "E 10:1 s.org. lies outside the zone Example.com.",
            "E 11:1 c.Example.com. has a CNAME and A data beside it",
            "E 13:6 -1 is no TTL",
            "E 14:1 the zone is signed: it holds RRSIG",
        ]
    );
    assert!(outcome.raw.iter().all(|fault| !fault.label.is_empty()));
}

#[test]
fn a_cap_counts_what_it_hides() {
    let faults = load_text(&"www A x\n".repeat(150)).faults;
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[100], "E meridian.toml:1:5 zone Example.com.: 50 more errors not shown");
    let text = format!("{}www A x\n", "www A 192.0.2.1\n".repeat(200));
    let faults = load_text(&text).faults;
    assert_eq!(faults.len(), 102, "warnings do not crowd an error out");
    assert_eq!(faults[100], "E 205:7 A data: an IPv4 address is expected");
}

#[test]
fn what_the_zone_lacks() {
    let faults = |text: &str| load_octets(text.as_bytes()).faults;
    assert_eq!(
        faults(""),
        [
            "E meridian.toml:1:5 zone Example.com. has no SOA record",
            "E meridian.toml:1:5 zone Example.com. has no NS record at its name",
        ]
    );
    assert_eq!(faults("$TTL 1h\n@ SOA ns hm 1 1 1 1 1\n"), ["E 2:1 zone Example.com. has no NS record at its name"]);
    assert_eq!(
        faults("@ SOA ns hm 1 1 1 1 1\n NS ns.example.org.\n"),
        ["E 1:3 no TTL is known for Example.com. SOA and 1 further record",]
    );
    assert_eq!(faults("@ 60 SOA ns hm 1 1 1 1 1\n NS ns.example.org.\n"), [""; 0], "the TTL before goes on");
    assert_eq!(faults(" 60 SOA ns hm 1 1 1 1 1\n 60 NS ns.example.org.\n")[0], "E 1:2 a record without owner");
}

#[test]
fn rules_of_the_whole_zone() {
    expect(&[
        ("@ SOA ns1 hostmaster 2 1h 15m 1w 5m\n", &["E 5:1 zone Example.com. has two SOA records"]),
        ("w SOA ns1 hostmaster 2 1h 15m 1w 5m\n", &["E 5:1 SOA at w.Example.com., which is not the zone's name"]),
        ("@ CNAME ns1\n", &["E 5:1 Example.com. has a CNAME and NS data beside it"]),
        ("c CNAME a\nc CNAME b\n", &["E 6:1 c.Example.com. has two CNAME records"]),
        ("c CNAME a\nC cname A.example.com.\n", &["W 6:1 C.Example.com. CNAME stands twice with the same data"]),
        ("c CNAME a\nc KEY 256 3 13 AAAA\n", &[]),
        ("w A 192.0.2.1\nw 5 A 192.0.2.2\n", &["W 6:1 the records of w.Example.com. A have different TTLs; all get 5"]),
        ("d DNAME example.org.\nx.d A 192.0.2.1\n", &["E 6:1 x.d.Example.com. lies below the DNAME of d.Example.com."]),
        ("d DNAME a.\nd DNAME b.\n", &["E 6:1 d.Example.com. has two DNAME records"]),
        ("*.d DNAME a.\n", &["W 5:1 the wildcard *.d.Example.com. has a DNAME record"]),
        (
            "@ DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n",
            &["E 5:1 DS at the zone's own name Example.com."],
        ),
        (
            "s DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n",
            &["W 5:1 DS without NS at s.Example.com."],
        ),
        ("s NS ns.s\n", &["W 5:1 the delegation of s.Example.com. lacks glue: no address of ns.s.Example.com."]),
        (
            "s NS ns.s\nns.s A 192.0.2.1\nx.s A 192.0.2.1\n",
            &["W 7:1 x.s.Example.com. A lies below the delegation of s.Example.com."],
        ),
        ("s NS s\ns A 192.0.2.1\ns TXT x\n", &["W 7:1 s.Example.com. is delegated, and has TXT data beside its NS"]),
        ("s NS ns2\n", &["W 5:1 the name server ns2.Example.com. of s.Example.com. has no address in this zone"]),
        ("s NS ns2.t\nt NS ns.example.org.\n", &[]),
        ("s NS ns2.w\n*.w A 192.0.2.1\n", &[]),
        ("m MX 10 c\n*.x CNAME ns1\nc.x A 192.0.2.1\n", &[]),
        (
            "*.x CNAME ns1\nm MX 10 c.x\n",
            &["W 6:1 m.Example.com. MX points to c.x.Example.com., for which *.x.Example.com. has a CNAME"],
        ),
        (
            "d DNAME example.org.\n@ NS ns.d\n",
            &["W 6:1 Example.com. NS points to ns.d.Example.com., which lies below the DNAME of d.Example.com."],
        ),
        (
            "d DNAME example.org.\n_x._tcp SRV 1 1 1 a.b.d\nm KX 1 x.d\nm RT 1 d\n",
            &[
                "W 6:1 _x._tcp.Example.com. SRV points to a.b.d.Example.com., which lies below the DNAME of d.Example.com.",
                "W 7:1 m.Example.com. KX points to x.d.Example.com., which lies below the DNAME of d.Example.com.",
            ],
        ),
        // Below a delegation another zone has the say.
        ("s NS ns1\nm MX 1 x.s\n", &[]),
        ("m MX 10 c\nc CNAME ns1\n", &["W 5:1 m.Example.com. MX points to c.Example.com., which is a CNAME"]),
        (
            "_x._tcp SRV 0 0 80 c\nc CNAME ns1\n",
            &["W 5:1 _x._tcp.Example.com. SRV points to c.Example.com., which is a CNAME"],
        ),
        ("m MX 0 .\n_x._tcp SRV 0 0 0 .\n", &[]),
        (
            "m MX 0 .\nm MX 10 ns1\n",
            &["W 5:1 m.Example.com. says with MX `.` that it takes no mail, and has other MX records"],
        ),
        ("a CNAME b\nb CNAME c\nc CNAME b\n", &["W 6:1 the CNAME of b.Example.com. leads back to itself"]),
        ("a CNAME a\n", &["W 5:1 the CNAME of a.Example.com. leads back to itself"]),
        ("*.w CNAME x.w\n", &["W 5:1 the CNAME of *.w.Example.com. leads back to itself"]),
        ("$GENERATE 1-16 c$ CNAME c${1}\n", &[]),
        ("$GENERATE 1-20 c$ CNAME c${1}\n", &["W 5:16 a chain of more than 16 CNAMEs begins at c4.Example.com."]),
        ("w A 192.0.2.1\nw A 192.0.2.1\n", &["W 6:1 w.Example.com. A stands twice with the same data"]),
        (
            "w.example.com A 192.0.2.1\nm MX 10 ns1.example.com\n",
            &[
                "W 5:1 w.example.com has no final dot and becomes w.example.com.Example.com.",
                "W 6:9 ns1.example.com has no final dot and becomes ns1.example.com.Example.com.",
            ],
        ),
    ]);
}

#[test]
fn an_rrset_that_fits_in_no_message() {
    let string = format!("\"{}\"", "x".repeat(255));
    let text: String = (0..30).map(|n| format!("big TXT n{n} {}\n", [string.as_str(); 9].join(" "))).collect();
    let faults = load_text(&text).faults;
    assert_eq!(faults, ["E 5:1 the 30 records of big.Example.com. TXT fit in no message"]);
}

#[test]
fn svcb_rules() {
    expect(&[
        (
            "s HTTPS 0 . alpn=h2\n",
            &["E 5:13 HTTPS data: priority 0 is an alias, and an alias has no parameters (RFC 9460 2.4.2)"],
        ),
        (
            "s HTTPS 1 . no-default-alpn\n",
            &["E 5:13 HTTPS data: no-default-alpn without alpn leaves no protocol (RFC 9460 7.1.1)"],
        ),
        (
            "s SVCB 1 . mandatory=port alpn=h2\n",
            &["E 5:12 SVCB data: mandatory lists port, which the record does not have (RFC 9460 8)"],
        ),
        ("s SVCB 1 . alpn=h2 mandatory=mandatory,alpn\n", &["E 5:20 SVCB data: mandatory lists itself (RFC 9460 8)"]),
        (
            "s SVCB 1 . alpn=h2 mandatory=alpn,alpn\n",
            &["E 5:20 SVCB data: mandatory lists alpn twice or out of order (RFC 9460 8)"],
        ),
        ("s SVCB 1 . port=1 alpn=h2 port=2\n", &["E 5:27 SVCB data: the parameter port stands twice"]),
        ("s SVCB 1 . port=1 key3=\\000\\001\n", &["E 5:19 SVCB data: the parameter port stands twice"]),
        ("s SVCB 1 . port\n", &["E 5:12 SVCB data: a port is a number up to 65535"]),
        ("s SVCB 1 . alpn\n", &["E 5:12 SVCB data: a protocol identifier has 1 to 255 octets"]),
        ("s SVCB 1 . alpn=h2,,h3\n", &["E 5:12 SVCB data: a protocol identifier has 1 to 255 octets"]),
        ("s SVCB 1 . ipv4hint=192.0.2\n", &["E 5:12 SVCB data: IPv4 addresses with commas are expected"]),
        ("s SVCB 1 . ipv6hint=\n", &["E 5:12 SVCB data: IPv6 addresses with commas are expected"]),
        ("s SVCB 1 . key65535=x\n", &["E 5:12 SVCB data: no such parameter"]),
        ("s SVCB 1 . key01=x\n", &["E 5:12 SVCB data: no such parameter"]),
        ("s SVCB 1 . Alpn=h2\n", &["E 5:12 SVCB data: no such parameter"]),
        ("s SVCB 1 . key3=x\n", &["E 5:12 SVCB data: the parameter port has no valid value"]),
        ("s SVCB 1 . alpn=h2 no-default-alpn=x\n", &["E 5:20 SVCB data: the parameter no-default-alpn takes no value"]),
        ("s SVCB \\# 12 000100 00010003026832 0001\n", &["E 5:36 SVCB data: a parameter is cut short"]),
    ]);
    for template in [
        "/q",
        "/q{?dn}",
        "/q{?dnss}",
        "/q?dns",
        "/q{?dns",
        "/q{#dns}",
        "/q{?dns:3}",
        "/q{x}dns}",
        "",
        "dns-query{?dns}",
        "/q{?dns}{",
        "/q{?dns}}",
        "/q{?dns,}",
        "/q{}{?dns}",
    ] {
        let faults = load_text(&format!("s SVCB 1 . dohpath=\"{template}\"\n")).faults;
        assert_eq!(faults, ["E 5:12 SVCB data: dohpath is no path with a variable dns (RFC 9461 5)"], "{template}");
    }
    for template in ["/q{?dns}", "/q?a=b{&dns}", "/{dns}", "/{x}/q{?a,dns*}"] {
        assert_eq!(load_text(&format!("s SVCB 1 . dohpath=\"{template}\"\n")).faults, [""; 0], "{template}");
    }
    let generic = "s SVCB \\# 9 000100 0007 0002 2f71\n";
    assert_eq!(load_text(generic).faults, ["E 5:30 SVCB data: dohpath is no path with a variable dns (RFC 9461 5)"]);
    let unsorted = "s SVCB \\# 13 000100 000300020050 00020000\n";
    let message = "parameters do not stand in ascending order, each once (RFC 9460 2.2)";
    assert_eq!(load_text(unsorted).faults, [format!("E 5:34 SVCB data: {message}")]);
}

#[test]
fn files_that_are_no_text() {
    let with = |octets: &[u8]| load_octets(&[HEAD.as_bytes(), octets].concat()).faults;
    assert_eq!(with(b"; caf\xe9\nw A x\n"), ["E 6:5 A data: an IPv4 address is expected"]);
    // In names and words octets outside ASCII are refused, and shown by the sign for them, at their own columns.
    assert_eq!(with(b"caf\xe9 A 192.0.2.1\n"), ["E 5:1 an owner: a name holds characters outside ASCII"]);
    assert_eq!(with(b"w CNAME caf\xe9\n"), ["E 5:9 CNAME data: a name holds characters outside ASCII"]);
    assert_eq!(with(b"w TXT \"\xe9\xe8\" x\"\n"), ["E 5:13 a quoted string is not closed on its line"]);
    assert_eq!(with(b"w \xe9 x\n"), ["E 5:3 there is no record type \u{fffd}"]);
    assert_eq!(with(b"w A \xe9\n"), ["E 5:5 A data: an IPv4 address is expected"]);
    let shown = load_octets(&[HEAD.as_bytes(), b"w A \xe9\n"].concat()).raw;
    assert_eq!(shown[0].label, "at `\u{fffd}`");
    assert_eq!(load_octets(b"\xff\xfe@\0 \0").faults[0], "E 1:1 the file is UTF-16");
    assert_eq!(load_octets(b"\xfe\xff\0@\0 ").faults.len(), 1);
    assert_eq!(with(b"w TXT \0\n"), ["E 5:7 the file holds a NUL octet"]);
}
