//! Drives a node through virtual time: what the node gives away is done at once, at the moment at which it is given. Must not
//! know what happens in a simulation, or who asks.

use std::sync::Arc;

use super::Refusal;
use crate::{
    config::Config,
    engine::{
        health::fold::Record,
        snapshot::Snapshot,
        types::{At, Millis, TargetId},
        wire::reply::Counted,
        world::World,
    },
    node::{
        answers::{self, Counts},
        input::{Configuration, ConfigurationId, Input},
        machine::{Effects, Node},
        saved,
        status::Status,
    },
};

/// How often answers are counted, as a server does.
const INTERVAL: Millis = Millis::seconds(1);

/// A node, and what a server has beside it.
#[derive(Debug)]
pub struct Driver {
    node: Node,
    /// How many configurations there were beside the first.
    configurations: u64,
    /// When answers are counted next.
    count_at: At,
    /// What has been answered since they were counted last.
    answers: Counts,
}

impl Driver {
    /// A process that starts now.
    #[must_use]
    pub fn new(at: At, configuration: Configuration) -> Self {
        Self::of(at, Node::new(at, configuration))
    }

    /// The same with a node.
    #[must_use]
    pub fn of(at: At, node: Node) -> Self {
        Self { node, configurations: 0, count_at: at.plus(INTERVAL), answers: Counts::new() }
    }

    /// Another configuration is in force from now on.
    pub fn reload(&mut self, at: At, configuration: Configuration) -> Effects {
        self.configurations += 1;
        let id = ConfigurationId(self.configurations);
        self.node.offer_configuration(id, configuration);
        self.handle(at, Input::Configuration(id))
    }

    /// The process dies and comes back at once: it knows what it had saved.
    pub(super) fn restart(&mut self, at: At, configuration: Configuration) -> Result<(), Refusal> {
        let text = saved::encode(&self.status(), at, at.0);
        let saved = saved::decode(&text).map_err(|why| Refusal::Bug(why.into()))?;
        *self = Self::new(at, configuration);
        let age = saved.age(at.0, self.world().health.restore_age);
        self.handle(at, Input::Saved { saved, age });
        Ok(())
    }

    /// Something happens. What follows has in it what follows from the jobs, which are done at once.
    pub fn handle(&mut self, at: At, input: Input) -> Effects {
        let mut effects = self.node.handle(at, input);
        self.node.tell_regions(&mut effects);
        while let Some(job) = effects.jobs.pop() {
            let product = job.run();
            let id = product.id;
            self.node.offer_product(product);
            let mut more = self.node.handle(at, Input::Done(id));
            self.node.tell_regions(&mut more);
            effects.join(more);
        }
        effects
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The same, to suppose something of it.
    pub(super) fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    pub(super) fn world(&self) -> Arc<World> {
        self.node.world()
    }

    /// What queries read.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.node.snapshot()
    }

    /// What people read.
    #[must_use]
    pub fn status(&self) -> Status {
        self.node.status()
    }

    /// What is known of a target.
    pub(super) fn record(&self, target: TargetId) -> &Record {
        self.node.record(target)
    }

    /// When time alone changes something next.
    #[must_use]
    pub fn next(&self) -> Option<At> {
        self.node.next()
    }

    /// Takes note of an answer: balancing goes by it.
    pub(super) fn answered(&mut self, Counted { route, catchment, ttl, .. }: Counted) {
        self.answers.push((route, catchment, ttl.0.into()));
    }

    /// When answers are counted next, after all else that is due at the same moment. None where nothing is made of them: a
    /// month passes at once there.
    pub(super) fn counts_at(&self) -> Option<At> {
        answers::are_wanted(&self.world()).then_some(self.count_at)
    }

    /// Counts what has been answered since the last time.
    pub(super) fn count(&mut self, at: At) {
        self.count_at = at.plus(INTERVAL);
        let counts = std::mem::take(&mut self.answers);
        let named = answers::named(&self.world(), &counts);
        self.handle(at, Input::Answers(named));
    }
}

/// What keys the draws where a configuration has no secret, so that every run is the same.
const SECRET: [u8; 16] = *b"0123456789abcdef";

impl From<Config> for Configuration {
    /// Where it has no secret, a fixed one keys the draws: for simulations.
    fn from(Config { mut draft, server, latency, cells, secret, .. }: Config) -> Self {
        draft.secret = secret.unwrap_or(SECRET);
        Self { draft, latency, cells, startup_wait: server.startup_wait }
    }
}
