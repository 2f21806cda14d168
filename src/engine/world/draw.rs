//! Chance that all nodes of a zone agree on: keyed hashes of a client's block, weighted rendezvous, and the smooth
//! schedule of round robin. Integers only, so that two machines never differ by a rounding.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::engine::{
    types::{Family, Millis, Prefix, UnixMillis},
    units::Admission,
};

/// What all draws of a service start from: SipHash-2-4 under the secret, with the affinity taken in. Services of one
/// affinity have equal seeds.
#[derive(Clone, Debug, Default)]
pub struct Seed(SipHasher24);

impl PartialEq for Seed {
    /// Equal seeds draw alike.
    fn eq(&self, other: &Self) -> bool {
        let nowhere = Prefix::from_bits(Family::V4, 0, 0);
        self.block(nowhere) == other.block(nowhere)
    }
}

impl Seed {
    /// The seed of an affinity.
    #[must_use]
    pub fn new(secret: &[u8; 16], affinity: &[u8]) -> Self {
        let mut hasher = SipHasher24::new_with_key(secret);
        hasher.write(&(affinity.len() as u64).to_le_bytes());
        hasher.write(affinity);
        Self(hasher)
    }

    /// The draw of a block, the same for ever.
    #[must_use]
    pub fn block(&self, block: Prefix) -> u64 {
        let mut octets = [if block.family() == Family::V4 { 4 } else { 6 }; 18];
        octets[1] = block.len();
        if let Some(bits) = octets.last_chunk_mut() {
            *bits = block.bits().to_be_bytes();
        }
        let mut hasher = self.0;
        hasher.write(&octets);
        hasher.finish()
    }
}

/// The slot of a block at a moment: blocks turn over at moments of their own within `length`.
#[must_use]
pub fn slot(block_draw: u64, UnixMillis(now): UnixMillis, Millis(length): Millis) -> u64 {
    let length = length.max(1);
    now.saturating_add(splitmix(block_draw ^ SLOT) % length) / length
}

/// Keeps the phase of a block's slots apart from what is drawn in them.
const SLOT: u64 = 0x736c_6f74_5f70_6861;

/// The draw of a block in a slot.
#[must_use]
pub fn in_slot(block_draw: u64, slot: u64) -> u64 {
    splitmix(block_draw ^ splitmix(slot))
}

/// The number of a block with a region, which admits the block when the number lies below its admission. No slot enters,
/// so the same blocks leave first and come back last.
#[must_use]
pub fn admission(block_draw: u64, region: u64) -> Admission {
    Admission((splitmix(block_draw ^ ADMISSION ^ region) >> 44) as u32)
}

/// The number of a block that says whether it is of a canary's share: it is when the number lies below the share.
#[must_use]
pub fn canary(block_draw: u64) -> Admission {
    Admission((splitmix(block_draw ^ CANARY) >> 44) as u32)
}

/// Keeps admissions apart from what is drawn among regions.
const ADMISSION: u64 = 0x6164_6d69_7373_696f;
/// Keeps canaries apart from both.
const CANARY: u64 = 0x6361_6e61_7279_5f73;

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): one number to another that looks nothing like it.
#[must_use]
pub fn splitmix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a region or an endpoint is known by in rendezvous: a hash of its name, so that it keeps its clients whatever
/// stands beside it.
#[must_use]
pub fn key(name: &str) -> u64 {
    let mut hasher = SipHasher24::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

// ----- Weighted rendezvous ---------------------------------------------------------------------------------------

/// A candidate's standing in weighted rendezvous: weight ÷ −log2(u) for its own uniform u. The largest wins, and so
/// each wins with its share of the weights.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    weight: u64,
    /// −log2(u) in units of 2^-30, never 0.
    cost: u64,
}

impl Score {
    /// The standing of the candidate with this key and weight for a seed.
    #[must_use]
    pub fn new(seed: u64, key: u64, weight: u64) -> Self {
        Self { weight, cost: minus_log2(splitmix(seed ^ key)) }
    }

    /// Whether this one wins against `other`; an exact tie goes to `other`, which stands first.
    #[must_use]
    pub fn beats(self, other: Self) -> bool {
        // Weights of 64 endpoints stay below 2^26 and costs below 2^37.
        self.weight * other.cost > other.weight * self.cost
    }
}

