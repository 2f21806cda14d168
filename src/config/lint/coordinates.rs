//! Regions that are not where anybody lives: latitude and longitude were swapped, a sign was lost, or nothing was filled
//! in.

use super::{super::notes::Notes, Subject};
use crate::engine::geo::{Coordinates, nearest_country};

/// Further than this from where the people of any country live is nowhere, in kilometres. Anchorage is 4,388 away.
const NOWHERE: u32 = 4500;
/// Closer than this to zero degrees both ways nobody has a data centre, in ten-thousandths of a degree.
const NULL_ISLAND: u32 = 10_000;
/// Further than this a swapped pair that is so much nearer is the likelier one. A large country has good places far from
/// where its people live on average.
const FAR: u32 = 1500;
const MUCH_NEARER: u32 = 1000;

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for region in &subject.world.regions {
        let Some(point) = region.point.location else { continue };
        let Some((label, remedy)) = doubt(point) else { continue };
        let message = format!("region \"{}\" is where nobody lives", region.name);
        let fault = notes.warning(subject.region_at(&region.name), message, label).remedy(remedy);
        notes.push(fault);
    }
}

/// Why a point is hardly meant, and what to do.
fn doubt(point: Coordinates) -> Option<(String, String)> {
    if point.lat.unsigned_abs() < NULL_ISLAND && point.lon.unsigned_abs() < NULL_ISLAND {
        let remedy = "write the place of the data centre, or leave `location` out";
        return Some(("it is in the sea off Africa, at zero degrees both ways".into(), remedy.into()));
    }
    let (country, km) = nearest_country(point);
    let name = |code: [u8; 2]| code.map(char::from).iter().collect::<String>();
    let label = format!("the people of the nearest country, {}, are {km} km away", name(country));
    let swapped = Coordinates { lat: point.lon, lon: point.lat };
    let (there, swapped_km) = nearest_country(swapped);
    if km > FAR && swapped.lat.unsigned_abs() <= 900_000 && swapped_km + MUCH_NEARER <= km {
        let degrees = |ten_thousandths: i32| f64::from(ten_thousandths) / 10_000.0;
        let (lat, lon) = (degrees(swapped.lat), degrees(swapped.lon));
        let there = name(there);
        return Some((
            label,
            format!("swapped, as {{ lat = {lat}, lon = {lon} }}, it is {swapped_km} km from those of {there}"),
        ));
    }
    (km > NOWHERE).then(|| (label, "write degrees north and east; south and west are below 0".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> Option<(String, String)> {
        doubt(Coordinates { lat: (lat * 10_000.0) as i32, lon: (lon * 10_000.0) as i32 })
    }

    #[test]
    fn data_centres_are_where_they_are() {
        for (lat, lon) in [
            (50.11, 8.68),
            (39.04, -77.49),
            (19.08, 72.88),
            (-36.85, 174.76),
            (-13.83, -171.77),
            (21.3, -157.86),
            (61.2, -149.9),
            (64.15, -21.94),
            (1.35, 103.82),
            (-33.87, 151.21),
            (-31.95, 115.86),
            (43.1, 131.9),
            (5.6, -0.19),
            (-23.55, -46.63),
            (69.65, 18.96),
            (47.6, -122.3),
            (55.03, 82.92),
        ] {
            assert_eq!(at(lat, lon), None, "{lat} {lon}");
        }
    }

    #[test]
    fn slips_are_told_with_the_likely_place() {
        let remedy = |lat, lon| at(lat, lon).map(|(_, remedy)| remedy).unwrap_or_default();
        assert!(remedy(0.0, 0.0).contains("leave `location` out"));
        let swapped = remedy(-77.49, 39.04);
        assert!(swapped.starts_with("swapped, as { lat = 39.04, lon = -77.49 }"), "{swapped}");
        assert_eq!(remedy(39.04, 37.0), "", "a wrong place where people live is a place");
        assert_eq!(remedy(35.0, -145.0), "write degrees north and east; south and west are below 0");
    }
}
