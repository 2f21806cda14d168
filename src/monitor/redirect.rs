//! Which redirects a probe follows: those that lead to the same server.
//!
//! A redirect is followed only when it keeps the scheme, the host, under the name that was asked for, and the port; so
//! only path and query change. And whatever it says, the connection goes to the address that is probed. A target can
//! thus send a probe to no other host, to no loopback or metadata address, and to no other service of its own.

use reqwest::{
    Method, Response, StatusCode, Url,
    header::{HeaderMap, LOCATION},
};

use super::error_text::{Unfit, snippet};
use crate::engine::health::fold::Outcome;

/// The way of a probe through redirects.
#[derive(Debug)]
pub(super) struct Trail {
    /// What the server knows itself as.
    base: Url,
    /// The port that is probed, when the server cannot know it from the request.
    port: Option<u16>,
    most: u8,
}

impl Trail {
    /// Of requests for `url`, under the name in a Host header if there is one.
    ///
    /// # Errors
    /// When the host is none.
    pub(super) fn of(url: &Url, host: Option<&str>, most: u8) -> Result<Self, Unfit> {
        let base = match host {
            Some(host) => Url::parse(&format!("{}://{host}/", url.scheme())).map_err(Unfit::Url)?,
            None => url.clone(),
        };
        Ok(Self { base, port: url.port_or_known_default(), most })
    }

    /// What to ask next, after a response to a request for `at`; none where the response is no redirect. `followed` were
    /// followed before.
    pub(super) fn next(
        &self,
        at: &Url,
        method: &Method,
        response: &Response,
        followed: u8,
    ) -> Result<Option<(Url, Method)>, Outcome> {
        self.step(at, method, response.status(), response.headers(), followed)
    }

    fn step(
        &self,
        at: &Url,
        method: &Method,
        status: StatusCode,
        headers: &HeaderMap,
        followed: u8,
    ) -> Result<Option<(Url, Method)>, Outcome> {
        let method = match status.as_u16() {
            307 | 308 => method.clone(),
            // RFC 9110 15.4.4, and what everybody does after a POST (15.4.2, 15.4.3).
            303 if *method != Method::HEAD => Method::GET,
            301 | 302 if *method == Method::POST => Method::GET,
            301..=303 => method.clone(),
            _ => return Ok(None),
        };
        // An empty one leads nowhere: clients take it for none.
        let Some(location) = headers.get(LOCATION).filter(|location| !location.is_empty()) else { return Ok(None) };
        if followed == self.most {
            return Err(Outcome::Bad(format!("more redirects than {}", self.most).into()));
        }
        let mut here = self.base.clone();
        here.set_path(at.path());
        here.set_query(at.query());
        let told = || snippet(location.as_bytes());
        let there = here.join(&escaped(location.as_bytes())).ok();
        let there = there.ok_or_else(|| Outcome::Bad(format!("redirect to {:?}, which is no URL", told()).into()))?;
        let port = there.port_or_known_default();
        let same = there.scheme() == here.scheme()
            && there.host() == here.host()
            && (port == here.port_or_known_default() || port == self.port);
        if !same {
            return Err(Outcome::Bad(format!("redirect away from the server, to {:?}", told()).into()));
        }
        let mut next = at.clone();
        next.set_path(there.path());
        next.set_query(there.query());
        Ok(Some((next, method)))
    }
}

