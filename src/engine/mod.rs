//! THE QUIET ROOM: a question and a picture of the world go in, an answer comes out. Pure: no clock, no randomness,
//! no I/O, no async, no logging, and nothing from the other rooms.
//!
//! The query path is `read` → `answer` → `write`; `respond` is the three in a row, in place. Every transport, test,
//! fuzzer, benchmark and `explain` goes through them, and there is no second implementation.

pub mod geo;
pub mod health;
mod prefetch;
pub mod signal;
pub mod snapshot;
pub mod steer;
pub mod types;
pub mod wire;
pub mod zone;

mod reflect;
mod resolve;
mod serve;
mod targets;

use resolve::Walk;
use snapshot::Snapshot;
use steer::trace::Trace;
use types::{Chance, Origin, Transport};
use wire::{
    read::{HEADER, Query},
    reply::Reply,
    rr::{Rcode, RrType},
};

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A reply of this many octets stands in the packet's place.
    Reply(usize, Rcode),
    /// Nothing is sent, ever: the packet was no query.
    Silence,
    /// A steered name before the first probe round. The packet is untouched: ask again.
    NotReady,
}

/// Class IN.
const IN: u16 = 1;
/// Class CH, where servers tell about themselves.
const CHAOS: u16 = 3;

/// The request in `packet[..len]` is answered in place. `packet` must have room for the largest reply.
pub fn respond<T: Trace>(
    snapshot: &Snapshot,
    packet: &mut [u8],
    len: usize,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
) -> Sent {
    match read(packet.get(..len).unwrap_or_default()) {
        Some(query) => finish(snapshot, packet, &query, origin, chance, trace),
        None => Sent::Silence,
    }
}

/// Stage one: what the packet asks. None: silence.
#[must_use]
pub fn read(packet: &[u8]) -> Option<Query> {
    wire::read::read(packet)
}

/// Stage two, between the others of a batch: fetches what stage three will read first.
pub fn touch(snapshot: &Snapshot, query: &Query) {
    if let Some(slot) = snapshot.world.table.slot(query.hash) {
        prefetch::fetch(slot);
    }
}

/// Stage three: decides and writes the reply over the request.
pub fn finish<T: Trace>(
    snapshot: &Snapshot,
    packet: &mut [u8],
    query: &Query,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
) -> Sent {
    let mut reply = Reply::bare(Rcode::NoError, &snapshot.world.table.fragments);
    if !fill(snapshot, packet, query, origin, chance, trace, &mut reply) {
        return Sent::NotReady;
    }
    let rcode = reply.rcode;
    Sent::Reply(write(&reply, query, limit(snapshot, query, origin.transport), packet), rcode)
}

/// Decides. None: a steered name before the first probe round.
pub fn answer<'s, T: Trace>(
    snapshot: &'s Snapshot,
    packet: &[u8],
    query: &Query,
    origin: Origin,
    chance: Chance,
    trace: &mut T,
) -> Option<Reply<'s>> {
    let mut reply = Reply::bare(Rcode::NoError, &snapshot.world.table.fragments);
    fill(snapshot, packet, query, origin, chance, trace, &mut reply).then_some(reply)
}

/// Decides, into a reply that lies where it will be read: moving one costs as much as deciding. False: not ready.
fn fill<'s, T: Trace>(
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

/// Writes the reply over the request and returns its length.
pub fn write(reply: &Reply<'_>, query: &Query, limit: usize, packet: &mut [u8]) -> usize {
    wire::write::write(reply, query, limit, packet)
}

/// How long a reply may be: what the client takes and we send (RFC 6891 6.2.5), 512 without EDNS.
#[must_use]
#[inline]
pub fn limit(snapshot: &Snapshot, query: &Query, transport: Transport) -> usize {
    match (transport, &query.edns) {
        (Transport::Tcp, _) => 65_535,
        (Transport::Udp, None) => 512,
        (Transport::Udp, Some(edns)) => usize::from(edns.size.clamp(512, snapshot.world.udp_max.max(512))),
    }
}
