//! The whole worker loop in front of the real engine: nothing in it allocates, whatever is asked.

use super::{
    udp::{by_hand, client},
    *,
};
use crate::{
    engine::{
        geo::{GeoKey, RegionPoint, Rule},
        health::fold::Outcome,
        snapshot::Snapshot,
        types::{At, Family, MapId, Millis, PerFamily, PolicyId, PoolId, Prefix, RegionId, RouteId, TargetId},
        units::Ttl,
        wire::{name::Name, rr::RrType},
        world::{
            Draft, Region, Target, World,
            endpoint::Endpoint,
            policy::{Key, Policy, Spread},
            pool::{Pool, Route},
            service::{Fallback, Service},
        },
        zone::{ZoneRecord, ZoneSource},
    },
    net::udp::Wait,
    node::{input::Input, ledger::Ledger},
    probing::{
        check::Check,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn zone() -> ZoneSource {
    let wire = |text: &str| name(text).wire().to_vec();
    let soa = [wire("ns.test"), wire("admin.test"), vec![0; 20]].concat();
    let text = [vec![250; 1], vec![b'x'; 250]].concat();
    let record = |owner: &str, rtype: RrType, rdata: Vec<u8>| ZoneRecord {
        owner: name(owner),
        rtype,
        ttl: Ttl(60),
        rdata: rdata.into_boxed_slice(),
    };
    let records = vec![
        record("test", RrType::SOA, soa),
        record("test", RrType::NS, wire("ns.test")),
        record("ns.test", RrType::A, vec![192, 0, 2, 53]),
        record("*.wild.test", RrType::A, vec![192, 0, 2, 1]),
        record("alias.test", RrType::CNAME, wire("ns.test")),
        record("old.test", RrType::DNAME, wire("wild.test")),
        record("child.test", RrType::NS, wire("ns.child.test")),
        record("ns.child.test", RrType::A, vec![192, 0, 2, 54]),
        record("long.test", RrType::TXT, [text.clone(), text.clone(), text].concat()),
    ];
    ZoneSource { apex: name("test"), records }
}

const SPREADS: [Spread; 5] = [Spread::Weighted, Spread::RoundRobin, Spread::Hash, Spread::Random, Spread::All];

/// A service for each spread, of three endpoints in three regions, ranked by distance from whom nobody knows; and one
/// whose only endpoint is down.
fn draft() -> Draft {
    let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
    let check = Check::tcp(80);
    let regions: Vec<RegionId> = (0..3).map(RegionId).collect();
    let rule = Rule {
        regions: regions.clone(),
        keys: vec![(GeoKey::Rtt, 100)],
        groups: Vec::new(),
        depth: 3,
        ..Rule::default()
    };
    let points = [RegionPoint::default(); 3];
    let mut draft = Draft {
        regions: ["a", "b", "c"]
            .map(|name| Region { name: name.into(), point: points[0], ..Region::default() })
            .to_vec(),
        monitors: vec![Monitor {
            name: "m".into(),
            watch: Watch::Probe(check.clone()),
            rhythm,
            calm: Calm::NONE,
            source: None,
        }],
        targets: vec![Target::probed(MonitorId(0), Arc::new(ProbeKey::new(check, [192, 0, 2, 200].into())))],
        zones: vec![Arc::new(zone())],
        ecs_from: Family::BOTH.map(|family| Prefix::from_bits(family, 0, 0)).to_vec(),
        udp_max: 1232,
        identity: "worker".into(),
        ..Draft::default()
    };
    draft.rules = vec![rule];
    for (n, spread) in (0_u32..).zip(SPREADS.into_iter().chain([Spread::Hash])) {
        let lost = n == SPREADS.len() as u32;
        let count = if lost { 1 } else { 3_u8 };
        draft.policies.push(Policy {
            name: "p".into(),
            prefer: vec![(Key::Rtt, 100)],
            spread,
            sticky: None,
            answers: 2,
            depth: 3,
            ..Policy::default()
        });
        let endpoints = (0..count).map(|at| Endpoint {
            name: format!("e{at}").into(),
            region: RegionId(at.into()),
            v4: Some([192, 0, 2, if lost { 200 } else { at + 1 }].into()),
            v6: None,
            weight: 10 + u32::from(at),
            order: 0,
            targets: PerFamily::new(lost.then_some(TargetId(0)), None),
            ..Endpoint::default()
        });
        draft.pools.push(Pool {
            name: format!("p{n}").into(),
            endpoints: endpoints.collect(),
            monitor: lost.then_some(MonitorId(0)),
            ..Pool::default()
        });
        draft.routes.push(Route { pool: PoolId(n), policy: PolicyId(n), map: Some(MapId(0)), ..Route::default() });
        draft.services.push(Service {
            routes: vec![RouteId(n)],
            ttl_max: Ttl(30),
            ttl_min: Ttl(5),
            when_all_down: if lost { Fallback::ServFail } else { Fallback::IgnoreHealth },
            affinity: b"s".as_slice().into(),
            maps: vec![MapId(0)],
            cut: Some(PerFamily::new(16, 32)),
            ..Service::new(name(&format!("s{n}.test")))
        });
    }
    draft
}

/// A query; with `subnet` an option that names 20.1.2.0/24.
fn query(owner: &str, rtype: u16, subnet: bool) -> Vec<u8> {
    let mut octets = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(subnet)];
    octets.extend(name(owner).wire());
    octets.extend(rtype.to_be_bytes());
    octets.extend([0, 1]);
    if subnet {
        octets.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 20, 1, 2]);
    }
    octets
}

