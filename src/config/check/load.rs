//! `[loads]`: where reports of load come from. Must not know whose they are.

use std::ops::Range;

use toml::Spanned;

use super::value::{items, millis, name, text, whole, word};
use crate::{
    config::{
        diagnostics::{Notes, join},
        quantity::show_millis,
        spec::{ExecSpec, HaproxySpec, JsonLoadSpec, LoadSpec, Named, NginxSpec, PrometheusSpec, Text, Whole},
    },
    engine::{
        signal::load::{Load, Of},
        types::Millis,
    },
    probing::pull::{HAPROXY_FIELDS, HaproxyField, NginxField, Page, Pull},
};

const INTERVAL: Millis = Millis::seconds(2);
const MAX_AGE: Millis = Millis::seconds(10);
const SMOOTH: Millis = Millis::seconds(10);
const HOUR: Millis = Millis::seconds(3600);

/// `[loads]`, in name order.
pub(crate) fn loads(spec: &Named<LoadSpec>, notes: &mut Notes<'_>) -> Vec<Load> {
    spec.iter().map(|(key, load)| one(key, load, notes)).collect()
}

fn one(key: &Spanned<String>, spec: &LoadSpec, notes: &mut Notes<'_>) -> Load {
    name("load", key, notes);
    let own = key.get_ref();
    let at = |field: &str| join(&["loads", own, field]);
    let interval = millis(spec.interval.as_ref(), &at("interval"), INTERVAL, Millis(500)..=HOUR, notes);
    let max_age = millis(spec.max_age.as_ref(), &at("max_age"), MAX_AGE, Millis(100)..=HOUR, notes);
    const OF: [(&str, Of); 2] = [("endpoint", Of::Endpoint), ("region", Of::Region)];
    let of = spec.of.as_ref().and_then(|of| word(text(of), &at("of"), &OF, &[], notes)).unwrap_or_default();
    let pull = kind(key, spec, notes);
    if let Some(push) = &spec.push {
        let message = format!("`{}` is coming: nothing can bring a report to the running server yet", at("push"));
        let label = "no load is ever reported, so weights alone decide, and the `demand` of regions where it is set";
        let remedy = "name what can be asked, such as `haproxy`, until the control plane is there; scenarios can report \
                      already";
        let fault = notes.warning(push.span(), message, label).remedy(remedy);
        notes.push(fault);
        let idle =
            [("interval", spec.interval.as_ref().map(Spanned::span)), ("of", spec.of.as_ref().map(Spanned::span))];
        for (field, span) in idle.into_iter().filter_map(|(field, span)| Some((field, span?))) {
            let message = format!("`{}` says nothing of what is pushed", at(field));
            let label = if field == "of" { "a report says itself whom it is about" } else { "nobody is asked" };
            let fault = notes.error(span, message, label).remedy("take it out");
            notes.push(fault);
        }
    } else if pull.is_some() && max_age < interval {
        let span = spec.max_age.as_ref().map(Spanned::span).or(spec.interval.as_ref().map(Spanned::span));
        let label = format!(
            "a report counts for {}, and the next one comes after {}",
            show_millis(max_age),
            show_millis(interval)
        );
        let message = format!("a report of load \"{own}\" is too old before the next one comes");
        let fault = notes.error(span.unwrap_or(key.span()), message, label);
        notes.push(fault.remedy(format!("lengthen `{}`: several intervals, so that one may be missed", at("max_age"))));
    }
    Load {
        name: own.as_str().into(),
        pull,
        interval,
        of,
        max_age,
        smooth: millis(spec.smooth.as_ref(), &at("smooth"), SMOOTH, Millis::ZERO..=HOUR, notes),
    }
}

