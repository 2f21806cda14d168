//! Shares are exact: what a weight says is what comes out when every draw has been taken once.

use std::{collections::BTreeMap, net::IpAddr};

use meridian::engine::{
    snapshot::Snapshot,
    steer::{
        Parts,
        locate::Client,
        rank::Field,
        spread::{Chosen, Drawing, choose},
        trace::{Basis, Silent},
    },
    types::{Chance, Family, Millis, Prefix, RouteId, UnixMillis, members},
};
use proptest::prelude::*;

use super::lab::{A, AAAA, Answer, Lab, Question, ask, at, draft, drawn, prefix};

/// A pool `p` with endpoints (region, weight): the n-th has the address 192.0.2.n+1.
pub fn config(policy: &str, endpoints: &[(&str, u32)]) -> String {
    let mut text = String::from("[monitors.m]\ntcp = { port = 80 }\n");
    let mut regions: Vec<&str> = endpoints.iter().map(|(region, _)| *region).collect();
    regions.sort_unstable();
    regions.dedup();
    for (n, region) in regions.iter().enumerate() {
        text += &format!("[regions.{region}]\nlocation = {{ lat = {n}, lon = {n} }}\n");
    }
    text += &format!("[policies.tested]\n{policy}\n[pools.p]\nmonitor = \"m\"\npolicy = \"tested\"\n");
    for (n, (region, weight)) in endpoints.iter().enumerate() {
        let address = format!("192.0.2.{}", n + 1);
        text += &format!(
            "[pools.p.endpoints.e{n:02}]\nregion = \"{region}\"\naddress = \"{address}\"\nweight = {weight}\n"
        );
    }
    text + "[services.\"www.g.test\"]\npools = [\"p\"]\nttl = { max = \"30s\", min = \"5s\" }\n"
}

fn lab(policy: &str, endpoints: &[(&str, u32)]) -> Lab {
    Lab::new(draft(&config(policy, endpoints), &[]))
}

fn www() -> Question {
    Question::new("www.g.test", A)
}

fn one(answer: Option<Answer>) -> usize {
    let answer = answer.expect("ready");
    let [IpAddr::V4(address)] = answer.addresses[..] else { panic!("one address: {answer:?}") };
    usize::from(address.octets()[3]) - 1
}

/// How often each endpoint comes up over draws 0 to `total`.
fn counted(snapshot: &Snapshot, total: u64, count: usize) -> Vec<u64> {
    let mut counts = vec![0; count];
    (0..total).for_each(|draw| counts[one(ask(snapshot, &www(), drawn(draw)))] += 1);
    counts
}

const SETS: &[&[(&str, u32)]] = &[
    &[("eu", 70), ("us", 30)],
    &[("eu", 5), ("us", 1), ("ap", 1)],
    &[("eu", 3), ("us", 7), ("eu", 11), ("us", 0), ("eu", 1)],
    &[("eu", 1), ("eu", 0), ("us", 999), ("ap", 4000)],
    &[("a", 100), ("b", 100), ("c", 100), ("d", 100), ("a", 50), ("b", 25)],
];

/// G60, G64, G69: weights are shares, to the last draw; region mates and weights of 0 included.
#[test]
fn weighted_and_random_give_every_endpoint_exactly_its_weight() {
    for spread in ["weighted", "random"] {
        for set in SETS {
            let snapshot = lab(&format!("extends = \"{spread}\""), set).healthy();
            let weights: Vec<u64> = set.iter().map(|(_, weight)| u64::from(*weight)).collect();
            let total = weights.iter().sum();
            assert_eq!(counted(&snapshot, total, set.len()), weights, "{spread}");
        }
    }
}

/// The dead one's share goes to the others by their weights; a weight of 0 gets none of it.
#[test]
fn the_living_share_what_the_dead_leave() {
    let set = [("eu", 50), ("eu", 20), ("us", 30), ("ap", 0)];
    for spread in ["weighted", "random"] {
        let snapshot = lab(&format!("extends = \"{spread}\""), &set).healths(&["b", "g", "g", "g"]);
        assert_eq!(counted(&snapshot, 50, 4), [0, 20, 30, 0]);
        assert_eq!(counted(&snapshot, 500, 4), [0, 200, 300, 0], "and again in every period");
    }
}

/// A client of the slot that is `n` slots of 30 s behind an hour's start.
fn in_slot(snapshot: &Snapshot, client: Prefix, n: u64) -> usize {
    one(ask(snapshot, &www().with(client), at(n * 30)))
}

