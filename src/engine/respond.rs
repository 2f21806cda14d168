//! The query path on one page: read → decide → write. UDP, TCP, `explain`, scenarios, tests, fuzzers and benchmarks all
//! go through [`finish`], and there is no second composition of the three. Must not know sockets, nor how a decision is
//! made.

use super::{
    prefetch,
    resolve::{self, Walk},
    snapshot::Snapshot,
    steer::trace::Trace,
    types::{Chance, Origin, Transport},
    wire::{
        read::{self, HEADER, Query},
        reply::{Counted, Reply, ResponseClass},
        rr::{Rcode, RrType},
        write::{self, Written},
    },
};

/// Class IN.
const IN: u16 = 1;
/// Class CH, in which a server says what it is.
const CHAOS: u16 = 3;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A reply stands in the packet's place.
    Reply {
        /// Bytes of the reply.
        len: usize,
        /// Its response code, the extended one where there is one.
        rcode: Rcode,
        /// What it amounts to: rate limits count each class apart.
        class: ResponseClass,
        /// Whether TC is set.
        truncated: bool,
        /// Which clients it is for, where it was steered to a pool's endpoints.
        counted: Option<Counted>,
    },
    /// No reply is due, ever: the packet is no query.
    Silence,
    /// The name is steered and the first probe round has not ended. The packet is untouched: over UDP the client hears
    /// nothing and tries again, over TCP it waits.
    NotReady,
}

/// Answers the request in `packet[..len]` in place. `packet` must have room for the largest reply.
pub fn respond<T: Trace>(
    snapshot: &Snapshot,
    packet: &mut [u8],
    len: usize,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
) -> Answered {
    match read(packet.get(..len).unwrap_or_default()) {
        Some(query) => finish(snapshot, packet, &query, origin, chance, trace),
        None => Answered::Silence,
    }
}

/// Stage one: what the packet asks. None: silence.
#[must_use]
pub fn read(packet: &[u8]) -> Option<Query> {
    read::read(packet)
}

/// Stage two, between the others of a batch: fetches what stage three will read first.
pub fn touch(snapshot: &Snapshot, query: &Query) {
    if let Some(slot) = snapshot.world.table.slot(query.hash) {
        prefetch::fetch(slot);
    }
}

/// Stage three: decides, and writes the reply over the request. The reply is made in the place where it is written from:
/// moving one costs as much as deciding.
pub fn finish<T: Trace>(
    snapshot: &Snapshot,
    packet: &mut [u8],
    query: &Query,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
) -> Answered {
    let mut reply = Reply::bare(Rcode::NoError);
    if !decide(snapshot, packet, query, origin, chance, trace, &mut reply) {
        return Answered::NotReady;
    }
    let Written { len, truncated } = write::write(&reply, query, limit(snapshot, query, origin.transport), packet);
    Answered::Reply { len, rcode: reply.rcode, class: reply.class(), truncated, counted: reply.counted }
}

/// Fills the reply in. False: not ready.
fn decide<'s, T: Trace>(
    snapshot: &'s Snapshot,
    packet: &[u8],
    query: &Query,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
    reply: &mut Reply<'s>,
) -> bool {
    let world = &*snapshot.world;
    reply.turn = world.rotate.then(|| chance.number());
    if let Some(fault) = query.fault {
        reply.rcode = fault;
        return true;
    }
    let name = packet.get(HEADER..HEADER + usize::from(query.name_len)).unwrap_or_default();
    match (query.qclass, query.rtype()) {
        (IN, RrType::AXFR | RrType::IXFR) => reply.rcode = Rcode::Refused,
        (IN, _) => {
            let left = arrayvec::ArrayVec::new();
            let mut walk = Walk { snapshot, query, origin, chance, trace, zone: None, hops: 0, left };
            return walk.resolve(name, query.hash, reply);
        }
        (CHAOS, _) => resolve::chaos(world, name, query.rtype(), reply),
        _ => reply.rcode = Rcode::Refused,
    }
    true
}

/// How long a reply may be: what the client takes and we send (RFC 6891 6.2.5), 512 without EDNS.
#[inline]
fn limit(snapshot: &Snapshot, query: &Query, transport: Transport) -> usize {
    match (transport.is_datagram(), &query.edns) {
        (false, _) => usize::from(u16::MAX),
        (true, None) => 512,
        (true, Some(edns)) => usize::from(edns.size.clamp(512, snapshot.world.udp_max.max(512))),
    }
}
