//! No answer of any kind allocates: every kind of packet, a hundred thousand times, through the three stages.

use std::{net::IpAddr, sync::Arc};

use meridian::{
    engine::{
        respond::{self, Answered},
        snapshot::Snapshot,
        steer::trace::Silent,
        types::{At, Chance, Origin, PerFamily, Transport, UnixMillis},
        units::Ttl,
        wire::{
            name::Name,
            read::Query,
            rr::{Rcode, RrType},
        },
        world::{
            Draft, Reflect,
            service::{Fallback, Families, Https},
        },
        zone::ZoneRecord,
    },
    node::ledger::Ledger,
};

use crate::steering::lab::{A, AAAA, Lab, draft, packet, prefix};

const CONFIG: &str = r#"
[geo]
overrides = "o.csv"
[monitors.m]
tcp = { port = 80 }
[regions]
eu = { location = { lat = 50.11, lon = 8.68 } }
us = { location = { lat = 39.04, lon = -77.49 } }
ap = { location = { lat = 19.08, lon = 72.88 } }
[policies]
all = { prefer = [], spread = "all" }
three = { prefer = ["distance", "rtt"], answers = 3 }
"#;

const PLACES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
20.0.0.0/16,EU,DE,,,,,
20.0.128.0/20,NA,US,,,,,
2a00:100::/40,EU,DE,,,,,
";

/// A service `NAME.g.test` with a pool of its own: three endpoints, whose targets are up or, with `down`, not.
fn service(name: &str, policy: &str, order: bool, all_down: &str, host: u8) -> String {
    let order = if order { "order = [\"us\", \"eu\", \"ap\"]" } else { "" };
    let endpoint = |region: &str, n: u8| {
        let n = host + n;
        format!(
            "{region} = {{ region = \"{region}\", address = [\"192.0.2.{n}\", \"2001:db8::{n:x}\"], weight = {n} }}\n"
        )
    };
    format!(
        "[pools.{name}]\nmonitor = \"m\"\npolicy = \"{policy}\"\n{order}\n[pools.{name}.endpoints]\n{}{}{}\
         [services.\"{name}.g.test\"]\npools = [\"{name}\"]\nwhen_all_down = {all_down}\n",
        endpoint("eu", 1),
        endpoint("us", 2),
        endpoint("ap", 3)
    )
}

const POLICIES: [&str; 10] =
    ["adaptive", "failover", "ip-hash", "latency", "proximity", "random", "round-robin", "weighted", "all", "three"];
const LOST: [(&str, &str); 7] = [
    ("ignore", "\"ignore-health\""),
    ("everybody", "\"serve-all\""),
    ("nothing", "\"nodata\""),
    ("failure", "\"servfail\""),
    ("listed", "{ address = [\"203.0.113.9\", \"2001:db8::9\"] }"),
    ("elsewhere", "\"nodata\""),
    ("refusal", "\"nodata\""),
];

fn text() -> String {
    let up = POLICIES.iter().enumerate().map(|(n, policy)| {
        service(&format!("s-{policy}"), policy, *policy == "failover", "\"ignore-health\"", 10 * n as u8)
    });
    let down =
        LOST.iter().enumerate().map(|(n, (name, mode))| service(name, "adaptive", false, mode, 150 + 10 * n as u8));
    let cdn = service("cdn", "adaptive", false, "\"ignore-health\"", 100);
    CONFIG.to_owned() + &up.chain(down).chain([cdn]).collect::<String>()
}

