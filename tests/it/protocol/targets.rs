//! SRV, SVCB and HTTPS records of the zone file that point at steered names: what A and AAAA queries of the target would say
//! goes along (RFC 9460 4.1, RFC 2782), with the scope of what was consulted; and where nothing does.

use meridian::{
    engine::{
        snapshot::Snapshot,
        types::At,
        wire::name::Name,
        world::{
            Draft,
            service::{Fallback, Families},
        },
    },
    node::ledger::Ledger,
};

use super::*;

const CONFIG: &str = r#"
[monitors.m]
tcp = { port = 443 }
[regions]
a = {}
b = {}
[pools.hash]
monitor = "m"
policy = "ip-hash"
[pools.hash.endpoints]
a = { region = "a", address = ["192.0.2.5", "2001:db8::5"] }
b = { region = "b", address = ["192.0.2.6", "2001:db8::6"] }
[policies.wide]
extends = "ip-hash"
sticky = { v4 = 20, v6 = 40 }
[pools.wide]
monitor = "m"
policy = "wide"
[pools.wide.endpoints]
a = { region = "a", address = ["192.0.2.7"] }
b = { region = "b", address = ["192.0.2.8"] }
[pools.draw]
policy = "random"
[pools.draw.endpoints]
a = { region = "a", address = ["192.0.2.9"] }
b = { region = "b", address = ["192.0.2.10"] }
[services]
"www.example.test" = { pools = ["hash"], ttl = { max = "30s", min = "5s" } }
"wide.example.test" = { pools = ["wide"] }
"draw.example.test" = { pools = ["draw"] }
"*.w.example.test" = { pools = ["hash"] }
"www.low.example.test" = { pools = ["hash"] }
"#;

const ZONE: &str = concat!(
    "srv SRV 1 1 443 Www\nboth SRV 1 1 443 www\nboth SRV 1 1 443 wide\nboth SRV 1 1 443 ns1\nboth SRV 2 1 443 WWW\n",
    "svc SVCB 1 www port=853\nweb HTTPS 1 www alpn=h2\nzero HTTPS 0 www\n",
    "www SRV 1 1 443 www\nwww HTTPS 1 . alpn=h3\nwww SVCB 1 www\nwide HTTPS 0 .\nwide SRV 0 0 0 .\n",
    "*.w HTTPS 1 . alpn=h2\nany SRV 1 1 443 x.y.w\ndrawn SRV 1 1 1 draw\n",
    "@ MX 10 www\nns1 A 192.0.2.53\nmail MX 10 www\nsub NS www\nalias CNAME srv\n",
    "far SRV 1 1 443 www.other.test.\ndeep SRV 1 1 443 www.low\nlow NS ns1.low\n",
);

const OTHER: &str = "x SRV 1 1 443 www.example.test.\n";

fn snapshot_of(change: impl FnOnce(&mut Draft), up: impl Fn(usize) -> bool) -> Snapshot {
    let zones = [("example.test", ZONE), ("other.test", OTHER), ("low.example.test", "ns1 A 192.0.2.53\n")];
    judged(&changed(&zones, CONFIG, change), up)
}

fn snapshot() -> Snapshot {
    snapshot_of(|_| {}, |_| true)
}

const CLIENT: &str = "203.0.114.0/24";

fn asked(snapshot: &Snapshot, question: &str) -> Strict {
    ask(question).subnet(CLIENT).of(snapshot)
}

fn scope(reply: &Strict) -> Option<u8> {
    reply.subnet().map(|subnet| subnet.2)
}

/// Type, TTL and data of what goes along for a name.
fn along(reply: &Strict, name: &str) -> Vec<(u16, u32, Vec<u8>)> {
    let of = |rr: &&Rr| rr.owner.eq_ignore_ascii_case(&wire(name));
    reply.additional().iter().filter(of).map(|rr| (rr.rtype, rr.ttl, rr.data.clone())).collect()
}

