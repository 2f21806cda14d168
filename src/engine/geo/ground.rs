//! What maps are compiled from beside a rule, in one value. Must not know rules, pools or files.

use super::{Atlas, Cuts, Measures, Order, RegionPoint};

/// The model of round-trip time where nothing is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What every round trip costs before distance does, in tenths of a millisecond.
    pub base: u32,
    /// Kilometres of great circle that cost one millisecond; at least 1.
    pub km_per_ms: u32,
}

impl Default for Model {
    /// Light in fibre would do 100 km in a millisecond of round trip; paths bend.
    fn default() -> Self {
        Self { base: 50, km_per_ms: 65 }
    }
}

/// What is known of the world: all that a map is compiled from but its rule.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Where addresses are.
    pub atlas: &'a Atlas,
    /// Where the clients of resolvers are.
    pub resolvers: &'a Atlas,
    /// The regions by id.
    pub points: &'a [RegionPoint],
    /// What was measured.
    pub measures: &'a Measures,
    /// The order of regions for clients of whom nothing is known; empty: all are equally near.
    pub nowhere: &'a Order,
    /// Reckons where nothing is measured.
    pub model: Model,
    /// How maps are cut.
    pub cuts: Cuts,
}
