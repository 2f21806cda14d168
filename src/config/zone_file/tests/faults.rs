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
        ("www LOC 51 N 0 E 0m\n", &["E 5:5 LOC data: this type has no readable form here"]),
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
    let long = "x".repeat(256);
    let faults = load_text(&format!("www TXT ok \"{long}\"\n")).faults;
    assert_eq!(faults, ["E 5:12 TXT data: a string is longer than 255 octets"]);
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
    let unsorted = "s SVCB \\# 13 000100 000300020050 00020000\n";
    let message = "parameters do not stand in ascending order, each once (RFC 9460 2.2)";
    assert_eq!(load_text(unsorted).faults, [format!("E 5:34 SVCB data: {message}")]);
}

#[test]
fn files_that_are_no_text() {
    let with = |octets: &[u8]| load_octets(&[HEAD.as_bytes(), octets].concat()).faults;
    assert_eq!(
        with(b"; caf\xe9\nw A x\n"),
        ["E 5:6 the file is not UTF-8", "E 6:5 A data: an IPv4 address is expected",]
    );
    assert_eq!(with(b"w TXT \0\n"), ["E 5:7 the file holds a NUL octet"]);
}
