//! A pool as the query reads it: weights, keys and sets of endpoints, laid out once when the configuration is compiled.

use super::{
    draw,
    policy::{Endpoint, Pool},
    row::members,
};
use crate::engine::wire::reply::Addresses;

/// How a pool's demand is assigned to its regions: for each catchment and region, the share of blocks that the region
/// admits of those that come to it. Catchments are those of the pool's map (one, where it has none), regions the pool's
/// own, in id order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// How many regions.
    pub regions: usize,
    /// In parts of [`ADMIT_ALL`](super::policy::ADMIT_ALL), catchment by catchment.
    pub shares: Vec<u32>,
}

/// What a query needs of a pool's endpoints, by position.
#[derive(Debug)]
pub struct PoolTable {
    weights: Vec<u32>,
    keys: Vec<u64>,
    /// Their addresses.
    pub addresses: Vec<Addresses>,
    /// Those whose weight is not 0.
    pub weighted: u64,
    /// Those that have an address of the family.
    pub has: [u64; 2],
    /// (the region's key, its endpoints), in name order. Weight 0 counts here too.
    by_region: Vec<(u64, u64)>,
    /// The sets of equal `order`, most preferred first.
    by_order: Vec<(u32, u64)>,
    /// The sets of the regions of the pool's map, by the rule's positions.
    by_rule: Vec<u64>,
}

impl PoolTable {
    /// Lays out a pool. `regions` are all regions' names by id; `rule` is the region list of the pool's map.
    #[must_use]
    pub fn new(pool: &Pool, endpoints: &[Endpoint], regions: &[&str], rule: &[crate::engine::types::RegionId]) -> Self {
        let own = endpoints.get(pool.first.at()..pool.first.at() + usize::from(pool.count)).unwrap_or_default();
        let set = |holds: &dyn Fn(&Endpoint) -> bool| -> u64 {
            own.iter().enumerate().filter(|(_, e)| holds(e)).fold(0, |set, (n, _)| set | 1 << n)
        };
        let mut ids: Vec<_> = own.iter().map(|e| e.region).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut orders: Vec<_> = own.iter().map(|e| e.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let name = |id: crate::engine::types::RegionId| regions.get(id.at()).copied().unwrap_or_default();
        Self {
            weights: own.iter().map(|e| e.weight).collect(),
            keys: own.iter().map(|e| draw::key(&e.name)).collect(),
            addresses: own.iter().map(|e| Addresses { v4: e.v4, v6: e.v6 }).collect(),
            weighted: set(&|e| e.weight > 0),
            has: [set(&|e| e.v4.is_some()), set(&|e| e.v6.is_some())],
            by_region: ids.iter().map(|id| (draw::key(name(*id)), set(&|e| e.region == *id))).collect(),
            by_order: orders.iter().map(|order| (*order, set(&|e| e.order == *order))).collect(),
            by_rule: rule.iter().map(|id| set(&|e| e.region == *id)).collect(),
        }
    }

    /// An endpoint's weight.
    #[must_use]
    pub fn weight(&self, n: u8) -> u64 {
        self.weights.get(usize::from(n)).map_or(0, |w| u64::from(*w))
    }

    /// What an endpoint is known by in rendezvous.
    #[must_use]
    pub fn key(&self, n: u8) -> u64 {
        self.keys.get(usize::from(n)).copied().unwrap_or_default()
    }

    /// Regions by name, as (key, endpoints).
    pub fn regions(&self) -> impl Iterator<Item = (u64, u64)> {
        self.by_region.iter().copied()
    }

    /// The endpoints of an endpoint's region.
    #[must_use]
    pub fn region_of(&self, n: u8) -> u64 {
        self.by_region.iter().map(|(_, set)| *set).find(|set| set >> n & 1 == 1).unwrap_or(1 << n)
    }

    /// The members of `set` whose order is smallest.
    #[must_use]
    pub fn first_in_order(&self, set: u64) -> u64 {
        self.by_order.iter().map(|(_, members)| members & set).find(|band| *band != 0).unwrap_or(0)
    }

    /// An endpoint's order.
    #[must_use]
    pub fn order(&self, n: u8) -> u32 {
        self.by_order.iter().find(|(_, set)| set >> n & 1 == 1).map_or(u32::MAX, |(order, _)| *order)
    }

    /// The regions of the rule, by position, that have a member in `set`.
    #[must_use]
    pub fn rule_regions(&self, set: u64) -> u64 {
        self.by_rule.iter().enumerate().fold(0, |regions, (n, members)| regions | u64::from(members & set != 0) << n)
    }

    /// The members of `set` in these regions of the rule.
    #[must_use]
    pub fn in_rule_regions(&self, set: u64, regions: u64) -> u64 {
        members(regions).filter_map(|n| self.by_rule.get(usize::from(n))).fold(0, |all, members| all | members) & set
    }
}
