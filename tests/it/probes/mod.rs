//! Probes of real servers, each on a port of its own of loopback.

pub mod certificates;
mod configured;
mod grpc;
mod hostile;
mod http;
mod lenient;
pub mod openssl;
pub mod servers;
mod source;
mod tls;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use meridian::{
    clock::Clock,
    engine::{
        health::fold::Outcome,
        world::{Draft, Target, World},
    },
    monitor::{Plan, Prober},
    node::input::Input,
    probing::{
        check::{Check, HttpCheck, HttpVersion, Tls},
        millis::Millis,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};
use tokio::sync::mpsc;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Long enough for any server that answers at all.
const PATIENCE: u64 = 20_000;

/// What the first probe of a check finds.
async fn ask_within(check: Check, timeout: u64) -> Outcome {
    ask_from(None, check, timeout).await
}

/// The same, from one of this node's addresses.
async fn ask_from(source: Option<IpAddr>, check: Check, timeout: u64) -> Outcome {
    let rhythm =
        Rhythm { interval: Millis(PATIENCE), timeout: Millis(timeout), recheck: Millis(PATIENCE), fall: 1, rise: 1 };
    let watch = Watch::Probe(check.clone());
    let monitors = vec![Monitor { name: "lb".into(), watch, rhythm, calm: Calm::NONE, source: None }];
    let targets = vec![Target::probed(MonitorId(0), Arc::new(ProbeKey { check, address: LOOPBACK, source }))];
    let (events, mut inbox) = mpsc::channel(1);
    let mut prober = Prober::new(events, Clock::new(), fastrand::Rng::with_seed(7), 1, Arc::default());
    prober.set(&Plan::of(&World::seal(Draft { monitors, targets, ..Draft::default() })));
    match inbox.recv().await {
        Some(Input::Outcome { outcome, .. }) => outcome,
        other => panic!("{other:?}"),
    }
}

async fn ask(check: impl Into<Check>) -> Outcome {
    ask_within(check.into(), PATIENCE).await
}

fn bad(text: &str) -> Outcome {
    Outcome::Bad(text.into())
}

/// What is noted of a good outcome.
fn noted(outcome: Outcome) -> Option<Box<str>> {
    match outcome {
        Outcome::Good { note, .. } => note,
        other => panic!("{other}"),
    }
}

/// A request for `/health` in clear text.
fn clear(port: u16) -> HttpCheck {
    HttpCheck {
        port,
        tls: None,
        version: HttpVersion::One,
        method: "GET".into(),
        path: "/health".into(),
        host: None,
        headers: Vec::new(),
        status: vec![(200, 299)],
        body: Vec::new(),
        body_max: 65_536,
        redirects: 0,
    }
}

/// TLS that trusts what `trust` signs, and asks for a name.
fn policy(trust: &certificates::Authority, name: &str) -> Tls {
    Tls { sni: Some(name.into()), verify: true, trust: Some(trust.trust()), warn: 14 * 86_400, fail: 0 }
}
