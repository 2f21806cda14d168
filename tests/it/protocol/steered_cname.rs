//! Endpoints and fallbacks that are other names: they answer every type at the service's name (P52 to P57 for what is
//! steered), and where the query has a client subnet only the first CNAME is told (P104).

use std::sync::Arc;

use meridian::engine::{
    snapshot::Snapshot,
    wire::name::Name,
    world::{Draft, World, service::Fallback},
};

use super::*;

const ZONE: &str = concat!(
    "inside A 192.0.2.77\ninside MX 10 mail\nhop CNAME inside\nalias CNAME cdn\nreturn CNAME loops\n",
    "*.w TXT other\n@ MX 10 plain\n",
);

const CONFIG: &str = concat!(
    "[monitors.m]\ntcp = { port = 80 }\n[regions.r]\n[regions.s]\n",
    "[pools.cdn]\npolicy = \"ip-hash\"\n[pools.cdn.endpoints]\n",
    "e = { region = \"r\", address = [\"192.0.2.10\"] }\nf = { region = \"s\", address = [\"192.0.2.11\"] }\n",
    "[pools.plain]\nmonitor = \"m\"\npolicy = \"ip-hash\"\n[pools.plain.endpoints]\n",
    "e = { region = \"r\", address = [\"192.0.2.20\"] }\nf = { region = \"s\", address = [\"192.0.2.21\"] }\n",
    "[services.'cdn.example.test']\npools = [\"cdn\"]\nttl = { max = \"30s\", min = \"5s\" }\n",
    "[services.'*.w.example.test']\npools = [\"cdn\"]\n",
    "[services.'plain.example.test']\npools = [\"plain\"]\nttl = { max = \"30s\", min = \"5s\" }\n",
);

fn name(text: &str) -> Name {
    Name::from_text(text).expect(text)
}

/// The endpoints of the pool `cdn` are this name; where all of `plain` is down, `instead` is answered.
fn world_of(target: &str, instead: Fallback) -> Arc<World> {
    changed(&[("example.test", ZONE)], CONFIG, |draft: &mut Draft| {
        let cdn = draft.pools.iter().position(|pool| &*pool.name == "cdn").expect("a pool");
        for endpoint in &mut draft.pools[cdn].endpoints {
            (endpoint.v4, endpoint.cname) = (None, Some(name(target)));
        }
        draft.services.iter_mut().for_each(|service| service.when_all_down = instead.clone());
    })
}

fn leading_to(target: &str) -> Snapshot {
    healthy(&world_of(target, Fallback::IgnoreHealth))
}

#[test]
fn another_name_answers_every_type() {
    let snapshot = leading_to("eu.lb.example.net");
    for rtype in ["A", "AAAA", "MX", "TXT", "HTTPS", "CNAME", "ANY", "DS", "TYPE65280"] {
        for subnet in [None, Some("203.0.114.0/24")] {
            let mut query = ask(&format!("cdn.example.test {rtype}"));
            query = subnet.map_or(query.clone(), |prefix| query.subnet(prefix));
            let reply = query.of(&snapshot);
            let [cname] = reply.answers() else { panic!("{rtype}: {reply:?}") };
            assert_eq!((reply.rcode(), reply.aa(), reply.tc()), (NOERROR, true, false), "{rtype}");
            assert_eq!((&cname.owner, cname.rtype, cname.ttl), (&wire("cdn.example.test"), CNAME, 30), "{rtype}");
            assert_eq!(cname.data, wire("eu.lb.example.net"), "{rtype}");
            assert!(reply.authority().is_empty() && reply.additional().is_empty(), "{rtype}");
            assert_eq!(reply.subnet().map(|(_, _, scope, _)| scope), subnet.map(|_| 24), "P103: {rtype}");
        }
    }
}