/// log2(1 + n/256) for n from 0 to 256, in units of 2^-30.
const LOG2: [u32; 257] = {
    let mut table = [0; 257];
    let mut n = 0;
    while n < 256 {
        // Squaring x in [1, 2) tells the next binary digit of its logarithm: 1 when the square passes 2.
        let mut x = (256 + n as u128) << 54; // 1.0 is 2^62
        let (mut digits, mut bit) = (0u32, 1u32 << 29);
        while bit > 0 {
            x = (x * x) >> 62;
            if x >= 2 << 62 {
                digits |= bit;
                x >>= 1;
            }
            bit >>= 1;
        }
        table[n] = digits;
        n += 1;
    }
    table[256] = 1 << 30;
    table
};

/// −log2((u + 1) ÷ 2^64) in units of 2^-30, by table and linear interpolation; at least 1.
fn minus_log2(u: u64) -> u64 {
    let Some(value) = u.checked_add(1) else { return 1 };
    let whole = 63 - u64::from(value.leading_zeros());
    let mantissa = value << value.leading_zeros(); // the leading one stands at bit 63
    let index = (mantissa >> 55) as usize & 0xff;
    let within = (mantissa >> 23) & 0xffff_ffff;
    let (low, high) = (u64::from(LOG2[index]), u64::from(LOG2[index + 1]));
    let fraction = low + (((high - low) * within) >> 32);
    ((64 << 30) - (whole << 30) - fraction).max(1)
}

// ----- The smooth schedule ---------------------------------------------------------------------------------------

/// Who has position `at` of the smooth weighted schedule: with weights in lowest terms and W their sum, candidate i
/// is due for the k-th time at (2k + 1) × W ÷ 2wᵢ, so that in any W positions in a row it comes up exactly wᵢ times,
/// as evenly as can be. Ties go by position, but the heaviest stands behind the first of the others: 5:1:1 is
/// a a b a c a a. Stateless, so nodes agree. `weights` must hold a weight above 0.
#[must_use]
pub fn scheduled(weights: &[u64], at: u64) -> usize {
    turn(weights, at).0
}

/// The same, with how many times the candidate came up before position `at`, from position 0 on: the position of a
/// schedule inside it.
#[must_use]
pub fn turn(weights: &[u64], at: u64) -> (usize, u64) {
    let divisor = weights.iter().copied().filter(|w| *w > 0).fold(0, gcd);
    let Some(total) = weights.iter().sum::<u64>().checked_div(divisor) else { return (0, at) };
    let (periods, at) = (at / total.max(1), at % total.max(1));
    let heaviest = heaviest(weights);
    // By half a period before position `at`, fewer than `at` turns are past; from there on they are counted one by one.
    let from = at.saturating_sub(weights.len() as u64);
    let mut turns = arrayvec::ArrayVec::<(u64, u64, usize), 64>::new();
    let mut past = 0;
    for (n, weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0).take(64) {
        let weight = weight / divisor;
        // Turns due before `from`: (2k + 1) × W < 2w × from.
        let double = 2 * u128::from(weight) * u128::from(from);
        let done = (double.saturating_sub(u128::from(total)).div_ceil(2 * u128::from(total))) as u64;
        past += done;
        turns.push((done, weight, n));
    }
    loop {
        let Some(next) = (0..turns.len()).reduce(|a, b| if earlier(turns[b], turns[a], heaviest) { b } else { a })
        else {
            return (0, at);
        };
        if past >= at {
            let (before, weight, candidate) = turns[next];
            return (candidate, periods.wrapping_mul(weight).wrapping_add(before));
        }
        past += 1;
        turns[next].0 += 1;
    }
}

/// Whether turn (k, weight, candidate) `a` is due before `b`.
fn earlier(a: (u64, u64, usize), b: (u64, u64, usize), heaviest: Option<usize>) -> bool {
    let due = |x: (u64, u64, usize), y: (u64, u64, usize)| (2 * x.0 + 1) * y.1;
    let place = |n: usize| match heaviest {
        Some(h) if n == h => 1,
        Some(h) if n == usize::from(h == 0) => 0,
        Some(_) => n + 2,
        None => n,
    };
    (due(a, b), place(a.2)) < (due(b, a), place(b.2))
}

