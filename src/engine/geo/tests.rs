//! What the rules of this room mean for single addresses.

use std::net::IpAddr;

use super::*;
use crate::engine::{
    types::RegionId,
    units::{Kilometres, Rtt},
};

mod rules;

pub(super) fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap();
    Prefix::new(address.parse::<IpAddr>().unwrap(), len.parse().unwrap())
}

pub(super) fn point(lat: f64, lon: f64) -> Coordinates {
    Coordinates { lat: (lat * 10_000.0) as i32, lon: (lon * 10_000.0) as i32 }
}

/// Frankfurt, New York, Mumbai, Singapore, São Paulo, Dublin.
pub(super) fn cities() -> [Coordinates; 6] {
    [
        point(50.11, 8.68),
        point(40.71, -74.01),
        point(19.08, 72.88),
        point(1.35, 103.82),
        point(-23.55, -46.63),
        point(53.35, -6.26),
    ]
}

pub(super) fn at(coordinates: Coordinates) -> Location {
    Location { coordinates: Some(coordinates), ..Location::default() }
}

pub(super) fn region(coordinates: Coordinates) -> RegionPoint {
    RegionPoint { location: Some(coordinates), bias: 0 }
}

/// The ground of a world in which nothing is measured, for a while.
pub(super) fn on<T>(atlas: &Atlas, points: &[RegionPoint], cuts: &Cuts, then: impl FnOnce(Ground<'_>) -> T) -> T {
    then(Ground {
        atlas,
        resolvers: &Atlas::default(),
        points,
        measures: &Measures::default(),
        nowhere: &Vec::new(),
        model: Model::default(),
        cuts: *cuts,
    })
}

/// The estimates for a client of whom this is known.
pub(super) fn row(location: Option<&Location>, points: &[RegionPoint]) -> Vec<Estimate> {
    let regions: Vec<RegionId> = (0..points.len() as u16).map(RegionId).collect();
    let atlas = Atlas::default();
    let facts = Facts { location, ..atlas.unknown() };
    on(&atlas, points, &Cuts::default(), |ground| Estimator::new(&ground).row(&facts, &regions))
}

fn estimate(location: Option<&Location>, point: &RegionPoint) -> Estimate {
    row(location, &[*point])[0]
}

/// A map of a world in which nothing is measured.
pub(super) fn compiled(atlas: &Atlas, points: &[RegionPoint], rule: &Rule, cuts: &Cuts) -> Map {
    on(atlas, points, cuts, |ground| Map::compile(&ground, rule))
}

/// Every region in one comparison by round-trip time.
fn by_rtt(regions: u16, tolerance: u32) -> Rule {
    Rule {
        regions: (0..regions).map(RegionId).collect(),
        keys: vec![(GeoKey::Rtt, tolerance)],
        groups: vec![(1 << regions) - 1],
        depth: 3,
        ..Rule::default()
    }
}

// ----- Estimate ----------------------------------------------------------------------------------------------

#[test]
fn distance_is_right_near_far_and_across_the_antimeridian() {
    let km = |a: Coordinates, b: Coordinates| estimate(Some(&at(a)), &region(b)).km;
    let [frankfurt, new_york, ..] = cities();
    assert_eq!(km(frankfurt, frankfurt), Kilometres(0));
    assert!((6190..=6220).contains(&km(frankfurt, new_york).0));
    // Two degrees of longitude at the equator, either way round the world.
    assert_eq!(km(point(0.0, 179.0), point(0.0, -179.0)), Kilometres(222));
    assert_eq!(km(point(0.0, -179.0), point(0.0, 179.0)), Kilometres(222));
    assert_eq!(km(point(90.0, 0.0), point(-90.0, 12.0)), Kilometres(20_015));
}

#[test]
fn round_trip_is_five_milliseconds_and_one_for_each_65_km() {
    let rtt = |a: Coordinates, b: Coordinates| estimate(Some(&at(a)), &region(b)).rtt;
    let [frankfurt, new_york, ..] = cities();
    assert_eq!(rtt(frankfurt, frankfurt), Rtt(50));
    let km = estimate(Some(&at(frankfurt)), &region(new_york)).km;
    assert_eq!(rtt(frankfurt, new_york), Rtt((50.0 + f64::from(km.0) / 6.5).round() as u32));
}

#[test]
fn country_stands_in_for_coordinates_and_nothing_known_makes_all_equal() {
    let [frankfurt, new_york, ..] = cities();
    let regions = [region(frankfurt), region(new_york), RegionPoint::default()];
    let german = Location { country: Some(*b"DE"), ..Location::default() };
    let german = row(Some(&german), &regions);
    assert_eq!(german[0].how, How::Modelled(Start::Centroid, SCALE_ONE));
    assert!(german[0].km < Kilometres(200) && german[1].km > Kilometres(5000));
    assert_eq!((german[2].rtt, german[2].km, german[2].how), (Rtt::UNKNOWN, Kilometres::UNKNOWN, How::UnknownRegion));
    let unknown = row(None, &regions);
    assert!(unknown.iter().all(|e| e.rtt == unknown[0].rtt && e.how == How::UnknownClient));
    let unheard_of = Location { country: Some(*b"ZZ"), ..Location::default() };
    assert_eq!(row(Some(&unheard_of), &regions)[0].how, How::UnknownClient);
}

#[test]
fn every_centroid_lies_on_the_globe_and_codes_are_in_order() {
    let mut seen = 0;
    for a in b'A'..=b'Z' {
        for b in b'A'..=b'Z' {
            if let Some(centre) = centroids::of([a, b]) {
                seen += 1;
                assert!(centre.lat.abs() <= 900_000 && centre.lon.abs() <= 1_800_000);
            }
        }
    }
    // 249 of ISO 3166-1 and XK. A table out of order would not find all of them.
    assert_eq!(seen, 250);
}

// ----- Embedded forms and special blocks ---------------------------------------------------------------------

#[test]
fn forms_that_carry_ipv4_are_read_as_ipv4() {
    for (form, inside, offset) in [
        ("::ffff:69.58.186.119/128", "69.58.186.119/32", 96),
        ("::69.58.186.119/128", "69.58.186.119/32", 96),
        ("::ffff:0:69.58.186.0/120", "69.58.186.0/24", 96),
        ("64:ff9b::69.58.186.119/128", "69.58.186.119/32", 96),
        ("2002:453a:ba77::/48", "69.58.186.119/32", 16),
        ("2002:453a:ba77:1:2:3:4:5/128", "69.58.186.119/32", 16),
        ("2002:453a::/32", "69.58.0.0/16", 16),
        // Teredo: 69.58.186.119 inverted is bac5:4588.
        ("2001:0:4136:e378:8000:63bf:bac5:4588/128", "69.58.186.119/32", 96),
        ("2001:0:4136:e378:8000:63bf:bac5:4500/120", "69.58.186.0/24", 96),
        // Ends before the IPv4 address: any.
        ("2001:0:4136:e378::/64", "0.0.0.0/0", 96),
        ("2002::/16", "0.0.0.0/0", 16),
        ("::ffff:0:0/96", "0.0.0.0/0", 96),
    ] {
        assert_eq!(normalise(prefix(form)), (prefix(inside), offset), "{form}");
    }
    for plain in ["::/128", "::1/128", "2001:db8::/32", "2002::/15", "::/0", "69.58.186.119/32", "2001::/23"] {
        assert_eq!(normalise(prefix(plain)), (prefix(plain), 0), "{plain}");
    }
}

#[test]
fn scope_of_an_embedded_form_is_the_ipv4_scope_shifted() {
    let [frankfurt, new_york, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let fact = builder.fact(at(new_york), "db");
    builder.learn(prefix("69.58.128.0/17"), fact);
    let fact = builder.fact(at(frankfurt), "db");
    builder.learn(prefix("69.58.0.0/17"), fact);
    let map = compiled(&builder.finish(), &[region(frankfurt), region(new_york)], &by_rtt(2, 0), &Cuts::default());
    let scope = |client: &str| {
        let (client, offset) = normalise(prefix(client));
        offset + map.find(client).prefix.len()
    };
    assert_eq!(scope("69.58.186.119/32"), 17);
    assert_eq!(scope("::ffff:69.58.186.119/128"), 113);
    assert_eq!(scope("2002:453a:ba77::/48"), 33);
    assert_eq!(scope("2001:0:4136:e378:8000:63bf:bac5:4588/128"), 113);
}

#[test]
fn special_blocks_stay_apart_and_know_nothing() {
    let [frankfurt, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let fact = builder.fact(at(frankfurt), "db");
    builder.learn(prefix("0.0.0.0/0"), fact);
    builder.learn(prefix("::/0"), fact);
    let atlas = builder.finish();
    let map = compiled(&atlas, &[region(frankfurt)], &by_rtt(1, 0), &Cuts::default());
    for (client, leaf) in [
        ("10.1.2.3/32", "10.0.0.0/8"),
        ("127.0.0.1/32", "127.0.0.0/8"),
        ("0.0.0.0/32", "0.0.0.0/8"),
        ("192.168.7.0/24", "192.168.0.0/16"),
        ("224.0.0.1/32", "224.0.0.0/4"),
        ("255.255.255.255/32", "240.0.0.0/4"),
        ("::/128", "::/128"),
        ("::1/128", "::1/128"),
        ("100::1/128", "100::/64"),
        ("fd00::1/128", "fc00::/7"),
        ("fe80::1/128", "fe80::/10"),
        ("fec0::1/128", "fec0::/10"),
        ("::ffff:10.1.2.3/128", "10.0.0.0/8"),
    ] {
        let (client, _) = normalise(prefix(client));
        let (spot, piece) = (atlas.find(client), map.find(client));
        assert!(spot.special && piece.special && spot.location.is_none(), "{client}");
        assert_eq!((spot.leaf, piece.prefix), (prefix(leaf), prefix(leaf)), "{client}");
        assert_eq!(piece.catchment, 0);
    }
    for client in ["192.0.2.1/32", "198.51.100.1/32", "203.0.113.1/32", "2001:db8::1/128"] {
        assert!(!atlas.find(prefix(client)).special && !map.find(prefix(client)).special, "{client}");
    }
    // All of the world but the blocks is one catchment, yet no piece reaches over a block.
    assert_eq!(map.find(prefix("11.0.0.1/32")).prefix, prefix("11.0.0.0/8"));
    assert_eq!(map.find(prefix("2003::1/128")).prefix, prefix("2003::/16"));
    assert_eq!(map.find(prefix("1.0.0.1/32")).catchment, map.find(prefix("2a00::1/128")).catchment);
}

#[test]
fn a_short_source_gets_special_blocks_only_where_there_is_nothing_else() {
    let [frankfurt, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let fact = builder.fact(at(frankfurt), "db");
    builder.overrule(prefix("10.1.2.0/24"), fact);
    let atlas = builder.finish();
    let map = compiled(&atlas, &[region(frankfurt)], &by_rtt(1, 0), &Cuts::default());
    let piece = map.find(prefix("10.0.0.0/8"));
    assert_eq!((piece.prefix, piece.special), (prefix("10.1.2.0/24"), false));
    assert_eq!(atlas.find(prefix("10.0.0.0/8")).leaf, prefix("10.1.2.0/24"));
    let piece = map.find(prefix("224.0.0.0/3"));
    assert_eq!((piece.prefix, piece.special), (prefix("224.0.0.0/4"), true));
    assert!(map.find(prefix("10.1.3.1/32")).special);
}

#[test]
fn overrides_make_their_part_of_a_special_block_ordinary() {
    let [frankfurt, new_york, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let wide = builder.fact(at(frankfurt), "overrides");
    let inside = builder.fact(at(new_york), "overrides");
    // The wider one comes second and still loses; 192.168.0.0/16 is special although it lies inside a wider override.
    builder.overrule(prefix("10.1.0.0/16"), inside);
    builder.overrule(prefix("10.0.0.0/8"), wide);
    builder.overrule(prefix("192.0.0.0/8"), wide);
    let atlas = builder.finish();
    let found = |client: &str| atlas.find(prefix(client)).location.and_then(|l| l.coordinates);
    assert_eq!(found("10.1.2.3/32"), Some(new_york));
    assert_eq!(found("10.2.2.3/32"), Some(frankfurt));
    assert_eq!(found("192.0.2.1/32"), Some(frankfurt));
    assert!(atlas.find(prefix("192.168.0.1/32")).special);
    assert!(!atlas.find(prefix("10.1.2.3/32")).special);
}

// ----- Layers ------------------------------------------------------------------------------------------------

#[test]
fn the_first_database_that_knows_a_field_has_it_and_overrides_replace_all() {
    let [frankfurt, new_york, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let city =
        builder.fact(Location { country: Some(*b"DE"), coordinates: Some(frankfurt), ..Location::default() }, "city");
    let asn = builder.fact(Location { asn: Some(64_500), country: Some(*b"US"), ..Location::default() }, "asn");
    builder.learn(prefix("20.0.0.0/9"), city);
    builder.learn(prefix("20.0.0.0/8"), asn);
    let bare = builder.fact(Location { coordinates: Some(new_york), ..Location::default() }, "overrides");
    builder.overrule(prefix("20.1.0.0/16"), bare);
    let atlas = builder.finish();
    let low = atlas.find(prefix("20.2.0.1/32"));
    let location = low.location.unwrap();
    assert_eq!((location.country, location.asn, location.coordinates), (Some(*b"DE"), Some(64_500), Some(frankfurt)));
    assert_eq!(low.source, "city, asn");
    let high = atlas.find(prefix("20.200.0.1/32"));
    assert_eq!((high.location.unwrap().country, high.leaf), (Some(*b"US"), prefix("20.128.0.0/9")));
    let overruled = atlas.find(prefix("20.1.2.3/32"));
    assert_eq!(overruled.location, Some(&Location { coordinates: Some(new_york), ..Location::default() }));
    assert_eq!((overruled.source, overruled.leaf), ("overrides", prefix("20.1.0.0/16")));
    assert!(atlas.find(prefix("21.0.0.1/32")).location.is_none());
}

// ----- Catchments --------------------------------------------------------------------------------------------

#[test]
fn a_rule_without_keys_has_one_catchment() {
    let mut builder = AtlasBuilder::default();
    for (n, city) in cities().into_iter().enumerate() {
        let fact = builder.fact(at(city), "db");
        builder.learn(Prefix::new(IpAddr::from([20, n as u8, 0, 0]), 16), fact);
    }
    let rule = Rule { regions: vec![RegionId(0)], keys: vec![], groups: vec![], depth: 3, ..Rule::default() };
    let map = compiled(&builder.finish(), &cities().map(region), &rule, &Cuts::default());
    assert_eq!(map.find(prefix("20.1.2.3/32")), map.find(prefix("20.4.2.3/32")));
    assert_eq!(map.find(prefix("20.1.2.3/32")).prefix, prefix("16.0.0.0/4"));
    assert_eq!(map.best(0, 0, 0b1), 0b1);
}

#[test]
fn a_large_map_is_found_through_its_first_sixteen_bits() {
    let mut builder = AtlasBuilder::default();
    let facts = cities().map(|city| builder.fact(at(city), "db"));
    let of = |n: u32| (n.wrapping_mul(0x9e37_79b9) >> 16) as usize % facts.len();
    for n in 0..20_000_u32 {
        builder.learn(Prefix::new(IpAddr::from((0x1400_0000 + (n << 8)).to_be_bytes()), 24), facts[of(n)]);
    }
    let regions = cities().map(region);
    let map = compiled(&builder.finish(), &regions, &by_rtt(6, 0), &Cuts::default());
    assert!(map.pieces().v4 > 4096);
    for n in 0..20_000_u32 {
        let piece = map.find(Prefix::host(IpAddr::from((0x1400_0001 + (n << 8)).to_be_bytes())));
        assert_eq!(map.best(piece.catchment, 0, 0b11_1111), 1 << of(n));
    }
    let allocations = allocation_counter::measure(|| {
        for client in ["20.16.7.9/32", "20.16.0.0/12", "0.0.0.0/0", "2001:db8::/32", "::/0"].map(prefix) {
            assert_ne!(map.best(map.find(client).catchment, 0, 0b11_1111), 0);
        }
    });
    assert_eq!(allocations.count_total, 0);
    // Short sources go another way and end in pieces of the same division.
    for len in 0..=24 {
        let piece = map.find(prefix("20.16.0.0/24").cut(len));
        assert_eq!(map.find(Prefix::host(piece.prefix.address())), piece);
    }
}