#[test]
fn a_chain_goes_on_inside_the_zone_unless_a_subnet_binds_it() {
    let snapshot = leading_to("inside.example.test");
    let owners = |reply: &Strict| kinds(reply.answers());
    let [cdn, inside] = ["cdn.example.test.", "inside.example.test."].map(str::to_owned);
    let reply = ask("cdn.example.test A").of(&snapshot);
    assert_eq!(owners(&reply), [(cdn.clone(), CNAME), (inside.clone(), A)], "P53");
    assert_eq!((reply.answers()[0].ttl, reply.answers()[1].ttl), (30, 300), "each record has its own TTL");
    let mail = ask("cdn.example.test MX").of(&snapshot);
    assert_eq!(owners(&mail), [(cdn.clone(), CNAME), (inside, 15)]);
    let none = ask("cdn.example.test AAAA").of(&snapshot);
    assert_eq!((owners(&none), none.authority()[0].rtype), (vec![(cdn.clone(), CNAME)], SOA), "P55: NODATA at its end");
    for rtype in ["A", "AAAA", "MX", "ANY"] {
        let bound = ask(&format!("cdn.example.test {rtype}")).subnet("203.0.114.0/24").of(&snapshot);
        assert_eq!(owners(&bound), [(cdn.clone(), CNAME)], "P104: {rtype}");
        assert!(bound.authority().is_empty(), "P104: {rtype}");
        assert_eq!(bound.subnet(), Some((1, 24, 24, vec![203, 0, 114])), "P104: {rtype}");
    }
    // A static alias before it is followed to it without a subnet, and ends before it with one.
    let alias = ask("alias.example.test A").of(&snapshot);
    assert_eq!(alias.answers().len(), 3, "P53");
    let bound = ask("alias.example.test A").subnet("203.0.114.0/24").of(&snapshot);
    assert_eq!((bound.answers().len(), bound.subnet().map(|s| s.2)), (1, Some(0)), "P104");
}

#[test]
fn a_chain_may_pass_through_another_service_and_ends_where_it_comes_back() {
    let through = ask("cdn.example.test A").of(&leading_to("plain.example.test"));
    assert_eq!(through.answers().iter().map(|rr| rr.rtype).collect::<Vec<_>>(), [CNAME, A]);
    let itself = ask("cdn.example.test A").of(&leading_to("cdn.example.test"));
    assert_eq!((itself.answers().len(), itself.rcode()), (1, NOERROR), "P56");
    let around = ask("cdn.example.test A").of(&leading_to("alias.example.test"));
    assert_eq!((around.answers().len(), around.rcode()), (2, NOERROR), "P56");
    let hops: String = (0..40).map(|n| format!("h{n} CNAME h{}\n", n + 1)).collect();
    let world = changed(&[("example.test", &hops)], CONFIG, |draft| {
        draft.endpoints_mut().for_each(|e| (e.v4, e.cname) = (None, Some(name("h0.example.test"))));
    });
    let long = ask("cdn.example.test A").tcp().of(&healthy(&world));
    assert_eq!(long.answers().len(), 16, "P56: sixteen aliases in all");
    let small = ask("cdn.example.test A").of(&healthy(&world));
    assert!(small.len <= 512, "P82");
}

#[test]
fn a_steered_wildcard_is_another_name_for_each_name_it_covers() {
    let snapshot = leading_to("eu.lb.example.net");
    for rtype in ["A", "TXT", "ANY"] {
        let reply = ask(&format!("Any.w.Example.test {rtype}")).subnet("203.0.114.0/24").of(&snapshot);
        let [cname] = reply.answers() else { panic!("{reply:?}") };
        assert_eq!((&cname.owner, cname.rtype), (&wire("Any.w.Example.test"), CNAME), "G6: owner = QNAME");
        assert_eq!(reply.subnet().map(|s| s.2), Some(24), "G6");
    }
}

#[test]
fn g63_of_several_other_names_one_is_told() {
    let world = changed(&[("example.test", ZONE)], CONFIG, |draft| {
        let cdn = draft.pools.iter().position(|pool| &*pool.name == "cdn").expect("a pool");
        for (endpoint, target) in draft.pools[cdn].endpoints.iter_mut().zip(["one.example.net", "two.example.net"]) {
            (endpoint.v4, endpoint.cname) = (None, Some(name(target)));
        }
    });
    let snapshot = healthy(&world);
    let mut told = std::collections::BTreeSet::new();
    for n in 0..=255 {
        let of = |rtype: &str| {
            let reply = ask(&format!("cdn.example.test {rtype}")).subnet(&format!("203.0.{n}.0/24")).of(&snapshot);
            let [cname] = reply.answers() else { panic!("G63: {reply:?}") };
            cname.data.clone()
        };
        assert_eq!((of("A"), of("MX")), (of("AAAA"), of("HTTPS")), "one decision for every type");
        told.insert(of("A"));
    }
    assert_eq!(told, ["one.example.net", "two.example.net"].map(wire).into(), "G63");
}

