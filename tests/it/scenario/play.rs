//! A scenario played: its own clock, its own prober, the real Ledger and the real engine.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use meridian::{
    config::presets::key_name,
    engine::{
        health::monitor::{Outcome as Found, ProbeKey, Rhythm},
        snapshot::World,
        steer::trace::{Exclusion, Rung, Standing, Step, TtlFrom},
        types::{At, Chance, EndpointId, Prefix, UnixMillis},
        wire::rr::Rcode,
    },
    state::ledger::{Event, Ledger},
};

use super::text::{Behaviour, Expected, Line, Outcome, read};
use crate::steering::lab::{Question, SECRET, Told, draft, listen};

/// Steered names wait at most this long for the first probe round: the default of `startup_wait`.
const STARTUP_WAIT: u64 = 3000;

/// Plays a text and returns what is wrong, each with its place.
pub fn play(file: &str, text: &str) -> Vec<String> {
    let mut stage = Stage::default();
    let mut wrong = Vec::new();
    for (number, line) in read(text) {
        let done = line.and_then(|line| stage.take(line, number as u64));
        wrong.extend(done.err().map(|fault| format!("{file}:{number}: {fault}")));
    }
    wrong
}

/// One target's probes.
#[derive(Clone, Debug)]
struct Probes {
    /// When the next one starts; none while one is under way.
    due: Option<u64>,
    /// When the one under way ends, when it began, and what it finds.
    ends: Option<(u64, u64, Found)>,
}

#[derive(Default)]
struct Stage {
    places: String,
    now: u64,
    ledger: Option<Ledger>,
    world: Arc<World>,
    probes: HashMap<Arc<ProbeKey>, Probes>,
    behaviour: BTreeMap<IpAddr, Behaviour>,
    asked: Option<(Question, Option<Told>)>,
    said: HashMap<(String, u16, Option<Prefix>), Vec<IpAddr>>,
}

impl Stage {
    fn take(&mut self, line: Line, number: u64) -> Result<(), String> {
        match line {
            Line::Places(text) => self.places = text,
            Line::Config(text) => {
                self.put_in_force(&text);
                self.ledger = Some(Ledger::new(Arc::clone(&self.world)));
            }
            Line::Reload(text) => {
                self.put_in_force(&text);
                let (at, world) = (At(self.now), Arc::clone(&self.world));
                self.ledger()?.fold(at, Event::World(world));
            }
            Line::At(moment) if moment < self.now => {
                return Err(format!("{moment} ms is before now, {} ms", self.now));
            }
            Line::At(moment) => return self.go_on(moment),
            Line::Pass(long) => return self.go_on(self.now + long),
            Line::Becomes { who, family, how } => return self.become_so(&who, family, &how),
            Line::Ask { name, rtype, from, by } => {
                let mut question = Question::new(&name, rtype);
                question.subnet = from;
                if let Some(by) = by {
                    question.source = by.parse().map_err(|_| format!("{by} is no address"))?;
                }
                let snapshot = self.ledger()?.snapshot(At(0));
                let now = UnixMillis(1_700_000_000_000 + self.now);
                let told = listen(&snapshot, &question, Chance { now, random: number, draw: None });
                self.asked = Some((question, told));
            }
            Line::Expect(expected) => return self.expect(&expected),
        }
        Ok(())
    }

    fn ledger(&mut self) -> Result<&mut Ledger, String> {
        self.ledger.as_mut().ok_or_else(|| "there is no `config` yet".into())
    }

    fn put_in_force(&mut self, text: &str) {
        let header = "prefix,continent,country,subdivision,city,lat,lon,asn\n";
        let mut draft = draft(text, &[("o.csv", &format!("{header}{}", self.places))]);
        draft.secret = SECRET;
        self.world = Arc::new(World::seal(draft));
        let now = self.now;
        let keys: Vec<Arc<ProbeKey>> = self.world.targets.iter().map(|target| Arc::clone(&target.key)).collect();
        self.probes.retain(|key, _| keys.contains(key));
        for key in keys {
            self.probes.entry(key).or_insert(Probes { due: Some(now), ends: None });
        }
    }

