//! A length of time, in milliseconds: everything that is configured in them or counted in them. Must not know a clock, nor
//! how a length is written for people.

use serde::{Deserialize, Serialize};

/// So many milliseconds. What is reckoned with them stops at the ends: nothing is shorter than none, or longer than [`Self::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest that there is: longer than anything lasts.
    pub const MAX: Self = Self(u64::MAX);

    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Both, one after the other.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it after `other`; none where that is longer.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times as long.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reckoned_stops_at_the_ends() {
        assert_eq!(Millis(2).minus(Millis(3)), Millis::ZERO);
        assert_eq!(Millis::MAX.plus(Millis(1)), Millis::MAX);
        assert_eq!((Millis(3).times(4), Millis::MAX.times(2)), (Millis(12), Millis::MAX));
        assert_eq!((Millis::seconds(2), Millis::seconds(u64::MAX)), (Millis(2000), Millis::MAX));
        assert!(Millis::ZERO.is_zero() && !Millis(1).is_zero());
    }

    #[test]
    fn it_is_written_as_a_number() {
        assert_eq!(serde_json::to_string(&Millis(1500)).unwrap(), "1500");
        assert_eq!(serde_json::from_str::<Millis>("1500").unwrap(), Millis(1500));
    }
}
