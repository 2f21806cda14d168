//! HTTP and gRPC monitors: the request and what is expected of the response; for gRPC that is a question to
//! `grpc.health.v1`. What is expected of a body is in `body`. Must not know when they run.

use std::path::PathBuf;

use rustls::pki_types::ServerName;
use toml::Spanned;

use super::{
    body,
    tls::{TlsKeys, policy},
};
use crate::{
    config::{
        check::value::{port, text, whole, word},
        diagnostics::{Notes, join},
        dns_name,
        spec::{GrpcSpec, HttpSpec, NumberOr},
    },
    probing::check::{GrpcCheck, HttpCheck, HttpVersion},
};

const PATH: &str = "/health";
const MAX_REDIRECTS: i64 = 10;
/// Headers that are not the operator's to set: the first has its own key, the others belong to the connection.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// `http`: a request in clear text.
pub(super) fn http(written: &Spanned<HttpSpec>, monitor: &str, notes: &mut Notes<'_>) -> HttpCheck {
    request(written, ["monitors", monitor, "http"], 80, notes)
}

/// `https`: the same over TLS. The name that is asked for there is the one in `host`, unless `sni` says otherwise.
pub(super) fn https(
    written: &Spanned<HttpSpec>,
    monitor: &str,
    files: &mut Vec<PathBuf>,
    notes: &mut Notes<'_>,
) -> HttpCheck {
    let path = ["monitors", monitor, "https"];
    let mut check = request(written, path, 443, notes);
    let spec = written.get_ref();
    let keys = TlsKeys {
        sni: spec.sni.as_ref(),
        verify: spec.verify.as_ref(),
        ca_file: spec.ca_file.as_ref(),
        expiry: spec.expiry.as_ref(),
    };
    let mut tls = policy(&keys, &path, files, notes);
    if tls.sni.is_none() {
        tls.sni = check.host.as_deref().and_then(hostname).map(Into::into);
    }
    if let (HttpVersion::Two, Some(host), Some(sni)) = (check.version, &check.host, &tls.sni)
        && is_name(host)
        && !host.eq_ignore_ascii_case(sni)
        && let Some(written) = &spec.host
    {
        let message = format!("`{}.host` and `{}.sni` differ", join(&path), join(&path));
        let fault = notes.error(written.span(), message, "HTTP/2 asks for one name, in TLS and in the request");
        notes.push(fault.remedy("leave out one of them, or use version \"1.1\""));
    }
    check.tls = Some(tls);
    check
}

/// The name in a Host header, where it is no address.
fn hostname(host: &str) -> Option<&str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    is_name(name).then_some(name)
}

fn is_name(text: &str) -> bool {
    matches!(ServerName::try_from(text), Ok(ServerName::DnsName(_))) && !text.ends_with('.')
}

fn request(written: &Spanned<HttpSpec>, table: [&str; 3], usual: u16, notes: &mut Notes<'_>) -> HttpCheck {
    let spec = written.get_ref();
    let path = join(&table);
    let at = |key: &str| format!("{path}.{key}");
    const METHODS: [(&str, &str); 4] = [("GET", "GET"), ("HEAD", "HEAD"), ("OPTIONS", "OPTIONS"), ("POST", "POST")];
    const VERSIONS: [(&str, HttpVersion); 2] = [("1.1", HttpVersion::One), ("2", HttpVersion::Two)];
    let method = spec.method.as_ref().and_then(|method| word(text(method), &at("method"), &METHODS, &[], notes));
    let method = method.unwrap_or("GET");
    let version = spec.version.as_ref().and_then(|version| word(text(version), &at("version"), &VERSIONS, &[], notes));
    let version = version.unwrap_or(HttpVersion::One);
    let host = host(spec, &at("host"), notes);
    if let (HttpVersion::Two, Some(written)) = (version, &spec.host)
        && !is_name(written.get_ref())
    {
        let message = format!("`{}` cannot be asked for over HTTP/2", at("host"));
        let fault = notes.error(written.span(), message, "a name without a port");
        notes.push(fault.remedy("leave out the port, leave out the address, or use version \"1.1\""));
    }
    let (body, body_max) = body::body(spec, &table, method, notes);
    HttpCheck {
        port: port(spec.port.as_ref(), written.span(), &table, Some(usual), notes),
        tls: None,
        version,
        method: method.into(),
        path: target(spec, &at("path"), notes).into(),
        host,
        headers: headers(&spec.headers, &at("headers"), "the prober", notes),
        status: status(written, &at("status"), notes),
        body,
        body_max,
        redirects: whole(spec.redirects.as_ref(), &at("redirects"), 0, 0..=MAX_REDIRECTS, notes) as u8,
    }
}

fn target(spec: &HttpSpec, at: &str, notes: &mut Notes<'_>) -> String {
    let Some(path) = &spec.path else { return PATH.into() };
    let text = path.get_ref();
    let sendable = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#');
    if !text.starts_with('/') || !sendable(text) {
        let label = "a slash first, then visible ASCII characters without `#`";
        let fault = notes.error(path.span(), format!("`{at}` is not a path"), label);
        let remedy = match &text.0 {
            text if text.is_empty() => "leave it out for \"/health\"".to_owned(),
            text if text.contains("://") => "leave out scheme and host".to_owned(),
            text if sendable(text) => format!("write \"/{text}\""),
            _ => "escape other characters with %".to_owned(),
        };
        notes.push(fault.remedy(remedy));
    }
    text.0.clone()
}

