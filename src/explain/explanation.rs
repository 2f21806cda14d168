//! An explanation as a value: what was asked, what each pool had to say, the reply, and what its TTL and scope come from.
//! Texts are ready to be shown; whether as columns, as JSON or by an API is the caller's affair. Must not know how it is
//! made.

use std::net::IpAddr;

use serde::Serialize;

use super::target::TargetPart;
use crate::engine::{
    types::{Chance, Prefix, Transport},
    wire::{name::Name, rr::RrType},
};

/// An explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The name that was asked for.
    pub name: String,
    /// The type that was asked for.
    pub rtype: String,
    /// What the client is called: its subnet, or the sender's address where it has none. A caller that was given it in
    /// another form may put that in the place.
    pub client: String,
    /// The sender of the query.
    pub source: String,
    /// What is supposed of health.
    #[serde(flatten)]
    pub supposed: Supposed,
    /// The service, when the name is one.
    pub service: Option<String>,
    /// Where the client is taken to be.
    pub location: Option<Located>,
    /// What was settled before any pool was looked at.
    pub first: Vec<String>,
    /// The pools that were looked at, in order.
    pub pools: Vec<PoolPart>,
    /// How far down the ladder the answer was found.
    pub rung: Option<&'static str>,
    /// The response code.
    pub rcode: String,
    /// The answer section.
    pub answer: Vec<String>,
    /// The authority section.
    pub authority: Vec<String>,
    /// The additional section.
    pub additional: Vec<String>,
    /// The steered names that the answer points at.
    pub targets: Vec<TargetPart>,
    /// Why a decision left no records.
    pub note: Option<String>,
    /// The TTL's derivation.
    pub ttl: Option<Ttl>,
    /// The ECS scope's derivation; none when the query has no option.
    pub scope: Option<Scope>,
    /// Set when the draws are not the server's, for want of its secret.
    pub unkeyed: bool,
    /// The draw that would give this answer again.
    pub repeat_draw: Option<String>,
}

/// What is supposed of health where the snapshot was played, in the words of the caller; empty for a snapshot of a running
/// server.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Supposed {
    /// The endpoints that were supposed to go down.
    pub down: Vec<String>,
    /// The endpoints that were supposed to be held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<String>,
    /// What the governor does then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub governor: Vec<String>,
}

/// Where the client is taken to be.
#[derive(Clone, Debug, Serialize)]
pub struct Located {
    /// Whose address was used, in words.
    pub basis: &'static str,
    /// The address, normalised.
    pub address: String,
    /// The place, in words.
    pub place: String,
    /// Which source knows it, and at which leaf.
    pub known_from: String,
    /// What moves as one.
    pub block: String,
}

/// One pool's part of the decision.
#[derive(Clone, Debug, Serialize)]
pub struct PoolPart {
    /// Its name.
    pub pool: String,
    /// Which of an HTTPS record's hints it is looked at for, where both are decided by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints: Option<String>,
    /// The policy's name.
    pub policy: String,
    /// The policy's rules, in words.
    pub rules: String,
    /// The catchment that the client belongs to, and its prefix.
    pub catchment: Option<String>,
    /// What values rest on, where it is more than the model.
    pub because: Vec<String>,
    /// Every endpoint.
    pub candidates: Vec<Candidate>,
    /// The draws, in words.
    pub draws: Vec<String>,
    /// Whether any of them rests on the server's secret.
    #[serde(skip)]
    pub(super) keyed: bool,
    /// Why it did not answer, where it did not.
    pub passed_over: Option<&'static str>,
}

/// One endpoint's part.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// Its name.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Its weight.
    pub weight: u32,
    /// How it stands, or why it is out.
    pub health: &'static str,
    /// Its value for each key, in the policy's order.
    pub values: Vec<Value>,
    /// What became of it.
    pub verdict: String,
    /// Whether it is in the answer.
    pub chosen: bool,
    /// Whether it may not answer.
    #[serde(skip)]
    pub(super) out: bool,
}

/// A value that ranked.
#[derive(Clone, Debug, Serialize)]
pub struct Value {
    /// Which key.
    pub key: &'static str,
    /// The value with its unit.
    pub value: String,
}

/// Where a TTL comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Ttl {
    /// Seconds.
    pub seconds: u32,
    /// Why.
    pub from: String,
}

/// Where a scope comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Scope {
    /// Bits.
    pub bits: u8,
    /// Why.
    pub from: String,
}

impl Explanation {
    /// Says whether the draws are made with the server's own secret.
    #[must_use]
    pub fn keyed(mut self, keyed: bool) -> Self {
        let drew = self.pools.iter().any(|pool| pool.keyed) || self.targets.iter().any(|target| target.drew);
        self.unkeyed = !keyed && drew;
        self
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The type.
    pub rtype: RrType,
    /// The sender of the query.
    pub source: IpAddr,
    /// The client subnet option.
    pub subnet: Option<Prefix>,
    /// The moment, and the random number of the query.
    pub chance: Chance,
    /// How the query travels: it bounds the reply.
    pub transport: Transport,
}
