//! Geo rules, fences, limits, nets, measured rows and resolvers, for single addresses. The G numbers are facts that other
//! servers' suites assert.

use std::sync::Arc;

use super::{super::*, at, by_rtt, cities, point, prefix, region};
use crate::engine::{
    types::{Millis, RegionId},
    units::{Kilometres, Rtt},
};

mod beyond;
mod finer;

/// What a test puts into a world; what it leaves out is empty.
#[derive(Default)]
struct World {
    locations: Vec<(&'static str, Location)>,
    nets: Vec<&'static str>,
    resolvers: Vec<(&'static str, Location)>,
    points: Vec<RegionPoint>,
    cells: Vec<(Whose, u16, u32)>,
    nowhere: Vec<u16>,
}

impl World {
    fn atlas(&self, lines: &[(&str, Location)]) -> Atlas {
        let mut builder = AtlasBuilder::default();
        for (text, location) in lines {
            let fact = builder.fact(location.clone(), "test");
            builder.overrule(prefix(text), fact);
        }
        self.nets.iter().for_each(|net| builder.mark(prefix(net)));
        builder.finish()
    }

    fn with<T>(&self, then: impl FnOnce(&Ground<'_>) -> T) -> T {
        let (atlas, resolvers) = (self.atlas(&self.locations), self.atlas(&self.resolvers));
        let measured = |rtt| Measured { rtt, samples: Some(9), age: Millis(60_000) };
        let cells = self.cells.iter().map(|(whose, region, rtt)| (*whose, RegionId(*region), measured(Rtt(*rtt))));
        then(&Ground {
            atlas: &atlas,
            resolvers: &resolvers,
            points: &self.points,
            measures: &Measures::new(cells),
            nowhere: &places(&self.nowhere.iter().map(|n| vec![*n]).collect::<Vec<_>>()),
            model: Model::default(),
            cuts: Cuts::default(),
        })
    }

    fn map(&self, rule: &Rule) -> Map {
        self.with(|ground| Map::compile(ground, rule))
    }

    fn row(&self, client: &str) -> Vec<Estimate> {
        let regions: Vec<RegionId> = (0..self.points.len() as u16).map(RegionId).collect();
        self.with(|ground| Estimator::new(ground).row(&ground.atlas.find(prefix(client)).facts, &regions))
    }
}

/// An order: each list of regions is one place.
fn places(lists: &[Vec<u16>]) -> Order {
    lists.iter().zip(0..).flat_map(|(list, at)| list.iter().map(move |n| (RegionId(*n), at))).collect()
}

/// A rule for the key `geo` alone: each rule is an order of single regions.
fn by_rules(regions: u16, rules: &[(Selector, &[u16])], default: &[u16]) -> Rule {
    let order = |list: &[u16]| places(&list.iter().map(|n| vec![*n]).collect::<Vec<_>>());
    let mut rules: Vec<_> = rules.iter().map(|(selector, list)| (selector.clone(), order(list))).collect();
    rules.sort();
    let preferences = Preferences { rules, default: order(default) };
    Rule { keys: vec![(GeoKey::Geo, 0)], preferences: Some(Arc::new(preferences)), depth: 8, ..by_rtt(regions, 0) }
}

/// The bands of a client, the best first, each as bits of regions; and the piece.
fn bands(map: &Map, client: &str) -> (Vec<u64>, Prefix) {
    let piece = map.find(normalise(prefix(client)).0);
    (bands_of(map, piece.catchment), piece.prefix)
}

fn bands_of(map: &Map, catchment: u32) -> Vec<u64> {
    let mut left = (1_u64 << map.rule().regions.len()) - 1;
    let mut bands = Vec::new();
    while left != 0 {
        let band = map.best(catchment, 0, left);
        bands.push(band);
        left &= !band;
    }
    bands
}

fn country(code: &[u8; 2]) -> Location {
    Location { country: Some(*code), ..Location::default() }
}

fn net(text: &str) -> Selector {
    Selector::Net(prefix(text))
}

const EU: Selector = Selector::Continent(*b"EU");

// ----- Geo rules ---------------------------------------------------------------------------------------------

/// G1: the scope is the merged network, not the source.
#[test]
fn a_world_of_two_halves_has_pieces_of_one_bit_but_for_special_blocks() {
    let in_continent = |code: &[u8; 2]| Location { continent: Some(*code), ..Location::default() };
    let world = World {
        locations: vec![("0.0.0.0/1", in_continent(b"NA")), ("128.0.0.0/1", in_continent(b"EU"))],
        ..World::default()
    };
    let map = world.map(&by_rules(2, &[(EU, &[1, 0]), (Selector::Continent(*b"NA"), &[0, 1])], &[]));
    assert_eq!(bands(&map, "192.1.0.0/16").0, [0b10, 0b01]);
    assert_eq!(bands(&map, "20.0.0.0/8").0, [0b01, 0b10]);
    // Special blocks stay apart, and 64.0.0.0/3 and 128.0.0.0/3 are what is widest around these without one.
    assert_eq!(bands(&map, "64.10.0.0/16").1, prefix("64.0.0.0/3"));
    assert_eq!(bands(&map, "128.1.0.0/16").1, prefix("128.0.0.0/3"));
}

/// G13: a list may name regions that the pool does not have. G2, G12, G17, G70: an empty list is refused when the
/// configuration is read, a client of no rule gets the default, and SOURCE 0 never comes here.
#[test]
fn regions_that_are_not_served_are_skipped_and_those_left_out_come_last() {
    let rule = Rule { regions: vec![RegionId(1), RegionId(4), RegionId(6)], ..by_rules(3, &[(EU, &[9, 6, 0])], &[4]) };
    let world = World {
        locations: vec![("20.0.0.0/8", Location { continent: Some(*b"EU"), ..Location::default() })],
        ..World::default()
    };
    let map = world.map(&rule);
    assert_eq!(bands(&map, "20.0.0.0/8").0, [0b100, 0b011]);
    assert_eq!(bands(&map, "30.0.0.0/8").0, [0b010, 0b101]);
    let none = world.map(&by_rules(3, &[(EU, &[2])], &[]));
    assert_eq!(bands(&none, "30.0.0.0/8").0, [0b111], "without a default all are equally good");
}

/// G15: nets win over the database, the more specific over the wider, whatever the order. G16: adjacent nets with one
/// result are one piece.
#[test]
fn the_longest_net_wins_and_equal_neighbours_merge() {
    let nets = vec!["20.0.0.0/16", "20.0.2.0/24", "30.0.0.0/17", "30.0.128.0/17", "30.1.0.0/17", "30.1.128.0/17"];
    let mut rules: Vec<(Selector, &[u16])> = vec![(net("20.0.2.0/24"), &[1]), (net("20.0.0.0/16"), &[2])];
    const TO_ONE: &[u16] = &[1];
    rules.extend(nets[2..].iter().map(|text| (net(text), TO_ONE)));
    rules.push((Selector::Country(*b"DE"), &[0]));
    let world = World { locations: vec![("20.0.0.0/8", country(b"DE"))], nets: nets.clone(), ..World::default() };
    for turn in 0..rules.len() {
        rules.rotate_left(turn);
        let map = world.map(&by_rules(3, &rules, &[]));
        assert_eq!(bands(&map, "20.0.2.1/32"), (vec![0b010, 0b101], prefix("20.0.2.0/24")));
        assert_eq!(bands(&map, "20.0.3.1/32"), (vec![0b100, 0b011], prefix("20.0.3.0/24")));
        assert_eq!(bands(&map, "20.1.0.0/16").0, [0b001, 0b110]);
        assert_eq!(bands(&map, "30.1.200.0/24").1, prefix("30.0.0.0/15"));
    }
}

/// G22: levels may be skipped; G23: what is unknown can be met.
#[test]
fn the_most_specific_kind_wins_and_levels_may_be_left_out() {
    let rules: [(Selector, &[u16]); 5] = [
        (Selector::Asn(64_500), &[5]),
        (Selector::Subdivision(*b"US", "CA".into()), &[4]),
        (Selector::Country(*b"US"), &[3]),
        (Selector::Continent(*b"NA"), &[2]),
        (Selector::Unknown, &[1]),
    ];
    let place = |asn, subdivision: Option<&str>, country, continent| Location {
        asn,
        subdivision: subdivision.map(Into::into),
        country,
        continent,
        ..Location::default()
    };
    let (us, na) = (Some(*b"US"), Some(*b"NA"));
    let world = World {
        locations: vec![
            ("20.1.0.0/16", place(Some(64_500), Some("CA"), us, na)),
            ("20.2.0.0/16", place(Some(64_501), Some("CA"), us, na)),
            ("20.3.0.0/16", place(None, Some("NY"), us, na)),
            ("20.4.0.0/16", place(None, Some("CA"), Some(*b"MX"), na)),
            ("20.5.0.0/16", place(None, None, Some(*b"DE"), Some(*b"EU"))),
            ("20.6.0.0/16", place(Some(64_501), None, None, None)),
        ],
        ..World::default()
    };
    let map = world.map(&by_rules(6, &rules, &[0]));
    let first = |client: &str| bands(&map, client).0[0].trailing_zeros();
    let clients =
        ["20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16", "20.4.0.0/16", "20.5.0.0/16", "20.6.0.0/16", "21.0.0.0/8"];
    assert_eq!(clients.map(first), [5, 4, 3, 2, 0, 1, 1]);
    // The same rules, told to people.
    let preferences = map.rule().preferences.clone().unwrap();
    let atlas = world.atlas(&world.locations);
    let (selector, order) = preferences.of(&atlas.find(prefix("20.2.0.0/16")).facts);
    assert_eq!((selector, order.len()), (Some(&rules[1].0), 1));
}

#[test]
fn equal_places_are_one_band_that_the_next_key_divides() {
    let mut rule = by_rules(3, &[], &[]);
    rule.preferences = Some(Arc::new(Preferences { rules: Vec::new(), default: places(&[vec![1, 2], vec![0]]) }));
    let world = World {
        locations: vec![("20.0.0.0/8", at(cities()[0]))],
        points: cities()[..3].iter().map(|c| region(*c)).collect(),
        ..World::default()
    };
    assert_eq!(bands(&world.map(&rule), "20.0.0.0/8").0, [0b110, 0b001]);
    rule.keys.push((GeoKey::Distance, 0));
    let map = world.map(&rule);
    assert_eq!(map.best(map.find(prefix("20.0.0.0/8")).catchment, 1, 0b110), 0b010, "New York before Mumbai");
}

// ----- Fences ------------------------------------------------------------------------------------------------

#[test]
fn fences_keep_out_whom_they_say_and_closed_regions_leave_the_order() {
    let fence = |only: &[Selector], never: &[Selector]| Fence { only: only.to_vec(), never: never.to_vec() };
    let mut rule = by_rules(3, &[], &[0, 1, 2]);
    rule.depth = 1;
    rule.fences = vec![
        fence(&[EU, Selector::Country(*b"CH")], &[]),
        fence(&[], &[net("20.0.1.0/24")]),
        fence(&[Selector::Asn(64_500), Selector::Unknown], &[]),
    ];
    // Region 0 has one endpoint behind fence 0 and one behind 0 and 1; region 1 has an endpoint in the open.
    rule.behind = vec![vec![0b001, 0b011], vec![0b001, 0], Vec::new()];
    let place = |continent: &[u8; 2], asn| Location { continent: Some(*continent), asn, ..Location::default() };
    let world = World {
        locations: vec![
            ("20.0.0.0/16", place(b"EU", None)),
            ("20.1.0.0/16", place(b"NA", Some(64_500))),
            ("20.2.0.0/16", country(b"CH")),
            ("20.3.0.0/16", Location { asn: Some(64_500), ..Location::default() }),
        ],
        nets: vec!["20.0.1.0/24"],
        ..World::default()
    };
    let map = world.map(&rule);
    let at = |client: &str| {
        let piece = map.find(prefix(client));
        (map.denied(piece.catchment), bands_of(&map, piece.catchment)[0])
    };
    assert_eq!(at("20.0.0.0/24"), (0b100, 0b001));
    assert_eq!(at("20.0.1.0/24"), (0b110, 0b001));
    assert_eq!(map.find(prefix("20.0.0.0/24")).prefix, prefix("20.0.0.0/24"), "nobody shares a piece over a fence");
    // Region 0 is closed to who is not of Europe, so the one region whose order is kept is the next.
    assert_eq!(at("20.1.0.0/16"), (0b001, 0b010));
    assert_eq!(at("20.2.0.0/16"), (0b100, 0b001));
    assert_eq!(at("20.3.0.0/16"), (0b001, 0b010));
    assert_eq!(at("99.0.0.0/16"), (0b001, 0b010), "an unknown client is outside every `only` that does not name it");
}

#[test]
fn a_fence_that_is_finer_than_the_cut_is_not_blurred() {
    let mut rule = by_rules(2, &[], &[0, 1]);
    rule.fences = vec![Fence { only: Vec::new(), never: vec![net("20.0.0.16/28")] }];
    let world = World { nets: vec!["20.0.0.16/28", "20.0.1.16/28"], ..World::default() };
    let map = world.map(&rule);
    let at = |client: &str| {
        let piece = map.find(prefix(client));
        (map.denied(piece.catchment), piece.prefix)
    };
    assert_eq!(at("20.0.0.17/32"), (1, prefix("20.0.0.16/28")));
    assert_eq!(at("20.0.0.33/32"), (0, prefix("20.0.0.32/27")));
    assert_eq!(at("20.0.0.0/24"), (0, prefix("20.0.0.0/28")), "most of it is not kept out");
    assert_eq!(at("20.0.1.17/32"), (0, prefix("20.0.1.0/24")), "a net that no fence names changes nothing");
}

// ----- Estimates ---------------------------------------------------------------------------------------------

/// G18: Geneva, the east of the United States, Australia. G19: where nothing is known, the configured order.
#[test]
fn the_nearest_come_first_and_the_unknown_have_an_order() {
    let [_, new_york, _, singapore, _, dublin] = cities();
    let world = World {
        locations: vec![
            ("20.1.0.0/16", at(point(46.2, 6.15))),
            ("20.2.0.0/16", at(point(40.0, -75.0))),
            ("20.3.0.0/16", at(point(-33.87, 151.21))),
            ("20.4.0.0/16", Location { asn: Some(64_500), ..Location::default() }),
        ],
        points: vec![region(dublin), region(singapore), region(new_york), RegionPoint::default()],
        nowhere: vec![3, 1],
        ..World::default()
    };
    for rule in [by_rtt(4, 0), Rule { keys: vec![(GeoKey::Distance, 20_040)], ..by_rtt(4, 0) }] {
        let rule = Rule { depth: 4, ..rule };
        let map = world.map(&rule);
        let (dublin, singapore, new_york, dark) = (0b0001, 0b0010, 0b0100, 0b1000);
        if rule.keys[0].1 == 0 {
            assert_eq!(bands(&map, "20.1.0.0/16").0, [dublin, new_york, singapore, dark]);
            assert_eq!(bands(&map, "20.2.0.0/16").0, [new_york, dublin, singapore, dark]);
            assert_eq!(bands(&map, "20.3.0.0/16").0, [singapore, new_york, dublin, dark]);
        }
        // No tolerance joins two places of the order for unknown clients.
        assert_eq!(bands(&map, "20.4.0.0/16").0, [dark, singapore, dublin | new_york]);
        assert_eq!(bands(&map, "99.0.0.0/16").0, [dark, singapore, dublin | new_york]);
    }
    assert_eq!(hows(&world.row("99.0.0.0/16")), [How::UnknownClient, How::Order(1), How::UnknownClient, How::Order(0)]);
}

/// A region of the order for unknown clients keeps its place by distance, although its round trip is measured.
#[test]
fn a_measured_way_of_an_unknown_client_changes_no_distance() {
    let [frankfurt, new_york, ..] = cities();
    let world = World {
        locations: vec![("20.0.0.0/8", Location { asn: Some(64_500), ..Location::default() })],
        points: vec![region(frankfurt), region(new_york)],
        cells: vec![(Whose::Asn(64_500), 1, 10)],
        nowhere: vec![1],
        ..World::default()
    };
    let by_distance = Rule {
        keys: vec![(GeoKey::Distance, 0)],
        limits: Limits { rtt: None, distance: Some(Kilometres(100)) },
        ..by_rtt(2, 0)
    };
    let map = world.map(&by_distance);
    assert_eq!(bands(&map, "20.0.0.0/8").0, [0b10, 0b01]);
    assert_eq!(map.within(map.find(prefix("20.0.0.0/8")).catchment) & 0b11, 0b11, "what is not known is within");
    assert_eq!(bands(&world.map(&by_rtt(2, 0)), "20.0.0.0/8").0, [0b10, 0b01]);
}

fn hows(row: &[Estimate]) -> Vec<How> {
    row.iter().map(|estimate| estimate.how).collect()
}

#[test]
fn bias_moves_the_border_between_two_regions() {
    let [frankfurt, .., dublin] = cities();
    let world = |bias| World {
        locations: vec![("20.0.0.0/16", at(point(52.0, 0.1)))],
        points: vec![region(frankfurt), RegionPoint { bias, ..region(dublin) }],
        ..World::default()
    };
    let first = |bias| bands(&world(bias).map(&by_rtt(2, 0)), "20.0.0.0/16").0[0];
    let [to_frankfurt, to_dublin] = [0, 1].map(|n| world(0).row("20.0.0.0/16")[n].rtt.0 as i32);
    assert_eq!(first(to_frankfurt - to_dublin + 1), 0b01);
    assert_eq!(first(to_frankfurt - to_dublin - 1), 0b10);
    assert_eq!(world(-10_000).row("20.0.0.0/16")[1].rtt, Rtt(0), "never below nothing");
}

#[test]
fn measured_goes_before_modelled_and_the_longest_prefix_before_the_rest() {
    let [frankfurt, new_york, mumbai, ..] = cities();
    let whose = |text: &str| Whose::Net(prefix(text));
    let german = Location { asn: Some(64_500), country: Some(*b"DE"), ..at(frankfurt) };
    let world = World {
        locations: vec![("20.0.0.0/8", german)],
        nets: vec!["20.0.0.0/16", "20.0.1.0/24"],
        points: [frankfurt, new_york, mumbai].map(region).to_vec(),
        cells: vec![
            (whose("20.0.1.0/24"), 0, 100),
            (whose("20.0.0.0/16"), 0, 150),
            (whose("20.0.0.0/16"), 1, 1506),
            (Whose::Asn(64_500), 0, 200),
            (Whose::Country(*b"DE"), 1, 3000),
        ],
        ..World::default()
    };
    let [model_us, model_in] = [1, 2].map(|n| estimate_from(frankfurt, [frankfurt, new_york, mumbai][n]));
    let shown = |client: &str| {
        let row = world.row(client);
        let how = |how| match how {
            How::Measured(whose, _) => whose.to_string(),
            How::Modelled(_, scale) => scale.0.to_string(),
            how => format!("{how:?}"),
        };
        row.iter().map(|estimate| (estimate.rtt.0, how(estimate.how))).collect::<Vec<_>>()
    };
    // 10 ms where the model says 5 is twice; 150.6 where it says about 100 is one and a half: the median of two is their mean.
    let ratio = |measured: u32, model: u32| u64::from(measured) * 1000 / u64::from(model);
    let scaled = |first: u64, second: u64| {
        let scale = (first + second) / 2;
        ((u64::from(model_in) * scale + 500) / 1000, scale)
    };
    let (rtt, scale) = scaled(ratio(100, 50), ratio(1506, model_us));
    assert_eq!(
        shown("20.0.1.0/24"),
        [(100, "20.0.1.0/24".into()), (1506, "20.0.0.0/16".into()), (rtt as u32, scale.to_string())]
    );
    let (rtt, scale) = scaled(ratio(150, 50), ratio(1506, model_us));
    assert_eq!(
        shown("20.0.2.0/24"),
        [(150, "20.0.0.0/16".into()), (1506, "20.0.0.0/16".into()), (rtt as u32, scale.to_string())]
    );
    let (rtt, scale) = scaled(ratio(200, 50), ratio(3000, model_us));
    assert_eq!(shown("20.1.0.0/16"), [(200, "AS64500".into()), (3000, "DE".into()), (rtt as u32, scale.to_string())]);
    // Of whom nothing is measured.
    let unmeasured = World { cells: vec![(Whose::Country(*b"FR"), 0, 1)], ..world };
    assert!(unmeasured.row("20.1.0.0/16").iter().all(|e| e.how == How::Modelled(Start::Coordinates, SCALE_ONE)));
}

fn estimate_from(client: Coordinates, there: Coordinates) -> u32 {
    super::estimate(Some(&at(client)), &region(there)).rtt.0
}

#[test]
fn a_short_measured_way_never_makes_the_model_shorter() {
    let [frankfurt, new_york, ..] = cities();
    let world = World {
        locations: vec![("20.0.0.0/8", Location { country: Some(*b"DE"), ..at(frankfurt) })],
        points: vec![region(frankfurt), region(new_york)],
        cells: vec![(Whose::Country(*b"DE"), 0, 1)],
        ..World::default()
    };
    let row = world.row("20.0.0.0/8");
    assert_eq!((row[0].rtt.0, row[1].rtt.0), (1, estimate_from(frankfurt, new_york)));
    assert_eq!(row[1].how, How::Modelled(Start::Coordinates, SCALE_ONE));
}

#[test]
fn a_measured_prefix_is_a_piece_of_its_own_only_when_it_is_ranked_otherwise() {
    let [frankfurt, new_york, ..] = cities();
    let whose = |text: &str| Whose::Net(prefix(text));
    let world = |to_frankfurt| World {
        locations: vec![("20.0.0.0/16", at(frankfurt))],
        nets: vec!["20.0.1.0/24"],
        points: vec![region(frankfurt), region(new_york)],
        cells: vec![(whose("20.0.1.0/24"), 0, to_frankfurt), (whose("20.0.1.0/24"), 1, 1100)],
        ..World::default()
    };
    assert_eq!(bands(&world(90).map(&by_rtt(2, 0)), "20.0.1.9/32"), (vec![0b01, 0b10], prefix("20.0.0.0/16")));
    let turned = world(1200).map(&by_rtt(2, 0));
    assert_eq!(bands(&turned, "20.0.1.9/32"), (vec![0b10, 0b01], prefix("20.0.1.0/24")));
    assert_eq!(bands(&turned, "20.0.2.9/32"), (vec![0b01, 0b10], prefix("20.0.2.0/23")));
    assert_eq!(turned.catchments(), 3, "the unknown, who hold both equal, Frankfurt's, and the one that is measured");
}

#[test]
fn limits_leave_out_what_is_known_to_be_beyond() {
    let [frankfurt, new_york, mumbai, ..] = cities();
    let world = World {
        locations: vec![("20.0.0.0/8", at(frankfurt))],
        points: vec![region(frankfurt), region(new_york), region(mumbai), RegionPoint::default()],
        ..World::default()
    };
    let within = |rtt, distance| {
        let map = world.map(&Rule { limits: Limits { rtt, distance }, ..by_rtt(4, 0) });
        ["20.0.0.0/8", "99.0.0.0/8"].map(|client| map.within(map.find(prefix(client)).catchment) & 0b1111)
    };
    assert_eq!(within(Some(Rtt(1010)), None), [0b1011, 0b1111]);
    assert_eq!(within(None, Some(Kilometres(6300))), [0b1011, 0b1111]);
    assert_eq!(within(Some(Rtt(1010)), Some(Kilometres(100))), [0b1001, 0b1111]);
    assert_eq!(within(None, None), [0b1111, 0b1111]);
    // Limits alone tell clients apart, also where no key asks for the place.
    let map =
        world.map(&Rule { keys: Vec::new(), limits: Limits { rtt: Some(Rtt(60)), distance: None }, ..by_rtt(4, 0) });
    assert_ne!(map.find(prefix("20.0.0.0/8")).catchment, map.find(prefix("99.0.0.0/8")).catchment);
}

// ----- Resolvers ---------------------------------------------------------------------------------------------

/// G71: what is known best of the client is used; the resolver map only where its own prefix is not told.
#[test]
fn clients_behind_a_resolver_are_where_its_line_says() {
    let [frankfurt, new_york, ..] = cities();
    let world = World {
        locations: vec![("20.0.0.0/8", at(frankfurt))],
        resolvers: vec![("20.0.0.53/32", at(new_york)), ("10.53.0.0/24", at(new_york))],
        nets: vec!["20.0.0.0/24"],
        points: vec![region(frankfurt), region(new_york)],
        ..World::default()
    };
    let map = world.map(&by_rtt(2, 0));
    let resolvers = world.atlas(&world.resolvers);
    for (address, leaf) in [("20.0.0.53/32", "20.0.0.53/32"), ("10.53.0.7/32", "10.53.0.0/24")] {
        let (entry, found) = resolvers.known_at(prefix(address)).unwrap();
        let piece = map.behind_resolver(entry, found);
        assert_eq!((piece.prefix, bands_of(&map, piece.catchment)), (prefix(leaf), vec![0b10, 0b01]));
    }
    assert_eq!(resolvers.known_at(prefix("20.0.0.54/32")), None);
    assert_eq!(bands(&map, "20.0.0.53/32").0, [0b01, 0b10], "its own address is another matter");
    // A net goes by the resolver's address, the rest by the line.
    let map = world.map(&by_rules(2, &[(net("20.0.0.0/24"), &[0, 1])], &[1, 0]));
    let catchment =
        |address: &str| map.behind_resolver(resolvers.known_at(prefix(address)).unwrap().0, prefix(address)).catchment;
    assert_eq!(bands_of(&map, catchment("20.0.0.53/32")), [0b01, 0b10]);
    assert_eq!(bands_of(&map, catchment("10.53.0.7/32")), [0b10, 0b01]);
}

// ----- Nets --------------------------------------------------------------------------------------------------

#[test]
fn a_named_net_makes_its_part_of_a_special_block_ordinary() {
    let world = World { nets: vec!["10.1.0.0/16", "10.0.0.0/8", "8.0.0.0/6", "10.1.2.0/24"], ..World::default() };
    let atlas = world.atlas(&[]);
    let nets = |client: &str| atlas.find(prefix(client)).facts.nets().collect::<Vec<_>>();
    let all = ["10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/8", "8.0.0.0/6"].map(prefix);
    assert_eq!(nets("10.1.2.3/32"), all);
    assert_eq!(nets("10.1.3.3/32"), all[1..]);
    assert_eq!(nets("10.2.3.3/32"), all[2..]);
    assert_eq!(nets("9.2.3.3/32"), all[3..]);
    assert!(!atlas.find(prefix("10.1.2.3/32")).special);
    // One that is wider than the block leaves it special; so does one inside a form of IPv4.
    let world = World { nets: vec!["8.0.0.0/6", "2002::/17"], ..World::default() };
    assert!(world.atlas(&[]).find(prefix("10.1.2.3/32")).special);
    assert_eq!(world.map(&by_rules(2, &[], &[])).find(prefix("2002::/16")).prefix, prefix("2002::/16"));
}