/// What the name's own A and AAAA say, in that order.
fn own(snapshot: &Snapshot, name: &str) -> Vec<(u16, u32, Vec<u8>)> {
    let of = |rtype: &str| asked(snapshot, &format!("{name} {rtype}"));
    let rows = |reply: Strict| reply.answers().iter().map(|rr| (rr.rtype, rr.ttl, rr.data.clone())).collect::<Vec<_>>();
    [rows(of("A")), rows(of("AAAA"))].concat()
}

#[test]
fn what_a_and_aaaa_of_the_target_say_goes_along() {
    let snapshot = snapshot();
    let told = own(&snapshot, "www.example.test");
    assert_eq!(told.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(), [(A, 30), (28, 30)]);
    for question in [
        "srv.example.test SRV",
        "svc.example.test SVCB",
        "web.example.test HTTPS",
        "zero.example.test HTTPS",
        "www.example.test SRV",
        "www.example.test HTTPS",
        "www.example.test SVCB",
    ] {
        let reply = asked(&snapshot, question);
        assert_eq!((reply.answers().len(), reply.answers()[0].ttl, reply.aa()), (1, 300, true), "{question}");
        assert_eq!(along(&reply, "www.example.test"), told, "P71: {question}");
        assert_eq!((reply.additional().len(), scope(&reply)), (2, Some(24)), "{question}");
    }
    // Each under the name that the record has, in its case.
    assert_eq!(asked(&snapshot, "srv.example.test SRV").additional()[0].owner, wire("Www.example.test"));
    assert_eq!(asked(&snapshot, "WWW.example.test HTTPS").additional()[0].owner, wire("WWW.example.test"));
}

#[test]
fn wildcards_are_targets_and_owners() {
    let snapshot = snapshot();
    let reply = asked(&snapshot, "any.example.test SRV");
    assert_eq!(along(&reply, "x.y.w.example.test"), own(&snapshot, "x.y.w.example.test"), "a target under a wildcard");
    assert_eq!((reply.additional().len(), scope(&reply)), (2, Some(24)));
    let reply = asked(&snapshot, "Some.w.example.test HTTPS");
    assert_eq!(
        along(&reply, "some.w.example.test"),
        own(&snapshot, "some.w.example.test"),
        "`.` is the name asked for"
    );
    assert_eq!(reply.additional()[0].owner, wire("Some.w.example.test"));
}

#[test]
fn of_several_targets_each_is_told_once_and_the_longest_scope_counts() {
    let snapshot = snapshot();
    let reply = asked(&snapshot, "both.example.test SRV");
    assert_eq!(reply.answers().len(), 4);
    for name in ["www.example.test", "wide.example.test"] {
        assert_eq!(along(&reply, name), own(&snapshot, name), "{name}");
    }
    assert_eq!(along(&reply, "ns1.example.test"), [(A, 300, vec![192, 0, 2, 53])], "static ones beside");
    assert_eq!((reply.additional().len(), scope(&reply)), (4, Some(24)));
    assert_eq!(scope(&asked(&snapshot, "wide.example.test A")), Some(20), "the other's own");
}

#[test]
fn no_more_targets_than_eight_are_decided_of() {
    let services: String = (0..20).map(|n| format!("\"s{n}.example.test\" = {{ pools = [\"hash\"] }}\n")).collect();
    let records: String = (0..20).map(|n| format!("many SRV 1 1 443 s{n}\n")).collect();
    let snapshot = healthy(&world(&[("example.test", &records)], &format!("{CONFIG}{services}")));
    let reply = ask("many.example.test SRV").subnet(CLIENT).tcp().of(&snapshot);
    assert_eq!((reply.answers().len(), reply.additional().len()), (20, 16));
    for n in 0..8 {
        let name = format!("s{n}.example.test");
        assert_eq!(along(&reply, &name), own(&snapshot, &name));
    }
}

