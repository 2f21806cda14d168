//! A configuration with a check of every kind, and health with every section of the file filled.

use std::{net::IpAddr, sync::Arc};

use super::*;
use crate::{
    engine::{
        types::{EndpointId, Millis},
        wire::name::Name,
        world::{Asks, Region},
    },
    probing::identity::tests::checks,
};

/// The moment and the wall clock at which it is saved.
pub(super) const NOW: At = At(100_000);
pub(super) const WALL: u64 = 1_800_000_000_000;

/// One target for each check and two with a source, each at an address of its own; then one that is made of the first two.
pub(super) fn world() -> Arc<World> {
    let sources = [("source v4", Check::Icmp, "192.0.2.53"), ("source v6", Check::tcp(80), "2001:db8::53")];
    let sources = sources.map(|(name, check, source)| (name, check, source.parse().ok()));
    let all: Vec<_> = checks().into_iter().map(|(name, check)| (name, check, None)).chain(sources).collect();
    let mut monitors = Vec::new();
    let mut targets = Vec::new();
    for (n, (name, check, source)) in all.into_iter().enumerate() {
        let watch = Watch::Probe(check.clone());
        monitors.push(Monitor { name: name.into(), watch, rhythm: RHYTHM, calm: Calm::usual(Millis(1000)), source });
        let address = if n % 2 == 0 {
            IpAddr::from([192, 0, 2, n as u8])
        } else {
            IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n as u16])
        };
        targets.push(Target::probed(MonitorId(n as u32), Arc::new(ProbeKey { check, address, source })));
    }
    let watch = Watch::Several { needed: 2, of: vec![MonitorId(0), MonitorId(1)] };
    let monitor = MonitorId(monitors.len() as u32);
    monitors.push(Monitor { name: "both".into(), watch, rhythm: RHYTHM, calm: Calm::NONE, source: None });
    let address = [192, 0, 2, 200].into();
    targets.push(Target { monitor, asks: Asks::Several { needed: 2, of: vec![TargetId(0), TargetId(1)], address } });
    let v4 = |last: u8| Some([192, 0, 2, last].into());
    Arc::new(World::seal(Draft {
        monitors,
        targets,
        regions: ["eu", "us"].map(|name| Region { name: name.into(), ..Region::default() }).into(),
        pools: vec![Pool {
            name: "web".into(),
            endpoints: vec![
                Endpoint { name: "eu-1".into(), v4: v4(1), v6: "2001:db8::1".parse().ok(), ..Endpoint::default() },
                Endpoint { name: "eu-2".into(), v4: v4(2), ..Endpoint::default() },
                Endpoint {
                    name: "us-1".into(),
                    region: RegionId(1),
                    cname: Name::from_text("cdn.example").ok(),
                    ..Endpoint::default()
                },
            ],
            ..Pool::default()
        }],
        ..Draft::default()
    }))
}

/// Of the targets each third is down, one in another way than the next.
fn record(n: usize) -> Record {
    let last = match n % 4 {
        0 => Outcome::good(1234),
        1 => Outcome::NoRoute,
        2 => Outcome::Bad("status 503: \"no\"\tü".into()),
        _ => Outcome::Unasked("too many open files".into()),
    };
    let down = n % 3 == 2;
    let mut record = Record {
        health: if down {
            Health::Down
        } else if n == 4 {
            Health::Unknown
        } else {
            Health::Up
        },
        since: At(1000 * n as u64),
        good: n as u32,
        bad: 20 - n as u32,
        span: 100 + n as u32,
        fall: down.then_some(Fall { at: At(1000 * n as u64), before: Millis(5), released: n.is_multiple_of(2) }),
        penalty: Penalty::restored(n as f64 / 4.0, n >= 12, NOW),
        ..Record::default()
    };
    record.evidence.push((At(99_000), last));
    if n == 7 {
        record.evidence.clear();
        record.restored = Some(Restored { health: Health::Up, age: Some(Millis(60_000)), used: true, last: None });
    }
    record
}

pub(super) fn status() -> Status {
    let world = world();
    let count = world.targets.len();
    let start = |of, way| SlowStart { pool: PoolId(0), of, way, over: Millis(120_000) };
    Status {
        targets: (0..count).map(record).collect(),
        governed: Governed::resumed(
            [(RegionId(0), Past::ago(NOW, Millis(1500))), (RegionId(1), Past::ago(NOW, Millis(150_000)))],
            [(RegionId(1), Past::ago(NOW, Millis(70_000)))],
        ),
        kept: vec![(TargetId(2), Health::Up), (TargetId(5), Health::Unknown), (TargetId(count as u32 - 1), Health::Up)],
        slow_starts: vec![
            start(SlowStartOf::Endpoint(EndpointId(0)), Some((Millis(10_000), Some(At(80_000))))),
            start(SlowStartOf::Endpoint(EndpointId(1)), Some((Millis(40_000), None))),
            start(SlowStartOf::Endpoint(EndpointId(2)), None),
            start(SlowStartOf::Region(RegionId(1)), Some((Millis(0), Some(At(99_000))))),
        ],
        ..Ledger::new(world).status(NOW)
    }
}
