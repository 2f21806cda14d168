//! `meridian explain`: one question, asked of the very code that serves, with every step of the decision written down.
//! Offline: endpoints are taken to be up, but for those named by `--down`.

mod render;
mod story;
mod target;
mod words;

use std::{
    io::{self, Write},
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
};

use clap::Args;

use super::{Exit, packet};
use crate::{
    config::{self, report},
    engine::{
        self, Sent,
        geo::Map,
        health::monitor::Outcome,
        snapshot::{Snapshot, Target, World},
        steer::{policy::Pool, trace::Tape},
        types::{At, Chance, Family, Origin, PoolId, Prefix, Transport, UnixMillis},
        wire::{name::Name, rr::RrType},
    },
    state::{
        balance::Balance,
        ledger::{Event, Ledger},
    },
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
    /// What is down, as POOL/ENDPOINT, ENDPOINT, REGION or one ADDRESS of an endpoint; may be repeated.
    #[arg(long, value_name = "ENDPOINT")]
    down: Vec<String>,
    /// The draw, in hexadecimal, instead of the one that time and client give.
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    draw: Option<u64>,
    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,
}

fn hexadecimal(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|e| format!("{e}: up to 16 hexadecimal digits"))
}

/// What is asked, read from the arguments.
struct Question {
    name: Name,
    rtype: RrType,
    /// The sender.
    source: IpAddr,
    /// The client subnet option.
    subnet: Option<Prefix>,
    chance: Chance,
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
        let told = question(self).and_then(|question| {
            let snapshot = suppose(&world, &self.down)?;
            Ok(tell(&snapshot, &question, self).keyed(keyed))
        });
        let story = match told {
            Ok(story) => story,
            Err(why) => return Ok(super::fail(err, &why)),
        };
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &story)?;
            writeln!(out)?;
        } else {
            render::write(&story, out)?;
        }
        Ok(Exit::Fine)
    }
}

