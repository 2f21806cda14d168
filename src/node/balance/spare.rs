//! Where demand goes when a region cannot take what comes to it: a program that weighs how far clients are sent
//! against how full regions get, solved exactly. Must not know addresses, pools, health or time.
//!
//! Minimised is the sum of demand × cost, and for each region a convex penalty of its load: nothing up to the low
//! watermark, rising in steps to the high one, and so steep above that whatever else can take demand is used first, and
//! that regions are overloaded alike where nothing can. [`flow`] solves it as a flow of least cost.

use crate::engine::units::Permille;

mod flow;
#[cfg(test)]
mod tests;

/// The cost of where a catchment must not be sent.
pub const NEVER: u32 = u32::MAX;
/// The largest other cost: below what the penalty rises by above the high watermark, so that no way is too far then.
pub const FARTHEST: u32 = 16_000;

/// The slope of the last step below the high watermark.
const BELOW: f64 = 4_000.0;
/// The slope of the first step above it.
const ABOVE: u32 = 20_000;
/// How much each step above the high watermark is steeper than the one before.
const STEEPER: u32 = 1_000;
/// Steps of the penalty in a region's whole capacity.
const STEPS: f64 = 32.0;

/// What a region can take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Its capacity, in the unit of demand.
    pub capacity: f64,
    /// Load ÷ capacity up to which more load costs nothing.
    pub low: Permille,
    /// The same, up to which it is taken at all while others have room.
    pub high: Permille,
    /// Load that is not shared out here.
    pub fixed: f64,
}

/// Clients who are sent alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// How much load they make.
    pub demand: f64,
    /// For each region the share of them that goes there when nobody interferes; the sum is 1.
    pub natural: Vec<f64>,
    /// For each region how much worse it is for them than where they would go, in tenths of a millisecond, up to
    /// [`FARTHEST`]; or [`NEVER`]. Nothing counts where the natural share is above 0.
    pub cost: Vec<u32>,
}

impl Group {
    /// The cost of a region; none where they must not go.
    fn cost(&self, region: usize) -> Option<u32> {
        match (self.natural.get(region), self.cost.get(region)) {
            (Some(&natural), _) if natural > 0.0 => Some(0),
            (_, Some(&cost)) if cost != NEVER => Some(cost.min(FARTHEST)),
            _ => None,
        }
    }
}

/// The penalty of a region's load between the last step's end and `upto`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    upto: f64,
    /// For each unit of load, in the unit of cost.
    slope: u32,
}

impl Room {
    /// The penalty, as steps that get steeper; the last has no end.
    fn steps(&self) -> Vec<Step> {
        let (low, high) = (self.low.min(self.high).ratio(), self.high.ratio());
        let mut steps = vec![Step { upto: self.capacity * low, slope: 0 }];
        let between = ((high - low) * STEPS).ceil().max(1.0);
        for n in 1..=between as u32 {
            let part = f64::from(n) / between;
            let slope = (BELOW * part * part).ceil() as u32;
            steps.push(Step { upto: self.capacity * (low + (high - low) * part), slope });
        }
        for n in 1..=STEPS as u32 {
            let upto = self.capacity * (high + f64::from(n) / STEPS);
            steps.push(Step { upto, slope: ABOVE + STEEPER * (n - 1) });
        }
        steps.push(Step { upto: f64::INFINITY, slope: ABOVE + STEEPER * STEPS as u32 });
        steps
    }

    /// The penalty of a load.
    #[must_use]
    pub fn penalty(&self, load: f64) -> f64 {
        let (mut from, mut sum) = (0.0, 0.0);
        for step in self.steps() {
            sum += (load.min(step.upto) - from).max(0.0) * f64::from(step.slope);
            from = step.upto;
        }
        sum
    }
}

/// The load of each region when groups are shared out so.
#[must_use]
pub fn loads(rooms: &[Room], groups: &[Group], shares: &[Vec<f64>]) -> Vec<f64> {
    let mut loads: Vec<f64> = rooms.iter().map(|room| room.fixed).collect();
    for (group, shares) in groups.iter().zip(shares) {
        loads.iter_mut().zip(shares).for_each(|(load, share)| *load += group.demand * share);
    }
    loads
}

/// What is minimised.
#[must_use]
pub fn objective(rooms: &[Room], groups: &[Group], shares: &[Vec<f64>]) -> f64 {
    let way = |(group, shares): (&Group, &Vec<f64>)| {
        let cost = |(region, share): (usize, &f64)| share * f64::from(group.cost(region).unwrap_or(NEVER));
        group.demand * shares.iter().enumerate().map(cost).sum::<f64>()
    };
    let ways: f64 = groups.iter().zip(shares).map(way).sum();
    let loads = loads(rooms, groups, shares);
    ways + rooms.iter().zip(loads).map(|(room, load)| room.penalty(load)).sum::<f64>()
}

/// For each group its best share of each region. Where no region is above its low watermark by nature, that is the
/// natural one.
#[must_use]
pub fn solve(rooms: &[Room], groups: &[Group]) -> Vec<Vec<f64>> {
    flow::Flow::new(rooms, groups).settle()
}
