//! The client subnet option on every class of response, end to end: whose address the answer is for, and the scope that
//! goes back (RFC 7871; P97 to P102, G2 to G5, G9).

use meridian::engine::{
    snapshot::Snapshot,
    wire::name::Name,
    world::{
        Draft, Reflect,
        service::{Fallback, Https},
    },
};

use super::*;
use crate::steering::lab::prefix;

const CONFIG: &str = r#"
[geo]
overrides = "OVERRIDES"
[ecs]
from = ["198.51.100.0/24", "2001:db8:ff::/48"]
[monitors.m]
tcp = { port = 80 }
[regions.eu]
location = { lat = 50.11, lon = 8.68 }
[regions.us]
location = { lat = 39.04, lon = -77.49 }
[policies.near]
extends = "ip-hash"
prefer = ["distance"]
[pools.near]
policy = "near"
[pools.near.endpoints]
eu = { region = "eu", address = ["192.0.2.1"] }
us = { region = "us", address = ["192.0.2.2"] }
[pools.cdn]
policy = "near"
[pools.cdn.endpoints]
eu = { region = "eu", address = ["192.0.2.3"] }
us = { region = "us", address = ["192.0.2.4"] }
[pools.lost]
monitor = "m"
policy = "near"
[pools.lost.endpoints]
eu = { region = "eu", address = ["192.0.2.5"] }
us = { region = "us", address = ["192.0.2.6"] }
[services]
"near.example.test" = { pools = ["near"] }
"off.example.test" = { pools = ["near"] }
"*.w.example.test" = { pools = ["near"] }
"cdn.example.test" = { pools = ["cdn"] }
"nodata.example.test" = { pools = ["lost"], when_all_down = "nodata" }
"servfail.example.test" = { pools = ["lost"], when_all_down = "servfail" }
"refused.example.test" = { pools = ["lost"] }
"sorry.example.test" = { pools = ["lost"], when_all_down = { address = ["192.0.2.99"] } }
"#;

/// 198.51.100.0/24 and 2001:db8:ff::/48, from where queries are sent, are in Europe, the clients of the tests in America.
const OVERRIDES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
198.51.100.0/24,EU,DE,,,50.11,8.68,
192.0.2.0/24,EU,DE,,,50.11,8.68,
2001:db8:ff::/48,EU,DE,,,50.11,8.68,
203.0.113.0/24,NA,US,,,39.04,-77.49,
2600::/16,NA,US,,,39.04,-77.49,
";

const ZONE: &str = concat!(
    "static A 192.0.2.9\nalias CNAME near\nsub NS ns.example.net.\n*.s A 192.0.2.10\nd DNAME s\nent.x A 192.0.2.11\n",
    "@ MX 10 near\nsrv SRV 1 1 443 near\n",
);

fn change(draft: &mut Draft) {
    let name = |text: &str| Name::from_text(text).expect(text);
    draft.reflect = Some(Reflect { name: name("who.example.test"), allow: vec![prefix("198.51.100.0/24")] });
    let cdn = draft.pools.iter().position(|pool| &*pool.name == "cdn").expect("a pool");
    for (endpoint, target) in draft.pools[cdn].endpoints.iter_mut().zip(["eu.example.net", "us.example.net"]) {
        (endpoint.v4, endpoint.cname) = (None, Some(name(target)));
    }
    for service in &mut draft.services {
        match &*service.name.to_string() {
            "off.example.test." => service.ecs = false,
            "refused.example.test." => service.when_all_down = Fallback::Refused,
            "near.example.test." => service.https = Some(Https { alpn: vec!["h2".into()], port: None, hints: true }),
            _ => {}
        }
    }
}

fn snapshot() -> Snapshot {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("o.csv");
    std::fs::write(&path, OVERRIDES).expect("written");
    let config = CONFIG.replace("OVERRIDES", &path.display().to_string());
    judged(&changed(&[("example.test", ZONE)], &config, change), |_| false)
}

