//! What is taken and what is refused, what is told of it, and how much room it takes.

use std::net::IpAddr;

use super::*;
use crate::engine::{
    geo::{AtlasBuilder, Location},
    signal::latency::Reading,
    units::{Permille, Rtt},
};

const HOUR: u64 = 3_600_000;
const TERMS: Terms =
    Terms { least: Rtt(50), share: Permille(100), hold: Millis(0), min_samples: 5, max_age: Millis(24 * HOUR) };

fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap();
    Prefix::new(address.parse::<IpAddr>().unwrap(), len.parse().unwrap())
}

fn store(max_prefixes: usize) -> Samples {
    let mut samples = Samples::default();
    samples.set(&TERMS, max_prefixes, ["eu", "us"].map(Box::from));
    samples
}

/// 203.0.113.0/24 and 198.51.100.0/24 are AS64500 in Germany, 2001:db8::/32 is AS64501 there.
fn atlas() -> Atlas {
    let mut builder = AtlasBuilder::default();
    for (net, asn) in [("203.0.113.0/24", 64_500), ("198.51.100.0/24", 64_500), ("2001:db8::/32", 64_501)] {
        let location = Location { country: Some(*b"DE"), asn: Some(asn), ..Location::default() };
        let fact = builder.fact(location, "test");
        builder.learn(prefix(net), fact);
    }
    builder.finish()
}

fn sample(net: &str, region: &str, ms: f64, samples: u32) -> Sample {
    Sample { prefix: prefix(net), region: region.into(), ms, samples, age: Millis(0) }
}

fn told(samples: &mut Samples, now: u64) -> Vec<String> {
    let mut telling = samples.freeze().tell(At(now), &atlas());
    let cells = std::mem::take(&mut telling.cells);
    samples.settle(telling);
    let said = |((whose, region), reading): &((Whose, Box<str>), Reading)| {
        format!("{whose} {region} {} x{} {}h", reading.rtt.0, reading.samples.unwrap_or(0), reading.age.0 / HOUR)
    };
    cells.iter().map(said).collect()
}

#[test]
fn what_is_finer_than_a_prefix_is_cut_and_forms_of_ipv4_are_ipv4() {
    let mut samples = store(10);
    for net in ["203.0.113.7/32", "203.0.113.128/25", "::ffff:203.0.113.9/128", "2001:db8::1/128", "2001:db8::/64"] {
        assert_eq!(samples.take(At(0), &atlas(), &sample(net, "eu", 20.0, 1)), Ok(()), "{net}");
    }
    assert_eq!(samples.take(At(0), &atlas(), &sample("203.0.0.0/16", "eu", 30.0, 1)), Ok(()), "a wider one stays");
    let nets: Vec<String> = told(&mut samples, 0).into_iter().filter(|cell| cell.contains('/')).collect();
    assert_eq!(nets, ["203.0.0.0/16 eu 300 x1 0h", "203.0.113.0/24 eu 200 x3 0h", "2001:db8::/48 eu 200 x2 0h"]);
    assert_eq!(samples.prefixes(), 3);
}

#[test]
fn what_can_be_no_sample_is_refused_and_counted() {
    let mut samples = store(10);
    let net = "203.0.113.0/24";
    let old = Sample { age: Millis(24 * HOUR), ..sample(net, "eu", 20.0, 1) };
    let bad = [f64::NAN, f64::INFINITY, -1.0, 0.0, 600_000.0].map(|ms| (sample(net, "eu", ms, 1), Refused::Time));
    let others = [
        (sample(net, "eu", 20.0, 0), Refused::Empty),
        (old, Refused::Old),
        (sample(net, "asia", 20.0, 1), Refused::Region("asia".into())),
        (sample("10.1.2.0/24", "eu", 20.0, 1), Refused::Special(prefix("10.1.2.0/24"))),
        (sample("127.0.0.1/32", "eu", 20.0, 1), Refused::Special(prefix("127.0.0.0/24"))),
        (sample("fe80::1/128", "eu", 20.0, 1), Refused::Special(prefix("fe80::/48"))),
        (sample("0.0.0.0/0", "eu", 20.0, 1), Refused::Wide(prefix("0.0.0.0/0"))),
        (sample("::/0", "eu", 20.0, 1), Refused::Wide(prefix("::/0"))),
    ];
    for (sample, why) in bad.into_iter().chain(others) {
        assert_eq!(samples.take(At(48 * HOUR), &atlas(), &sample), Err(why), "{sample:?}");
    }
    assert_eq!((samples.prefixes(), samples.is_fresh()), (0, false));
}