/// What is asked; none where reports are pushed, or where it cannot be said.
fn kind(key: &Spanned<String>, spec: &LoadSpec, notes: &mut Notes<'_>) -> Option<Pull> {
    let own = key.get_ref();
    let kinds = [
        spec.push.as_ref().map(Spanned::span),
        spec.haproxy.as_ref().map(Spanned::span),
        spec.haproxy_agent.as_ref().map(Spanned::span),
        spec.nginx.as_ref().map(Spanned::span),
        spec.prometheus.as_ref().map(Spanned::span),
        spec.json.as_ref().map(Spanned::span),
        spec.exec.as_ref().map(Spanned::span),
    ];
    let mut written = kinds.into_iter().flatten();
    match (written.next(), written.next()) {
        (None, _) => {
            if notes.is_whole(&["loads", own]) {
                let message = format!("load \"{own}\" has no kind");
                let fault = notes.error(key.span(), message, "it does not say how the load is reported");
                let kinds = "haproxy, haproxy_agent, nginx, prometheus, json, exec or push";
                notes.push(
                    fault.remedy(format!("add {kinds}, such as `haproxy = {{ port = 8404, backend = \"web\" }}`")),
                );
            }
        }
        (Some(one), Some(other)) => {
            let (one, other) = if one.start < other.start { (one, other) } else { (other, one) };
            let fault = notes
                .error(key.span(), format!("load \"{own}\" has two kinds"), "one kind each")
                .also(notes.place(one), "one")
                .also(notes.place(other), "another")
                .remedy("make two loads of it");
            notes.push(fault);
        }
        (Some(_), None) => {}
    }
    if let Some(written) = &spec.haproxy {
        haproxy(&Table::new(own, "haproxy", written.span()), written.get_ref(), notes)
    } else if let Some(written) = &spec.haproxy_agent {
        let table = Table::new(own, "haproxy_agent", written.span());
        Some(Pull::Agent(table.port(written.get_ref().port.as_ref(), notes)))
    } else if let Some(written) = &spec.nginx {
        Some(nginx(&Table::new(own, "nginx", written.span()), written.get_ref(), notes))
    } else if let Some(written) = &spec.prometheus {
        prometheus(&Table::new(own, "prometheus", written.span()), written.get_ref(), notes)
    } else if let Some(written) = &spec.json {
        json(&Table::new(own, "json", written.span()), written.get_ref(), notes)
    } else {
        let written = spec.exec.as_ref()?;
        exec(&Table::new(own, "exec", written.span()), written.get_ref(), notes)
    }
}

/// The table of a kind.
struct Table<'a> {
    path: [&'a str; 3],
    span: Range<usize>,
}

impl<'a> Table<'a> {
    fn new(load: &'a str, kind: &'a str, span: Range<usize>) -> Self {
        Self { path: ["loads", load, kind], span }
    }

    fn at(&self, field: &str) -> String {
        let [loads, load, kind] = self.path;
        join(&[loads, load, kind, field])
    }

    /// Says that a key is missing.
    fn lacks(&self, field: &str, remedy: &str, notes: &mut Notes<'_>) {
        if notes.is_whole(&self.path) {
            let message = format!("`{}` has no {field}", join(&self.path));
            let fault = notes.error(self.span.clone(), message, format!("`{field}` is missing"));
            notes.push(fault.remedy(format!("add `{remedy}`")));
        }
    }

    fn port(&self, written: Option<&Spanned<Whole>>, notes: &mut Notes<'_>) -> u16 {
        if written.is_none() {
            self.lacks("port", "port = 8404", notes);
        }
        whole(written, &self.at("port"), 0, 1..=65_535, notes) as u16
    }

    /// Where a page is.
    fn page(
        &self,
        port: Option<&Spanned<Whole>>,
        path: Option<&Spanned<Text>>,
        usual: &str,
        notes: &mut Notes<'_>,
    ) -> Page {
        let port = self.port(port, notes);
        let Some(path) = path else { return Page { port, path: usual.into() } };
        let text = path.get_ref();
        let sendable = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#');
        if !text.starts_with('/') || !sendable(text) {
            let label = "a slash first, then visible ASCII characters without `#`";
            let fault = notes.error(path.span(), format!("`{}` is not a path", self.at("path")), label);
            let remedy = match &text.0 {
                text if text.is_empty() => format!("leave it out for {usual:?}"),
                text if text.contains("://") => "leave out scheme and host".to_owned(),
                text if sendable(text) => format!("write \"/{text}\""),
                _ => "escape other characters with %".to_owned(),
            };
            notes.push(fault.remedy(remedy));
        }
        Page { port, path: text.0.as_str().into() }
    }

    /// A text that says something.
    fn words(
        &self,
        field: &str,
        written: Option<&Spanned<Text>>,
        remedy: &str,
        notes: &mut Notes<'_>,
    ) -> Option<Box<str>> {
        let Some(written) = written else {
            self.lacks(field, remedy, notes);
            return None;
        };
        self.said(field, written, notes)
    }

    fn said(&self, field: &str, written: &Spanned<Text>, notes: &mut Notes<'_>) -> Option<Box<str>> {
        let text = &written.get_ref().0;
        if text.is_empty() || text.chars().any(char::is_control) {
            let label = "one character at least, and none that controls";
            let fault = notes.error(written.span(), format!("`{}` names nothing", self.at(field)), label);
            notes.push(fault);
            return None;
        }
        Some(text.as_str().into())
    }
}

