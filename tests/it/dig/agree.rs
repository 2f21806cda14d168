//! Two servers that have never heard of each other say the same, and each says one endpoint for every type.

use std::{fmt::Write as _, fs, io::Write as _, os::unix::fs::OpenOptionsExt, path::Path};

use super::{Server, answer};

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
";

/// Three regions of two endpoints each, shared by the hash of the /24: what a slot decides would turn over while dig asks,
/// each block at a moment of its own, and so could not be compared.
fn config(secret: &Path) -> String {
    let mut text = format!(
        "secret_file = \"{}\"\n[policies.keep]\nprefer = []\nspread = \"hash\"\nsticky = {{ v4 = 24, v6 = 56 }}\n",
        secret.display()
    );
    for region in ["a", "b", "c"] {
        let _ = writeln!(text, "[regions.{region}]");
    }
    text += "[pools.web]\npolicy = \"keep\"\n";
    for n in 1..=6 {
        let region = ["a", "b", "c"][(n - 1) / 2];
        let _ = writeln!(
            text,
            "[pools.web.endpoints.e{n}]\nregion = \"{region}\"\naddress = [\"192.0.2.{n}\", \"2001:db8::{n}\"]\nweight = {}",
            10 * n
        );
    }
    text + "[zones.\"g.test\"]\nfile = \"g.test.zone\"\n[services.\"www.g.test\"]\npools = [\"web\"]\nttl = { max = \"1h\", min = \"5s\" }\nhttps = { alpn = [\"h2\"], hints = true }\n"
}

/// The short answers of one `dig` over a file of questions, in the file's order.
fn batch(server: &Server, file: &Path) -> Vec<String> {
    let run = answer::dig(server.addresses[0]).args(["+short", "-f"]).arg(file).output().expect("dig runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// 1,000 prefixes × A, AAAA and HTTPS, to two servers with one configuration and one secret.
#[test]
fn two_servers_agree_and_all_types_of_a_client_come_from_one_endpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.key");
    let mut key = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret).expect("made");
    key.write_all(b"00112233445566778899aabbccddeeff\n").expect("written");
    let mut questions = String::new();
    for n in 0..1000 {
        for rtype in ["A", "AAAA", "HTTPS"] {
            let _ = writeln!(questions, "www.g.test {rtype} +subnet=20.{}.{}.0/24", n / 250, n % 250);
        }
    }
    let file = folder.path().join("questions");
    fs::write(&file, questions).expect("written");
    let start = || {
        let mut server = Server::start("[\"127.0.0.1:0\"]", &config(&secret), &[("g.test.zone", ZONE)]);
        server.wait_for("static names are answered");
        server
    };
    let (one, two) = (start(), start());
    let (first, second) = (batch(&one, &file), batch(&two, &file));
    assert_eq!(first.len(), 3000, "every question has one answer");
    assert_eq!(first, second, "the servers agree");
    let mut seen = [0; 7];
    for told in first.chunks(3) {
        let [a, aaaa, https] = told else { panic!("three answers for a client") };
        let n = a.rsplit('.').next().expect("an address");
        assert_eq!(*aaaa, format!("2001:db8::{n}"));
        assert_eq!(*https, format!("1 . alpn=\"h2\" ipv4hint=192.0.2.{n} ipv6hint=2001:db8::{n}"));
        seen[n.parse::<usize>().expect("a number")] += 1;
    }
    assert!(seen[1..].iter().all(|count| *count > 0), "everybody has clients: {seen:?}");
}
