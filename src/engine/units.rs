//! Numbers with their units: what is counted in parts, in time or in distance is a type of its own, so that one unit is
//! not taken for another. Knows nothing of what is measured.

use serde::{Deserialize, Serialize};

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
