//! Where blocks land that try regions in bands and are refused by some: the exact distribution, and the admissions that
//! make a wanted one of it. Must not know what a catchment is, nor how bands come about.
//!
//! In a band a block draws regions by weight without putting them back, until one admits it; by its own hash each region
//! admits its share of blocks, whatever the others do. When all of a band have refused, the next band is tried. Draws
//! without replacement come in the order of exponential clocks whose rates are the weights, so the share of blocks that
//! comes to region r is, with `1 − a(1 − e^−wt)` for each other region of weight w and admission a,
//!
//! ```text
//! ∫ w_r e^(−w_r t) · ∏ (1 − a_s (1 − e^(−w_s t))) dt
//! ```
//!
//! which is one sum over points for any number of regions, where the sets that may have refused would be 2^n.

/// The regions of one band, each with its weight.
pub type Band = Vec<(usize, f64)>;

/// Sweeps of [`admissions`] over one band. Each brings the landing nearer to what is wanted; it needs many only where
/// nearly, but not quite, all land in a band of several.
const SWEEPS: usize = 200;
/// When the landing in a band is near enough.
const NEAR: f64 = 1e-5;
/// What is too little to be worth a band.
const NOTHING: f64 = 1e-6;

/// The share of blocks that lands in each of `regions` regions, when each admits such a part of them; what is missing
/// to 1 is refused by all.
#[must_use]
pub fn land(bands: &[Band], regions: usize, admission: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut landed = vec![0.0; regions];
    let mut left = 1.0;
    for band in bands {
        let admitted: Vec<f64> = band.iter().map(|(region, _)| admission(*region)).collect();
        let points = Points::new(band);
        let mut refused = 1.0;
        for (n, (region, _)) in band.iter().enumerate() {
            if let Some(landed) = landed.get_mut(*region) {
                *landed += left * admitted[n] * points.coming(&admitted, n);
            }
            refused *= 1.0 - admitted[n];
        }
        left *= refused;
        if left <= 0.0 {
            break;
        }
    }
    landed
}

/// The admission of each region by which blocks land as `wanted` says, whose sum over the bands is 1. The last band that
/// gets anything refuses nobody. Regions in no band admit nobody.
#[must_use]
pub fn admissions(bands: &[Band], wanted: &[f64]) -> Vec<f64> {
    let mut admission = vec![0.0; wanted.len()];
    let share = |region: usize| wanted.get(region).copied().unwrap_or(0.0).max(0.0);
    let mut left: f64 = bands.iter().flatten().map(|(region, _)| share(*region)).sum();
    for band in bands {
        if left <= NOTHING {
            // Nobody comes as far, unless somebody falls away before the next assignment.
            band.iter().for_each(|(region, _)| set(&mut admission, *region, 1.0));
            continue;
        }
        let here: f64 = band.iter().map(|(region, _)| share(*region)).sum();
        let last = left - here <= NOTHING;
        // Of those who come to this band.
        let of = if last { here } else { left };
        let wanted: Vec<f64> = band.iter().map(|(region, _)| share(*region) / of.max(NOTHING)).collect();
        let found = in_band(band, &wanted);
        let most = found.iter().copied().fold(0.0, f64::max);
        for ((region, _), found) in band.iter().zip(found) {
            // Rounding must let nobody fall through where everybody is to land.
            set(&mut admission, *region, if last && found >= most { 1.0 } else { found });
        }
        left -= here;
    }
    admission
}

fn set(admission: &mut [f64], region: usize, value: f64) {
    if let Some(own) = admission.get_mut(region) {
        *own = value;
    }
}

/// The admissions of one band. What comes to a region falls as others admit more, so the sweeps, begun with everybody
/// admitting all, only ever lower admissions; what they end at lands as wanted wherever that is possible.
fn in_band(band: &Band, wanted: &[f64]) -> Vec<f64> {
    let mut admission = vec![1.0; band.len()];
    if let [only] = wanted {
        return vec![only.min(1.0)];
    }
    let points = Points::new(band);
    for _ in 0..SWEEPS {
        let mut off: f64 = 0.0;
        for (n, wanted) in wanted.iter().enumerate() {
            let coming = points.coming(&admission, n);
            off = off.max((coming * admission[n] - wanted).abs());
            admission[n] = if coming > 0.0 { (wanted / coming).min(1.0) } else { 1.0 };
        }
        if off < NEAR {
            break;
        }
    }
    admission
}

/// The integral's points for one band: equal steps of the logarithm of time, in which such integrands fade out on both
/// sides so smoothly that the plain sum is exact to more digits than are asked for.
struct Points {
    /// For each point its weight in the sum.
    weight: Vec<f64>,
    /// For each point and region e^(−wt).
    silent: Vec<f64>,
    /// For each region its weight; the largest is 1.
    rates: Vec<f64>,
}

impl Points {
    const STEP: f64 = 0.2;

