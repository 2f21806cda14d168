//! The feed against loopback servers: what it reports, what it refuses, when it stops.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time,
};

use super::*;
use crate::{
    node::overrides::Scope,
    probing::{
        millis::Millis,
        pull::{HAPROXY_FIELDS, NginxField, Page, Pull},
    },
};

/// How long an event may take before a test is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on loopback that does the same with every connection.
struct Stand {
    address: SocketAddr,
    task: AbortHandle,
}

impl Stand {
    async fn start<F, S>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { address, task: task.abort_handle() }
    }

    /// Answers every request with a page.
    async fn page(head: &'static str, body: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let length = body.len();
            let page = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            let _ = stream.write_all(page.as_bytes()).await;
        })
        .await
    }

    fn at(&self) -> Page {
        Page { port: self.address.port(), path: "/load".into() }
    }

    fn json(&self) -> Pull {
        Pull::Json { page: self.at(), pointer: "/load".into() }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn feed() -> (Feed, mpsc::Receiver<Input>, Arc<Signals>) {
    let ((events, inbox), signals) = (mpsc::channel(64), Arc::<Signals>::default());
    let feed = Feed::new(events, Clock::new(), fastrand::Rng::with_seed(7), Arc::clone(&signals)).expect("a client");
    (feed, inbox, signals)
}

fn scope(endpoint: &str) -> Scope {
    Scope::Endpoint("web".into(), endpoint.into())
}

fn plan(questions: &[(&Pull, &str)]) -> Plan {
    let mut plan = Plan::default();
    for (pull, endpoint) in questions {
        let question = Question { pull: (*pull).clone(), addresses: vec![[127, 0, 0, 1].into()] };
        plan.add(question, Millis(500), scope(endpoint));
    }
    plan
}

async fn next(inbox: &mut mpsc::Receiver<Input>) -> (Scope, f64) {
    match time::timeout(PATIENCE, inbox.recv()).await {
        Ok(Some(Input::Load { scope, load })) => (scope, load),
        other => panic!("no report: {other:?}"),
    }
}

/// What one question comes to.
async fn once(pull: &Pull, timeout: u64) -> Result<reading::Reading, String> {
    ask::ask(&ask::client().expect("a client"), pull, [127, 0, 0, 1].into(), Millis(timeout))
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn every_kind_is_asked_and_reported() {
    let csv = Stand::page("200 OK", "# pxname,svname,scur,\nweb,BACKEND,7,\n").await;
    let status = Stand::page("200 OK", "Active connections: 8 \n").await;
    let metrics = Stand::page("200 OK", "busy{a=\"b\"} 9\nlimit{a=\"b\"} 18\n").await;
    let json = Stand::page("200 OK\r\nContent-Type: image/png", "{\"load\": \"10\"}").await;
    let agent = Stand::start(|mut stream| async move {
        let _ = stream.write_all(b"up 25%\n").await;
    })
    .await;
    let labels = vec![("a".into(), "b".into())];
    let metrics =
        (Pull::Prometheus { page: metrics.at(), metric: "busy".into(), labels, per: Some("limit".into()) }, metrics);
    let haproxy = Pull::Haproxy { page: csv.at(), backend: "web".into(), server: None, field: HAPROXY_FIELDS[0] };
    let nginx = Pull::Nginx { page: status.at(), field: NginxField::Active };
    let echo = Pull::Exec(["/bin/echo", "1{address}"].map(Box::from).into());
    let print = Pull::Exec(["/bin/sh", "-c", "echo 11 # {address}"].map(Box::from).into());
    let agent = (Pull::Agent(agent.address.port()), agent);
    assert_eq!(once(&echo, 2000).await, Err("\"1127.0.0.1\" is no number".to_owned()), "the address stands in it");
    let (mut feed, mut inbox, signals) = feed();
    feed.set(&plan(&[
        (&haproxy, "csv"),
        (&nginx, "status"),
        (&metrics.0, "metrics"),
        (&json.json(), "json"),
        (&agent.0, "agent"),
        (&print, "command"),
    ]));
    let mut found = HashMap::new();
    while found.len() < 6 {
        let (scope, load) = next(&mut inbox).await;
        found.insert(scope.to_string(), load);
    }
    let mut found: Vec<(String, f64)> = found.into_iter().collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected =
        [("agent", 0.75), ("command", 11.0), ("csv", 7.0), ("json", 10.0), ("metrics", 0.5), ("status", 8.0)];
    assert_eq!(found, expected.map(|(name, load)| (format!("web/{name}"), load)));
    assert_eq!(signals.load_faults.get(), 0);
}

#[tokio::test]
async fn a_page_is_asked_and_read_as_ordinary_clients_do() {
    for head in [
        "200 OK\r\nX-A: a\r\n b\r\nX-B : b\r\nX C(1): c",
        "200\r\nX-A: \u{1}",
        "200 OK\nX-A: caf\u{e9}",
        &format!("200 OK{}", "\r\nX-A: a".repeat(300)),
    ] {
        let stand = Stand::page(head.to_owned().leak(), "\u{feff}{\"load\": 7}").await;
        let read = once(&stand.json(), 2000).await.map(|reading| reading.number);
        assert_eq!(read, Ok(reading::Number::Now(7.0)), "{head}");
    }
    let (asked, mut requests) = mpsc::unbounded_channel();
    let stand = Stand::start(move |mut stream| {
        let asked = asked.clone();
        async move {
            let mut request = vec![0; 2048];
            let count = stream.read(&mut request).await.unwrap_or(0);
            let _ = asked.send(String::from_utf8_lossy(&request[..count]).into_owned());
        }
    })
    .await;
    assert!(once(&stand.json(), 2000).await.is_err());
    let expected = format!(
        "GET /load HTTP/1.1\r\nHost: {}\r\nUser-Agent: meridian/{}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\n\r\n",
        stand.address,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(requests.recv().await, Some(expected));
}

#[tokio::test]
async fn what_is_no_answer_is_no_load() {
    let nan = Stand::page("200 OK", "busy NaN\n").await;
    let metric = Pull::Prometheus { page: nan.at(), metric: "busy".into(), labels: Vec::new(), per: None };
    assert_eq!(once(&metric, 2000).await, Err("a series of `busy` is NaN, which is no load".to_owned()));
    for (head, body, told) in [
        ("200 OK\r\nContent-Type: application/json", "<html>oops", "the page is HTML, not JSON"),
        ("204 No Content", "", "status 204"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", "", "status 302"),
        ("503 Busy", "{\"load\": 1}", "status 503"),
        ("200 OK", "{}", "there is nothing at \"/load\""),
    ] {
        let stand = Stand::page(head, body).await;
        assert_eq!(once(&stand.json(), 2000).await, Err(told.to_owned()), "{head}");
    }
    let endless = Stand::start(|mut stream| async move {
        let mut request = [0; 2048];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
        while stream.write_all(&[b' '; 8192]).await.is_ok() {}
    })
    .await;
    assert_eq!(once(&endless.json(), 20_000).await, Err("the page is longer than 1 MiB".to_owned()));
    let silent = Stand::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(once(&silent.json(), 50).await, Err("no whole answer within 50 ms".to_owned()));
    let agent = Pull::Agent(silent.address.port());
    assert_eq!(once(&agent, 50).await, Err("no whole answer within 50 ms".to_owned()));
    let chatty = Stand::start(|mut stream| async move { while stream.write_all(&[b'x'; 512]).await.is_ok() {} }).await;
    assert!(once(&Pull::Agent(chatty.address.port()), 20_000).await.is_err_and(|told| told.contains("agent check")));
    // Bound, so that nobody else takes it, and deaf.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let closed = Pull::Agent(deaf.local_addr().expect("bound").port());
    assert_eq!(once(&closed, 2000).await, Err("connection refused".to_owned()));
}

#[tokio::test]
async fn what_a_failing_command_says_is_told() {
    let run = |script: &str| Pull::Exec(["/bin/sh", "-c", script].map(Box::from).into());
    for (script, told) in [
        ("echo no such table >&2; exit 3", "it ended with code 3: no such table"),
        ("exit 1", "it ended with code 1"),
        ("echo 5 apples", "\"5 apples\" is no number"),
        ("", "\"\" is no number"),
        ("while :; do echo 1; done | head -c 9000", "it printed more than a number"),
    ] {
        assert_eq!(once(&run(script), 10_000).await, Err(told.to_owned()), "{script}");
    }
    assert_eq!(once(&run("sleep 60"), 50).await, Err("it had not ended after 50 ms".to_owned()));
    let missing = Pull::Exec(vec!["/nonexistent/load".into()]);
    assert!(once(&missing, 1000).await.is_err_and(|told| told.contains("/nonexistent/load")));
}

/// Two who can tell, of whom the first asked is dead: the other one tells, and is asked from then on.
#[tokio::test]
async fn who_fails_is_asked_no_more_while_another_answers() {
    let stand = Stand::page("200 OK", "{\"load\": 3}").await;
    let (mut feed, mut inbox, signals) = feed();
    let mut plan = Plan::default();
    let addresses = vec![[127, 0, 0, 9].into(), [127, 0, 0, 1].into()];
    plan.add(Question { pull: stand.json(), addresses }, Millis(500), Scope::Region("eu".into()));
    feed.set(&plan);
    for _ in 0..2 {
        assert_eq!(next(&mut inbox).await, (Scope::Region("eu".into()), 3.0));
    }
    assert_eq!(signals.load_faults.get(), 1);
}

#[tokio::test]
async fn another_plan_stops_what_is_gone_and_leaves_what_stays() {
    let (one, two) = (Stand::page("200 OK", "{\"load\": 1}").await, Stand::page("200 OK", "{\"load\": 2}").await);
    let (mut feed, mut inbox, _) = feed();
    feed.set(&plan(&[(&one.json(), "a")]));
    assert_eq!(next(&mut inbox).await, (scope("a"), 1.0));
    // The same question, now about somebody else too; and another one.
    feed.set(&plan(&[(&one.json(), "a"), (&one.json(), "b"), (&two.json(), "c")]));
    assert_eq!(feed.running.len(), 2);
    let mut found = std::collections::BTreeSet::new();
    while found.len() < 3 {
        found.insert(next(&mut inbox).await.0.to_string());
    }
    feed.set(&Plan::default());
    assert!(feed.running.is_empty());
    // Nobody sends any more: with the feed the channel ends.
    drop(feed);
    while inbox.recv().await.is_some() {}
}
