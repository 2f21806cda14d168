//! HTTP as this process speaks it to servers that it watches: what it forgives them, and how its requests look. A server is
//! as well as ordinary clients find it, so this is no stricter than they are in what says nothing of its health. Must
//! not know what is asked, nor what an answer means.

use reqwest::{
    Client, ClientBuilder, Method, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};

/// What requests say of their sender.
pub(crate) const USER_AGENT: &str = concat!("meridian/", env!("CARGO_PKG_VERSION"));
/// How many fields the head of an HTTP/1 answer may have: of any use are some dozens, and each client has another limit
/// (curl 5000, HAProxy 101). The library makes room for all of them each time: up to here that costs next to nothing,
/// beyond it the system's allocator would fetch the room anew for each answer. The octets of a head have the library's limit,
/// some 400 KiB.
const FIELDS: usize = 2000;

/// A client that asks no proxy, follows and repeats nothing, and uses a connection once. Of the head of an HTTP/1 answer it
/// takes lines that are folded (RFC 9112 5.2: a user agent replaces the fold by a space) and spaces before a colon, and
/// it passes over lines that are no header field at all.
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .pool_max_idle_per_host(0)
        .http1_title_case_headers()
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(FIELDS)
}

/// The header of a request, in the order in which clients usually write it: `Host` first where there is one (in HTTP/2
/// there is none), then what says who asks and what it takes, then `own`, which has precedence, and the
/// connection's end. A POST says that it has no body: a server may refuse one that does not (RFC 9110 8.6, 15.5.12).
/// Without `Accept-Encoding` a server might choose any (RFC 9110 12.5.3).
pub(crate) fn header(
    method: &Method,
    host: Option<HeaderValue>,
    own: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> HeaderMap {
    let is_over_one = host.is_some();
    let mut header = HeaderMap::with_capacity(8);
    if let Some(host) = host {
        header.insert(header::HOST, host);
    }
    header.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    header.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    header.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let usual = [header::USER_AGENT, header::ACCEPT, header::ACCEPT_ENCODING];
    let mut replaced = [false; 3];
    for (name, value) in own {
        let place = usual.iter().position(|usual| *usual == name);
        match place.and_then(|place| replaced.get_mut(place)) {
            Some(replaced) if !*replaced => {
                *replaced = true;
                header.insert(name, value);
            }
            _ => _ = header.append(name, value),
        }
    }
    if *method == Method::POST {
        header.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    if is_over_one {
        header.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    header
}

/// What a `Host` field says of a URL: its host, and its port unless that is the usual one.
pub(crate) fn host(url: &Url) -> Option<HeaderValue> {
    let name = url.host_str()?;
    let text = match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    }

    fn names(header: &HeaderMap) -> Vec<&str> {
        header.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn host_is_first_and_what_is_written_has_precedence() {
        let host = HeaderValue::from_static("www.example.com");
        let more = [own("x-a", "1"), own("accept", "text/plain"), own("x-a", "2"), own("accept", "text/html")];
        let header = header(&Method::GET, Some(host), more);
        assert_eq!(names(&header), ["host", "user-agent", "accept", "accept-encoding", "x-a", "connection"]);
        let accepted: Vec<_> = header.get_all("accept").iter().collect();
        assert_eq!(accepted, ["text/plain", "text/html"], "in place of the usual one");
        assert_eq!(header["accept-encoding"], "identity");
    }

    #[test]
    fn only_a_post_has_a_length() {
        for (method, length) in
            [(Method::GET, false), (Method::HEAD, false), (Method::OPTIONS, false), (Method::POST, true)]
        {
            assert_eq!(header(&method, None, []).contains_key("content-length"), length, "{method}");
        }
        assert!(!header(&Method::GET, None, []).contains_key("connection"), "HTTP/2 has none");
    }

    #[test]
    fn a_usual_port_is_not_said() {
        for (url, said) in [
            ("http://192.0.2.1:80/", "192.0.2.1"),
            ("http://[2001:db8::1]:8080/", "[2001:db8::1]:8080"),
            ("https://www.example.com:443/", "www.example.com"),
            ("https://www.example.com:80/", "www.example.com:80"),
        ] {
            assert_eq!(host(&Url::parse(url).expect("a URL")).expect("a host"), said);
        }
    }
}
