//! Beyond the regions whose order is kept: what holds for most of a catchment decides, never the name.

use super::*;

/// Frankfurt, Amsterdam, Zürich, then Sydney, which is before Vienna by name, then Vienna.
fn regions() -> Vec<RegionPoint> {
    [(50.11, 8.68), (52.37, 4.9), (47.37, 8.54), (-33.9, 151.2), (48.2, 16.37)]
        .map(|(lat, lon)| region(point(lat, lon)))
        .to_vec()
}

fn germany() -> World {
    World { locations: vec![("20.0.0.0/10", at(point(50.11, 8.68)))], points: regions(), ..World::default() }
}

const SYDNEY: u64 = 0b01000;
const VIENNA: u64 = 0b10000;

#[test]
fn the_near_region_answers_when_the_three_nearest_are_lost() {
    for keys in [vec![(GeoKey::Rtt, 0)], vec![(GeoKey::Rtt, 100)], vec![(GeoKey::Distance, 0)]] {
        let map = germany().map(&Rule { keys, ..by_rtt(5, 0) });
        let client = map.find(prefix("20.0.0.0/24")).catchment;
        assert_eq!(map.best(client, 0, SYDNEY | VIENNA), VIENNA);
        assert_eq!(map.best(client, 0, SYDNEY), SYDNEY);
        assert!(map.is_beyond_depth(client, 0, SYDNEY | VIENNA) && !map.is_beyond_depth(client, 0, SYDNEY | 1));
    }
}

/// Regions of one step stand together, so that the spread or a later key decides between them, and no name.
#[test]
fn regions_of_one_step_of_25_ms_are_one_band() {
    let mut world = germany();
    world.points.extend([region(point(45.46, 9.19)), region(point(40.42, -3.7))]); // Milan, Madrid
    let map = world.map(&Rule { depth: 1, ..by_rtt(7, 0) });
    let client = map.find(prefix("20.0.0.0/24")).catchment;
    // 12.9 ms and 13.6 ms, against 27.3 ms to Madrid.
    assert_eq!(map.best(client, 0, 0b111_0000), 0b011_0000);
    assert_eq!(map.best(client, 0, 0b100_1000), 0b100_0000);
}

/// A catchment with clients in two places: the row of the larger part holds for both, and nothing is divided for it.
#[test]
fn most_of_a_catchment_decides_and_nothing_is_divided_for_it() {
    let lone = |lat, lon| region(point(lat, lon));
    // Lisbon is first for both; then Frankfurt from Madrid, São Paulo from the middle of the Atlantic.
    let points = vec![lone(38.7, -9.1), lone(50.1, 8.7), lone(-23.5, -46.6)];
    let place = |most: &'static str, rest: &'static str| World {
        locations: vec![(most, at(point(40.4, -3.7))), (rest, at(point(10.0, -24.0)))],
        points: points.clone(),
        ..World::default()
    };
    let rule = Rule { depth: 1, ..by_rtt(3, 0) };
    for (world, expected) in
        [(place("20.0.0.0/9", "20.128.0.0/10"), 0b010), (place("20.128.0.0/11", "20.0.0.0/10"), 0b100)]
    {
        let map = world.map(&rule);
        let (one, other) = (map.find(prefix("20.1.0.0/24")), map.find(prefix("20.129.0.0/24")));
        assert_eq!(one.catchment, other.catchment);
        assert_eq!(map.best(one.catchment, 0, 0b110), expected);
    }
}

/// Unknown clients make no region near: they decide only where nothing is known of anything.
#[test]
fn the_unknown_do_not_decide_for_the_known() {
    let world = World { nowhere: vec![0, 2, 1, 3, 4], ..germany() };
    let map = world.map(&by_rtt(5, 0));
    let (known, unknown) = (map.find(prefix("20.0.0.0/24")).catchment, map.find(prefix("99.0.0.0/24")).catchment);
    assert_eq!((known, map.best(known, 0, SYDNEY | VIENNA)), (unknown, VIENNA), "their first three are the same");
    let world = World { nowhere: vec![4, 0, 1, 2, 3], ..germany() };
    let map = world.map(&by_rtt(5, 0));
    let unknown = map.find(prefix("99.0.0.0/24")).catchment;
    assert_eq!(map.best(unknown, 0, SYDNEY | 0b00100), 0b00100, "by the order for them");
}

#[test]
fn the_order_of_a_rule_goes_on_and_the_name_decides_only_at_its_end() {
    let rule = Rule { depth: 2, ..by_rules(6, &[], &[5, 4, 3, 2]) };
    let map = World::default().map(&rule);
    assert_eq!(bands_of(&map, 0), [1 << 5, 1 << 4, 1 << 3, 1 << 2, 1 << 0, 1 << 1]);
    // A time behind the rules decides between equal places.
    let preferences = Preferences { rules: Vec::new(), default: places(&[vec![0], vec![1], vec![2], vec![3, 4]]) };
    let keys = vec![(GeoKey::Geo, 0), (GeoKey::Rtt, 0)];
    let map = germany().map(&Rule { keys, preferences: Some(Arc::new(preferences)), ..by_rtt(5, 0) });
    let client = map.find(prefix("20.0.0.0/24")).catchment;
    assert_eq!(map.best(client, 0, SYDNEY | VIENNA), SYDNEY | VIENNA);
    assert_eq!(map.best(client, 1, SYDNEY | VIENNA), VIENNA);
}

#[test]
fn a_measured_way_counts_beyond_depth_too() {
    let net = Whose::Net(prefix("20.0.0.0/16"));
    let cells = [120, 130, 50, 300, 2500].into_iter().zip(0..).map(|(rtt, region)| (net, region, rtt)).collect();
    let world = World { nets: vec!["20.0.0.0/16"], cells, ..germany() };
    let map = world.map(&by_rtt(5, 0));
    let best = |client: &str, set| map.best(map.find(prefix(client)).catchment, 0, set);
    assert_eq!(best("20.0.1.0/24", SYDNEY | VIENNA), SYDNEY);
    assert_eq!(best("20.1.1.0/24", SYDNEY | VIENNA), VIENNA);
}

#[test]
fn no_row_is_kept_where_every_list_is_whole() {
    let size = |regions: u16| {
        let world = World { points: regions_of(regions), ..germany() };
        world.map(&by_rtt(regions, 0)).size()
    };
    assert_eq!(size(4) - size(3), 0);
    assert!(size(5) > size(4));
}

fn regions_of(count: u16) -> Vec<RegionPoint> {
    regions()[..usize::from(count)].to_vec()
}
