//! The words that every other part of the engine speaks: numbers that index a compiled configuration, moments,
//! lengths of time, chances, address prefixes. Knows nothing but the standard library, how serde writes them, and
//! [`Millis`], in which `probing` counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

pub use crate::probing::millis::Millis;

// ----- Indices -----------------------------------------------------------------------------------------------

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident($repr:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $repr);
        impl $name {
            /// The position in the table that this number indexes.
            #[must_use]
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index! {
    /// A region, in name order.
    RegionId(u16);
    /// A pool, in name order.
    PoolId(u32);
    /// An endpoint of any pool; a pool's endpoints are neighbours, in name order.
    EndpointId(u32);
    /// A service, in name order.
    ServiceId(u32);
    /// A policy after presets and `extends` are resolved; equal policies share one.
    PolicyId(u32);
    /// A pool under a policy, with the map that both want: the n-th pool under its own policy is the n-th route.
    RouteId(u32);
    /// One (monitor, address) that is probed, however many endpoints use it.
    TargetId(u32);
    /// A zone, in name order.
    ZoneId(u32);
    /// A compiled map from addresses to catchments.
    MapId(u32);
}

// ----- Sets of endpoints -------------------------------------------------------------------------------------

/// The positions whose bits are set, lowest first.
pub fn members(mut set: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let n = (set != 0).then(|| set.trailing_zeros() as u8)?;
        set &= set - 1;
        Some(n)
    })
}

// ----- Time and chance ---------------------------------------------------------------------------------------

/// A moment, in Unix milliseconds by the clock of this node, which never goes back. Plain, so that a test, a log or a journal
/// can write it down. Simulations and tests may count from any moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct At(pub u64);

impl At {
    /// From `earlier` to this moment; none when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }

    /// So long after this moment.
    #[must_use]
    pub fn plus(self, wait: Millis) -> Self {
        Self(self.0.saturating_add(wait.0))
    }

    /// So long before this moment, and not before all moments.
    #[must_use]
    pub fn minus(self, age: Millis) -> Self {
        Self(self.0.saturating_sub(age.0))
    }
}

/// A moment that may lie before the start of this process, by the same clock, and in a simulation before moment 0: an earlier
/// process has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Past(i64);

impl Past {
    /// So long before a moment.
    #[must_use]
    pub fn ago(now: At, age: Millis) -> Self {
        Self(whole(now.0).saturating_sub(whole(age.0)))
    }

    /// From it to `now`; none when it is later.
    #[must_use]
    pub fn until(self, now: At) -> Millis {
        Millis(u64::try_from(whole(now.0).saturating_sub(self.0)).unwrap_or_default())
    }

    /// So long after it, and not before this process.
    #[must_use]
    pub fn after(self, wait: Millis) -> At {
        At(u64::try_from(self.0.saturating_add(whole(wait.0))).unwrap_or_default())
    }
}

impl From<At> for Past {
    fn from(at: At) -> Self {
        Self(whole(at.0))
    }
}

fn whole(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// Wall-clock time in milliseconds since 1970. In an answer it numbers slots and does nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnixMillis(pub u64);

/// What a decision may know of time and chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chance {
    /// Numbers the slots of `ttl.max`.
    pub now: UnixMillis,
    /// The query's own random number, which only the spread `random` uses, and the order of several addresses.
    pub random: u64,
    /// Replaces every draw: `explain --draw`, and tests that enumerate shares.
    pub draw: Option<u64>,
}

impl Chance {
    /// The number that the query brings itself, or what replaces it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.draw.unwrap_or(self.random)
    }
}

// ----- Addresses ---------------------------------------------------------------------------------------------

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::V4 { "IPv4" } else { "IPv6" })
    }
}

impl Family {
    /// Both families, in the order of tables indexed by family.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// 32 or 128.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    /// The position in a table of two.
    #[must_use]
    pub fn at(self) -> usize {
        self as usize
    }
}

/// One value for each address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PerFamily<T> {
    /// Of IPv4.
    pub v4: T,
    /// Of IPv6.
    pub v6: T,
}

impl PerFamily<u64> {
    /// The endpoints, as bits, that are in the set of either family.
    #[must_use]
    #[inline]
    pub fn any(self) -> u64 {
        self.v4 | self.v6
    }
}

impl<T> PerFamily<T> {
    /// Of IPv4, of IPv6.
    #[must_use]
    #[inline]
    pub const fn new(v4: T, v6: T) -> Self {
        Self { v4, v6 }
    }

