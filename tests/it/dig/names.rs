//! What `dig` shows of steered names that are not addresses alone: other names, HTTPS records, records that point at them,
//! direct names and the runner-up, and the name that tells a client what it is taken for.

use super::{Answer, Server};

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
www IN TXT beside
srv IN SRV 1 1 443 www
_dns.www IN SVCB 1 www port=853
www IN SVCB 1 . alpn=dot
inside IN A 192.0.2.77
";

const OVERRIDES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
203.0.113.0/24,NA,US,NY,New York,40.71,-74.01,64500
198.51.100.0/24,EU,DE,,,50.11,8.68,
";

const CONFIG: &str = r#"
[geo]
overrides = "overrides.csv"
[ecs]
reflect = { name = "whoami.g.test", allow = ["127.0.0.0/8"] }
[regions]
us-east = { location = { lat = 39.04, lon = -77.49 } }
eu-west = { location = { lat = 50.11, lon = 8.68 } }
[pools.web]
policy = "proximity"
[pools.web.endpoints]
us = { region = "us-east", address = ["192.0.2.1", "2001:db8::1"] }
eu = { region = "eu-west", address = ["192.0.2.2", "2001:db8::2"] }
[pools.cdn]
policy = "proximity"
[pools.cdn.endpoints]
us = { region = "us-east", cname = "us.lb.example.net" }
eu = { region = "eu-west", cname = "inside.g.test" }
[zones."g.test"]
file = "g.zone"
[services."www.g.test"]
pools = ["web"]
direct = true
second = "next.www.g.test"
https = { alpn = ["h2", "h3"], hints = true }
[services."cdn.g.test"]
pools = ["cdn"]
ttl = { max = "20s", min = "5s" }
"#;

fn start() -> Server {
    // Nothing is probed, so that steered names are answered at once.
    Server::start("[\"127.0.0.1:0\"]", CONFIG, &[("g.zone", ZONE), ("overrides.csv", OVERRIDES)])
}

/// Type and data of the answers, in order.
fn told(answer: &Answer) -> Vec<(&str, &str)> {
    answer.answer.iter().map(|row| (row.rtype.as_str(), row.data.as_str())).collect()
}

#[test]
fn an_endpoint_may_be_another_name() {
    let server = start();
    for rtype in ["a", "aaaa", "mx", "any", "cname"] {
        let answer = server.dig(&format!("cdn.g.test {rtype} +subnet=203.0.113.0/24"));
        assert_eq!((told(&answer), answer.scope()), (vec![("CNAME", "us.lb.example.net.")], 24), "{rtype}");
        assert_eq!(answer.answer[0].ttl, 20, "{rtype}");
    }
    let bound = server.dig("cdn.g.test a +subnet=198.51.100.0/24");
    assert_eq!(told(&bound), [("CNAME", "inside.g.test.")], "P104");
}

#[test]
fn https_hints_at_what_a_and_aaaa_say() {
    let server = start();
    let answer = server.dig("www.g.test https +subnet=198.51.100.0/24");
    let data = "1 . alpn=\"h2,h3\" ipv4hint=192.0.2.2 ipv6hint=2001:db8::2";
    assert_eq!((told(&answer), answer.scope()), (vec![("HTTPS", data)], 24));
    assert_eq!(server.dig("www.g.test a +subnet=198.51.100.0/24").one(), "192.0.2.2");
    assert_eq!(server.dig("www.g.test aaaa +subnet=198.51.100.0/24").one(), "2001:db8::2");
    assert_eq!(server.dig("www.g.test txt").one(), "\"beside\"");
}

#[test]
fn srv_direct_names_and_the_runner_up() {
    let server = start();
    for (subnet, first, second) in
        [("203.0.113.0/24", "192.0.2.1", "192.0.2.2"), ("198.51.100.0/24", "192.0.2.2", "192.0.2.1")]
    {
        // What A and AAAA of the target say goes along.
        let six = first.replace("192.0.2.", "2001:db8::");
        for (question, answered) in [
            ("srv.g.test srv", ("SRV", "1 1 443 www.g.test.")),
            ("_dns.www.g.test svcb", ("SVCB", "1 www.g.test. port=853")),
            ("www.g.test svcb", ("SVCB", "1 . alpn=\"dot\"")),
        ] {
            let answer = server.dig(&format!("{question} +subnet={subnet}"));
            assert_eq!((told(&answer), answer.scope()), (vec![answered], 24), "{question}");
            let along: Vec<_> = answer.additional.iter().map(|r| (&*r.owner, r.ttl, &*r.rtype, &*r.data)).collect();
            assert_eq!(along, [("www.g.test.", 30, "A", first), ("www.g.test.", 30, "AAAA", &*six)], "{question}");
        }
        assert_eq!(server.dig(&format!("www.g.test a +subnet={subnet}")).one(), first);
        assert_eq!(server.dig(&format!("next.www.g.test a +subnet={subnet}")).one(), second, "G14");
        assert_eq!(server.dig(&format!("us-east.www.g.test a +subnet={subnet}")).one(), "192.0.2.1");
        assert_eq!(server.dig(&format!("eu-west.www.g.test a +subnet={subnet}")).one(), "192.0.2.2");
    }
}

#[test]
fn the_reflect_name_tells_a_client_what_it_is_taken_for() {
    let server = start();
    let answer = server.dig("whoami.g.test txt +subnet=203.0.113.0/24");
    let text = "\"client=203.0.113.0/24\" \"by=client subnet\" \"network=203.0.113.0/24\" \
                \"place=New York, US-NY, NA, AS64500\"";
    assert_eq!((answer.one(), answer.answer[0].ttl, answer.scope()), (text, 0, 24));
    assert_eq!(server.dig("whoami.g.test a").one(), "127.0.0.2");
    server.dig("whoami.g.test aaaa").assert_nodata();
}