fn haproxy(table: &Table<'_>, spec: &HaproxySpec, notes: &mut Notes<'_>) -> Option<Pull> {
    let page = table.page(spec.port.as_ref(), spec.path.as_ref(), "/stats;csv", notes);
    let fields = HAPROXY_FIELDS.map(|field| (field.name, field));
    let field =
        spec.field.as_ref().map(|field| word::<HaproxyField>(text(field), &table.at("field"), &fields, &[], notes));
    let server = spec.server.as_ref().map(|server| table.said("server", server, notes));
    let backend = table.words("backend", spec.backend.as_ref(), "backend = \"web\"", notes)?;
    let server = match server {
        Some(server) => Some(server?),
        None => None,
    };
    Some(Pull::Haproxy { page, backend, server, field: field.unwrap_or(Some(HAPROXY_FIELDS[0]))? })
}

fn nginx(table: &Table<'_>, spec: &NginxSpec, notes: &mut Notes<'_>) -> Pull {
    const FIELDS: [(&str, NginxField); 6] = [
        ("active", NginxField::Active),
        ("reading", NginxField::Reading),
        ("writing", NginxField::Writing),
        ("waiting", NginxField::Waiting),
        ("accepts", NginxField::Accepts),
        ("requests", NginxField::Requests),
    ];
    let page = table.page(spec.port.as_ref(), spec.path.as_ref(), "/basic_status", notes);
    let field = spec.field.as_ref().and_then(|field| word(text(field), &table.at("field"), &FIELDS, &[], notes));
    Pull::Nginx { page, field: field.unwrap_or(NginxField::Active) }
}

fn prometheus(table: &Table<'_>, spec: &PrometheusSpec, notes: &mut Notes<'_>) -> Option<Pull> {
    let page = table.page(spec.port.as_ref(), spec.path.as_ref(), "/metrics", notes);
    let mut labels = Vec::new();
    for (label, value) in &spec.labels {
        if is_name(label.get_ref(), false) {
            labels.push((label.get_ref().as_str().into(), value.get_ref().0.as_str().into()));
            continue;
        }
        let message = format!("`{}` has {:?}", table.at("labels"), label.get_ref());
        let fault = notes.error(label.span(), message, "not a label's name: letters, digits and `_`, no digit first");
        notes.push(fault);
    }
    labels.sort();
    let metric = |field: &str, written: &Spanned<Text>, notes: &mut Notes<'_>| {
        let good = is_name(written.get_ref(), true);
        if !good {
            let message = format!("`{}` is not a metric's name", table.at(field));
            let fault = notes.error(written.span(), message, "letters, digits, `_` and `:`, no digit first");
            notes.push(fault.remedy("labels stand in `labels`"));
        }
        good.then(|| Box::<str>::from(written.get_ref().0.as_str()))
    };
    if spec.metric.is_none() {
        table.lacks("metric", "metric = \"inflight\"", notes);
    }
    let per = spec.per.as_ref().map(|per| metric("per", per, notes));
    let number = spec.metric.as_ref().and_then(|written| metric("metric", written, notes))?;
    Some(Pull::Prometheus { page, metric: number, labels, per: per.unwrap_or_default() })
}

/// Whether a text is a metric's name, which may hold colons, or a label's.
fn is_name(text: &str, colons: bool) -> bool {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || colons && octet == b':';
    text.bytes().all(good) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn json(table: &Table<'_>, spec: &JsonLoadSpec, notes: &mut Notes<'_>) -> Option<Pull> {
    let page = table.page(spec.port.as_ref(), spec.path.as_ref(), "/load", notes);
    let Some(written) = &spec.pointer else {
        table.lacks("pointer", "pointer = \"/load\"", notes);
        return None;
    };
    let pointer = written.get_ref();
    let escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !(pointer.is_empty() || pointer.starts_with('/')) || !escaped {
        let label = "empty, or each part behind a slash, with `~0` for `~` and `~1` for `/` (RFC 6901)";
        let fault = notes.error(written.span(), format!("`{}` is no JSON pointer", table.at("pointer")), label);
        let fault = if escaped { fault.remedy(format!("write \"/{}\"", pointer.replace('.', "/"))) } else { fault };
        notes.push(fault);
    }
    Some(Pull::Json { page, pointer: pointer.0.as_str().into() })
}

fn exec(table: &Table<'_>, spec: &ExecSpec, notes: &mut Notes<'_>) -> Option<Pull> {
    let Some(written) = &spec.command else {
        table.lacks("command", "command = [\"/usr/local/bin/load\", \"{address}\"]", notes);
        return None;
    };
    let words: Vec<Box<str>> = items(Some(written)).into_iter().map(|word| word.into_inner().into()).collect();
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        let fault =
            notes.error(written.span(), format!("`{}` runs nothing", table.at("command")), "the program is missing");
        notes.push(fault.remedy("write [\"/usr/local/bin/load\", \"{address}\"]"));
        return None;
    }
    Some(Pull::Exec(words))
}
