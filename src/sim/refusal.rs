//! Why a simulation does not do what it is told, as a value. The words are the caller's, who knows in which language it was
//! told.

use std::net::IpAddr;

use hickory_proto::ProtoError;

use crate::{
    engine::{types::Prefix, wire::name::Name},
    node::{format::Unreadable, samples::Refused},
};

/// Why something cannot be played.
#[derive(Debug)]
pub enum Refusal {
    /// There is no configuration yet.
    NoConfiguration,
    /// There is one already.
    Configured,
    /// Time only goes on. In milliseconds from the beginning.
    Past {
        /// The moment that was asked for.
        moment: u64,
        /// The moment that it is.
        now: u64,
    },
    /// An override would have ended before this moment, which is now.
    Ended(u64),
    /// No question was asked yet.
    NotAsked,
    /// This question was not asked before.
    NotAskedBefore,
    /// There was no reply: the first round of probes has not ended.
    NoReply,
    /// A name is not steered, so its clients have no blocks.
    NotSteered(Name),
    /// A name is answered by the resolver, whatever the client subnet.
    ByResolver(Name),
    /// A prefix is fewer blocks than were asked for.
    FewBlocks {
        /// The prefix.
        of: Prefix,
        /// How many blocks it is.
        blocks: usize,
        /// Of which name.
        name: Name,
    },
    /// Not all of the blocks were remembered.
    NotRemembered,
    /// A sample of round-trip times is not taken.
    Sample {
        /// Why.
        refused: Refused,
        /// The regions that there are.
        there: Vec<String>,
    },
    /// It has no monitor, so it is always up.
    Unprobed,
    /// No canary is at this address.
    Canary {
        /// The address.
        address: IpAddr,
        /// Where canaries are.
        there: Vec<String>,
    },
    /// No pool is called so.
    Pool {
        /// The name.
        name: String,
        /// The pools that there are, the first of them.
        there: Vec<String>,
    },
    /// No region with an endpoint is called so.
    Region {
        /// The name.
        name: String,
        /// The regions that there are, the first of them.
        there: Vec<String>,
    },
    /// No endpoint is called so.
    Endpoint {
        /// The name.
        name: String,
        /// The endpoints that there are, the first of them.
        there: Vec<String>,
        /// Whether a region is called so.
        is_region: bool,
    },
    /// No monitor is called so.
    Monitor {
        /// The name.
        name: String,
        /// The monitors that there are.
        there: Vec<String>,
    },
    /// The simulator or the engine is at fault: it says how.
    Bug(Bug),
}

/// How the simulator or the engine is at fault.
#[derive(Debug, thiserror::Error)]
pub enum Bug {
    /// Recording the steps of a decision changes it.
    #[error("the reply is another one when it is not recorded")]
    Recorded,
    /// A client could not read the reply.
    #[error("the reply cannot be decoded: {0}")]
    Reply(#[source] ProtoError),
    /// What a process saves it cannot read.
    #[error(transparent)]
    Saved(#[from] Unreadable),
}
