//! HTTPS records made of a decision (RFC 9460): priority 1, the name itself, parameters in the order of their keys, and as
//! hints the addresses that A and AAAA are answered with.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use hickory_proto::{op::Message, rr::RData};
use meridian::engine::{
    snapshot::Snapshot,
    types::Transport,
    wire::name::Name,
    world::{
        Draft, World,
        service::{Fallback, Https},
    },
};

use super::*;

const HTTPS: u16 = 65;

/// Four regions: both families, IPv4 alone, IPv6 alone, and one more of both.
const CONFIG: &str = r#"
[monitors.m]
tcp = { port = 443 }
[regions]
a = {}
b = {}
c = {}
d = {}
[policies.everybody]
prefer = []
spread = "all"
[pools.all]
monitor = "m"
policy = "everybody"
[pools.all.endpoints]
a = { region = "a", address = ["192.0.2.1", "2001:db8::1"] }
b = { region = "b", address = ["192.0.2.2"] }
c = { region = "c", address = ["2001:db8::3"] }
[pools.first]
monitor = "m"
policy = "failover"
order = ["a", "d"]
[pools.first.endpoints]
a = { region = "a", address = ["192.0.2.1", "2001:db8::1"] }
d = { region = "d", address = ["192.0.2.4", "2001:db8::4"] }
[pools.hash]
policy = "ip-hash"
[pools.hash.endpoints]
a = { region = "a", address = ["192.0.2.5", "2001:db8::5"] }
b = { region = "b", address = ["192.0.2.6", "2001:db8::6"] }
c = { region = "c", address = ["192.0.2.7", "2001:db8::7"] }
[services.'all.example.test']
pools = ["all"]
ttl = { max = "30s", min = "5s" }
[services.'first.example.test']
pools = ["first"]
ttl = { max = "30s", min = "5s" }
[services.'hash.example.test']
pools = ["hash"]
[services.'*.w.example.test']
pools = ["hash"]
[services.'example.test']
pools = ["hash"]
"#;

const ZONE: &str = "alias CNAME hash\nalias2 CNAME all\nstatic HTTPS 1 . alpn=h2\n@ MX 10 mail\n";

fn https() -> Https {
    Https { alpn: vec!["h2".into(), "h3".into()], port: None, hints: true }
}

/// Every service has HTTPS records, and what else `change` makes of it.
fn world_of(change: impl FnOnce(&mut Draft)) -> Arc<World> {
    changed(&[("example.test", ZONE)], CONFIG, |draft| {
        draft.services.iter_mut().for_each(|service| service.https = Some(https()));
        change(draft);
    })
}

/// The targets at these addresses are down, all others up.
fn without(world: &Arc<World>, down: &[&str]) -> Snapshot {
    let down: Vec<IpAddr> = down.iter().map(|address| address.parse().expect("an address")).collect();
    judged(world, |n| !down.contains(&world.targets[n].address()))
}

/// A record's parameters by key, after priority and target.
fn parameters(data: &[u8]) -> Vec<(u16, Vec<u8>)> {
    assert_eq!(data[..3], [0, 1, 0], "priority 1, target `.`");
    let (mut rest, mut found) = (&data[3..], Vec::new());
    while let [k0, k1, l0, l1, tail @ ..] = rest {
        let (value, next) = tail.split_at(usize::from(u16::from_be_bytes([*l0, *l1])));
        found.push((u16::from_be_bytes([*k0, *k1]), value.to_vec()));
        rest = next;
    }
    assert!(rest.is_empty() && found.windows(2).all(|pair| pair[0].0 < pair[1].0), "RFC 9460 2.2: {found:?}");
    found
}

/// The addresses that a reply hints at, or tells in address records.
fn addresses(reply: &Strict) -> (Vec<Ipv4Addr>, Vec<Ipv6Addr>) {
    let (mut four, mut six) = (Vec::new(), Vec::new());
    let mut take = |rtype: u16, octets: &[u8]| match rtype {
        A => four.extend(octets.chunks(4).map(|a| Ipv4Addr::from(<[u8; 4]>::try_from(a).expect("four")))),
        _ => six.extend(octets.chunks(16).map(|a| Ipv6Addr::from(<[u8; 16]>::try_from(a).expect("sixteen")))),
    };
    for rr in reply.answers() {
        match rr.rtype {
            HTTPS => parameters(&rr.data).iter().filter(|(key, _)| matches!(key, 4 | 6)).for_each(|(key, value)| {
                assert!(!value.is_empty(), "RFC 9460 7.3: a hint is not empty");
                take(if *key == 4 { A } else { 28 }, value);
            }),
            A | 28 => take(rr.rtype, &rr.data),
            _ => {}
        }
    }
    (four, six)
}

/// The hints are what A and AAAA say, whatever is asked first.
fn assert_agrees(snapshot: &Snapshot, name: &str, subnet: Option<&str>) -> (Vec<Ipv4Addr>, Vec<Ipv6Addr>) {
    let told = |rtype: &str| {
        let query = ask(&format!("{name} {rtype}"));
        addresses(&subnet.map_or(query.clone(), |prefix| query.subnet(prefix)).of(snapshot))
    };
    let hinted = told("HTTPS");
    assert_eq!(hinted, (told("A").0, told("AAAA").1), "{name} {subnet:?}");
    hinted
}