/// What the text above cannot say: the pool `cdn` is other names, services have HTTPS records, another name or a refusal
/// stands in, and `who.g.test` tells clients what they are taken for.
fn with_other_answers(draft: &mut Draft) {
    let name = |text: &str| Name::from_text(text).expect(text);
    let cdn = draft.pools.iter().position(|pool| &*pool.name == "cdn").expect("a pool");
    for endpoint in &mut draft.pools[cdn].endpoints {
        (endpoint.v4, endpoint.v6, endpoint.targets) = (None, None, PerFamily::default());
        endpoint.cname = Some(name("static.g.test"));
    }
    for service in &mut draft.services {
        match &*service.name.to_string() {
            "elsewhere.g.test." => service.when_all_down = Fallback::Cname(name("static.g.test")),
            "refusal.g.test." => service.when_all_down = Fallback::Refused,
            "s-latency.g.test." => service.families = Families::Leave,
            _ => {}
        }
        if service.name != name("s-failover.g.test") {
            service.https = Some(Https { alpn: vec!["h2".into(), "h3".into()], port: Some(8443), hints: true });
        }
    }
    // Records that point at steered names, eight and more.
    for policy in POLICIES {
        let rdata = [&[0, 1, 0, 1, 1, 187], name(&format!("s-{policy}.g.test")).wire()].concat();
        let record =
            |owner| ZoneRecord { owner: name(owner), rtype: RrType::SRV, ttl: Ttl(300), rdata: rdata.clone().into() };
        Arc::make_mut(&mut draft.zones[0]).records.push(record("srv.g.test"));
        if policy == "all" {
            Arc::make_mut(&mut draft.zones[0]).records.push(record("srv-all.g.test"));
        }
    }
    draft.reflect = Some(Reflect { name: name("who.g.test"), allow: vec![prefix("9.0.0.0/8")] });
}

/// Everything on the last octets 150 and above is down; of the others, some are failing and some unknown.
fn snapshot() -> (Lab, Snapshot) {
    let mut draft = draft(&text(), &[("o.csv", PLACES)]);
    with_other_answers(&mut draft);
    let mut lab = Lab::new(draft);
    let health = |address: IpAddr| {
        let host = match address {
            IpAddr::V4(v4) => v4.octets()[3],
            IpAddr::V6(v6) => v6.octets()[15],
        };
        match host {
            150.. => "b",
            _ if host % 10 == 1 && address.is_ipv6() => "gb",
            _ => "g",
        }
    };
    let letters: Vec<&str> = lab.world.targets.iter().map(|target| health(target.address())).collect();
    let snapshot = lab.healths(&letters);
    (lab, snapshot)
}

/// A question with what its reply is to be.
struct Kind {
    what: String,
    packet: Vec<u8>,
    /// None: not ready, or no reply at all.
    rcode: Option<Rcode>,
    /// Answer records; none: whatever comes.
    answers: Option<u16>,
    transport: Transport,
}

fn kind(what: &str, packet: Vec<u8>, rcode: Option<Rcode>, answers: Option<u16>) -> Kind {
    Kind { what: what.into(), packet, rcode, answers, transport: Transport::Udp }
}

/// The query with some octets changed.
fn changed(mut packet: Vec<u8>, octets: &[(usize, u8)]) -> Vec<u8> {
    octets.iter().for_each(|(at, octet)| packet[*at] = *octet);
    packet
}

fn with_opt(name: &str, rtype: u16, opt: &[u8]) -> Vec<u8> {
    let mut octets = changed(packet(name, rtype, None), &[(11, 1)]);
    octets.extend_from_slice(opt);
    octets
}

fn chaos() -> Vec<u8> {
    let mut octets = packet("id.server", 16, None);
    let end = octets.len();
    octets[end - 1] = 3;
    octets
}

