//! A target's check, made ready once: what is compiled, built or looked up stays with the target's task, and a probe
//! only asks.

use super::{
    dns::Dns, exec::Exec, file::File, grpc::Grpc, handshake::Handshake, http::Http, icmp::Icmp, tcp::Tcp, tools::Tools,
    words::Fine,
};
use crate::{
    engine::health::outcome::Outcome,
    probing::{check::Check, monitor::ProbeKey},
};

/// What a task asks its target with.
#[derive(Debug)]
pub(super) enum Prepared {
    Tcp(Tcp),
    Tls(Box<Handshake>),
    Http(Box<Http>),
    Grpc(Box<Grpc>),
    Dns(Dns),
    Icmp(Icmp),
    Exec(Exec),
    File(File),
    /// Nothing can be asked; why.
    Unfit(Box<str>),
}

impl Prepared {
    /// Makes ready what `key` asks; `chance` is the task's own.
    pub(super) fn of(key: &ProbeKey, chance: fastrand::Rng, tools: &Tools) -> Self {
        let (address, source) = (key.address, key.source);
        let made = match &key.check {
            Check::Tcp(check) => Tcp::of(check, address, source).map(Self::Tcp),
            Check::Tls(check) => {
                Handshake::of(check, address, source, &tools.clients).map(|tls| Self::Tls(Box::new(tls)))
            }
            Check::Http(check) => Http::of(check, address, source, tools).map(|http| Self::Http(Box::new(http))),
            Check::Grpc(check) => {
                Grpc::of(check, address, source, &tools.clients).map(|grpc| Self::Grpc(Box::new(grpc)))
            }
            Check::Dns(check) => Dns::of(check, address, source, chance).map(Self::Dns),
            Check::Icmp => Ok(Self::Icmp(Icmp::of(address, source, chance))),
            Check::Exec(check) => Ok(Self::Exec(Exec::of(check, address))),
            Check::File(check) => Ok(Self::File(File::of(check, address))),
        };
        made.unwrap_or_else(Self::Unfit)
    }

    /// Asks once, for as long as it takes; an error is what to report.
    pub(super) async fn ask(&mut self, tools: &Tools) -> Result<Fine, Outcome> {
        match self {
            Self::Tcp(tcp) => tcp.ask().await,
            Self::Tls(tls) => tls.ask().await,
            Self::Http(http) => http.ask().await,
            Self::Grpc(grpc) => grpc.ask().await,
            Self::Dns(dns) => dns.ask().await,
            Self::Icmp(icmp) => icmp.ask().await,
            Self::File(file) => file.ask(&tools.files).await,
            Self::Exec(_) => Err(Outcome::Unasked("a command keeps its own time".into())),
            Self::Unfit(why) => Err(Outcome::Unasked(why.clone())),
        }
    }
}
