//! gRPC health: a server of `grpc.health.v1` by hand, and what is none.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response,
    body::{Body as _, Bytes, Frame, Incoming},
};
use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Check, GrpcCheck},
};

use super::{
    ask, bad,
    certificates::{Authority, DAY},
    noted, policy,
    servers::{self, Body, Speaks},
};

const NAME: &str = "www.example.com";

fn check(port: u16, service: &str) -> Check {
    Check::Grpc(GrpcCheck { port, service: service.into(), tls: None })
}

/// A body of frames that are there already.
struct Frames(VecDeque<Frame<Bytes>>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

/// A call that ends with `code` after this message.
fn call(message: &'static [u8], code: &'static str) -> Response<Body> {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), code.parse().expect("a value"))]);
    let data = Some(message).filter(|message| !message.is_empty());
    let data = data.map(|message| Frame::data(Bytes::from_static(message)));
    let frames = data.into_iter().chain([Frame::trailers(trailers)]).collect();
    let response = Response::builder().header("content-type", "application/grpc");
    response.body(BodyExt::boxed(Frames(frames))).expect("a response")
}

/// A call that ends with `code` before anything else: its trailers are its headers.
fn refusal(code: &str, message: &str) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/grpc+proto");
    let response = response.header("grpc-status", code).header("grpc-message", message);
    response.body(Full::default().boxed()).expect("a response")
}

/// Answers by the name of the service, which is the end of the question.
fn health(request: Request<Incoming>) -> Response<Body> {
    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
    assert_eq!(request.headers()["te"], "trailers");
    assert_eq!(request.headers()["content-type"], "application/grpc");
    // The length of the question tells the services of these tests apart.
    match request.body().size_hint().exact() {
        Some(5 | 6) => call(&[0, 0, 0, 0, 2, 8, 1], "0"),
        Some(8) => call(&[0, 0, 0, 0, 2, 8, 2], "0"),
        Some(9) => refusal("5", "unknown service"),
        Some(10) => refusal("12", ""),
        Some(11) => call(b"", "13"),
        Some(12) => call(&[0, 0, 0, 0, 2, 8, 1], "14"),
        Some(13) => call(&[0, 0, 0, 0, 0], "0"),
        Some(14) => call(&[0, 0, 0, 0, 2, 8, 3], "0"),
        Some(15) => call(&[0, 0, 0, 0, 9, 8, 1], "0"),
        Some(16) => refusal("7", "who are you"),
        Some(17) => call(&[0; 5000], "0"),
        Some(18) => call(b"", "0"),
        other => panic!("a question of {other:?} octets"),
    }
}

#[tokio::test]
async fn only_serving_is_good() {
    let port = servers::http(Speaks::Two, health).await;
    let outcome = ask(check(port, "")).await;
    assert!(matches!(outcome, Outcome::Good { connect: Some(_), .. }), "{outcome}");
    for (service, said) in [
        ("a", "its health is NOT_SERVING"),
        ("aa", "it knows no service \"aa\""),
        ("aaa", "it does not implement grpc.health.v1.Health"),
        ("aaaa", "gRPC status INTERNAL"),
        ("aaaaa", "gRPC status UNAVAILABLE"),
        ("aaaaaa", "its health is UNKNOWN"),
        ("aaaaaaa", "it knows no service \"aaaaaaa\""),
        ("aaaaaaaa", "a gRPC answer that cannot be read"),
        ("aaaaaaaaa", "gRPC status PERMISSION_DENIED: who are you"),
        ("aaaaaaaaaa", "a gRPC answer of more than 4096 octets"),
        ("aaaaaaaaaaa", "a gRPC answer without a message"),
    ] {
        assert_eq!(ask(check(port, service)).await, bad(said), "{service}");
    }
}

#[tokio::test]
async fn over_tls_the_certificate_counts_too() {
    let authority = Authority::new();
    let near = authority.sign(NAME, -DAY, 9 * DAY + 3600);
    let port = servers::http(Speaks::TwoOver(near.config(&["h2"])), health).await;
    let over = |name: &str| Check::Grpc(GrpcCheck { port, service: "".into(), tls: Some(policy(&authority, name)) });
    assert_eq!(noted(ask(over(NAME)).await).as_deref(), Some("certificate expires in 9 days"));
    let said = "certificate is for www.example.com, not for other.example.com";
    assert_eq!(ask(over("other.example.com")).await, bad(said));
}

#[tokio::test]
async fn what_is_no_grpc_is_said() {
    let page = |_| Response::new(Full::from("<html>").boxed());
    let web = servers::http(Speaks::Two, page).await;
    assert_eq!(ask(check(web, "")).await, bad("it speaks HTTP/2, but not gRPC"));
    let old = servers::only_one().await;
    assert_eq!(ask(check(old, "")).await, bad("it answers, but not in HTTP/2"));
    let gateway = |_| Response::builder().status(502).body(Full::default().boxed()).expect("a response");
    let gateway = servers::http(Speaks::Two, gateway).await;
    assert_eq!(ask(check(gateway, "")).await, bad("status 502 in place of a gRPC answer"));
}
