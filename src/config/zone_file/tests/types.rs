//! Every record type of the IANA registry: its readable form to the octet, the same octets in the generic form, and back.

use super::*;
use crate::engine::wire::rr::RrType;

/// Data as written at a name of the zone example.com, and their octets. Those of the types that BIND 9.18 knows are what its
/// `named-compilezone` makes of the same line; the others follow their documents: RFC 9606 (RESINFO), 9859 (DSYNC), 9886
/// (HHIT, BRID) and the registry's templates of WALLET, CLA and IPN.
const GOLDEN: &[(&str, &str)] = &[
    ("LOC 49 25 44.916 N 1 27 57.070 W 0", "001216138a9b39547faf7a7200989680"),
    ("LOC 42 21 54 N 71 06 18 W -24m 30m", "0033161389172dd070be15f000988d20"),
    ("LOC 42 21 43.952 N 71 5 6.344 W -24m 1m 200m", "001224138917069070bf2dd800988d20"),
    ("LOC 52 14 05 N 00 08 50 E +10m", "001216138b3556c88008165000989a68"),
    ("LOC 32 7 19 S 116 2 25 E 10m", "00121613791b7d2898e6486800989a68"),
    ("LOC 42 21 28.764 N 71 00 51.617 W -44m 2000m", "002516138916cb3c70c310df00988550"),
    ("LOC 90 N 180 W -100000.00m 0.00m 90000000.00m 0.05m", "00009950934fd90059604e0000000000"),
    ("LOC 90 S 180 E 42849672.95 0.99 12.34m 123456.78m", "009113176cb02700a69fb200ffffffff"),
    ("LOC 1 1 .5 N 1 E -.5 .5m", "005116138037dad48036ee800098964e"),
    ("LOC 1 N 1 E 0 0", "000016138036ee808036ee8000989680"),
    ("CERT PKIX 0 0 AAEC", "0001000000000102"),
    ("CERT 1 12345 RSASHA256 AAEC AwQ=", "00013039080001020304"),
    ("CERT PGP 0 0 AAEC", "0003000000000102"),
    ("CERT IACPKIX 1 RSASHA1 AAEC", "0008000105000102"),
    ("CERT URI 1 PRIVATEOID AAEC", "00fd0001fe000102"),
    ("CERT OID 1 ECDSAP256SHA256 AAEC", "00fe00010d000102"),
    ("CERT 65280 1 1 AAEC", "ff00000101000102"),
    ("APL 1:192.168.32.0/21 !1:192.168.38.0/28", "00011503c0a82000011c83c0a826"),
    ("APL 1:192.168.42.0/26 1:192.168.42.64/26 !1:192.168.42.128/25", "00011a03c0a82a00011a04c0a82a4000011984c0a82a80"),
    ("APL 1:127.0.0.1/32 1:172.16.64.0/22", "000120047f00000100011603ac1040"),
    ("APL 1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8", "00010401e000020801ff"),
    ("APL", ""),
    ("APL 1:0.0.0.0/0 2:::/0", "0001000000020000"),
    ("CSYNC 66 3 A NS AAAA", "000000420003000460000008"),
    ("CSYNC 0 0", "000000000000"),
    ("CSYNC 0 0 TYPE1234 A CAA", "000000000000000140010140041b000000000000000000000000000000000000000000000000000020"),
    ("EUI48 00-00-5e-00-53-2a", "00005e00532a"),
    ("EUI64 00-00-5e-ef-10-00-00-2a", "00005eef1000002a"),
    (
        "HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ryra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D",
        "10020084200100107b1a74df365639cc39f1d57803010001b771ca136e4aeb5ce44333c53b3d2c13c22243851fc708bcce29f7e2eb5787b5f56ccad34f8223acc10904ddb56b2ec4a6d6232f3b50ea094f0914b3b941bbe529af582c36bbadefdaf2adaf9b4911906f5b2522603c615272b880ec8fb930cc6ee39c444daa75b1678f005a4b2499d1da5433f805c7a5ad3237acc5dd5c5e43",
    ),
    (
        "HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.com. rvs2",
        "10020006200100107b1a74df365639cc39f1d57803010001b77103727673076578616d706c6503636f6d000472767332076578616d706c6503636f6d00",
    ),
    ("NID 10 0014:4fff:ff20:ee64", "000a00144fffff20ee64"),
    ("NID 10 14:4fff:ff20:ee64", "000a00144fffff20ee64"),
    ("L32 10 10.1.2.0", "000a0a010200"),
    ("L64 10 2001:0DB8:1140:1000", "000a20010db811401000"),
    ("LP 10 l64-subnet1", "000a0b6c36342d7375626e657431076578616d706c6503636f6d00"),
    ("RT 10 relay", "000a0572656c6179076578616d706c6503636f6d00"),
    ("X25 3110", "0433313130"),
    ("X25 311061700956", "0c333131303631373030393536"),
    ("ISDN \"150862028003217\" \"004\"", "0f31353038363230323830303332313703303034"),
    ("ISDN \"150862028003217\"", "0f313530383632303238303033323137"),
    ("NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000162.00", "47000580005a0000000001e133ffffff00016200"),
    ("NSAP-PTR foo", "03666f6f076578616d706c6503636f6d00"),
    (
        "PX 10 net2.it. PRMD-net2.ADMD-p400.C-it.",
        "000a046e657432026974000950524d442d6e6574320941444d442d7034303004432d697400",
    ),
    ("GPOS -32.6882 116.8652 10.0", "082d33322e36383832083131362e383635320431302e30"),
    ("GPOS \"10\" \"20\" \"30\"", "023130023230023330"),
    ("WKS 10.0.0.1 TCP telnet ftp 0 1 2", "0a00000106e00005"),
    ("WKS 10.0.0.1 6 25 80", "0a000001060000004000000000000080"),
    ("WKS 10.0.0.1 UDP domain", "0a0000011100000000000004"),
    ("WKS 10.0.0.1 TCP smtp", "0a0000010600000040"),
    ("WKS 10.0.0.1 6", "0a00000106"),
    ("AFSDB 1 cell", "00010463656c6c076578616d706c6503636f6d00"),
    ("KX 10 kx", "000a026b78076578616d706c6503636f6d00"),
    (
        "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
        "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
    ),
    ("RP box txt", "03626f78076578616d706c6503636f6d0003747874076578616d706c6503636f6d00"),
    ("MINFO box err", "03626f78076578616d706c6503636f6d0003657272076578616d706c6503636f6d00"),
    ("MB mb", "026d62076578616d706c6503636f6d00"),
    ("MG mg", "026d67076578616d706c6503636f6d00"),
    ("MR mr", "026d72076578616d706c6503636f6d00"),
    (
        "HINFO PC-Intel-700mhz \"Redhat Linux 7.1\"",
        "0f50432d496e74656c2d3730306d687a10526564686174204c696e757820372e31",
    ),
    (
        "NAPTR 100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.gatech.edu.",
        "0064003201730d7a333935302b49324c2b49324300065f7a33393530045f746370066761746563680365647500",
    ),
    (
        "SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef67890abcd",
        "0402123456789abcdef67890123456789abcdef67890123456789abcdef67890abcd",
    ),
    (
        "TLSA 3 1 1 123456789abcdef67890123456789abcdef67890123456789abcdef67890abcd",
        "030101123456789abcdef67890123456789abcdef67890123456789abcdef67890abcd",
    ),
    ("SMIMEA 3 0 0 aabb", "030000aabb"),
    ("OPENPGPKEY AAEC", "000102"),
    (
        "URI 10 1 \"ftp://ftp1.example.com/public\"",
        "000a00016674703a2f2f667470312e6578616d706c652e636f6d2f7075626c6963",
    ),
    ("SPF \"v=spf1 -all\"", "0b763d73706631202d616c6c"),
    ("AVC \"app-name:WOLFGANG|app-class:OAM\"", "1f6170702d6e616d653a574f4c4647414e477c6170702d636c6173733a4f414d"),
    ("DOA 0 1 2 \"\" aHR0cHM6Ly93d3cuaXNjLm9yZy8=", "0000000000000001020068747470733a2f2f7777772e6973632e6f72672f"),
    ("DOA 1234567890 1234567890 1 \"image/gif\" -", "499602d2499602d20109696d6167652f676966"),
    ("NINFO \"foo\" \"bar\"", "03666f6f03626172"),
    ("RKEY 0 255 1 AAEC", "0000ff01000102"),
    ("TALINK . _talink1", "00085f74616c696e6b31076578616d706c6503636f6d00"),
    ("CDS 0 0 0 00", "0000000000"),
    ("CDS 30795 1 1 310d27f4d82c1fc2400704ea9939fe6e1ceaa3b9", "784b0101310d27f4d82c1fc2400704ea9939fe6e1ceaa3b9"),
    ("CDNSKEY 0 3 0 AA==", "0000030000"),
    ("CDNSKEY 257 3 RSASHA256 AAEC", "01010308000102"),
    ("DNSKEY 257 3 ECDSAP256SHA256 AAEC", "0101030d000102"),
    ("KEY 49152 3 13", "c000030d"),
    ("KEY 512 3 RSASHA1 AAEC", "02000305000102"),
    ("KEY 512 EMAIL RSASHA1 AAEC", "02000205000102"),
    (
        "DS 12892 5 SHA-256 26584835CA80C81C91999F31CFAF2A0E89D4FF1C8FAFD0DDB31A85C7 19277C13",
        "325c050226584835ca80c81c91999f31cfaf2a0e89d4ff1c8fafd0ddb31a85c719277c13",
    ),
    (
        "DS 12892 RSASHA1 2 26584835CA80C81C91999F31CFAF2A0E89D4FF1C8FAFD0DDB31A85C719277C13",
        "325c050226584835ca80c81c91999f31cfaf2a0e89d4ff1c8fafd0ddb31a85c719277c13",
    ),
    ("DS 1 8 99 00ff", "0001086300ff"),
    ("DLV 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118", "ec4505012bb183af5f22588179a53b0a98631fad1a292118"),
    ("TA 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118", "ec4505012bb183af5f22588179a53b0a98631fad1a292118"),
    (
        "ZONEMD 2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE",
        "7848b78c0101febe3d4ce2ec2ffa4ba99d46cd69d6d29711e55217057bee7eb1a7b641a47ba7fed2dd5b97ae499fafa4f22c6bd647de",
    ),
    ("ZONEMD 2018031500 1 241 E2D523F654B9422A96C5A8F44607BBEE", "7848b78c01f1e2d523f654b9422a96c5a8f44607bbee"),
    ("SINK 1 0 0 AAEC", "010000000102"),
    ("SINK 1 0 0", "010000"),
    ("EID 1289AB", "1289ab"),
    ("NIMLOC 1289ab", "1289ab"),
    ("ATMA +61200000000", "013631323030303030303030"),
    ("ATMA 39246f.00.0e7c9c0312000100010000123456.00", "0039246f000e7c9c031200010001000012345600"),
    ("ATMA +61.2.00000000", "013631323030303030303030"),
    (
        "IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
        "0a0102c0000226010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801",
    ),
    (
        "IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
        "0a0002010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801",
    ),
    (
        "IPSECKEY 10 3 2 mygateway AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
        "0a0302096d7967617465776179076578616d706c6503636f6d00010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801",
    ),
    (
        "IPSECKEY 10 2 2 2001:0DB8:0:8002::2000:1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
        "0a020220010db8000080020000000020000001010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801",
    ),
    ("AMTRELAY 10 0 1 203.0.113.15", "0a01cb00710f"),
    ("AMTRELAY 10 1 2 2001:db8::15", "0a8220010db8000000000000000000000015"),
    ("AMTRELAY 128 1 3 amtrelays", "808309616d7472656c617973076578616d706c6503636f6d00"),
    ("AMTRELAY 0 0 0 .", "0000"),
    ("A6 0 2345:00C1:CA11:0001:1234:5678:9ABC:DEF0", "00234500c1ca110001123456789abcdef0"),
    (
        "A6 64 ::1234:5678:9ABC:DEF0 SUBNET-1.IP6",
        "40123456789abcdef0085355424e45542d3103495036076578616d706c6503636f6d00",
    ),
    ("A6 1 8000::1 x", "01000000000000000000000000000000010178076578616d706c6503636f6d00"),
    ("A6 128 x", "800178076578616d706c6503636f6d00"),
    (
        "SIG A 5 3 3600 20260101000000 20250101000000 2143 foo.nil. AAEC",
        "0001050300000e106955b90067748580085f03666f6f036e696c00000102",
    ),
    (
        "SIG NXT RSASHA1 3 3600 20000102030405 19961211100908 2143 foo.nil. MxFcby9k",
        "001e050300000e10386ec02532ae8844085f03666f6f036e696c0033115c6f2f64",
    ),
    ("NXT a.secure NS SOA MX SIG KEY LOC NXT", "016106736563757265076578616d706c6503636f6d00220100c6"),
    ("NXT a.secure TYPE127", "016106736563757265076578616d706c6503636f6d0000000000000000000000000000000001"),
    ("CAA 0 issue \"ca.example.net; policy=ev\"", "0005697373756563612e6578616d706c652e6e65743b20706f6c6963793d6576"),
    ("CAA 128 tbs \"\"", "8003746273"),
    ("TXT \"\"", "00"),
    ("MD md", "026d64076578616d706c6503636f6d00"),
    ("MF mf", "026d66076578616d706c6503636f6d00"),
    (
        "RESINFO qnamemin exterr=15-17 infourl=https://resolver.example.com/guide",
        "08716e616d656d696e0c6578746572723d31352d31372a696e666f75726c3d68747470733a2f2f7265736f6c7665722e6578616d706c652e636f6d2f6775696465",
    ),
    ("WALLET ETH 0x1234", "0345544806307831323334"),
    ("CLA \"TCP-v4-v6\" \"bp\"", "095443502d76342d7636026270"),
    ("IPN 18446744073709551615", "ffffffffffffffff"),
    ("IPN 977000", "00000000000ee868"),
    ("DSYNC CDS NOTIFY 5359 cds-scanner.example.net.", "003b0114ef0b6364732d7363616e6e6572076578616d706c65036e657400"),
    ("DSYNC CSYNC 1 5300 scanner", "003e0114b4077363616e6e6572076578616d706c6503636f6d00"),
    ("DSYNC TYPE65280 200 0 .", "ff00c8000000"),
    ("HHIT AAEC", "000102"),
    ("BRID AAEC", "000102"),
];

