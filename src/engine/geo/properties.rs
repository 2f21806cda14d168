//! Maps against a second, slow reading of the same rules: every address, every set of eligible regions.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{
    ranking::Shape,
    tests::{at, cities, compiled, point, prefix, region, row},
    *,
};
use crate::engine::types::Family;

/// The uncompiled ranking: what a key leaves of `eligible`, from the values themselves.
fn ranked(values: &[u32], rule: &Rule, key: usize, eligible: u64) -> u64 {
    let tolerance = rule.keys[key].1;
    let group = *rule.groups.iter().find(|&&group| eligible & !group == 0).unwrap();
    let mut order: Vec<usize> = (0..values.len()).filter(|r| group >> r & 1 == 1).collect();
    order.sort_by_key(|&r| (values[r], r));
    order.truncate(usize::from(rule.depth));
    let Some(best) = order.into_iter().find(|r| eligible >> r & 1 == 1) else {
        return 1 << eligible.trailing_zeros();
    };
    (0..values.len())
        .filter(|&r| eligible >> r & 1 == 1 && values[r] <= values[best].saturating_add(tolerance))
        .fold(0, |set, r| set | 1 << r)
}

/// Every answer that a location can get: by key, for every non-empty set within a group.
fn answers(location: Option<&Location>, points: &[RegionPoint], rule: &Rule) -> Vec<u64> {
    let estimates = row(location, points);
    let mut all = Vec::new();
    for (at, (key, _)) in rule.keys.iter().enumerate() {
        let values: Vec<u32> = estimates.iter().map(|e| if *key == GeoKey::Rtt { e.rtt } else { e.km }).collect();
        for eligible in sets(rule) {
            all.push(ranked(&values, rule, at, eligible));
        }
    }
    all
}

fn sets(rule: &Rule) -> impl Iterator<Item = u64> {
    (1..1_u64 << rule.regions.len()).filter(|set| rule.groups.iter().any(|group| set & !group == 0))
}

/// A small world inside one /16: 256 blocks.
#[derive(Debug)]
struct Small {
    base: Prefix,
    databases: Vec<Vec<(Prefix, Location)>>,
    overrides: Vec<(Prefix, Location)>,
    points: Vec<RegionPoint>,
    rule: Rule,
}

impl Small {
    fn atlas(&self) -> Atlas {
        let mut builder = AtlasBuilder::default();
        for database in &self.databases {
            for (prefix, location) in database {
                let fact = builder.fact(location.clone(), "db");
                builder.learn(*prefix, fact);
            }
        }
        for (prefix, location) in &self.overrides {
            let fact = builder.fact(location.clone(), "overrides");
            builder.overrule(*prefix, fact);
        }
        builder.finish()
    }

    fn block(&self, n: u128) -> Prefix {
        Prefix::from_bits(Family::V4, self.base.bits() | n << 104, 24)
    }

    /// Read straight from the layers: the location of a block, and whether it is special.
    fn known(&self, block: Prefix) -> (Option<Location>, bool) {
        let over = self.overrides.iter().filter(|(p, _)| p.contains(block)).max_by_key(|(p, _)| p.len());
        let special = special::SPECIAL.iter().map(special::Block::prefix).find(|p| p.contains(block));
        match (over, special) {
            (Some((prefix, location)), special) if special.is_none_or(|s| s.contains(*prefix)) => {
                (Some(location.clone()), false)
            }
            (_, Some(_)) => (None, true),
            _ => {
                let mut known: Option<Location> = None;
                for database in &self.databases {
                    if let Some((_, new)) = database.iter().find(|(p, _)| p.contains(block)) {
                        let known = known.get_or_insert_default();
                        known.coordinates = known.coordinates.or(new.coordinates);
                        known.country = known.country.or(new.country);
                    }
                }
                (known, false)
            }
        }
    }
}

