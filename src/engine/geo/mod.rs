//! Where addresses are, how far regions are from there, and how broad each finding is: one bit trie with disjoint
//! leaves, compiled into maps from addresses to catchments. Must not know files, DNS messages or pools.

use super::types::{Prefix, RegionId};

/// A point on the globe in ten-thousandths of a degree, so that it can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    /// North, -900,000 to 900,000.
    pub lat: i32,
    /// East, -1,800,000 to 1,800,000.
    pub lon: i32,
}

/// Where a client is, as far as anybody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// Two letters: EU, NA, …
    pub continent: Option<[u8; 2]>,
    /// ISO 3166-1 alpha-2, in capitals.
    pub country: Option<[u8; 2]>,
    /// ISO 3166-2 without the country: `CA` for California.
    pub subdivision: Option<Box<str>>,
    /// The city's English name, for people.
    pub city: Option<Box<str>>,
    /// The point.
    pub coordinates: Option<Coordinates>,
    /// Who announces the address.
    pub asn: Option<u32>,
}

/// What is known of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegionPoint {
    /// Where it is; without it the region comes last in `rtt` and `distance`.
    pub location: Option<Coordinates>,
}

/// Where addresses are: one trie with disjoint leaves over everything that knows.
#[derive(Debug, Default)]
pub struct Atlas;

/// What an [`Atlas`] knows of one prefix.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    /// Where it is; none when nobody knows.
    pub location: Option<&'a Location>,
    /// Who says so: the names of the files, for people.
    pub source: &'a str,
    /// The leaf that holds it.
    pub leaf: Prefix,
    /// Whether the address is of a special-purpose block.
    pub special: bool,
}

impl Atlas {
    /// What is known of `client`, which is normalised first.
    #[must_use]
    pub fn find(&self, client: Prefix) -> Spot<'_> {
        Spot { location: None, source: "", leaf: client, special: false }
    }
}

/// An address in its plain form, and how many bits of the given form stand before it.
#[must_use]
pub fn normalise(prefix: Prefix) -> (Prefix, u8) {
    (prefix, 0)
}

/// From addresses to catchments.
#[derive(Debug)]
pub struct Map {
    rule: Rule,
}

impl Map {
    /// Merges the atlas's leaves into catchments: equal bands in every health state.
    #[must_use]
    pub fn compile(_atlas: &Atlas, _points: &[RegionPoint], rule: &Rule, _cuts: &Cuts) -> Self {
        Self { rule: rule.clone() }
    }

    /// What it was made for.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The catchment of a normalised client.
    #[must_use]
    pub fn find(&self, client: Prefix) -> Piece {
        Piece { catchment: 0, prefix: client.cut(0), special: false }
    }

    /// The members of `eligible` (bits by position in the rule's regions) that the rule's `key`-th key leaves, for
    /// clients of `catchment`.
    #[must_use]
    pub fn best(&self, _catchment: u32, _key: usize, eligible: u64) -> u64 {
        eligible
    }
}

/// Lengths that bound the pieces of a map, for (v4, v6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cuts {
    /// No piece is wider.
    pub widest: [u8; 2],
    /// No piece is finer: the map itself is cut, the class that covers most of a prefix has it.
    pub finest: [u8; 2],
}

impl Default for Cuts {
    fn default() -> Self {
        Self { widest: [0, 0], finest: [24, 56] }
    }
}

/// A key that asks where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeoKey {
    /// Expected round-trip time, in tenths of a millisecond.
    Rtt,
    /// Great-circle distance, in kilometres.
    Distance,
}

/// What a map is made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The regions that are compared, at most 64, in id order: bit n of a set is the n-th of them.
    pub regions: Vec<RegionId>,
    /// The keys in turn, each with how much worse than the best still counts as equal.
    pub keys: Vec<(GeoKey, u32)>,
    /// Sets of regions that can meet in a comparison (an `order` key before these keys separates the others).
    pub groups: Vec<u64>,
    /// How many regions keep their order; name order beyond.
    pub depth: u8,
}

/// What a map knows of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which catchment.
    pub catchment: u32,
    /// The widest prefix around the client that the map treats alike.
    pub prefix: Prefix,
    /// Whether the address is of a special-purpose block, so that it says nothing of where the client is.
    pub special: bool,
}
