//! All that a node knows, as a value: it can be copied and written down, and another node goes on from it. Moments are Unix
//! milliseconds, and everything else stands by number of the configuration in force, which whatever keeps the value keeps
//! beside it. Must not know where it is kept.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    answers::Counts,
    balance::Balance,
    input::ConfigurationId,
    ledger::{Ledger, facts::Facts},
    machine::{Making, Node},
    measuring::Measuring,
    samples::Samples,
};
use crate::engine::{
    types::At,
    world::{RttCell, World},
};

/// What a node knows at a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The moment.
    pub at: At,
    /// The configuration that was in force.
    pub configuration: ConfigurationId,
    facts: Facts,
    /// When the wait of steered names for the first probe round ends; none once it is over.
    wait: Option<At>,
    measuring: Arc<Measuring>,
    samples: Samples,
    balance: Arc<Balance>,
    jobs: u64,
    /// What is to be compiled, or is being compiled.
    next_configuration: Option<ConfigurationId>,
    files: Option<Arc<Vec<RttCell>>>,
    answers: Option<Counts>,
}

/// These facts are about another configuration than the one that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the facts are about another configuration")]
pub struct OtherConfiguration;

impl Node {
    /// What it knows at a moment, to go on from later or elsewhere. All rows are made again, so that both have the same.
    pub fn facts(&mut self, at: At) -> NodeFacts {
        self.now = self.now.max(at);
        self.ledger.derive_all(self.now);
        // What it remembers of another configuration does not go with it.
        Arc::make_mut(&mut self.balance).adopt(&self.ledger.world());
        let making = self.making.as_ref().map(|(_, making)| making);
        let mut samples = self.samples.clone();
        let (mut next_configuration, mut files) = (self.next_configuration, self.next_files.clone());
        match making {
            Some(Making::Configuration(id)) => next_configuration = next_configuration.or(Some(*id)),
            Some(Making::Files(cells)) => files = files.or_else(|| Some(Arc::clone(cells))),
            // They are due as they were.
            Some(Making::Maps { sampled }) => samples.refresh(*sampled),
            None => {}
        }
        let under_way = self.balancing.iter().flat_map(|(_, counts)| counts).copied();
        let answers: Counts = under_way.chain(self.answers.iter().flatten().copied()).collect();
        NodeFacts {
            at: self.now,
            configuration: self.configuration,
            facts: self.ledger.facts().clone(),
            wait: self.wait,
            measuring: Arc::clone(&self.measuring),
            samples,
            balance: Arc::clone(&self.balance),
            jobs: self.jobs,
            next_configuration,
            files,
            answers: (self.balancing.is_some() || self.answers.is_some()).then_some(answers),
        }
    }

    /// A node that goes on from what another one knew, with the configuration that was in force there, of number `id`. Jobs that had not ended
    /// are given away again; a configuration that was being compiled has to be offered again.
    ///
    /// # Errors
    /// The facts are about another configuration.
    pub fn resume(id: ConfigurationId, world: Arc<World>, known: NodeFacts) -> Result<Self, OtherConfiguration> {
        let NodeFacts { at, configuration, facts, wait, measuring, samples, balance, jobs, .. } = known;
        let NodeFacts { next_configuration, files, answers, .. } = known;
        if configuration != id {
            return Err(OtherConfiguration);
        }
        let balance = Arc::new(Arc::unwrap_or_clone(balance).resumed(&world));
        let ledger = Ledger::resume(at, world, facts).ok_or(OtherConfiguration)?;
        let idle = Self::compiled(at, Arc::default());
        Ok(Self {
            configuration,
            ledger,
            wait,
            measuring,
            samples,
            balance,
            jobs,
            next_configuration,
            next_files: files,
            answers,
            ..idle
        })
    }
}