#[test]
fn round_robin_is_exact_and_smooth_over_one_period() {
    let client = prefix("20.1.0.0/16");
    for set in SETS {
        let weights: Vec<u64> = set.iter().map(|(_, weight)| u64::from(*weight)).collect();
        let gcd = weights.iter().fold(0, |a, b| gcd(a, *b));
        let period = weights.iter().sum::<u64>() / gcd;
        let snapshot = lab("extends = \"round-robin\"", set).healthy();
        let mut counts = vec![0; set.len()];
        (0..period).for_each(|n| counts[in_slot(&snapshot, client, n)] += gcd);
        assert_eq!(counts, weights);
    }
    // In any W slots in a row, also where regions hold several endpoints.
    for set in [&[("eu", 3), ("us", 7), ("eu", 11), ("eu", 1)][..], &[("eu", 1), ("eu", 1), ("us", 2)], SETS[4]] {
        let gcd = set.iter().fold(0, |a, (_, weight)| gcd(a, u64::from(*weight)));
        let fair: Vec<u64> = set.iter().map(|(_, weight)| u64::from(*weight) / gcd).collect();
        let period = fair.iter().sum::<u64>() as usize;
        let snapshot = lab("extends = \"round-robin\"", set).healthy();
        let turns: Vec<usize> = (0..3 * period as u64).map(|draw| one(ask(&snapshot, &www(), drawn(draw)))).collect();
        for window in turns.windows(period) {
            let mut counts = vec![0; set.len()];
            window.iter().for_each(|turn| counts[*turn] += 1);
            assert_eq!(counts, fair, "{set:?}");
        }
    }
    let snapshot = lab("extends = \"round-robin\"", &[("eu", 5), ("us", 1), ("ws", 1)]).healthy();
    let walked: String = (0..14).map(|n| char::from(b'a' + in_slot(&snapshot, client, n) as u8)).collect();
    assert!("aabacaaaabacaaaabacaa".contains(&walked), "from its own start: {walked}");
    let turns: String = (0..7).map(|draw| char::from(b'a' + one(ask(&snapshot, &www(), drawn(draw))) as u8)).collect();
    assert_eq!(turns, "aabacaa");
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The endpoint that `hash` gives to the n-th /24 outside 0.0.0.0/8.
fn hashed(snapshot: &Snapshot, band: u64, n: u32) -> u8 {
    let block = Prefix::from_bits(Family::V4, u128::from((1 << 24) + (n << 8)) << 96, 24);
    let drawing =
        Drawing { seed: &snapshot.world.services[0].table.seed, block, slot: Millis::seconds(30), chance: at(0) };
    let parts = Parts::of(snapshot);
    let client = Client { basis: Basis::Subnet, prefix: block, behind: None, block, scope: 24, found: None };
    let field = Field::new(&parts, RouteId(0), &client, false).expect("a pool");
    let mut chosen = Chosen::new();
    choose(&field, band, None, &drawing, &mut chosen, &mut Silent);
    chosen[0]
}

#[test]
fn hash_keeps_within_a_fifth_of_a_point_over_a_million_blocks() {
    for set in &SETS[..3] {
        let snapshot = lab("extends = \"ip-hash\"", set).healthy();
        let band = members(snapshot.world.pools[0].table.weighted).fold(0, |band, n| band | 1 << n);
        let mut counts = vec![0u32; set.len()];
        (0..1_000_000).for_each(|n| counts[usize::from(hashed(&snapshot, band, n))] += 1);
        let total: u32 = set.iter().map(|(_, weight)| weight).sum();
        for (count, (_, weight)) in counts.iter().zip(*set) {
            let off = f64::from(*count) / 1e4 - f64::from(*weight) / f64::from(total) * 100.0;
            assert!(off.abs() < 0.2, "{counts:?} for {set:?}: off by {off} points");
        }
    }
}

/// G66: only the clients of who left move, to the last block; with a region mate left they stay in their region.
#[test]
fn hash_moves_only_the_clients_of_who_left() {
    let set = [("eu", 100), ("eu", 50), ("us", 70), ("ap", 30), ("sa", 100)];
    let snapshot = lab("extends = \"ip-hash\"", &set).healthy();
    let all = 0b11111;
    for gone in [2u8, 3, 4] {
        for n in 0..100_000 {
            let (before, after) = (hashed(&snapshot, all, n), hashed(&snapshot, all & !(1 << gone), n));
            assert!(after != gone && (before == gone || before == after), "block {n}: {before} to {after}");
        }
    }
}

/// Two in one region: the region's own share shrinks with it, so some of its clients leave, but nobody else moves about.
#[test]
fn hash_without_a_region_mate_moves_nobody_between_the_others() {
    let set = [("eu", 100), ("eu", 50), ("us", 70), ("ap", 30)];
    let snapshot = lab("extends = \"ip-hash\"", &set).healthy();
    for n in 0..100_000 {
        let (before, after) = (hashed(&snapshot, 0b1111, n), hashed(&snapshot, 0b1110, n));
        let stays_out = before >= 2 && after == before;
        assert!(stays_out || before < 2, "block {n} was in nobody's way: {before} to {after}");
    }
}

/// G67: distinct, no two of one region, as many as asked for or as there are.
#[test]
fn several_answers_are_distinct_and_of_different_regions() {
    let set = [("eu", 100), ("eu", 50), ("us", 70), ("ap", 30), ("us", 0)];
    let region = ["eu", "eu", "us", "ap", "us"];
    for spread in ["hash", "weighted", "round-robin", "random"] {
        for answers in 1..=5 {
            let snapshot = lab(&format!("prefer = []\nspread = \"{spread}\"\nanswers = {answers}"), &set).healthy();
            for draw in 0..500 {
                let answer = ask(&snapshot, &www(), drawn(draw * 7919)).expect("ready");
                let mut regions: Vec<&str> = answer
                    .addresses
                    .iter()
                    .map(|address| match address {
                        IpAddr::V4(v4) => region[usize::from(v4.octets()[3]) - 1],
                        IpAddr::V6(_) => panic!("{answer:?}"),
                    })
                    .collect();
                assert!(!answer.addresses.contains(&IpAddr::from([192, 0, 2, 5])), "weight 0");
                let count = regions.len();
                regions.sort_unstable();
                regions.dedup();
                assert_eq!((regions.len(), count), (answers.min(3), answers.min(3)), "{spread}: {answer:?}");
            }
        }
    }
}

/// What several answers may not share: a failure group, wherever its members are; or nothing but the endpoint itself. Who
/// has no group stands alone.
#[test]
fn several_answers_share_what_they_may() {
    let set = [("eu", 100), ("us", 50), ("eu", 70), ("eu", 30), ("us", 10)];
    let groups = [Some("x"), Some("x"), Some("y"), None, None];
    for spread in ["hash", "weighted", "round-robin", "random"] {
        for (distinct, most) in [("group", 4), ("none", 5)] {
            for answers in 2..=5 {
                let policy =
                    format!("prefer = []\nspread = \"{spread}\"\nanswers = {answers}\ndistinct = \"{distinct}\"");
                let mut text = config(&policy, &set);
                for (n, group) in groups.iter().enumerate().filter_map(|(n, group)| Some((n, (*group)?))) {
                    let table = format!("[pools.p.endpoints.e{n:02}]\n");
                    text = text.replace(&table, &format!("{table}group = \"{group}\"\n"));
                }
                let snapshot = Lab::new(draft(&text, &[])).healthy();
                for draw in 0..300 {
                    let answer = ask(&snapshot, &www(), drawn(draw * 7919)).expect("ready");
                    let mut told: Vec<usize> = answer
                        .addresses
                        .iter()
                        .map(|address| match address {
                            IpAddr::V4(v4) => usize::from(v4.octets()[3]) - 1,
                            IpAddr::V6(_) => panic!("{answer:?}"),
                        })
                        .collect();
                    told.sort_unstable();
                    let both = told.contains(&0) && told.contains(&1);
                    assert!(distinct == "none" || !both, "{spread}: {answer:?} has both of group x");
                    let count = told.len();
                    told.dedup();
                    assert_eq!((told.len(), count), (answers.min(most), answers.min(most)), "{spread} {distinct}");
                }
            }
        }
    }
}

/// The last octets of an answer's addresses, in its order.
fn octets(answer: &Answer) -> Vec<u8> {
    let octet = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    };
    answer.addresses.iter().map(octet).collect()
}

