//! The client's side of DNS, for rooms that ask the engine: a query as a client would send it, and the reply as a client
//! would show it, by a decoder that is not ours. Must not know why a reply is what it is.

pub(crate) mod records;

use std::net::IpAddr;

use crate::engine::{
    respond::{self, Answered},
    snapshot::Snapshot,
    steer::trace::Trace,
    types::{Chance, Family, Origin, Prefix, Transport},
    wire::{
        name::Name,
        reply::Counted,
        rr::{Rcode, RrType},
    },
};

/// A query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'q> {
    /// The name that is asked for.
    pub(crate) name: &'q Name,
    /// The type that is asked for.
    pub(crate) rtype: RrType,
    /// The client subnet option.
    pub(crate) subnet: Option<Prefix>,
    /// The sender.
    pub(crate) source: IpAddr,
    /// How the query travels.
    pub(crate) transport: Transport,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The whole message.
    pub(crate) octets: Vec<u8>,
    /// Its response code, the extended one where there is one.
    pub(crate) rcode: Rcode,
    /// What a transport counts of it.
    pub(crate) counted: Option<Counted>,
}

/// Sends a query to the engine. None: there is no reply, since steered names are not answered yet.
pub(crate) fn ask<T: Trace>(snapshot: &Snapshot, query: &Query<'_>, chance: Chance, trace: &mut T) -> Option<Reply> {
    let mut octets = vec![0; 65_535];
    let len = query.write(&mut octets);
    let origin = Origin { source: query.source, transport: query.transport };
    match respond::respond(snapshot, &mut octets, len, origin, chance, trace) {
        Answered::Reply { len, rcode, counted, .. } => {
            octets.truncate(len);
            Some(Reply { octets, rcode, counted })
        }
        Answered::NotReady | Answered::Silence => None,
    }
}

impl Query<'_> {
    /// Writes the message to the start of `packet` and returns its length.
    fn write(&self, packet: &mut [u8]) -> usize {
        let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(self.subnet.is_some())];
        query.extend_from_slice(self.name.wire());
        query.extend_from_slice(&self.rtype.0.to_be_bytes());
        query.extend_from_slice(&[0, 1]);
        if let Some(subnet) = self.subnet {
            let octets = usize::from(subnet.len()).div_ceil(8);
            let family = if subnet.family() == Family::V4 { 1 } else { 2 };
            let option = 4 + octets as u8;
            query.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4 + option, 0, 8, 0, option]);
            query.extend_from_slice(&[0, family, subnet.len(), 0]);
            query.extend_from_slice(&subnet.bits().to_be_bytes()[..octets]);
        }
        let len = query.len().min(packet.len());
        packet[..len].copy_from_slice(&query[..len]);
        len
    }
}
