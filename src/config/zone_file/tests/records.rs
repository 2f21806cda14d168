//! What a text means, to the octet.

use super::*;

/// The wire form of a name, in hexadecimal.
fn name(text: &str) -> String {
    hex(Name::from_text(text).expect("name").wire())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Records of `text` without a single fault.
fn good(text: &str) -> Vec<String> {
    let outcome = load_text(text);
    assert_eq!(outcome.faults, [""; 0], "{text}");
    outcome.records()
}

#[test]
fn every_type_to_the_octet() {
    let e = |relative: &str| name(&format!("{relative}.Example.com"));
    let digest = "00".repeat(32);
    let cases: Vec<(&str, String)> = vec![
        ("A 192.0.2.1", "c0000201".into()),
        ("AAAA 2001:db8::1", "20010db8000000000000000000000001".into()),
        ("NS Ns9.example.org.", name("Ns9.example.org")),
        ("CNAME Rel", e("Rel")),
        ("PTR Rel.sub", e("Rel.sub")),
        ("DNAME Rel", e("Rel")),
        ("MX 10 Mail", format!("000a{}", e("Mail"))),
        ("MX 10 @", format!("000a{}", name("Example.com"))),
        ("AFSDB 1 Cell", format!("0001{}", e("Cell"))),
        ("KX 1 Kx", format!("0001{}", e("Kx"))),
        ("RP Box Txt", format!("{}{}", e("Box"), e("Txt"))),
        ("MINFO Box Err", format!("{}{}", e("Box"), e("Err"))),
        ("SRV 1 2 443 Target", format!("0001000201bb{}", e("Target"))),
        ("NAPTR 1 2 \"U\" \"SIP+D2U\" \"\" Rel", format!("000100020155075349502b44325500{}", e("Rel"))),
        ("TXT word \"two words\" \"\"", format!("04{}09{}00", hex(b"word"), hex(b"two words"))),
        ("TXT \"a;b(c)\\\"\\\\\\255\\;\"", format!("0a{}", hex(b"a;b(c)\"\\\xff;"))),
        ("TXT \"é\"", "02c3a9".into()),
        ("TYPE99 \"v=spf1\"", format!("06{}", hex(b"v=spf1"))),
        ("HINFO PC \"OS 1\"", format!("025043 04{}", hex(b"OS 1")).replace(' ', "")),
        ("CAA 128 issue \"ca.example\"", format!("8005{}{}", hex(b"issue"), hex(b"ca.example"))),
        ("URI 10 1 \"https://x/\"", format!("000a0001{}", hex(b"https://x/"))),
        ("TLSA 3 1 1 00000000 000000000000000000000000 00000000000000000000000000000000", format!("030101{digest}")),
        ("SMIMEA 3 1 0 ABcd", "030100abcd".into()),
        ("SSHFP 4 2 0000000000000000000000000000000000000000000000000000000000000000", format!("0402{digest}")),
        ("DNSKEY 257 3 13 AAEC AwQ=", "0101030d0001020304".into()),
        ("CDNSKEY 0 3 0 AA==", "0000030000".into()),
        ("CDS 0 0 0 00", "0000000000".into()),
        ("KEY 256 3 13 AAEC", "0100030d000102".into()),
        ("OPENPGPKEY AAEC", "000102".into()),
        ("DHCID AAEC", "000102".into()),
        ("IPSECKEY 10 3 2 Gate AAEC", format!("0a0302{}000102", e("Gate"))),
        ("ZONEMD 1 1 9 000000000000000000000000", "000000010109000000000000000000000000".into()),
        ("SVCB 0 Alias", format!("0000{}", e("Alias"))),
        ("HTTPS 1 .", "000100".into()),
        (
            "HTTPS 1 Rel port=443 alpn=\"h2,h3\"",
            format!("0001{}00010006026832026833 0003000201bb", e("Rel")).replace(' ', ""),
        ),
        (
            "HTTPS 1 . mandatory=alpn,ipv4hint alpn=h2 no-default-alpn ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=::1 ech=AAEC",
            "000100 0000 0004 00010004 0001 0003 026832 0002 0000 0004 0008 c0000201c0000202 0005 0003 000102 \
             0006 0010 00000000000000000000000000000001"
                .replace(' ', ""),
        ),
        (
            "SVCB 1 . key9=\\000\\029 key667=\"hello\\210q\\\"o\"",
            "000100 0009 0002 001d 029b 0009 68656c6c6fd271226f".replace(' ', ""),
        ),
        ("SVCB 1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "000100 0001 000c 08665c6f6f2c626172 026832".replace(' ', "")),
        (
            "SVCB 1 . dohpath=/q{?dns} ohttp tls-supported-groups=29,23",
            "000100 0007 0008 2f717b3f646e737d 0008 0000 0009 0004 001d0017".replace(' ', ""),
        ),
        ("TYPE65280 \\# 0", String::new()),
        ("TYPE65280 \\# 4 0A 0b0C ( 0d )", "0a0b0c0d".into()),
        ("type1 \\# 4 c0000201", "c0000201".into()),
        ("LOC \\# 16 00121616 80000000 80000000 00989680", "00121616800000008000000000989680".into()),
        ("CLASS1 A 192.0.2.1", "c0000201".into()),
        ("30 IN A 192.0.2.1", "c0000201".into()),
        ("in 1M a 192.0.2.1", "c0000201".into()),
    ];
    for (text, wire) in cases {
        // Each at a name of its own, so that the zone's rules do not meddle.
        let records = good(&format!("T.host {text}\n"));
        assert_eq!(records.len(), 1, "{text}");
        assert!(records[0].starts_with("T.host.Example.com. "), "{}", records[0]);
        assert_eq!(records[0].rsplit(' ').next(), Some(wire.as_str()), "{text}");
    }
}

#[test]
fn soa_and_ds() {
    let outcome =
        load_octets(b"$TTL 1h\n@ SOA Ns Host\\.master ( 2024 ; serial\n 1h30m 15m\n 1W 300 )\n@ NS ns.example.org.\n");
    assert_eq!(outcome.faults, [""; 0]);
    let soa = &outcome.zone.expect("zone").zone.records[0];
    let tail = [2024u32, 5400, 900, 604_800, 300].map(u32::to_be_bytes).concat();
    let names = ["Ns.Example.com", "Host\\.master.Example.com"].map(name).concat();
    assert_eq!(hex(&soa.rdata), format!("{names}{}", hex(&tail)));
    let ds = good(&format!("s NS ns1\ns DS 60485 13 2 {}\n", "Ab".repeat(32)));
    assert_eq!(ds[1], format!("s.Example.com. 3600 DS ec450d02{}", "ab".repeat(32)));
}

#[test]
fn owners_ttls_and_origins() {
    let records = good("WWW 60 A 192.0.2.1\n\tTXT same\n");
    assert_eq!(
        records,
        ["WWW.Example.com. 60 A c0000201".to_owned(), format!("WWW.Example.com. 3600 TXT 04{}", hex(b"same")),]
    );
    let records = good(
        "$ORIGIN sub\n\
         @ A 192.0.2.1\n\
         a\\.b.* TXT x\n\
         $ORIGIN .\n\
         q.example.COM A 192.0.2.2\n\
         $TTL 1D\n\
         $ORIGIN deep.example.com.\n\
         r A 192.0.2.3\n",
    );
    let owners: Vec<_> = records.iter().map(|record| record.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        owners,
        ["sub.Example.com. 3600", "a\\.b.*.sub.Example.com. 3600", "q.example.COM. 3600", "r.deep.example.com. 86400",]
    );
    let late = load_octets(
        b"@ 7 SOA ns hm 1 1 1 1 1\n NS ns.example.org.\nw 9 A 192.0.2.1\nv A 192.0.2.1\n$TTL 5\nu A 192.0.2.1\n",
    );
    assert_eq!(late.faults, [""; 0]);
    let ttls: Vec<u32> = late.zone.expect("zone").zone.records.iter().map(|record| record.ttl.0).collect();
    assert_eq!(ttls, [7, 7, 9, 9, 5], "stated before, then $TTL over all that do not say");
    assert_eq!(good("z 0 A 192.0.2.1\ny 2147483647 A 192.0.2.1\n")[1], "y.Example.com. 2147483647 A c0000201");
}

#[test]
fn equal_records_and_ttls_are_put_right() {
    let outcome = load_text("w 9 A 192.0.2.1\nW 5 A 192.0.2.2\nw 7 A 192.0.2.1\nw 3 TXT a\n");
    assert_eq!(
        outcome.records(),
        ["w.Example.com. 5 A c0000201", "W.Example.com. 5 A c0000202", "w.Example.com. 3 TXT 0161"]
    );
    assert_eq!(good("w A 65.66.67.68\nw A 97.98.99.100\n").len(), 2, "octets of an address have no case");
}

#[test]
fn generate_forms() {
    let owners =
        |text: &str| good(text).iter().map(|r| r.split(".Example").next().unwrap_or("").to_owned()).collect::<Vec<_>>();
    assert_eq!(owners("$GENERATE 8-10 h$ A 192.0.2.$\n"), ["h8", "h9", "h10"]);
    assert_eq!(owners("$generate 0-10/5 h${1,3} 30 IN A 192.0.2.1\n"), ["h001", "h006", "h011"]);
    assert_eq!(owners("$GENERATE 254-255 ${0,4,x}-${0,0,X}-${-250,2,o} A 192.0.2.1\n"), ["00fe-FE-04", "00ff-FF-05"]);
    assert_eq!(owners("$GENERATE 18-18 ${0,5,n}.n${0,3,N} A 192.0.2.1\n"), ["2.1.0.n2.1"]);
    // Below zero as BIND 9.18: the bits of 32.
    assert_eq!(
        owners("$GENERATE 1024-1026 ${-2000,0,n} A 192.0.2.1\n"),
        ["0.3.c.f.f.f.f.f", "1.3.c.f.f.f.f.f", "2.3.c.f.f.f.f.f"]
    );
    assert_eq!(owners("$GENERATE 1-1 ${-2,0,x}-${-2,9,X}-${-2,0,o} A 192.0.2.1\n"), ["ffffffff-0FFFFFFFF-37777777777"]);
    // The width counts dots, also the one that ends an even width.
    for (form, owner) in [
        ("${0,1,n}", "2.1"),
        ("${0,2,n}", "2.1"),
        ("${0,3,n}", "2.1"),
        ("${0,4,n}z", "2.1.z"),
        ("${0,5,n}", "2.1.0"),
        ("${-18,6,n}z", "0.0.0.z"),
    ] {
        assert_eq!(owners(&format!("$GENERATE 18-18 {form} A 192.0.2.1\n")), [owner], "{form}");
    }
    assert_eq!(owners("$GENERATE 0-0 ${-2147483648,0,N} A 192.0.2.1\n"), ["0.0.0.0.0.0.0.8"]);
    assert_eq!(
        good("$GENERATE 1024-1024 ${-2000,0,n} AAAA 2001:db8::${0,4,x}\n")[0].rsplit(' ').next(),
        Some("20010db8000000000000000000000400")
    );
    assert_eq!(owners("$GENERATE 1-1 a\\$$b$$ A 192.0.2.1\n"), ["a\\$1b\\$"]);
    assert_eq!(
        good("$GENERATE 1-2 h$ MX \"1$ m$\"\n"),
        [
            format!("h1.Example.com. 3600 MX 000b{}", name("m1.Example.com")),
            format!("h2.Example.com. 3600 MX 000c{}", name("m2.Example.com")),
        ]
    );
    assert_eq!(
        good("$GENERATE 1-1 h$ MX 1$ m$\n")[0],
        format!("h1.Example.com. 3600 MX 000b{}", name("m1.Example.com"))
    );
    assert_eq!(good("$GENERATE 1-1 h$ TXT \"a $\"\n")[0], "h1.Example.com. 3600 TXT 03612031");
    assert_eq!(good("$GENERATE 1-1 h$ TXT \"\\\"a $\\\" b\"\n")[0], "h1.Example.com. 3600 TXT 036120310162");
    assert_eq!(
        good("$GENERATE 1-2 $.0 CNAME ( $ ; comment\n)\n")[1],
        format!("2.0.Example.com. 3600 CNAME {}", name("2.Example.com"))
    );
    assert_eq!(good("$GENERATE 0-65535 h$ TXT $\n").len(), 65_536);
}

#[test]
fn line_ends_and_byte_order_marks() {
    let text = format!("{HEAD}w TXT (\n \"a\" ; b\n c )\n  A 192.0.2.1").replace('\n', "\r\n");
    let outcome = load_octets(text.as_bytes());
    assert_eq!(outcome.faults, [""; 0]);
    assert_eq!(outcome.records(), ["w.Example.com. 3600 TXT 01610163", "w.Example.com. 3600 A c0000201"]);
    let outcome = load_octets(format!("\u{feff}{HEAD}w A 192.0.2.1\n").as_bytes());
    assert_eq!(outcome.faults, ["W 1:1 the file begins with a byte order mark"]);
    assert_eq!(outcome.records().len(), 1);
}

#[test]
fn names_reach_their_limits_and_no_further() {
    let label = "x".repeat(63);
    // With `.Example.com.` the owner has 255 octets.
    let longest = format!("{label}.{label}.{label}.{}", "x".repeat(49));
    assert_eq!(good(&format!("{longest} PTR {longest}\n")).len(), 1);
    let faults = load_text(&format!("{longest}x A 192.0.2.1\nw CNAME {longest}x\nv CNAME {label}x\n")).faults;
    assert_eq!(
        faults,
        [
            "E 5:1 an owner: the name is longer than 255 octets once Example.com. completes it",
            "E 6:9 CNAME data: the name is longer than 255 octets once Example.com. completes it",
            "E 7:9 CNAME data: a label is longer than 63 octets",
        ]
    );
}

#[test]
fn a_stated_ttl_goes_on_from_a_record_with_a_fault() {
    let faults = load_octets(b"@ 60 SOA ns hm 1 1 1 1 x\n NS ns.example.org.\n").faults;
    assert_eq!(faults, ["E 1:24 SOA data: the minimum time is expected"]);
}

#[test]
fn places_show_the_record() {
    let outcome = load_text("w 5 A 192.0.2.1 ; x\n  TXT ( a\n b )\n");
    let spans: Vec<_> = outcome.zone.expect("zone").places.iter().skip(3).map(|place| place.span.clone()).collect();
    let start = HEAD.len();
    assert_eq!(spans, [start..start + 15, start + 22..start + 25]);
}

#[test]
fn octets_that_are_not_utf_8_stand_for_themselves_in_comments_and_strings() {
    let with = |octets: &[u8]| {
        let outcome = load_octets(&[HEAD.as_bytes(), octets].concat());
        assert_eq!(outcome.faults, [""; 0]);
        outcome.records().iter().map(|record| record.rsplit(' ').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with(b"w A 192.0.2.1 ; caf\xe9\n; \xff\xfe\n"), ["c0000201"]);
    assert_eq!(with(b"t TXT \"caf\xe9\" caf\xe9 \"caf\xc3\xa9\" \\\xe9\n"), ["04636166e904636166e905636166c3a901e9"]);
    assert_eq!(with(b"t TXT ( \"\x80\" ; \xe9 (\n \xbf )\n"), ["018001bf"]);
    assert_eq!(with(b"t CAA 0 issue \"caf\xe9\"\nt HINFO \xe9 \"\xe8\"\n"), ["00056973737565636166e9", "01e901e8"]);
    assert_eq!(with(b"$GENERATE 1-1 t$ TXT \"\xe9$\"\n"), ["02e931"]);
    assert_eq!(with(b"t SVCB 1 . key65280=\"\xe9\"\n"), ["000100ff000001e9"]);
    // Every octet above ASCII, and the characters that stand for them inside, when a file has them as UTF-8.
    let all: Vec<u8> = (0x80..=0xff).collect();
    assert_eq!(with(&[b"t TXT \"", &all[..], b"\"\n"].concat()), [format!("80{}", hex(&all))]);
    assert_eq!(with("t TXT \"\u{ef80}\u{efff}\"\n".as_bytes()), ["06eebe80eebfbf"]);
}

#[test]
fn names_fold_case_in_the_types_of_rfc_4034_alone() {
    let count = |first: &str, second: &str| load_text(&format!("t {first}\nt {second}\n")).records().len();
    for (first, second) in [
        ("NS ns1", "NS NS1"),
        ("NAPTR 1 1 \"U\" \"x\" \"\" a", "NAPTR 1 1 \"U\" \"x\" \"\" A"),
        ("RT 1 a", "RT 1 A"),
        ("PX 1 a b", "PX 1 A B"),
        ("KX 1 a", "KX 1 A"),
        ("RP a b", "RP A B"),
    ] {
        assert_eq!(count(first, second), 1, "{first}");
    }
    for (first, second) in
        [("NAPTR 1 1 \"u\" \"\" \"\" .", "NAPTR 1 1 \"U\" \"\" \"\" ."), ("LP 1 a", "LP 1 A"), ("TXT a", "TXT A")]
    {
        assert_eq!(count(first, second), 2, "{first}");
    }
}
