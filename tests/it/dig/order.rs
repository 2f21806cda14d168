//! Several addresses, asked for again and again by `dig`: each stands first at times, and other types stand.

use std::collections::BTreeSet;

use super::{Backend, Server};

const ZONE: &str = "$ORIGIN g.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
three IN A 192.0.2.1
three IN A 192.0.2.2
three IN A 192.0.2.3
three IN AAAA 2001:db8::1
three IN AAAA 2001:db8::2
three IN MX 10 a
three IN MX 10 b
";

fn config(rotate: &str, port: u16) -> String {
    format!(
        "{rotate}\n[regions.r]\n[monitors.m]\ninterval = \"30s\"\ntimeout = \"30s\"\nhttp = {{ port = {port}, path = \"/\" }}\n\
         [policies.everything]\nprefer = []\nspread = \"all\"\n[pools.p]\nmonitor = \"m\"\npolicy = \"everything\"\n\
         [pools.p.endpoints]\na = {{ region = \"r\", address = \"127.0.0.81\", weight = 200 }}\n\
         b = {{ region = \"r\", address = \"127.0.0.82\" }}\nc = {{ region = \"r\", address = \"127.0.0.83\" }}\n\
         [zones.\"g.test\"]\nfile = \"g.zone\"\n[services.\"www.g.test\"]\npools = [\"p\"]\n"
    )
}

/// The orders in which a question is answered, over so many queries.
fn orders(server: &Server, question: &str, queries: usize) -> BTreeSet<Vec<String>> {
    let order = |_| server.dig(question).answer.into_iter().map(|row| row.data).collect();
    (0..queries).map(order).collect()
}

fn start(rotate: &str, backends: &[Backend]) -> Server {
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(rotate, backends[0].port()), &[("g.zone", ZONE)]);
    server.wait_for("steered names are answered");
    server
}

#[test]
fn several_addresses_take_turns_unless_the_configuration_says_otherwise() {
    let backends: Vec<Backend> = Backend::several::<3>(81).into();
    let server = start("", &backends);
    // An order that comes up once in four queries is missing after sixty once in thirty million runs.
    for (question, count) in [("three.g.test a", 3), ("three.g.test aaaa", 2), ("www.g.test a", 3)] {
        let seen: BTreeSet<Vec<String>> =
            orders(&server, question, 30).into_iter().chain(orders(&server, &format!("{question} +tcp"), 30)).collect();
        assert_eq!(seen.len(), count, "{question}: {seen:?}");
        let firsts: BTreeSet<&String> = seen.iter().map(|order| &order[0]).collect();
        assert_eq!(firsts.len(), count, "{question}: each stands first");
    }
    assert_eq!(orders(&server, "three.g.test mx", 10).len(), 1, "other types stand");
    let fixed = start("rotate = false", &backends);
    for question in ["three.g.test a", "three.g.test aaaa", "www.g.test a"] {
        assert_eq!(orders(&fixed, question, 10).len(), 1, "{question}");
    }
}