/// Types that no document gives a readable form, or whose document forbids one in zone files (NULL: RFC 1035 3.3.10).
const UNREADABLE: [RrType; 5] = [RrType::NULL, RrType::UINFO, RrType::UID, RrType::GID, RrType::UNSPEC];

/// What the one record of this line is made of, without a fault.
fn data(line: &str) -> String {
    // DS stands beside NS.
    let beside = if line.starts_with("DS ") || line.starts_with("TYPE43 ") { "t NS ns1\n" } else { "" };
    let outcome = load_text(&format!("$ORIGIN example.com.\nt {line}\n{beside}"));
    assert_eq!(outcome.faults, [""; 0], "{line}");
    outcome.records()[0].rsplit(' ').next().unwrap_or("").to_ascii_lowercase()
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|digit| digit.to_digit(16).expect("a digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn rtype(line: &str) -> RrType {
    RrType::from_text(line.split(' ').next().unwrap_or("")).expect(line)
}

#[test]
fn every_type_of_the_registry_is_read() {
    // In the table above, in `records.rs`, or refused as part of a signed zone.
    let elsewhere = [
        RrType::A,
        RrType::NS,
        RrType::CNAME,
        RrType::SOA,
        RrType::PTR,
        RrType::MX,
        RrType::TXT,
        RrType::AAAA,
        RrType::SRV,
        RrType::DNAME,
        RrType::SVCB,
        RrType::HTTPS,
    ];
    let signed = [RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::NSEC3PARAM];
    for known in RrType::registered().filter(|known| !known.is_meta()) {
        let golden = GOLDEN.iter().any(|(line, _)| rtype(line) == known);
        let other = elsewhere.contains(&known) || signed.contains(&known) || UNREADABLE.contains(&known);
        assert!(golden || other, "{known}");
        assert_eq!(RrType::from_text(&known.to_string()), Some(known));
        let page = include_str!("../../../../docs/zones.md");
        assert!(
            page.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == known.to_string()),
            "{known} is not on the page"
        );
    }
    for known in UNREADABLE {
        assert_eq!(
            load_text(&format!("t {known} x\n")).faults,
            [format!("E 5:3 {known} data: this type has no readable form here")]
        );
        assert_eq!(data(&format!("{known} \\# 2 abcd")), "abcd");
    }
}

