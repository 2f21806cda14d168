//! What the lines of a scenario say, as data. Must not know how they are written, or what comes of them.

use std::{fmt, net::IpAddr, ops::RangeInclusive};

use crate::{
    engine::{
        types::{Family, Prefix},
        wire::{name::Name, rr::RrType},
    },
    state::overrides::Act,
};

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    /// A configuration to begin with.
    Config(Written),
    /// Another configuration, now, or the same one read again.
    Reload(Option<Written>),
    /// A file beside the configurations that stand in the scenario: its name and its text.
    File(String, String),
    /// Time goes on to this moment, in milliseconds.
    At(u64),
    /// Time goes on by this.
    Pass(u64),
    /// Something becomes different now.
    Happens(Happening),
    /// A question.
    Ask(Question),
    /// What comes back to the last question.
    Expect(Expected),
    /// What comes back to the last question from many blocks.
    Count(Count),
    /// Notes what comes back to the last question from many blocks, to compare with later.
    Remember(Blocks),
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Its text, in the scenario itself, and how many lines stand before it there.
    Here(String, usize),
    /// A file, relative to the scenario.
    File(String),
}

/// Whom a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// `eu`, in whatever pool, or `web/eu`.
    Endpoint(String),
    /// Everything in a region.
    Region(String),
    /// A whole pool.
    Pool(String),
    /// A canary, by its address.
    Canary(IpAddr),
}

/// What becomes different.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Happening {
    /// What is probed behaves so from now on, in one family or both, towards one monitor or all.
    Behaves(Who, Option<Family>, Option<String>, Behaviour),
    /// So much load is reported from now on; none: nothing any more.
    Reports(Who, Option<f64>),
    /// An operator's word, until a moment or for good.
    Says {
        /// About whom.
        who: Who,
        /// What is to be.
        act: Act,
        /// When it ends, in milliseconds of the scenario's time.
        until: Option<u64>,
        /// Why.
        reason: String,
    },
    /// An operator takes back what was said.
    Lifts(Who),
    /// An operator lets back what is kept down.
    LetsBack(Who),
    /// An operator lets a region go that is held.
    Releases(String),
    /// The server is killed and started again at once.
    Restarts,
    /// Round-trip times are sampled.
    Samples(Samples),
}

/// Samples of round-trip times.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Samples {
    /// These, once or again and again.
    Said { prefix: Prefix, region: String, ms: f64, samples: u32, every: Option<u64> },
    /// Clients ask now and then, and the region that they are sent to is so far.
    Clients { prefix: Prefix, question: Question, every: u64, far: Vec<(String, f64)> },
    /// No more of this prefix, or of any.
    Stop(Option<Prefix>),
}

impl Samples {
    /// Whose they are.
    pub(super) fn prefix(&self) -> Option<Prefix> {
        match self {
            Self::Said { prefix, .. } | Self::Clients { prefix, .. } => Some(*prefix),
            Self::Stop(prefix) => *prefix,
        }
    }

    /// How often they come, in milliseconds; none: once.
    pub(super) fn every(&self) -> Option<u64> {
        match self {
            Self::Said { every, .. } => *every,
            Self::Clients { every, .. } => Some(*every),
            Self::Stop(_) => None,
        }
    }
}

/// How what is probed behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// It answers after so many microseconds.
    Works(u64),
    /// It refuses, or answers badly.
    Fails(String),
    /// No answer until the timeout.
    Hangs,
    /// Fails for so many milliseconds, works as long, and so on from the moment when it began.
    Flaps(u64),
    /// The prober has no route there.
    NoRoute,
}

/// A question as a client puts it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) rtype: RrType,
    /// The client subnet option.
    pub(super) subnet: Option<Prefix>,
    /// The sender.
    pub(super) source: IpAddr,
}

/// What is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) outcome: Outcome,
    pub(super) ttl: Option<u32>,
    pub(super) scope: Option<u8>,
    pub(super) because: Vec<String>,
}

/// What an answer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Any: only the rest of the line counts.
    Anything,
    /// These addresses, in any order.
    Addresses(Vec<IpAddr>),
    /// An endpoint of this region, and no other.
    Region(String),
    /// These endpoints.
    Endpoints(Vec<String>),
    /// Another name.
    Cname(Name),
    /// A record of the answer has this text.
    Text(String),
    NoData,
    NxDomain,
    ServFail,
    Refused,
    FormErr,
    /// No reply yet.
    Silence,
    /// What was answered to the same question before.
    Same,
    /// Something else than was answered to the same question before.
    Other,
    /// What was chosen for the question before this one, whatever that was.
    SameEndpoint,
    /// An endpoint in the region of the question before this one, whatever that was.
    SameRegion,
}

/// Pieces of a prefix, each as wide as what moves as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// How many, from the start of the prefix.
    pub(super) count: usize,
    pub(super) of: Prefix,
}

/// How many blocks are to fare so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) times: RangeInclusive<usize>,
    pub(super) blocks: Blocks,
    pub(super) fare: Fare,
}

/// How a block fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fare {
    /// It comes to an endpoint of a region.
    ToRegion(String),
    /// It comes to an endpoint.
    ToEndpoint(String),
    /// It is answered this address.
    ToAddress(IpAddr),
    /// It is answered no record.
    ToNone,
    /// It is answered otherwise than was remembered.
    Moved,
    /// It is answered otherwise than was remembered, and was in this region then.
    MovedFrom(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anything => f.write_str("an answer"),
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" "))
            }
            Self::Region(region) => write!(f, "region {region}"),
            Self::Endpoints(endpoints) => {
                let texts: Vec<String> = endpoints.iter().map(|endpoint| format!("endpoint {endpoint}")).collect();
                f.write_str(&texts.join(" "))
            }
            Self::Cname(name) => write!(f, "cname {name}"),
            Self::Text(text) => write!(f, "text {text:?}"),
            Self::NoData => f.write_str("nodata"),
            Self::NxDomain => f.write_str("nxdomain"),
            Self::ServFail => f.write_str("servfail"),
            Self::Refused => f.write_str("refused"),
            Self::FormErr => f.write_str("formerr"),
            Self::Silence => f.write_str("silence"),
            Self::Same => f.write_str("the same as before"),
            Self::Other => f.write_str("another than before"),
            Self::SameEndpoint => f.write_str("the endpoint of the question before"),
            Self::SameRegion => f.write_str("the region of the question before"),
        }
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} blocks of {}", self.count, self.of)
    }
}

impl fmt::Display for Fare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToRegion(region) => write!(f, "to region {region}"),
            Self::ToEndpoint(endpoint) => write!(f, "to endpoint {endpoint}"),
            Self::ToAddress(address) => write!(f, "to {address}"),
            Self::ToNone => f.write_str("to no endpoint"),
            Self::Moved => f.write_str("moved"),
            Self::MovedFrom(region) => write!(f, "moved from region {region}"),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)?;
        self.subnet.iter().try_for_each(|subnet| write!(f, " from {subnet}"))?;
        write!(f, " by {}", self.source)
    }
}
