//! How far a region is from a client, in kilometres and in milliseconds. Must not know catchments or tries.

use super::{Coordinates, Location, RegionPoint, centroids};

/// The Earth's mean radius in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;
/// What every round trip costs before distance does, in tenths of a millisecond.
const BASE_RTT: u32 = 50;
/// Kilometres of great circle that cost one millisecond of round trip: light in fibre would do 100, paths bend.
const KM_PER_MS: u32 = 65;

/// How far a region is. Where it cannot be said, both numbers are `u32::MAX`, which makes the region the last, and
/// all regions equal where nothing is known of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Expected round-trip time, in tenths of a millisecond.
    pub rtt: u32,
    /// Great-circle distance, in kilometres.
    pub km: u32,
    /// What it rests on.
    pub how: How,
}

/// What an [`Estimate`] rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The client's own coordinates.
    Coordinates,
    /// Where the people of the client's country live.
    Centroid,
    /// Nothing is known of the client.
    UnknownClient,
    /// The region has no location.
    UnknownRegion,
}

impl Location {
    /// The point from which distances are reckoned: the coordinates, else the country's population centroid.
    #[must_use]
    pub fn point(&self) -> Option<(Coordinates, How)> {
        match self.coordinates {
            Some(point) => Some((point, How::Coordinates)),
            None => Some((centroids::of(self.country?)?, How::Centroid)),
        }
    }
}

/// The estimate for one region.
#[must_use]
pub fn estimate(location: Option<&Location>, region: &RegionPoint) -> Estimate {
    let unknown = |how| Estimate { rtt: u32::MAX, km: u32::MAX, how };
    let Some((client, how)) = location.and_then(Location::point) else { return unknown(How::UnknownClient) };
    let Some(there) = region.location else { return unknown(How::UnknownRegion) };
    let km = distance(&Spherical::of(client), &Spherical::of(there));
    Estimate { rtt: modelled(km), km, how }
}

/// The estimates for all regions, in their order.
#[must_use]
pub fn row(location: Option<&Location>, regions: &[RegionPoint]) -> Vec<Estimate> {
    regions.iter().map(|region| estimate(location, region)).collect()
}

/// Round-trip time in tenths of a millisecond over so many kilometres, to the nearest: 5 ms + 1 ms for each 65 km.
pub(super) fn modelled(km: u32) -> u32 {
    BASE_RTT + (km * 20 + KM_PER_MS) / (2 * KM_PER_MS)
}

/// A point in radians, with what the distance needs of it more than once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spherical {
    lat: f64,
    lon: f64,
    cos_lat: f64,
}

impl Spherical {
    /// From degrees.
    pub(super) fn of(point: Coordinates) -> Self {
        let lat = (f64::from(point.lat) / 10_000.0).to_radians();
        Self { lat, lon: (f64::from(point.lon) / 10_000.0).to_radians(), cos_lat: lat.cos() }
    }
}

/// Great-circle distance in whole kilometres (haversine, which stays exact for near points and across the
/// antimeridian). Whole, so that the last bit of a platform's sine decides nothing.
pub(super) fn distance(a: &Spherical, b: &Spherical) -> u32 {
    let lat = ((a.lat - b.lat) / 2.0).sin();
    let lon = ((a.lon - b.lon) / 2.0).sin();
    let chord = (lat * lat + a.cos_lat * b.cos_lat * lon * lon).clamp(0.0, 1.0);
    (2.0 * EARTH_RADIUS_KM * chord.sqrt().asin()).round() as u32
}
