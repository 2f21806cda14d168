//! Address blocks that say nothing of where a client is, and IPv6 forms that carry an IPv4 address. Must not know
//! what is compiled from them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::engine::types::{Family, Prefix};

/// A block with a meaning of its own.
#[derive(Debug)]
pub(super) struct Block {
    address: IpAddr,
    len: u8,
    /// What it is for, for people.
    pub(super) name: &'static str,
}

impl Block {
    /// Its addresses.
    pub(super) fn prefix(&self) -> Prefix {
        Prefix::new(self.address, self.len)
    }
}

const fn v4(octets: [u8; 4], len: u8, name: &'static str) -> Block {
    let [a, b, c, d] = octets;
    Block { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), len, name }
}

const fn v6(groups: [u16; 8], len: u8, name: &'static str) -> Block {
    let [a, b, c, d, e, f, g, h] = groups;
    Block { address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), len, name }
}

/// The blocks of the IANA special-purpose registries (RFC 6890) that are not globally reachable, and multicast. Left
/// out on purpose: the documentation blocks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32,
/// 3fff::/20), which examples and tests use as ordinary clients.
pub(super) const SPECIAL: &[Block] = &[
    v4([0, 0, 0, 0], 8, "this network (RFC 791)"),
    v4([10, 0, 0, 0], 8, "private use (RFC 1918)"),
    v4([100, 64, 0, 0], 10, "shared address space (RFC 6598)"),
    v4([127, 0, 0, 0], 8, "loopback (RFC 1122)"),
    v4([169, 254, 0, 0], 16, "link local (RFC 3927)"),
    v4([172, 16, 0, 0], 12, "private use (RFC 1918)"),
    v4([192, 0, 0, 0], 24, "IETF protocol assignments (RFC 6890)"),
    v4([192, 168, 0, 0], 16, "private use (RFC 1918)"),
    v4([198, 18, 0, 0], 15, "benchmarking (RFC 2544)"),
    v4([224, 0, 0, 0], 4, "multicast (RFC 5771)"),
    v4([240, 0, 0, 0], 4, "reserved (RFC 1112)"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified address (RFC 4291)"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback (RFC 4291)"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "local-use translation (RFC 8215)"),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discard only (RFC 6666)"),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, "dummy prefix (RFC 9780)"),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, "benchmarking (RFC 5180)"),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, "ORCHID (RFC 4843)"),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "segment routing (RFC 9602)"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local (RFC 4193)"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link local (RFC 4291)"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "site local (RFC 3879)"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast (RFC 4291)"),
];

/// An IPv6 block whose addresses carry an IPv4 address.
#[derive(Debug)]
pub(super) struct Embedding {
    /// The block.
    pub(super) block: Block,
    /// How many bits stand before the IPv4 address.
    pub(super) offset: u8,
    /// Whether the IPv4 bits are inverted.
    inverted: bool,
}

const fn embedding(groups: [u16; 8], len: u8, name: &'static str, offset: u8, inverted: bool) -> Embedding {
    Embedding { block: v6(groups, len, name), offset, inverted }
}

/// The forms that are read as the IPv4 address inside. `::` and `::1` are no IPv4-compatible addresses.
pub(super) const EMBEDDINGS: &[Embedding] = &[
    embedding([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible (RFC 4291)", 96, false),
    embedding([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped (RFC 4291)", 96, false),
    embedding([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "IPv4-translated (RFC 2765)", 96, false),
    embedding([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "NAT64 (RFC 6052)", 96, false),
    embedding([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4 (RFC 3056)", 16, false),
    embedding([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo (RFC 4380)", 96, true),
];

/// The IPv4 prefix that an IPv6 prefix carries, and how many bits stand before it, so that a scope in the query's own
/// form is that number plus the scope found for the IPv4 prefix. Everything else comes back as it is, with 0. A prefix
/// that lies inside such a block and ends before the IPv4 address stands for any IPv4 address (length 0).
///
/// One that is wider than the block is no embedded address: it stays IPv6, where the block is a leaf of its own, so
/// that scopes found in either family never overlap.
#[must_use]
pub fn normalise(client: Prefix) -> (Prefix, u8) {
    if client.family() == Family::V4 || client.len() == 128 && client.bits() <= 1 {
        return (client, 0);
    }
    let Some(form) = EMBEDDINGS.iter().find(|form| form.block.prefix().contains(client)) else { return (client, 0) };
    let bits = if form.inverted { !client.bits() } else { client.bits() };
    // The IPv4 bits are moved to the top, where `from_bits` clears what follows the length.
    (Prefix::from_bits(Family::V4, bits << form.offset, client.len().saturating_sub(form.offset)), form.offset)
}
