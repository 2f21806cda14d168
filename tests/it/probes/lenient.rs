//! Servers that ordinary clients find well although they are odd: this prober finds them well too.

use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Body, Check, GrpcCheck, HttpCheck, HttpVersion, Tls, TlsCheck},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use super::{
    ask, bad,
    certificates::{Authority, Papers},
    clear,
    openssl::{Server, Workshop},
    policy, servers,
};

const NAME: &str = "www.example.com";

/// A server that gives this answer and closes; its port, and what it was asked.
async fn answering(answer: impl Into<Vec<u8>>) -> (u16, mpsc::UnboundedReceiver<String>) {
    let (asked, requests) = mpsc::unbounded_channel();
    let answer = answer.into();
    let port = servers::tcp(move |mut stream| {
        let (answer, asked) = (answer.clone(), asked.clone());
        async move {
            let _ = asked.send(request(&mut stream).await);
            // The client may have seen enough before the end.
            let _ = stream.write_all(&answer).await;
        }
    })
    .await;
    (port, requests)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.expect("a request") > 0 {}
    String::from_utf8(head).expect("text")
}

/// What a check that wants `ok` in the body finds of a server with this answer.
async fn meet(answer: impl Into<Vec<u8>>) -> Outcome {
    let (port, _requests) = answering(answer).await;
    ask(Check::Http(HttpCheck { body: vec![Body::Contains("ok".into())], ..clear(port) })).await
}

#[tokio::test]
async fn header_lines_that_do_not_matter_are_not_judged() {
    let lines: [&[u8]; 17] = [
        b"X-A: a\r\n b",
        b"X-A: a\r\n\tb\r\n  c",
        b"X-A:\r\n a",
        b"X-A: a\r\n \r\n b",
        b"X-A: a\n b",
        b"Set-Cookie: a=b;\r\n path=/\r\nSet-Cookie: c=d;\r\n path=/",
        b"X-A : a",
        b"X-A\t: a",
        b"X A(1): a",
        b": a",
        b"X-A",
        b"X-A\r\n folded",
        b" X-A: at the start",
        b"X-A: caf\xe9 \xc3\xa9",
        b"X-A: \x01\x7f",
        b"X-\xe9: a",
        b"X-A:a\nX-B:b",
    ];
    for line in lines {
        for end in ["", "\r\nX-After: a"] {
            let answer = [b"HTTP/1.1 200 OK\r\n", line, end.as_bytes(), b"\r\nContent-Length: 2\r\n\r\nok"].concat();
            let outcome = meet(answer).await;
            assert_eq!(outcome.is_good(), Some(true), "{:?}: {outcome}", String::from_utf8_lossy(line));
        }
    }
}

#[tokio::test]
async fn what_stands_beside_an_odd_line_still_counts() {
    let folded = b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length : 2\r\nX A: a\r\n\r\nok, and not this";
    let (port, _requests) = answering(folded).await;
    let wanting = |text: &str| Check::Http(HttpCheck { body: vec![Body::Matches(text.into())], ..clear(port) });
    assert_eq!(ask(wanting("^ok$")).await.is_good(), Some(true), "the length, though a space stands before its colon");
    let moved = b"HTTP/1.1 302 Found\r\nLocation:\r\n /new\r\nContent-Length: 0\r\n\r\n";
    let (port, mut requests) = answering(moved).await;
    let outcome = ask(Check::Http(HttpCheck { redirects: 1, ..clear(port) })).await;
    assert_eq!(outcome, bad("more redirects than 1"));
    requests.recv().await.expect("the first");
    assert!(
        requests.recv().await.expect("the second").starts_with("GET /new HTTP/1.1\r\n"),
        "a folded Location leads on"
    );
    let wrong = b"HTTP/1.1 503 Service Unavailable\r\nX-A: a\r\n b\r\n\r\n";
    assert_eq!(meet(wrong).await, bad("status 503"));
}

