//! What publishing one health change costs, by how many endpoints there are: folding the outcome, making the Snapshot that
//! queries read, and, apart from that, making the Status that people read.
//!
//! `cargo bench --bench publish`. The best and the median of many changes; no endpoint but one ever changes.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{hint::black_box, io, io::Write as _, net::Ipv4Addr, sync::Arc, time::Instant};

use meridian::{
    engine::{
        health::fold::Outcome,
        types::{At, PerFamily, RegionId, TargetId},
        world::{Draft, Region, Target, World, endpoint::Endpoint, pool::Pool},
    },
    node::{input::Input, ledger::Ledger},
    probing::{
        check::Check,
        millis::Millis,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};

/// Endpoints of a pool.
const POOL: u32 = 10;
/// Regions of a configuration, one of each for an endpoint of a pool.
const REGIONS: u32 = 10;

fn main() {
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 400 } else { 1 };
    say(&format!(
        "{:<10} {:>12} {:>12} {:>14} {:>12}\n",
        "endpoints", "fold µs", "snapshot µs", "both, median", "status µs"
    ));
    for endpoints in [100, 1000, 10_000] {
        let mut ledger = Ledger::new(world(endpoints));
        for n in 0..endpoints {
            ledger.fold(At(0), Input::outcome(&key(n), Outcome::good(1)));
        }
        // An endpoint that fails and recovers by turns: each probe is one change of its row at the least.
        let (mut folds, mut snapshots, mut both, mut statuses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for n in 0..rounds {
            let outcome = if n % 2 == 0 { Outcome::Bad("status 503".into()) } else { Outcome::good(1) };
            let at = At(1000 * (n + 1));
            let (start, event) = (now(), Input::outcome(&key(endpoints / 2), outcome));
            black_box(ledger.fold(at, event));
            let folded = start.elapsed();
            black_box(ledger.snapshot(at));
            let all = start.elapsed();
            folds.push(folded.as_nanos());
            snapshots.push((all - folded).as_nanos());
            both.push(all.as_nanos());
            let start = now();
            black_box(ledger.status(at));
            statuses.push(start.elapsed().as_nanos());
        }
        both.sort_unstable();
        let best = |of: &[u128]| of.iter().min().copied().unwrap_or_default() as f64 / 1000.0;
        let middle = both[both.len() / 2] as f64 / 1000.0;
        say(&format!(
            "{endpoints:<10} {:>12.1} {:>12.1} {middle:>14.1} {:>12.1}\n",
            best(&folds),
            best(&snapshots),
            best(&statuses)
        ));
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(line: &str) {
    let _ = io::stdout().write_all(line.as_bytes());
}

fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + n)
}

fn key(n: u32) -> Arc<ProbeKey> {
    Arc::new(ProbeKey::new(Check::tcp(80), address(n).into()))
}

fn world(endpoints: u32) -> Arc<World> {
    let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
    let watch = Watch::Probe(Check::tcp(80));
    let endpoint = |n: u32| Endpoint {
        name: format!("e{:02}", n % POOL).into(),
        region: RegionId((n % REGIONS) as u16),
        v4: Some(address(n)),
        weight: 100,
        targets: PerFamily::new(Some(TargetId(n)), None),
        ..Endpoint::default()
    };
    let pool = |p: u32| Pool {
        name: format!("p{p:05}").into(),
        endpoints: (p * POOL..(p + 1) * POOL).map(endpoint).collect(),
        monitor: Some(MonitorId(0)),
        ..Pool::default()
    };
    Arc::new(World::seal(Draft {
        monitors: vec![Monitor { name: "lb".into(), watch, rhythm, calm: Calm::NONE, source: None }],
        regions: (0..REGIONS).map(|n| Region { name: format!("r{n}").into(), ..Region::default() }).collect(),
        targets: (0..endpoints).map(|n| Target::probed(MonitorId(0), key(n))).collect(),
        pools: (0..endpoints / POOL).map(pool).collect(),
        policies: vec![Default::default()],
        ..Draft::default()
    }))
}