/// Questions whose answer rests on where the client is, and what it is for a client in Europe and for one in America.
const STEERED: [(&str, &str, &str); 6] = [
    ("near.example.test A", "192.0.2.1", "192.0.2.2"),
    ("near.example.test HTTPS", "192.0.2.1", "192.0.2.2"),
    ("a.w.example.test A", "192.0.2.1", "192.0.2.2"),
    ("srv.example.test SRV", "192.0.2.1", "192.0.2.2"),
    ("cdn.example.test A", "eu.example.net.", "us.example.net."),
    ("cdn.example.test TXT", "eu.example.net.", "us.example.net."),
];

/// Questions of every other class, with their response codes.
const OTHERS: [(&str, u16); 23] = [
    ("static.example.test A", NOERROR),
    ("x.s.example.test A", NOERROR),
    ("x.d.example.test A", NOERROR),
    ("static.example.test AAAA", NOERROR),
    ("near.example.test AAAA", NOERROR),
    ("near.example.test TXT", NOERROR),
    ("near.example.test ANY", NOERROR),
    ("near.example.test DS", NOERROR),
    ("a.w.example.test AAAA", NOERROR),
    ("x.example.test A", NOERROR),
    ("w.example.test A", NOERROR),
    ("none.example.test A", NXDOMAIN),
    ("a.near.example.test A", NXDOMAIN),
    ("x.sub.example.test A", NOERROR),
    ("sub.example.test DS", NOERROR),
    ("example.test SOA", NOERROR),
    ("example.test NS", NOERROR),
    ("example.test MX", NOERROR),
    ("alias.example.test A", NOERROR),
    ("example.org A", REFUSED),
    ("example.test AXFR", REFUSED),
    ("servfail.example.test A", SERVFAIL),
    ("refused.example.test A", REFUSED),
];

