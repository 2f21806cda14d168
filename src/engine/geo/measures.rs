//! Measured round-trip times, by client and region. Must not know where they come from, nor when they are believed.

use serde::{Deserialize, Serialize};

use super::marks::Numbers;
use crate::engine::{
    types::{Millis, PerFamily, Prefix, RegionId},
    units::Rtt,
};

/// Whose round trips a measured value holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Addresses. What this server measures by itself is never finer than [`Self::FINEST`].
    Net(Prefix),
    /// Who announces the address.
    Asn(u32),
    /// ISO 3166-1 alpha-2, in capitals.
    Country(#[serde(with = "country")] [u8; 2]),
}

/// How a country is written: as text.
mod country {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(country: &[u8; 2], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&country.escape_ascii())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 2], D::Error> {
        let text = String::deserialize(deserializer)?;
        let letters = text.as_bytes().try_into().ok().filter(|two: &[u8; 2]| two.iter().all(u8::is_ascii_uppercase));
        letters.ok_or_else(|| D::Error::custom(format!("{text:?} is no country of two capitals")))
    }
}

impl Whose {
    /// The longest prefixes that are measured apart of each family, so that no single client is. A file may state finer ones.
    pub const FINEST: PerFamily<u8> = PerFamily::new(24, 48);
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Net(prefix) => prefix.fmt(f),
            Self::Asn(asn) => write!(f, "AS{asn}"),
            Self::Country([a, b]) => write!(f, "{}{}", char::from(*a), char::from(*b)),
        }
    }
}

/// A measured round-trip time that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The time.
    pub rtt: Rtt,
    /// How many measurements it was made from; none: it was stated, not measured.
    pub samples: Option<u32>,
    /// How old it was when it was taken over.
    pub age: Millis,
}

/// Measured round-trip times, by client and region.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    rows: Numbers<Whose, Vec<(RegionId, Measured)>>,
}

impl Measures {
    /// Of cells in any order; of two for one client and region the last.
    #[must_use]
    pub fn new(cells: impl IntoIterator<Item = (Whose, RegionId, Measured)>) -> Self {
        let mut rows: Numbers<Whose, Vec<(RegionId, Measured)>> = Numbers::default();
        for (whose, region, measured) in cells {
            let row = rows.entry(whose).or_default();
            match row.binary_search_by_key(&region, |(known, _)| *known) {
                Ok(at) => row[at].1 = measured,
                Err(at) => row.insert(at, (region, measured)),
            }
        }
        Self { rows }
    }

    /// Whether nothing is measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether both hold the same values, however old they are.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        let same = |(whose, row): (&Whose, &Vec<(RegionId, Measured)>)| {
            let values = |row: &[(RegionId, Measured)]| row.iter().map(|(at, measured)| (*at, measured.rtt)).collect();
            let (mine, others): (Vec<_>, Vec<_>) = (values(row), values(other.of(*whose)));
            mine == others
        };
        self.rows.len() == other.rows.len() && self.rows.iter().all(same)
    }

    /// The prefixes that have a row.
    pub fn nets(&self) -> impl Iterator<Item = Prefix> {
        self.rows.keys().filter_map(|whose| match whose {
            Whose::Net(prefix) => Some(*prefix),
            Whose::Asn(_) | Whose::Country(_) => None,
        })
    }

    /// The row of a client, in id order of regions; empty where there is none.
    #[must_use]
    pub fn of(&self, whose: Whose) -> &[(RegionId, Measured)] {
        self.rows.get(&whose).map_or(&[], Vec::as_slice)
    }
}
