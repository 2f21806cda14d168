//! Probes of real servers on loopback. Nothing waits for a while: all waits are for an outcome or an end of file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::{
    context::Tools,
    prober::{Prepared, run},
    *,
};
use crate::{
    engine::{
        health::{fold::Outcome, rules::Rate},
        world::{Draft, Target, World},
    },
    probing::{
        check::{Body, Check, HttpCheck, HttpVersion},
        identity::ProbeId,
        millis::Millis,
        monitor::{Calm, Monitor, MonitorId, Rhythm, Watch},
    },
};

const RHYTHM: Rhythm = Rhythm { interval: Millis(100), timeout: Millis(5000), recheck: Millis(50), fall: 2, rise: 2 };
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How a server treats whoever connects.
#[derive(Clone, Copy)]
enum Manner {
    /// Reads the request, writes this, closes.
    Replies(&'static str),
    /// Sends back the request's head as the body.
    Echoes,
    /// Reads and never answers.
    IsSilent,
    /// Writes the start of a response for ever, one octet after another.
    Drips,
    /// Writes a body that does not end.
    Floods,
    /// Resets the connection behind the request.
    Resets,
}

async fn serve(manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream, manner));
        }
    });
    address
}

async fn head(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        match stream.read(&mut octet).await {
            Ok(1) => request.push(octet[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

async fn treat(mut stream: TcpStream, manner: Manner) {
    let request = head(&mut stream).await;
    // Whether the client still listens is its own business.
    let _ = match manner {
        Manner::Replies(reply) => stream.write_all(reply.as_bytes()).await,
        Manner::Echoes => stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{request}").as_bytes()).await,
        Manner::IsSilent => stream.read(&mut [0]).await.map(drop),
        Manner::Drips => loop {
            if let Err(error) = stream.write_all(b"H").await {
                break Err(error);
            }
            tokio::task::yield_now().await;
        },
        Manner::Floods => {
            let mut result = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while result.is_ok() {
                result = stream.write_all(&[b'x'; 4096]).await;
            }
            result
        }
        Manner::Resets => {
            let socket = socket2::SockRef::from(&stream);
            socket.set_linger(Some(std::time::Duration::ZERO))
        }
    };
}

fn http(port: u16) -> HttpCheck {
    HttpCheck {
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
    }
}

async fn ask(check: Check, timeout: u64) -> Outcome {
    ask_at(ProbeKey::new(check, LOOPBACK), timeout).await
}

async fn ask_at(key: ProbeKey, timeout: u64) -> Outcome {
    let tools = Tools::default();
    run(&tools, &mut Prepared::of(&key, fastrand::Rng::with_seed(1), &tools), Millis(timeout)).await
}

fn bad(text: &str) -> Outcome {
    Outcome::Bad(text.into())
}

#[tokio::test]
async fn a_status_decides() {
    let ok = serve(Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await.port();
    assert_eq!(ask(Check::Http(http(ok)), 5000).await.is_good(), Some(true));
    let ill = serve(Manner::Replies("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")).await.port();
    assert_eq!(ask(Check::Http(http(ill)), 5000).await, bad("status 503"));
    let wanted = HttpCheck { status: vec![(200, 200), (500, 599)], ..http(ill) };
    assert_eq!(ask(Check::Http(wanted), 5000).await.is_good(), Some(true));
    let odd = serve(Manner::Replies("HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n")).await.port();
    assert_eq!(ask(Check::Http(HttpCheck { status: vec![(999, 999)], ..http(odd) }), 5000).await.is_good(), Some(true));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n";
    let port = serve(Manner::Replies(elsewhere)).await.port();
    assert_eq!(ask(Check::Http(http(port)), 5000).await, bad("status 302"));
}

#[tokio::test]
async fn the_request_is_as_configured() {
    let port = serve(Manner::Echoes).await.port();
    let check = |text: &str| HttpCheck {
        method: "PURGE".into(),
        path: "/health?deep=1".into(),
        host: Some("www.example.com".into()),
        headers: vec![("x-probe".into(), "1".into())],
        body: vec![Body::Contains(text.into())],
        ..http(port)
    };
    for text in ["PURGE /health?deep=1 HTTP/1.1\r\n", "Host: www.example.com\r\n", "X-Probe: 1\r\n", "Agent: meridian/"]
    {
        assert_eq!(ask(Check::Http(check(text)), 5000).await.is_good(), Some(true), "{text}");
    }
    let plain = HttpCheck { body: vec![Body::Contains(format!("Host: 127.0.0.1:{port}\r\n").into())], ..http(port) };
    assert_eq!(ask(Check::Http(plain), 5000).await.is_good(), Some(true));
}

#[tokio::test]
async fn a_body_is_searched_within_its_limit() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nall o\r\n4\r\nk, w\r\n0\r\n\r\n";
    let port = serve(Manner::Replies(chunked)).await.port();
    let check = |text: &str, max| {
        Check::Http(HttpCheck { body: vec![Body::Contains(text.into())], body_max: max, ..http(port) })
    };
    assert_eq!(ask(check("ok", 9), 5000).await.is_good(), Some(true), "across two chunks");
    assert_eq!(ask(check("ok", 6), 5000).await.is_good(), Some(true), "just inside the limit");
    assert_eq!(ask(check("ok", 5), 5000).await, bad("the first 5 octets of the body lack \"ok\""));
    assert_eq!(ask(check("fine", 100), 5000).await, bad("body lacks \"fine\""));
}

#[tokio::test]
async fn hostile_servers_cost_no_more_than_the_timeout_and_the_limit() {
    let silent = serve(Manner::IsSilent).await.port();
    assert_eq!(ask(Check::Http(http(silent)), 300).await, bad("no answer within 300 ms"));
    let flood = serve(Manner::Floods).await.port();
    let check = HttpCheck { body: vec![Body::Contains("ok".into())], ..http(flood) };
    assert_eq!(ask(Check::Http(check), 5000).await, bad("the first 65536 octets of the body lack \"ok\""));
    let drip = serve(Manner::Drips).await.port();
    assert_eq!(ask(Check::Http(http(drip)), 5000).await.is_good(), Some(false));
}

#[tokio::test]
async fn faults_of_connections_have_names() {
    let reset = serve(Manner::Resets).await.port();
    assert_eq!(ask(Check::Http(http(reset)), 5000).await, bad("connection reset"));
    let nonsense = serve(Manner::Replies("SSH-2.0-OpenSSH_9.2\r\n")).await.port();
    assert_eq!(ask(Check::Http(http(nonsense)), 5000).await.is_good(), Some(false));
    let closes = serve(Manner::Replies("")).await.port();
    assert_eq!(ask(Check::Http(http(closes)), 5000).await, bad("connection closed in the middle"));
    // Bound and never listened on, so that nobody else is given the port.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind((LOOPBACK, 0).into()).expect("a free port");
    let nobody = deaf.local_addr().expect("an address").port();
    assert_eq!(ask(Check::Http(http(nobody)), 5000).await, bad("connection refused"));
    assert_eq!(ask(Check::tcp(nobody), 5000).await, bad("connection refused"));
    assert_eq!(ask(Check::tcp(reset), 5000).await.is_good(), Some(true));
}

fn plan(ports: &[u16], rhythm: Rhythm) -> Plan {
    Plan::of(&World::seal(draft(ports, rhythm)))
}

fn draft(ports: &[u16], rhythm: Rhythm) -> Draft {
    let monitors =
        vec![Monitor { name: "lb".into(), watch: Watch::Probe(Check::tcp(0)), rhythm, calm: Calm::NONE, source: None }];
    let key = |port: &u16| Arc::new(ProbeKey::new(Check::Http(http(*port)), LOOPBACK));
    let target = |port: &u16| Target::probed(MonitorId(0), key(port));
    Draft { monitors, targets: ports.iter().map(target).collect(), ..Draft::default() }
}

fn prober() -> (Prober, mpsc::Receiver<Input>) {
    let (events, inbox) = mpsc::channel(64);
    (Prober::new(events, Clock::new(), fastrand::Rng::with_seed(7), 64, Arc::default()), inbox)
}

/// What is probed at a port.
fn probe(port: u16) -> ProbeId {
    ProbeId::of(draft(&[port], RHYTHM).targets[0].key().expect("probed"))
}

async fn next(inbox: &mut mpsc::Receiver<Input>) -> (ProbeId, Outcome) {
    match inbox.recv().await {
        Some(Input::Outcome { probe, outcome }) => (probe, outcome),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_target_is_probed_again_and_again() {
    let port = serve(Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await.port();
    let (mut prober, mut inbox) = prober();
    prober.set(&plan(&[port], RHYTHM));
    for _ in 0..3 {
        let (from, outcome) = next(&mut inbox).await;
        assert_eq!((from, outcome.is_good()), (probe(port), Some(true)));
    }
}

#[tokio::test]
async fn what_leaves_the_plan_stops_in_the_middle_of_a_probe() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let (mut prober, mut inbox) = prober();
    let port = listener.local_addr().expect("an address").port();
    let patient = Rhythm { interval: Millis(3_600_000), timeout: Millis(3_600_000), ..RHYTHM };
    prober.set(&plan(&[port], patient));
    let (mut stream, _) = listener.accept().await.expect("the first probe");
    assert!(head(&mut stream).await.starts_with("GET /health"));
    prober.set(&Plan::default());
    assert!(!matches!(stream.read(&mut [0]).await, Ok(1..)), "the connection ends with its task");
    assert!(inbox.try_recv().is_err(), "and nothing is reported");
}

#[tokio::test]
async fn a_new_rhythm_does_not_wait_for_the_old_one_to_pass() {
    let port = serve(Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await.port();
    let (mut prober, mut inbox) = prober();
    prober.set(&plan(&[port], Rhythm { interval: Millis(3_600_000), recheck: Millis(3_600_000), ..RHYTHM }));
    next(&mut inbox).await;
    prober.set(&plan(&[port], RHYTHM));
    next(&mut inbox).await;
    next(&mut inbox).await;
}

#[tokio::test]
async fn what_joins_the_plan_starts_while_the_rest_goes_on() {
    let one = serve(Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await.port();
    let two = serve(Manner::Replies("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")).await.port();
    let (mut prober, mut inbox) = prober();
    prober.set(&plan(&[one], RHYTHM));
    next(&mut inbox).await;
    prober.set(&plan(&[one, two], RHYTHM));
    let mut heard = Vec::new();
    while !(heard.contains(&probe(one)) && heard.contains(&probe(two))) {
        heard.push(next(&mut inbox).await.0);
    }
    drop(prober);
    // Every task holds a sender: the end of the channel is the end of them all.
    while inbox.recv().await.is_some() {}
}

#[tokio::test]
async fn what_is_beyond_the_budget_comes_later_and_is_counted() {
    let reply = Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let ports = [serve(reply).await.port(), serve(reply).await.port(), serve(reply).await.port()];
    let (events, mut inbox) = mpsc::channel(64);
    let numbers = Arc::new(Signals::default());
    let chance = fastrand::Rng::with_seed(7);
    let mut prober = Prober::new(events, Clock::new(), chance, 64, Arc::clone(&numbers));
    let mut draft = draft(&ports, RHYTHM);
    // All ports are of one address: one probe at once, then four a second.
    draft.health.rate = Rate { total: 1000, per_target: 4 };
    prober.set(&Plan::of(&World::seal(draft)));
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let (port, outcome) = next(&mut inbox).await;
        assert_eq!(outcome.is_good(), Some(true), "late is not failed");
        if !heard.contains(&port) {
            heard.push(port);
        }
    }
    assert!(numbers.late.get() >= 2, "{numbers:?}");
}

#[tokio::test]
async fn a_task_that_has_died_is_started_again() {
    let port = serve(Manner::Replies("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await.port();
    let (mut prober, mut inbox) = prober();
    prober.set(&plan(&[port], Rhythm { interval: Millis(3_600_000), recheck: Millis(3_600_000), ..RHYTHM }));
    next(&mut inbox).await;
    let task = &mut prober.running.values_mut().next().expect("a target").task;
    task.abort();
    assert!(task.await.is_err());
    prober.watch();
    assert_eq!(next(&mut inbox).await.0, probe(port));
}

/// A reload that takes back a mistake: those who have waited for the budget leave, and the rest go on at once.
#[tokio::test]
async fn who_leaves_the_line_takes_nobodys_moments_along() {
    let (prober, _inbox) = prober();
    let desk = &prober.desk;
    desk.pace().set(Rate { total: 1, per_target: 1 });
    let key = |n: u8| ProbeKey::new(Check::tcp(80), IpAddr::from([192, 0, 2, n]));
    let wait = |n: u8| {
        let desk = desk.clone();
        tokio::spawn(async move { desk.within_budget(&key(n)).await })
    };
    let many: Vec<JoinHandle<()>> = (0..200).map(|n| wait(n % 100)).collect();
    for _ in 0..many.len() {
        // On one thread: the others run meanwhile, until each of them waits.
        tokio::task::yield_now().await;
    }
    many.iter().for_each(JoinHandle::abort);
    for task in many {
        let _left = task.await;
    }
    let now = desk.start.elapsed().as_micros() as u64;
    let next = desk.pace().all(now).saturating_sub(now) / 1_000_000;
    assert!(next <= 2, "the next may begin in {next} s: one was let through, and one had booked");
}
