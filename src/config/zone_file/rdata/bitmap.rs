//! Sets of record types as bits on the wire: in windows (RFC 4034 4.1.2, RFC 7477 2.1.2), and as one run (RFC 2535 5.2).
//! Must not know which types hold them.

use std::collections::BTreeSet;

use crate::{config::zone_file::fields::Complaint, engine::wire::rr::RrType};

/// Appends types in windows.
pub(super) fn windows(types: &[RrType], wire: &mut Vec<u8>) {
    let types: BTreeSet<u16> = types.iter().map(|rtype| rtype.0).collect();
    let types: Vec<u16> = types.into_iter().collect();
    for window in types.chunk_by(|a, b| a >> 8 == b >> 8) {
        let highest = window.last().map_or(0, |highest| highest & 0xff);
        let mut bits = vec![0u8; usize::from(highest) / 8 + 1];
        for rtype in window {
            bits[usize::from(rtype & 0xff) / 8] |= 0x80 >> (rtype & 7);
        }
        wire.extend([(window[0] >> 8) as u8, bits.len() as u8]);
        wire.append(&mut bits);
    }
}

/// Whether octets are windows in ascending order, none of them empty or longer than need be.
pub(super) fn are_windows(wire: &[u8]) -> bool {
    let (mut rest, mut last) = (wire, None);
    while let Some(([window, length], behind)) = rest.split_first_chunk::<2>() {
        let Some((bits, next)) = behind.split_at_checked(usize::from(*length)) else { return false };
        let sound = bits.len() <= 32 && bits.last().is_some_and(|octet| *octet != 0);
        if !sound || last.is_some_and(|last| last >= *window) {
            return false;
        }
        (rest, last) = (next, Some(*window));
    }
    rest.is_empty()
}

/// The types of windows that are sound.
pub(super) fn of_windows(wire: &[u8]) -> Vec<RrType> {
    let (mut rest, mut types) = (wire, Vec::new());
    while let Some(([window, length], behind)) = rest.split_first_chunk::<2>() {
        let (bits, next) = behind.split_at(usize::from(*length).min(behind.len()));
        types.extend(of_old(bits).into_iter().map(|rtype| RrType(u16::from(*window) << 8 | rtype.0)));
        rest = next;
    }
    types
}

/// Appends types below 128 as one run.
pub(super) fn old(types: &[RrType], wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let Some(highest) = types.iter().map(|rtype| rtype.0).max() else {
        return Err(Complaint::new("a record type is expected behind this"));
    };
    if highest > 127 || types.contains(&RrType(0)) {
        return Err(Complaint::new("only types from 1 to 127 have a place here"));
    }
    let start = wire.len();
    wire.resize(start + usize::from(highest) / 8 + 1, 0);
    for rtype in types {
        wire[start + usize::from(rtype.0) / 8] |= 0x80 >> (rtype.0 & 7);
    }
    Ok(())
}

/// Whether octets are one run of at most 16 octets, not longer than need be.
pub(super) fn is_old(wire: &[u8]) -> bool {
    let sound = |first: &u8, last: &u8| first & 0x80 == 0 && *last != 0 && wire.len() <= 16;
    matches!((wire.first(), wire.last()), (Some(first), Some(last)) if sound(first, last))
}

/// The types of a run.
pub(super) fn of_old(bits: &[u8]) -> Vec<RrType> {
    let set = |at: &u16| bits.get(usize::from(*at) / 8).is_some_and(|octet| octet & 0x80 >> (at & 7) != 0);
    (0..(bits.len() * 8) as u16).filter(set).map(RrType).collect()
}