/// A Location in which octets beyond ASCII are escaped: they are sent back as they came, whatever they mean there.
fn escaped(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for octet in location {
        match octet {
            0x20..0x7f => text.push(char::from(*octet)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn step(trail: &Trail, at: &str, location: &str, followed: u8) -> Result<Option<String>, String> {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).expect("a header"))]);
        let at = Url::parse(at).expect("a URL");
        let next = trail.step(&at, &Method::GET, StatusCode::FOUND, &headers, followed);
        next.map(|next| next.map(|(url, _)| url.to_string())).map_err(|outcome| outcome.to_string())
    }

    #[test]
    fn only_paths_of_the_same_server_are_followed() {
        let at = "http://192.0.2.1:8080/a/b?c";
        let url = Url::parse(at).expect("a URL");
        let trail = Trail::of(&url, Some("www.example.com"), 3).expect("a trail");
        for (location, next) in [
            ("/x?y", "http://192.0.2.1:8080/x?y"),
            ("x", "http://192.0.2.1:8080/a/x"),
            ("?z", "http://192.0.2.1:8080/a/b?z"),
            ("http://www.example.com/x", "http://192.0.2.1:8080/x"),
            ("http://WWW.example.com:8080/x", "http://192.0.2.1:8080/x"),
            ("//www.example.com/x#part", "http://192.0.2.1:8080/x"),
        ] {
            assert_eq!(step(&trail, at, location, 0), Ok(Some(next.to_owned())), "{location}");
        }
        for location in [
            "http://169.254.169.254/latest/meta-data/",
            "//169.254.169.254/",
            "http://127.0.0.1/",
            "http://[::1]:8080/",
            "http://localhost:8080/",
            "http://192.0.2.1:8080/",
            "http://www.example.com:22/",
            "https://www.example.com/x",
            "http://www.example.com.evil.example/",
            "http://www.example.com@169.254.169.254/",
            "http:\\\\169.254.169.254/",
            "file:///etc/passwd",
            "gopher://www.example.com/",
        ] {
            let error = step(&trail, at, location, 0).expect_err(location);
            assert!(error.starts_with("redirect away from the server"), "{location}: {error}");
        }
        assert!(step(&trail, at, "http://[", 0).expect_err("none").contains("which is no URL"));
        assert_eq!(step(&trail, at, "/x", 3), Err("more redirects than 3".to_owned()));
    }

    #[test]
    fn octets_beyond_ascii_are_sent_back_as_they_came_and_an_empty_location_is_none() {
        let at = "http://192.0.2.1/";
        let url = Url::parse(at).expect("a URL");
        let trail = Trail::of(&url, None, 3).expect("a trail");
        let next = |location: &[u8]| {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_bytes(location).expect("a header"))]);
            trail
                .step(&url, &Method::GET, StatusCode::FOUND, &headers, 0)
                .expect("followed")
                .map(|(url, _)| url.to_string())
        };
        assert_eq!(next(b"/caf\xe9").as_deref(), Some("http://192.0.2.1/caf%E9"));
        assert_eq!(next("/café x?ü".as_bytes()).as_deref(), Some("http://192.0.2.1/caf%C3%A9%20x?%C3%BC"));
        assert_eq!(next(b""), None);
    }

    #[test]
    fn a_server_without_a_name_goes_by_its_address() {
        let at = "http://192.0.2.1:8080/";
        let trail = Trail::of(&Url::parse(at).expect("a URL"), None, 1).expect("a trail");
        assert_eq!(step(&trail, at, "http://192.0.2.1:8080/x", 0), Ok(Some("http://192.0.2.1:8080/x".to_owned())));
        assert!(step(&trail, at, "http://192.0.2.1/x", 0).is_err(), "another port");
        assert!(step(&trail, at, "http://192.0.2.2:8080/x", 0).is_err(), "another address");
    }

    #[test]
    fn methods_change_as_they_do_everywhere() {
        let url = Url::parse("http://192.0.2.1/").expect("a URL");
        let trail = Trail::of(&url, None, 1).expect("a trail");
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("/x"))]);
        let after = |status: StatusCode, method: Method| {
            trail.step(&url, &method, status, &headers, 0).expect("followed").map(|(_, method)| method)
        };
        assert_eq!(after(StatusCode::FOUND, Method::POST), Some(Method::GET));
        assert_eq!(after(StatusCode::SEE_OTHER, Method::OPTIONS), Some(Method::GET));
        assert_eq!(after(StatusCode::SEE_OTHER, Method::HEAD), Some(Method::HEAD));
        assert_eq!(after(StatusCode::PERMANENT_REDIRECT, Method::POST), Some(Method::POST));
        assert_eq!(after(StatusCode::NOT_MODIFIED, Method::GET), None);
        let nowhere = trail.step(&url, &Method::GET, StatusCode::FOUND, &HeaderMap::new(), 0);
        assert_eq!(nowhere, Ok(None), "without a location the status decides");
    }
}
