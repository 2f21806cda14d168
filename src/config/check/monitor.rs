//! `[monitors]`: when and what is probed.

use toml::Spanned;

use super::value::{millis, name, size, text, whole, word};
use crate::{
    config::{
        notes::{Notes, join},
        spec::{HttpSpec, MonitorSpec, Named, NumberOr, Whole},
    },
    engine::health::{
        check::{Body, Check, HttpCheck, HttpVersion},
        monitor::{Calm, Monitor, Rhythm, Watch},
    },
};

const INTERVAL: u64 = 1000;
const TIMEOUT: u64 = 800;
const LEAST_RECHECK: u64 = 50;
const PATH: &str = "/health";
const BODY_MAX: u64 = 64 << 10;
/// Headers that are not the operator's to set: the first has its own key, the others belong to the connection.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// `[monitors]`, in name order.
pub(crate) fn monitors(spec: &Named<MonitorSpec>, notes: &mut Notes<'_>) -> Vec<Monitor> {
    spec.iter()
        .map(|(key, monitor)| {
            name("monitor", key, notes);
            let path = join(&["monitors", key.get_ref()]);
            let rhythm = rhythm(monitor, &path, notes);
            Monitor {
                name: key.get_ref().as_str().into(),
                watch: Watch::Probe(kind(key, monitor, &path, notes)),
                rhythm,
                calm: Calm::usual(rhythm.interval),
                source: None,
            }
        })
        .collect()
}

