//! RRsets encoded once, when the zone is compiled, and copied into replies. Must not know what they answer.

use std::collections::HashMap;

use super::rr::RrType;
use crate::engine::units::Ttl;

/// Octets of a record before its data, its owner being a pointer: owner, type, class, TTL, length.
pub const RECORD: usize = 12;
/// Offsets inside a fragment beyond this are never pointed at, so that a pointer stays below 16,384 (RFC 1035 4.1.4)
/// wherever a reply puts the fragment: header and question take at most 271 octets, and fifteen aliases before it, each
/// a DNAME and the CNAME made from it, 534 each.
const REACH: usize = 0x4000 - 271 - 15 * 534;

/// An RRset in wire form. Owners are pointers to the question's name; names in the data are compressed against each
/// other where RFC 3597 4 allows it, and keep their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    rtype: RrType,
    ttl: Ttl,
    octets: Box<[u8]>,
    /// Where each record begins.
    records: Box<[u32]>,
    /// Where a pointer stands whose target is counted from the fragment's start.
    links: Box<[u32]>,
    /// Addresses of names in the data, for the additional section.
    pub extras: Vec<Extra>,
    /// Whether it is answered as it is, whoever asks and whatever stands before it: no DNAME, no steered target.
    plain: bool,
}

/// Addresses of a name that a fragment's data point at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Where the name stands, counted from the fragment's start; 0: it is the owner.
    pub at: u16,
    /// Where its addresses come from.
    pub of: Held,
    /// Whether a reply without it is truncated: glue below the cut (RFC 9471 3.1).
    pub required: bool,
}

/// Where the addresses of a name come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// This address RRset, in the zone that owns both fragments.
    Rrset(u32),
    /// What is decided for the client: the zone's number of the service.
    Service(u32),
}

impl Fragment {
    /// Encodes an RRset: `rdata` in uncompressed wire form, at least one, each at most 65,535 octets.
    #[must_use]
    pub fn new(rtype: RrType, ttl: Ttl, rdata: &[&[u8]]) -> Self {
        let mut octets = Vec::new();
        let mut records = Vec::with_capacity(rdata.len());
        let mut links = Vec::new();
        let mut seen = HashMap::new();
        for data in rdata {
            records.push(octets.len() as u32);
            octets.extend_from_slice(&[0xc0, 0x0c]);
            octets.extend_from_slice(&rtype.0.to_be_bytes());
            octets.extend_from_slice(&[0, 1]);
            octets.extend_from_slice(&ttl.octets());
            octets.extend_from_slice(&[0, 0]);
            let start = octets.len();
            write_rdata(rtype, data, &mut octets, &mut links, &mut seen);
            let len = (octets.len() - start) as u16;
            octets[start - 2..start].copy_from_slice(&len.to_be_bytes());
        }
        let plain = rtype != RrType::DNAME;
        let (octets, records, links) = (octets.into(), records.into(), links.into());
        Self { rtype, ttl, octets, records, links, extras: Vec::new(), plain }
    }

    /// One TXT record of class CH, for the names that tell a server's identity (RFC 4892). Longer texts are cut at 255
    /// octets.
    #[must_use]
    pub fn chaos_txt(text: &str) -> Self {
        let text = &text.as_bytes()[..text.len().min(255)];
        let mut rdata = vec![text.len() as u8];
        rdata.extend_from_slice(text);
        let mut fragment = Self::new(RrType::TXT, Ttl(0), &[&rdata]);
        fragment.octets[4..6].copy_from_slice(&[0, 3]);
        fragment
    }

    /// The records' type.
    #[must_use]
    pub fn rtype(&self) -> RrType {
        self.rtype
    }

    /// The records' TTL.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Whether it is answered as it is, whoever asks and whatever stands before it: no DNAME, no steered target.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Says whose addresses go along.
    pub(in crate::engine) fn bring(&mut self, extras: Vec<Extra>) {
        self.plain &= !extras.iter().any(|extra| matches!(extra.of, Held::Service(_)));
        self.extras = extras;
    }

    /// Octets that it takes in a reply.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Never: an RRset has a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many records.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.records.len() as u16
    }

    /// Whether names in its data have addresses for the additional section.
    #[must_use]
    pub fn has_extras(&self) -> bool {
        !self.extras.is_empty()
    }

    /// The first record's data, uncompressed since nothing stands before it: a CNAME's or DNAME's target.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.octets.get(RECORD..).unwrap_or_default()
    }

    /// Where the names for the additional section stand: (offset, name in the data of record n).
    pub(in crate::engine) fn target_offsets(&self) -> impl Iterator<Item = usize> {
        let skip = match self.rtype {
            RrType::NS => Some(0),
            RrType::MX | RrType::SVCB | RrType::HTTPS => Some(2),
            RrType::SRV => Some(6),
            _ => None,
        };
        self.records.iter().filter_map(move |at| Some(*at as usize + RECORD + skip?)).filter(|at| *at < REACH)
    }

    /// Whether the order of its records may be another one from reply to reply: several addresses.
    #[must_use]
    pub fn turns(&self) -> bool {
        matches!(self.rtype, RrType::A | RrType::AAAA) && self.records.len() > 1
    }

    /// Copies it to `base` of the message. `owner` is the pointer to its owner name, `ttl` replaces the TTL. Of several
    /// addresses `turn` says which stands first, the others behind it in turn.
    #[inline]
    pub(super) fn write(&self, message: &mut [u8], base: usize, owner: u16, ttl: Option<Ttl>, turn: Option<u64>) {
        let out = &mut message[base..base + self.octets.len()];
        match turn.filter(|_| self.turns()) {
            None => out.copy_from_slice(&self.octets),
            Some(turn) => {
                // All records of a type of addresses are equally long, so that each begins where one began.
                let first = self.records.get((turn % self.records.len() as u64) as usize).map_or(0, |at| *at as usize);
                let (behind, before) = self.octets.split_at(first);
                out[..before.len()].copy_from_slice(before);
                out[before.len()..].copy_from_slice(behind);
            }
        }
        if owner != QUESTION {
            for &at in &self.records {
                out[at as usize..at as usize + 2].copy_from_slice(&owner.to_be_bytes());
            }
        }
        if let Some(ttl) = ttl {
            for &at in &self.records {
                out[at as usize + 6..at as usize + 10].copy_from_slice(&ttl.octets());
            }
        }
        for &at in &self.links {
            let at = at as usize;
            let target = u16::from_be_bytes([out[at], out[at + 1]]);
            out[at..at + 2].copy_from_slice(&pointer(base + target as usize).to_be_bytes());
        }
    }
}

