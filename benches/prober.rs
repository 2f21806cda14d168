//! What a probe costs: processor time for each HTTP check of the prober at its pace, beside a bare loop of the same HTTP
//! client, in one run, and memory for 10,000 monitors.
//!
//! `cargo bench --bench prober`. 20,000 targets, each an address of its own in 127/8, are probed every 10 s on one
//! thread. They are served by a process of its own, so that its work is in no figure. The parts take turns, three rounds
//! each, and the medians are compared: machines are noisy, ratios in one run less so.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use meridian::{
    app::writer::Writer,
    clock::Clock,
    engine::{
        types::{PerFamily, RegionId, TargetId},
        world::{Draft, Region, Target, World, endpoint::Endpoint, pool::Pool},
    },
    monitor::{Plan, Prober},
    node::machine::Node,
    probing::{
        check::{Check, HttpCheck, HttpVersion},
        millis::Millis,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
    telemetry::signals::Signals,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    runtime::{Builder, Runtime},
    sync::mpsc,
    time::Instant,
};

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    targets: u32,
    /// Milliseconds.
    interval: u64,
    rounds: usize,
}

const FULL: Scale = Scale { targets: 20_000, interval: 10_000, rounds: 3 };
/// Just enough to see that it runs, as the tests do.
const SMALL: Scale = Scale { targets: 100, interval: 200, rounds: 1 };
const SERVER: &str = "MERIDIAN_BENCH_SERVER";

fn main() {
    if std::env::var_os(SERVER).is_some() {
        return serve();
    }
    let full = std::env::args().any(|a| a == "--bench");
    let scale @ Scale { targets, interval, rounds } = if full { FULL } else { SMALL };
    let server = Server::start();
    // First, while the allocator has nothing yet that it would only hand out again.
    let monitors = targets.min(10_000);
    let memory = memory(server.port, Scale { targets: monitors, ..scale });
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let round = [
            bare_loop(server.port, targets),
            paced_loop(server.port, scale),
            probing(server.port, scale, false),
            probing(server.port, scale, true),
        ];
        figures.iter_mut().zip(round).for_each(|(all, one)| all.push(one));
    }
    let [bare, paced, prober, whole] = figures.map(median);
    say(&format!("{targets} HTTP checks in {interval} ms, one thread; processor time for each check\n"));
    let line = |name: &str, cost: f64| say(&format!("  {name:<26}{cost:>7.1} us{:>8.2} x\n", cost / bare));
    line("bare loop of the client", bare);
    line("the same at that pace", paced);
    line("prober", prober);
    line("prober, ledger, writer", whole);
    let share = whole * f64::from(targets) / (interval as f64 * 10.0);
    say(&format!("  {:<26}{share:>7.1} % of one core\n", "the same"));
    say(&format!("memory for {monitors} monitors: {memory:.1} MiB\n"));
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

async fn request(client: &reqwest::Client, n: u32, port: u16) {
    let url = format!("http://{}/health", SocketAddr::new(address(n), port));
    let ask = client.get(url).header("connection", "close").send();
    let response = tokio::time::timeout(Duration::from_secs(5), ask).await.expect("in time");
    assert_eq!(response.expect("a response").status(), 200);
}

/// A request after the other, as fast as it goes.
fn bare_loop(port: u16, requests: u32) -> f64 {
    runtime().block_on(async {
        let (client, before) = (client(), processor());
        for n in 0..requests {
            request(&client, n, port).await;
        }
        (processor() - before) * 1e6 / f64::from(requests)
    })
}

/// As many requests in the same time as the prober makes, one begun after the other in equal steps. A processor that
/// sleeps between requests, and caches that forget, cost whoever does little at a time.
fn paced_loop(port: u16, Scale { targets, interval, .. }: Scale) -> f64 {
    runtime().block_on(async {
        let (client, before) = (client(), processor());
        let (start, mut last) = (Instant::now(), None);
        for n in 0..targets {
            tokio::time::sleep_until(start + Duration::from_millis(interval) * n / targets).await;
            let client = client.clone();
            last = Some(tokio::spawn(async move { request(&client, n, port).await }));
        }
        last.expect("a request").await.expect("answered");
        (processor() - before) * 1e6 / f64::from(targets)
    })
}