/// How often each endpoint stands first over so many draws; each answer names `all`, behind the first in turn.
fn first(snapshot: &Snapshot, all: &[u8], total: u64) -> Vec<u64> {
    let mut counts = vec![0; all.len()];
    for draw in 0..total {
        let order = octets(&ask(snapshot, &www(), drawn(draw)).expect("ready"));
        let at = all.iter().position(|octet| *octet == order[0]).expect("one of them");
        counts[at] += 1;
        assert_eq!(order, [&all[at..], &all[..at]].concat(), "the others follow in turn");
    }
    counts
}

/// G31: all that are up, in one answer, whatever is drawn; which of them stands first is drawn by weight, exactly.
#[test]
fn all_names_every_living_endpoint_of_the_band_and_each_first_by_its_weight() {
    let set = [("eu", 100), ("us", 50), ("eu", 70), ("ap", 0)];
    let mut lab = lab("prefer = []\nspread = \"all\"", &set);
    assert_eq!(first(&lab.healthy(), &[1, 2, 3], 220), [100, 50, 70]);
    assert_eq!(first(&lab.healthy(), &[1, 2, 3], 2200), [1000, 500, 700], "and again in every period");
    assert_eq!(first(&lab.healths(&["g", "b", "g", "b"]), &[1, 3], 170), [100, 70]);
    assert_eq!(first(&lab.healths(&["b", "b", "g", "b"]), &[3], 3), [3]);
}

