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
    facts: Facts,
    /// When the wait of steered names for the first probe round ends; none once it is over.
    wait: Option<At>,
    measuring: Arc<Measuring>,
    samples: Samples,
    balance: Arc<Balance>,
    jobs: u64,
    /// What is to be compiled, or is being compiled.
    configuration: Option<ConfigurationId>,
    files: Option<Arc<Vec<RttCell>>>,
    maps_due: Option<At>,
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
        let (mut configuration, mut files, mut maps_due) =
            (self.next_configuration, self.next_files.clone(), self.maps_due);
        match making {
            Some(Making::Configuration(id)) => configuration = configuration.or(Some(*id)),
            Some(Making::Files(cells)) => files = files.or_else(|| Some(Arc::clone(cells))),
            Some(Making::Maps { at, sampled }) => {
                maps_due = maps_due.or(Some(*at));
                samples.refresh(*sampled);
            }
            None => {}
        }
        let under_way = self.balancing.iter().flat_map(|(_, counts)| counts).copied();
        let answers: Counts = under_way.chain(self.answers.iter().flatten().copied()).collect();
        NodeFacts {
            at: self.now,
            facts: self.ledger.facts().clone(),
            wait: self.wait,
            measuring: Arc::clone(&self.measuring),
            samples,
            balance: Arc::clone(&self.balance),
            jobs: self.jobs,
            configuration,
            files,
            maps_due,
            answers: (self.balancing.is_some() || self.answers.is_some()).then_some(answers),
        }
    }

    /// A node that goes on from what another one knew, with the configuration that was in force there. Jobs that had not ended
    /// are given away again; a configuration that was being compiled has to be offered again.
    ///
    /// # Errors
    /// The facts are about another configuration.
    pub fn resume(world: Arc<World>, known: NodeFacts) -> Result<Self, OtherConfiguration> {
        let NodeFacts { at, facts, wait, measuring, samples, balance, jobs, configuration, files, maps_due, answers } =
            known;
        let balance = Arc::new(Arc::unwrap_or_clone(balance).resumed(&world));
        let ledger = Ledger::resume(at, world, facts).ok_or(OtherConfiguration)?;
        let idle = Self::compiled(at, Arc::default());
        Ok(Self {
            ledger,
            wait,
            measuring,
            samples,
            balance,
            jobs,
            next_configuration: configuration,
            next_files: files,
            maps_due,
            answers,
            ..idle
        })
    }
}
