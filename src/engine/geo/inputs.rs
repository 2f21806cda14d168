//! What maps are compiled from: rules, and what is known of the world beside them; and what a geo database is, for people
//! and for the next reload. Must not know pools or files.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Atlas, Coordinates, Cuts, Fence, Measures, Selector};
use crate::engine::{
    types::RegionId,
    units::{Kilometres, Rtt},
};

/// What is known of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegionPoint {
    /// Where it is; without it the region comes last in `rtt` and `distance`.
    pub location: Option<Coordinates>,
    /// Added to its modelled round-trip time, in tenths of a millisecond: below 0 grows its catchment.
    pub bias: i32,
}

/// Regions in an order of preference, each with its place; equal places are equally good. Regions that are not in it
/// come last.
pub type Order = Vec<(RegionId, u16)>;

/// The rules of the key `geo`: the most specific that matches decides, net (longest) before ASN, subdivision, country,
/// continent, default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    /// Rules in the order of their selectors, no selector twice.
    pub rules: Vec<(Selector, Order)>,
    /// For all others; empty: all regions are equally good.
    pub default: Order,
}

/// A key that asks where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeoKey {
    /// Expected round-trip time, in tenths of a millisecond.
    Rtt,
    /// Great-circle distance, in kilometres.
    Distance,
    /// The place in the order of the [`Preferences`] that match.
    Geo,
}

/// The worst that is taken while anything better lives. None: whatever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Round-trip time.
    pub rtt: Option<Rtt>,
    /// Great-circle distance.
    pub distance: Option<Kilometres>,
}

/// What a map is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The regions that are compared, at most 64, in id order: bit n of a set is the n-th of them.
    pub regions: Vec<RegionId>,
    /// The keys in turn, each with how much worse than the best still counts as equal.
    pub keys: Vec<(GeoKey, u32)>,
    /// Sets of regions that can meet in a comparison (an `order` key before these keys separates the others).
    pub groups: Vec<u64>,
    /// How many regions keep their order. Beyond them the expected time of most of a catchment decides, in steps of
    /// [`COARSE`](super::COARSE); where there is no time, the rules' own order and then the name.
    pub depth: u8,
    /// What the key `geo` goes by.
    pub preferences: Option<Arc<Preferences>>,
    /// The distinct fences of what the map serves, at most 64: bit n of [`Map::denied`](super::Map::denied) is the n-th of them.
    pub fences: Vec<Fence>,
    /// For each region, the distinct sets of fences that its endpoints stand behind, as bits; a region is closed to a
    /// client when each of them holds a fence that keeps the client out. Empty: no fences.
    pub behind: Vec<Vec<u64>>,
    /// The worst expected round-trip time and distance that a region may have for a client while anything better lives.
    pub limits: Limits,
}

/// The model of round-trip time where nothing is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What every round trip costs before distance does.
    pub base: Rtt,
    /// How far is one millisecond of round trip; at least 1 km.
    pub km_per_ms: Kilometres,
}

impl Default for Model {
    /// Light in fibre would do 100 km in a millisecond of round trip; paths bend.
    fn default() -> Self {
        Self { base: Rtt(50), km_per_ms: Kilometres(65) }
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
    /// The order of regions for clients of which nothing is known; empty: all are equally near.
    pub nowhere: &'a Order,
    /// Reckons where nothing is measured.
    pub model: Model,
    /// How maps are cut.
    pub cuts: Cuts,
}

/// A geo database that a configuration learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its path, as a person would write it.
    pub path: Box<str>,
    /// The type that it states.
    pub kind: Box<str>,
    /// How many of its networks say anything.
    pub networks: u64,
    /// Whether the file is another one than in the configuration before.
    pub is_new: bool,
    /// Why the file that is on disk now is not taken, where this is the one from before.
    pub refused: Option<Box<str>>,
}