/// The one candidate that outweighs all others.
fn heaviest(weights: &[u64]) -> Option<usize> {
    let best = (0..weights.len()).max_by_key(|n| weights[*n])?;
    (weights.iter().filter(|w| **w == weights[best]).count() == 1).then_some(best)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use crate::engine::world::draw::*;

    #[test]
    fn the_logarithm_is_near_enough_and_falls() {
        for shift in 0..64 {
            for n in 0..512u64 {
                let u = (u64::MAX >> shift).wrapping_sub(n << (55u32.saturating_sub(shift)));
                let exact = -((u as f64 + 1.0).log2() - 64.0);
                let ours = minus_log2(u) as f64 / (1u64 << 30) as f64;
                assert!((exact - ours).abs() < 4e-6, "{u:x} {exact} {ours}");
            }
        }
        assert!(minus_log2(0) == 64 << 30 && minus_log2(u64::MAX) == 1);
    }

    /// These numbers are the agreement between nodes of different versions: a change of any is a change of protocol.
    #[test]
    fn golden_vectors() {
        use std::net::IpAddr;
        let seed = Seed::new(b"0123456789abcdef", b"\x03www\x07example\0");
        let block = |a: &str, len| Prefix::new(a.parse::<IpAddr>().expect(a), len);
        let draws = [block("192.0.0.0", 16), block("10.1.2.0", 24), block("2001:db8::", 32)].map(|b| seed.block(b));
        assert_eq!(draws, [5_405_265_676_708_576_624, 269_901_957_190_281_911, 8_212_023_078_636_364_834]);
        assert_eq!([key("eu-west"), key("us-east")], [10_111_173_524_143_887_436, 3_429_868_754_348_472_686]);
        assert_eq!([splitmix(0), splitmix(1)], [0xe220_a839_7b1d_cdaf, 0x910a_2dec_8902_5cc1]);
        assert_eq!(slot(draws[0], UnixMillis(1_700_000_000_000), Millis::seconds(30)), 56_666_667);
        assert_eq!(in_slot(draws[0], 56_666_666), 3_056_117_444_359_731_835);
        assert_eq!(LOG2[..4], [0, 6_039_313, 12_055_173, 18_047_761]);
    }

    #[test]
    fn the_schedule_is_smooth_and_exact() {
        let letters = |weights: &[u64]| -> String {
            let total = weights.iter().sum::<u64>();
            (0..total).map(|at| (b'a' + scheduled(weights, at) as u8) as char).collect()
        };
        assert_eq!(letters(&[5, 1, 1]), "aabacaa");
        assert_eq!(letters(&[1, 1, 1]), "abc");
        assert_eq!(letters(&[2, 1]), "aba");
        let mut seen = [0; 3];
        for at in 0..70 {
            let (candidate, before) = turn(&[5, 1, 1], at);
            assert_eq!(before, seen[candidate], "position {at}");
            seen[candidate] += 1;
        }
        for weights in [vec![3, 0, 7, 1], vec![100, 100, 50], vec![1; 64], vec![97, 3, 11, 64], vec![1_048_575, 1]] {
            let period: u64 = weights.iter().sum::<u64>() / weights.iter().copied().fold(0, gcd);
            let span = period.min(100_000);
            let mut counts = vec![0u64; weights.len()];
            for at in 0..span {
                let chosen = scheduled(&weights, at);
                counts[chosen] += 1;
                if span == period {
                    let fair =
                        u128::from(weights[chosen]) * u128::from(at + 1) / u128::from(weights.iter().sum::<u64>());
                    assert!(u128::from(counts[chosen]).abs_diff(fair) <= 32, "{weights:?} at {at}");
                }
                assert_eq!(chosen, scheduled(&weights, at + period));
            }
            if span == period {
                let exact: Vec<u64> = weights.iter().map(|w| w * period / weights.iter().sum::<u64>()).collect();
                assert_eq!(counts, exact);
            }
        }
    }
}