    /// Runs the probes and what else is due up to a moment, in the order of time, then of targets.
    fn go_on(&mut self, until: u64) -> Result<(), String> {
        self.ledger()?;
        loop {
            let world = Arc::clone(&self.world);
            let next = world.targets.iter().filter_map(|target| {
                let probes = self.probes.get(&target.key)?;
                let moment = probes.ends.as_ref().map(|(end, ..)| *end).or(probes.due)?;
                Some((moment, target))
            });
            let Some((moment, target)) = next.min_by_key(|(moment, _)| *moment).filter(|(m, _)| *m <= until) else {
                break;
            };
            self.deadline(moment)?;
            self.now = self.now.max(moment);
            self.beat(&target.key, &world.monitors[target.monitor.at()].rhythm)?;
        }
        self.deadline(until)?;
        self.now = until;
        Ok(())
    }

    /// The wait for the first round ends when it is over, if it comes before `moment`.
    fn deadline(&mut self, moment: u64) -> Result<(), String> {
        if self.now < STARTUP_WAIT && moment >= STARTUP_WAIT {
            self.ledger()?.fold(At(STARTUP_WAIT), Event::Deadline);
        }
        Ok(())
    }

    /// A target's next step: a probe begins, or ends.
    fn beat(&mut self, key: &Arc<ProbeKey>, rhythm: &Rhythm) -> Result<(), String> {
        let now = self.now;
        let Some(probes) = self.probes.get_mut(key) else { return Ok(()) };
        let Some((_, began, found)) = probes.ends.take() else {
            let behaviour = self.behaviour.get(&key.address).unwrap_or(&Behaviour::Works);
            let (takes, found) = match behaviour {
                Behaviour::Works => (0, Found::Good { took: 1000 }),
                Behaviour::Fails(why) => (0, Found::Bad(why.as_str().into())),
                Behaviour::Hangs => (rhythm.timeout, Found::Bad("no answer in time".into())),
                Behaviour::NoRoute => (0, Found::NoRoute),
            };
            *probes = Probes { due: None, ends: Some((now + takes, now, found)) };
            return Ok(());
        };
        let ledger = self.ledger()?;
        ledger.fold(At(now), Event::Outcome { key: Arc::clone(key), outcome: found });
        let snapshot = ledger.snapshot(At(now));
        let position = self.world.targets.iter().position(|target| target.key == *key);
        let wait = position.map_or(rhythm.interval, |at| snapshot.targets[at].next_in(rhythm));
        self.probes.insert(Arc::clone(key), Probes { due: Some((began + wait).max(now)), ends: None });
        Ok(())
    }

    fn become_so(&mut self, who: &str, family: Option<&str>, how: &Behaviour) -> Result<(), String> {
        let mut found = false;
        for pool in &self.world.pools {
            for id in pool.first.0..pool.first.0 + u32::from(pool.count) {
                let endpoint = &self.world.endpoints[id as usize];
                if who != &*endpoint.name && who != format!("{}/{}", pool.name, endpoint.name) {
                    continue;
                }
                found = true;
                let v4 = endpoint.v4.map(IpAddr::V4).filter(|_| family != Some("v6"));
                let v6 = endpoint.v6.map(IpAddr::V6).filter(|_| family != Some("v4"));
                self.behaviour.extend([v4, v6].into_iter().flatten().map(|address| (address, how.clone())));
            }
        }
        if found { Ok(()) } else { Err(format!("no endpoint is called {who}")) }
    }

