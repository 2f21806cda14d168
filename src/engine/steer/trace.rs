//! The recorded decision. Deciding code notes its steps as it takes them; the silent recorder compiles away, so that
//! what `explain` prints is what the server did. Steps hold numbers; whoever prints them looks the names up.

use super::policy::Key;
use crate::engine::types::{EndpointId, Family, MapId, PoolId, Prefix, ServiceId};

/// Something that listens to a decision.
pub trait Trace {
    /// Whether anybody listens: lets deciding code skip what only a listener wants.
    const ON: bool;
    /// Takes one step; the closure is not called when nobody listens.
    fn note(&mut self, step: impl FnOnce() -> Step);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Trace for Silent {
    const ON: bool = false;
    fn note(&mut self, _: impl FnOnce() -> Step) {}
}

/// Keeps every step.
#[derive(Clone, Debug, Default)]
pub struct Tape(pub Vec<Step>);

impl Trace for Tape {
    const ON: bool = true;
    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.0.push(step());
    }
}

/// One step of a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The name is a service.
    Asked(ServiceId),
    /// The name is a service, but the type is the zone file's to answer.
    Beside(ServiceId),
    /// A chain of aliases ends before this service, since the query has a client subnet (RFC 7871 7.2.1).
    StopsBefore(ServiceId),
    /// Where the client is taken to be.
    Located {
        /// Whose address was used.
        basis: Basis,
        /// The address, normalised.
        client: Prefix,
        /// What moves as one.
        block: Prefix,
        /// The ECS scope and what it comes from.
        scope: u8,
    },
    /// A pool is looked at.
    Pool(PoolId),
    /// A map told the client's catchment.
    Catchment(MapId, u32, Prefix),
    /// One endpoint of the pool: in, or out for this reason.
    Candidate(EndpointId, Result<Standing, Exclusion>),
    /// An endpoint's value for a key, and whether it is still in.
    Ranked {
        /// Which key.
        key: Key,
        /// Whose value.
        endpoint: EndpointId,
        /// The value as ranked: tenths of a millisecond, kilometres, or an order; `u32::MAX` is unknown.
        value: u32,
        /// Whether it is in the best band.
        kept: bool,
    },
    /// A draw among the band.
    Drew {
        /// The draw.
        draw: u64,
        /// What it was taken among: total weight, or positions of the schedule; 0 for rendezvous.
        of: u64,
        /// The slot, where one entered.
        slot: Option<u64>,
    },
    /// An endpoint is in the answer.
    Chosen(EndpointId),
    /// Nobody in the pool may answer.
    PassedOver(PoolId),
    /// The reply rests on this rung.
    Rung(Rung),
    /// No chosen endpoint has a living address of the family that was asked for.
    NoAddress(Family),
    /// The TTL in seconds and what it comes from. A later one replaces an earlier one.
    Ttl(u32, TtlFrom),
}

/// Whose address said where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The client subnet option.
    Subnet,
    /// The query's source: there is no option.
    Source,
    /// The query's source: the option asks that no location be used.
    Anonymous,
    /// The query's source: the option's sender is not believed.
    Distrusted,
    /// The query's source: the option holds a special-purpose address.
    Special,
    /// Nobody's: no policy of the service asks.
    Nobody,
}

/// How an eligible endpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its probes succeed, or nobody monitors it.
    Up,
    /// Up, with failures counted.
    Failing,
    /// Nothing is known, and nothing in its pool is up.
    Unknown,
    /// Health is ignored: everything is down.
    Ignored,
}

/// Why an endpoint may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Down in a family, and up in none.
    Down,
    /// Nothing is known of it, and others are up.
    Unknown,
    /// Its weight is 0.
    Weightless,
}

/// How far down the ladder the answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A pool with eligible endpoints.
    Preferred,
    /// `when_all_down`.
    AllDown,
}

/// What a TTL comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlFrom {
    /// Nothing that it rests on is moving: `ttl.max`.
    Calm,
    /// Health can change in this many milliseconds.
    ChangeIn(u32),
    /// Below the first rung, or health is unknown: `ttl.min`.
    Uncertain,
    /// The answer is negative: the smallest of the SOA's TTL, its MINIMUM and `ttl.min`.
    Negative,
}
