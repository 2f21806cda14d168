//! HTTPS, HTTP/2, and redirects.

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, Version, body::Incoming};
use meridian::{
    engine::health::fold::Outcome,
    probing::check::{Body, Check, Compare, HttpCheck, HttpVersion},
};

use super::{
    ask, bad,
    certificates::{Authority, DAY},
    clear, noted, policy,
    servers::{self, Speaks},
};

const NAME: &str = "www.example.com";

/// Tells in its body what it was asked.
fn echo(request: Request<Incoming>) -> Response<servers::Body> {
    let host = request.headers().get("host").map_or("", |host| host.to_str().expect("text"));
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let version = if request.version() == Version::HTTP_2 { 2 } else { 1 };
    let encoding = request.headers().get("accept-encoding").map_or("", |encoding| encoding.to_str().expect("text"));
    let text = format!(
        r#"{{"path": "{}", "host": "{host}", "authority": "{authority}", "version": {version}, "encoding": "{encoding}"}}"#,
        request.uri().path()
    );
    Response::new(Full::from(text).boxed())
}

/// A check that expects these values of [`echo`].
fn expecting(check: HttpCheck, values: &[(&str, &str)]) -> Check {
    let body = values.iter().map(|(pointer, value)| Body::Json((*pointer).into(), Compare::Equals((*value).into())));
    Check::Http(HttpCheck { body: body.collect(), ..check })
}

