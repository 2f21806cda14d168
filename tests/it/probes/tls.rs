//! TLS: names, chains and ends of certificates.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Response;
use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Check, HttpCheck, HttpVersion, Tls, TlsCheck},
};
use tokio::io::AsyncWriteExt;

use super::{
    ask, bad,
    certificates::{Authority, DAY, Papers},
    clear, noted, policy,
    servers::{self, Speaks},
};

const NAME: &str = "www.example.com";

/// What a TLS monitor finds of a server with these papers.
async fn meet(papers: &Papers, tls: Tls) -> Outcome {
    let (port, _names) = servers::handshakes(papers.config(&[])).await;
    ask(Check::Tls(TlsCheck { port, tls })).await
}

#[tokio::test]
async fn a_good_certificate_is_good_and_one_that_ends_soon_is_noted() {
    let authority = Authority::new();
    let tls = policy(&authority, NAME);
    let outcome = meet(&authority.good(NAME), tls.clone()).await;
    assert!(matches!(outcome, Outcome::Good { connect: Some(_), note: None, ends: Some(_), .. }), "{outcome}");
    let near = authority.sign(NAME, -DAY, 9 * DAY + 3600);
    assert_eq!(noted(meet(&near, tls.clone()).await).as_deref(), Some("certificate expires in 9 days"));
    let strict = Tls { warn: 30 * 86_400, fail: 10 * 86_400, ..tls };
    assert_eq!(meet(&near, strict).await, bad("certificate expires in 9 days"));
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let authority = Authority::new();
    let tls = policy(&authority, NAME);
    let expired = authority.sign(NAME, -30 * DAY, -3 * DAY - 3600);
    assert_eq!(meet(&expired, tls.clone()).await, bad("certificate expired 3 days ago"));
    let early = authority.sign(NAME, 2 * DAY + 3600, 9 * DAY);
    assert_eq!(meet(&early, tls.clone()).await, bad("certificate is valid only in 2 days"));
    let other = authority.good("other.example.com");
    assert_eq!(meet(&other, tls.clone()).await, bad("certificate is for other.example.com, not for www.example.com"));
    let foreign = Authority::named("foreign.example").good(NAME);
    assert_eq!(meet(&foreign, tls.clone()).await, bad("certificate is signed by no authority that is trusted"));
    let impostor = Authority::new().good(NAME);
    assert_eq!(meet(&impostor, tls.clone()).await, bad("certificate has a wrong signature"));
    for is_authority in [false, true] {
        let own = Papers::own(NAME, is_authority, 90 * DAY);
        let said = "certificate is self-signed, and not one that is trusted";
        assert_eq!(meet(&own, tls.clone()).await, bad(said), "{is_authority}");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_may_be_trusted_itself() {
    let tls = |papers: &Papers| Tls { trust: Some(papers.trust()), ..policy(&Authority::new(), NAME) };
    for is_authority in [false, true] {
        let own = Papers::own(NAME, is_authority, 90 * DAY);
        assert_eq!(meet(&own, tls(&own)).await.is_good(), Some(true), "{is_authority}");
        let other = Papers::own("other.example.com", is_authority, 90 * DAY);
        let said = "certificate is for other.example.com, not for www.example.com";
        assert_eq!(meet(&other, tls(&other)).await, bad(said), "its name counts all the same");
        let expired = Papers::own(NAME, is_authority, -2 * DAY - 3600);
        assert_eq!(meet(&expired, tls(&expired)).await, bad("certificate expired 2 days ago"));
    }
}

#[tokio::test]
async fn without_verification_only_the_end_counts() {
    let lax = Tls { verify: false, trust: None, ..policy(&Authority::new(), NAME) };
    let own = Papers::own("other.example.com", false, 90 * DAY);
    assert_eq!(noted(meet(&own, lax.clone()).await), None);
    let near = Papers::own("other.example.com", false, 5 * DAY + 3600);
    assert_eq!(noted(meet(&near, lax.clone()).await).as_deref(), Some("certificate expires in 5 days"));
    let expired = Papers::own(NAME, false, -3 * DAY - 3600);
    assert_eq!(meet(&expired, lax).await, bad("certificate expired 3 days ago"));
}

#[tokio::test]
async fn the_name_is_asked_for_and_without_one_the_address_counts() {
    let authority = Authority::new();
    let (port, mut names) = servers::handshakes(authority.good(NAME).config(&[])).await;
    ask(Check::Tls(TlsCheck { port, tls: policy(&authority, NAME) })).await;
    assert_eq!(names.recv().await, Some(Some(NAME.to_owned())));
    let nameless = Tls { sni: None, ..policy(&authority, NAME) };
    let said = "certificate is for the name www.example.com, not for the address 127.0.0.1";
    assert_eq!(ask(Check::Tls(TlsCheck { port, tls: nameless.clone() })).await, bad(said));
    assert_eq!(meet(&authority.good("127.0.0.1"), nameless).await.is_good(), Some(true));
}

#[tokio::test]
async fn what_is_no_tls_is_said() {
    let tls = policy(&Authority::new(), NAME);
    let says = |octets: &'static [u8]| {
        servers::tcp(move |mut stream| async move {
            let _ = stream.write_all(octets).await;
        })
    };
    let smtp = says(b"220 mail.example.com ESMTP\r\n").await;
    assert_eq!(ask(Check::Tls(TlsCheck { port: smtp, tls: tls.clone() })).await, bad("it does not speak TLS"));
    let alert = says(&[21, 3, 3, 0, 2, 2, 40]).await;
    let said = "it ended the TLS handshake: it shares no cipher, group or kind of signature with this prober \
                (alert handshake_failure)";
    assert_eq!(ask(Check::Tls(TlsCheck { port: alert, tls })).await, bad(said));
}

#[tokio::test]
async fn sessions_are_not_taken_up_again() {
    let authority = Authority::new();
    let foreign = Authority::named("foreign.example");
    let (good, foreign) = (authority.good(NAME).config(&[]), foreign.good(NAME).config(&[]));
    let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let port = servers::tcp(move |stream| {
        let first = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let config = Arc::clone(if first { &good } else { &foreign });
        async move {
            let _ = tokio_rustls::TlsAcceptor::from(config).accept(stream).await;
        }
    })
    .await;
    let check = || Check::Tls(TlsCheck { port, tls: policy(&authority, NAME) });
    assert_eq!(ask(check()).await.is_good(), Some(true));
    assert_eq!(ask(check()).await, bad("certificate is signed by no authority that is trusted"));
}

/// When the certificate of a good outcome ends, in days from now.
fn days_left(outcome: &Outcome) -> Option<i64> {
    let Outcome::Good { ends, .. } = outcome else { panic!("{outcome}") };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_secs() as i64;
    Some(((*ends)? - now) / 86_400)
}

#[tokio::test]
async fn when_a_certificate_ends_is_known_whatever_is_spoken_over_it() {
    let authority = Authority::new();
    let (papers, tls) = (authority.sign(NAME, -DAY, 40 * DAY + 3600), policy(&authority, NAME));
    assert_eq!(days_left(&meet(&papers, tls.clone()).await), Some(40));
    let answer = |_| Response::new(Full::from("fine").boxed());
    let one = servers::http(Speaks::OneOver(papers.config(&["http/1.1"])), answer).await;
    let two = servers::http(Speaks::TwoOver(papers.config(&["h2"])), answer).await;
    for (port, version) in [(one, HttpVersion::One), (two, HttpVersion::Two)] {
        let check = HttpCheck { tls: Some(tls.clone()), version, ..clear(port) };
        assert_eq!(days_left(&ask(Check::Http(check)).await), Some(40), "{version:?}");
    }
    let plain = servers::http(Speaks::One, answer).await;
    assert_eq!(days_left(&ask(Check::Http(clear(plain))).await), None);
}
