//! The recorded decision. Deciding code notes its steps as it takes them; the silent recorder compiles away, so that
//! what `explain` prints is what the server did. Steps hold numbers; whoever prints them looks the names up.

use crate::engine::{
    live::eligible::{Exclusion, Standing},
    types::{EndpointId, Family, MapId, PoolId, Prefix, RegionId, RouteId, ServiceId},
    units::{Admission, Ttl},
    world::policy::Key,
};

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
pub struct Recording(pub Vec<Step>);

impl Trace for Recording {
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
    /// The name tells clients what they are taken for. The scope of the answer; none: this source may not ask.
    Reflects(Option<u8>),
    /// A record of the answer points at this service: what follows is decided of it for the additional section.
    Target(ServiceId),
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
        /// The entry of the resolvers' atlas that says where the sender's clients are.
        behind: Option<u32>,
    },
    /// The service is closed to the client by a fence of its own.
    Closed(ServiceId),
    /// Whether the block is of the share that is sent to the canary's pool first, by this route.
    Canary(RouteId, bool),
    /// The first choice, whose region leaves the rest to the runner-up.
    FirstChoice(EndpointId),
    /// A pool is looked at, by this route through it.
    Pool(RouteId),
    /// A map told the client's catchment.
    Catchment(MapId, u32, Prefix),
    /// One endpoint of the pool: in, or out for this reason.
    Candidate(EndpointId, Result<Standing, Exclusion>),
    /// No region whose order is kept for the client has an eligible endpoint: this key goes by what holds for most of the
    /// catchment, and not by the values that follow.
    BeyondDepth(Key),
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
    /// The query's number said which of several endpoints stands first, the others behind it in turn.
    First {
        /// The number.
        number: u64,
        /// The total weight, among which it was taken.
        of: u64,
    },
    /// The query's number said which of several addresses of the configuration or a zone file stands first.
    Turned(u64),
    /// What is assigned to a region of the pool for the client's catchment: the share that it takes of the blocks that
    /// come to it.
    Assigned(RegionId, Admission),
    /// An endpoint was drawn and does not admit the block, whose number lies at or above its admission.
    Refused {
        /// Who.
        endpoint: EndpointId,
        /// The block's number with the endpoint's region.
        number: Admission,
        /// The endpoint's admission, with what is assigned to its region.
        admission: Admission,
    },
    /// An endpoint is in the answer.
    Chosen(EndpointId),
    /// The pool does not answer on this rung.
    PassedOver(PoolId, Lack),
    /// The reply rests on this rung.
    Rung(Rung),
    /// An endpoint was chosen for the name and cannot answer this family: what follows stands in for it.
    StoodInFor(EndpointId, Family),
    /// What follows is decided for the hints of this family; what came before, for those of the other one.
    Hints(Family),
    /// The answer holds no address of the family that was asked for.
    NoAddress(Family, NoAddress),
    /// The TTL and what it comes from. A later one replaces an earlier one.
    Ttl(Ttl, TtlFrom),
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
    /// The query's source: the service does not use the option.
    Unused,
    /// No address was looked up: no policy of the service asks for one.
    NotAsked,
}

/// Why a pool does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// None of its endpoints is eligible.
    NoneEligible,
    /// Fewer than `min_healthy`, or a smaller share of them up than `panic`.
    TooFew,
    /// None of its endpoints admits the block.
    NoneAdmits,
    /// The governor holds what could answer, and nothing in it is truly up.
    Held,
    /// Nothing in it is known to be up, and it stands behind a pool that the governor holds.
    Guess,
    /// It answers the name, but none of its eligible endpoints has this family alive and takes the block: for this
    /// family alone, less is asked of its endpoints.
    NoneAlive(Family),
}

/// Why an answer holds no address of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// The pool that answers the name has no address of it, as far as the name and fences leave this client the pool.
    Pool(PoolId),
    /// The pool has some, none of them is alive, and `when_all_down` names none.
    Lost(PoolId),
    /// The addresses that are configured for this case hold none.
    Configured,
}

/// How far down the ladder the answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A pool with eligible endpoints.
    Preferred,
    /// The same, with admission, drains and limits set aside.
    Relaxed,
    /// `when_all_down`.
    AllDown,
    /// What operators said is set aside: it left nobody.
    Lifted,
    /// `when_fenced`: fences leave the client nothing.
    Fenced,
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
