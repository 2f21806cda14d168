//! Work that takes long: compiling a configuration or maps, and balancing. A node gives it away, so that nothing that it
//! hears meanwhile waits for it. What comes of a job follows from what is in it alone, so a history that is played again finds
//! the same. Must not know where a job runs, nor what else a node does.

use std::sync::Arc;

use super::{
    answers::Counts,
    balance::{Assignments, Balance, Foreseen},
    input::{Configuration, ConfigurationId, JobId},
    measuring::Measuring,
    samples::{Samples, Telling},
};
use crate::engine::{
    snapshot::Snapshot,
    types::At,
    world::{RttCell, World},
};

/// A piece of work.
#[derive(Debug)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// The moment whose facts it works with.
    pub(super) at: At,
    pub(super) work: Work,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Work {
    /// A configuration is compiled.
    Configuration {
        id: ConfigurationId,
        configuration: Box<Configuration>,
        before: Arc<World>,
        measuring: Arc<Measuring>,
    },
    /// What the latency files say is taken over.
    Files { cells: Arc<Vec<RttCell>>, measuring: Arc<Measuring> },
    /// Maps are compiled again by what is measured, where anything has moved.
    Maps {
        world: Arc<World>,
        measuring: Arc<Measuring>,
        /// None: none were taken since they were told last.
        samples: Option<Samples>,
    },
    /// Demand is assigned to regions.
    Balance { snapshot: Arc<Snapshot>, balance: Arc<Balance>, counts: Counts },
}

/// Kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// A configuration is compiled.
    Configuration(ConfigurationId),
    /// What the latency files say is taken over.
    Files,
    /// Maps are compiled again by what is measured.
    Maps,
    /// Demand is assigned to regions.
    Balance,
}

/// What came of a job.
#[derive(Debug)]
pub struct Product {
    /// The job.
    pub id: JobId,
    pub(super) made: Made,
}

#[derive(Debug)]
pub(super) enum Made {
    Measured {
        measuring: Measuring,
        telling: Option<Telling>,
        /// None: maps are as they were.
        world: Option<Arc<World>>,
    },
    Balanced {
        balance: Balance,
        of: Arc<World>,
        /// What is assigned from now on; none: what was before.
        assigned: Option<(Assignments, Vec<Foreseen>)>,
    },
}

impl Product {
    /// The configuration, compiled, or with other maps; none: the one in force stays.
    #[must_use]
    pub fn world(&self) -> Option<&Arc<World>> {
        match &self.made {
            Made::Measured { world, .. } => world.as_ref(),
            Made::Balanced { .. } => None,
        }
    }
}

impl Job {
    /// What it does.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self.work {
            Work::Configuration { id, .. } => JobKind::Configuration(id),
            Work::Files { .. } => JobKind::Files,
            Work::Maps { .. } => JobKind::Maps,
            Work::Balance { .. } => JobKind::Balance,
        }
    }

    /// Does it. Takes its time.
    #[must_use]
    pub fn run(self) -> Product {
        let Self { id, at, work } = self;
        let made = match work {
            Work::Configuration { configuration, before, measuring, .. } => {
                let mut measuring = (*measuring).clone();
                let world = compile(at, *configuration, Some(&before), &mut measuring);
                Made::Measured { measuring, telling: None, world: Some(world) }
            }
            Work::Files { cells, measuring } => {
                let mut measuring = (*measuring).clone();
                measuring.read(at, Arc::unwrap_or_clone(cells));
                Made::Measured { measuring, telling: None, world: None }
            }
            Work::Maps { world, measuring, samples } => {
                let mut measuring = (*measuring).clone();
                let mut telling = samples.map(|samples| samples.tell(at, &world.atlas));
                if let Some(telling) = &mut telling {
                    measuring.hear(at, std::mem::take(&mut telling.cells));
                }
                let measures = measuring.make(at, &world.regions);
                let world = (!measures.says_what(&world.measures)).then(|| Arc::new(world.measured(measures)));
                Made::Measured { measuring, telling, world }
            }
            Work::Balance { snapshot, balance, counts } => {
                let mut balance = (*balance).clone();
                let assigned = balance.tick(at, &snapshot, &counts).cloned();
                let assigned = assigned.map(|assigned| (assigned, balance.regions()));
                Made::Balanced { balance, of: Arc::clone(&snapshot.world), assigned }
            }
        };
        Product { id, made }
    }
}

/// Compiles a configuration with maps by what is measured now. `before`: the one in force, with which it shares what is equal.
pub(super) fn compile(
    at: At,
    configuration: Configuration,
    before: Option<&World>,
    measuring: &mut Measuring,
) -> Arc<World> {
    let Configuration { mut draft, latency, cells, .. } = configuration;
    measuring.import(at, latency, cells);
    draft.measures = measuring.make(at, &draft.regions);
    Arc::new(World::seal_after(draft, before))
}
