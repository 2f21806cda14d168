//! How far a region is from a client, in kilometres and in milliseconds: measured where it was measured, else modelled.
//! The one place that makes such rows; maps are compiled from it and `explain` shows it. Must not know catchments.

use super::{Coordinates, Facts, Ground, Location, Measured, Model, Whose, centroids};
use crate::engine::{
    geo::Limits,
    types::RegionId,
    units::{Kilometres, Permille, Rtt},
};

/// The Earth's mean radius in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;
/// From here on a number is no distance and no time, but so many places in the order for unknown clients, each counted
/// from one; two of them are further apart than any tolerance.
pub const PLACE: u32 = 1 << 17;
/// A scale of one.
pub const SCALE_ONE: Permille = Permille::WHOLE;

/// How far a region is. What cannot be said is [`Rtt::UNKNOWN`] and [`Kilometres::UNKNOWN`], which makes the region the
/// last, and all regions equal where nothing is known of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Expected round-trip time; of an unknown client so many times [`PLACE`].
    pub rtt: Rtt,
    /// Great-circle distance; likewise.
    pub km: Kilometres,
    /// What the round-trip time rests on.
    pub how: How,
}

/// What an [`Estimate`] rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was measured.
    Measured(Whose, Measured),
    /// It was modelled over the distance, and scaled by so much since the client's measured round trips are so much
    /// longer than modelled ones.
    Modelled(Start, Permille),
    /// Nothing is known of the client: its place in the order for such clients.
    Order(u16),
    /// Nothing is known of the client, and the region has no place in an order for such clients.
    UnknownClient,
    /// The region has no location.
    UnknownRegion,
}

/// Where a distance is reckoned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The client's own coordinates.
    Coordinates,
    /// Where the people of the client's country live.
    Centroid,
}

impl Estimate {
    /// Whether it is no worse than the limits for round-trip time and distance. What is not known is not worse.
    #[must_use]
    pub fn is_within(&self, limits: Limits) -> bool {
        let beyond = |value: u32, limit: Option<u32>| value < PLACE && limit.is_some_and(|limit| value > limit);
        !beyond(self.rtt.0, limits.rtt.map(|limit| limit.0)) && !beyond(self.km.0, limits.distance.map(|limit| limit.0))
    }
}

impl Location {
    /// The point from which distances are reckoned: the coordinates, else the country's population centroid.
    #[must_use]
    pub fn point(&self) -> Option<(Coordinates, Start)> {
        match self.coordinates {
            Some(point) => Some((point, Start::Coordinates)),
            None => Some((centroids::of(self.country?)?, Start::Centroid)),
        }
    }
}

/// The country whose people live nearest to a point, and how far that is.
#[must_use]
pub fn nearest_country(point: Coordinates) -> ([u8; 2], Kilometres) {
    let away = |code| Some((distance_km(point, centroids::of(code)?), code));
    centroids::all().filter_map(away).min().map_or((*b"--", Kilometres::UNKNOWN), |(km, code)| (code, km))
}

/// The great-circle distance between two points.
#[must_use]
pub fn distance_km(one: Coordinates, other: Coordinates) -> Kilometres {
    distance(&Spherical::of(one), &Spherical::of(other))
}

/// Makes rows of estimates.
#[derive(Debug)]
pub struct Estimator<'a> {
    ground: Ground<'a>,
    /// The regions' points by id.
    points: Vec<Option<Spherical>>,
}

impl<'a> Estimator<'a> {
    /// Over what is known.
    #[must_use]
    pub fn new(ground: &Ground<'a>) -> Self {
        let points = ground.points.iter().map(|point| point.location.map(Spherical::of)).collect();
        Self { ground: *ground, points }
    }

    /// The estimates for these regions, in their order.
    #[must_use]
    pub fn row(&self, facts: &Facts<'_>, regions: &[RegionId]) -> Vec<Estimate> {
        let from = facts.location.and_then(Location::point).map(|(point, from)| (Spherical::of(point), from));
        let cells = self.cells(facts);
        let scale = from.map_or(SCALE_ONE, |(client, _)| self.scale(&client, &cells));
        regions.iter().map(|region| self.one(*region, from, &cells, scale)).collect()
    }

