//! Regions: those that lie where no data centre is (latitude and longitude were swapped, a sign was lost, or nothing
//! was filled in), and where their clients go when a region cannot serve them. A lost region's usual peak is moved as
//! the policies move it, against what the others can take. The clients of a region without a family that others of its
//! pool have go elsewhere for it, by the order that the pool's own map and policy give, with all endpoints up. Must not
//! know what happens at run time.

use super::subject::{Subject, listed};
use crate::{
    config::diagnostics::Notes,
    engine::{
        geo::{Coordinates, distance_km, nearest_country},
        types::{Family, PoolId, RegionId},
        units::Kilometres,
        world::{Region, endpoint::Endpoint, policy::Policy, pool::Pool},
    },
    sim::{self, Moves},
};

/// Further than this from where the people of any country live is nowhere. Anchorage is 4,388 km away.
const NOWHERE: Kilometres = Kilometres(4500);
/// Closer than this to zero degrees both ways is no data centre, in ten-thousandths of a degree.
const NULL_ISLAND: u32 = 10_000;
/// Further than this a swapped pair that is so much nearer is the likelier one. A large country has good places far from
/// where its people live on average.
const FAR: Kilometres = Kilometres(1500);
const MUCH_NEARER: Kilometres = Kilometres(1000);

/// Regions whose coordinates are hardly meant.
pub(super) fn coordinates(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for region in subject.world.regions.iter() {
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
    let label = format!("the people of the nearest country, {}, are {km} away", name(country));
    let swapped = Coordinates { lat: point.lon, lon: point.lat };
    let (there, swapped_km) = nearest_country(swapped);
    if km > FAR && swapped.lat.unsigned_abs() <= 900_000 && swapped_km.plus(MUCH_NEARER) <= km {
        let degrees = |ten_thousandths: i32| f64::from(ten_thousandths) / 10_000.0;
        let (lat, lon) = (degrees(swapped.lat), degrees(swapped.lon));
        let there = name(there);
        return Some((
            label,
            format!("swapped, as {{ lat = {lat}, lon = {lon} }}, it is {swapped_km} from those of {there}"),
        ));
    }
    (km > NOWHERE).then(|| (label, "write degrees north and east; south and west are below 0".into()))
}

/// Regions whose loss would overload others. Only where `demand` and `capacity` are configured.
pub(super) fn capacity(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (at, region) in subject.world.regions.iter().enumerate() {
        let Some(demand) = region.demand.filter(|demand| *demand > 0.0) else { continue };
        let lost = RegionId(at as u16);
        let Some(label) = overload(subject, lost, demand) else { continue };
        let message = format!("losing region \"{}\" is more than the others can carry", region.name);
        let fault = notes.warning(subject.region_at(&region.name), message, label).remedy(
            "add capacity, or a policy with `shed`, which spreads a lost region's demand by what the others can spare",
        );
        notes.push(fault);
    }
}

/// What the loss of a region would overload, in words; none when all can be carried or too little is known.
fn overload(subject: &Subject<'_>, lost: RegionId, demand: f64) -> Option<String> {
    let pools: Vec<&Pool> = subject.pools().filter(|pool| weight(pool, lost) > 0).collect();
    let policy = |pool: &Pool| subject.policy(pool);
    let moves = sim::what_if(subject.world, lost)?;
    let heirs = inheritors(&pools, lost, &moves);
    if heirs.is_empty() {
        let alone = format!("its demand of {demand} has nowhere to go: its pools have no endpoint in another region");
        return (!pools.is_empty()).then_some(alone);
    }
    let region = |id: &RegionId| &subject.world.regions[id.at()];
    if heirs.iter().any(|id| region(id).capacity.is_none()) {
        return None;
    }
    let room = |region: &Region, full: f64| region.capacity.unwrap_or(0.0) * full - region.demand.unwrap_or(0.0);
    if pools.iter().filter_map(|pool| policy(pool)).all(Policy::goes_by_load) {
        let shed = pools.iter().filter_map(|pool| policy(pool)?.shed).map(|marks| marks.high.ratio());
        let full = shed.fold(1.0, f64::min);
        let spare: f64 = heirs.iter().map(|id| room(region(id), full).max(0.0)).sum();
        let words = || format!("its demand of {demand} is more than the {spare} that the others can spare in all");
        return (demand > spare).then(words);
    }
    let mut worst: Option<(f64, String)> = None;
    for (id, share) in moves.to {
        let heir = region(&id);
        let (moved, left) = (demand * share, room(heir, 1.0));
        let over = moved - left;
        if over > 0.0 && worst.as_ref().is_none_or(|(most, _)| over > *most) {
            let (own, capacity) = (heir.demand.unwrap_or(0.0), heir.capacity.unwrap_or(0.0));
            let words = format!(
                "{} of its demand of {demand} moves to \"{}\", which has {own} itself and a capacity of {capacity}",
                moved.round(),
                heir.name
            );
            worst = Some((over, words));
        }
    }
    worst.map(|(_, words)| words)
}

/// The weight that a region has in a pool.
fn weight(pool: &Pool, region: RegionId) -> u64 {
    let inside = |endpoint: &&Endpoint| endpoint.region == region;
    pool.endpoints.iter().filter(inside).map(|endpoint| u64::from(endpoint.weight)).sum()
}

/// The other regions of these pools, and those of later pools where clients go.
fn inheritors(pools: &[&Pool], lost: RegionId, moves: &Moves) -> Vec<RegionId> {
    let endpoints = pools.iter().flat_map(|pool| &pool.endpoints);
    let others = endpoints.filter(|endpoint| endpoint.weight > 0 && endpoint.region != lost);
    let to = moves.to.iter().map(|(region, _)| *region).filter(|region| *region != lost);
    let mut found: Vec<RegionId> = others.map(|endpoint| endpoint.region).chain(to).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Regions without a family that others of their pool have: their clients go elsewhere for it, dual-stack clients for all
/// they do, since they try IPv6 first (RFC 8305).
pub(super) fn families(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (at, pool) in subject.world.pools.iter().enumerate() {
        let id = PoolId(at as u32);
        let mut services = subject.world.services.iter();
        if services.any(|service| service.all_pools(subject.world).any(|used| used == id)) {
            for family in Family::BOTH {
                without(subject, pool, family, notes);
            }
        }
    }
}

/// Warns of each region of a pool without a family that another region of it has.
fn without(subject: &Subject<'_>, pool: &Pool, family: Family, notes: &mut Notes<'_>) {
    let endpoints = &pool.endpoints;
    let has = |endpoint: &&Endpoint| endpoint.weight > 0 && endpoint.address(family).is_some();
    let mut regions: Vec<RegionId> =
        endpoints.iter().filter(|e| e.weight > 0 && e.cname.is_none()).map(|e| e.region).collect();
    regions.sort_unstable();
    regions.dedup();
    for region in regions {
        let inside = |endpoint: &&Endpoint| endpoint.region == region;
        if endpoints.iter().filter(inside).any(|endpoint| has(&endpoint)) {
            continue;
        }
        let mut heirs = sim::without_family(subject.world, pool, region, family);
        heirs.sort_by_key(|heir| (away(subject, region, *heir), *heir));
        let (Some(first), Some(nearest)) = (endpoints.iter().find(inside), heirs.first()) else { continue };
        let Some(other) = endpoints.iter().find(|e| has(e) && e.region == *nearest) else { continue };
        let ways: Vec<String> = heirs.iter().map(|heir| way(subject, region, *heir)).collect();
        let name = &subject.world.regions[region.at()].name;
        let who = if family == Family::V6 { "dual-stack clients, which try IPv6 first," } else { "IPv4 clients" };
        let message = format!("region \"{name}\" has no {family} in pool \"{}\"", pool.name);
        let label = format!("its {who} go to {}", listed(&ways));
        let fault = notes
            .warning(subject.endpoint_at(&pool.name, &first.name), message, label)
            .also(notes.place(subject.endpoint_at(&pool.name, &other.name)), format!("this one has {family}"))
            .remedy(format!("give an endpoint of \"{name}\" an {family} address, or take {family} out of the pool"));
        notes.push(fault);
    }
}

/// The distance between two regions.
fn away(subject: &Subject<'_>, one: RegionId, other: RegionId) -> Option<Kilometres> {
    let at = |id: RegionId| subject.world.regions.get(id.at())?.point.location;
    Some(distance_km(at(one)?, at(other)?))
}

/// A region, and how much farther it is than another one for the clients of that one, by the model.
fn way(subject: &Subject<'_>, from: RegionId, to: RegionId) -> String {
    let [here, there] = [from, to].map(|id| &subject.world.regions[id.at()]);
    let Some(km) = away(subject, from, to) else {
        return format!("\"{}\" (how much farther is not known, for want of a location)", there.name);
    };
    let model = subject.world.ground().model;
    let tenths = i64::from(model.rtt(km).0) - i64::from(model.rtt(Kilometres(0)).0) + i64::from(there.point.bias)
        - i64::from(here.point.bias);
    format!("\"{}\" ({km} and about {} ms farther)", there.name, (tenths + 5).div_euclid(10))
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