fn kinds() -> Vec<Kind> {
    let ok = Some(Rcode::NoError);
    let plain = |name: &str, rtype: u16| packet(name, rtype, None);
    let v4 = Some(prefix("20.0.130.0/24"));
    let long = format!("{}.o.g.test", ["x".repeat(60), "y".repeat(60), "z".repeat(60), "w".repeat(57)].join("."));
    let mut kinds = vec![
        kind("static", plain("static.g.test", A), ok, Some(1)),
        kind("static with ECS", packet("static.g.test", A, v4), ok, Some(1)),
        kind("NODATA", plain("static.g.test", AAAA), ok, Some(0)),
        kind("empty non-terminal", plain("ent.g.test", A), ok, Some(0)),
        kind("NXDOMAIN", plain("nobody.g.test", A), Some(Rcode::NxDomain), Some(0)),
        kind("wildcard", plain("a.b.wild.g.test", A), ok, Some(1)),
        kind("CNAME chain", plain("chain.g.test", A), ok, Some(3)),
        kind("DNAME", plain("a.old.g.test", A), ok, Some(3)),
        kind("DNAME too long", plain(&long, A), Some(Rcode::YxDomain), Some(1)),
        kind("referral", plain("x.child.g.test", A), ok, Some(0)),
        kind("DS at a cut", plain("child.g.test", 43), ok, Some(0)),
        kind("apex with additional", plain("g.test", 2), ok, Some(1)),
        kind("ANY", plain("static.g.test", 255), ok, Some(1)),
        kind("ANY at a steered name", plain("s-adaptive.g.test", 255), ok, Some(1)),
        kind("REFUSED", plain("example.org", A), Some(Rcode::Refused), Some(0)),
        kind("AXFR", plain("g.test", 252), Some(Rcode::Refused), Some(0)),
        kind("FORMERR: no question", changed(plain("g.test", A), &[(5, 0)]), Some(Rcode::FormErr), Some(0)),
        kind(
            "FORMERR: ECS",
            with_opt("static.g.test", A, &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 8, 0, 4, 0, 9, 0, 0]),
            Some(Rcode::FormErr),
            Some(0),
        ),
        kind("NOTIMP", changed(plain("g.test", A), &[(2, 0x18)]), Some(Rcode::NotImp), None),
        kind(
            "BADVERS",
            with_opt("static.g.test", A, &[0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0]),
            Some(Rcode::BadVers),
            Some(0),
        ),
        kind("CH", chaos(), ok, Some(1)),
        kind("truncated", plain("long.g.test", 16), ok, Some(0)),
        kind("silence", changed(plain("g.test", A), &[(2, 0x80)]), None, None),
        kind("silence: short", vec![0; 7], None, None),
        kind("alias to a steered name", plain("alias.g.test", 15), ok, None),
        kind("steered, type that it has not", plain("s-failover.g.test", 65), ok, Some(0)),
        kind("CNAME endpoint", plain("cdn.g.test", A), ok, Some(2)),
        kind("CNAME endpoint with ECS", packet("cdn.g.test", A, v4), ok, Some(1)),
        kind("CNAME endpoint, another type", plain("cdn.g.test", 16), ok, Some(1)),
        kind("CNAME endpoint, ANY", plain("cdn.g.test", 255), ok, Some(1)),
        kind("SRV with steered targets", packet("srv.g.test", 33, v4), ok, Some(10)),
        kind("SRV with steered targets, without ECS", plain("srv.g.test", 33), ok, Some(10)),
        kind("SRV with a steered target", packet("srv-all.g.test", 33, v4), ok, Some(1)),
        kind("reflect, TXT", packet("who.g.test", 16, v4), ok, Some(1)),
        kind("reflect, TXT without ECS", plain("who.g.test", 16), ok, Some(1)),
        kind("reflect, TXT of a wide client", packet("who.g.test", 16, Some(prefix("20.0.0.0/8"))), ok, Some(1)),
        kind("reflect, A", packet("who.g.test", A, v4), ok, Some(1)),
        kind("reflect, other family", packet("who.g.test", AAAA, v4), ok, Some(0)),
    ];
    for (name, answers) in [("adaptive", 1), ("latency", 1), ("three", 1), ("all", 1)] {
        for subnet in [None, v4] {
            let packet = packet(&format!("s-{name}.g.test"), 65, subnet);
            kinds.push(kind(&format!("HTTPS, {name}, from {subnet:?}"), packet, ok, Some(answers)));
        }
    }
    kinds.push(Kind {
        transport: Transport::Tcp,
        what: "large over TCP".into(),
        answers: Some(6),
        ..kind("", plain("long.g.test", 16), ok, None)
    });
    for policy in POLICIES {
        for (rtype, subnet) in [
            (A, None),
            (A, v4),
            (AAAA, v4),
            (A, Some(prefix("2a00:100::/56"))),
            (A, Some(prefix("20.0.0.0/8"))),
            (A, Some(prefix("10.1.0.0/16"))),
            (AAAA, Some(prefix("0.0.0.0/0"))),
            (A, Some(prefix("2002:1400:1::/48"))),
        ] {
            let what = format!("{policy}, type {rtype}, from {subnet:?}");
            kinds.push(kind(&what, packet(&format!("s-{policy}.g.test"), rtype, subnet), ok, None));
        }
    }
    for (name, answers, rcode) in [
        ("ignore", 1, Rcode::NoError),
        ("everybody", 3, Rcode::NoError),
        ("nothing", 0, Rcode::NoError),
        ("failure", 0, Rcode::ServFail),
        ("listed", 1, Rcode::NoError),
        ("elsewhere", 1, Rcode::NoError),
        ("refusal", 0, Rcode::Refused),
    ] {
        kinds.push(kind(
            &format!("all down: {name}"),
            packet(&format!("{name}.g.test"), AAAA, v4),
            Some(rcode),
            Some(answers),
        ));
        let answers = if rcode == Rcode::NoError { answers.min(1) } else { 0 };
        let packet = packet(&format!("{name}.g.test"), 65, v4);
        kinds.push(kind(&format!("all down, HTTPS: {name}"), packet, Some(rcode), Some(answers)));
    }
    kinds
}