fn rhythm(spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Rhythm {
    let at = |key: &str| format!("{path}.{key}");
    let interval = millis(spec.interval.as_ref(), &at("interval"), INTERVAL, 100..=3_600_000, notes);
    // The usual timeout, or the same part of an interval that is shorter than the usual one.
    let timeout = TIMEOUT.min(interval * 4 / 5);
    let timeout = millis(spec.timeout.as_ref(), &at("timeout"), timeout, 10..=3_600_000, notes);
    let recheck = LEAST_RECHECK.max(interval / 5);
    let recheck = millis(spec.recheck.as_ref(), &at("recheck"), recheck, LEAST_RECHECK..=3_600_000, notes);
    for (key, written, value) in [("timeout", &spec.timeout, timeout), ("recheck", &spec.recheck, recheck)] {
        if let Some(written) = written
            && value > interval
        {
            let fault = notes.error(
                written.span(),
                format!("`{}` is longer than the interval", at(key)),
                format!("the interval is {interval} ms"),
            );
            let fault = match &spec.interval {
                Some(interval) => fault.also(notes.place(interval.span()), "the interval"),
                None => fault,
            };
            notes.push(fault.remedy(format!("shorten it, or lengthen `{}`", at("interval"))));
        }
    }
    Rhythm {
        interval,
        timeout,
        recheck,
        fall: whole(spec.fall.as_ref(), &at("fall"), 3, 1..=100, notes) as u32,
        rise: whole(spec.rise.as_ref(), &at("rise"), 2, 1..=100, notes) as u32,
    }
}

fn kind(key: &Spanned<String>, spec: &MonitorSpec, path: &str, notes: &mut Notes<'_>) -> Check {
    let what = key.get_ref();
    let fault = match (&spec.http, &spec.tcp) {
        (Some(http), None) => return Check::Http(self::http(http, what, path, notes)),
        (None, Some(tcp)) => {
            let port = port(tcp.get_ref().port.as_ref(), tcp.span(), &["monitors", what, "tcp"], None, notes);
            return Check::tcp(port);
        }
        (Some(http), Some(tcp)) => Some(
            notes
                .error(key.span(), format!("monitor \"{what}\" has two kinds"), "one kind each")
                .also(notes.place(http.span()), "one")
                .also(notes.place(tcp.span()), "another")
                .remedy("make two monitors of it"),
        ),
        (None, None) if notes.is_whole(&["monitors", what]) => Some(
            notes
                .error(key.span(), format!("monitor \"{what}\" has no kind"), "it does not say what to probe")
                .remedy("add `http = { port = 80, path = \"/health\" }` or `tcp = { port = 443 }`"),
        ),
        (None, None) => None,
    };
    if let Some(fault) = fault {
        notes.push(fault);
    }
    Check::tcp(0)
}

fn port(
    written: Option<&Spanned<Whole>>,
    table: std::ops::Range<usize>,
    path: &[&str],
    default: Option<u16>,
    notes: &mut Notes<'_>,
) -> u16 {
    if written.is_none() && default.is_none() && notes.is_whole(path) {
        let fault = notes.error(table, format!("`{}` has no port", join(path)), "`port` is missing");
        notes.push(fault.remedy("add `port = 443`, or whichever it is"));
    }
    whole(written, &format!("{}.port", join(path)), default.unwrap_or(0).into(), 1..=65_535, notes) as u16
}

fn http(written: &Spanned<HttpSpec>, monitor: &str, path: &str, notes: &mut Notes<'_>) -> HttpCheck {
    let spec = written.get_ref();
    let at = |key: &str| format!("{path}.http.{key}");
    const METHODS: [(&str, &str); 4] = [("GET", "GET"), ("HEAD", "HEAD"), ("OPTIONS", "OPTIONS"), ("POST", "POST")];
    let method = spec.method.as_ref().and_then(|method| word(text(method), &at("method"), &METHODS, &[], notes));
    let method = method.unwrap_or("GET");
    if let Some(version) = &spec.version {
        word(text(version), &at("version"), &[("1.1", ())], &[], notes);
    }
    let body = spec.body.as_ref().and_then(|body| {
        let max = size(body.get_ref().max.as_ref(), &at("body.max"), BODY_MAX, 1..=1 << 20, notes);
        if method == "HEAD" {
            let fault =
                notes.error(body.span(), format!("`{}` cannot be met", at("body")), "an answer to HEAD has no body");
            notes.push(fault.remedy("take out the body or use GET"));
        }
        let Some(contains) = &body.get_ref().contains else {
            if notes.is_whole(&["monitors", monitor, "http", "body"]) {
                let fault =
                    notes.error(body.span(), format!("`{}` expects nothing", at("body")), "`contains` is missing");
                notes.push(fault);
            }
            return None;
        };
        let wanted = contains.get_ref();
        if wanted.is_empty() || wanted.len() as u64 > max {
            let label = format!("from 1 to {max} octets, since no more are read");
            let fault = notes.error(contains.span(), format!("`{}` cannot be met", at("body.contains")), label);
            notes.push(fault);
        }
        Some((Body::Contains(wanted.0.as_str().into()), max as u32))
    });
    let body_max = body.as_ref().map_or(BODY_MAX as u32, |(_, max)| *max);
    HttpCheck {
        port: port(spec.port.as_ref(), written.span(), &["monitors", monitor, "http"], Some(80), notes),
        tls: None,
        version: HttpVersion::One,
        method: method.into(),
        path: target(spec, &at("path"), notes).into(),
        host: host(spec, &at("host"), notes),
        headers: headers(spec, &at("headers"), notes),
        status: status(written, &at("status"), notes),
        body: body.map(|(body, _)| body).into_iter().collect(),
        body_max,
        redirects: 0,
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
        let fault = notes
            .error(
                written.span(),
                format!("`{at}` is not a host"),
                "a name or an address, with a port when it is not the usual",
            )
            .remedy("leave out scheme and path");
        notes.push(fault);
    }
    Some(text.0.as_str().into())
}

fn headers(spec: &HttpSpec, at: &str, notes: &mut Notes<'_>) -> Vec<(Box<str>, Box<str>)> {
    let mut found: Vec<(Box<str>, Box<str>)> = Vec::new();
    for (key, content) in &spec.headers {
        let name = key.get_ref().to_ascii_lowercase();
        // RFC 9110 5.6.2: a token.
        let token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
        let fault = if name.is_empty() || !name.bytes().all(token) {
            Some(notes.error(key.span(), format!("`{at}` has {name:?}"), "not a header's name (RFC 9110 5.6.2)"))
        } else if OWN_HEADERS.contains(&name.as_str()) {
            let remedy = if name == "host" { "use `host`" } else { "take it out" };
            Some(notes.error(key.span(), format!("`{at}` sets {name}"), "the prober sets it itself").remedy(remedy))
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
