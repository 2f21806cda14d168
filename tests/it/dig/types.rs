//! Rare record types: what a zone file says of them is what `dig` and `explain` show.

use std::process::Command;

use super::Server;

/// Data in the form that dig prints, but for blanks inside hexadecimal digits and base64.
const DATA: &[(&str, &str)] = &[
    ("LOC", "49 25 44.916 N 1 27 57.070 W 0.00m 1m 10000m 10m"),
    ("CERT", "PKIX 12345 RSASHA256 AAECAwQF"),
    ("APL", "1:192.168.32.0/21 !1:192.168.38.0/28 2:ff00::/8"),
    ("CSYNC", "66 3 A NS AAAA"),
    ("EUI48", "00-00-5e-00-53-2a"),
    ("EUI64", "00-00-5e-ef-10-00-00-2a"),
    ("HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.test."),
    ("NID", "10 14:4fff:ff20:ee64"),
    ("L32", "10 10.1.2.0"),
    ("L64", "10 2001:db8:1140:1000"),
    ("LP", "10 l64.example.test."),
    ("RT", "10 relay.example.test."),
    ("X25", "\"311061700956\""),
    ("ISDN", "\"150862028003217\" \"004\""),
    ("NSAP", "0x47000580005a0000000001e133ffffff00016200"),
    ("PX", "10 net2.example.test. prmd.example.test."),
    ("AMTRELAY", "10 1 3 relay.example.test."),
    ("AFSDB", "1 cell.example.test."),
    ("KX", "10 kx.example.test."),
    ("RP", "box.example.test. txt.example.test."),
    ("HINFO", "\"PC\" \"OS 1\""),
    ("NAPTR", "100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.example.test."),
    ("SSHFP", "4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF67890ABCD"),
    ("TLSA", "3 1 1 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF67890ABCD"),
    ("SMIMEA", "3 0 0 AABB"),
    ("OPENPGPKEY", "AAECAwQF"),
    ("URI", "10 1 \"ftp://ftp1.example.com/public\""),
    ("AVC", "\"app-name:WOLFGANG\""),
    ("TALINK", ". talink1.example.test."),
    ("CDS", "30795 1 1 310D27F4D82C1FC2400704EA9939FE6E1CEAA3B9"),
    ("DLV", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("CAA", "128 issue \"ca.example.net; policy=ev\""),
    ("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("ZONEMD", "2018031500 1 241 E2D523F654B9422A96C5A8F44607BBEE"),
    // Newer than the dig of Debian 12, which shows them in the generic form.
    ("RESINFO", "\"qnamemin\" \"exterr=15-17\""),
    ("WALLET", "\"ETH\" \"0x1234\""),
    ("DSYNC", "CDS NOTIFY 5359 scanner.example.test."),
    ("IPN", "977000"),
    // Without data, which the decoder of `explain` refuses.
    ("TYPE65280", "\\# 0"),
];

/// Without what is only layout.
fn dense(data: &str) -> String {
    data.chars().filter(|character| !character.is_whitespace() && !matches!(character, '(' | ')')).collect()
}

#[test]
fn rare_types_are_shown_as_the_zone_file_has_them() {
    let head =
        "$ORIGIN example.test.\n$TTL 300\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";
    let records: String = DATA.iter().map(|(rtype, data)| format!("t-{rtype} {rtype} {data}\n")).collect();
    let config = "[zones.\"example.test\"]\nfile = \"example.zone\"\n";
    let server = Server::start("[\"127.0.0.1:0\"]", config, &[("example.zone", &format!("{head}{records}"))]);
    for (rtype, data) in DATA {
        let answer = server.dig(&format!("t-{rtype}.example.test {rtype}"));
        let newer = matches!(*rtype, "RESINFO" | "WALLET" | "DSYNC" | "IPN");
        if !newer {
            let shown: Vec<String> = answer.data().into_iter().map(dense).collect();
            assert_eq!(shown, [dense(data)], "{rtype}:\n{}", answer.text);
        }
        let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .current_dir(server.folder())
            .args([
                "explain",
                "-c",
                "meridian.toml",
                &format!("t-{rtype}.example.test"),
                rtype,
                "--client",
                "192.0.2.1",
            ])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&run.stdout);
        let line = said.lines().find(|line| line.contains(&format!(" IN {rtype} "))).unwrap_or_default();
        let shown = line.split_once(&format!(" IN {rtype} ")).map_or("", |(_, shown)| shown);
        assert_eq!(dense(shown), dense(data), "{rtype}:\n{said}");
    }
}
