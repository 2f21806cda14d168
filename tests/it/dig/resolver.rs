//! A real resolver in front, with a cache by client subnet: what its clients get while families of endpoints, endpoints and
//! whole pools are lost and come back. A negative answer is kept for all its clients (RFC 7871 7.4), so that one is enough to
//! empty a name everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    net::{IpAddr, SocketAddr, UdpSocket},
    process::{Child, Command, Stdio},
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{RData, RecordType},
};

use super::Server;
use crate::steering::lab::{A, AAAA, packet, prefix};

/// Client prefixes, 20.0.0.0/24 and on; every third is near each region.
const CLIENTS: u32 = 500;
/// Queries that are under way at once.
const AT_ONCE: usize = 64;
/// How long a reply may take before the test is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often all are asked before the test is given up: one round takes a fraction of a second.
const ROUNDS: usize = 400;

/// A running Unbound that asks one server for `g.test`.
struct Unbound {
    child: Child,
    socket: UdpSocket,
    _folder: tempfile::TempDir,
}

impl Unbound {
    fn start(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let config = format!(
            r#"server:
    interface: 127.0.0.1@{port}
    do-daemonize: no
    do-ip6: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{folder}"
    use-syslog: no
    num-threads: 1
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    local-zone: "test." nodefault
    module-config: "subnetcache iterator"
    send-client-subnet: {address}
    max-client-subnet-ipv4: 24
    minimal-responses: yes
    qname-minimisation: no
remote-control:
    control-enable: no
stub-zone:
    name: "g.test"
    stub-addr: {address}@{at}
"#,
            folder = folder.path().display(),
            address = server.ip(),
            at = server.port()
        );
        let path = folder.path().join("unbound.conf");
        std::fs::write(&path, config).expect("written");
        let sbin = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()); // where Debian has servers
        let mut child = Command::new("unbound")
            .env("PATH", sbin)
            .arg("-d")
            .arg("-c")
            .arg(&path)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .expect("unbound starts: tests/run installs it");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains("start of service")) {
            said.push(lines.next().unwrap_or_else(|| panic!("unbound does not start:\n{}", said.join("\n"))));
        }
        std::thread::spawn(move || lines.for_each(drop));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(("127.0.0.1", port)).expect("connected");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time");
        Self { child, socket, _folder: folder }
    }

    /// What comes back to each question, in order.
    fn ask(&self, questions: &[Question]) -> Vec<Got> {
        let mut found = BTreeMap::new();
        let mut buffer = [0; 4096];
        let (mut next, mut open) = (0, 0);
        while found.len() < questions.len() {
            while open < AT_ONCE && next < questions.len() {
                self.socket.send(&questions[next].packet(next)).expect("sent");
                (next, open) = (next + 1, open + 1);
            }
            let len = self.socket.recv(&mut buffer).expect("unbound answers");
            let message = Message::from_vec(&buffer[..len]).expect("a message");
            let at = usize::from(message.metadata.id);
            if found.insert(at, Got::of(&message, questions[at].rtype)).is_none() {
                open -= 1;
            }
        }
        found.into_values().collect()
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Debug)]
struct Question {
    name: String,
    rtype: u16,
    client: u32,
}

impl Question {
    fn packet(&self, id: usize) -> Vec<u8> {
        let client = prefix(&format!("20.{}.{}.0/24", self.client / 250, self.client % 250));
        let mut octets = packet(&self.name, self.rtype, Some(client));
        octets[..2].copy_from_slice(&u16::try_from(id).expect("few enough").to_be_bytes());
        octets[2] |= 1; // recursion desired
        octets
    }
}

/// What a client gets.
#[derive(Clone, Debug)]
struct Got {
    code: ResponseCode,
    addresses: Vec<IpAddr>,
    alias: bool,
}

impl Got {
    fn of(message: &Message, rtype: u16) -> Self {
        let address = |record: &hickory_proto::rr::Record| match &record.data {
            RData::A(a) if rtype == A => Some(IpAddr::V4(a.0)),
            RData::AAAA(aaaa) if rtype == AAAA => Some(IpAddr::V6(aaaa.0)),
            _ => None,
        };
        Self {
            code: message.metadata.response_code,
            addresses: message.answers.iter().filter_map(address).collect(),
            alias: message.answers.iter().any(|record| record.record_type() == RecordType::CNAME),
        }
    }
}

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
cdn IN A 192.0.2.90
cdn IN AAAA 2001:db8::90
";

