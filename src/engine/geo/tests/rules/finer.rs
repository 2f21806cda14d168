//! Prefixes that operators name and that are finer than maps are cut.

use super::*;

fn continent(code: &[u8; 2]) -> Location {
    Location { continent: Some(*code), ..Location::default() }
}

#[test]
fn an_override_finer_than_the_cut_counts_for_a_client_that_asks_by_itself() {
    let world = World {
        locations: vec![("198.51.100.0/25", continent(b"NA")), ("198.51.100.160/27", continent(b"EU"))],
        ..World::default()
    };
    let rule = by_rules(2, &[(EU, &[1, 0])], &[0]);
    world.with(|ground| {
        let map = Map::compile(ground, &rule);
        let (client, [us, eu]) = (prefix("198.51.100.170/32"), [0b01, 0b10]);
        let (subnet, sender) = (map.find(client), map.find_sender(client));
        assert!(bands_of(&map, subnet.catchment)[0] == us && subnet.prefix.len() <= 24);
        assert_eq!((bands_of(&map, sender.catchment)[0], sender.prefix), (eu, prefix("198.51.100.160/27")));
        // What decided is said: the client's own leaf, and the largest of those that are answered as the block is.
        assert_eq!(map.decider(ground, client, sender).0.leaf, prefix("198.51.100.160/27"));
        let (spot, most_of) = map.decider(ground, client, subnet);
        assert_eq!((spot.leaf, most_of), (prefix("198.51.100.0/25"), prefix("198.51.100.0/24")));
        // Around it nothing changes.
        let beside = prefix("198.51.100.200/32");
        assert_eq!(map.find_sender(beside), map.find(beside));
        assert_eq!(map.find(beside), subnet);
    });
}

/// A rule's net, a measured prefix and a single address are treated as an override is; a database is cut for all.
#[test]
fn all_that_operators_name_is_treated_alike_and_databases_are_cut() {
    let [frankfurt, new_york, ..] = cities();
    let mut builder = AtlasBuilder::default();
    let (here, there) = (builder.fact(at(frankfurt), "db"), builder.fact(at(new_york), "db"));
    builder.learn(prefix("20.0.0.0/25"), here);
    builder.learn(prefix("20.0.0.128/26"), here);
    builder.learn(prefix("20.0.0.192/26"), there);
    builder.overrule(prefix("20.0.1.7/32"), there);
    builder.overrule(prefix("20.0.1.0/24"), here);
    builder.mark(prefix("20.0.2.7/32"));
    let atlas = builder.finish();
    let measured = Measured { rtt: Rtt(900), samples: None, age: Millis(0) };
    let ground = Ground {
        atlas: &atlas,
        resolvers: &Atlas::default(),
        points: &[region(frankfurt), region(new_york)],
        measures: &Measures::new([
            (Whose::Net(prefix("20.0.2.7/32")), RegionId(0), measured),
            (Whose::Net(prefix("20.0.2.7/32")), RegionId(1), Measured { rtt: Rtt(100), ..measured }),
        ]),
        nowhere: &places(&[vec![0], vec![1]]),
        model: Model::default(),
        cuts: Cuts::default(),
    };
    let map = Map::compile(&ground, &by_rtt(2, 0));
    let first = |piece: Piece| bands_of(&map, piece.catchment)[0];
    for client in ["20.0.1.7/32", "20.0.2.7/32"].map(prefix) {
        assert_eq!((first(map.find(client)), first(map.find_sender(client))), (0b01, 0b10), "{client}");
        assert_eq!(map.find_sender(client).prefix, client);
    }
    let cut = prefix("20.0.0.200/32");
    assert_eq!(map.find_sender(cut), map.find(cut));
    // Named anew, as when measurements come in, overrides still count.
    let marked = atlas.marked([prefix("20.0.3.9/32")]).unwrap();
    let map = Map::compile(&Ground { atlas: &marked, ..ground }, &by_rtt(2, 0));
    assert_eq!(bands_of(&map, map.find_sender(prefix("20.0.1.7/32")).catchment)[0], 0b10);
}

/// Around a fence a map is as fine as the fence, and an override of that length counts for client subnets too.
#[test]
fn an_override_counts_wherever_the_map_is_as_fine() {
    let mut rule = by_rules(2, &[(EU, &[1, 0])], &[0]);
    rule.fences = vec![Fence { only: Vec::new(), never: vec![net("20.0.0.16/28")] }];
    let world =
        World { locations: vec![("20.0.0.0/28", continent(b"EU"))], nets: vec!["20.0.0.16/28"], ..World::default() };
    let map = world.map(&rule);
    for client in ["20.0.0.1/32", "20.0.0.0/28"].map(prefix) {
        let piece = map.find(client);
        assert_eq!((bands_of(&map, piece.catchment)[0], piece.prefix), (0b10, prefix("20.0.0.0/28")));
    }
    assert_eq!(map.find(prefix("20.0.0.17/32")).prefix, prefix("20.0.0.16/28"));
}

