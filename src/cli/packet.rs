//! A query as a client would send it, for the verbs that ask the engine.

use crate::engine::{
    types::{Family, Prefix},
    wire::{name::Name, rr::RrType},
};

/// Writes the query to the start of `packet` and returns its length.
pub(super) fn query(packet: &mut [u8], name: &Name, rtype: RrType, subnet: Option<Prefix>) -> usize {
    let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(subnet.is_some())];
    query.extend_from_slice(name.wire());
    query.extend_from_slice(&rtype.0.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    if let Some(subnet) = subnet {
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
