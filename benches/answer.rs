//! What one answer costs: nanoseconds in process, and user-space instructions where valgrind is installed.
//!
//! `cargo bench --bench answer`. Each kind of answer goes through the worker that serves UDP, counters and all, in its
//! usual batches, over 4,096 different packets, so that the branch predictor and the cache are not flattered; only the
//! system calls are left out: datagrams lie in memory. The best of several passes is printed with the median, since
//! machines are noisy; instructions are those inside the pass, so that setting up does not count.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{fmt::Write as _, fs, hint::black_box, io, path::Path, process::Command, sync::Arc, time::Instant};

use meridian::{
    config,
    engine::{
        health::fold::Outcome,
        snapshot::Snapshot,
        types::{At, PerFamily, Prefix, RouteId},
        wire::name::Name,
        world::{Draft, Reflect, World, draw, service::Https},
    },
    net::{
        UdpOptions,
        board::Board,
        udp::{DATAGRAM, Datagrams, Frame, Unsent, Wait, Worker},
    },
    node::{input::Input, ledger::Ledger},
    telemetry::counters::{Count, Counters},
};

/// Names of each sort.
const NAMES: usize = 10_000;
const PACKETS: usize = 4096;

const A: u8 = 1;
const TXT: u8 = 16;
const HTTPS: u8 = 65;

