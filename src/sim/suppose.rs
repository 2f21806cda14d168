//! What is supposed: everything up, but for what goes down or is held. It is played to the very node that serves, so that
//! governor, canaries and balancing have their say. Must not know what is asked.

use std::{net::IpAddr, sync::Arc};

use super::Driver;
use crate::{
    engine::{
        geo::Map,
        health::fold::Outcome,
        snapshot::Snapshot,
        types::{At, EndpointId, Family, RouteId, TargetId},
        world::{Asks, Target, World, pool::Route},
    },
    node::{
        answers::{self, Counts},
        change::Change,
        input::Input,
        machine::Node,
    },
    probing::monitor::ProbeKey,
};

/// What is supposed. Each text names POOL/ENDPOINT, ENDPOINT, REGION or one ADDRESS of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supposition {
    /// What goes down, one after the other.
    pub down: Vec<String>,
    /// What is found down in regions that the governor holds.
    pub held: Vec<String>,
    /// Whether what the governor holds then is let go.
    pub released: bool,
}

/// What comes of it.
#[derive(Debug)]
pub struct Supposed {
    /// What a query reads.
    pub snapshot: Snapshot,
    /// What the governor does, in the words of the log.
    pub governor: Vec<String>,
}

/// Why something cannot be supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// In which part of the supposition it is named.
    pub part: Part,
    /// How it is named.
    pub named: String,
    /// Why.
    pub why: Why,
}

/// A part of a supposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`Supposition::down`].
    Down,
    /// [`Supposition::held`].
    Held,
}

/// Why something that is named cannot be supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// This endpoint has no monitor, so it is always up.
    Unprobed(String),
    /// Nothing has this name or address; the nearest name.
    Unknown(String),
    /// It is supposed to be down too.
    Twice,
    /// The governor holds a region once nothing in it is up, and this endpoint is up in this region.
    Alive {
        /// The endpoint.
        endpoint: String,
        /// The region.
        region: String,
    },
}

/// When answers are counted the second time, in milliseconds from the beginning: a moment, and no length of time.
const COUNTED: u64 = 1000;

/// The world with every endpoint up; then what is supposed comes true.
///
/// # Errors
/// Something that is named does not exist, or cannot be so.
pub fn suppose(world: &Arc<World>, supposition: &Supposition) -> Result<Supposed, Impossible> {
    let Supposition { down, held, released } = supposition;
    let down = down.iter().map(|wanted| named(world, Part::Down, wanted)).collect::<Result<Vec<_>, _>>()?;
    let kept = held.iter().map(|wanted| named(world, Part::Held, wanted)).collect::<Result<Vec<_>, _>>()?;
    let regions = regions_of(world, &down.concat(), held, &kept)?;
    let mut play =
        Play { driver: Driver::of(At(0), Node::compiled(At(0), Arc::clone(world))), now: 0, governor: Vec::new() };
    for key in world.targets.iter().filter_map(Target::key) {
        play.happens(Input::outcome(key, Outcome::good(0)));
    }
    // Every catchment asks alike while all is well.
    if answers::are_wanted(world) {
        play.happens(Input::Answers(answers::named(world, &catchments(world))));
    }
    for dead in &down {
        play.kill(dead);
    }
    for region in &regions {
        play.driver.node_mut().suppose_held(region);
    }
    if !regions.is_empty() {
        play.kill(&kept.concat());
        play.governor.extend(regions.iter().map(|region| format!("region {region} is held, as is supposed")));
    }
    if *released {
        for (region, _) in play.driver.status().governed.held() {
            play.happens(Input::Release(world.regions[region.at()].name.clone()));
        }
    }
    if answers::are_wanted(world) {
        play.now = play.now.max(COUNTED);
        play.happens(Input::Answers(Vec::new()));
    }
    Ok(Supposed { snapshot: play.driver.snapshot(), governor: play.governor })
}

/// A node to which things happen, a millisecond apart.
struct Play {
    driver: Driver,
    now: u64,
    governor: Vec<String>,
}

impl Play {
    fn happens(&mut self, input: Input) {
        let changes = self.driver.handle(At(self.now), input).changes;
        let governed = changes.iter().filter(|change| matches!(change, Change::Held(_) | Change::LetGo(_)));
        self.governor.extend(governed.map(ToString::to_string));
    }

