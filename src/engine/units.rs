//! Numbers with their units: what is counted in parts, in time or in distance is a type of its own, so that one unit is
//! not taken for another. Knows nothing of what is measured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::probing::millis::Millis;

/// A share of a service's blocks in parts of 2²⁰, at most [`Admission::ALL`]; also the number of a block, which lies
/// below that. An endpoint takes the blocks whose numbers lie below its admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Admission(pub u32);

impl Admission {
    /// No block.
    pub const NONE: Self = Self(0);
    /// Every block.
    pub const ALL: Self = Self(1 << 20);

    /// So many of `whole` equal parts, rounded down; all, where `count` is no less than `whole`.
    #[must_use]
    #[inline]
    pub fn parts(count: u32, whole: u32) -> Self {
        let product = u64::from(Self::ALL.0) * u64::from(count.min(whole));
        product.checked_div(whole.into()).map_or(Self::ALL, |parts| Self(parts as u32))
    }

    /// The nearest one to a fraction from 0 to 1.
    #[must_use]
    pub fn nearest(fraction: f64) -> Self {
        Self((fraction * f64::from(Self::ALL.0)).round() as u32)
    }

    /// The largest one that is no more than a fraction from 0 to 1.
    #[must_use]
    pub fn within(fraction: f64) -> Self {
        Self((fraction * f64::from(Self::ALL.0)) as u32)
    }

    /// As a fraction from 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALL.0)
    }

    /// Whether every block is taken.
    #[must_use]
    #[inline]
    pub fn is_all(self) -> bool {
        self >= Self::ALL
    }

    /// This part of another share, rounded down.
    #[must_use]
    #[inline]
    pub fn of(self, share: Self) -> Self {
        Self((u64::from(self.0) * u64::from(share.0) / u64::from(Self::ALL.0)) as u32)
    }

    /// Which part of `share` it is, rounded down; all, where it is no less.
    #[must_use]
    pub fn out_of(self, share: Self) -> Self {
        let parts = u64::from(self.0) * u64::from(Self::ALL.0) / u64::from(share.0.max(1));
        Self(parts.min(Self::ALL.0.into()) as u32)
    }

    /// What is not taken.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(Self::ALL.0.saturating_sub(self.0))
    }
}

/// A round-trip time, or the time that a target takes to answer, in tenths of a millisecond. [`Rtt::UNKNOWN`] is longer
/// than any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Rtt(pub u32);

impl Rtt {
    /// It cannot be said.
    pub const UNKNOWN: Self = Self(u32::MAX);
    /// The shortest that is measured: 0 says that nothing is.
    pub const SHORTEST: Self = Self(1);

    /// The nearest one to so many tenths of a millisecond, at least [`Self::SHORTEST`].
    #[must_use]
    pub fn nearest(tenths: f64) -> Self {
        Self(tenths.round() as u32).max(Self::SHORTEST)
    }

    /// In milliseconds, for people.
    #[must_use]
    pub fn millis(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// In microseconds.
    #[must_use]
    pub fn micros(self) -> u64 {
        u64::from(self.0) * 100
    }

    /// One after the other; never [`Self::UNKNOWN`] anew by wrapping around.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    /// Longer or, below 0, shorter by so many tenths of a millisecond.
    #[must_use]
    pub fn biased(self, tenths: i32) -> Self {
        Self(self.0.saturating_add_signed(tenths))
    }

    /// Longer by such a part of itself.
    #[must_use]
    pub fn grown(self, by: Permille) -> Self {
        Self((u64::from(self.0) * (1000 + u64::from(by.0)) / 1000).min(u32::MAX.into()) as u32)
    }

    /// By how much two differ.
    #[must_use]
    pub fn apart(self, other: Self) -> Self {
        Self(self.0.abs_diff(other.0))
    }
}

/// A share or a ratio in parts of a thousand; a ratio may lie above [`Permille::WHOLE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Permille(pub u32);

impl Permille {
    /// All of it, or a ratio of one.
    pub const WHOLE: Self = Self(1000);

    /// The nearest one to a ratio.
    #[must_use]
    pub fn nearest(ratio: f64) -> Self {
        Self((ratio * 1000.0).round() as u32)
    }

    /// As a ratio.
    #[must_use]
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// So much of a number, rounded up: nothing only where either is.
    #[must_use]
    pub fn up_of(self, number: u32) -> u64 {
        (u64::from(number) * u64::from(self.0)).div_ceil(1000)
    }

    /// As a share of blocks; never more than all.
    #[must_use]
    pub fn admission(self) -> Admission {
        Admission::parts(self.0, 1000)
    }
}

impl fmt::Display for Permille {
    /// `12 %`, `12.5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{} %", self.0 / 10),
            tenth => write!(f, "{}.{tenth} %", self.0 / 10),
        }
    }
}

/// A great-circle distance in whole kilometres. [`Kilometres::UNKNOWN`] is farther than any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Kilometres(pub u32);

impl Kilometres {
    /// It cannot be said.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// As much farther.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl fmt::Display for Kilometres {
    /// `512 km`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} km", self.0)
    }
}

/// How long a record may be kept, in seconds: at most 2³¹ − 1 (RFC 2181 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Ttl(pub u32);

impl Ttl {
    /// Longer than any.
    pub const MAX: Self = Self(u32::MAX);

    /// As a length of time.
    #[must_use]
    #[inline]
    pub fn millis(self) -> Millis {
        Millis::seconds(self.0.into())
    }

    /// As it stands in a record.
    #[must_use]
    #[inline]
    pub fn octets(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Ttl {
    /// The number, as zone files and `dig` write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