#[tokio::test]
async fn two_thousand_header_fields_are_taken_and_more_are_too_many() {
    let with = |count: usize| {
        let fields: String = (1..count).map(|n| format!("X-{n}: a\r\n")).collect();
        meet(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"))
    };
    for count in [99, 100, 101, 300, 2000] {
        assert_eq!(with(count).await.is_good(), Some(true), "{count}");
    }
    assert_eq!(with(2001).await, bad("the head of its answer is too long: beyond 2000 fields, or some 400 KiB"));
    let long = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\nok", "a".repeat(300 << 10));
    assert_eq!(meet(long).await.is_good(), Some(true), "one field of 300 KiB");
}

#[tokio::test]
async fn other_forms_of_an_answer_are_answers() {
    for answer in [
        &b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"[..],
        b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 d'accord \xe9\xff\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\n\nok",
        b"\r\nHTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0002 ;a=\"b\";c\r\nok\r\n0;d\r\nX-Trailer: a\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let outcome = meet(answer).await;
        assert_eq!(outcome.is_good(), Some(true), "{:?}: {outcome}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_said_in_a_sentence() {
    for (answer, said) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "it does not answer in HTTP/1"),
        (b"HTTP/1.1 ok\r\n\r\n", "its answer has no HTTP status"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno", "connection closed in the middle"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            "its answer has a Content-Length that is no number, or several that differ",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
            "the chunks of its answer's body cannot be read",
        ),
        (b"", "connection closed in the middle"),
    ] {
        assert_eq!(meet(answer).await, bad(said), "{:?}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn requests_look_as_those_of_other_clients() {
    let (port, mut requests) = answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let version = env!("CARGO_PKG_VERSION");
    let expected = |method: &str, length: &str| {
        format!(
            "{method} /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: meridian/{version}\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\n{length}Connection: close\r\n\r\n"
        )
    };
    for (method, length) in [("GET", ""), ("HEAD", ""), ("OPTIONS", ""), ("POST", "Content-Length: 0\r\n")] {
        ask(Check::Http(HttpCheck { method: method.into(), ..clear(port) })).await;
        assert_eq!(requests.recv().await.expect("a request"), expected(method, length));
    }
    let own = [("accept", "text/plain"), ("x-request-id", "1")].map(|(name, value)| (name.into(), value.into()));
    ask(Check::Http(HttpCheck { host: Some(NAME.into()), headers: own.into(), ..clear(port) })).await;
    assert_eq!(
        requests.recv().await.expect("a request"),
        format!(
            "GET /health HTTP/1.1\r\nHost: {NAME}\r\nUser-Agent: meridian/{version}\r\nAccept: text/plain\r\n\
             Accept-Encoding: identity\r\nX-Request-Id: 1\r\nConnection: close\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn a_post_that_is_sent_on_as_a_get_has_no_length() {
    let (port, mut requests) = answering("HTTP/1.1 303 See Other\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n").await;
    ask(Check::Http(HttpCheck { method: "POST".into(), redirects: 1, ..clear(port) })).await;
    assert!(requests.recv().await.expect("the first").contains("\r\nContent-Length: 0\r\n"));
    let second = requests.recv().await.expect("the second");
    assert!(second.starts_with("GET /new ") && !second.contains("Content-Length"), "{second}");
}

/// What a check over TLS that wants `ok` finds of a server that gives this answer and closes without a farewell.
async fn meet_rude(answer: &'static str) -> Outcome {
    let config = Papers::own(NAME, false, 90 * super::certificates::DAY).config(&["http/1.1"]);
    let port = servers::tcp(move |stream| {
        let config = config.clone();
        async move {
            let mut stream = TlsAcceptor::from(config).accept(stream).await.expect("a handshake");
            let _ = stream.read(&mut [0; 4096]).await.expect("a request");
            stream.write_all(answer.as_bytes()).await.expect("sent");
            stream.flush().await.expect("sent");
            // Only the connection ends, not TLS in it.
            stream.into_inner().0.shutdown().await.expect("closed");
        }
    })
    .await;
    let tls = Some(lax());
    ask(Check::Http(HttpCheck { tls, body: vec![Body::Matches("^ok$".into())], ..clear(port) })).await
}

#[tokio::test]
async fn tls_that_ends_without_a_farewell_ends_a_body_whose_length_is_not_said() {
    for head in ["HTTP/1.0 200 OK\r\n\r\nok", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok"] {
        assert_eq!(meet_rude(head).await.is_good(), Some(true), "{head}");
    }
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        assert_eq!(meet_rude(cut).await, bad("connection closed in the middle"), "{cut}");
    }
}

/// TLS of which nothing is verified.
fn lax() -> Tls {
    Tls { verify: false, trust: None, ..policy(&Authority::new(), NAME) }
}

#[tokio::test]
async fn without_verification_no_certificate_is_judged() {
    let workshop = Workshop::new();
    let ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let curve = |name: &'static str| ["ec", "-pkeyopt", name];
    let pairs = [
        ("X.509 version 1", workshop.version_one("v1")),
        ("an unknown critical extension", workshop.own("critical", &ec, &["-addext", "1.2.3.4=critical,DER:0500"])),
        ("RSA of 1024 bits", workshop.own("rsa1024", &["rsa:1024"], &[])),
        ("MD5", workshop.own("md5", &["rsa:2048"], &["-md5"])),
        ("SHA-1", workshop.own("sha1", &["rsa:2048"], &["-sha1"])),
        ("a key for RSA-PSS", workshop.own("pss", &["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], &[])),
        ("P-384", workshop.own("p384", &curve("ec_paramgen_curve:P-384"), &[])),
        ("P-521", workshop.own("p521", &curve("ec_paramgen_curve:P-521"), &[])),
        ("Ed25519", workshop.own("ed25519", &["ed25519"], &[])),
        ("Ed448", workshop.own("ed448", &["ed448"], &[])),
        ("a purpose that is none of servers", workshop.own("client", &ec, &["-addext", "extendedKeyUsage=clientAuth"])),
        ("a negative serial number", workshop.own("negative", &ec, &["-set_serial", "-5"])),
    ];
    for (what, pair) in pairs {
        for version in ["-tls1_2", "-tls1_3"] {
            let server = Server::of(&pair, &[version]);
            let port = server.port;
            let handshake = ask(Check::Tls(TlsCheck { port, tls: lax() })).await;
            // In TLS 1.2 the library has no cipher that goes with the first two, and OpenSSL wants the curve of a key
            // to be offered for the exchange of keys too.
            if version == "-tls1_2" && ["Ed448", "a key for RSA-PSS", "P-521"].contains(&what) {
                continue;
            }
            assert!(matches!(handshake, Outcome::Good { ends: Some(_), .. }), "{what}, {version}: {handshake}");
            let page = HttpCheck { tls: Some(lax()), body: vec![Body::Contains("s_server".into())], ..clear(port) };
            let page = ask(Check::Http(page)).await;
            assert_eq!(page.is_good(), Some(true), "{what}, {version}: {page}");
        }
    }
}

#[tokio::test]
async fn without_verification_an_extension_that_cannot_be_read_is_not_judged() {
    let papers = Papers::own_with(NAME, |params| {
        // Name constraints, which are a sequence.
        let mut broken = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 30], vec![1, 2]);
        broken.set_criticality(true);
        params.custom_extensions.push(broken);
    });
    let (port, _names) = servers::handshakes(papers.config_with_key_of(&papers)).await;
    let found = ask(Check::Tls(TlsCheck { port, tls: lax() })).await;
    assert_eq!(found.is_good(), Some(true), "{found}");
}

#[tokio::test]
async fn with_verification_the_fault_of_a_certificate_is_a_sentence() {
    let workshop = Workshop::new();
    let ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let authority = workshop.own("ca", &ec, &["-subj", "/CN=authority.example"]);
    let weak = workshop.own("weak", &["rsa:1024"], &["-subj", "/CN=weak.example"]);
    let with = |name: &str, key: &[&str], more: &[&str]| workshop.signed(name, &authority, key, more);
    let critical = workshop.own("critical", &ec, &["-addext", "1.2.3.4=critical,DER:0500"]);
    let first = workshop.version_one("v1");
    let pairs = [
        (with("good", &ec, &[]), &authority, None),
        (
            with("short", &["rsa:1024"], &[]),
            &authority,
            Some("certificate has an RSA key of 1024 bits, and 2048 are the least that count"),
        ),
        (
            with("sha1", &ec, &["-sha1"]),
            &authority,
            Some("certificate, or one of its chain, is signed with ECDSA and SHA-1, which does not count"),
        ),
        (
            workshop.signed("by-weak", &weak, &ec, &[]),
            &weak,
            Some("certificate is signed by an RSA key of 1024 bits, and 2048 are the least that count"),
        ),
    ];
    for (pair, by, said) in pairs {
        let server = Server::of(&pair, &[]);
        let tls = Tls { trust: Some(by.trust()), ..policy(&Authority::new(), NAME) };
        let found = ask(Check::Tls(TlsCheck { port: server.port, tls })).await;
        match said {
            None => assert_eq!(found.is_good(), Some(true), "{found}"),
            Some(said) => assert_eq!(found, bad(said)),
        }
    }
    for (pair, said) in [
        (critical, "certificate has a critical extension that is not known here"),
        (first, "certificate is of X.509 version 1 or 2, and only version 3 counts"),
    ] {
        let server = Server::of(&pair, &[]);
        let tls = Tls { trust: Some(pair.trust()), ..policy(&Authority::new(), NAME) };
        assert_eq!(ask(Check::Tls(TlsCheck { port: server.port, tls })).await, bad(said));
    }
}

#[tokio::test]
async fn a_server_without_the_key_of_its_certificate_is_bad_for_every_client() {
    let said = bad("it signs the TLS handshake with another key than that of its certificate");
    let authority = Authority::new();
    for tls in [lax(), policy(&authority, NAME)] {
        let config = authority.good(NAME).config_with_key_of(&authority.good(NAME));
        let (port, _names) = servers::handshakes(config).await;
        assert_eq!(ask(Check::Tls(TlsCheck { port, tls: tls.clone() })).await, said);
        let grpc = GrpcCheck { port, service: "".into(), tls: Some(tls) };
        assert_eq!(ask(Check::Grpc(grpc)).await, said);
    }
}

#[tokio::test]
async fn a_name_that_looks_like_an_address_is_called_a_name() {
    let authority = Authority::new();
    let (port, _names) = servers::handshakes(authority.good(NAME).config(&[])).await;
    let tls = Tls { sni: None, ..policy(&authority, NAME) };
    let said = "certificate is for the name www.example.com, not for the address 127.0.0.1";
    assert_eq!(ask(Check::Tls(TlsCheck { port, tls })).await, bad(said));
    let (port, _names) = servers::handshakes(authority.good("127.0.0.1").config(&[])).await;
    let said = "certificate is for the address 127.0.0.1, not for the name www.example.com";
    assert_eq!(ask(Check::Tls(TlsCheck { port, tls: policy(&authority, NAME) })).await, bad(said));
}

#[tokio::test]
async fn over_http2_a_post_says_that_it_has_no_body_too() {
    use http_body_util::{BodyExt, Full};
    use hyper::{Request, Response, body::Incoming};
    let answer = |request: Request<Incoming>| {
        let text =
            format!("{:?} {:?}", request.headers().get("content-length"), request.headers().get("accept-encoding"));
        Response::new(Full::from(text).boxed())
    };
    let port = servers::http(servers::Speaks::Two, answer).await;
    for (method, length) in [("POST", r#"Some("0")"#), ("GET", "None")] {
        let wanted = Body::Contains(format!(r#"{length} Some("identity")"#).into());
        let check = HttpCheck { method: method.into(), version: HttpVersion::Two, body: vec![wanted], ..clear(port) };
        let outcome = ask(Check::Http(check)).await;
        assert_eq!(outcome.is_good(), Some(true), "{method}: {outcome}");
    }
}
