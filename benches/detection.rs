//! How long it takes until `dig` hears that a region is gone: from the fault to the changed answer, for each way to fail,
//! at two intervals. And how often a target that is well is taken for down when probes are lost.
//!
//! `cargo bench --bench detection`. The server is the real one in a process of its own; the fault comes at a moment of
//! its own in each round. The figures stand in docs/health.md.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a measurement fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use meridian::{
    engine::{
        health::fold::{Health, Outcome, Record, Transition, Turn},
        types::At,
    },
    probing::{
        millis::Millis,
        monitor::{Calm, Rhythm},
    },
};

/// How the near region fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Refused,
    SilentDrop,
    Status500,
    Slow,
}

const FAULTS: [(Fault, &str); 4] = [
    (Fault::Refused, "connection refused"),
    (Fault::SilentDrop, "silent drop (SYN unanswered)"),
    (Fault::Status500, "HTTP 500"),
    (Fault::Slow, "slow answer (after the timeout)"),
];

const WELL: u8 = 0;
const ILL: u8 = 1;
const LATE: u8 = 2;

fn main() {
    let full = std::env::args().any(|a| a == "--bench");
    let rounds = if full { 15 } else { 1 };
    say(&format!("{:<34}{:>10}{:>10}{:>10}{:>10}\n", "from fault to dig, ms", "interval", "min", "median", "max"));
    for interval in if full { [1000, 100].as_slice() } else { [100].as_slice() } {
        // Addresses of their own: what has ended may hold the old ones for a while.
        let last = if *interval == 1000 { 1 } else { 3 };
        let (mut target, other) = (Target::start(last), Target::start(last + 1));
        let server = Server::start(*interval, [target.address, other.address]);
        for (fault, name) in FAULTS {
            let mut times: Vec<u128> = (0..rounds).map(|round| detect(&server, &mut target, fault, round)).collect();
            times.sort_unstable();
            let [min, median, max] = [times[0], times[times.len() / 2], times[times.len() - 1]];
            say(&format!("{name:<34}{interval:>10}{min:>10}{median:>10}{max:>10}\n"));
        }
    }
    say("\nturns to down of a target that is well, in 10,000 probes of which some are lost (mean of 200 runs)\n");
    say(&format!("{:<34}{:>10}{:>10}\n", "", "1 %", "5 %"));
    for (name, calm) in
        [("fall 3, clear 10 (the default)", Calm::usual(Millis(1000))), ("fall 3, clear 1 (only in a row)", Calm::NONE)]
    {
        let [one, five] = [0.01, 0.05].map(|loss| false_positives(calm, loss, if full { 200 } else { 2 }));
        say(&format!("{name:<34}{one:>10.2}{five:>10.2}\n"));
    }
}

/// Milliseconds from when the fault is in force until `dig` gets the other region.
fn detect(server: &Server, target: &mut Target, fault: Fault, round: u64) -> u128 {
    server.until(target.address);
    // Anywhere within an interval, by the golden ratio: no two rounds alike.
    let phase = (round as f64 * 0.618_034).fract();
    std::thread::sleep(Duration::from_millis((phase * server.interval as f64) as u64));
    let start = target.fail(fault);
    while server.dig() == target.address.to_string() {}
    let took = start.elapsed().as_millis();
    target.heal();
    took
}

/// Turns to down in 10,000 probes that are lost at random, a mean over runs.
fn false_positives(calm: Calm, loss: f64, runs: u64) -> f64 {
    let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
    let mut turns = 0;
    for seed in 0..runs {
        let mut chance = fastrand::Rng::with_seed(seed);
        let (mut record, mut now) = (Record::default(), 0);
        for _ in 0..10_000 {
            let outcome = if chance.f64() < loss { Outcome::Bad("lost".into()) } else { Outcome::good(1000) };
            let turned = record.observe(&rhythm, &calm, At(now), outcome);
            turns += u64::from(turned == Some(Turn::Made(Transition { from: Health::Up, to: Health::Down })));
            now += record.next_in(&rhythm).0;
        }
    }
    turns as f64 / runs as f64
}

/// A region's load balancer, which can be made to fail.
struct Target {
    address: Ipv4Addr,
    port: u16,
    manner: Arc<AtomicU8>,
    listener: Option<Listening>,
    /// What keeps the queue of a listener full that accepts nobody.
    waiting: Vec<TcpStream>,
}

enum Listening {
    Serving(TcpListener, JoinHandle<()>),
    Full { _queue: socket2::Socket },
}

/// All targets have one port: it is the monitor's.
const PORT: u16 = 18_080;

impl Target {
    fn start(last: u8) -> Self {
        let address = Ipv4Addr::new(127, 7, 0, last);
        let mut target =
            Self { address, port: PORT, manner: Arc::new(AtomicU8::new(WELL)), listener: None, waiting: Vec::new() };
        target.serve();
        target
    }