#[test]
fn averages_go_by_prefix_and_together_by_as_number_and_country() {
    let mut samples = store(10);
    for (net, region, ms, count) in [
        ("203.0.113.0/24", "eu", 20.0, 10),
        ("203.0.113.0/24", "us", 90.0, 5),
        ("198.51.100.0/24", "eu", 40.0, 30),
        ("2001:db8::/48", "eu", 60.0, 40),
    ] {
        samples.take(At(HOUR), &atlas(), &sample(net, region, ms, count)).unwrap();
    }
    let expected = [
        "198.51.100.0/24 eu 400 x30 0h",
        "203.0.113.0/24 eu 200 x10 0h",
        "203.0.113.0/24 us 900 x5 0h",
        "2001:db8::/48 eu 600 x40 0h",
        "AS64500 eu 350 x40 0h",
        "AS64500 us 900 x5 0h",
        "AS64501 eu 600 x40 0h",
        "DE eu 475 x80 0h",
        "DE us 900 x5 0h",
    ];
    let cells = told(&mut samples, HOUR);
    assert_eq!(cells.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn a_region_that_is_sampled_no_more_is_told_with_its_age_until_nothing_of_the_client_is_fresh() {
    let mut samples = store(10);
    samples.take(At(0), &atlas(), &sample("203.0.113.0/24", "us", 90.0, 10)).unwrap();
    samples.take(At(20 * HOUR), &atlas(), &sample("203.0.113.0/24", "eu", 40.0, 10)).unwrap();
    samples.take(At(40 * HOUR), &atlas(), &sample("198.51.100.0/24", "eu", 40.0, 10)).unwrap();
    assert!(samples.is_fresh());
    let cells = told(&mut samples, 43 * HOUR);
    assert!(!samples.is_fresh());
    for cell in ["203.0.113.0/24 us 900 x10 43h", "AS64500 eu 400 x20 3h"] {
        assert!(cells.iter().any(|told| told == cell), "{cells:?}");
    }
    assert!(!cells.iter().any(|cell| cell.starts_with("AS64500 us")), "it was too old before it was told: {cells:?}");
    assert!(!told(&mut samples, 44 * HOUR).iter().any(|cell| cell.starts_with("203.")), "nothing of it is fresh");
    assert_eq!((told(&mut samples, 64 * HOUR), samples.prefixes()), (vec![], 0));
}

#[test]
fn what_an_as_number_knew_of_a_region_is_kept_beside_what_is_fresh() {
    let mut samples = store(10);
    samples.take(At(0), &atlas(), &sample("203.0.113.0/24", "us", 90.0, 10)).unwrap();
    assert!(told(&mut samples, 0).contains(&"AS64500 us 900 x10 0h".to_owned()));
    // The prefix is heard of no more; another one of its network is, and knows nothing of that region.
    samples.take(At(30 * HOUR), &atlas(), &sample("198.51.100.0/24", "eu", 40.0, 10)).unwrap();
    let cells = told(&mut samples, 30 * HOUR);
    assert!(cells.contains(&"AS64500 us 900 x10 30h".to_owned()), "{cells:?}");
    assert!(!cells.iter().any(|cell| cell.starts_with("203.")), "{cells:?}");
}

#[test]
fn a_flood_of_prefixes_takes_no_more_room_and_drives_out_its_own() {
    let mut samples = store(1000);
    let net = |n: u32, block: u32| Prefix::new(IpAddr::from((block << 24 | n << 8).to_be_bytes()), 24);
    let one = |prefix, samples| Sample { prefix, region: "eu".into(), ms: 20.0, samples, age: Millis(0) };
    for n in 0..500 {
        samples.take(At(0), &atlas(), &one(net(n, 20), 50)).unwrap();
    }
    for round in 0..30_u32 {
        for n in 0..2000 {
            let taken = samples.take(At(0), &atlas(), &one(net(round * 2000 + n, 30), 1));
            assert!(matches!(taken, Ok(()) | Err(Refused::Full(1000))));
            assert!(samples.prefixes() <= 1000);
        }
        told(&mut samples, 0);
        assert_eq!(samples.prefixes(), 900, "room for a tenth, made among the flood");
    }
    let known: Vec<Prefix> = samples.table.rows.keys().copied().collect();
    assert_eq!(known.iter().filter(|prefix| net(0, 20).cut(8).contains(**prefix)).count(), 500);
    // The terms may leave less room.
    samples.set(&TERMS, 100, ["eu", "us"].map(Box::from));
    told(&mut samples, 0);
    assert_eq!(samples.prefixes(), 100);
}

#[test]
fn samples_of_a_region_that_is_gone_are_forgotten() {
    let mut samples = store(10);
    samples.take(At(0), &atlas(), &sample("203.0.113.0/24", "us", 90.0, 10)).unwrap();
    samples.take(At(0), &atlas(), &sample("198.51.100.0/24", "eu", 40.0, 10)).unwrap();
    samples.set(&TERMS, 10, [Box::from("eu")]);
    assert_eq!((told(&mut samples, 0).len(), samples.prefixes()), (3, 1));
    assert_eq!(
        samples.take(At(0), &atlas(), &sample("203.0.113.0/24", "us", 90.0, 10)),
        Err(Refused::Region("us".into()))
    );
}

/// Samples that are taken while a copy is told.
#[test]
fn what_is_taken_while_a_copy_is_told_is_not_lost() {
    let mut samples = store(10);
    for net in ["203.0.113.0/24", "198.51.100.0/24"] {
        samples.take(At(0), &atlas(), &sample(net, "eu", 40.0, 10)).unwrap();
    }
    let frozen = samples.freeze();
    assert!(!samples.is_fresh() && frozen.is_fresh());
    let now = 30 * HOUR;
    // Both are too old by now; one is sampled again meanwhile, and a region is gone.
    samples.take(At(now), &atlas(), &sample("203.0.113.0/24", "us", 90.0, 10)).unwrap();
    samples.set(&TERMS, 10, [Box::from("us")]);
    let telling = frozen.tell(At(now), &atlas());
    assert!(telling.cells.is_empty(), "{telling:?}");
    samples.settle(telling);
    assert!(samples.is_fresh());
    assert_eq!(told(&mut samples, now), ["203.0.113.0/24 us 900 x10 0h", "AS64500 us 900 x10 0h", "DE us 900 x10 0h"]);
}

#[test]
fn samples_are_written_and_read_back_as_they_were() {
    let mut samples = store(10);
    for net in ["203.0.113.0/24", "2001:db8::/48"] {
        samples.take(At(7), &atlas(), &sample(net, "eu", 41.7, 3)).unwrap();
    }
    told(&mut samples, HOUR);
    let text = serde_json::to_string(&samples).unwrap();
    let mut again: Samples = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    assert_eq!(told(&mut again, 2 * HOUR), told(&mut samples, 2 * HOUR));
}