/// Kinds of answers: the name, how question n is spelt, its type, and whether it carries a client subnet.
type Kind = (&'static str, fn(usize) -> String, u8, bool);
const KINDS: [Kind; 10] = [
    ("static", |n| format!("h{}.bench.test", n * 7 % NAMES), A, false),
    ("steered, one in the band", |n| format!("near{}.bench.test", n * 7 % 1000), A, true),
    ("steered, rendezvous", |n| format!("hash{}.bench.test", n * 7 % 1000), A, true),
    ("steered, weighted", |n| format!("weighted{}.bench.test", n * 7 % 1000), A, true),
    ("steered, three regions", |n| format!("three{}.bench.test", n * 7 % 1000), A, true),
    ("steered, HTTPS", |n| format!("hash{}.bench.test", n * 7 % 1000), HTTPS, true),
    ("steered, another name", |n| format!("cdn{}.bench.test", n * 7 % 1000), A, true),
    ("reflect", |_| "who.bench.test".into(), TXT, true),
    ("negative, no such name", |n| format!("x{n}.bench.test"), A, false),
    ("negative, no such type", |n| format!("near{}.bench.test", n * 7 % 1000), HTTPS, false),
];

fn main() {
    let counted = std::env::var("MERIDIAN_BENCH").ok();
    let folder = tempfile::tempdir().expect("a folder");
    let board = Board::new(Arc::new(snapshot(folder.path())));
    if let Some(run) = counted {
        let (kind, rounds) = run.split_once(',').expect("kind,rounds");
        let (kind, rounds): (usize, usize) = (kind.parse().expect("a kind"), rounds.parse().expect("rounds"));
        let mut worker = worker(&board, kind);
        for _ in 0..rounds {
            pass(&mut worker);
        }
        return;
    }
    let full = std::env::args().any(|a| a == "--bench");
    say(&format!("{:<28} {:>9} {:>9} {:>13}\n", "answer", "best ns", "median ns", "instructions"));
    for (number, (name, ..)) in KINDS.iter().enumerate() {
        let mut worker = worker(&board, number);
        let mut times: Vec<f64> = (0..if full { 200 } else { 1 })
            .map(|_| {
                #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
                let start = Instant::now();
                pass(&mut worker);
                start.elapsed().as_nanos() as f64 / PACKETS as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let counted = if full { instructions(number) } else { None };
        let counted = counted.map_or("-".into(), |n| n.to_string());
        say(&format!("{name:<28} {:>9.1} {:>9.1} {counted:>13}\n", times[0], times[times.len() / 2]));
    }
}

fn say(line: &str) {
    use io::Write;
    let _ = io::stdout().write_all(line.as_bytes());
}

/// Datagrams that lie in memory, a batch at a time, and then no more.
struct Memory {
    packets: Vec<Vec<u8>>,
    /// The first packet of the next batch.
    next: usize,
    frames: Vec<([u8; DATAGRAM], usize)>,
    received: usize,
}

impl Datagrams for Memory {
    fn receive(&mut self, _: Wait) -> io::Result<usize> {
        let batch = self.packets.iter().skip(self.next);
        self.received = 0;
        for ((bytes, len), packet) in self.frames.iter_mut().zip(batch) {
            bytes[..packet.len()].copy_from_slice(packet);
            *len = packet.len();
            self.received += 1;
        }
        self.next += self.received;
        Ok(self.received)
    }

    fn frame(&mut self, n: usize) -> Frame<'_> {
        let (bytes, request) = &mut self.frames[n];
        Frame { source: [203, 0, 113, 53].into(), request: *request, bytes }
    }

    fn reply(&mut self, n: usize, len: usize) {
        assert!(len > 0);
        self.frames[n].1 = black_box(len);
    }

    fn send(&mut self) -> Unsent {
        Unsent(0)
    }

    fn overflows(&self) -> u32 {
        0
    }
}

/// A worker, and what it counts.
type Served = (Worker<Snapshot, Memory>, Arc<Counters>);

fn worker(board: &Board<Snapshot>, kind: usize) -> Served {
    let frames = vec![([0; DATAGRAM], 0); UdpOptions::default().batch];
    let memory = Memory { packets: packets(kind), next: 0, frames, received: 0 };
    let counters = Arc::new(Counters::default());
    (Worker::new(memory, board.reader(), Arc::clone(&counters)), counters)
}

/// Answers every packet once, as a worker does. A symbol of its own, by which instructions are counted.
#[inline(never)]
fn pass((worker, counters): &mut Served) {
    worker.datagrams().next = 0;
    while worker.turn(Wait::ForOne).expect("memory does not fail") > 0 {}
    let total = Counters::total(&[Arc::clone(counters)]);
    assert_eq!(total.all_replies(), total.get(Count::Requests), "every packet is answered");
}

/// Instructions of one answer, by callgrind: those inside `pass`, so that setting up does not count.
fn instructions(kind: usize) -> Option<u64> {
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*answer*pass*"])
        .arg(std::env::current_exe().ok()?)
        .env("MERIDIAN_BENCH", format!("{kind},1"))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let line = text.lines().find(|l| l.contains("Collected :"))?;
    let all: u64 = line.split(':').nth(1)?.split_whitespace().next()?.parse().ok()?;
    Some(all / PACKETS as u64)
}

fn packets(kind: usize) -> Vec<Vec<u8>> {
    let (_, spell, rtype, subnet) = KINDS[kind];
    (0..PACKETS)
        .map(|n| {
            let mut packet = vec![n as u8, (n >> 8) as u8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
            for label in spell(n).split('.') {
                packet.push(label.len() as u8);
                packet.extend_from_slice(label.as_bytes());
            }
            packet.extend_from_slice(&[0, 0, rtype, 0, 1]);
            let client = (n as u32).wrapping_mul(2_654_435_761);
            let client = [20 + (client >> 24) as u8 % 60, (client >> 16) as u8, (client >> 8) as u8];
            if subnet {
                packet.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
                packet.extend_from_slice(&client);
            } else {
                packet.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
            }
            packet
        })
        .collect()
}

/// 10,000 static names, 4,000 services over six regions and 1,000 over three, and 15,000 client networks with places of their own.
fn snapshot(folder: &Path) -> Snapshot {
    let places = [(39.0, -77.5), (50.1, 8.7), (19.1, 72.9), (35.7, 139.7), (-33.9, 151.2), (-23.5, -46.6)];
    let mut zone =
        String::from("$ORIGIN bench.test.\n$TTL 300\n@ IN SOA ns1 h 1 1 1 1 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n");
    for n in 0..NAMES {
        let _ = writeln!(zone, "h{n} IN A 192.0.2.{}", n % 250);
    }
    let mut config = String::from(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"s\"\n[geo]\noverrides = \"o.csv\"\n",
    );
    for (n, (lat, lon)) in places.iter().enumerate() {
        let _ = writeln!(config, "[regions.r{n}]\nlocation = {{ lat = {lat:.1}, lon = {lon:.1} }}");
    }
    config.push_str(
        "[monitors.m]\ntcp = { port = 80 }\n[policies.near]\nextends = \"adaptive\"\ntolerance = { rtt = \"0ms\" }\n",
    );
    for (pool, policy) in
        [("near", "near"), ("hash", "ip-hash"), ("weighted", "weighted"), ("cdn", "ip-hash"), ("three", "adaptive")]
    {
        let _ = writeln!(config, "[pools.{pool}]\nmonitor = \"m\"\npolicy = \"{policy}\"\n[pools.{pool}.endpoints]");
        for n in 0..if pool == "three" { 3 } else { places.len() } {
            let _ =
                writeln!(config, "e{n} = {{ region = \"r{n}\", address = [\"198.51.100.{n}\"], weight = {} }}", 10 + n);
        }
        for n in 0..1000 {
            let _ = writeln!(config, "[services.\"{pool}{n}.bench.test\"]\npools = [\"{pool}\"]");
        }
    }
    config.push_str("[zones.\"bench.test\"]\nfile = \"z\"\n");
    let mut overrides = String::from("prefix,continent,country,subdivision,city,lat,lon,asn\n");
    for n in 0..15_000u32 {
        let at = splitmix(n);
        let (lat, lon) = ((at & 0x7f) as i32 - 60, (at >> 8 & 0xff) as i32 - 127);
        let _ = writeln!(overrides, "{}.{}.0.0/16,,,,,{lat}.0,{lon}.0,", 20 + n / 250, n % 250);
    }
    for (name, text) in [("z", &zone), ("o.csv", &overrides), ("c.toml", &config)] {
        fs::write(folder.join(name), text).expect("written");
    }
    let loaded = config::load(&folder.join("c.toml"));
    let faults: Vec<_> = loaded.faults.iter().map(|f| &f.message).collect();
    let mut draft = loaded.config.unwrap_or_else(|| panic!("{faults:?}")).draft;
    draft.secret = [7; 16];
    with_other_answers(&mut draft);
    let world = Arc::new(World::seal(draft));
    let mut ledger = Ledger::new(Arc::clone(&world));
    for target in world.targets.iter() {
        ledger.fold(At(0), Input::outcome(target.key().expect("probed"), Outcome::good(1)));
    }
    ledger.snapshot(At(0))
}

/// HTTPS records at the names that hash, other names for the endpoints of `cdn`, and a name that reflects.
fn with_other_answers(draft: &mut Draft) {
    let name = |text: &str| Name::from_text(text).expect(text);
    let of = |draft: &Draft, pool: &str| draft.pools.iter().position(|p| &*p.name == pool).expect("a pool");
    let cdn = of(draft, "cdn");
    for (n, endpoint) in draft.pools[cdn].endpoints.iter_mut().enumerate() {
        (endpoint.v4, endpoint.targets) = (None, PerFamily::default());
        endpoint.cname = Some(name(&format!("cdn{n}.example.net")));
    }
    let hash = RouteId(of(draft, "hash") as u32);
    for service in draft.services.iter_mut().filter(|service| service.routes.contains(&hash)) {
        service.https = Some(Https { alpn: vec!["h2".into(), "h3".into()], port: None, hints: true });
    }
    let everybody = Prefix::new([0, 0, 0, 0].into(), 0);
    draft.reflect = Some(Reflect { name: name("who.bench.test"), allow: vec![everybody] });
}

fn splitmix(n: u32) -> u32 {
    draw::splitmix(u64::from(n)) as u32
}
