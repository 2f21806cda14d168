//! Plays an instance second by second: resolvers ask when their answers run out, probes and late load reports come in,
//! the control law ticks.

use std::sync::Arc;

use meridian::{
    engine::{
        health::fold::Outcome,
        snapshot::Snapshot,
        steer::{
            self, Parts, Verdict,
            locate::{Asker, Client, Whereabouts, locate},
            trace::Silent,
        },
        types::{At, Chance, Family, Prefix, RouteId, ServiceId, UnixMillis},
        world::World,
    },
    node::{balance::Balance, input::Input, ledger::Ledger, overrides::Scope},
};

use super::instance::Instance;
use crate::steering::lab::draft;

/// Seconds that a load report is late.
const LATE: usize = 10;
/// Seconds that a resolver keeps an answer which knows better than its TTL.
const STUBBORN: usize = 1800;

/// A second: the load that comes to each region, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub load: Vec<u64>,
}

/// What a block was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    region: usize,
    ttl: usize,
    catchment: u32,
    /// Of which Snapshot.
    version: usize,
}

pub struct Stage<'i> {
    instance: &'i Instance,
    world: Arc<World>,
    ledger: Ledger,
    balance: Option<Balance>,
    snapshot: Snapshot,
    version: usize,
    clients: Vec<Client>,
    told: Vec<Told>,
    /// For each second who asks then.
    due: Vec<Vec<usize>>,
    load: Vec<u64>,
}

impl<'i> Stage<'i> {
    /// Everybody has an answer, from a time when nothing was assigned yet.
    pub fn new(instance: &'i Instance, assigned: bool) -> Self {
        let world = Arc::new(World::seal(draft(&instance.text, &[("o.csv", &instance.places)])));
        let mut ledger = Ledger::new(Arc::clone(&world));
        for target in world.targets.iter() {
            let key = Arc::clone(target.key().expect("probed"));
            ledger.fold(At(0), Input::outcome(&key, Outcome::good(1000)));
        }
        let here = Whereabouts { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers };
        let client = |block: &super::instance::Block| {
            let asker = Asker { source: Prefix::host(block.source.into()), subnet: None, believed: true };
            locate(&asker, &world.services[0], false, &here)
        };
        let clients = instance.blocks.iter().map(client).collect();
        let mut stage = Self {
            instance,
            snapshot: ledger.snapshot(At(0)),
            ledger,
            balance: assigned.then(Balance::default),
            version: 1,
            clients,
            told: vec![Told { region: 0, ttl: 0, catchment: 0, version: 0 }; instance.blocks.len()],
            due: Vec::new(),
            load: vec![0; world.regions.len()],
            world,
        };
        for block in 0..instance.blocks.len() {
            let told = stage.decide(block, 0);
            stage.told[block] = told;
            stage.load[told.region] += instance.blocks[block].demand;
        }
        stage
    }

    /// Plays until `end`; the region is lost at `loss` and comes back at `back`.
    pub fn play(mut self, end: usize, loss: usize, back: usize) -> Vec<Record> {
        self.due = vec![Vec::new(); end + STUBBORN + 1];
        for (n, block) in self.instance.blocks.iter().enumerate() {
            self.due[block.first].push(n);
        }
        let mut records: Vec<Record> = Vec::new();
        for second in 0..end {
            let lost = second >= loss && second < back;
            self.probe(second, lost);
            let answers = self.ask(second);
            records.push(Record { load: self.load.clone() });
            let reported = records[second.saturating_sub(LATE)].load.clone();
            self.steer(second, lost, &reported, &answers);
        }
        records
    }

    /// The lost region's probe; the others' would say nothing new.
    fn probe(&mut self, second: usize, lost: bool) {
        let endpoint = self
            .world
            .endpoints()
            .map(|(_, endpoint)| endpoint)
            .find(|e| e.region.at() == self.instance.lost)
            .expect("an endpoint");
        let target = endpoint.targets.v4.expect("a target");
        let outcome = if lost { Outcome::Bad("gone".into()) } else { Outcome::good(1000) };
        let key = Arc::clone(self.world.targets[target.at()].key().expect("probed"));
        self.ledger.fold(At(second as u64 * 1000), Input::outcome(&key, outcome));
        self.publish(second);
    }

    /// Those whose answers have run out ask again.
    fn ask(&mut self, second: usize) -> Vec<(RouteId, u32, u64)> {
        let mut answers = Vec::new();
        for n in std::mem::take(&mut self.due[second]) {
            let (block, before) = (self.instance.blocks[n], self.told[n]);
            let told = if before.version == self.version { before } else { self.decide(n, second) };
            self.told[n] = told;
            self.load[before.region] -= block.demand;
            self.load[told.region] += block.demand;
            answers.push((RouteId(0), told.catchment, told.ttl as u64));
            let keeps = if block.stubborn { STUBBORN } else { told.ttl };
            if let Some(due) = self.due.get_mut(second + keeps) {
                due.push(n);
            }
        }
        answers
    }

    fn decide(&self, block: usize, second: usize) -> Told {
        let (world, id) = (&*self.world, ServiceId(0));
        let chance = Chance { now: UnixMillis(1_700_000_000_000 + second as u64 * 1000), random: 0, draw: None };
        let (parts, service) = (Parts::of(&self.snapshot), (id, &world.services[0]));
        let client = &self.clients[block];
        let decision = steer::decide(&parts, service, client, Family::V4, chance, &mut Silent);
        let Verdict::Endpoints { catchment, .. } = decision.verdict else { panic!("nobody for {client:?}") };
        let region = world.pools[0].endpoints[usize::from(decision.chosen[0])].region.at();
        Told { region, ttl: decision.ttl.0 as usize, catchment, version: self.version }
    }

    /// Load reports and the control law.
    fn steer(&mut self, second: usize, lost: bool, reported: &[u64], answers: &[(RouteId, u32, u64)]) {
        let Some(balance) = &mut self.balance else { return };
        let at = At(second as u64 * 1000);
        // Who is gone reports nothing; its last words are for the ledger to forget.
        for (n, region) in self.world.regions.iter().enumerate().filter(|(n, _)| !lost || *n != self.instance.lost) {
            let scope = Scope::Region(region.name.clone());
            self.ledger.fold(at, Input::Load { scope, load: reported[n] as f64 });
        }
        self.ledger.fold(at, Input::Tick);
        if let Some(assigned) = balance.tick(at, &self.ledger.snapshot(at), answers) {
            let assigned = assigned.clone();
            self.ledger.assign(at, &self.world, assigned);
        }
        self.publish(second);
    }

    fn publish(&mut self, second: usize) {
        if self.ledger.differs_from(&self.snapshot) {
            self.snapshot = self.ledger.snapshot(At(second as u64 * 1000));
            self.version += 1;
        }
    }
}
