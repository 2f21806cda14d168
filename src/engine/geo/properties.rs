//! Maps against a second, slow reading of the same rules: every address, every set of eligible regions.

mod small;

use std::net::IpAddr;

use proptest::prelude::*;

use self::small::{Late, Told, location, ranked, sets, small};
use super::{
    ranking::Shape,
    tests::{cities, compiled, prefix, region},
    *,
};
use crate::engine::types::{Family, PerFamily, RegionId};

/// What a block is known by: its location, and the named prefixes that hold it.
type Known = (Option<Location>, Vec<Prefix>);

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

/// What a cut makes of `client`, counted by blocks: what most of it is, special blocks too; a tie to the lowest ordinary.
fn largest(map: &Map, blocks: &[Prefix], client: Prefix) -> Piece {
    let inside: Vec<Piece> = blocks.iter().filter(|b| client.contains(**b)).map(|b| map.find(*b)).collect();
    let count =
        |piece: &Piece| inside.iter().filter(|p| (p.special, p.catchment) == (piece.special, piece.catchment)).count();
    *inside.iter().rev().max_by_key(|p| (count(p), !p.special)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn maps_say_what_the_layers_and_the_ranking_say(small in small()) {
        let (atlas, map) = (small.atlas(), small.compile(Cuts::default()));
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        // Each different thing that clients are told, once; the first is what those of whom nothing is known are told.
        let mut told: Vec<Told> = vec![small.told(None, &[])];
        let mut by_facts: Vec<(Known, usize)> = vec![((None, Vec::new()), 0)];
        let mut seen: Vec<(bool, usize, Piece)> = Vec::new();
        for &block in &blocks {
            let (known, special) = small.known(block);
            let spot = atlas.find(block);
            prop_assert_eq!(spot.special, special);
            let nets = if special { Vec::new() } else { small.nets(block) };
            if !special {
                prop_assert_eq!(spot.location.cloned().unwrap_or_default(), known.clone().unwrap_or_default());
                let mut marks: Vec<Prefix> = spot.facts.nets().collect();
                marks.sort_unstable();
                prop_assert_eq!(&marks, &nets);
            }
            let facts = (known, nets);
            let of_facts = by_facts.iter().find(|(known, _)| *known == facts).map(|(_, at)| *at);
            let expected = of_facts.unwrap_or_else(|| {
                let new = small.told(facts.0.as_ref(), &facts.1);
                let at = told.iter().position(|known| *known == new).unwrap_or(told.len());
                if at == told.len() {
                    told.push(new);
                }
                by_facts.push((facts, at));
                at
            });
            seen.push((special, expected, map.find(block)));
        }
        let mut held: Vec<(usize, u32)> = Vec::new();
        for &(special, expected, piece) in &seen {
            prop_assert_eq!(piece.special, special);
            if !held.contains(&(expected, piece.catchment)) {
                let open = small.open(told[expected].denied);
                prop_assert_eq!(&small.compiled(&map, piece.catchment, open), &told[expected]);
                held.push((expected, piece.catchment));
            }
        }
        // One piece, one catchment; and nothing outside the /16 that the piece does not know.
        for (n, (special, expected, piece)) in seen.iter().enumerate() {
            for (other, block) in seen.iter().zip(&blocks) {
                if piece.prefix.contains(*block) {
                    prop_assert_eq!(&(*special, *expected, *piece), other);
                }
            }
            prop_assert!(*special || piece.prefix.len() >= 16 || *expected == 0);
            // No shorter piece would do.
            for len in 16..24 {
                let wider = blocks[n].cut(len);
                let mut inside = seen.iter().zip(&blocks).filter(|(_, block)| wider.contains(**block));
                if inside.all(|((special, told, _), _)| !special && told == expected) {
                    prop_assert!(piece.prefix.len() <= len, "{} should be at most /{}", piece.prefix, len);
                }
            }
        }
    }

    #[test]
    fn beyond_depth_the_row_of_most_of_a_catchment_decides(small in small()) {
        let map = &small.compile(Cuts::default());
        // For each catchment the rows of its classes, with how many blocks each covers. The world around is unknown.
        let mut rows: Vec<(u32, Late, usize)> = vec![(0, small.read(None, &[]).1, 1 << 24)];
        let mut by_facts: Vec<(Known, Late)> = Vec::new();
        let mut read = |facts: Known| -> Late {
            if let Some((_, late)) = by_facts.iter().find(|(known, _)| *known == facts) {
                return late.clone();
            }
            let late = small.read(facts.0.as_ref(), &facts.1).1;
            by_facts.push((facts, late.clone()));
            late
        };
        for block in (0..256).map(|n| small.block(n)) {
            let (known, special) = small.known(block);
            if special {
                continue;
            }
            let late = read((known, small.nets(block)));
            let catchment = map.find(block).catchment;
            match rows.iter_mut().find(|(at, known, _)| *at == catchment && *known == late) {
                Some((.., blocks)) => *blocks += 1,
                None => rows.push((catchment, late, 1)),
            }
        }
        // The clients of resolvers cover no addresses of their own.
        let resolvers = small.resolvers();
        for block in (0..256).map(|n| small.block(n)) {
            if let Some((entry, leaf)) = resolvers.known_at(Prefix::from_bits(Family::V4, block.bits(), 32)) {
                let catchment = map.behind_resolver(entry, leaf).catchment;
                let late = read((small.behind(block).cloned(), small.nets(block)));
                if !rows.iter().any(|(at, known, _)| *at == catchment && *known == late) {
                    rows.push((catchment, late, 0));
                }
            }
        }
        for catchment in rows.iter().map(|(at, ..)| *at) {
            let own = || rows.iter().filter(|(at, ..)| *at == catchment);
            let most = own().map(|(_, late, blocks)| (late.located, *blocks)).max();
            let open = small.open(map.denied(catchment));
            let beyond = |key| sets(&small.rule, open).filter(move |set| map.is_beyond_depth(catchment, key, *set));
            let decides = |late: &Late| {
                let keys = 0..small.rule.keys.len();
                let mut sets = keys.flat_map(|key| beyond(key).map(move |set| (key, set)));
                sets.all(|(key, set)| map.best(catchment, key, set) == late.first(key, set))
            };
            // Of rows that cover as much any may be taken.
            let mut candidates = own().filter(|(_, late, blocks)| Some((late.located, *blocks)) == most);
            prop_assert!(candidates.any(|(_, late, _)| decides(late)), "catchment {}: {:?}", catchment, most);
        }
    }

    #[test]
    fn clients_behind_a_resolver_are_told_what_its_line_says(small in small()) {
        let (resolvers, map) = (small.resolvers(), small.compile(Cuts::default()));
        for block in (0..256).map(|n| small.block(n)) {
            let address = Prefix::from_bits(Family::V4, block.bits() | 7 << 96, 32);
            let found = resolvers.known_at(address);
            prop_assert_eq!(found.is_some(), small.behind(block).is_some());
            let Some((entry, leaf)) = found else { continue };
            prop_assert!(leaf.contains(address));
            let piece = map.behind_resolver(entry, leaf);
            prop_assert_eq!((piece.prefix, piece.special), (leaf, false));
            let expected = small.told(small.behind(block), &small.nets(block));
            prop_assert_eq!(small.compiled(&map, piece.catchment, small.open(expected.denied)), expected);
        }
    }

    #[test]
    fn pieces_are_equal_or_disjoint_and_short_sources_get_what_most_is(
        small in small(), widest in 0..=20_u8, finest in 20..=26_u8,
        clients in prop::collection::vec((8..=32_u8, 0..1_u32 << 16), 24)
    ) {
        let map = small.compile(Cuts { widest: PerFamily::new(widest, 0), finest: PerFamily::new(finest, 56) });
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        let mut pieces: Vec<Piece> = Vec::new();
        for (len, low) in clients {
            let client = Prefix::from_bits(Family::V4, small.base.bits() | u128::from(low) << 96, len);
            let piece = map.find(client);
            prop_assert!(piece.prefix.len() >= widest);
            if finest >= 24 && (16..=24).contains(&len) && map.find(blocks[usize::from((low >> 8) as u8)]).prefix.len() > len {
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
        let fine = small.compile(Cuts::default());
        let coarse = small.compile(Cuts { finest: PerFamily::new(finest, 56), ..Cuts::default() });
        let blocks: Vec<Prefix> = (0..256).map(|n| small.block(n)).collect();
        for &block in &blocks {
            let piece = coarse.find(block);
            // Cut at the first length at which fences treat all alike, special-purpose blocks among them.
            let alike = |len: &u8| {
                let inside = blocks.iter().filter(|other| block.cut(*len).contains(**other)).map(|b| fine.find(*b));
                let denied: Vec<u64> = inside.map(|p| fine.denied(p.catchment)).collect();
                denied.windows(2).all(|pair| pair[0] == pair[1])
            };
            let len = (finest..=24).find(alike).unwrap();
            let expected = largest(&fine, &blocks, block.cut(len));
            prop_assert!(piece.prefix.len() <= len);
            prop_assert_eq!((piece.catchment, piece.special), (expected.catchment, expected.special));
        }
    }

    #[test]
    fn named_prefixes_finer_than_the_cut_count_for_clients_that_ask_by_themselves(
        small in small(), finest in 16..24_u8
    ) {
        let fine = small.compile(Cuts::default());
        let coarse = small.compile(Cuts { finest: PerFamily::new(finest, 56), ..Cuts::default() });
        for block in (0..256).map(|n| small.block(n)) {
            let named = small.named(block).is_some_and(|prefix| prefix.len() > finest);
            let expected = if named { fine.find(block) } else { coarse.find(block) };
            let found = coarse.find_sender(block);
            prop_assert_eq!((found.catchment, found.special), (expected.catchment, expected.special), "{}", block);
            prop_assert!(found.prefix.contains(block));
            // As a client subnet it has a scope that the cut allows, but for fences.
            let piece = coarse.find(block);
            prop_assert!(piece.prefix.len() <= finest || !small.rule.fences.is_empty());
        }
    }

    #[test]
    fn what_decides_for_a_client_is_of_the_catchment_that_it_gets(small in small(), finest in 16..24_u8) {
        small.on(Cuts { finest: PerFamily::new(finest, 56), ..Cuts::default() }, |ground| {
            let map = Map::compile(ground, &small.rule);
            for block in (0..256).step_by(15).map(|n| small.block(n)) {
                for piece in [map.find(block), map.find_sender(block)] {
                    let (spot, _) = map.decider(ground, block, piece);
                    prop_assert_eq!(spot.special, piece.special);
                    if !spot.special {
                        let told = small.told(spot.location, &small.nets(spot.leaf));
                        let open = small.open(told.denied);
                        prop_assert_eq!(small.compiled(&map, piece.catchment, open), told, "{}", block);
                    }
                }
            }
            Ok(())
        })?;
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
        one in prop::collection::vec(0..12_u32, 6), other in prop::collection::vec(0..12_u32, 6), near: bool,
        open in 1..64_u64
    ) {
        // Half of the time the second differs in one value only, so that alike rows are met often.
        let mut second = if near { one.clone() } else { other.clone() };
        second[0] = other[0];
        let all = (1_u64 << count) - 1;
        let groups: Vec<u64> = [split & all, all & !split].into_iter().filter(|group| *group != 0).collect();
        let regions = (0..count as u16).map(RegionId).collect();
        let rule = Rule { regions, keys: vec![(GeoKey::Rtt, tolerance)], groups, depth, ..Rule::default() };
        let shape = Shape::of(&rule);
        let rows = [&one, &second].map(|values| shape.row(&rule, &[values[..count].to_vec()], open));
        let decided = |row: &[_], set| (!shape.is_beyond(row, 0, set)).then(|| shape.best(row, &[], 0, set));
        for (row, values) in rows.iter().zip([&one, &second]) {
            for set in sets(&rule, open) {
                prop_assert_eq!(decided(row, set), ranked(&values[..count], &rule, 0, set, open));
            }
        }
        let equal = sets(&rule, open).all(|set| decided(&rows[0], set) == decided(&rows[1], set));
        prop_assert_eq!(shape.alike(&rows[0], &rows[1], open), equal);
        prop_assert!(!equal || shape.fingerprint(&rows[0], open) == shape.fingerprint(&rows[1], open));
    }
}