#[test]
fn the_record_is_one_and_reads_as_rfc_9460_has_it() {
    let snapshot = healthy(&world_of(|_| {}));
    let reply = ask("First.example.test HTTPS").subnet("203.0.114.0/24").of(&snapshot);
    let [record] = reply.answers() else { panic!("{reply:?}") };
    assert_eq!((&record.owner, record.rtype, record.ttl), (&wire("First.example.test"), HTTPS, 30));
    assert_eq!((reply.rcode(), reply.aa(), reply.authority().len(), reply.additional().len()), (NOERROR, true, 0, 0));
    let six = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].to_vec();
    let expected = [(1, b"\x02h2\x02h3".to_vec()), (4, vec![192, 0, 2, 1]), (6, six)];
    assert_eq!(parameters(&record.data), expected);
    // As hickory-proto prints it, a comma behind each value.
    let packet = ask("first.example.test HTTPS").packet();
    let octets = send(&snapshot, &packet, Transport::Udp).expect("a reply");
    let message = Message::from_vec(&octets).expect("a message");
    let [read] = &message.answers[..] else { panic!("one record") };
    let RData::HTTPS(https) = &read.data else { panic!("{read}") };
    assert_eq!(https.0.to_string(), "1 . alpn=h2,h3, ipv4hint=192.0.2.1, ipv6hint=2001:db8::1,");
}

#[test]
fn a_port_stands_between_alpn_and_the_hints_and_what_is_not_configured_is_left_out() {
    let keys = |made: Https| {
        let world = world_of(|draft| draft.services.iter_mut().for_each(|s| s.https = Some(made.clone())));
        let reply = ask("first.example.test HTTPS").of(&healthy(&world));
        parameters(&reply.answers()[0].data).into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(Https { port: Some(8443), ..https() }), [1, 3, 4, 6]);
    assert_eq!(keys(Https { alpn: Vec::new(), ..https() }), [4, 6]);
    assert_eq!(keys(Https { hints: false, ..https() }), [1]);
    assert_eq!(keys(Https { alpn: Vec::new(), port: None, hints: false }), Vec::<u16>::new());
}

#[test]
fn hints_are_the_addresses_that_a_and_aaaa_are_answered_with() {
    let world = world_of(|_| {});
    let v4 = |last: &[u8]| last.iter().map(|n| Ipv4Addr::new(192, 0, 2, *n)).collect::<Vec<_>>();
    let v6 = |last: &[u16]| last.iter().map(|n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, *n)).collect::<Vec<_>>();
    for (down, fours, sixes) in [
        (&[][..], v4(&[1, 2]), v6(&[1, 3])),
        (&["192.0.2.1"], v4(&[2]), v6(&[1, 3])),
        // A family that is lost in the pool is answered as if all of it were up.
        (&["2001:db8::1", "2001:db8::3"], v4(&[1, 2]), v6(&[1, 3])),
        (&["192.0.2.1", "192.0.2.2"], v4(&[1, 2]), v6(&[1, 3])),
        (&["192.0.2.1", "2001:db8::1", "192.0.2.2"], v4(&[1, 2]), v6(&[3])),
    ] {
        let snapshot = without(&world, down);
        assert_eq!(assert_agrees(&snapshot, "all.example.test", None), (fours, sixes), "{down:?}");
    }
    // With each client where it is: hints, A and AAAA are of one endpoint.
    let snapshot = healthy(&world);
    for n in 0..200 {
        let subnet = format!("203.{n}.114.0/24");
        let (four, six) = assert_agrees(&snapshot, "hash.example.test", Some(&subnet));
        assert_eq!((four.len(), six.len(), u16::from(four[0].octets()[3])), (1, 1, six[0].segments()[7]), "{subnet}");
    }
}

#[test]
fn each_hint_is_of_its_types_own_choice() {
    let world = world_of(|_| {});
    let snapshot = without(&world, &["192.0.2.1"]);
    let (four, six) = assert_agrees(&snapshot, "first.example.test", None);
    assert_eq!((four, six), (vec![Ipv4Addr::new(192, 0, 2, 4)], vec!["2001:db8::1".parse().expect("an address")]));
    // One family is lost in the pool: its hint is what its own last resort comes to, at the shorter TTL of the two.
    let snapshot = without(&world, &["192.0.2.1", "192.0.2.4"]);
    let (four, _) = assert_agrees(&snapshot, "first.example.test", None);
    assert_eq!(four, [Ipv4Addr::new(192, 0, 2, 1)], "as if all were up");
    assert_eq!(ask("first.example.test HTTPS").of(&snapshot).answers()[0].ttl, 5);
    let lost = changed(&[("example.test", ZONE)], CONFIG, |draft| {
        for service in &mut draft.services {
            service.https = Some(https());
            service.when_all_down = Fallback::NoData;
        }
    });
    let snapshot = without(&lost, &["192.0.2.1", "192.0.2.4"]);
    let (four, six) = assert_agrees(&snapshot, "first.example.test", None);
    assert_eq!((four.len(), six.len()), (0, 1), "the family that lives is still told");
}

