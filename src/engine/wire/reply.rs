//! What is answered, before it is octets: codes and parts that borrow the Snapshot and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrayvec::ArrayVec;

use super::{
    edns::Notice,
    fragment::Fragment,
    rr::{Rcode, RrType},
};
use crate::engine::{
    types::{Family, PerFamily, RouteId},
    units::Ttl,
};

/// The most parts of an answer section: aliases of a chain, and what stands at its end.
pub const MAX_PARTS: usize = 17;

/// The most steered names that a reply says addresses of in its additional section.
pub const MAX_TARGETS: usize = 8;

/// The most RRsets of an authority section: an SOA and three proofs that a name or type is absent, each with its signatures
/// (RFC 5155 7.2).
pub const MAX_AUTHORITY: usize = 8;

/// The most octets of a text that is made for one client.
pub const MAX_TEXT: usize = 256;

/// A decided reply.
#[derive(Debug)]
pub struct Reply<'s> {
    /// The response code.
    pub rcode: Rcode,
    /// Whether the answer is ours to give (RFC 1034 4.1: AA).
    pub authoritative: bool,
    /// The answer section, in order. Each part is owned by the current name: the question's, or the last alias's target.
    pub answers: ArrayVec<Part<'s>, MAX_PARTS>,
    /// The authority section, in order: SOA of a negative answer, NS of a referral.
    pub authority: ArrayVec<Authority<'s>, MAX_AUTHORITY>,
    /// For each family, the positions of the chosen endpoints whose address of it is told, in the order of the reply. An
    /// answer of one family reads only that one.
    pub chosen: PerFamily<ArrayVec<u8, 64>>,
    /// For steered names that records of the answer point at, what A and AAAA queries of theirs would say.
    pub targets: ArrayVec<SteeredTarget<'s>, MAX_TARGETS>,
    /// What [`Part::Https`] hints at, for each family.
    pub hints: PerFamily<List<'s>>,
    /// What [`Part::Text`] says: character-strings as they stand in TXT data, one at least.
    pub text: ArrayVec<u8, MAX_TEXT>,
    /// Where the zone of the question keeps the fragments that extras name.
    pub fragments: &'s [Fragment],
    /// Which of several addresses stands first, by how many there are: those of a zone file, and of a list of the
    /// configuration. None: as they are written. What is decided has its order already.
    pub turn: Option<u64>,
    /// The scope that goes out with the client subnet option, when the query has one (RFC 7871 7.2.1).
    pub scope: u8,
    /// Which clients it is for, where a pool's endpoints answer.
    pub counted: Option<Counted>,
    /// What people should know of it, where the query has EDNS and there is room.
    pub notice: Option<Notice>,
}

/// What a reply amounts to. Rate limits count each class apart, so that a flood of one kind of query does not silence the
/// answers to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseClass {
    /// Records in the answer section.
    Answer,
    /// The name exists, the type does not (RFC 2308 2.2).
    NoData,
    /// The name does not exist (RFC 2308 2.1).
    NxDomain,
    /// The name servers of a child zone.
    Referral,
    /// Any other code.
    Error,
}

/// Which clients an answer of a pool's endpoints is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The route through the pool.
    pub route: RouteId,
    /// The client's catchment on the route's map; 0 where it has none.
    pub catchment: u32,
    /// How long it may be kept.
    pub ttl: Ttl,
}

/// Addresses of a steered name that a record of the answer points at. They are only a service to the client.
#[derive(Debug)]
pub struct SteeredTarget<'s> {
    /// Where the name stands, as its [`Extra`](super::fragment::Extra) has it.
    pub at: u16,
    /// For each family.
    pub told: PerFamily<TargetAddresses<'s>>,
}

/// Addresses of one family that go along in the additional section.
#[derive(Clone, Copy, Debug, Default)]
pub struct TargetAddresses<'s> {
    /// Whose.
    pub list: List<'s>,
    /// Which of [`Reply::chosen`] of the family: the first, and how many.
    pub chosen: (u8, u8),
    /// How long they may be kept.
    pub ttl: Ttl,
}

