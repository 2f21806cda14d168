//! A target's check, made ready once: what is compiled, built or looked up stays with the target's task, and a probe
//! only asks.

use super::{dns::Dns, exec::Exec, file::File, http, icmp::Icmp, probe::Fine, tcp::Tcp, tools::Tools};
use crate::engine::health::{
    check::{Check, HttpCheck},
    monitor::{Outcome, ProbeKey},
};
use std::net::IpAddr;

/// What a task asks its target with.
#[derive(Debug)]
pub(super) enum Prepared {
    Tcp(Tcp),
    Http(HttpCheck, IpAddr),
    Dns(Dns),
    Icmp(Icmp),
    Exec(Exec),
    File(File),
    /// Nothing can be asked; why.
    Unfit(Box<str>),
}

impl Prepared {
    /// Makes ready what `key` asks; `chance` is the task's own.
    pub(super) fn of(key: &ProbeKey, chance: fastrand::Rng) -> Self {
        let (address, source) = (key.address, key.source);
        let made = match &key.check {
            Check::Tcp(check) => Tcp::of(check, address, source).map(Self::Tcp),
            Check::Http(check) => Ok(Self::Http(check.clone(), address)),
            Check::Dns(check) => Dns::of(check, address, source, chance).map(Self::Dns),
            Check::Icmp => Ok(Self::Icmp(Icmp::of(address, source, chance))),
            Check::Exec(check) => Ok(Self::Exec(Exec::of(check, address))),
            Check::File(check) => Ok(Self::File(File::of(check, address))),
            // The other kinds are refused in the configuration until they come.
            _ => Err("this kind is not there yet".into()),
        };
        made.unwrap_or_else(Self::Unfit)
    }

    /// Asks once, for as long as it takes; an error is what to report.
    pub(super) async fn ask(&mut self, tools: &Tools) -> Result<Fine, Outcome> {
        match self {
            Self::Tcp(tcp) => tcp.ask().await,
            Self::Http(check, address) => http::ask(&tools.client, check, *address).await.map(|()| Fine::default()),
            Self::Dns(dns) => dns.ask().await,
            Self::Icmp(icmp) => icmp.ask(&tools.pings).await,
            Self::File(file) => file.ask(&tools.files).await,
            Self::Exec(_) => Err(Outcome::Unasked("a command keeps its own time".into())),
            Self::Unfit(why) => Err(Outcome::Unasked(why.clone())),
        }
    }
}