#[test]
fn serve_all_names_each_first_by_its_weight() {
    let set = [("eu", 3), ("us", 7), ("eu", 11), ("ap", 0)];
    let text = config("extends = \"weighted\"", &set);
    let mut lab = Lab::new(draft(
        &text.replace("[services.", "[defaults.service]\nwhen_all_down = \"serve-all\"\n[services."),
        &[],
    ));
    assert_eq!(first(&lab.healths(&["b"; 4]), &[1, 2, 3], 21), [3, 7, 11]);
}

/// The order of all is the query's own: the client's block and the slot have no part in it, and the scope stays as it is.
#[test]
fn the_order_of_all_follows_the_query_and_not_the_client() {
    let mut lab = lab("prefer = []\nspread = \"all\"", &[("eu", 1), ("us", 1), ("ap", 2)]);
    let snapshot = lab.healthy();
    let put = |random: u64, client: &str, second: u64| {
        let chance = Chance { random, ..at(second) };
        ask(&snapshot, &www().with(prefix(client)), chance).expect("ready")
    };
    for random in 0..8 {
        let one = put(random, "20.1.0.0/16", 0);
        assert_eq!(one.scope, Some(0));
        assert_eq!(one, put(random, "20.9.0.0/16", 0), "from whatever client");
        assert_eq!(one, put(random, "20.1.0.0/16", 1000), "whenever");
    }
    let orders: std::collections::BTreeSet<Vec<u8>> =
        (0..4).map(|random| octets(&put(random, "20.1.0.0/16", 0))).collect();
    assert_eq!(orders.len(), 3, "{orders:?}");
}

/// With `server.rotate = false` all stand by name, whatever is drawn.
#[test]
fn without_rotation_all_stand_by_name() {
    for down in ["g", "b"] {
        let text = config("prefer = []\nspread = \"all\"", &[("eu", 100), ("us", 50), ("eu", 70)]);
        let mut draft =
            draft(&text.replace("[services.", "[defaults.service]\nwhen_all_down = \"serve-all\"\n[services."), &[]);
        draft.rotate = false;
        let snapshot = Lab::new(draft).healths(&[down; 3]);
        (0..500).for_each(|draw| assert_eq!(octets(&ask(&snapshot, &www(), drawn(draw)).expect("ready")), [1, 2, 3]));
    }
}

/// Several answers stand in the order of their draws: each first exactly as often as if it were the only one.
#[test]
fn several_answers_stand_in_the_order_of_their_draws() {
    for spread in ["weighted", "random", "round-robin", "hash"] {
        for set in SETS {
            let of = |answers: &str| lab(&format!("prefer = []\nspread = \"{spread}\"\n{answers}"), set).healthy();
            let (one, three) = (of(""), of("answers = 3\ndistinct = \"none\""));
            let total: u64 = set.iter().map(|(_, weight)| u64::from(*weight)).sum();
            let mut counts = vec![0; set.len()];
            for draw in 0..total {
                let order = octets(&ask(&three, &www(), drawn(draw)).expect("ready"));
                assert_eq!(order[0], octets(&ask(&one, &www(), drawn(draw)).expect("ready"))[0], "{spread}");
                counts[usize::from(order[0]) - 1] += 1;
            }
            if spread != "hash" {
                let weights: Vec<u64> = set.iter().map(|(_, weight)| u64::from(*weight)).collect();
                assert_eq!(counts, weights, "{spread}");
            }
        }
    }
}

