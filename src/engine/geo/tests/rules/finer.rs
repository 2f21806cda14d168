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
    let measured = Measured { rtt: 900, samples: None, age: 0 };
    let ground = Ground {
        atlas: &atlas,
        resolvers: &Atlas::default(),
        points: &[region(frankfurt), region(new_york)],
        measures: &Measures::new([
            (Whose::Net(prefix("20.0.2.7/32")), RegionId(0), measured),
            (Whose::Net(prefix("20.0.2.7/32")), RegionId(1), Measured { rtt: 100, ..measured }),
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