fn location() -> impl Strategy<Value = Location> {
    prop_oneof![
        4 => (0..6_usize).prop_map(|n| at(cities()[n])),
        2 => (-80..80_i32, -180..180_i32).prop_map(|(lat, lon)| at(point(f64::from(lat), f64::from(lon)))),
        1 => prop::sample::select(vec![*b"DE", *b"US", *b"IN", *b"ZZ"])
            .prop_map(|code| Location { country: Some(code), ..Location::default() }),
        1 => Just(Location::default()),
    ]
}

fn small() -> impl Strategy<Value = Small> {
    let bases = ["20.64.0.0/16", "10.64.0.0/16", "192.0.0.0/16", "198.19.0.0/16"].map(prefix).to_vec();
    let inside = || (16..=24_u8, 0..256_u128, location());
    let rule = (1..=5_usize).prop_flat_map(|count| {
        let key = (
            prop::sample::select(vec![GeoKey::Rtt, GeoKey::Distance]),
            prop::sample::select(vec![0, 50, 300, 2000, u32::MAX]),
        );
        let points = prop::collection::vec(
            prop_oneof![
                5 => (0..6_usize).prop_map(|n| region(cities()[n])),
                1 => Just(RegionPoint::default()),
            ],
            count,
        );
        (points, prop::collection::vec(key, 1..=2), 0..1_u64 << count, 0..=4_u8)
    });
    (
        prop::sample::select(bases),
        prop::collection::vec(prop::collection::vec(inside(), 0..12), 0..3),
        prop::collection::vec(inside(), 0..6),
        rule,
    )
        .prop_map(|(base, databases, overrides, (points, keys, split, depth))| {
            let place = |(len, n, location): (u8, u128, Location)| {
                (Prefix::from_bits(Family::V4, base.bits() | n << 104, len), location)
            };
            let databases = databases.into_iter().map(|rows| {
                let mut kept: Vec<(Prefix, Location)> = Vec::new();
                for (prefix, location) in rows.into_iter().map(place) {
                    if !kept.iter().any(|(p, _)| p.contains(prefix) || prefix.contains(*p)) {
                        kept.push((prefix, location));
                    }
                }
                kept
            });
            let mut overrides: Vec<_> = overrides.into_iter().map(place).collect();
            overrides.sort_by_key(|(prefix, _)| *prefix);
            overrides.dedup_by_key(|(prefix, _)| *prefix);
            let all = (1_u64 << points.len()) - 1;
            let groups = [split, all & !split].into_iter().filter(|group| *group != 0).collect();
            let rule = Rule {
                regions: (0..points.len() as u16).map(RegionId).collect(),
                keys,
                groups,
                depth,
                ..Rule::default()
            };
            Small { base, databases: databases.collect(), overrides, points, rule }
        })
}

/// IPv6 prefixes in and around the blocks that carry IPv4, and some that carry nothing.
fn forms() -> impl Strategy<Value = Prefix> {
    let blocks: Vec<Prefix> = special::EMBEDDINGS
        .iter()
        .map(|form| form.block.prefix())
        .chain(["2001:db8::/32", "100::/64", "::/8", "64:ff9b::/64", "2000::/13"].map(prefix))
        .collect();
    // Few addresses and any length, so that neighbours meet.
    let low = prop::sample::select(vec![0, 1, 0x14_00_00_00, 0x14_00_00_ff, 0x45_3a_ba_77, 0xac_05_00_01, u32::MAX]);
    let group = prop::sample::select(vec![0, 1, 0xffff_u16, 0x1400, 0x453a, 0x8000]);
    (prop::sample::select(blocks), prop::collection::vec(group, 6), low, 8..=128_u8).prop_map(
        |(block, groups, low, len)| {
            let bits =
                groups.iter().fold(0_u128, |bits, group| bits << 16 | u128::from(*group)) << 32 | u128::from(low);
            let beyond = u128::MAX.checked_shr(u32::from(block.len())).unwrap_or(0);
            Prefix::from_bits(Family::V6, block.bits() | bits & beyond, len)
        },
    )
}

