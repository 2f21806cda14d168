//! Probes from an address of the configuration's, whatever is spoken.

use std::net::{IpAddr, Ipv4Addr};

use http_body_util::{BodyExt, Full};
use hyper::Response;
use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Check, GrpcCheck, HttpCheck, HttpVersion, TlsCheck},
};
use tokio::{net::TcpListener, sync::mpsc};

use super::{LOOPBACK, PATIENCE, ask_from, certificates::Authority, clear, policy, servers};

const NAME: &str = "www.example.com";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));

/// A server that says whom it sees and closes; its port.
async fn who_comes() -> (u16, mpsc::UnboundedReceiver<IpAddr>) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let (send, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((_, peer)) = listener.accept().await {
            let _ = send.send(peer.ip());
        }
    });
    (port, seen)
}

/// Everything that opens a connection, to a port.
fn checks(port: u16) -> Vec<Check> {
    let tls = policy(&Authority::new(), NAME);
    vec![
        Check::tcp(port),
        Check::Http(clear(port)),
        Check::Http(HttpCheck { version: HttpVersion::Two, ..clear(port) }),
        Check::Http(HttpCheck { tls: Some(tls.clone()), ..clear(port) }),
        Check::Http(HttpCheck { tls: Some(tls.clone()), version: HttpVersion::Two, ..clear(port) }),
        Check::Tls(TlsCheck { port, tls: tls.clone() }),
        Check::Grpc(GrpcCheck { port, service: "".into(), tls: None }),
        Check::Grpc(GrpcCheck { port, service: "".into(), tls: Some(tls) }),
    ]
}

#[tokio::test]
async fn the_server_sees_the_address_of_the_configuration() {
    let (port, mut seen) = who_comes().await;
    for check in checks(port) {
        let said = format!("{check:?}");
        ask_from(Some(HERE), check.clone(), PATIENCE).await;
        assert_eq!(seen.recv().await, Some(HERE), "{said}");
        ask_from(None, check, PATIENCE).await;
        assert_eq!(seen.recv().await, Some(LOOPBACK), "{said}: nothing of it stays behind");
    }
}

#[tokio::test]
async fn an_address_that_this_node_has_not_is_not_held_against_the_target() {
    let (port, _seen) = who_comes().await;
    let elsewhere = IpAddr::from([192, 0, 2, 9]);
    let why = "`source` says 192.0.2.9, which is no address of this node";
    for check in checks(port) {
        let found = ask_from(Some(elsewhere), check.clone(), PATIENCE).await;
        assert_eq!(found, Outcome::Unasked(why.into()), "{check:?}");
    }
}

#[tokio::test]
async fn a_whole_answer_comes_back_there() {
    let authority = Authority::new();
    let config = authority.good(NAME).config(&["http/1.1"]);
    let answer = |_| Response::new(Full::from("fine").boxed());
    let port = servers::http(servers::Speaks::OneOver(config), answer).await;
    let check = HttpCheck { tls: Some(policy(&authority, NAME)), ..clear(port) };
    assert_eq!(ask_from(Some(HERE), Check::Http(check), PATIENCE).await.is_good(), Some(true));
}
