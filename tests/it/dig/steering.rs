//! Steered names, asked by `dig`: policies near each region, scopes, failover and failback of real HTTP servers, fallback
//! pools, and what is answered when all is lost.

use super::{Answer, Backend, Server};

const OVERRIDES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
192.0.2.0/24,NA,US,NY,New York,40.71,-74.01,64500
198.51.100.0/24,EU,DE,HE,Frankfurt,50.11,8.68,64501
203.0.113.0/24,AS,IN,MH,Mumbai,19.08,72.88,64502
5.5.5.0/24,EU,GB,ENG,London,51.51,-0.13,64503
2001:db8:2::/48,EU,DE,HE,Frankfurt,50.11,8.68,64501
";

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
www IN MX 10 ns1
static IN A 192.0.2.9
alias IN CNAME www
";

/// Three backends on loopback addresses that end in `last`, `last` + 1 and `last` + 2, one port for all.
fn backends(last: u8) -> Vec<Backend> {
    Backend::several::<3>(last).into()
}

/// Pools over the three backends; `services` is the end of the configuration.
fn config(last: u8, port: u16, services: &str) -> String {
    let [us, eu, ap] = [0, 1, 2].map(|n| format!("127.0.0.{}", last + n));
    format!(
        r#"
[geo]
overrides = "overrides.csv"
[health.governor]
max_regions = "100%"
[regions]
us-east  = {{ location = {{ lat = 39.04, lon = -77.49 }} }}
eu-west  = {{ location = {{ lat = 50.11, lon = 8.68 }} }}
ap-south = {{ location = {{ lat = 19.08, lon = 72.88 }} }}
[monitors.lb]
interval = "500ms"
timeout = "500ms"
recheck = "50ms"
# Refused in a moment; and a busy machine is not taken for a dead backend.
fall = 5
rise = 2
http = {{ port = {port}, path = "/health" }}
[pools.near]
monitor = "lb"
policy = "adaptive"
[pools.near.endpoints]
us = {{ region = "us-east", address = ["{us}"] }}
eu = {{ region = "eu-west", address = ["{eu}"] }}
ap = {{ region = "ap-south", address = ["{ap}"] }}
[pools.ordered]
monitor = "lb"
policy = "failover"
order = ["eu", "us"]
[pools.ordered.endpoints]
us = {{ region = "us-east", address = ["{us}"] }}
eu = {{ region = "eu-west", address = ["{eu}"] }}
[pools.last]
monitor = "lb"
policy = "failover"
order = ["ap"]
[pools.last.endpoints]
ap = {{ region = "ap-south", address = ["{ap}"] }}
[zones."g.test"]
file = "g.zone"
[services."www.g.test"]
pools = ["near"]
ttl = {{ max = "30s", min = "2s" }}
{services}
"#
    )
}

fn start(last: u8, backends: &[Backend], services: &str) -> Server {
    let files = [("g.zone", ZONE), ("overrides.csv", OVERRIDES)];
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(last, backends[0].port(), services), &files);
    server.wait_for("steered names are answered");
    server
}

#[test]
fn the_nearest_region_answers_with_the_scope_that_decided() {
    let backends = backends(21);
    let server = start(21, &backends, "");
    for (subnet, region, scope) in [
        ("192.0.2.0/24", "127.0.0.21", 24),
        ("198.51.100.0/24", "127.0.0.22", 24),
        ("198.51.100.77/32", "127.0.0.22", 24),
        ("203.0.113.0/24", "127.0.0.23", 24),
        ("2001:db8:2:3::/64", "127.0.0.22", 48),
    ] {
        let answer = server.dig(&format!("www.g.test a +subnet={subnet}"));
        assert_eq!(answer.one(), region, "{subnet}\n{}", answer.text);
        assert_eq!(answer.scope(), scope, "{subnet}");
        assert_eq!(answer.answer[0].ttl, 30);
    }
    assert_eq!(server.dig("www.g.test a +subnet=0.0.0.0/0").scope(), 0, "SOURCE 0");
    assert_eq!(server.dig("www.g.test a +subnet=10.1.2.0/24").scope(), 8, "a private block's own length");
    assert!(server.dig("www.g.test a").subnet.is_none(), "never unasked");
    let one_client = server.dig("www.g.test a +subnet=8.8.8.0/24");
    assert!(one_client.scope() >= 16, "hash can split, so no wider than /16");
    for _ in 0..3 {
        assert_eq!(server.dig("www.g.test a +subnet=8.8.8.0/24").one(), one_client.one(), "a block keeps its region");
    }
}

