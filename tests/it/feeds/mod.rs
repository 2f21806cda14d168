//! Load as it is reported by those who balance it: a real HAProxy and a real nginx under real requests, and the answers
//! that `dig` sees for it.

mod formats;
mod haproxy;
mod hostile;
mod law;
mod nginx;
mod traffic;

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    dig::{Server, dig},
    place::{Place, port},
};
use haproxy::Haproxy;
use nginx::Nginx;
use traffic::{Origin, Traffic};

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
";

/// The secret of all servers here: what a share of blocks is, is then the same in every run.
const SECRET: &str = "00112233445566778899aabbccddeeff\n";

/// Where those go who are passed on. Nobody tells of its load.
const OTHER: &str = "127.0.0.99";

/// How often is asked: the least that is taken, so that tests take seconds.
const TIMES: &str = "interval = \"500ms\"\nsmooth = \"0s\"";
/// How long it counts, likewise.
const MAX_AGE: &str = "1500ms";

/// One pool: its load, as the keys of its table; what its region can take; and where the region's load balancer is.
struct Pool<'a> {
    name: &'a str,
    load: String,
    capacity: f64,
    at: Place,
}

/// A server whose pools answer with their own region first, and with [`OTHER`] as they shed from `low` to `high`. Each is
/// the service `NAME.g.test`.
fn server(pools: &[Pool<'_>], low: f64, high: f64) -> Server {
    server_with(pools, low, high, MAX_AGE)
}

/// The same, where reports count for so long.
fn server_with(pools: &[Pool<'_>], low: f64, high: f64, max_age: &str) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.key");
    write_secret(&secret);
    let mut text = format!(
        "secret_file = \"{}\"\n[policies.first]\nprefer = [\"order\"]\nspread = \"hash\"\n\
         shed = {{ low = {low}, high = {high} }}\n[regions.eu]\n[regions.us]\n[zones.\"g.test\"]\nfile = \"g.zone\"\n",
        secret.display()
    );
    for Pool { name, load, capacity, at } in pools {
        let _ = write!(
            text,
            "[loads.{name}]\n{TIMES}\nmax_age = \"{max_age}\"\n{load}\n[pools.{name}]\nload = \"{name}\"\npolicy = \"first\"\n\
             order = [\"eu\", \"us\"]\n[pools.{name}.endpoints]\n\
             eu = {{ region = \"eu\", address = \"{}\", capacity = {capacity} }}\n\
             us = {{ region = \"us\", address = \"{OTHER}\" }}\n\
             [services.\"{name}.g.test\"]\npools = [\"{name}\"]\nttl = {{ max = \"1s\", min = \"1s\" }}\n",
            at.address
        );
    }
    let mut server = Server::start("[\"127.0.0.1:0\"]", &text, &[("g.zone", ZONE)]);
    server.wait_for("static names are answered");
    server
}

fn write_secret(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(file).expect("made");
    std::io::Write::write_all(&mut file, SECRET.as_bytes()).expect("written");
}

/// Blocks that are asked for.
const BLOCKS: usize = 800;

/// The share of blocks that a name gives to an address, as `dig` sees it.
fn share(server: &Server, name: &str, address: std::net::IpAddr) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("questions");
    let mut questions = String::new();
    for n in 0..BLOCKS {
        let _ = writeln!(questions, "{name}.g.test A +subnet={}.{}.0.0/16", 20 + n / 250, n % 250);
    }
    fs::write(&file, questions).expect("written");
    let run = dig(server.addresses[0]).args(["+short", "-f"]).arg(&file).output().expect("dig runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told = String::from_utf8(run.stdout).expect("text");
    let (wanted, mut count, mut all) = (address.to_string(), 0, 0);
    for line in told.lines() {
        assert!(line == wanted || line == OTHER, "{line}");
        count += usize::from(line == wanted);
        all += 1;
    }
    assert_eq!(all, BLOCKS, "every question has one answer");
    count as f64 / BLOCKS as f64
}