#[test]
fn when_all_is_down_another_name_stands_in_or_the_query_is_refused() {
    let world = world_of("eu.lb.example.net", Fallback::Cname(name("sorry.example.net")));
    let (up, down) = (healthy(&world), judged(&world, |_| false));
    assert_eq!(ask("plain.example.test A").of(&up).answers()[0].rtype, A);
    for rtype in ["A", "AAAA", "TXT", "ANY"] {
        let reply = ask(&format!("plain.example.test {rtype}")).subnet("203.0.114.0/24").of(&down);
        let [cname] = reply.answers() else { panic!("{reply:?}") };
        assert_eq!((cname.rtype, cname.ttl, &cname.data), (CNAME, 5, &wire("sorry.example.net")), "ttl.min: {rtype}");
        assert_eq!(reply.subnet().map(|s| s.2), Some(24), "{rtype}");
    }
    assert_negative(
        &ask("plain.example.test TXT").of(&up),
        NOERROR,
        "example.test",
        "P38: the zone file's, as long as",
    );
    let world = world_of("eu.lb.example.net", Fallback::Refused);
    let down = judged(&world, |_| false);
    for rtype in ["A", "AAAA"] {
        let reply = ask(&format!("plain.example.test {rtype}")).subnet("203.0.114.0/24").of(&down);
        assert_bare(&reply, REFUSED, rtype);
        assert_eq!(reply.subnet(), Some((1, 24, 0, vec![203, 0, 114])), "{rtype}");
    }
    assert_negative(&ask("plain.example.test TXT").of(&down), NOERROR, "example.test", "P38");
}

#[test]
fn g8_mail_for_a_steered_name_has_scope_0_and_no_address() {
    let snapshot = leading_to("eu.lb.example.net");
    let reply = ask("example.test MX").subnet("203.0.114.0/24").of(&snapshot);
    assert_eq!(reply.answers().iter().map(|rr| rr.rtype).collect::<Vec<_>>(), [15], "G8");
    assert_eq!((reply.additional(), reply.subnet().map(|s| s.2)), (&[][..], Some(0)), "G8");
}

/// Every answer is for the block of the client alone, since clients of another block are answered with the other kind.
#[test]
fn any_at_a_pool_of_addresses_and_names_has_one_scope() {
    let world = changed(&[("example.test", ZONE)], CONFIG, |draft: &mut Draft| {
        let cdn = draft.pools.iter().position(|pool| &*pool.name == "cdn").expect("a pool");
        let endpoint = &mut draft.pools[cdn].endpoints[0];
        (endpoint.v4, endpoint.cname) = (None, Some(name("eu.lb.example.net")));
    });
    let snapshot = healthy(&world);
    let mut seen = [0; 2];
    for n in 0..=255 {
        for service in ["cdn.example.test", "x.w.example.test"] {
            let of = |rtype: &str| ask(&format!("{service} {rtype}")).subnet(&format!("203.0.{n}.0/24")).of(&snapshot);
            let scope = |reply: &Strict| reply.subnet().map(|(_, _, scope, _)| scope);
            let (any, a, none) = (of("ANY"), of("A"), of("TYPE65280"));
            let alias = any.answers()[0].rtype == CNAME;
            seen[usize::from(alias)] += 1;
            assert_eq!(any.answers().len(), 1, "{n}");
            assert_eq!(alias, a.answers()[0].rtype == CNAME, "{n}: one kind for all types");
            assert_eq!((scope(&any), scope(&a)), (Some(24), Some(24)), "{n}");
            // NODATA is for all clients, whatever others are answered (RFC 7871 7.4).
            assert_eq!(scope(&none), Some(if alias { 24 } else { 0 }), "{n}");
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}
