//! What is pinned here is in files of users. A line that must change needs another version, and a reader for this one.

use std::{ffi::OsStr, path::Path};

use proptest::prelude::*;

use super::*;
use crate::probing::check::Trust;

fn tls() -> Tls {
    Tls { sni: None, verify: true, trust: None, warn: 604_800, fail: 0 }
}

fn tls_in_full() -> Tls {
    let trust = Some(Trust::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    Tls { sni: Some("www.example.com".into()), verify: false, trust, warn: 86_400, fail: 3600 }
}

fn http() -> HttpCheck {
    HttpCheck {
        port: 80,
        tls: None,
        version: HttpVersion::One,
        method: "GET".into(),
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        status: vec![(200, 299)],
        body: Vec::new(),
        body_max: 65_536,
        redirects: 0,
    }
}

fn http_in_full() -> HttpCheck {
    HttpCheck {
        port: 8443,
        tls: Some(tls_in_full()),
        version: HttpVersion::Two,
        method: "POST".into(),
        path: "/health?full=1".into(),
        host: Some("example.com".into()),
        headers: vec![("authorization".into(), "Bearer s3cret".into()), ("x-empty".into(), "".into())],
        status: vec![(200, 204), (301, 301)],
        body: vec![
            Body::Contains("all \"good\";\n}".into()),
            Body::Matches("^o.?k$".into()),
            Body::Json("/a/0".into(), Compare::Equals("\"up\"".into())),
            Body::Json("/b".into(), Compare::AtLeast("0.5".into())),
            Body::Json("".into(), Compare::AtMost("7".into())),
        ],
        body_max: 1024,
        redirects: 3,
    }
}

/// Checks of each kind, once with as little as there can be and once with every option.
pub(crate) fn checks() -> Vec<(&'static str, Check)> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
    let send = Some(b"PING\r\n\0\xff".as_slice().into());
    let not_unicode = Path::new(OsStr::from_bytes(b"/run/\xff \"health\""));
    vec![
        ("tcp", Check::tcp(80)),
        ("tcp in full", Check::Tcp(TcpCheck { port: 6379, send, expect: Some("^\\+PONG".into()) })),
        ("tls", Check::Tls(TlsCheck { port: 443, tls: tls() })),
        ("tls in full", Check::Tls(TlsCheck { port: 8443, tls: tls_in_full() })),
        ("http", Check::Http(http())),
        ("http in full", Check::Http(http_in_full())),
        ("https", Check::Http(HttpCheck { port: 443, tls: Some(tls()), ..http() })),
        ("grpc", Check::Grpc(GrpcCheck { port: 50_051, service: "".into(), tls: None })),
        ("grpc in full", Check::Grpc(GrpcCheck { port: 443, service: "shop.v1".into(), tls: Some(tls_in_full()) })),
        ("dns", Check::Dns(DnsCheck { port: 53, name: "example.com".into(), rtype: "SOA".into(), expect: Vec::new() })),
        (
            "dns in full",
            Check::Dns(DnsCheck {
                port: 5353,
                name: "www.example.com".into(),
                rtype: "A".into(),
                expect: texts(&["192.0.2.1", "192.0.2.2"]),
            }),
        ),
        ("icmp", Check::Icmp),
        ("exec", Check::Exec(ExecCheck { command: texts(&["/bin/true"]) })),
        ("exec in full", Check::Exec(ExecCheck { command: texts(&["check it", "{address}", "", "it's\tü"]) })),
        ("file", Check::File(FileCheck { path: Path::new("/run/health").into() })),
        ("file in full", Check::File(FileCheck { path: not_unicode.into() })),
    ]
}

fn probe(check: Check, source: Option<IpAddr>) -> ProbeKey {
    ProbeKey { check, address: [192, 0, 2, 1].into(), source }
}

/// What each of them is, and from two sources; as text, with its digest.
const PINNED: &str = include_str!("pinned.txt");

#[test]
fn encodings_and_digests_are_those_of_all_earlier_programs() {
    let sources =
        [("from an IPv4 source", Check::Icmp, "192.0.2.53"), ("from an IPv6 source", Check::tcp(80), "2001:db8::53")];
    let sources = sources.map(|(name, check, source)| (name, probe(check, source.parse().ok())));
    let keys = checks().into_iter().map(|(name, check)| (name, probe(check, None))).chain(sources);
    let shown = keys.map(|(name, key)| format!("{name}\n{}\n{}\n", encode(&key).escape_ascii(), digest(&key)));
    assert_eq!(shown.collect::<Vec<_>>().join("\n"), PINNED);
}

#[test]
fn address_is_no_part_of_it() {
    let other = ProbeKey { address: [192, 0, 2, 2].into(), ..probe(Check::Icmp, None) };
    assert_eq!(digest(&probe(Check::Icmp, None)), digest(&other));
}

/// Reads what the opening comment says, and nothing else: how deep the groups are and how many fields there are.
fn read(mut rest: &[u8]) -> Option<usize> {
    let (mut depth, mut fields) = (0_usize, 0);
    while let Some(first) = rest.first() {
        if *first == b'}' {
            (depth, rest) = (depth.checked_sub(1)?, &rest[1..]);
            continue;
        }
        let end = rest.iter().position(|byte| !matches!(byte, b'a'..=b'z' | b'-'))?;
        let after = &rest[end + 1..];
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = match rest[end] {
            b'{' => {
                depth += 1;
                after
            }
            b';' => after,
            b'=' if digits > 0 => after[digits..].strip_prefix(b";")?,
            b':' => {
                let length: usize = std::str::from_utf8(&after[..digits]).ok()?.parse().ok()?;
                after[digits..].strip_prefix(b"=")?.get(length..)?.strip_prefix(b";")?
            }
            _ => return None,
        };
        fields += 1;
    }
    (depth == 0).then_some(fields)
}

// ----- Any checks ----------------------------------------------------------------------------------------------------

/// Few letters, so that values meet, and those of the encoding itself.
fn text() -> impl Strategy<Value = Box<str>> {
    "[a;:={}1ü]{0,4}".prop_map(Into::into)
}

fn any_tls() -> impl Strategy<Value = Tls> {
    let trust = proptest::option::of(text().prop_map(|pem| Trust::new(&pem)));
    (proptest::option::of(text()), any::<bool>(), trust, 0..3_u64, 0..3_u64)
        .prop_map(|(sni, verify, trust, warn, fail)| Tls { sni, verify, trust, warn, fail })
}

fn any_body() -> impl Strategy<Value = Body> {
    let compare = prop_oneof![
        text().prop_map(Compare::Equals),
        text().prop_map(Compare::AtLeast),
        text().prop_map(Compare::AtMost)
    ];
    prop_oneof![
        text().prop_map(Body::Contains),
        text().prop_map(Body::Matches),
        (text(), compare).prop_map(|(pointer, compare)| Body::Json(pointer, compare))
    ]
}

fn any_http() -> impl Strategy<Value = HttpCheck> {
    let version = prop_oneof![Just(HttpVersion::One), Just(HttpVersion::Two)];
    let list = || proptest::collection::vec((text(), text()), 0..3);
    let first = (0..3_u16, proptest::option::of(any_tls()), version, text(), text(), proptest::option::of(text()));
    let status = proptest::collection::vec((0..3_u16, 0..3_u16), 0..3);
    let rest = (list(), status, proptest::collection::vec(any_body(), 0..3), 0..3_u32, 0..3_u8);
    (first, rest).prop_map(|(first, rest)| {
        let (port, tls, version, method, path, host) = first;
        let (headers, status, body, body_max, redirects) = rest;
        HttpCheck { port, tls, version, method, path, host, headers, status, body, body_max, redirects }
    })
}

fn any_check() -> impl Strategy<Value = Check> {
    let texts = || proptest::collection::vec(text(), 0..3);
    let send = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..3).prop_map(Into::into));
    prop_oneof![
        (0..3_u16, send, proptest::option::of(text())).prop_map(|(port, send, expect)| Check::Tcp(TcpCheck {
            port,
            send,
            expect
        })),
        (0..3_u16, any_tls()).prop_map(|(port, tls)| Check::Tls(TlsCheck { port, tls })),
        any_http().prop_map(Check::Http),
        (0..3_u16, text(), proptest::option::of(any_tls())).prop_map(|(port, service, tls)| Check::Grpc(GrpcCheck {
            port,
            service,
            tls
        })),
        (0..3_u16, text(), text(), texts()).prop_map(|(port, name, rtype, expect)| Check::Dns(DnsCheck {
            port,
            name,
            rtype,
            expect
        })),
        Just(Check::Icmp),
        texts().prop_map(|command| Check::Exec(ExecCheck { command })),
        text().prop_map(|path| Check::File(FileCheck { path: Path::new(&*path).into() })),
    ]
}