#[test]
fn a_service_is_a_name_like_any_other() {
    let backends = backends(31);
    let server = start(31, &backends, "");
    for rtype in ["https", "txt", "aaaa", "cname"] {
        let answer = server.dig(&format!("www.g.test {rtype} +subnet=192.0.2.0/24"));
        answer.assert_nodata();
        assert_eq!(answer.authority[0].ttl, 2, "{rtype}: the service's ttl.min");
        assert_eq!(answer.scope(), 0);
    }
    assert_eq!(server.dig("www.g.test mx").one(), "10 ns1.g.test.");
    assert_eq!(server.dig("below.www.g.test a").status, "NXDOMAIN");
    assert_eq!(server.dig("alias.g.test a").answer.len(), 2, "without ECS the chain is followed");
    assert_eq!(server.dig("alias.g.test a +subnet=192.0.2.0/24").one(), "www.g.test.", "with ECS it stops (P104)");
}

#[test]
fn a_killed_region_leaves_and_a_healed_one_comes_back() {
    let mut backends = backends(41);
    let mut server = start(41, &backends, "[services.\"first.g.test\"]\npools = [\"ordered\", \"last\"]\n");
    let near = |server: &Server| server.dig("www.g.test a +subnet=5.5.5.0/24").one().to_owned();
    let first = |server: &Server| server.dig("first.g.test a").one().to_owned();
    assert_eq!((near(&server), first(&server)), ("127.0.0.42".into(), "127.0.0.42".into()));

    backends[1].kill();
    server.wait_for("127.0.0.42 is down");
    assert_eq!(near(&server), "127.0.0.41", "the next nearest");
    assert_eq!(first(&server), "127.0.0.41", "the next in order");

    backends[0].set_status(503);
    server.wait_for("127.0.0.41 is down");
    assert_eq!(near(&server), "127.0.0.43");
    assert_eq!(first(&server), "127.0.0.43", "the fallback pool");
    assert_eq!(server.dig("www.g.test a +subnet=5.5.5.0/24").scope(), 24, "the same in every health state");

    backends[1].heal();
    server.wait_for("127.0.0.42 is up");
    assert_eq!((near(&server), first(&server)), ("127.0.0.42".into(), "127.0.0.42".into()));
    backends[0].set_status(200);
    server.wait_for("127.0.0.41 is up");
    assert_eq!(server.dig("www.g.test a +subnet=192.0.2.0/24").one(), "127.0.0.41");
}

#[test]
fn when_all_is_lost_the_service_says_what_happens() {
    let mut backends = backends(51);
    let service = |name: &str, mode: &str| {
        format!(
            "[services.\"{name}.g.test\"]\npools = [\"ordered\"]\nttl = {{ max = \"20s\", min = \"3s\" }}\nwhen_all_down = {mode}\n"
        )
    };
    let services = [
        service("ignore", "\"ignore-health\""),
        service("all", "\"serve-all\""),
        service("nodata", "\"nodata\""),
        service("servfail", "\"servfail\""),
        service("sorry", "{ address = [\"192.0.2.99\", \"2001:db8::99\"] }"),
    ]
    .concat();
    let mut server = start(51, &backends, &services);
    backends[0].kill();
    server.wait_for("127.0.0.51 is down");
    backends[1].kill();
    server.wait_for("127.0.0.52 is down");
    let ignored = server.dig("ignore.g.test a");
    assert_eq!((ignored.one(), ignored.answer[0].ttl), ("127.0.0.52", 3), "ranked as if all were up, at ttl.min");
    assert_eq!(server.dig("all.g.test a").data(), ["127.0.0.51", "127.0.0.52"]);
    server.dig("nodata.g.test a").assert_nodata();
    let failed = server.dig("servfail.g.test a");
    assert_eq!((failed.status.as_str(), failed.answer.len()), ("SERVFAIL", 0));
    assert_eq!(server.dig("sorry.g.test a").one(), "192.0.2.99");
    assert_eq!(server.dig("sorry.g.test aaaa").one(), "2001:db8::99");
}

