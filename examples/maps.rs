//! What maps cost: how long scopes are and how much memory a map takes, over a database of 222,000 networks, for pools of
//! few and many regions. `cargo run --release --example maps`; the figures stand in docs/performance.md.

use std::{io::Write as _, net::IpAddr};

use meridian::engine::{
    geo::{Atlas, AtlasBuilder, Coordinates, Cuts, GeoKey, Ground, Location, Map, Measures, Model, RegionPoint, Rule},
    types::{Prefix, RegionId},
    world::draw::splitmix,
};

const NETWORKS: u64 = 222_000;
const PLACES: u64 = 5000;
/// Latitude and longitude, in degrees: regions, and the centres around which clients live.
#[rustfmt::skip]
const CITIES: [(i32, i32); 64] = [
    (50, 9), (39, -77), (19, 73), (1, 104), (-24, -47), (53, -6), (-34, 151), (36, 140), (45, -122), (52, 5),
    (52, 0), (49, 2), (47, 9), (48, 16), (60, 18), (52, 21), (40, -4), (45, 9), (56, 38), (41, 29),
    (32, 35), (25, 55), (24, 47), (30, 31), (-1, 37), (6, 3), (-34, 18), (-26, 28), (34, -118), (33, -97),
    (42, -88), (26, -80), (34, -84), (40, -105), (44, -79), (46, -74), (49, -123), (19, -99), (5, -74), (-12, -77),
    (-33, -71), (-35, -58), (-23, -43), (37, 127), (31, 121), (40, 116), (22, 114), (25, 121), (14, 121), (-6, 107),
    (14, 100), (21, 106), (13, 80), (29, 77), (25, 67), (41, 69), (-37, 145), (-32, 116), (-37, 175), (21, -158),
    (60, 25), (56, 13), (38, 24), (44, 26),
];

fn main() {
    say("regions  tolerance  catchments  pieces  mean scope       KiB");
    let atlas = atlas();
    for regions in [4, 6, 12, 24, 64] {
        for tolerance in [0, 100] {
            let mut map = None;
            let memory = allocation_counter::measure(|| map = Some(compile(&atlas, regions, tolerance)));
            let Some(map) = map else { return };
            let scopes: u64 = networks().map(|(network, _)| u64::from(map.find(network).prefix.len())).sum();
            say(&format!(
                "{regions:>7}  {:>6} ms  {:>10}  {:>6}  {:>10.2}  {:>8}",
                tolerance / 10,
                map.catchments(),
                map.pieces().v4,
                scopes as f64 / NETWORKS as f64,
                memory.bytes_current / 1024
            ));
        }
    }
}

fn compile(atlas: &Atlas, regions: u16, tolerance: u32) -> Map {
    let coordinates = |(lat, lon): &(i32, i32)| Coordinates { lat: lat * 10_000, lon: lon * 10_000 };
    let point = |city| RegionPoint { location: Some(coordinates(city)), bias: 0 };
    let points: Vec<RegionPoint> = CITIES.iter().map(point).collect();
    let ground = Ground {
        atlas,
        resolvers: &Atlas::default(),
        points: &points,
        measures: &Measures::default(),
        nowhere: &Vec::new(),
        model: Model::default(),
        cuts: Cuts::default(),
    };
    let regions = (0..regions).map(RegionId).collect();
    let rule = Rule { regions, keys: vec![(GeoKey::Rtt, tolerance)], depth: 3, ..Rule::default() };
    Map::compile(&ground, &rule)
}

/// Networks of /20 to /24 side by side, each with the number of its place. Neighbours often share one, as they do where
/// address space was given out.
fn networks() -> impl Iterator<Item = (Prefix, u64)> {
    let mut next = 1_u64 << 24;
    (0..NETWORKS).map(move |n| {
        let pick = splitmix(n << 32);
        let bits = 20 + pick % 5;
        let size = 1 << (32 - bits);
        let at = next.div_ceil(size) * size;
        next = at + size;
        // A run of 32 networks is of one city; half of them are of one place there.
        let city = splitmix(n / 32) % CITIES.len() as u64;
        let spot = if pick >> 8 & 1 == 0 { splitmix(n / 32) >> 8 } else { pick >> 9 };
        let per_city = PLACES / CITIES.len() as u64;
        (Prefix::new(IpAddr::from((at as u32).to_be_bytes()), bits as u8), city * per_city + spot % per_city)
    })
}

fn atlas() -> Atlas {
    let mut builder = AtlasBuilder::default();
    for (network, place) in networks() {
        let (lat, lon) = CITIES[(place / (PLACES / CITIES.len() as u64)) as usize % CITIES.len()];
        // Up to six degrees away in either direction, to a tenth.
        let away = |salt: u64| (splitmix(place << 8 | salt) % 120) as i32 * 1000 - 60_000;
        let coordinates = Coordinates { lat: lat * 10_000 + away(1), lon: lon * 10_000 + away(2) };
        let fact = builder.fact(Location { coordinates: Some(coordinates), ..Location::default() }, "places");
        builder.learn(network, fact);
    }
    builder.finish()
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