#[test]
fn g8_other_records_and_names_have_nothing_and_scope_0() {
    let snapshot = snapshot();
    for question in [
        "example.test MX",
        "mail.example.test MX",
        "x.sub.example.test A",
        "wide.example.test HTTPS",
        "wide.example.test SRV",
        "far.example.test SRV",
        "x.other.test SRV",
    ] {
        let reply = asked(&snapshot, question);
        assert!(reply.additional().is_empty(), "G8, P72: {question}: {:?}", reply.additional());
        assert_eq!(scope(&reply), Some(0), "G8, P72: {question}");
    }
    // In a child zone of ours it is still inside the zone of the record.
    let reply = asked(&snapshot, "deep.example.test SRV");
    assert_eq!(along(&reply, "www.low.example.test"), own(&snapshot, "www.low.example.test"));
}

#[test]
fn where_the_target_has_no_addresses_nothing_goes_along_and_the_scope_stays() {
    let name = Name::from_text("sorry.example.net").expect("a name");
    for instead in [Fallback::NoData, Fallback::ServFail, Fallback::Refused, Fallback::Cname(name.clone())] {
        let snapshot = snapshot_of(
            |draft| draft.services.iter_mut().for_each(|service| service.when_all_down = instead.clone()),
            |_| false,
        );
        let reply = asked(&snapshot, "srv.example.test SRV");
        assert_eq!((reply.rcode(), reply.answers().len(), reply.tc()), (NOERROR, 1, false), "{instead:?}");
        // Another client may be told otherwise, so it is for this one alone.
        assert_eq!((reply.additional().len(), scope(&reply)), (0, Some(24)), "{instead:?}");
    }
    let listed = Fallback::Addresses(vec!["192.0.2.99".parse().expect("an address")]);
    let snapshot =
        snapshot_of(|draft| draft.services.iter_mut().for_each(|s| s.when_all_down = listed.clone()), |_| false);
    let reply = asked(&snapshot, "srv.example.test SRV");
    assert_eq!(along(&reply, "www.example.test"), [(A, 5, vec![192, 0, 2, 99])]);
    // An endpoint that is another name.
    let snapshot = snapshot_of(
        |draft| {
            for endpoint in draft.endpoints_mut() {
                (endpoint.v4, endpoint.v6, endpoint.cname) = (None, None, Some(name.clone()));
            }
        },
        |_| true,
    );
    let reply = asked(&snapshot, "srv.example.test SRV");
    assert_eq!((reply.answers().len(), reply.additional().len()), (1, 0));
}

#[test]
fn each_type_that_goes_along_is_of_its_own_choice() {
    // IPv4 of `a` is down. The hash sends some blocks to each.
    let v4_of_a = |draft: &Draft| {
        draft.targets.iter().position(|target| target.address().to_string() == "192.0.2.5").expect("a target")
    };
    for families in [Families::Leave, Families::Apart] {
        let mut dead = 0;
        let zones = [("example.test", ZONE), ("other.test", OTHER), ("low.example.test", "ns1 A 192.0.2.53\n")];
        let world = changed(&zones, CONFIG, |draft| {
            dead = v4_of_a(draft);
            draft.services.iter_mut().for_each(|service| service.families = families);
        });
        let snapshot = judged(&world, |n| n != dead);
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..64 {
            let of = |question: &str| ask(question).subnet(&format!("203.{n}.114.0/24")).of(&snapshot);
            let reply = of("srv.example.test SRV");
            let mut expected = Vec::new();
            for rtype in ["A", "AAAA"] {
                let reply = of(&format!("www.example.test {rtype}"));
                expected.extend(reply.answers().iter().map(|rr| (rr.rtype, rr.ttl, rr.data.clone())));
            }
            assert_eq!(along(&reply, "www.example.test"), expected, "{families:?} {n}");
            seen.insert(expected.iter().map(|row| row.2.last().copied()).collect::<Vec<_>>());
        }
        let (five, six) = (Some(5), Some(6));
        let expected = match families {
            Families::Leave => vec![vec![six, six]],
            Families::Apart => vec![vec![six, five], vec![six, six]],
        };
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected, "{families:?}");
    }
}