fn any_source() -> impl Strategy<Value = Option<IpAddr>> {
    proptest::option::of((0..3_u8).prop_map(|last| [192, 0, 2, last].into()))
}

/// The same check with one field changed, for each field of it.
fn neighbours(check: &Check) -> Vec<Check> {
    let longer = |text: &str| -> Box<str> { format!("{text};").into() };
    let turned = |text: &Option<Box<str>>| text.as_ref().map_or(Some("".into()), |_| None);
    let more = |texts: &[Box<str>]| texts.iter().cloned().chain(["".into()]).collect::<Vec<_>>();
    let tls_of = |tls: &Tls| {
        let Tls { sni, verify, trust, warn, fail } = tls;
        let trust = trust.as_ref().map_or_else(|| Some(Trust::new("")), |_| None);
        vec![
            Tls { sni: turned(sni), ..tls.clone() },
            Tls { verify: !verify, ..tls.clone() },
            Tls { trust, ..tls.clone() },
            Tls { warn: warn + 1, ..tls.clone() },
            Tls { fail: fail + 1, ..tls.clone() },
        ]
    };
    let maybe_tls = |tls: &Option<Tls>| match tls {
        None => vec![Some(self::tls())],
        Some(tls) => tls_of(tls).into_iter().map(Some).chain([None]).collect(),
    };
    match check {
        Check::Tcp(TcpCheck { port, send, expect }) => {
            let send_turned = send.as_ref().map_or_else(|| Some([].into()), |_| None);
            let tcp = |port, send, expect| Check::Tcp(TcpCheck { port, send, expect });
            vec![
                tcp(port + 1, send.clone(), expect.clone()),
                tcp(*port, send_turned, expect.clone()),
                tcp(*port, send.clone(), turned(expect)),
            ]
        }
        Check::Tls(TlsCheck { port, tls }) => {
            let others = tls_of(tls).into_iter().map(|tls| Check::Tls(TlsCheck { port: *port, tls }));
            others.chain([Check::Tls(TlsCheck { port: port + 1, tls: tls.clone() })]).collect()
        }
        Check::Http(http) => {
            let HttpCheck { port, tls, version, method, path, host, headers, status, body, body_max, redirects } = http;
            let same = || http.clone();
            let version = if *version == HttpVersion::One { HttpVersion::Two } else { HttpVersion::One };
            let headers = headers.iter().cloned().chain([("".into(), "".into())]).collect();
            let status = status.iter().copied().chain([(0, 0)]).collect();
            let body = body.iter().cloned().chain([Body::Contains("".into())]).collect();
            let mut others: Vec<_> = maybe_tls(tls).into_iter().map(|tls| HttpCheck { tls, ..same() }).collect();
            others.extend([
                HttpCheck { port: port + 1, ..same() },
                HttpCheck { version, ..same() },
                HttpCheck { method: longer(method), ..same() },
                HttpCheck { path: longer(path), ..same() },
                HttpCheck { host: turned(host), ..same() },
                HttpCheck { headers, ..same() },
                HttpCheck { status, ..same() },
                HttpCheck { body, ..same() },
                HttpCheck { body_max: body_max + 1, ..same() },
                HttpCheck { redirects: redirects + 1, ..same() },
            ]);
            others.into_iter().map(Check::Http).collect()
        }
        Check::Grpc(GrpcCheck { port, service, tls }) => {
            let grpc = |port, service, tls| Check::Grpc(GrpcCheck { port, service, tls });
            let others = maybe_tls(tls).into_iter().map(|tls| grpc(*port, service.clone(), tls));
            others
                .chain([grpc(port + 1, service.clone(), tls.clone()), grpc(*port, longer(service), tls.clone())])
                .collect()
        }
        Check::Dns(DnsCheck { port, name, rtype, expect }) => {
            let dns = |port, name: &str, rtype: &str, expect: &[Box<str>]| {
                Check::Dns(DnsCheck { port, name: name.into(), rtype: rtype.into(), expect: expect.to_vec() })
            };
            vec![
                dns(port + 1, name, rtype, expect),
                dns(*port, &longer(name), rtype, expect),
                dns(*port, name, &longer(rtype), expect),
                dns(*port, name, rtype, &more(expect)),
            ]
        }
        Check::Icmp => vec![Check::tcp(0)],
        Check::Exec(ExecCheck { command }) => vec![Check::Exec(ExecCheck { command: more(command) })],
        Check::File(FileCheck { path }) => {
            vec![Check::File(FileCheck { path: Path::new(&longer(&path.to_string_lossy()).to_string()).into() })]
        }
    }
}

proptest! {
    /// Checks are equal when their encodings are, and only then. An encoding is what the opening comment says.
    #[test]
    fn equal_encodings_are_equal_checks(
        (a, b) in (any_check(), any_check()), (from_a, from_b) in (any_source(), any_source())
    ) {
        let (a, b) = (probe(a, from_a), probe(b, from_b));
        prop_assert_eq!(a == b, encode(&a) == encode(&b));
        prop_assert_eq!(a == b, digest(&a) == digest(&b));
        prop_assert_eq!(encode(&a), encode(&a.clone()));
        prop_assert!(read(&encode(&a)).is_some_and(|fields| fields >= 2));
    }

    /// Whichever field is changed, the encoding is another one.
    #[test]
    fn every_field_counts(check in any_check(), source in any_source()) {
        let own = encode(&probe(check.clone(), source));
        for other in neighbours(&check) {
            prop_assert_ne!(&own, &encode(&probe(other.clone(), source)), "{:?}", other);
        }
        let elsewhere = if source.is_some() { None } else { Some([192, 0, 2, 53].into()) };
        prop_assert_ne!(own, encode(&probe(check, elsewhere)));
    }
}