/// One stretch of the answer section.
#[derive(Debug)]
pub enum Part<'s> {
    /// An RRset of the current name.
    Rrset(&'s Fragment),
    /// A CNAME of the current name; its target becomes the current name. A TTL replaces the CNAME's own: that of the
    /// decision, where an endpoint or a fallback is another name.
    Alias(&'s Fragment, Option<Ttl>),
    /// A DNAME above the current name, and the CNAME made from it (RFC 6672 3.1), whose target becomes the current name.
    Redirect {
        /// The DNAME.
        dname: &'s Fragment,
        /// Octets of the current name before the DNAME's owner.
        keep: u8,
        /// Whether the made name fits into 255 octets; otherwise only the DNAME goes out, with YXDOMAIN.
        fits: bool,
    },
    /// Address records of the current name, made of a decision.
    Addresses {
        /// A or AAAA.
        family: Family,
        /// How long it may be kept.
        ttl: Ttl,
        /// Whose.
        list: List<'s>,
    },
    /// The HTTPS record of the current name, made of a decision: priority 1, the name itself as the target (RFC 9460
    /// 2.5.2).
    Https {
        /// How long it may be kept.
        ttl: Ttl,
        /// The parameters before the hints, as [`https_head`](super::write::https_head) encodes them.
        head: &'s [u8],
    },
    /// The address of the client itself, TTL 0: A or AAAA, as it is.
    Own(IpAddr),
    /// A TXT record of [`Reply::text`], TTL 0.
    Text,
}

/// Addresses of one family that a decision comes to.
#[derive(Clone, Copy, Debug, Default)]
pub enum List<'s> {
    /// No address.
    #[default]
    Empty,
    /// Those of the chosen endpoints: [`Reply::chosen`] of the family are positions in this table.
    Chosen(&'s [Addresses]),
    /// Those of the family in a list of the configuration: for when all is lost, or for whom fences leave nothing.
    Listed(&'s [IpAddr]),
}

impl<'s> List<'s> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The table that the chosen are positions in, and the list; at most one of them holds anything.
    pub(super) fn parts(&self) -> (&'s [Addresses], &'s [IpAddr]) {
        match *self {
            Self::Empty => (&[], &[]),
            Self::Chosen(table) => (table, &[]),
            Self::Listed(list) => (&[], list),
        }
    }
}

/// An endpoint's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4.
    pub v4: Option<Ipv4Addr>,
    /// IPv6.
    pub v6: Option<Ipv6Addr>,
}

/// An RRset of the authority section.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'s> {
    /// The RRset.
    pub rrset: &'s Fragment,
    /// Octets of its owner, which is the tail of the current name.
    pub owner_len: u8,
    /// A TTL that replaces the RRset's own.
    pub ttl: Option<Ttl>,
}

impl<'s> Reply<'s> {
    /// A reply that says nothing but its code.
    #[must_use]
    pub fn bare(rcode: Rcode) -> Self {
        Self {
            rcode,
            authoritative: false,
            answers: ArrayVec::new(),
            authority: ArrayVec::new(),
            chosen: PerFamily { v4: ArrayVec::new(), v6: ArrayVec::new() },
            targets: ArrayVec::new(),
            hints: PerFamily { v4: List::Empty, v6: List::Empty },
            text: ArrayVec::new(),
            fragments: &[],
            turn: None,
            scope: 0,
            counted: None,
            notice: None,
        }
    }

    /// What it amounts to.
    #[must_use]
    #[inline]
    pub fn class(&self) -> ResponseClass {
        match self.rcode {
            Rcode::NoError if !self.answers.is_empty() => ResponseClass::Answer,
            Rcode::NoError if self.authority.first().is_some_and(|first| first.rrset.rtype() == RrType::NS) => {
                ResponseClass::Referral
            }
            Rcode::NoError => ResponseClass::NoData,
            Rcode::NxDomain => ResponseClass::NxDomain,
            _ => ResponseClass::Error,
        }
    }
}