/// The one address or name that an answer tells; of an SRV record, the one that goes along.
fn told(reply: &Strict) -> String {
    let [record] = reply.answers() else { panic!("{reply:?}") };
    let record = if record.rtype == 33 { &reply.additional()[0] } else { record };
    let octets = if record.rtype == 65 { &record.data[record.data.len() - 4..] } else { &record.data[..] };
    match (record.rtype, octets) {
        (A | 65, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        (CNAME, target) => Name::from_wire(target).expect("a name").to_string(),
        other => panic!("{other:?}"),
    }
}

fn from(query: Ask, source: &str) -> Ask {
    Ask { source: source.parse().expect("an address"), ..query }
}

const BELIEVED: &str = "198.51.100.7";
const BELIEVED_SIX: &str = "2001:db8:ff::7";
const STRANGER: &str = "192.0.2.7";

#[test]
fn a_steered_answer_is_for_whom_the_option_may_speak() {
    let snapshot = snapshot();
    // Sender, option, whether America is answered, scope.
    for (source, subnet, american, scope) in [
        (BELIEVED, "203.0.113.0/24", true, 24),
        (BELIEVED, "203.0.113.77/32", true, 24),
        (BELIEVED, "203.0.113.64/26", true, 24),
        (BELIEVED, "2600:1:2::/56", true, 56),
        (BELIEVED_SIX, "203.0.113.0/24", true, 24),
        (BELIEVED_SIX, "2600:1:2:300::/64", true, 56),
        // G2, P100: no location is wanted.
        (BELIEVED, "0.0.0.0/0", false, 0),
        (BELIEVED, "::/0", false, 0),
        // Special-purpose blocks say nothing of where the client is; the answer holds for the whole block.
        (BELIEVED, "10.1.2.0/24", false, 8),
        (BELIEVED, "192.168.7.0/24", false, 16),
        (BELIEVED, "127.0.0.1/32", false, 8),
        (BELIEVED, "100.64.0.0/16", false, 10),
        (BELIEVED, "fd00:1::/56", false, 7),
        // From outside `ecs.from`: not used.
        (STRANGER, "203.0.113.0/24", false, 0),
        (STRANGER, "10.1.2.0/24", false, 0),
        (STRANGER, "0.0.0.0/0", false, 0),
    ] {
        for (question, europe, america) in STEERED {
            let query = from(ask(question), source).subnet(subnet);
            let sent = query.opt.as_ref().expect("OPT").3[4..].to_vec();
            let reply = query.of(&snapshot);
            assert_eq!(told(&reply), if american { america } else { europe }, "{question} {source} {subnet}");
            let (family, length, back, address) = reply.subnet().expect("the option comes back");
            assert_eq!([&[0, family as u8, length, 0], &*address].concat(), sent, "P97: {question} {subnet}");
            assert_eq!(back, scope, "{question} {source} {subnet}");
        }
    }
    for (question, europe, _) in STEERED {
        let reply = from(ask(question), BELIEVED).size(1232).of(&snapshot);
        assert_eq!((told(&reply), reply.subnet()), (europe.to_owned(), None), "G3, P101: {question}");
    }
}

#[test]
fn g9_a_service_that_does_not_use_the_option_goes_by_the_sender() {
    let snapshot = snapshot();
    for subnet in ["203.0.113.0/24", "2600:1:2::/56", "10.1.2.0/24", "0.0.0.0/0"] {
        let reply = from(ask("off.example.test A"), BELIEVED).subnet(subnet).of(&snapshot);
        assert_eq!((told(&reply), reply.subnet().map(|s| s.2)), ("192.0.2.1".into(), Some(0)), "G9: {subnet}");
    }
}

#[test]
fn every_other_class_of_response_gives_the_option_back_with_scope_0() {
    let snapshot = snapshot();
    for (question, rcode) in OTHERS {
        for (source, subnet) in [
            (BELIEVED, "203.0.113.0/24"),
            (BELIEVED, "203.0.113.77/32"),
            (BELIEVED, "2600:1:2::/56"),
            (BELIEVED, "0.0.0.0/0"),
            (BELIEVED, "10.1.2.0/24"),
            (BELIEVED_SIX, "fd00:1::/56"),
            (STRANGER, "203.0.113.0/24"),
        ] {
            let query = from(ask(question), source).subnet(subnet);
            let sent = query.opt.as_ref().expect("OPT").3[4..].to_vec();
            let reply = query.of(&snapshot);
            assert_eq!(reply.rcode(), rcode, "{question}");
            let (family, length, scope, address) = reply.subnet().expect("the option comes back");
            assert_eq!([&[0, family as u8, length, 0], &*address].concat(), sent, "P97: {question} {subnet}");
            assert_eq!(scope, 0, "P98, P102: {question} {source} {subnet}");
        }
    }
}

#[test]
fn what_stands_in_for_a_lost_pool_has_the_scope_of_an_answer_and_its_nodata_none() {
    let snapshot = snapshot();
    let scope = |question: &str| {
        let reply = from(ask(question), BELIEVED).subnet("203.0.113.0/24").of(&snapshot);
        (reply.answers().len(), reply.subnet().map(|s| s.2))
    };
    assert_eq!(scope("sorry.example.test A"), (1, Some(24)), "P103");
    assert_eq!(scope("sorry.example.test AAAA"), (0, Some(0)), "P102");
    assert_eq!(scope("nodata.example.test A"), (0, Some(0)), "P102");
    // The reflect name, from a listed source and from another.
    assert_eq!(scope("who.example.test TXT"), (1, Some(24)));
    let other = from(ask("who.example.test TXT"), BELIEVED_SIX).subnet("203.0.113.0/24").of(&snapshot);
    assert_eq!((other.rcode(), other.subnet().map(|s| s.2)), (REFUSED, Some(0)), "P102");
}

#[test]
fn faults_give_no_option_back() {
    let snapshot = snapshot();
    for (flags, rcode) in [(0x1000, NOTIMP), (0x2000, REFUSED), (0x2800, REFUSED)] {
        let reply = from(ask("near.example.test A"), BELIEVED).subnet("203.0.113.0/24").flags(flags).of(&snapshot);
        assert_eq!((reply.rcode(), reply.subnet()), (rcode, None), "P99: what was not read is not given back");
    }
    let later = Ask { opt: Some((1232, 1, 0, Vec::new())), ..ask("near.example.test A") }.subnet("203.0.113.0/24");
    let reply = later.of(&snapshot);
    assert_eq!((reply.rcode(), reply.subnet()), (BADVERS, None), "P75");
}