/// Each block has turns of its own: at no second do many turn over, and each does once in `ttl.max`.
#[test]
fn blocks_do_not_turn_over_together() {
    use meridian::engine::world::draw::slot;
    let snapshot = lab("extends = \"weighted\"", &[("eu", 1), ("us", 1)]).healthy();
    let seed = &snapshot.world.services[0].table.seed;
    let mut turns = [0u32; 30];
    for n in 0..3000u32 {
        let draw = seed.block(Prefix::from_bits(Family::V4, u128::from(n) << 112, 16));
        let number = |second: u64| slot(draw, UnixMillis(1_700_000_000_000 + second * 1000), Millis::seconds(30));
        let changed: Vec<usize> = (0..30).filter(|s| number(*s as u64) != number(*s as u64 + 1)).collect();
        assert_eq!(changed.len(), 1, "once in a slot's length");
        turns[changed[0]] += 1;
    }
    assert!(turns.iter().all(|count| (50..150).contains(count)), "3000 blocks over 30 seconds: {turns:?}");
}

/// The same secret on two servers: one answer. Another secret: another layout. Services of one affinity: one region.
#[test]
fn servers_agree_by_secret_and_services_by_affinity() {
    let set = [("eu", 100), ("us", 70), ("ap", 30)];
    let text = config("extends = \"hash-like\"", &set).replace("extends = \"hash-like\"", "prefer = []");
    let text = text + "[services.\"shop.g.test\"]\npools = [\"p\"]\nttl = { max = \"30s\", min = \"5s\" }\n";
    let made = |secret: [u8; 16], affinity: bool| {
        let mut draft = draft(&text, &[]);
        draft.secret = secret;
        if affinity {
            draft.services.iter_mut().for_each(|service| service.affinity = b"shop".as_slice().into());
        }
        Lab::new(draft).healthy()
    };
    let layout = |snapshot: &Snapshot, name: &str| -> Vec<usize> {
        let client = |n: u32| Prefix::from_bits(Family::V4, u128::from(0x1400 + n) << 112, 16);
        (0..256).map(|n| one(ask(snapshot, &Question::new(name, A).with(client(n)), at(0)))).collect()
    };
    let (first, second, other) = (made([1; 16], false), made([1; 16], false), made([2; 16], false));
    assert_eq!(layout(&first, "www.g.test"), layout(&second, "www.g.test"));
    let alike = |a: &[usize], b: &[usize]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    // Independent layouts meet in 0.5² + 0.35² + 0.15² of the blocks: 101 of 256.
    let met = alike(&layout(&first, "www.g.test"), &layout(&other, "www.g.test"));
    assert!((60..150).contains(&met), "{met}");
    let met = alike(&layout(&first, "www.g.test"), &layout(&first, "shop.g.test"));
    assert!((60..150).contains(&met), "names are keyed apart: {met}");
    let shared = made([1; 16], true);
    assert_eq!(layout(&shared, "www.g.test"), layout(&shared, "shop.g.test"));
}

/// G42, G30: the decision is made once for the name; a family that the chosen one has not is NODATA.
#[test]
fn a_family_that_nobody_has_is_nodata_with_the_short_ttl() {
    let snapshot = lab("extends = \"weighted\"", SETS[0]).healthy();
    let answer = ask(&snapshot, &Question::new("www.g.test", AAAA), at(0)).expect("ready");
    assert_eq!((answer.rcode as u8, answer.addresses.len(), answer.ttl), (0, 0, Some(5)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any weights at all: the share over one round of draws is the weight.
    #[test]
    fn any_weights_are_exact(weights in prop::collection::vec((0..4usize, 0..40u32), 1..8), random: bool) {
        prop_assume!(weights.iter().any(|(_, weight)| *weight > 0));
        let set: Vec<(&str, u32)> = weights.iter().map(|(at, weight)| (["a", "b", "c", "d"][*at], *weight)).collect();
        let spread = if random { "random" } else { "weighted" };
        let snapshot = lab(&format!("extends = \"{spread}\""), &set).healthy();
        let expected: Vec<u64> = set.iter().map(|(_, weight)| u64::from(*weight)).collect();
        let counts: BTreeMap<usize, u64> =
            counted(&snapshot, expected.iter().sum(), set.len()).into_iter().enumerate().collect();
        prop_assert_eq!(counts.into_values().collect::<Vec<_>>(), expected);
    }
}