fn question(args: &Explain) -> Result<Question, String> {
    let name = Name::from_text(&args.name).map_err(|e| format!("`{}` is no name: {e}", args.name))?;
    let rtype = RrType::from_text(&args.rtype)
        .ok_or_else(|| format!("`{}` is no record type: write A, AAAA, MX, … or TYPE and a number", args.rtype))?;
    let (source, subnet) = match (args.client.parse::<IpAddr>(), args.client.parse::<ipnet::IpNet>()) {
        (Ok(address), _) => (args.resolver.unwrap_or(address), args.resolver.map(|_| Prefix::host(address))),
        (_, Ok(net)) => {
            if net.trunc() != net {
                return Err(format!("`{net}` has bits set beyond its length: write {}", net.trunc()));
            }
            let prefix = Prefix::new(net.addr(), net.prefix_len());
            (args.resolver.unwrap_or(prefix.address()), Some(prefix))
        }
        _ => return Err(format!("`{}` is neither an address nor a prefix such as 192.0.2.0/24", args.client)),
    };
    let chance = Chance { now: now(), random: fastrand_seed(), draw: args.draw };
    Ok(Question { name, rtype, source, subnet, chance })
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

/// The world with every endpoint up but these.
fn suppose(world: &Arc<World>, down: &[String]) -> Result<Snapshot, String> {
    let mut ledger = Ledger::new(Arc::clone(world));
    // For each endpoint and family.
    let mut dead = vec![[false; 2]; world.endpoints.len()];
    for wanted in down {
        let (mut found, mut free) = (false, None);
        let address: Option<IpAddr> = wanted.parse().ok();
        for pool in &world.pools {
            let first = pool.first.at();
            for (n, endpoint) in world.endpoints.iter().enumerate().skip(first).take(usize::from(pool.count)) {
                let region = &world.regions[endpoint.region.at()].name;
                let names = [format!("{}/{}", pool.name, endpoint.name), endpoint.name.to_string(), region.to_string()];
                let whole = names.contains(wanted);
                let named = |family: &Family| whole || address.is_some() && endpoint.address(*family) == address;
                for family in Family::BOTH.into_iter().filter(named) {
                    // Of a region those that nothing monitors stay up; alone they cannot be supposed down.
                    if endpoint.targets.iter().all(Option::is_none) {
                        free = Some(&*endpoint.name);
                    } else {
                        (dead[n][family.at()], found) = (true, true);
                    }
                }
            }
        }
        if let Some(name) = free.filter(|_| !found) {
            return Err(format!("--down {name}: nobody monitors it, so it is always up"));
        }
        if !found {
            let there = world.regions.iter().map(|r| &*r.name).chain(world.endpoints.iter().map(|e| &*e.name));
            let near = there.min_by_key(|name| strsim::damerau_levenshtein(name, wanted)).unwrap_or("nothing");
            return Err(format!(
                "--down {wanted}: no endpoint or region has this name, and no endpoint this address; the nearest is {near}"
            ));
        }
    }
    let mut outcomes: Vec<Option<Outcome>> = vec![None; world.targets.len()];
    for (endpoint, dead) in world.endpoints.iter().zip(&dead) {
        for (target, dead) in endpoint.targets.iter().zip(dead) {
            let Some(target) = target else { continue };
            let slot = &mut outcomes[target.at()];
            if *dead {
                *slot = Some(Outcome::Bad("supposed down".into()));
            } else if slot.is_none() {
                *slot = Some(Outcome::good(0));
            }
        }
    }
    for (target, outcome) in world.targets.iter().zip(outcomes) {
        if let (Some(outcome), Some(key)) = (outcome, target.key()) {
            ledger.fold(At(0), Event::Outcome { key: Arc::clone(key), outcome });
        }
    }
    // This node itself is well.
    for key in world.health.canaries.iter().filter_map(|id| world.targets[id.at()].key()) {
        ledger.fold(At(1), Event::Outcome { key: Arc::clone(key), outcome: Outcome::good(0) });
    }
    ledger.fold(At(1), Event::Deadline);
    Ok(assigned(ledger))
}

/// What is assigned then, where regions have a `demand`: every catchment asks alike, and those who are supposed to be
/// down go down while all is well.
fn assigned(mut ledger: Ledger) -> Snapshot {
    let snapshot = ledger.snapshot(At(1));
    let world = Arc::clone(&snapshot.world);
    let mut well = Ledger::new(Arc::clone(&world));
    for key in world.targets.iter().filter_map(Target::key) {
        well.fold(At(0), Event::Outcome { key: Arc::clone(key), outcome: Outcome::good(0) });
    }
    well.fold(At(0), Event::Deadline);
    let catchments = |pool: &Pool| pool.map.and_then(|id| world.maps.get(id.at())).map_or(1, Map::catchments);
    let answers: Vec<(PoolId, u32, u64)> = (0..)
        .map(PoolId)
        .zip(&world.pools)
        .flat_map(|(id, pool)| (0..catchments(pool) as u32).map(move |catchment| (id, catchment, 1)))
        .collect();
    let mut balance = Balance::default();
    let before = balance.tick(At(0), &well.snapshot(At(0)), &answers).cloned();
    let Some(assignments) = balance.tick(At(1000), &snapshot, &[]).cloned().or(before) else { return snapshot };
    ledger.fold(At(1), Event::Assign { of: Arc::clone(&world), assignments });
    ledger.snapshot(At(1))
}

fn tell(snapshot: &Snapshot, question: &Question, args: &Explain) -> story::Story {
    let mut packet = vec![0; 65_535];
    let len = packet::query(&mut packet, &question.name, question.rtype, question.subnet);
    let origin = Origin { source: question.source, transport: Transport::Tcp };
    let mut tape = Tape::default();
    let sent = engine::respond(snapshot, &mut packet, len, origin, question.chance, &mut tape);
    let reply = match sent {
        Sent::Reply(len, _) => packet.get(..len).unwrap_or_default(),
        _ => &[],
    };
    story::Story::new(&snapshot.world, question, &args.client, &args.down, &tape.0, reply)
}