/// What each service answers with when all is down; and whether that names an address of a family that is lost alone.
const ENDS: [(&str, &str, bool); 8] = [
    ("ignore", "\"ignore-health\"", true),
    ("all", "\"serve-all\"", true),
    ("known", "\"last-known\"", true),
    ("listed", "{ address = [\"192.0.2.99\", \"2001:db8::99\"] }", true),
    ("nodata", "\"nodata\"", false),
    ("servfail", "\"servfail\"", false),
    ("refused", "\"refused\"", false),
    ("cname", "{ cname = \"cdn.g.test\" }", false),
];

/// Names whose A and AAAA are never empty, whatever is lost below.
const WHOLE: [&str; 3] = ["www", "uneven", "mixed"];

fn config() -> String {
    let mut text = String::from(
        r#"
[geo]
overrides = "overrides.csv"
[health.governor]
max_regions = "100%"
[regions]
eu = { location = { lat = 50.11, lon = 8.68 } }
us = { location = { lat = 39.04, lon = -77.49 } }
ap = { location = { lat = 19.08, lon = 72.88 } }
[monitors.m]
interval = "200ms"
timeout = "200ms"
file = { path = "health.csv" }
[defaults.service]
ttl = { max = "2s", min = "1s" }
[pools.web]
monitor = "m"
[pools.web.endpoints]
eu = { region = "eu", address = ["192.0.2.10", "2001:db8::10"] }
us = { region = "us", address = ["192.0.2.20", "2001:db8::20"] }
ap = { region = "ap", address = ["192.0.2.30", "2001:db8::30"] }
[pools.uneven]
monitor = "m"
[pools.uneven.endpoints]
eu = { region = "eu", address = ["192.0.2.10"] }
us = { region = "us", address = ["192.0.2.20", "2001:db8::20"] }
ap = { region = "ap", address = ["2001:db8::30"] }
[pools.mixed]
monitor = "m"
[pools.mixed.endpoints]
eu = { region = "eu", address = ["192.0.2.10", "2001:db8::10"] }
us = { region = "us", address = ["192.0.2.20", "2001:db8::20"] }
cdn = { region = "ap", cname = "cdn.g.test" }
[pools.spare]
[pools.spare.endpoints]
spare = { region = "us", address = ["192.0.2.60", "2001:db8::60"] }
[pools.old]
monitor = "m"
[pools.old.endpoints]
old = { region = "eu", address = ["192.0.2.40"] }
[pools.new]
[pools.new.endpoints]
new = { region = "us", address = ["192.0.2.50", "2001:db8::50"] }
[zones."g.test"]
file = "g.zone"
[services."www.g.test"]
pools = ["web"]
[services."uneven.g.test"]
pools = ["uneven"]
[services."mixed.g.test"]
pools = ["mixed"]
[services."later.g.test"]
pools = ["old", "new"]
"#,
    );
    for (name, instead, _) in ENDS {
        text += &format!("[services.\"{name}.g.test\"]\npools = [\"web\", \"spare\"]\nwhen_all_down = {instead}\n");
    }
    text
}

fn overrides() -> String {
    let mut text = String::from("prefix,continent,country,subdivision,city,lat,lon,asn\n");
    for n in 0..CLIENTS {
        let place = ["EU,DE,,,50.11,8.68", "NA,US,,,40.71,-74.01", "AS,IN,,,19.08,72.88"][n as usize % 3];
        text += &format!("20.{}.{}.0/24,{place},\n", n / 250, n % 250);
    }
    text
}

/// A server, a resolver before it, and their clients.
struct Stage {
    server: Server,
    unbound: Unbound,
    questions: Vec<Question>,
}

impl Stage {
    fn start() -> Self {
        let (overrides, config) = (overrides(), config());
        let files = [("g.zone", ZONE), ("overrides.csv", &overrides), ("health.csv", "")];
        let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &files);
        server.wait_for("steered names are answered");
        let unbound = Unbound::start(server.addresses[0]);
        let mut questions = Vec::new();
        for client in 0..CLIENTS {
            // A few clients are enough for what does not depend on the client.
            let few = ENDS.iter().map(|(name, ..)| *name).chain(["later"]).filter(|_| client % 50 < 3);
            for name in WHOLE.into_iter().chain(few) {
                let of = |rtype| Question { name: format!("{name}.g.test"), rtype, client };
                questions.extend([A, AAAA].map(of));
            }
        }
        Self { server, unbound, questions }
    }

    /// From now on these addresses are down, and all others are up. Asks for all names of all clients until every one of
    /// them gets what `settled` says, and looks at everything that comes back on the way: `lost` names families that the
    /// pool `web` has nowhere, or that it may have had nowhere a moment ago.
    #[track_caller]
    fn event(&mut self, what: &str, down: &[&str], lost: bool, settled: impl Fn(&Question, &Got) -> bool) {
        let lines: String = down.iter().map(|address| format!("{address},down\n")).collect();
        self.server.put("health.csv", &lines);
        for _ in 0..ROUNDS {
            let got = self.unbound.ask(&self.questions);
            let pairs = || self.questions.iter().zip(&got);
            for (question, got) in pairs() {
                judge(what, question, got, lost);
            }
            if pairs().all(|(question, got)| settled(question, got)) {
                return;
            }
        }
        panic!("{what}: clients still do not get what they should");
    }
}