    fn one(
        &self,
        region: RegionId,
        from: Option<(Spherical, Start)>,
        cells: &[(RegionId, Whose, Measured)],
        scale: Permille,
    ) -> Estimate {
        let there = self.points.get(region.at()).copied().flatten();
        let km = from.zip(there).map(|((client, _), there)| distance(&client, &there));
        let unknown = |how| Estimate { rtt: Rtt::UNKNOWN, km: Kilometres::UNKNOWN, how };
        let reckoned = match (from, km) {
            (Some((_, from)), Some(km)) => {
                let bias = self.ground.points.get(region.at()).map_or(0, |point| point.bias);
                let rtt = scaled(self.ground.model.rtt(km), scale).biased(bias).min(Rtt(PLACE - 1));
                Estimate { rtt, km, how: How::Modelled(from, scale) }
            }
            (Some(_), None) => unknown(How::UnknownRegion),
            (None, _) => match self.ground.nowhere.iter().find(|(known, _)| *known == region) {
                Some(&(_, place)) => {
                    let value = (u32::from(place) + 1).saturating_mul(PLACE).min(u32::MAX - 1);
                    Estimate { rtt: Rtt(value), km: Kilometres(value), how: How::Order(place) }
                }
                None => unknown(How::UnknownClient),
            },
        };
        match cells.binary_search_by_key(&region, |(region, ..)| *region) {
            Ok(at) => {
                let (_, whose, measured) = cells[at];
                Estimate { rtt: measured.rtt, how: How::Measured(whose, measured), ..reckoned }
            }
            Err(_) => reckoned,
        }
    }

    /// What is measured of a client, by region: by the most specific that has it, prefix (longest), AS number, country.
    fn cells(&self, facts: &Facts<'_>) -> Vec<(RegionId, Whose, Measured)> {
        let mut cells: Vec<(RegionId, Whose, Measured)> = Vec::new();
        for whose in measured_as(&self.ground, facts) {
            for &(region, measured) in self.ground.measures.of(whose) {
                if let Err(at) = cells.binary_search_by_key(&region, |(region, ..)| *region) {
                    cells.insert(at, (region, whose, measured));
                }
            }
        }
        cells
    }

    /// How much longer the client's measured round trips are than modelled ones: the median, never below one.
    fn scale(&self, client: &Spherical, cells: &[(RegionId, Whose, Measured)]) -> Permille {
        let mut ratios: Vec<u64> = cells
            .iter()
            .filter_map(|(region, _, measured)| {
                let there = self.points.get(region.at()).copied().flatten()?;
                let modelled = self.ground.model.rtt(distance(client, &there)).max(Rtt::SHORTEST);
                Some(u64::from(measured.rtt.0) * u64::from(SCALE_ONE.0) / u64::from(modelled.0))
            })
            .collect();
        ratios.sort_unstable();
        let middle = ratios.len() / 2;
        let median = match ratios.get(middle) {
            None => 0,
            Some(high) if ratios.len().is_multiple_of(2) => (ratios[middle - 1] + high) / 2,
            Some(middle) => *middle,
        };
        Permille(u32::try_from(median).unwrap_or(u32::MAX)).max(SCALE_ONE)
    }
}

/// Under which names a client can have been measured, the most specific first.
pub(super) fn measured_as<'a>(ground: &Ground<'_>, facts: &Facts<'a>) -> impl Iterator<Item = Whose> + use<'a> {
    let facts = *facts;
    let wanted = !ground.measures.is_empty();
    let place = facts.location.map(|location| (location.asn, location.country)).filter(|_| wanted);
    let (asn, country) = place.unwrap_or_default();
    let nets = wanted.then(|| facts.nets().map(Whose::Net)).into_iter().flatten();
    nets.chain(asn.map(Whose::Asn)).chain(country.map(Whose::Country))
}

impl Model {
    /// Round-trip time over a distance, to the nearest.
    #[must_use]
    pub fn rtt(&self, Kilometres(km): Kilometres) -> Rtt {
        let per = self.km_per_ms.0.max(1);
        self.base.plus(Rtt((km * 20 + per) / (2 * per)))
    }
}

fn scaled(rtt: Rtt, scale: Permille) -> Rtt {
    let one = u64::from(SCALE_ONE.0);
    Rtt(u32::try_from((u64::from(rtt.0) * u64::from(scale.0) + one / 2) / one).unwrap_or(u32::MAX))
}

/// A point in radians, with what the distance needs of it more than once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spherical {
    lat: f64,
    lon: f64,
    cos_lat: f64,
}

impl Spherical {
    /// Start degrees.
    pub(super) fn of(point: Coordinates) -> Self {
        let lat = (f64::from(point.lat) / 10_000.0).to_radians();
        Self { lat, lon: (f64::from(point.lon) / 10_000.0).to_radians(), cos_lat: lat.cos() }
    }
}

/// Great-circle distance in whole kilometres (haversine, which stays exact for near points and across the
/// antimeridian). Whole, so that the last bit of a platform's sine decides nothing.
pub(super) fn distance(a: &Spherical, b: &Spherical) -> Kilometres {
    let lat = ((a.lat - b.lat) / 2.0).sin();
    let lon = ((a.lon - b.lon) / 2.0).sin();
    let chord = (lat * lat + a.cos_lat * b.cos_lat * lon * lon).clamp(0.0, 1.0);
    Kilometres((2.0 * EARTH_RADIUS_KM * chord.sqrt().asin()).round() as u32)
}