fn host(spec: &HttpSpec, at: &str, notes: &mut Notes<'_>) -> Option<Box<str>> {
    let written = spec.host.as_ref()?;
    let text = written.get_ref();
    let good = !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet));
    if !good {
        let label = "a name or an address, with a port when it is not the usual";
        let fault = notes.error(written.span(), format!("`{at}` is not a host"), label);
        notes.push(match dns_name::in_ascii(text).filter(|_| !text.is_ascii()) {
            Some(ascii) => fault.remedy(format!("write \"{ascii}\": names outside ASCII are asked for so")),
            None => fault.remedy("leave out scheme and path"),
        });
    }
    Some(text.0.as_str().into())
}

pub(crate) fn headers(
    written: &std::collections::BTreeMap<Spanned<String>, Spanned<crate::config::spec::Text>>,
    at: &str,
    who: &str,
    notes: &mut Notes<'_>,
) -> Vec<(Box<str>, Box<str>)> {
    let mut found: Vec<(Box<str>, Box<str>)> = Vec::new();
    for (key, content) in written {
        let name = key.get_ref().to_ascii_lowercase();
        // RFC 9110 5.6.2: a token.
        let token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
        let fault = if name.is_empty() || !name.bytes().all(token) {
            Some(notes.error(key.span(), format!("`{at}` has {name:?}"), "not a header's name (RFC 9110 5.6.2)"))
        } else if OWN_HEADERS.contains(&name.as_str()) {
            let remedy = if name == "host" { "use `host`" } else { "take it out" };
            Some(notes.error(key.span(), format!("`{at}` sets {name}"), format!("{who} sets it itself")).remedy(remedy))
        } else if found.iter().any(|(known, _)| **known == *name) {
            Some(notes.error(key.span(), format!("`{at}` has {name} twice"), "case does not tell headers apart"))
        } else if !content.get_ref().bytes().all(|octet| matches!(octet, b'\t' | b' '..=b'~')) {
            Some(notes.error(
                content.span(),
                format!("`{at}.{name}` cannot be sent"),
                "printable ASCII characters only",
            ))
        } else {
            found.push((name.into(), content.get_ref().0.as_str().into()));
            None
        };
        if let Some(fault) = fault {
            notes.push(fault);
        }
    }
    found.sort();
    found
}

fn status(written: &Spanned<HttpSpec>, at: &str, notes: &mut Notes<'_>) -> Vec<(u16, u16)> {
    const USUAL: (u16, u16) = (200, 299);
    let Some(items) = &written.get_ref().status else { return vec![USUAL] };
    let mut found = Vec::new();
    for item in items {
        let code = |text: &str| text.parse::<u16>().ok().filter(|code| text.len() == 3 && (100..=599).contains(code));
        let range = match item.get_ref() {
            NumberOr::Number(number) => code(&number.to_string()).map(|code| (code, code)),
            NumberOr::Word(text) => match text.split_once('-') {
                Some((from, to)) => code(from).zip(code(to)).filter(|(from, to)| from <= to),
                None => code(text).map(|code| (code, code)),
            },
        };
        match range {
            Some(range) => found.push(range),
            None => {
                let fault = notes
                    .error(
                        item.span(),
                        format!("`{at}` has no such status"),
                        "codes from 100 to 599, the smaller first",
                    )
                    .remedy("write \"200-299\" or 204");
                notes.push(fault);
            }
        }
    }
    if items.is_empty() && notes.is_whole_at(at) {
        let fault = notes.error(written.span(), format!("`{at}` is empty"), "no answer would be good");
        notes.push(fault.remedy("leave it out for 200-299"));
    }
    found
}

/// `grpc`: in clear text unless `tls = true`.
pub(super) fn grpc(
    written: &Spanned<GrpcSpec>,
    monitor: &str,
    files: &mut Vec<PathBuf>,
    notes: &mut Notes<'_>,
) -> GrpcCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "grpc"];
    let keys = TlsKeys {
        sni: spec.sni.as_ref(),
        verify: spec.verify.as_ref(),
        ca_file: spec.ca_file.as_ref(),
        expiry: spec.expiry.as_ref(),
    };
    let over_tls = spec.tls.as_ref().is_some_and(|tls| *tls.get_ref());
    if !over_tls && let Some((key, span)) = keys.first() {
        let message = format!("`{}` has no effect", join(&[path[0], path[1], path[2], key]));
        let fault = notes.error(span, message, "this monitor speaks in clear text");
        notes.push(fault.remedy("add `tls = true`, or take it out"));
    }
    if let Some(service) = &spec.service
        && !service.get_ref().bytes().all(|octet| octet.is_ascii_graphic())
    {
        let message = format!("`{}` is not a service's name", join(&[path[0], path[1], path[2], "service"]));
        let fault = notes.error(service.span(), message, "visible ASCII characters");
        notes.push(fault.remedy("write it as \"package.Service\", or \"\" for the server as a whole"));
    }
    GrpcCheck {
        port: port(spec.port.as_ref(), written.span(), &path, None, notes),
        service: spec.service.as_ref().map_or("", |service| service.get_ref()).into(),
        tls: over_tls.then(|| policy(&keys, &path, files, notes)),
    }
}