fn questions() -> Vec<Vec<u8>> {
    let mut asked = vec![
        query("ns.test", 1, false),
        query("ns.test", 28, true),
        query("nobody.test", 1, true),
        query("a.wild.test", 1, false),
        query("alias.test", 1, false),
        query("a.old.test", 1, false),
        query("a.child.test", 1, true),
        query("ns.test", 255, false),
        query("example.org", 1, true),
        query("long.test", 16, false), // truncated
        query("s0.test", 65, true),
        query("s5.test", 1, true), // SERVFAIL
    ];
    for n in 0..SPREADS.len() {
        asked.extend([true, false].map(|subnet| query(&format!("s{n}.test"), 1, subnet)));
    }
    let mut broken = query("ns.test", 1, true);
    broken.pop(); // FORMERR
    let mut version = query("ns.test", 1, true);
    version.truncate(version.len() - 22);
    version.extend([0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0]); // BADVERS
    let mut opcode = query("ns.test", 1, false);
    opcode[2] = 0x18; // NOTIMP
    let mut chaos = query("id.server", 16, false);
    *chaos.last_mut().unwrap() = 3;
    asked.extend([broken, version, opcode, chaos]);
    asked
}

#[test]
fn a_hundred_thousand_real_answers_allocate_nothing() {
    let world = Arc::new(World::seal(draft()));
    let mut ledger = Ledger::new(Arc::clone(&world));
    let early = Arc::new(ledger.snapshot(At(0)));
    let key = Arc::clone(world.targets[0].key().expect("probed"));
    ledger.fold(At(0), Input::outcome(&key, Outcome::Bad("connection refused".into())));
    let board: Board<Snapshot> = Board::new(early);
    let (mut worker, address, counters) = by_hand(&board, loopback(), 32);
    let client = client(address);
    let silent = reply(1, b"");
    let asked = questions();
    let mut octets = [0; 2048];
    let mut round = |replies: usize| {
        asked.iter().for_each(|query| _ = client.send(query).unwrap());
        client.send(&silent).unwrap();
        let mut taken = 0;
        while taken <= asked.len() {
            taken += worker.turn(Wait::ForOne).unwrap();
        }
        (0..replies).for_each(|_| _ = client.recv(&mut octets).unwrap());
    };
    let steered = 2 * SPREADS.len() + 1;
    round(asked.len() - steered); // the first makes the room that the others use again
    let early = allocation_counter::measure(|| (0..100).for_each(|_| round(asked.len() - steered)));
    assert_eq!(early.count_total, 0, "before the first probe round");
    board.publish(Arc::new(ledger.snapshot(At(0))));
    let counted = allocation_counter::measure(|| (0..4000).for_each(|_| round(asked.len())));
    // The old Snapshot is freed by whoever lets it go last; that allocates nothing.
    assert_eq!(counted.count_total, 0);
    let total = Counters::total(&[counters]);
    let each = |rcode| total.replies(rcode) / 4101;
    assert_eq!(total.get(Count::Requests), 4101 * (asked.len() as u64 + 1));
    assert!(total.get(Count::Requests) > 100_000);
    assert_eq!(total.get(Count::NotReady), 101 * steered as u64);
    assert_eq!(total.replies(Rcode::ServFail), 4000);
    assert_eq!([Rcode::NxDomain, Rcode::FormErr, Rcode::NotImp, Rcode::BadVers, Rcode::Refused].map(each), [1; 5]);
}