    fn expect(&mut self, expected: &Expected) -> Result<(), String> {
        let Some((question, told)) = &self.asked else { return Err("nothing is expected before an `ask`".into()) };
        let key = (question.name.clone(), question.rtype, question.subnet);
        let Some(told) = told else {
            let silent = expected.outcome == Outcome::Silence;
            return if silent { Ok(()) } else { Err("there was no reply: not ready".into()) };
        };
        let answer = &told.answer;
        let mut got: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
        got.sort();
        let last = self.said.insert(key, answer.addresses.clone());
        let right = match &expected.outcome {
            Outcome::Addresses(addresses) => got == *addresses,
            Outcome::NoData => answer.rcode == Rcode::NoError && got.is_empty(),
            Outcome::ServFail => answer.rcode == Rcode::ServFail,
            Outcome::Silence => false,
            Outcome::Same => !got.is_empty() && last.as_ref() == Some(&answer.addresses),
            Outcome::Other => !got.is_empty() && last.as_ref() != Some(&answer.addresses),
        };
        let story = reasons(&self.world, &told.steps);
        let told = || format!("got {got:?} {:?} ttl {:?} scope {:?}", answer.rcode, answer.ttl, answer.scope);
        let told = || format!("{}; because {}", told(), story.join(", "));
        if !right {
            return Err(format!("expected {:?}, {}", expected.outcome, told()));
        }
        if expected.ttl.is_some() && expected.ttl != answer.ttl {
            return Err(format!("expected TTL {:?}, {}", expected.ttl, told()));
        }
        if expected.scope.is_some() && expected.scope != answer.scope {
            return Err(format!("expected scope {:?}, {}", expected.scope, told()));
        }
        match expected.because.iter().find(|reason| !story.contains(reason)) {
            Some(missing) => Err(format!("`{missing}` is not why: {}", told())),
            None => Ok(()),
        }
    }
}

/// The steps of a decision in the words of scenarios.
fn reasons(world: &World, steps: &[Step]) -> Vec<String> {
    let name = |id: &EndpointId| &*world.endpoints[id.at()].name;
    let mut story = Vec::new();
    for step in steps {
        story.extend(match step {
            Step::Candidate(id, verdict) => {
                let word = match verdict {
                    Ok(Standing::Up) => "up",
                    Ok(Standing::Failing) => "failing",
                    Ok(Standing::Unknown) => "trusted",
                    Ok(Standing::Ignored) => "ignored",
                    Err(Exclusion::Down) => "down",
                    Err(Exclusion::Unknown) => "unknown",
                    Ok(Standing::Distrusted) => "distrusted",
                    Ok(Standing::LastKnown) => "last-known",
                    Ok(Standing::Lifted) => "lifted",
                    Err(Exclusion::Weightless) => "weightless",
                    Err(Exclusion::Fenced) => "fenced",
                    Err(Exclusion::NotAskedFor) => "not asked for",
                    Err(Exclusion::FirstChoice) => "first choice",
                    Err(Exclusion::ForcedDown) => "forced down",
                    Err(Exclusion::Drained) => "drained",
                    Err(Exclusion::BeyondLimit) => "beyond limit",
                };
                Some(format!("{} {word}", name(id)))
            }
            Step::Ranked { key, endpoint, kept, .. } => {
                Some(format!("{} {} by {}", name(endpoint), if *kept { "kept" } else { "behind" }, key_name(*key)))
            }
            Step::PassedOver(pool, _) => Some(format!("{} passed over", world.pools[pool.at()].name)),
            Step::Rung(Rung::Preferred) => Some("rung preferred".into()),
            Step::Rung(Rung::Relaxed) => Some("rung relaxed".into()),
            Step::Rung(Rung::AllDown) => Some("rung all-down".into()),
            Step::Rung(Rung::Lifted) => Some("rung lifted".into()),
            Step::Rung(Rung::Fenced) => Some("rung fenced".into()),
            Step::Refused { endpoint, .. } => Some(format!("{} full", name(endpoint))),
            Step::Canary(_, taken) => Some(if *taken { "canary" } else { "no canary" }.into()),
            Step::Ttl(_, TtlFrom::Calm) => Some("calm".into()),
            Step::Ttl(_, TtlFrom::ChangeIn(_)) => Some("changing".into()),
            Step::Ttl(_, TtlFrom::Uncertain) => Some("uncertain".into()),
            _ => None,
        });
    }
    story
}