#[test]
fn when_all_is_down_the_service_says_what_becomes_of_type_65() {
    let of = |instead: Fallback| {
        let world = world_of(|draft| draft.services.iter_mut().for_each(|s| s.when_all_down = instead.clone()));
        judged(&world, |_| false)
    };
    let query = || ask("first.example.test HTTPS").subnet("203.0.114.0/24");
    let listed = vec!["192.0.2.99".parse().expect("address"), "2001:db8::99".parse().expect("address")];
    let (four, six) = assert_agrees(&of(Fallback::Addresses(listed)), "first.example.test", None);
    assert_eq!((four, six), (vec![Ipv4Addr::new(192, 0, 2, 99)], vec!["2001:db8::99".parse().expect("address")]));
    assert_agrees(&of(Fallback::IgnoreHealth), "first.example.test", None);
    let everybody = assert_agrees(&of(Fallback::ServeAll), "first.example.test", None);
    assert_eq!((everybody.0.len(), everybody.1.len()), (2, 2));
    let nothing = query().of(&of(Fallback::NoData));
    assert_negative(&nothing, NOERROR, "example.test", "P38");
    assert_eq!((nothing.authority()[0].ttl, nothing.subnet().map(|s| s.2)), (5, Some(0)), "P102, P40");
    for (instead, rcode) in [(Fallback::ServFail, SERVFAIL), (Fallback::Refused, REFUSED)] {
        let reply = query().of(&of(instead));
        assert_bare(&reply, rcode, "HTTPS");
        assert_eq!(reply.subnet().map(|s| s.2), Some(0), "P102");
    }
    let name = Name::from_text("sorry.example.net").expect("a name");
    let alias = query().of(&of(Fallback::Cname(name)));
    assert_eq!(alias.answers().iter().map(|rr| (rr.rtype, rr.ttl)).collect::<Vec<_>>(), [(CNAME, 5)]);
}

#[test]
fn scope_chains_wildcards_and_the_apex_are_as_for_addresses() {
    let snapshot = healthy(&world_of(|_| {}));
    let scope = |question: &str| ask(question).subnet("203.0.114.0/24").of(&snapshot).subnet().map(|s| s.2);
    assert_eq!((scope("hash.example.test HTTPS"), scope("hash.example.test A")), (Some(24), Some(24)), "P103");
    assert_eq!(scope("static.example.test HTTPS"), Some(0), "P98");
    let chain = ask("alias.example.test HTTPS").of(&snapshot);
    assert_eq!(chain.answers().iter().map(|rr| rr.rtype).collect::<Vec<_>>(), [CNAME, HTTPS], "P53");
    let bound = ask("alias.example.test HTTPS").subnet("203.0.114.0/24").of(&snapshot);
    assert_eq!((bound.answers().len(), bound.subnet().map(|s| s.2)), (1, Some(0)), "P104");
    let covered = ask("X.y.w.example.test HTTPS").of(&snapshot);
    assert_eq!(covered.answers()[0].owner, wire("X.y.w.example.test"), "G6");
    let apex = ask("example.test HTTPS").of(&snapshot);
    assert_eq!(apex.answers().iter().map(|rr| rr.rtype).collect::<Vec<_>>(), [HTTPS], "G25");
    assert_negative(&ask("hash.example.test SVCB").of(&snapshot), NOERROR, "example.test", "type 64 is another");
}

#[test]
fn p85_the_record_is_whole_or_tc_is_set() {
    // As many endpoints as fit in 512 octets, and one more.
    for (count, whole) in [(22, true), (23, false)] {
        let endpoints: String = (0..count)
            .map(|n| format!("e{n} = {{ region = \"r\", address = [\"192.0.2.{n}\", \"2001:db8::{n:x}\"] }}\n"))
            .collect();
        let config = format!(
            "[regions.r]\n[policies.everybody]\nprefer = []\nspread = \"all\"\n[pools.p]\npolicy = \"everybody\"\n\
             [pools.p.endpoints]\n{endpoints}[services.'h.example.test']\npools = [\"p\"]\n"
        );
        let world = changed(&[("example.test", "")], &config, |draft| {
            draft.services[0].https = Some(Https { alpn: vec!["h2".into()], port: None, hints: true });
        });
        let snapshot = healthy(&world);
        let reply = ask("h.example.test HTTPS").of(&snapshot);
        // Header, question and record up to the hints take 12 + 20 + 12 + 3 + 7 octets, the hints 8 + 20 for each endpoint.
        assert_eq!((reply.tc(), reply.answers().len()), (!whole, usize::from(whole)), "P85: {}", reply.len);
        assert!(reply.len <= 512, "P82");
        assert_eq!(whole, reply.len == 62 + 20 * count, "P85: {}", reply.len);
        let stream = ask("h.example.test HTTPS").tcp().of(&snapshot);
        assert_eq!((stream.tc(), stream.len), (false, 62 + 20 * count), "P82");
    }
}