    fn at(&self) -> SocketAddr {
        SocketAddr::from((self.address, self.port))
    }

    fn serve(&mut self) {
        let listener = TcpListener::bind(self.at()).expect("a free port");
        let (accepting, manner) = (listener.try_clone().expect("cloned"), Arc::clone(&self.manner));
        let thread = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = accepting.accept() {
                let how = manner.load(Ordering::SeqCst);
                if how == ILL + LATE + 1 {
                    return;
                }
                std::thread::spawn(move || {
                    let _ = stream.read(&mut [0; 1024]);
                    if how == LATE {
                        std::thread::sleep(Duration::from_millis(1500));
                    }
                    let status = if how == ILL { "500 No" } else { "200 OK" };
                    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                });
            }
        });
        self.listener = Some(Listening::Serving(listener, thread));
    }

    /// Ends the listener, and says when: its thread wakes once more and goes.
    fn close(&mut self) -> Instant {
        self.manner.store(ILL + LATE + 1, Ordering::SeqCst);
        if let Some(Listening::Serving(listener, thread)) = self.listener.take() {
            let _ = TcpStream::connect(self.at());
            thread.join().expect("it goes");
            drop(listener);
        }
        Instant::now()
    }

    /// Begins to fail, and says since when nobody is answered well any more.
    fn fail(&mut self, fault: Fault) -> Instant {
        match fault {
            Fault::Status500 => self.become_ill(ILL),
            Fault::Slow => self.become_ill(LATE),
            Fault::Refused => self.close(),
            Fault::SilentDrop => {
                let closed = self.close();
                let queue = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
                queue.set_reuse_address(true).expect("reused");
                queue.bind(&self.at().into()).expect("bound");
                queue.listen(0).expect("listening");
                // Once its queue is full the kernel leaves further SYNs unanswered.
                while let Ok(stream) = TcpStream::connect_timeout(&self.at(), Duration::from_millis(50)) {
                    self.waiting.push(stream);
                }
                self.listener = Some(Listening::Full { _queue: queue });
                closed
            }
        }
    }

    fn become_ill(&self, how: u8) -> Instant {
        self.manner.store(how, Ordering::SeqCst);
        Instant::now()
    }

    fn heal(&mut self) {
        self.waiting.clear();
        self.manner.store(WELL, Ordering::SeqCst);
        if !matches!(self.listener, Some(Listening::Serving(..))) {
            self.listener = None;
            self.serve();
        }
    }
}

/// The real server, which prefers the first region.
struct Server {
    child: Child,
    address: SocketAddr,
    interval: u64,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(interval: u64, targets: [Ipv4Addr; 2]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [near, far] = targets;
        let text = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"state\"\n\
             [health]\ngovernor = {{ max_regions = \"100%\" }}\n\
             [regions.near]\n[regions.far]\n\
             [monitors.lb]\ninterval = \"{interval}ms\"\nfall = 3\nrise = 1\nhold = \"0s\"\n\
             flap = {{ suppress = 0 }}\nhttp = {{ port = {PORT}, path = \"/health\" }}\n\
             [pools.web]\nmonitor = \"lb\"\npolicy = \"failover\"\norder = [\"near\", \"far\"]\n\
             [pools.web.endpoints.near]\nregion = \"near\"\naddress = [\"{near}\"]\n\
             [pools.web.endpoints.far]\nregion = \"far\"\naddress = [\"{far}\"]\n\
             [zones.\"g.test\"]\nfile = \"g.zone\"\n[services.\"www.g.test\"]\npools = [\"web\"]\n"
        );
        fs::write(folder.path().join("meridian.toml"), text).expect("written");
        let zone = "$ORIGIN g.test.\n$TTL 300\n@ SOA ns1 h 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";
        fs::write(folder.path().join("g.zone"), zone).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["serve", "-c"])
            .arg(folder.path().join("meridian.toml"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = loop {
            let line = log.next().expect("it listens").expect("text");
            if let Some(rest) = line.split("listening on ").nth(1) {
                break rest.split([',', ' ']).next().and_then(|text| text.parse().ok()).expect(&line);
            }
        };
        std::thread::spawn(move || log.for_each(drop));
        Self { child, address, interval, _folder: folder }
    }

    /// What `dig` is told. It asks from another address than the server's, so that it never gets the server's own port.
    fn dig(&self) -> String {
        let at = format!("@{}", self.address.ip());
        let port = self.address.port().to_string();
        let words = [&at, "-p", &port, "-b", "127.0.0.2", "+short", "+tries=1", "+time=1", "www.g.test", "A"];
        let run = Command::new("dig").args(words).output().expect("dig runs");
        String::from_utf8_lossy(&run.stdout).trim().to_owned()
    }

    fn until(&self, address: Ipv4Addr) {
        let start = Instant::now();
        while self.dig() != address.to_string() {
            assert!(start.elapsed() < Duration::from_secs(60), "{address} does not come back");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}