/// The pointer to the question's name.
pub(super) const QUESTION: u16 = 0xc00c;

/// The pointer to an offset below 16,384.
pub(super) fn pointer(offset: usize) -> u16 {
    0xc000 | offset as u16
}

/// Appends a record's data. Only the types of RFC 1035 have their names compressed.
fn write_rdata<'a>(
    rtype: RrType,
    data: &'a [u8],
    octets: &mut Vec<u8>,
    links: &mut Vec<u32>,
    seen: &mut HashMap<&'a [u8], usize>,
) {
    let (before, names) = match rtype {
        RrType::NS | RrType::CNAME | RrType::PTR => (0, 1),
        RrType::MX => (2, 1),
        RrType::SOA => (0, 2),
        _ => (data.len(), 0),
    };
    let (head, mut rest) = data.split_at(before.min(data.len()));
    octets.extend_from_slice(head);
    for _ in 0..names {
        rest = write_name(rest, octets, links, seen);
    }
    octets.extend_from_slice(rest);
}

/// Appends the name at the start of `data`, sharing the longest tail that was written before in the same case, and
/// returns what follows it.
fn write_name<'a>(
    data: &'a [u8],
    octets: &mut Vec<u8>,
    links: &mut Vec<u32>,
    seen: &mut HashMap<&'a [u8], usize>,
) -> &'a [u8] {
    let mut end = 0;
    while let Some(&len) = data.get(end).filter(|len| **len != 0) {
        end += 1 + len as usize;
    }
    let (name, rest) = data.split_at((end + 1).min(data.len()));
    let mut at = 0;
    while name[at] != 0 {
        if let Some(&target) = seen.get(&name[at..]) {
            links.push(octets.len() as u32);
            octets.extend_from_slice(&(target as u16).to_be_bytes());
            return rest;
        }
        if octets.len() < REACH {
            seen.insert(&name[at..], octets.len());
        }
        let next = at + 1 + name[at] as usize;
        octets.extend_from_slice(&name[at..next]);
        at = next;
    }
    octets.push(0);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pointer_of_a_large_set_passes_16384_behind_the_longest_chain() {
        // Pairs of targets that share a tail, so that pointers lead to places all over the set.
        let target = |n: u32| {
            let labels = [format!("m{n:04}"), format!("g{:04}", n / 2), "net".to_owned()];
            let wire = labels.iter().flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
            wire.chain([0]).collect::<Vec<u8>>()
        };
        let data: Vec<Vec<u8>> = (0..1200).map(target).collect();
        let slices: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        let set = Fragment::new(RrType::NS, Ttl(60), &slices);
        assert!(set.len() > REACH && !set.links.is_empty());
        let targets =
            || set.links.iter().map(|&at| u16::from_be_bytes([set.octets[at as usize], set.octets[at as usize + 1]]));
        let furthest = targets().max().map_or(0, usize::from);
        assert!((REACH - 100..REACH).contains(&furthest), "{furthest} of {REACH}");
        let chain = (HEADER_AND_QUESTION, 15 * (2 * RECORD + 255 + 255));
        assert!(chain.0 + chain.1 + furthest < 0x4000);
        assert!(set.target_offsets().all(|at| at < REACH));
    }

    /// The longest there is.
    const HEADER_AND_QUESTION: usize = 12 + 255 + 4;

    #[test]
    fn only_types_of_rfc_1035_share_tails() {
        let name = b"\x01a\x04name\x03net\0";
        for (rtype, before) in
            [(RrType::SRV, 6), (RrType::DNAME, 0), (RrType::RP, 0), (RrType::HTTPS, 2), (RrType::KX, 2)]
        {
            let data = [vec![0; before], name.to_vec()].concat();
            let set = Fragment::new(rtype, Ttl(60), &[&data, &data]);
            assert_eq!((set.links.len(), set.len()), (0, 2 * (RECORD + data.len())), "{rtype}");
        }
        for (rtype, before) in [(RrType::NS, 0), (RrType::MX, 2), (RrType::PTR, 0)] {
            let data = [vec![0; before], name.to_vec()].concat();
            assert_eq!(Fragment::new(rtype, Ttl(60), &[&data, &data]).links.len(), 1, "{rtype}");
        }
        let other = b"\x01b\x04NAME\x03net\0";
        let set = Fragment::new(RrType::NS, Ttl(60), &[name, other]);
        assert_eq!(set.links.len(), 1, "`net` is shared, `NAME` keeps its case");
        assert!(set.octets.windows(4).any(|octets| octets == b"NAME"));
    }
}
