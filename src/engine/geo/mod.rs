//! Where addresses are, how far regions are from there, and how broad each finding is: one bit trie with disjoint
//! leaves, compiled into maps from addresses to catchments. Must not know files, DNS messages or pools.

use super::types::{Prefix, RegionId};

mod atlas;
mod centroids;
mod classes;
mod database;
mod estimate;
mod ground;
mod map;
mod measures;
#[cfg(test)]
mod properties;
mod ranking;
mod select;
mod special;
#[cfg(test)]
mod tests;
mod trie;

pub use atlas::{Atlas, AtlasBuilder, Fact, Spot};
pub use centroids::is_country;
pub use database::Database;
pub use estimate::{Estimate, Estimator, How, PLACE, SCALE_ONE, Start, distance_km, nearest_country};
pub use ground::{Ground, Model};
pub use map::Map;
pub use measures::{Measured, Measures, Whose};
pub use ranking::COARSE;
pub use select::Facts;
pub use special::normalise;

/// The worst that is taken while anything better lives. None: whatever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Round-trip time in tenths of a millisecond.
    pub rtt: Option<u32>,
    /// Great-circle distance in kilometres.
    pub distance: Option<u32>,
}

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

impl std::fmt::Display for Location {
    /// From the finest to the broadest, what is known and nothing else: `New York, US-NY, NA, AS64500`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = |two: &[u8; 2]| two.iter().map(|c| char::from(*c)).collect::<String>();
        let country = self.country.as_ref().map(letters);
        let area = match (country, &self.subdivision) {
            (Some(country), Some(subdivision)) => Some(format!("{country}-{subdivision}")),
            (country, subdivision) => country.or_else(|| subdivision.as_ref().map(ToString::to_string)),
        };
        let point = self.coordinates.map(|c| format!("{:.2} {:.2}", f64::from(c.lat) / 1e4, f64::from(c.lon) / 1e4));
        let parts = [
            self.city.as_ref().map(ToString::to_string),
            area,
            self.continent.as_ref().map(letters),
            self.asn.map(|asn| format!("AS{asn}")),
            point,
        ];
        let known: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if known.is_empty() { "nowhere in particular".into() } else { known.join(", ") }.as_str())
    }
}

/// What is known of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegionPoint {
    /// Where it is; without it the region comes last in `rtt` and `distance`.
    pub location: Option<Coordinates>,
    /// Added to its modelled round-trip time, in tenths of a millisecond: below 0 grows its catchment.
    pub bias: i32,
}

/// One fact by which clients are selected. Named groups are lists of these before they come here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// Two letters: EU, NA, …
    Continent([u8; 2]),
    /// ISO 3166-1 alpha-2, in capitals.
    Country([u8; 2]),
    /// A country, and ISO 3166-2 without it.
    Subdivision([u8; 2], Box<str>),
    /// Who announces the address.
    Asn(u32),
    /// An address prefix, never an IPv6 form of IPv4.
    Net(Prefix),
    /// Neither continent nor country is known.
    Unknown,
}

/// Which clients something is open to. A client must match one of `only`, where there are any, and none of `never`. A
/// client of unknown location matches no `only` but [`Selector::Unknown`] and the kinds that it is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// Sorted, without doubles; empty: everybody.
    pub only: Vec<Selector>,
    /// Sorted, without doubles.
    pub never: Vec<Selector>,
}

impl Fence {
    /// Whether it keeps nobody out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.only.is_empty() && self.never.is_empty()
    }
}

/// Regions in an order of preference, each with its place; equal places are equally good. Regions that are not in it
/// come last.
pub type Order = Vec<(RegionId, u16)>;

/// The rules of the key `geo`: the most specific that matches decides, net (longest) before ASN, subdivision, country,
/// continent, default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    /// Rules in the order of their selectors, no selector twice.
    pub rules: Vec<(Selector, Order)>,
    /// For everybody else; empty: all regions are equally good.
    pub default: Order,
}

/// Lengths that bound the pieces of a map, for (v4, v6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cuts {
    /// No piece is wider.
    pub widest: [u8; 2],
    /// No piece is finer: the map itself is cut, the catchment that covers most of a prefix has it. Only the blocks
    /// that carry IPv4 addresses, `::`, `::1` and 100::/64, and clients that fences treat differently stay whole, with
    /// what a cut leaves around them. For clients that ask by themselves, prefixes that operators name are not cut.
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
    /// The place in the order of the [`Preferences`] that match.
    Geo,
}

/// What a map is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The regions that are compared, at most 64, in id order: bit n of a set is the n-th of them.
    pub regions: Vec<RegionId>,
    /// The keys in turn, each with how much worse than the best still counts as equal.
    pub keys: Vec<(GeoKey, u32)>,
    /// Sets of regions that can meet in a comparison (an `order` key before these keys separates the others).
    pub groups: Vec<u64>,
    /// How many regions keep their order. Beyond them the expected time of most of a catchment decides, in steps of
    /// [`COARSE`]; where there is no time, the rules' own order and then the name.
    pub depth: u8,
    /// What the key `geo` goes by.
    pub preferences: Option<std::sync::Arc<Preferences>>,
    /// The distinct fences of what the map serves, at most 64: bit n of [`Map::denied`] is the n-th of them.
    pub fences: Vec<Fence>,
    /// For each region, the distinct sets of fences that its endpoints stand behind, as bits; a region is closed to a
    /// client when each of them holds a fence that keeps the client out. Empty: no fences.
    pub behind: Vec<Vec<u64>>,
    /// The worst expected round-trip time, in tenths of a millisecond, and distance, in kilometres, that a region may
    /// have for a client while anything better lives.
    pub limits: Limits,
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