#[test]
fn readable_forms_to_the_octet() {
    for (line, hex) in GOLDEN {
        assert_eq!(data(line), *hex, "{line}");
    }
}

#[test]
fn the_generic_form_of_the_same_octets_is_taken_and_shown_as_the_readable_one() {
    for (line, hex) in GOLDEN.iter().filter(|(_, hex)| !hex.is_empty()) {
        let rtype = rtype(line);
        assert_eq!(data(&format!("TYPE{} \\# {} {hex}", rtype.0, hex.len() / 2)), *hex, "{line}");
        let shown = presentation(rtype, &octets(hex));
        assert!(!shown.starts_with("\\#"), "{line}: {shown}");
        assert_eq!(data(&format!("{rtype} {shown}")), *hex, "{line} is shown as {shown}");
    }
}

#[test]
fn data_are_shown_as_dig_shows_them() {
    for (rtype, hex, shown) in [
        (RrType::LOC, "001216138a9b39547faf7a7200989680", "49 25 44.916 N 1 27 57.070 W 0.00m 1m 10000m 10m"),
        (RrType::LOC, "0033161389172dd070be15f000988d20", "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m"),
        (RrType::CERT, "0001000000000102", "PKIX 0 0 AAEC"),
        (RrType::APL, "00011503c0a82000011c83c0a826", "1:192.168.32.0/21 !1:192.168.38.0/28"),
        (RrType::CSYNC, "000000420003000460000008", "66 3 A NS AAAA"),
        (RrType::DSYNC, "003b0114ef00", "CDS NOTIFY 5359 ."),
        (
            RrType::SIG,
            "0001050300000e106955b90067748580085f03666f6f036e696c00000102",
            "A 5 3 3600 20260101000000 20250101000000 2143 foo.nil. AAEC",
        ),
        (RrType::WKS, "0a00000106e00005", "10.0.0.1 6 0 1 2 21 23"),
        (RrType::NSAP, "47ff", "0x47ff"),
        (RrType::EUI48, "00005e00532a", "00-00-5e-00-53-2a"),
        (RrType::NID, "000a00144fffff20ee64", "10 14:4fff:ff20:ee64"),
        (RrType::L32, "000a0a010200", "10 10.1.2.0"),
        (RrType::CAA, "00056973737565613d62", "0 issue \"a=b\""),
        // A digest of a wrong length is shown all the same: reading refuses it.
        (RrType::DS, "0001080200", "1 8 2 00"),
        (RrType::NAPTR, "000100020155000000", "1 2 \"U\" \"\" \"\" ."),
        (RrType(65280), "ab", "\\# 1 AB"),
        (RrType::NULL, "", "\\# 0"),
    ] {
        assert_eq!(presentation(rtype, &octets(hex)), shown);
    }
}

#[test]
fn octets_that_are_cut_or_too_many_never_pass_for_others() {
    for (line, hex) in GOLDEN {
        let (rtype, whole) = (rtype(line), octets(hex));
        let longer = [&whole[..], &[0]].concat();
        for cut in (0..whole.len()).map(|end| &whole[..end]).chain([&longer[..]]) {
            let hex: String = cut.iter().map(|octet| format!("{octet:02x}")).collect();
            let outcome = load_text(&format!("t {rtype} \\# {} {hex}\n", cut.len()));
            if outcome.records().is_empty() {
                assert_eq!(outcome.faults.len(), 1, "{rtype} {hex}");
                assert!(outcome.faults[0].contains(&format!("{rtype} data: ")), "{:?}", outcome.faults);
            } else if !hex.is_empty() && rtype != RrType::WKS {
                // Zeros at the end of WKS mean nothing, and are not shown.
                let shown = presentation(rtype, cut);
                assert_eq!(data(&format!("{rtype} {shown}")), hex, "{rtype} is shown as {shown}");
            }
        }
    }
}