/// One packet, as a worker has it: a batch of one through read, touch and finish.
fn once(snapshot: &Snapshot, kind: &Kind, buffer: &mut [u8], n: u64) -> Option<(usize, Rcode)> {
    buffer[..kind.packet.len()].copy_from_slice(&kind.packet);
    let query: Option<Query> = respond::read(&buffer[..kind.packet.len()]);
    let query = query?;
    respond::touch(snapshot, &query);
    let chance = Chance {
        now: UnixMillis(1_700_000_000_000 + n * 997),
        random: n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        draw: None,
    };
    let origin = Origin { source: [9, 9, 9, 9].into(), transport: kind.transport };
    match respond::finish(snapshot, buffer, &query, origin, chance, &mut Silent) {
        Answered::Reply { len, rcode, .. } => Some((len, rcode)),
        Answered::Silence | Answered::NotReady => None,
    }
}

/// Packets of each kind that are counted.
const PACKETS: u64 = 100_000;

#[test]
fn a_hundred_thousand_of_every_kind_allocate_nothing() {
    let (lab, ready) = snapshot();
    let mut buffer = vec![0; 65_535];
    let kinds = kinds();
    for kind in &kinds {
        let reply = once(&ready, kind, &mut buffer, 0);
        assert_eq!(reply.map(|(_, rcode)| rcode), kind.rcode, "{}", kind.what);
        let answers = u16::from_be_bytes([buffer[6], buffer[7]]);
        assert!(kind.answers.is_none_or(|expected| expected == answers), "{}: {answers} answers", kind.what);
        assert_eq!(kind.what == "truncated", buffer[2] & 0x82 == 0x82, "{}", kind.what);
        let counted = allocation_counter::measure(|| {
            for n in 0..PACKETS {
                std::hint::black_box(once(&ready, kind, &mut buffer, n));
            }
        });
        assert_eq!(counted.count_total, 0, "{}", kind.what);
    }
    let unready = Ledger::new(lab.world).snapshot(At(0));
    let early = kind("not ready", packet("s-adaptive.g.test", A, None), None, None);
    let counted = allocation_counter::measure(|| {
        (0..PACKETS).for_each(|n| assert_eq!(once(&unready, &early, &mut buffer, n), None));
    });
    assert_eq!(counted.count_total, 0, "not ready");
}
