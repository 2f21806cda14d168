//! `meridian explain`: one question, asked of the very code that serves, with every step of the decision written down.
//! Offline: endpoints are taken to be up, but for those named by `--down` and `--held`.

mod render;
mod unexplained;

use std::{
    io::{self, Write},
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
};

use clap::Args;

use self::unexplained::{NotHexadecimal, Unexplained};
use super::exit::{Exit, fail};
use crate::{
    config::{self, dns_name, report},
    engine::{
        types::{Chance, Prefix, Transport, UnixMillis},
        wire::rr::RrType,
        world::World,
    },
    explain::{self, Question},
    sim::{self, Supposition},
};

/// Say what a client is answered, and why, stage by stage.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The name that is asked for.
    name: String,
    /// The type that is asked for.
    #[arg(default_value = "A")]
    rtype: String,
    /// Who asks: an address sends the query itself; a prefix stands in the client subnet option.
    #[arg(long, value_name = "IP|PREFIX")]
    client: String,
    /// Who sends the query, when the client is a prefix. Default: the prefix's first address.
    #[arg(long, value_name = "IP")]
    resolver: Option<IpAddr>,
    /// What goes down, as POOL/ENDPOINT, ENDPOINT, REGION or one ADDRESS of an endpoint; may be repeated. All go at once, in
    /// this order, and the governor holds what it would hold.
    #[arg(long, value_name = "ENDPOINT")]
    down: Vec<String>,
    /// An endpoint that is found down and that the governor holds, with its whole region; may be repeated.
    #[arg(long, value_name = "ENDPOINT")]
    held: Vec<String>,
    /// Whatever the governor would hold has been let go: how it is once a hold is over.
    #[arg(long)]
    released: bool,
    /// The draw, in hexadecimal, instead of the one that time and client give.
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    draw: Option<u64>,
    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,
}

fn hexadecimal(text: &str) -> Result<u64, NotHexadecimal> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(NotHexadecimal)
}

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        let loaded = config::load(&self.config);
        let Some(config) = loaded.config else {
            err.write_all(report::text(&loaded.faults, &loaded.sources, false).as_bytes())?;
            return Ok(Exit::Failed);
        };
        let mut draft = config.draft;
        let keyed = config.secret.is_some() || self.draw.is_some();
        draft.secret = config.secret.unwrap_or_default();
        let world = Arc::new(World::seal(draft));
        let explained = question(self).and_then(|question| {
            let (down, held, released) = (self.down.clone(), self.held.clone(), self.released);
            let supposed =
                sim::suppose(&world, &Supposition { down, held, released }).map_err(Unexplained::Impossible)?;
            let mut explanation = explain::explain(&supposed.snapshot, &question).keyed(keyed);
            explanation.client.clone_from(&self.client);
            explanation.supposed =
                explain::Supposed { down: self.down.clone(), held: self.held.clone(), governor: supposed.governor };
            Ok(explanation)
        });
        let explanation = match explained {
            Ok(explanation) => explanation,
            Err(why) => return Ok(fail(err, &why.to_string())),
        };
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &explanation)?;
            writeln!(out)?;
        } else {
            render::write(&explanation, out)?;
        }
        Ok(Exit::Fine)
    }
}

fn question(args: &Explain) -> Result<Question, Unexplained> {
    let name = dns_name::read(&args.name).map_err(|why| Unexplained::Name { written: args.name.clone(), why })?;
    let rtype = RrType::from_text(&args.rtype).ok_or_else(|| Unexplained::Type(args.rtype.clone()))?;
    let (source, subnet) = match (args.client.parse::<IpAddr>(), args.client.parse::<ipnet::IpNet>()) {
        (Ok(address), _) => (args.resolver.unwrap_or(address), args.resolver.map(|_| Prefix::host(address))),
        (_, Ok(net)) => {
            if net.trunc() != net {
                return Err(Unexplained::Bits(net));
            }
            let prefix = Prefix::new(net.addr(), net.prefix_len());
            (args.resolver.unwrap_or(prefix.address()), Some(prefix))
        }
        _ => return Err(Unexplained::Client(args.client.clone())),
    };
    let chance = Chance { now: now(), random: fastrand_seed(), draw: args.draw };
    Ok(Question { name, rtype, source, subnet, chance, transport: Transport::Tcp })
}

#[expect(clippy::disallowed_methods, reason = "the edge: the slots of this very moment are explained")]
fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixMillis(since.map_or(0, |d| d.as_millis() as u64))
}

#[expect(clippy::disallowed_methods, reason = "the edge: a query's own random number")]
fn fastrand_seed() -> u64 {
    fastrand::u64(..)
}
