//! Where addresses are, how far regions are from there, and how broad each finding is: one bit trie with disjoint
//! leaves, compiled into maps from addresses to catchments. Must not know files, DNS messages or pools.

use super::types::Prefix;

mod atlas;
mod centroids;
mod classes;
mod cuts;
mod estimate;
mod inputs;
mod map;
mod marks;
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
pub use cuts::Cuts;
pub use estimate::{Estimate, Estimator, How, PLACE, SCALE_ONE, Start, distance_km, nearest_country};
pub use inputs::{Database, GeoKey, Ground, Limits, Model, Order, Preferences, RegionPoint, Rule};
pub use map::Map;
pub use marks::Facts;
pub use measures::{Measured, Measures, Whose};
pub use ranking::COARSE;
pub use special::normalise;

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
    /// Whether it keeps no client out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.only.is_empty() && self.never.is_empty()
    }
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
