//! Servers that mean harm, or are so ill that it comes to the same: none costs more than its timeout and the caps, and
//! each of their connections is closed by then.

use std::{future::Future, io};

use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Body, Check, GrpcCheck, HttpCheck, HttpVersion, TlsCheck},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use super::{PATIENCE, ask_within, bad, certificates::Authority, clear, policy, servers};

/// A timeout that is over soon, and yet long enough that a busy machine does not take the blame: beyond twice of it.
const BRIEF: u64 = 300;

const TOO_LONG: &str = "the head of its answer is too long: beyond 2000 fields, or some 400 KiB";

/// What is found then.
fn said() -> Outcome {
    bad("no answer within 300 ms")
}

/// A server that treats connections so, and that says when one is over.
async fn serve<F>(treat: impl Fn(TcpStream) -> F + Clone + Send + 'static) -> (u16, mpsc::UnboundedReceiver<()>)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let (over, ends) = mpsc::unbounded_channel();
    let port = servers::tcp(move |stream| {
        let (treat, over) = (treat.clone(), over.clone());
        async move {
            let _ = treat(stream).await;
            let _ = over.send(());
        }
    })
    .await;
    (port, ends)
}

/// Writes this and then that, again and again.
fn repeating(start: &'static [u8], then: Vec<u8>) -> impl Fn(TcpStream) -> Dripping + Clone + Send + 'static {
    move |mut stream| {
        let then = then.clone();
        Box::pin(async move {
            // The request is read, or its octets would make a reset of the end.
            let _ = stream.read(&mut [0; 4096]).await?;
            stream.write_all(start).await?;
            loop {
                stream.write_all(&then).await?;
                tokio::task::yield_now().await;
            }
        })
    }
}

type Dripping = std::pin::Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// What a check finds, once the server has seen the end of the connection.
async fn outlive(check: Check, timeout: u64, ends: &mut mpsc::UnboundedReceiver<()>) -> Outcome {
    let outcome = ask_within(check, timeout).await;
    ends.recv().await.expect("the connection is over");
    outcome
}

#[tokio::test]
async fn whoever_never_answers_costs_the_timeout() {
    // Accepts, and reads whatever comes.
    let silent = |mut stream: TcpStream| async move {
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await? > 0 {}
        Ok(())
    };
    let (port, mut ends) = serve(silent).await;
    let tls = policy(&Authority::new(), "www.example.com");
    let checks = [
        Check::Http(clear(port)),
        Check::Http(HttpCheck { version: HttpVersion::Two, ..clear(port) }),
        Check::Http(HttpCheck { tls: Some(tls.clone()), ..clear(port) }),
        Check::Tls(TlsCheck { port, tls: tls.clone() }),
        Check::Grpc(GrpcCheck { port, service: "".into(), tls: None }),
        Check::Grpc(GrpcCheck { port, service: "".into(), tls: Some(tls) }),
    ];
    for check in checks {
        assert_eq!(outlive(check.clone(), BRIEF, &mut ends).await, said(), "{check:?}");
    }
}

#[tokio::test]
async fn octets_one_by_one_cost_the_timeout() {
    let (head, mut head_ends) = serve(repeating(b"HTTP/1.1 200 OK\r\nx-slow: ", b"y".to_vec())).await;
    let found = outlive(Check::Http(clear(head)), BRIEF, &mut head_ends).await;
    assert_eq!(found.is_good(), Some(false), "{found}");
    let (body, mut body_ends) =
        serve(repeating(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n", b"y".to_vec())).await;
    let wanting = HttpCheck { body: vec![Body::Matches("ok".into())], body_max: 1 << 20, ..clear(body) };
    assert_eq!(outlive(Check::Http(wanting), BRIEF, &mut body_ends).await, said());
    let found = outlive(Check::Http(clear(body)), PATIENCE, &mut body_ends).await;
    assert_eq!(found.is_good(), Some(true), "who wants no body does not wait for it");
}

#[tokio::test]
async fn a_body_without_end_costs_its_cap() {
    let (port, mut ends) = serve(repeating(b"HTTP/1.1 200 OK\r\n\r\n", vec![b'x'; 4096])).await;
    let things = [
        (Body::Contains("ok".into()), "the first 65536 octets of the body lack \"ok\""),
        (Body::Matches("ok".into()), "the first 65536 octets of the body do not match \"ok\""),
        (
            Body::Json("/a".into(), meridian::probing::check::Compare::Equals("1".into())),
            "body is longer than 65536 octets",
        ),
    ];
    for (thing, said) in things {
        let check = HttpCheck { body: vec![thing], ..clear(port) };
        assert_eq!(outlive(Check::Http(check), PATIENCE, &mut ends).await, bad(said));
    }
}

#[tokio::test]
async fn interim_responses_without_end_cost_the_timeout() {
    let (port, mut ends) = serve(repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(50))).await;
    assert_eq!(outlive(Check::Http(clear(port)), BRIEF, &mut ends).await, said());
}

#[tokio::test]
async fn headers_without_end_are_cut() {
    let (port, mut ends) =
        serve(repeating(b"HTTP/1.1 200 OK\r\n", b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(99))).await;
    let found = outlive(Check::Http(clear(port)), PATIENCE, &mut ends).await;
    assert_eq!(found, bad(TOO_LONG));
    let (port, mut ends) = serve(repeating(b"HTTP/1.1 200 OK\r\nx: ", vec![b'y'; 4096])).await;
    let found = outlive(Check::Http(clear(port)), PATIENCE, &mut ends).await;
    assert_eq!(found, bad(TOO_LONG));
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    // Nobody asked for gzip, so what claims to be is looked at as it is.
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08";
    let (port, mut ends) = serve(move |mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(head).await
    })
    .await;
    let check = HttpCheck { body: vec![Body::Matches("(?-u)^\\x1f\\x8b\\x08$".into())], ..clear(port) };
    assert_eq!(outlive(Check::Http(check), PATIENCE, &mut ends).await.is_good(), Some(true));
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let circle = b"HTTP/1.1 302 Found\r\nlocation: /health\r\ncontent-length: 0\r\n\r\n";
    let (port, mut ends) = serve(move |mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(circle).await
    })
    .await;
    let check = HttpCheck { redirects: 10, ..clear(port) };
    assert_eq!(ask_within(Check::Http(check), PATIENCE).await, bad("more redirects than 10"));
    for _ in 0..11 {
        ends.recv().await.expect("eleven requests");
    }
    assert!(ends.try_recv().is_err(), "and no more");
}