    fn new(band: &Band) -> Self {
        let most = band.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        let rates: Vec<f64> = band.iter().map(|(_, weight)| (weight / most).max(1e-9)).collect();
        let mut points = Self { weight: Vec::new(), silent: Vec::new(), rates };
        if band.len() > 1 {
            let least = points.rates.iter().copied().fold(1.0, f64::min);
            let (from, to) = (1e-9_f64.ln(), (40.0 / least).ln());
            let count = ((to - from) / Self::STEP).ceil() as u32;
            for n in 0..=count {
                let time = (from + f64::from(n) * Self::STEP).exp();
                points.weight.push(time * Self::STEP);
                points.silent.extend(points.rates.iter().map(|rate| (-rate * time).exp()));
            }
        }
        points
    }

    /// The share of blocks, of those that come to the band, that comes to its `n`-th region.
    fn coming(&self, admission: &[f64], n: usize) -> f64 {
        let mut sum = 0.0;
        for (weight, silent) in self.weight.iter().zip(self.silent.chunks(self.rates.len().max(1))) {
            let mut term = weight * self.rates[n] * silent[n];
            for (s, (silent, admission)) in silent.iter().zip(admission).enumerate() {
                if s != n {
                    term *= 1.0 - admission * (1.0 - silent);
                }
            }
            sum += term;
        }
        if self.weight.is_empty() { 1.0 } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::world::draw::splitmix;
    use crate::node::balance::landing::*;

    /// The distribution by its definition: every order of draws, as a walk over the sets that have refused.
    fn by_definition(bands: &[Band], admission: &[f64]) -> Vec<f64> {
        let mut landed = vec![0.0; admission.len()];
        let mut left = 1.0;
        for band in bands {
            let sets = 1usize << band.len();
            let mut reached = vec![0.0; sets];
            reached[0] = left;
            for set in 0..sets {
                let out: f64 = band.iter().enumerate().filter(|(n, _)| set >> n & 1 == 0).map(|(_, (_, w))| w).sum();
                for (n, (region, weight)) in band.iter().enumerate().filter(|(n, _)| set >> n & 1 == 0) {
                    let drawn = reached[set] * weight / out;
                    landed[*region] += drawn * admission[*region];
                    reached[set | 1 << n] += drawn * (1.0 - admission[*region]);
                }
            }
            left = reached[sets - 1];
        }
        landed
    }

    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, below: u64) -> u64 {
            self.0 = self.0.wrapping_add(1);
            splitmix(self.0) % below
        }

        /// Up to nine regions in random bands, of weights up to a thousand apart.
        fn bands(&mut self) -> (Vec<Band>, usize) {
            let regions = 1 + self.roll(9) as usize;
            let mut bands: Vec<Band> = Vec::new();
            for region in 0..regions {
                let weight = [1.0, 1.0, 3.0, 1000.0, 37.0][self.roll(5) as usize];
                match bands.last_mut().filter(|_| self.roll(3) > 0) {
                    Some(band) => band.push((region, weight)),
                    None => bands.push(vec![(region, weight)]),
                }
            }
            (bands, regions)
        }

        /// Shares that sum up to 1, many of them 0.
        fn shares(&mut self, regions: usize) -> Vec<f64> {
            let mut parts: Vec<f64> = (0..regions).map(|_| (self.roll(2) * self.roll(1000)) as f64).collect();
            let one = self.roll(regions as u64) as usize;
            parts[one] += 1.0;
            let sum: f64 = parts.iter().sum();
            parts.iter().map(|part| part / sum).collect()
        }
    }

    fn assert_near(one: &[f64], other: &[f64], within: f64, case: &dyn std::fmt::Debug) {
        assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() <= within), "{one:?} {other:?} {case:?}");
    }

    #[test]
    fn the_distribution_is_that_of_every_order_of_draws() {
        let mut dice = Dice(1);
        for _ in 0..200 {
            let (bands, regions) = dice.bands();
            let admission: Vec<f64> = (0..regions).map(|_| dice.roll(5) as f64 / 4.0).collect();
            let ours = land(&bands, regions, |region| admission[region]);
            assert_near(&ours, &by_definition(&bands, &admission), 1e-6, &(&bands, &admission));
        }
    }

    #[test]
    fn blocks_land_as_wanted_within_a_thousandth_and_nobody_falls_through() {
        let mut dice = Dice(2);
        for _ in 0..300 {
            let (bands, regions) = dice.bands();
            let wanted = dice.shares(regions);
            let admission = admissions(&bands, &wanted);
            assert!(admission.iter().all(|a| (0.0..=1.0).contains(a)));
            let landed = by_definition(&bands, &admission);
            assert_near(&landed, &wanted, 1e-3, &(&bands, &admission));
            assert!((landed.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{landed:?}");
        }
    }

    #[test]
    fn what_lands_by_nature_is_admitted_wholly() {
        let bands = vec![vec![(0, 100.0), (2, 50.0)], vec![(1, 7.0)]];
        let natural = land(&bands, 3, |_| 1.0);
        assert_near(&natural, &[2.0 / 3.0, 0.0, 1.0 / 3.0], 1e-7, &());
        assert_near(&admissions(&bands, &natural), &[1.0; 3], 1e-4, &());
    }

    #[test]
    fn regions_of_no_band_admit_nobody() {
        assert_eq!(admissions(&[vec![(1, 1.0)]], &[0.0, 1.0, 0.0]), [0.0, 1.0, 0.0]);
    }
}