#[tokio::test]
async fn https_asks_the_address_for_the_name() {
    let authority = Authority::new();
    let port = servers::http(Speaks::OneOver(authority.good(NAME).config(&["http/1.1"])), echo).await;
    let check = HttpCheck { tls: Some(policy(&authority, NAME)), ..clear(port) };
    let host = format!(r#""{NAME}:{port}""#);
    let values = [("/path", r#""/health""#), ("/host", &*host), ("/version", "1"), ("/encoding", r#""identity""#)];
    let outcome = ask(expecting(check.clone(), &values)).await;
    assert!(matches!(outcome, Outcome::Good { connect: None, note: None, .. }), "{outcome}");
    let named = HttpCheck { host: Some("shop.example.com".into()), ..check.clone() };
    let outcome = ask(expecting(named, &[("/host", r#""shop.example.com""#)])).await;
    assert_eq!(outcome.is_good(), Some(true), "Host and the name in TLS are apart: {outcome}");
    let other = HttpCheck { tls: Some(policy(&authority, "other.example.com")), ..check };
    assert_eq!(ask(Check::Http(other)).await, bad("certificate is for www.example.com, not for other.example.com"));
}

#[tokio::test]
async fn certificates_count_for_https_as_they_do_for_tls() {
    let authority = Authority::new();
    let near = authority.sign(NAME, -DAY, 9 * DAY + 3600).config(&["http/1.1"]);
    let port = servers::http(Speaks::OneOver(near), echo).await;
    let check = HttpCheck { tls: Some(policy(&authority, NAME)), ..clear(port) };
    assert_eq!(noted(ask(Check::Http(check.clone())).await).as_deref(), Some("certificate expires in 9 days"));
    let mut strict = check;
    if let Some(tls) = &mut strict.tls {
        tls.fail = 10 * 86_400;
    }
    assert_eq!(ask(Check::Http(strict)).await, bad("certificate expires in 9 days"));
    let clear_text = servers::http(Speaks::One, echo).await;
    let check = HttpCheck { tls: Some(policy(&authority, NAME)), ..clear(clear_text) };
    assert_eq!(ask(Check::Http(check)).await, bad("it does not speak TLS"));
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_asked_for() {
    let authority = Authority::new();
    let papers = authority.good(NAME);
    let over = servers::http(Speaks::TwoOver(papers.config(&["h2", "http/1.1"])), echo).await;
    let two = |port| HttpCheck { version: HttpVersion::Two, ..clear(port) };
    let tls = HttpCheck { tls: Some(policy(&authority, NAME)), ..two(over) };
    let authority_of = format!(r#""{NAME}:{over}""#);
    assert_eq!(
        ask(expecting(tls.clone(), &[("/version", "2"), ("/authority", &authority_of)])).await.is_good(),
        Some(true)
    );
    let named = HttpCheck { host: Some(NAME.into()), ..tls };
    assert_eq!(ask(expecting(named, &[("/authority", r#""www.example.com""#)])).await.is_good(), Some(true));

    let port = servers::http(Speaks::Two, echo).await;
    let outcome = ask(expecting(two(port), &[("/version", "2")])).await;
    assert!(matches!(outcome, Outcome::Good { connect: Some(_), .. }), "{outcome}");
    let named = HttpCheck { host: Some(NAME.into()), ..two(port) };
    assert_eq!(ask(expecting(named, &[("/authority", r#""www.example.com""#)])).await.is_good(), Some(true));

    let old = servers::http(Speaks::OneOver(papers.config(&["http/1.1"])), echo).await;
    let check = HttpCheck { tls: Some(policy(&authority, NAME)), ..two(old) };
    assert_eq!(ask(Check::Http(check)).await, bad("it does not offer this version of HTTP in TLS (ALPN)"));
    let old = servers::only_one().await;
    assert_eq!(ask(Check::Http(two(old))).await, bad("it answers, but not in HTTP/2"));
}

#[tokio::test]
async fn a_good_status_with_a_bad_body_is_bad() {
    let port = servers::http(Speaks::One, |_| Response::new(Full::from(r#"{"status": "degraded"}"#).boxed())).await;
    let wanting = |thing: Body| Check::Http(HttpCheck { body: vec![thing], ..clear(port) });
    let json = Body::Json("/status".into(), Compare::Equals(r#""ok""#.into()));
    assert_eq!(ask(wanting(json)).await, bad(r#"/status is "degraded", not "ok""#));
    let regex = Body::Matches(r#""status": *"(ok|up)""#.into());
    assert_eq!(ask(wanting(regex)).await, bad(r#"body does not match "\"status\": *\"(ok|up)\"""#));
    assert_eq!(ask(wanting(Body::Matches(r#""degr\w+""#.into()))).await.is_good(), Some(true));
    let cut = HttpCheck { body: vec![Body::Matches("degraded".into())], body_max: 15, ..clear(port) };
    assert_eq!(ask(Check::Http(cut)).await, bad("the first 15 octets of the body do not match \"degraded\""));
}

/// Redirects `/health` to where the query says, and says of the rest what it was asked.
fn redirects(request: Request<Incoming>) -> Response<servers::Body> {
    if request.uri().path() != "/health" {
        return echo(request);
    }
    let to = request.uri().query().expect("a query").to_owned();
    let response = Response::builder().status(302).header("location", to);
    response.body(Full::default().boxed()).expect("a response")
}

#[tokio::test]
async fn redirects_are_followed_to_the_same_server_only_and_only_when_asked() {
    let port = servers::http(Speaks::One, redirects).await;
    let to = |location: &str, redirects| HttpCheck {
        path: format!("/health?{location}").into(),
        host: Some(NAME.into()),
        redirects,
        ..clear(port)
    };
    assert_eq!(ask(Check::Http(to("/new", 0))).await, bad("status 302"));
    let arrived = [("/path", r#""/new""#), ("/host", r#""www.example.com""#)];
    for location in ["/new", "http://www.example.com/new", "new"] {
        let outcome = ask(expecting(to(location, 1), &arrived)).await;
        assert_eq!(outcome.is_good(), Some(true), "{location}: {outcome}");
    }
    for location in ["http://169.254.169.254/new", "http://127.0.0.1/new", "https://www.example.com/new"] {
        let said = format!("redirect away from the server, to {location:?}");
        assert_eq!(ask(Check::Http(to(location, 5))).await, bad(&said));
    }
    assert_eq!(ask(Check::Http(to("/health?/health", 1))).await, bad("more redirects than 1"));
    let own = HttpCheck { host: None, ..to(&format!("http://127.0.0.1:{port}/new"), 1) };
    assert_eq!(ask(Check::Http(own)).await.is_good(), Some(true), "a server without a name goes by its address");
}