    /// What a function makes of each family.
    pub fn of(make: impl Fn(Family) -> T) -> Self {
        Self { v4: make(Family::V4), v6: make(Family::V6) }
    }

    /// What a function makes of each value.
    #[inline]
    pub fn map<U>(self, make: impl Fn(T) -> U) -> PerFamily<U> {
        PerFamily { v4: make(self.v4), v6: make(self.v6) }
    }

    /// Both values, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.v4, &self.v6].into_iter()
    }

    /// Both values to be changed, IPv4 first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        [&mut self.v4, &mut self.v6].into_iter()
    }
}

impl<T> IntoIterator for PerFamily<T> {
    type Item = T;
    type IntoIter = std::array::IntoIter<T, 2>;

    fn into_iter(self) -> Self::IntoIter {
        [self.v4, self.v6].into_iter()
    }
}

impl<T: PartialEq> PerFamily<T> {
    /// Whether it is the value of either family.
    pub fn contains(&self, value: &T) -> bool {
        self.v4 == *value || self.v6 == *value
    }
}

impl<T> std::ops::Index<Family> for PerFamily<T> {
    type Output = T;

    #[inline]
    fn index(&self, family: Family) -> &T {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl<T> std::ops::IndexMut<Family> for PerFamily<T> {
    #[inline]
    fn index_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

/// An address prefix. The address bits stand at the top of `bits` for both families, and all bits beyond `len`
/// are zero, so equal prefixes are equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    family: Family,
    bits: u128,
    len: u8,
}

impl Prefix {
    /// The prefix of `len` bits that holds `address`; `len` is cut to the family's width.
    #[must_use]
    pub fn new(address: IpAddr, len: u8) -> Self {
        Self::from_bits(Family::of(address), bits_of(address), len)
    }

    /// From address bits that stand at the top of `bits`; what lies beyond `len` is cleared.
    #[must_use]
    #[inline]
    pub fn from_bits(family: Family, bits: u128, len: u8) -> Self {
        let len = len.min(family.bits());
        Self { family, bits: bits & mask(len), len }
    }

    /// The whole address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        let family = Family::of(address);
        Self { family, bits: bits_of(address), len: family.bits() }
    }

    /// The family.
    #[must_use]
    pub fn family(self) -> Family {
        self.family
    }

    /// The address bits, from the top, cleared beyond the length.
    #[must_use]
    pub fn bits(self) -> u128 {
        self.bits
    }

    /// The length in bits.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a prefix of length 0 is the whole space, not an empty thing")]
    pub fn len(self) -> u8 {
        self.len
    }

    /// The first address inside.
    #[must_use]
    pub fn address(self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from_bits((self.bits >> 96) as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(self.bits)),
        }
    }

    /// This prefix made shorter, or itself when it is no longer than `len`.
    #[must_use]
    pub fn cut(self, len: u8) -> Self {
        Self::from_bits(self.family, self.bits, self.len.min(len))
    }

    /// Whether every address of `other` lies inside this prefix.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.family == other.family && self.len <= other.len && other.bits & mask(self.len) == self.bits
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address(), self.len)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.to_string()
    }
}

/// What is no prefix as [`Prefix`] is written: `192.0.2.0/24`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPrefix(Box<str>);

impl std::fmt::Display for NoPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is no prefix such as 192.0.2.0/24", self.0)
    }
}

impl TryFrom<String> for Prefix {
    type Error = NoPrefix;

    fn try_from(text: String) -> Result<Self, NoPrefix> {
        let parts = text.split_once('/').and_then(|(address, len)| Some((address.parse().ok()?, len.parse().ok()?)));
        let parts = parts.filter(|(address, len)| *len <= Family::of(*address).bits());
        parts.map(|(address, len)| Self::new(address, len)).ok_or_else(|| NoPrefix(text.into()))
    }
}

/// An address, at the top.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn mask(len: u8) -> u128 {
    if len == 0 { 0 } else { u128::MAX << (128 - u32::from(len)) }
}

/// Where a query came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The sender's address: a resolver, as a rule.
    pub source: IpAddr,
    /// How it arrived.
    pub transport: Transport,
}

/// How a query arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: the reply is cut to what the client said it takes.
    Udp,
    /// A stream: up to 65,535 bytes, as with all that follow.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484).
    Https,
    /// DNS over QUIC (RFC 9250).
    Quic,
}

impl std::fmt::Display for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Https => "HTTPS",
            Self::Quic => "QUIC",
        })
    }
}

impl Transport {
    /// Whether a reply has the length limit of a datagram.
    #[must_use]
    pub fn is_datagram(self) -> bool {
        matches!(self, Self::Udp)
    }
}
