//! How long a large configuration takes to load, and what it keeps: 10,000 services over 200 pools, and a geo database of
//! a million networks. `cargo run --release --example scale`; the figures stand in docs/performance.md.
#![allow(clippy::expect_used, clippy::panic, reason = "a measurement fails by panicking")]

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use meridian::{
    config,
    engine::{
        respond::{self, Answered},
        steer::trace::Silent,
        types::{At, Chance, Origin, Transport},
        world::{World, draw::splitmix},
    },
    node::ledger::Ledger,
};
use mmdb_writer::{Value, Writer, ipnet::IpNet};

const NETWORKS: u32 = 1_000_000;
const PLACES: u32 = 5000;
const SERVICES: usize = 10_000;
const POOLS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(folder) = std::env::args().nth(1) {
        return measure(Path::new(&folder));
    }
    let folder = tempfile::tempdir()?;
    let start = now();
    write_database(&folder.path().join("million.mmdb"))?;
    write_configuration(folder.path())?;
    say(&format!("the files were made in {:.1} s", start.elapsed().as_secs_f64()));
    // A process of its own, so that making the files does not count.
    let run = Command::new(std::env::current_exe()?).arg(folder.path()).status()?;
    if run.success() { Ok(()) } else { Err("the measurement failed".into()) }
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let start = now();
    let loaded = config::load(&folder.join("scale.toml"));
    let faults: Vec<_> = loaded.faults.iter().map(|f| f.message.clone()).collect();
    let config = loaded.config.ok_or_else(|| faults.join("\n"))?;
    let read = start.elapsed();
    let world = Arc::new(World::seal(config.draft));
    let mut ledger = Ledger::new(Arc::clone(&world));
    ledger.end_wait(At(0));
    let snapshot = ledger.snapshot(At(0));
    let ready = start.elapsed();
    let answers = 1_000_000u32;
    let asking = now();
    let mut packet = vec![0u8; 4096];
    for n in 0..answers {
        let len = query(&mut packet, n);
        let origin = Origin { source: [203, 0, 113, 53].into(), transport: Transport::Udp };
        match respond::respond(&snapshot, &mut packet, len, origin, Chance::default(), &mut Silent) {
            Answered::Reply { len, .. } if len > 40 => {}
            other => panic!("{other:?}"),
        }
    }
    let each = asking.elapsed().as_nanos() / u128::from(answers);
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    say(&format!("read, checked and compiled in {:.2} s", read.as_secs_f64()));
    say(&format!("first answer possible after  {:.2} s", ready.as_secs_f64()));
    say(&format!("resident {} MB, at most {} MB while loading", field("VmRSS"), field("VmHWM")));
    say(&format!("one steered answer, random client and service: {each} ns"));
    let bounds = ready < Duration::from_secs(10) && field("VmHWM") < 500;
    if bounds { Ok(()) } else { Err("beyond 10 s or 500 MB".into()) }
}

fn query(packet: &mut [u8], n: u32) -> usize {
    let at = splitmix(u64::from(n));
    let mut text = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let name = format!("s{}.scale.test", at % SERVICES as u64);
    for label in name.split('.') {
        text.push(label.len() as u8);
        text.extend_from_slice(label.as_bytes());
    }
    text.extend_from_slice(&[0, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
    let client = (at >> 32) as u32;
    text.extend_from_slice(&[1 + (client >> 24) as u8 % 220, (client >> 16) as u8, (client >> 8) as u8]);
    packet[..text.len()].copy_from_slice(&text);
    text.len()
}

/// Networks of /18 to /24 side by side from 1.0.0.0 on, over 5,000 places.
fn write_database(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut writer = Writer::builder("Scale-City").description(&[("en", "a million networks")]).build();
    let place = |n: u32| {
        let at = splitmix(u64::from(n));
        let (lat, lon) = ((at % 1300) as f64 / 10.0 - 60.0, (at >> 20 & 0xfff) as f64 / 12.0 - 170.0);
        let location = Value::map([("latitude", Value::Double(lat)), ("longitude", Value::Double(lon))]);
        Value::map([("location", location)])
    };
    let places: Vec<Value> = (0..PLACES).map(place).collect();
    let mut at = u32::from(Ipv4Addr::new(1, 0, 0, 0));
    for n in 0..NETWORKS {
        let pick = splitmix(u64::from(n) << 32);
        let bits = 20 + (pick % 5) as u8;
        let size = 1u32 << (32 - bits);
        at = at.div_ceil(size) * size;
        let net: IpNet = format!("{}/{bits}", Ipv4Addr::from(at)).parse()?;
        writer.insert_value(net, places[(pick >> 8) as usize % places.len()].clone())?;
        at = at.checked_add(size).ok_or("the address space is full")?;
    }
    fs::write(path, writer.to_bytes()?)?;
    Ok(())
}

fn write_configuration(folder: &Path) -> Result<(), Box<dyn Error>> {
    let places = [(39.0, -77.5), (50.1, 8.7), (19.1, 72.9), (35.7, 139.7), (-33.9, 151.2), (-23.5, -46.6)];
    let mut text = String::from(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"s\"\n[geo]\ndatabases = [\"million.mmdb\"]\n\
         [monitors.m]\ntcp = { port = 80 }\n[zones.\"scale.test\"]\nfile = \"scale.zone\"\n",
    );
    for (n, (lat, lon)) in places.iter().enumerate() {
        writeln!(text, "[regions.r{n}]\nlocation = {{ lat = {lat:.1}, lon = {lon:.1} }}")?;
    }
    for pool in 0..POOLS {
        writeln!(text, "[pools.p{pool}]\nmonitor = \"m\"\n[pools.p{pool}.endpoints]")?;
        for n in 0..places.len() {
            writeln!(text, "e{n} = {{ region = \"r{n}\", address = [\"198.51.{pool}.{n}\"] }}")?;
        }
    }
    for n in 0..SERVICES {
        writeln!(text, "[services.\"s{n}.scale.test\"]\npools = [\"p{}\"]", n % POOLS)?;
    }
    let zone = "$ORIGIN scale.test.\n$TTL 300\n@ IN SOA ns1 h 1 1 1 1 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";
    fs::write(folder.join("scale.zone"), zone)?;
    fs::write(folder.join("scale.toml"), text)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