/// Before the first probe round a steered name gets no reply over UDP and waits over TCP; static names answer at once.
#[test]
fn steered_names_wait_for_the_first_probe_round() {
    let backend = Backend::start(71);
    backend.hold(true);
    let config = format!(
        "startup_wait = \"1m\"\n[regions.r]\n[monitors.m]\ninterval = \"40s\"\ntimeout = \"40s\"\nhttp = {{ port = {}, path = \"/\" }}\n\
         [pools.p]\nmonitor = \"m\"\n[pools.p.endpoints]\ne = {{ region = \"r\", address = [\"127.0.0.71\"] }}\n\
         [zones.\"g.test\"]\nfile = \"g.zone\"\n[services.\"www.g.test\"]\npools = [\"p\"]\n",
        backend.port()
    );
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("g.zone", ZONE)]);
    assert_eq!(server.dig("static.g.test a").one(), "192.0.2.9", "static names answer at once");
    assert_eq!(server.dig("www.g.test a +notcp +time=1").status, "", "no reply over UDP");
    let address = server.addresses[0];
    let waiting = std::thread::spawn(move || Answer::ask(address, "www.g.test a +tcp +time=60"));
    backend.hold(false);
    server.wait_for("steered names are answered");
    assert_eq!(waiting.join().expect("dig ended").one(), "127.0.0.71", "over TCP it waited");
    assert_eq!(server.dig("www.g.test a +notcp").one(), "127.0.0.71");
}

#[test]
fn every_spread_shares_as_it_says() {
    let backends = backends(61);
    let pools = ["weighted", "random", "round-robin", "ip-hash"].map(|policy| {
        format!(
            "[pools.{policy}]\nmonitor = \"lb\"\npolicy = \"{policy}\"\n[pools.{policy}.endpoints]\n\
             us = {{ region = \"us-east\", address = [\"127.0.0.61\"], weight = 3 }}\n\
             eu = {{ region = \"eu-west\", address = [\"127.0.0.62\"], weight = 1 }}\n\
             [services.\"{policy}.g.test\"]\npools = [\"{policy}\"]\nttl = {{ max = \"1h\", min = \"1s\" }}\n"
        )
    });
    let everybody = "[policies.everybody]\nextends = \"weighted\"\nspread = \"all\"\n[pools.everybody]\nmonitor = \"lb\"\n\
         policy = \"everybody\"\n[pools.everybody.endpoints]\nus = { region = \"us-east\", address = [\"127.0.0.61\"] }\n\
         eu = { region = \"eu-west\", address = [\"127.0.0.62\"] }\n[services.\"everybody.g.test\"]\npools = [\"everybody\"]\n";
    let server = start(61, &backends, &format!("{}{everybody}", pools.concat()));
    assert_eq!(server.dig("everybody.g.test a").data(), ["127.0.0.61", "127.0.0.62"]);
    for (name, scope) in [("weighted", 16), ("round-robin", 16), ("ip-hash", 24)] {
        let answers: Vec<_> = (1..40)
            .map(|n| server.dig(&format!("{name}.g.test a +subnet=20.{n}.{n}.0/24")))
            .map(|a| (a.one().to_owned(), a.scope()))
            .collect();
        assert!(answers.iter().all(|(_, s)| *s == scope), "{name}");
        assert!(answers.iter().any(|(a, _)| a == "127.0.0.61") && answers.iter().any(|(a, _)| a == "127.0.0.62"));
        let again = server.dig(&format!("{name}.g.test a +subnet=20.7.7.0/24"));
        assert_eq!(again.one(), answers[6].0, "{name}: the same in the same slot");
    }
    let random: Vec<_> = (0..40).map(|_| server.dig("random.g.test a").one().to_owned()).collect();
    assert!(random.iter().any(|a| a == "127.0.0.61") && random.iter().any(|a| a == "127.0.0.62"), "{random:?}");
}
