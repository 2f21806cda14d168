//! A monitor as plain data: what to probe, how often, and how many outcomes change health. Must not know how a probe is
//! run.

use std::net::IpAddr;

use super::{check::Check, millis::Millis};

/// A monitor, in name order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonitorId(pub u32);

impl MonitorId {
    /// The position in the table that this number indexes.
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// A configured health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The name in the configuration.
    pub name: Box<str>,
    /// What is looked at.
    pub watch: Watch,
    /// When, and how many outcomes change health.
    pub rhythm: Rhythm,
    /// What keeps health from changing too easily.
    pub calm: Calm,
    /// The local address of its probes, for targets of the same family; none: the system chooses.
    pub source: Option<IpAddr>,
}

/// What a monitor looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Probes of its own.
    Probe(Check),
    /// The verdicts of other monitors on the same address: up where at least `needed` of them are up, down where so many
    /// are down that they cannot be, else unknown. `all` needs every one, `any` needs 1.
    Several {
        /// How many must be up.
        needed: u32,
        /// The monitors that decide, in the order in which they are written; none of them leads back here.
        of: Vec<MonitorId>,
    },
}

/// Times and counts of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From the start of one probe to the start of the next.
    pub interval: Millis,
    /// A probe that takes longer has failed; at most `interval`.
    pub timeout: Millis,
    /// The wait before the next probe after a first failure, until health is decided again.
    pub recheck: Millis,
    /// Failures that make up into down.
    pub fall: u32,
    /// Successes in a row that make down into up.
    pub rise: u32,
}

/// What keeps health from changing too easily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calm {
    /// So many good outcomes in a row forget earlier failures; until then failures add up.
    pub clear: u32,
    /// So long a target stays down at least.
    pub hold: Millis,
    /// It stays down until an operator says otherwise, however well it answers.
    pub manual: bool,
    /// What a target that comes and goes has to endure.
    pub flap: Flap,
}

/// Flap damping: every turn to down adds 1 to a penalty, which halves in each half-life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// At this penalty or above it, in thousandths, recoveries are suppressed; 0: never.
    pub suppress: u32,
    /// Below this one, in thousandths, they count again.
    pub reuse: u32,
    /// In which a penalty halves.
    pub half_life: Millis,
}

impl Calm {
    /// What is usual for a monitor with this interval.
    #[must_use]
    pub const fn usual(interval: Millis) -> Self {
        let flap = Flap { suppress: 3000, reuse: 1000, half_life: Millis::seconds(300) };
        Self { clear: 10, hold: interval.times(10), manual: false, flap }
    }

    /// Nothing beyond `fall` and `rise`: failures have to come in a row, and a target that has risen is up.
    pub const NONE: Self = Self {
        clear: 1,
        hold: Millis::ZERO,
        manual: false,
        flap: Flap { suppress: 0, reuse: 0, half_life: Millis::seconds(300) },
    };
}

/// One thing that is probed: a check of one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProbeKey {
    /// What the probe asks.
    pub check: Check,
    /// The address that it asks.
    pub address: IpAddr,
    /// From which local address; none: the system chooses.
    pub source: Option<IpAddr>,
}

impl ProbeKey {
    /// A check of an address, from wherever the system chooses.
    #[must_use]
    pub fn new(check: Check, address: IpAddr) -> Self {
        Self { check, address, source: None }
    }
}
