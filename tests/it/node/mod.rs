//! A node without input and output: what it makes of a history, whoever drives it and however often it is played.

mod drivers;
mod facts;
mod history;
mod written;

use std::{fs, sync::Arc};

use meridian::{
    config,
    engine::{
        health::fold::Outcome,
        signal::latency::Reading,
        types::{At, Millis, RouteId},
        units::{Permille, Rtt},
        world::{RttCell, World},
    },
    node::{
        answers,
        input::Configuration,
        input::{ConfigurationId, Input},
        machine::{Effects, Node},
        overrides::{Act, Override, Scope},
        samples::Sample,
        status::Status,
    },
};

/// The moment at which histories begin.
pub const BEGINNING: At = At(1_700_000_000_000);

/// Where clients are.
const PLACES: &str = "prefix,country,lat,lon\n20.0.0.0/16,DE,50.11,8.68\n20.1.0.0/16,US,39.04,-77.49\n";

/// How many configurations there are.
pub const CONFIGURATIONS: u64 = 2;

/// Two configurations of the same service: the second has another endpoint, another monitor's pace, and no canary.
pub fn configuration(n: u64) -> Configuration {
    let (canaries, more, interval) = match n % CONFIGURATIONS {
        0 => ("canaries = [{ monitor = \"reach\", address = \"203.0.113.1\" }]", "", "1s"),
        _ => ("", "eu-3 = { region = \"eu\", address = \"192.0.2.13\" }", "2s"),
    };
    let text = format!(
        "version = 1
[server]
listen = [\"127.0.0.1:0\"]
startup_wait = \"3s\"
[health]
{canaries}
[health.governor]
max_regions = 1
[latency]
refresh = \"5s\"
min_samples = 2
switch = {{ ms = 5, percent = \"10%\", hold = \"2s\" }}
[geo]
overrides = \"places.csv\"
[monitors.reach]
tcp = {{ port = 443 }}
[monitors.lb]
interval = \"{interval}\"
tcp = {{ port = 80 }}
[monitors.db]
tcp = {{ port = 5432 }}
[monitors.site]
all = [\"lb\", \"db\"]
[loads.agent]
push = {{}}
max_age = \"20s\"
[policies.near]
prefer = [\"rtt\", \"load\"]
shed = {{ low = 0.7, high = 0.95 }}
slow_start = \"10s\"
[regions]
eu = {{ location = {{ lat = 50.11, lon = 8.68 }}, capacity = 100, demand = 60 }}
us = {{ location = {{ lat = 39.04, lon = -77.49 }}, capacity = 100, demand = 60 }}
[pools.web]
monitor = \"lb\"
policy = \"near\"
load = \"agent\"
[pools.web.endpoints]
eu-1 = {{ region = \"eu\", address = [\"192.0.2.11\", \"2001:db8::11\"] }}
eu-2 = {{ region = \"eu\", address = \"192.0.2.12\" }}
{more}
us-1 = {{ region = \"us\", address = \"192.0.2.21\" }}
[pools.late]
monitor = \"site\"
[pools.late.endpoints]
us-9 = {{ region = \"us\", address = \"192.0.2.29\" }}
[services.\"www.g.test\"]
pools = [\"web\", \"late\"]
ttl = {{ max = \"30s\", min = \"5s\" }}
[zones.\"g.test\"]
file = \"g.test.zone\"
"
    );
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("g.test.zone"), include_str!("../../scenarios/g.test.zone")).expect("written");
    fs::write(folder.path().join("places.csv"), PLACES).expect("written");
    let path = folder.path().join("node.toml");
    fs::write(&path, text).expect("written");
    let loaded = config::load(&path);
    let Some(config) = loaded.config else {
        panic!("{}", config::report::text(&loaded.faults, &loaded.sources, false));
    };
    config.into()
}

/// Everything random that a history has.
pub struct Chance(fastrand::Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// How many milliseconds pass before the next thing happens.
    pub fn wait(&mut self) -> u64 {
        match self.0.u8(..10) {
            0..4 => 0,
            4..8 => self.0.u64(1..400),
            8 => self.0.u64(400..5_000),
            _ => self.0.u64(5_000..40_000),
        }
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.usize(..of.len())]
    }

    fn scope(&mut self) -> Scope {
        match self.0.u8(..5) {
            0 => Scope::Region((*self.pick(&["eu", "us", "nowhere"])).into()),
            1 => Scope::Pool((*self.pick(&["web", "late"])).into()),
            _ => Scope::Endpoint("web".into(), (*self.pick(&["eu-1", "eu-2", "eu-3", "us-1"])).into()),
        }
    }

    fn outcome(&mut self) -> Outcome {
        match self.0.u8(..8) {
            0..4 => Outcome::Good {
                took: self.0.u64(500..90_000),
                connect: self.0.bool().then(|| self.0.u64(1..500)),
                note: None,
                ends: None,
            },
            4..6 => Outcome::Bad("connection refused".into()),
            6 => Outcome::NoRoute,
            _ => Outcome::Unasked("no socket is left".into()),
        }
    }

    fn reading(&mut self) -> Reading {
        let samples = self.0.bool().then(|| self.0.u32(1..9));
        Reading { rtt: Rtt(self.0.u32(50..2_000)), samples, age: Millis(self.0.u64(..100_000)) }
    }

    fn samples(&mut self) -> Vec<Sample> {
        let count = self.0.usize(..4);
        let sample = |chance: &mut Self| Sample {
            prefix: format!("20.{}.7.0/24", chance.0.u8(..3)).try_into().expect("a prefix"),
            region: (*chance.pick(&["eu", "us", "asia"])).into(),
            ms: chance.0.f64() * 200.0,
            samples: chance.0.u32(..5),
            age: Millis(chance.0.u64(..1000)),
        };
        (0..count).map(|_| sample(self)).collect()
    }

    pub fn cells(&mut self) -> Vec<RttCell> {
        let key = |region: &str| (meridian::engine::geo::Whose::Country(*b"DE"), region.into());
        ["eu", "us"].map(|region| (key(region), self.reading())).into()
    }

    fn answers(&mut self, world: &World) -> Vec<(RouteId, u32, u64)> {
        let route = |chance: &mut Self| RouteId(chance.0.u32(..world.routes.len().max(1) as u32));
        (0..self.0.usize(..4)).map(|_| (route(self), self.0.u32(..3), self.0.u64(..900))).collect()
    }

    /// The next thing that happens under a configuration.
    pub fn input(&mut self, world: &World, now: At) -> Input {
        match self.0.u8(..40) {
            0 => Input::Configuration(ConfigurationId(self.0.u64(1..=CONFIGURATIONS))),
            1 | 2 => {
                let acts = [
                    Act::Drain(Millis(0)),
                    Act::Drain(Millis(9_000)),
                    Act::ForceUp,
                    Act::ForceDown,
                    Act::Weight(Permille(500)),
                    Act::Shed(Permille(300)),
                ];
                let act = *self.pick(&acts);
                let until = self.0.bool().then(|| At(now.0 + self.0.u64(..60_000)));
                Input::Override(Override {
                    scope: self.scope(),
                    act,
                    reason: "test".into(),
                    author: "ann".into(),
                    until,
                })
            }
            3 => Input::Lift(self.scope()),
            4 => Input::Failback(self.scope()),
            5 => Input::Release((*self.pick(&["eu", "us"])).into()),
            6..9 => Input::Load { scope: self.scope(), load: self.0.f64() * 150.0 },
            9..11 => Input::Samples(self.samples()),
            11 => Input::LatencyFiles(self.cells()),
            12 | 13 => Input::Answers(answers::named(world, &self.answers(world))),
            14 => Input::Tick,
            _ => {
                let probed: Vec<_> = world.targets.iter().filter_map(|target| target.key()).collect();
                let outcome = self.outcome();
                Input::outcome(probed[self.0.usize(..probed.len())], outcome)
            }
        }
    }
}

/// What an input did, in a form that can be compared: every change in its written form, what queries read and what people
/// read.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub changes: Vec<String>,
    pub rows: String,
    pub status: String,
}

impl Step {
    pub fn of(node: &Node, effects: &Effects) -> Self {
        Self {
            changes: effects.changes.iter().map(|change| serde_json::to_string(change).expect("written")).collect(),
            rows: rows(node),
            status: status(&node.status()),
        }
    }
}

/// All that a query reads but the configuration.
pub fn rows(node: &Node) -> String {
    let snapshot = node.snapshot();
    let measured = &snapshot.world.measures;
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{measured:?}",
        snapshot.pools, snapshot.endpoints, snapshot.assignments, snapshot.fine, snapshot.ready
    )
}

/// All that people read but the configuration.
pub fn status(status: &Status) -> String {
    let Status { world, targets, governed, kept, timings, slow_starts, jobs: _, ready, at } = status;
    let names: Vec<&str> = world.pools.iter().flat_map(|pool| pool.endpoints.iter()).map(|e| &*e.name).collect();
    format!("{names:?}\n{targets:?}\n{governed:?}\n{kept:?}\n{timings:?}\n{slow_starts:?}\n{ready} {at:?}")
}

/// A node in the first configuration.
pub fn node() -> Node {
    Node::new(BEGINNING, configuration(0))
}

/// Its configuration.
pub fn world(node: &Node) -> Arc<World> {
    node.world()
}