/// What must never reach a client.
#[track_caller]
fn judge(what: &str, question: &Question, got: &Got, lost: bool) {
    let name = question.name.trim_end_matches(".g.test");
    let case = || format!("{what}: {question:?} {got:?}");
    assert_eq!(got.code, ResponseCode::NoError, "{}", case());
    let later: [IpAddr; 4] = ["192.0.2.60", "2001:db8::60", "192.0.2.50", "2001:db8::50"].map(|a| a.parse().expect(a));
    assert!(what == "the first pool is lost" || !got.addresses.iter().any(|a| later.contains(a)), "{}", case());
    let end = ENDS.iter().find(|(end, ..)| *end == name);
    assert!(name == "mixed" || !got.alias, "{}", case());
    let empty = match end {
        _ if name == "later" => question.rtype == AAAA,
        Some((.., named)) => lost && question.rtype == AAAA && !named,
        None => false,
    };
    assert!(empty || !got.addresses.is_empty(), "{}: an empty answer", case());
}

fn addresses(texts: &[&str]) -> BTreeSet<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

/// No NODATA reaches a client of a pool that has the family, while one family of a region is lost, both are, at once or one
/// after the other, and come back; nor where regions have uneven families, or addresses stand beside another name. A family
/// that the whole pool has lost is answered as in the last resort, for its type alone, and never from a later pool.
#[test]
fn no_empty_answer_reaches_a_client_of_a_resolver() {
    let mut stage = Stage::start();
    let without = |dead: &[&str]| {
        let dead = addresses(dead);
        move |_: &Question, got: &Got| !got.addresses.iter().any(|address| dead.contains(address))
    };
    let whole = |question: &Question, got: &Got| {
        let near = [("10", 0), ("20", 1), ("30", 2)].into_iter().find(|(_, at)| question.client % 3 == *at);
        let here = near.map(|(n, _)| [format!("192.0.2.{n}"), format!("2001:db8::{n}")]);
        let here = here.map(|both| both.map(|text| text.parse::<IpAddr>().expect("an address")));
        question.name != "www.g.test" || here.is_some_and(|both| got.addresses.iter().all(|a| both.contains(a)))
    };
    stage.event("all is up", &[], false, whole);
    let (four, six) = ("192.0.2.10", "2001:db8::10");
    stage.event("a region loses IPv6", &[six], false, without(&[six]));
    stage.event("it loses IPv4 too", &[four, six], false, without(&[four, six]));
    stage.event("IPv6 is back", &[four], false, without(&[four]));
    stage.event("IPv4 is back", &[], false, whole);
    stage.event("a region loses both", &[four, six], false, without(&[four, six]));
    stage.event("both are back", &[], false, whole);
    let sixes = ["2001:db8::10", "2001:db8::20", "2001:db8::30"];
    // Which of the last resorts has come, by what it names.
    let lost = |question: &Question, got: &Got| match question.name.trim_end_matches(".g.test") {
        "all" if question.rtype == AAAA => got.addresses.len() == 3,
        "listed" if question.rtype == AAAA => got.addresses == ["2001:db8::99".parse::<IpAddr>().expect("an address")],
        "nodata" | "servfail" | "refused" | "cname" if question.rtype == AAAA => got.addresses.is_empty(),
        _ => true,
    };
    stage.event("the pool loses IPv6", &sixes, true, lost);
    stage.event("IPv6 is back everywhere", &[], true, |question, got| {
        let end = ENDS.iter().any(|(name, ..)| question.name.trim_end_matches(".g.test") == *name);
        whole(question, got)
            && (!end
                || got.addresses.len() == 1 && !got.addresses.contains(&"2001:db8::99".parse().expect("an address")))
    });
    stage.event("all is up again", &[], false, whole);
    // The name goes on to the next pool when the first is lost in all its families, and then for both types.
    stage.event("the first pool is lost", &["192.0.2.40"], false, |question, got| {
        let next = addresses(&["192.0.2.50", "2001:db8::50"]);
        question.name != "later.g.test" || !got.addresses.is_empty() && got.addresses.iter().all(|a| next.contains(a))
    });
}
