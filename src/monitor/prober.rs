//! A target's check, made ready once: what is compiled, built or looked up stays with the target's task, and a probe
//! only asks, within its time. A check by a command of the operator's, which keeps its own time, is here too: exit code 0
//! is good.

use std::{net::IpAddr, time::Duration};

use tokio::time;

use super::{
    context::Tools,
    dns::Dns,
    error_text::{Fine, Unfit, moment},
    file::File,
    grpc::Grpc,
    http::Http,
    icmp::Icmp,
    tcp::Tcp,
    tls::Handshake,
};
use crate::{
    clock::duration,
    command::{Command, End, Ended},
    engine::health::fold::Outcome,
    probing::{
        check::{Check, ExecCheck},
        millis::Millis,
        monitor::ProbeKey,
    },
};

/// A timer that is so late, and as late as it is long, says that this node is too busy to judge others.
const BUSY: Millis = Millis(200);

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
    Unfit(Unfit),
}

impl Prepared {
    /// Makes ready what `key` asks; `chance` is the task's own.
    pub(super) fn of(key: &ProbeKey, chance: fastrand::Rng, tools: &Tools) -> Self {
        let (address, source) = (key.address, key.source);
        let made = match &key.check {
            Check::Tcp(check) => Tcp::of(check, address, source).map(Self::Tcp),
            Check::Tls(check) => {
                Handshake::of(check, address, source, &tools.configs).map(|tls| Self::Tls(Box::new(tls)))
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
            Self::Unfit(why) => Err(Outcome::Unasked(why.to_string().into())),
        }
    }
}

/// Asks once; `timeout` covers everything from the first packet to the last octet that matters.
pub(super) async fn run(tools: &Tools, prepared: &mut Prepared, timeout: Millis) -> Outcome {
    // It may have to wait for its turn, which is not held against the target.
    if let Prepared::Exec(exec) = prepared {
        return exec.run(timeout).await;
    }
    let began = moment();
    match time::timeout(duration(timeout), prepared.ask(tools)).await {
        Ok(Ok(Fine { connect, note, ends })) => {
            Outcome::Good { took: began.elapsed().as_micros() as u64, connect, note, ends }
        }
        Ok(Err(outcome)) => outcome,
        // The moment to give up has long passed: an answer may have come that this node had no time to read.
        Err(_) if began.elapsed() > duration(timeout.times(2).max(timeout.plus(BUSY))) => {
            Outcome::Unasked("it was too busy to read an answer in time".into())
        }
        // A file that cannot be read says nothing of the targets in it.
        Err(_) if matches!(prepared, Prepared::File(_)) => {
            Outcome::Unasked(format!("the file could not be read within {} ms", timeout.0).into())
        }
        Err(_) => Outcome::Bad(format!("no answer within {} ms", timeout.0).into()),
    }
}

/// A target of `exec`.
#[derive(Debug)]
pub(super) struct Exec(Command);

impl Exec {
    pub(super) fn of(check: &ExecCheck, address: IpAddr) -> Self {
        let address = address.to_string();
        let words = check.command.iter().map(|word| word.replace("{address}", &address)).collect();
        Self(Command::new(words, Duration::ZERO))
    }

    /// Runs it; its time begins when it is its turn.
    pub(super) async fn run(&mut self, timeout: Millis) -> Outcome {
        self.0.timeout = duration(timeout);
        match self.0.run().await {
            Ok(ended) => judge(&ended, timeout),
            Err(why) => Outcome::Unasked(why.to_string().into()),
        }
    }
}

fn judge(ended: &Ended, timeout: Millis) -> Outcome {
    let how = match ended.end {
        End::Code(0) => return Outcome::good(ended.took.as_micros() as u64),
        End::Code(code) => format!("exit code {code}"),
        End::Signal(signal) => format!("ended by signal {signal}"),
        End::Killed => format!("killed after {} ms", timeout.0),
    };
    let said = ended.output.last_line().or_else(|| ended.errors.last_line());
    Outcome::Bad(said.map_or(how.clone(), |said| format!("{how}: {said}")).into())
}