    /// The probes of some addresses fail until they are down; then the canaries answer, for this node itself is well.
    fn kill(&mut self, dead: &[Dead]) {
        let world = self.driver.world();
        self.now += 1;
        let mut keys: Vec<Arc<ProbeKey>> = Vec::new();
        for id in dead.iter().filter_map(|(n, family)| world[*n].targets[*family]) {
            probes(&world, id, &mut keys);
        }
        for key in &keys {
            for _ in 0..fall(&world, key) {
                let outcome = Outcome::Bad("supposed down".into());
                self.happens(Input::outcome(key, outcome));
            }
        }
        self.now += 1;
        for key in world.health.canaries.iter().filter_map(|id| world.targets[id.at()].key()) {
            if !keys.contains(key) {
                self.happens(Input::outcome(key, Outcome::good(0)));
            }
        }
    }
}

/// What is probed for a target: itself, or all that it is made of.
fn probes(world: &World, id: TargetId, keys: &mut Vec<Arc<ProbeKey>>) {
    match &world.targets[id.at()].asks {
        Asks::Probe(key) if keys.contains(key) => {}
        Asks::Probe(key) => keys.push(Arc::clone(key)),
        Asks::Several { of, .. } => of.iter().for_each(|part| probes(world, *part, keys)),
    }
}

/// How many failures in a row are enough for each monitor that asks so.
fn fall(world: &World, key: &ProbeKey) -> u32 {
    let asking = world.targets.iter().filter(|target| target.key().is_some_and(|asked| **asked == *key));
    asking.map(|target| world.monitors[target.monitor.at()].rhythm.fall).max().unwrap_or(1)
}

/// One family of an endpoint, by its place among all.
type Dead = (EndpointId, Family);

/// What is monitored of what a name or an address means.
fn named(world: &World, part: Part, wanted: &str) -> Result<Vec<Dead>, Impossible> {
    let (mut found, mut free) = (Vec::new(), None);
    let address: Option<IpAddr> = wanted.parse().ok();
    for pool in world.pools.iter() {
        for (_, n, endpoint) in pool.members() {
            let region = &world.regions[endpoint.region.at()].name;
            let names = [format!("{}/{}", pool.name, endpoint.name), endpoint.name.to_string(), region.to_string()];
            let whole = names.iter().any(|name| name == wanted);
            let is_it = |family: &Family| whole || address.is_some() && endpoint.address(*family) == address;
            for family in Family::BOTH.into_iter().filter(is_it) {
                // Of a region the endpoints without a monitor stay up; alone they cannot be supposed down.
                match endpoint.targets[family] {
                    Some(_) => found.push((n, family)),
                    None => free = Some(&*endpoint.name),
                }
            }
        }
    }
    let impossible = |why: Why| Impossible { part, named: wanted.to_owned(), why };
    match free {
        _ if !found.is_empty() => Ok(found),
        Some(name) => Err(impossible(Why::Unprobed(name.to_owned()))),
        None => {
            let there = world.regions.iter().map(|r| &*r.name).chain(world.endpoints().map(|(_, e)| &*e.name));
            let near = there.min_by_key(|name| strsim::damerau_levenshtein(name, wanted)).unwrap_or("nothing");
            Err(impossible(Why::Unknown(near.to_owned())))
        }
    }
}

/// The regions of what is supposed to be held. The governor holds a region only when nothing in it is up.
fn regions_of(world: &World, down: &[Dead], held: &[String], kept: &[Vec<Dead>]) -> Result<Vec<Box<str>>, Impossible> {
    let all = kept.concat();
    let mut regions = Vec::new();
    for (wanted, dead) in held.iter().zip(kept) {
        let impossible = |why: Why| Impossible { part: Part::Held, named: wanted.clone(), why };
        for (n, family) in dead {
            let id = world[*n].region;
            let name = &world.regions[id.at()].name;
            if down.contains(&(*n, *family)) {
                return Err(impossible(Why::Twice));
            }
            let is_up = |at: EndpointId, family: Family| {
                let dead = (at, family);
                world[at].targets[family].is_some() && !all.contains(&dead) && !down.contains(&dead)
            };
            let alive = (0..).map(EndpointId).zip(world.endpoints()).map(|(at, (_, endpoint))| (at, endpoint)).find(
                |(at, endpoint)| endpoint.region == id && Family::BOTH.into_iter().any(|family| is_up(*at, family)),
            );
            if let Some((_, alive)) = alive {
                return Err(impossible(Why::Alive { endpoint: alive.name.to_string(), region: name.to_string() }));
            }
            if !regions.contains(name) {
                regions.push(name.clone());
            }
        }
    }
    Ok(regions)
}

/// One answer for each catchment of each route.
fn catchments(world: &World) -> Counts {
    let count = |route: &Route| route.map.and_then(|id| world.maps.get(id.at())).map_or(1, Map::catchments);
    (0..)
        .map(RouteId)
        .zip(world.routes.iter())
        .flat_map(|(id, route)| (0..count(route) as u32).map(move |catchment| (id, catchment, 1)))
        .collect()
}
