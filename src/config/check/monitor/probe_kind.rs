//! Which kind a monitor is: exactly one.

use std::{ops::Range, path::PathBuf};

use toml::Spanned;

use super::{composite, http, plain, tls};
use crate::{
    config::{
        check::symbols::Names,
        diagnostics::{Notes, join},
        spec::{
            AtLeastSpec, DnsSpec, ExecSpec, FileSpec, GrpcSpec, HttpSpec, List, MonitorSpec, TcpCheckSpec, TlsCheckSpec,
        },
    },
    probing::{check::Check, monitor::Watch},
};

/// What the checks of monitors need beside what is written in them.
#[derive(Debug)]
pub(crate) struct ProbeContext<'a, 's> {
    /// The monitors, since they may be made of each other.
    pub(crate) names: &'a mut Names<'s>,
    /// Every file that is read.
    pub(crate) files: &'a mut Vec<PathBuf>,
}

/// A kind as it is written.
enum Kind<'s> {
    Http(&'s Spanned<HttpSpec>),
    Https(&'s Spanned<HttpSpec>),
    Tcp(&'s Spanned<TcpCheckSpec>),
    Tls(&'s Spanned<TlsCheckSpec>),
    Grpc(&'s Spanned<GrpcSpec>),
    Dns(&'s Spanned<DnsSpec>),
    Icmp(Range<usize>),
    Exec(&'s Spanned<ExecSpec>),
    File(&'s Spanned<FileSpec>),
    Any(&'s Spanned<List>),
    All(&'s Spanned<List>),
    AtLeast(&'s Spanned<AtLeastSpec>),
}

/// What a monitor looks at. With a fault it is something that is never asked, since nothing is compiled then.
pub(super) fn watch(
    key: &Spanned<String>,
    spec: &MonitorSpec,
    around: &mut ProbeContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Watch {
    let what = key.get_ref();
    let mut kinds = written(spec);
    let mut kinds = kinds.drain(..);
    let fault = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => {
            if matches!(kind, Kind::Any(_) | Kind::All(_) | Kind::AtLeast(_)) {
                composite::idle_keys(spec, &join(&["monitors", what]), notes);
            }
            return only(&kind, what, around, notes);
        }
        (Some(one), Some(other)) => {
            let count = if kinds.len() == 0 { "two".to_owned() } else { (kinds.len() + 2).to_string() };
            notes
                .error(key.span(), format!("monitor \"{what}\" has {count} kinds"), "one kind each")
                .also(notes.place(one.place()), "one")
                .also(notes.place(other.place()), "another")
                .remedy("make a monitor of each, and one with `all` or `any` of them if they belong together")
        }
        (None, _) if notes.is_whole(&["monitors", what]) => {
            notes.error(key.span(), format!("monitor \"{what}\" has no kind"), "it does not say what to probe").remedy(
                "add `http = { port = 80, path = \"/health\" }` or another of http, https, tcp, tls, grpc, dns, icmp, \
                 exec, file, any, all and at_least",
            )
        }
        (None, _) => return Watch::Probe(Check::tcp(0)),
    };
    notes.push(fault);
    Watch::Probe(Check::tcp(0))
}

fn only(kind: &Kind<'_>, monitor: &str, around: &mut ProbeContext<'_, '_>, notes: &mut Notes<'_>) -> Watch {
    Watch::Probe(match kind {
        Kind::Http(spec) => Check::Http(http::http(spec, monitor, notes)),
        Kind::Https(spec) => Check::Http(http::https(spec, monitor, around.files, notes)),
        Kind::Tcp(spec) => Check::Tcp(plain::tcp(spec, monitor, notes)),
        Kind::Tls(spec) => Check::Tls(tls::tls(spec, monitor, around.files, notes)),
        Kind::Grpc(spec) => Check::Grpc(http::grpc(spec, monitor, around.files, notes)),
        Kind::Dns(spec) => Check::Dns(plain::dns(spec, monitor, notes)),
        Kind::Icmp(_) => Check::Icmp,
        Kind::Exec(spec) => Check::Exec(plain::exec(spec, monitor, notes)),
        Kind::File(spec) => Check::File(plain::file(spec, monitor, notes)),
        Kind::Any(of) => return composite::any(of, monitor, around.names, notes),
        Kind::All(of) => return composite::all(of, monitor, around.names, notes),
        Kind::AtLeast(spec) => return composite::at_least(spec, monitor, around.names, notes),
    })
}

fn written(spec: &MonitorSpec) -> Vec<Kind<'_>> {
    let kinds = [
        spec.http.as_ref().map(Kind::Http),
        spec.https.as_ref().map(Kind::Https),
        spec.tcp.as_ref().map(Kind::Tcp),
        spec.tls.as_ref().map(Kind::Tls),
        spec.grpc.as_ref().map(Kind::Grpc),
        spec.dns.as_ref().map(Kind::Dns),
        spec.icmp.as_ref().map(|icmp| Kind::Icmp(icmp.span())),
        spec.exec.as_ref().map(Kind::Exec),
        spec.file.as_ref().map(Kind::File),
        spec.any.as_ref().map(Kind::Any),
        spec.all.as_ref().map(Kind::All),
        spec.at_least.as_ref().map(Kind::AtLeast),
    ];
    kinds.into_iter().flatten().collect()
}

impl Kind<'_> {
    fn place(&self) -> Range<usize> {
        match self {
            Self::Http(spec) | Self::Https(spec) => spec.span(),
            Self::Tcp(spec) => spec.span(),
            Self::Tls(spec) => spec.span(),
            Self::Grpc(spec) => spec.span(),
            Self::Dns(spec) => spec.span(),
            Self::Icmp(span) => span.clone(),
            Self::Exec(spec) => spec.span(),
            Self::File(spec) => spec.span(),
            Self::Any(of) | Self::All(of) => of.span(),
            Self::AtLeast(spec) => spec.span(),
        }
    }
}