/// What most of `client` is, counted by blocks: special blocks only where there is nothing else, a tie to the lowest.
fn most(map: &Map, blocks: &[Prefix], client: Prefix) -> Piece {
    let inside: Vec<Piece> = blocks.iter().filter(|b| client.contains(**b)).map(|b| map.find(*b)).collect();
    let ordinary = inside.iter().any(|p| !p.special);
    let count =
        |piece: &Piece| inside.iter().filter(|p| p.special != ordinary && p.catchment == piece.catchment).count();
    let candidates = inside.iter().filter(|p| p.special != ordinary);
    *candidates.rev().max_by_key(|p| count(p)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn maps_say_what_the_layers_and_the_ranking_say(small in small()) {
        let atlas = small.atlas();
        let map = compiled(&atlas, &small.points, &small.rule, &Cuts::default());
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        let nowhere = answers(None, &small.points, &small.rule);
        let mut seen = Vec::new();
        for &block in &blocks {
            let (known, special) = small.known(block);
            let spot = atlas.find(block);
            prop_assert_eq!(spot.special, special);
            if !special {
                prop_assert_eq!(spot.location.cloned().unwrap_or_default(), known.clone().unwrap_or_default());
            }
            let expected = if special { nowhere.clone() } else { answers(known.as_ref(), &small.points, &small.rule) };
            let piece = map.find(block);
            prop_assert_eq!(piece.special, special);
            let sets = (0..small.rule.keys.len()).flat_map(|key| sets(&small.rule).map(move |set| (key, set)));
            let found: Vec<u64> = sets.map(|(key, set)| map.best(piece.catchment, key, set)).collect();
            prop_assert_eq!(&found, &expected);
            seen.push((special, expected, piece));
        }
        // One piece, one catchment; and nothing outside the /16 that the piece does not know.
        for (n, (special, expected, piece)) in seen.iter().enumerate() {
            for (other, block) in seen.iter().zip(&blocks) {
                if piece.prefix.contains(*block) {
                    prop_assert_eq!(&(*special, expected, piece), &(other.0, &other.1, &other.2));
                }
            }
            prop_assert!(*special || piece.prefix.len() >= 16 || *expected == nowhere);
            // No shorter piece would do.
            for len in 16..24 {
                let wider = blocks[n].cut(len);
                let mut inside = seen.iter().zip(&blocks).filter(|(_, block)| wider.contains(**block));
                if inside.all(|((special, answers, _), _)| !special && answers == expected) {
                    prop_assert!(piece.prefix.len() <= len, "{} should be at most /{}", piece.prefix, len);
                }
            }
        }
    }

    #[test]
    fn pieces_are_equal_or_disjoint_and_short_sources_get_what_most_is(
        small in small(), widest in 0..=20_u8, clients in prop::collection::vec((8..=32_u8, 0..1_u32 << 16), 24)
    ) {
        let cuts = Cuts { widest: [widest, 0], ..Cuts::default() };
        let map = compiled(&small.atlas(), &small.points, &small.rule, &cuts);
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        let mut pieces: Vec<Piece> = Vec::new();
        for (len, low) in clients {
            let client = Prefix::from_bits(Family::V4, small.base.bits() | u128::from(low) << 96, len);
            let piece = map.find(client);
            prop_assert!(piece.prefix.len() >= widest);
            if (16..=24).contains(&len) && map.find(blocks[usize::from((low >> 8) as u8)]).prefix.len() > len {
                let expected = most(&map, &blocks, client);
                prop_assert_eq!(piece, expected);
            }
            pieces.push(piece);
        }
        for (a, b) in pieces.iter().flat_map(|a| pieces.iter().map(move |b| (a, b))) {
            prop_assert!(a == b || !a.prefix.contains(b.prefix), "{:?} and {:?}", a, b);
        }
    }

    #[test]
    fn a_coarser_cut_gives_each_prefix_what_covers_most_of_it(small in small(), finest in 16..24_u8) {
        let atlas = small.atlas();
        let fine = compiled(&atlas, &small.points, &small.rule, &Cuts::default());
        let cuts = Cuts { finest: [finest, 56], ..Cuts::default() };
        let coarse = compiled(&atlas, &small.points, &small.rule, &cuts);
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        for &block in &blocks {
            let piece = coarse.find(block);
            let expected = most(&fine, &blocks, block.cut(finest));
            prop_assert!(piece.prefix.len() <= finest);
            prop_assert_eq!((piece.catchment, piece.special), (expected.catchment, expected.special));
        }
    }

    #[test]
    fn every_ipv4_prefix_survives_each_of_its_ipv6_forms(address: u32, len in 0..=32_u8) {
        let v4 = Prefix::new(IpAddr::from(address.to_be_bytes()), len);
        for form in special::EMBEDDINGS {
            let block = form.block.prefix();
            let teredo = block == prefix("2001::/32");
            let bits = if teredo { !v4.bits() } else { v4.bits() } >> form.offset;
            let bits = block.bits() | bits & (u128::MAX >> form.offset);
            let embedded = Prefix::from_bits(Family::V6, bits, form.offset + len);
            if embedded.len() < 128 || embedded.bits() > 1 {
                prop_assert_eq!(normalise(embedded), (v4, form.offset));
            }
        }
    }

    #[test]
    fn scopes_in_the_querys_own_form_are_equal_or_disjoint(
        known in prop::collection::vec((forms(), location()), 0..12), clients in prop::collection::vec(forms(), 32)
    ) {
        let mut builder = AtlasBuilder::default();
        for (prefix, location) in known {
            let fact = builder.fact(location, "overrides");
            builder.overrule(normalise(prefix).0, fact);
        }
        let points = cities().map(region);
        let rule = Rule { regions: (0..6).map(RegionId).collect(), keys: vec![(GeoKey::Rtt, 50)], groups: vec![], depth: 3, ..Rule::default() };
        let map = compiled(&builder.finish(), &points, &rule, &Cuts::default());
        let mut scopes: Vec<Prefix> = Vec::new();
        for client in clients {
            let (inside, offset) = normalise(client);
            let piece = map.find(inside);
            // Specials are answered by the resolver's address, without a scope of their own.
            if piece.special {
                continue;
            }
            let inverted = offset == 96 && prefix("2001::/32").contains(client);
            let low = if inverted { !piece.prefix.bits() } else { piece.prefix.bits() };
            let bits = if offset == 0 { low } else { client.cut(offset).bits() | low >> offset };
            scopes.push(Prefix::from_bits(client.family(), bits, offset + piece.prefix.len()));
        }
        for (a, b) in scopes.iter().flat_map(|a| scopes.iter().map(move |b| (a, b))) {
            prop_assert!(a == b || !a.contains(*b), "{} and {}", a, b);
        }
    }

    #[test]
    fn rows_are_alike_exactly_when_no_set_tells_them_apart(
        count in 1..=6_usize, depth in 0..=4_u8, split: u64, tolerance in 0..6_u32,
        one in prop::collection::vec(0..12_u32, 6), other in prop::collection::vec(0..12_u32, 6), near: bool
    ) {
        // Half of the time the second differs in one value only, so that alike rows are met often.
        let mut second = if near { one.clone() } else { other.clone() };
        second[0] = other[0];
        let all = (1_u64 << count) - 1;
        let groups: Vec<u64> = [split & all, all & !split].into_iter().filter(|group| *group != 0).collect();
        let regions = (0..count as u16).map(RegionId).collect();
        let rule = Rule { regions, keys: vec![(GeoKey::Rtt, tolerance)], groups, depth, ..Rule::default() };
        let shape = Shape::of(&rule);
        let rows = [&one, &second].map(|values| shape.row(&rule, &[values[..count].to_vec()], all));
        for (row, values) in rows.iter().zip([&one, &second]) {
            for set in sets(&rule) {
                prop_assert_eq!(shape.best(row, 0, set), ranked(&values[..count], &rule, 0, set));
            }
        }
        let equal = sets(&rule).all(|set| shape.best(&rows[0], 0, set) == shape.best(&rows[1], 0, set));
        prop_assert_eq!(shape.alike(&rows[0], &rows[1], all), equal);
        prop_assert!(!equal || shape.fingerprint(&rows[0], all) == shape.fingerprint(&rows[1], all));
    }
}
