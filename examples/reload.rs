//! How long a reload takes to compile zones: 1,000 of them with 100 names each, of which one has changed.
//! `cargo run --release --example reload`.
#![allow(clippy::expect_used, clippy::panic, reason = "a measurement fails by panicking")]

use std::{io::Write as _, sync::Arc, time::Instant};

use meridian::engine::{
    units::Ttl,
    wire::{name::Name, rr::RrType},
    world::{Draft, World},
    zone::{ZoneRecord, ZoneSource},
};

const ZONES: usize = 1000;
const NAMES: usize = 100;

fn main() {
    for _ in 0..5 {
        let (first, second, again) = (draft(1), draft(2), draft(2));
        let start = now();
        let world = World::seal(first);
        let all = start.elapsed();
        let start = now();
        let next = World::seal_after(second, Some(&world));
        let one = start.elapsed();
        let start = now();
        let last = World::seal_after(again, Some(&next));
        let none = start.elapsed();
        say(&format!("{ZONES} zones {all:.1?}, one of them changed {one:.1?}, none changed {none:.1?}"));
        drop((world, next, last));
    }
}

/// All zones, as if they were read again; in one of them addresses end with `last`.
fn draft(last: u8) -> Draft {
    let zones = (0..ZONES).map(|n| Arc::new(zone(n, if n == ZONES / 2 { last } else { 1 })));
    Draft { zones: zones.collect(), ..Draft::default() }
}

fn zone(n: usize, last: u8) -> ZoneSource {
    let apex = format!("zone{n}.example");
    let ns = name(&format!("h0.{apex}"));
    let soa = [ns.wire(), name("host.example").wire(), &[0; 20]].concat();
    let record = |owner: Name, rtype, rdata: &[u8]| ZoneRecord { owner, rtype, ttl: Ttl(300), rdata: rdata.into() };
    let mut records = vec![record(name(&apex), RrType::SOA, &soa), record(name(&apex), RrType::NS, ns.wire())];
    records.extend((0..NAMES).map(|n| record(name(&format!("h{n}.{apex}")), RrType::A, &[192, 0, 2, last])));
    ZoneSource { apex: name(&apex), records }
}

fn name(text: &str) -> Name {
    Name::from_text(text).expect("a name")
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