/// Special-purpose space around an override is not of it, though a short SOURCE gets special blocks last.
#[test]
fn an_override_in_a_special_block_does_not_take_the_rest_of_its_cut() {
    let lines = vec![
        ("198.51.0.0/16", continent(b"NA")),
        ("10.1.2.0/28", continent(b"EU")),
        ("10.1.3.0/25", continent(b"EU")),
        ("fd00:1:2:3::/64", continent(b"EU")),
    ];
    let world = World { locations: lines, ..World::default() };
    let rule = by_rules(2, &[(EU, &[1, 0])], &[0]);
    world.with(|ground| {
        let map = Map::compile(ground, &rule);
        let first = |piece: Piece| bands_of(&map, piece.catchment)[0];
        for (inside, beside) in [("10.1.2.3/32", "10.1.2.200/32"), ("fd00:1:2:3::1/128", "fd00:1:2:4::1/128")] {
            let (inside, beside) = (prefix(inside), prefix(beside));
            // With a client subnet the rest of the cut decides, and is said to.
            for client in [inside, beside] {
                let piece = map.find(client);
                assert!(piece.special && first(piece) == 0b01, "{client}");
                assert!(map.decider(ground, client, piece).0.special, "{client}");
            }
            let sender = map.find_sender(inside);
            assert_eq!((first(sender), sender.special), (0b10, false), "{inside}");
            assert_eq!(map.decider(ground, inside, sender).0.leaf, sender.prefix);
            assert_eq!(map.find_sender(beside), map.find(beside), "{beside}");
        }
        // Half of a cut is as much as the rest: what is stated counts.
        let piece = map.find(prefix("10.1.3.200/32"));
        assert_eq!((first(piece), piece.special, piece.prefix), (0b10, false, prefix("10.1.3.0/24")));
        assert!(!map.decider(ground, prefix("10.1.3.200/32"), piece).0.special);
        // A subnet that holds both is still answered as what is known of it.
        assert_eq!(first(map.find(prefix("10.1.0.0/16"))), 0b10);
    });
}

#[test]
fn an_override_prevails_where_it_covers_most_of_the_cut() {
    let world = World {
        locations: vec![
            ("10.1.2.0/28", continent(b"EU")),
            ("10.1.3.0/25", continent(b"EU")),
            ("10.1.4.128/25", continent(b"EU")),
            ("::1/128", continent(b"EU")),
            ("fd00:1:2:3::/64", continent(b"EU")),
            ("20.0.0.0/25", continent(b"EU")),
            ("20.0.0.128/25", continent(b"NA")),
            ("20.0.1.0/26", continent(b"EU")),
            ("20.0.1.64/26", continent(b"NA")),
            ("20.0.1.128/25", continent(b"EU")),
            // Two of three locations can be one catchment, and then the largest of the three is not the most.
            ("20.0.2.0/25", continent(b"NA")),
            ("20.0.2.0/26", continent(b"EU")),
            ("20.0.2.128/26", continent(b"AS")),
        ],
        ..World::default()
    };
    world.with(|ground| {
        let prevails = |part: &str| ground.atlas.prevails(prefix(part), prefix(part).cut(24));
        for (part, expected) in [
            ("10.1.2.0/28", false),
            ("10.1.3.0/25", true),
            ("10.1.4.128/25", true),
            ("20.0.0.0/25", true),
            ("20.0.0.128/25", false),
            ("20.0.1.0/26", true),
            ("20.0.1.64/26", false),
            ("20.0.2.0/26", false),
            ("20.0.2.128/26", false),
        ] {
            assert_eq!(prevails(part), expected, "{part}");
        }
        // No map is cut there: it holds blocks that stay whole.
        assert!(ground.atlas.prevails(prefix("::1/128"), prefix("::/56")));
        assert!(!ground.atlas.prevails(prefix("fd00:1:2:3::/64"), prefix("fd00:1:2::/56")));
        let special = ["10.1.2.0/24", "10.1.3.0/24", "20.0.0.0/24"].map(|p| ground.atlas.is_mostly_special(prefix(p)));
        assert_eq!(special, [true, false, false]);
    });
}
