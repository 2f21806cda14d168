//! What is answered, before it is octets: codes and parts that borrow the Snapshot and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrayvec::ArrayVec;

use super::{fragment::Fragment, rr::Rcode};
use crate::engine::types::Family;

/// The most parts of an answer section: aliases of a chain, and what stands at its end.
pub const MAX_PARTS: usize = 17;

/// A decided reply.
#[derive(Debug)]
pub struct Reply<'s> {
    /// The response code.
    pub rcode: Rcode,
    /// Whether the answer is ours to give (RFC 1034 4.1: AA).
    pub authoritative: bool,
    /// The answer section, in order. Each part is owned by the current name: the question's, or the last alias's target.
    pub answers: ArrayVec<Part<'s>, MAX_PARTS>,
    /// The authority section: SOA of a negative answer, NS of a referral.
    pub authority: Option<Authority<'s>>,
    /// Positions of the chosen endpoints, in the order of the reply.
    pub chosen: ArrayVec<u8, 64>,
    /// Where the table keeps the fragments that extras name.
    pub fragments: &'s [Fragment],
    /// The scope that goes out with the client subnet option, when the query has one (RFC 7871 7.2.1).
    pub scope: u8,
}

/// One stretch of the answer section.
#[derive(Debug)]
pub enum Part<'s> {
    /// An RRset of the current name.
    Rrset(&'s Fragment),
    /// A CNAME of the current name; its target becomes the current name.
    Alias(&'s Fragment),
    /// A DNAME above the current name, and the CNAME made from it (RFC 6672 3.1), whose target becomes the current name.
    Redirect {
        /// The DNAME.
        dname: &'s Fragment,
        /// Octets of the current name before the DNAME's owner.
        keep: u8,
        /// Whether the made name fits into 255 octets; otherwise only the DNAME goes out, with YXDOMAIN.
        fits: bool,
    },
    /// Addresses of chosen endpoints.
    Chosen {
        /// A or AAAA.
        family: Family,
        /// Seconds.
        ttl: u32,
        /// The pool's addresses, to which [`Reply::chosen`] are positions.
        table: &'s [Addresses],
    },
    /// Addresses that the configuration lists for when all is lost.
    Listed {
        /// A or AAAA.
        family: Family,
        /// Seconds.
        ttl: u32,
        /// Addresses of either family.
        list: &'s [IpAddr],
    },
}

/// An endpoint's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4.
    pub v4: Option<Ipv4Addr>,
    /// IPv6.
    pub v6: Option<Ipv6Addr>,
}

/// The authority section.
#[derive(Debug)]
pub struct Authority<'s> {
    /// The RRset.
    pub rrset: &'s Fragment,
    /// Octets of its owner, which is the tail of the current name.
    pub owner_len: u8,
    /// A TTL that replaces the RRset's own.
    pub ttl: Option<u32>,
}

impl<'s> Reply<'s> {
    /// A reply that says nothing but its code.
    #[must_use]
    pub fn bare(rcode: Rcode, fragments: &'s [Fragment]) -> Self {
        Self {
            rcode,
            authoritative: false,
            answers: ArrayVec::new(),
            authority: None,
            chosen: ArrayVec::new(),
            fragments,
            scope: 0,
        }
    }
}