#[test]
fn whose_address_speaks_is_as_for_the_name_itself() {
    let off = |draft: &mut Draft| draft.services.iter_mut().for_each(|service| service.ecs = false);
    let nobody = |draft: &mut Draft| {
        draft.ecs_from = vec![
            "192.0.2.0/24"
                .parse::<ipnet::IpNet>()
                .map(|net| meridian::engine::types::Prefix::new(net.addr(), net.prefix_len()))
                .expect("a prefix"),
        ]
    };
    let plain = |_: &mut Draft| {};
    for (change, subnet) in [
        (&plain as &dyn Fn(&mut Draft), "0.0.0.0/0"),
        (&plain, "10.1.2.0/24"),
        (&plain, "203.0.0.0/8"),
        (&plain, "2001:db8:7::/56"),
        (&plain, "2002:cb00:7200::/48"),
        (&off, CLIENT),
        (&nobody, CLIENT),
    ] {
        let snapshot = snapshot_of(change, |_| true);
        let of = |question: &str| ask(question).subnet(subnet).of(&snapshot);
        let (reply, a) = (of("srv.example.test SRV"), of("www.example.test A"));
        assert_eq!(reply.subnet(), a.subnet(), "{subnet}");
        assert_eq!(along(&reply, "www.example.test")[0].2, a.answers()[0].data, "{subnet}");
    }
    let bare = ask("srv.example.test SRV").of(&snapshot());
    assert_eq!((bare.additional().len(), bare.opt.is_some()), (2, false), "without EDNS too");
}

#[test]
fn p104_behind_an_alias_a_client_subnet_leaves_them_out() {
    let snapshot = snapshot();
    let bare = ask("alias.example.test SRV").of(&snapshot);
    assert_eq!((bare.answers().len(), bare.additional().len()), (2, 2));
    let bound = asked(&snapshot, "alias.example.test SRV");
    assert_eq!((bound.answers().len(), bound.additional().len(), scope(&bound)), (2, 0, Some(0)), "P104");
}

#[test]
fn p73_what_does_not_fit_is_left_out_without_tc() {
    let snapshot = snapshot();
    let reply = ask("both.example.test SRV").of(&snapshot);
    assert!(!reply.tc() && reply.additional().len() == 4, "{}", reply.len);
    let pad = "x".repeat(60);
    let records: String = (0..5).map(|n| format!("fat SRV 1 1 {n} www.{pad}\n")).collect();
    let config = CONFIG.replace("www.example", &format!("www.{pad}.example")).replace("www.low", "low");
    let snapshot = healthy(&world(&[("example.test", &records)], &config));
    let whole = ask("fat.example.test SRV").size(1232).of(&snapshot);
    assert_eq!(whole.additional().len(), 2);
    let bare = whole.len - (12 + 4) - (12 + 16);
    for size in bare..=whole.len {
        let reply = ask("fat.example.test SRV").size(size as u16).of(&snapshot);
        let expected = if size == whole.len { 2 } else { usize::from(size >= bare + 16) };
        assert_eq!((reply.tc(), reply.answers().len(), reply.additional().len()), (false, 5, expected), "P73: {size}");
        assert!(reply.len <= size, "P82");
    }
}

#[test]
fn before_the_first_probe_round_the_records_are_answered_alone() {
    let world = snapshot().world;
    let unready = Ledger::new(world).snapshot(At(0));
    let reply = asked(&unready, "srv.example.test SRV");
    assert_eq!((reply.answers().len(), reply.additional().len(), scope(&reply)), (1, 0, Some(0)));
}

#[test]
fn a_random_spread_takes_this_querys_number() {
    let snapshot = snapshot();
    let reply = asked(&snapshot, "drawn.example.test SRV");
    assert_eq!(
        along(&reply, "draw.example.test"),
        own(&snapshot, "draw.example.test"),
        "one number for all of a query"
    );
    assert_eq!(scope(&reply), scope(&asked(&snapshot, "draw.example.test A")));
}