/// The prober by its own pace, for two intervals after the first round, which is not counted.
fn probing(port: u16, scale: Scale, whole: bool) -> f64 {
    let Scale { targets, interval, .. } = scale;
    runtime().block_on(async {
        let (world, clock, numbers) = (world(port, scale), Clock::new(), Arc::new(Signals::default()));
        let (events, mut inbox) = mpsc::channel(4096);
        let writer =
            whole.then(|| Writer::start(Node::compiled(clock.now(), Arc::clone(&world)), clock, Arc::default()));
        let to = writer.as_ref().map_or(events, |writer| writer.inputs.clone());
        let chance = fastrand::Rng::with_seed(1);
        let mut prober = Prober::new(to, clock, chance, 16_384, Arc::clone(&numbers));
        prober.set(&Plan::of(&world));
        let drain = tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        watched(&mut prober, interval * 3 / 2).await;
        let (before, probes, start) = (processor(), numbers.probes.get(), Instant::now());
        watched(&mut prober, interval * 2).await;
        let (used, done) = (processor() - before, numbers.probes.get() - probes);
        assert!(done >= u64::from(targets) * 3 / 2, "{done} probes in {:?}", start.elapsed());
        if let Some(writer) = &writer {
            let snapshot = writer.board.load();
            let up = snapshot.pools.iter().map(|pool| pool.up.v4.count_ones()).sum::<u32>();
            assert_eq!(up, targets, "everybody is up");
        }
        drop(prober);
        if writer.is_none() {
            drain.await.expect("drained");
        }
        used * 1e6 / done as f64
    })
}

/// Lets the prober run for so many milliseconds, looked after as the server does it.
async fn watched(prober: &mut Prober, millis: u64) {
    let end = Instant::now() + Duration::from_millis(millis);
    loop {
        tokio::time::sleep_until(end.min(Instant::now() + Duration::from_secs(1))).await;
        if Instant::now() >= end {
            return;
        }
        prober.watch();
    }
}

/// MiB that so many monitors take while they are probed.
fn memory(port: u16, scale: Scale) -> f64 {
    runtime().block_on(async {
        let (clock, before) = (Clock::new(), resident());
        let world = world(port, scale);
        let writer = Writer::start(Node::compiled(clock.now(), Arc::clone(&world)), clock, Arc::default());
        let chance = fastrand::Rng::with_seed(1);
        let mut prober = Prober::new(writer.inputs.clone(), clock, chance, 16_384, Arc::default());
        prober.set(&Plan::of(&world));
        watched(&mut prober, scale.interval * 3 / 2).await;
        resident() - before
    })
}

/// Targets in pools of 50, all of one region.
fn world(port: u16, Scale { targets, interval, .. }: Scale) -> Arc<World> {
    const POOL: u32 = 50;
    let check = HttpCheck {
        port,
        tls: None,
        version: HttpVersion::One,
        method: "GET".into(),
        path: "/health".into(),
        host: None,
        headers: Vec::new(),
        status: vec![(200, 299)],
        body: Vec::new(),
        body_max: 65_536,
        redirects: 0,
    };
    let rhythm = Rhythm {
        interval: Millis(interval),
        timeout: Millis(interval / 2),
        recheck: Millis(interval / 5),
        fall: 3,
        rise: 2,
    };
    let monitor = Monitor {
        name: "lb".into(),
        watch: Watch::Probe(Check::Http(check.clone())),
        rhythm,
        calm: Calm::usual(Millis(interval)),
        source: None,
    };
    let key = |n| Arc::new(ProbeKey::new(Check::Http(check.clone()), address(n)));
    let endpoint = |n: u32| Endpoint {
        name: format!("e{n}").into(),
        region: RegionId(0),
        v4: Some(Ipv4Addr::from_bits(bits(n))),
        weight: 100,
        targets: PerFamily::new(Some(TargetId(n)), None),
        ..Endpoint::default()
    };
    let pool = |n: u32| Pool {
        name: format!("p{n:05}").into(),
        endpoints: (n * POOL..(n + 1) * POOL).map(endpoint).collect(),
        monitor: Some(MonitorId(0)),
        ..Pool::default()
    };
    let draft = Draft {
        monitors: vec![monitor],
        regions: vec![Region { name: "here".into(), ..Region::default() }],
        targets: (0..targets).map(|n| Target::probed(MonitorId(0), key(n))).collect(),
        pools: (0..targets / POOL).map(pool).collect(),
        policies: vec![Default::default()],
        ..Draft::default()
    };
    Arc::new(World::seal(draft))
}

fn bits(n: u32) -> u32 {
    0x7f01_0001 + n
}

fn address(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(bits(n)).into()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds of processor time of this process.
fn processor() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// MiB of memory of this process.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is told");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    kib / 1024.0
}

/// The process that answers; it ends when its standard input does.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut port = [0; 2];
        child.stdout.take().expect("piped").read_exact(&mut port).expect("its port");
        Self { child, port: u16::from_be_bytes(port) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve() {
    runtime().block_on(async {
        // Room for all that come while this process has to wait for a processor.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("0.0.0.0:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(4096).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        std::io::stdout().write_all(&port.to_be_bytes()).and_then(|()| std::io::stdout().flush()).expect("told");
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { continue };
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
            });
        }
    });
}

fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
