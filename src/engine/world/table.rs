//! A pool as the query reads it: keys and sets of endpoints, laid out once when the configuration is compiled.

use serde::{Deserialize, Serialize};

use crate::engine::{
    geo::Rule,
    types::{MapId, PerFamily, RegionId, members},
    units::{Admission, Ttl},
    wire::{fragment::Fragment, name::Name, reply::Addresses, rr::RrType},
    world::{
        draw::{self, Seed},
        endpoint::{Distinct, Endpoint},
    },
};

/// How a pool's demand is assigned to its regions: for each catchment and region, the share of blocks that the region
/// admits of those that come to it. Catchments are those of the pool's map (one, where it has none), regions the pool's
/// own, in id order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// How many regions.
    pub regions: usize,
    /// Catchment by catchment.
    pub shares: Vec<Admission>,
}

impl Assignment {
    /// The share of one region; all, where nothing is assigned.
    #[must_use]
    pub fn share(&self, catchment: u32, region: usize) -> Admission {
        let at = catchment as usize * self.regions + region;
        self.shares.get(at).copied().unwrap_or(Admission::ALL)
    }
}

/// The endpoints of a pool in one region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The region.
    pub id: RegionId,
    /// What it is known by in draws.
    pub key: u64,
    /// Its endpoints; weight 0 counts here too.
    pub endpoints: u64,
}

/// What a query needs of a pool's endpoints, by position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolTable {
    weights: Vec<u32>,
    keys: Vec<u64>,
    /// Their addresses.
    pub addresses: Vec<Addresses>,
    /// For each endpoint that is another name, the CNAME that says so. Empty where none is.
    pub aliases: Vec<Option<Fragment>>,
    /// Those whose configured weight is not 0.
    pub weighted: u64,
    /// For each family, those that have an address of it, and those that are another name, which may have any.
    pub has: PerFamily<u64>,
    /// For each family, those that have an address of it.
    pub addressed: PerFamily<u64>,
    /// In id order, which is name order.
    places: Vec<Place>,
    /// For each endpoint, the position of its region among the places.
    place_of: Vec<u8>,
    /// The sets of equal failure group; an endpoint without one stands alone.
    by_group: Vec<u64>,
    /// The sets of equal `order`, most preferred first.
    by_order: Vec<(u32, u64)>,
}

/// What a query needs of a pool's endpoints on the map of a route, by position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteTable {
    /// The sets of the regions of the map, by the rule's positions.
    by_rule: Vec<u64>,
    /// Whether the n-th endpoint alone is in the n-th of these regions, so that sets of the one are sets of the other.
    in_step: bool,
    /// For each fence of the map, the endpoints that stand behind it.
    by_fence: Vec<u64>,
}

/// What a query needs of a service beside what the configuration says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceTable {
    /// What its draws start from.
    pub seed: Seed,
    /// Whether it may be answered with another name: then it is that for every type.
    pub may_alias: bool,
    /// The other name that `when_all_down` says.
    pub all_down: Option<Fragment>,
    /// The other name that `when_fenced` says.
    pub fenced: Option<Fragment>,
    /// The parameters of its HTTPS record before the hints; empty where it has none.
    pub https: Box<[u8]>,
    /// The maps that are consulted for its client's piece.
    pub maps: Vec<MapId>,
}

/// The endpoints for which something holds, by position, as bits.
fn set_of(endpoints: &[Endpoint], holds: impl Fn(&Endpoint) -> bool) -> u64 {
    endpoints.iter().enumerate().filter(|(_, e)| holds(e)).fold(0, |set, (n, _)| set | 1 << n)
}

impl PoolTable {
    /// Lays out a pool's endpoints. `regions` are all regions' names by id.
    #[must_use]
    pub fn new(own: &[Endpoint], regions: &[&str]) -> Self {
        let set = |holds: &dyn Fn(&Endpoint) -> bool| set_of(own, holds);
        let mut ids: Vec<_> = own.iter().map(|e| e.region).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut orders: Vec<_> = own.iter().map(|e| e.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let mut groups: Vec<&str> = own.iter().filter_map(|e| e.group.as_deref()).collect();
        groups.sort_unstable();
        groups.dedup();
        let name = |id: RegionId| regions.get(id.at()).copied().unwrap_or_default();
        let place = |id: &RegionId| Place { id: *id, key: draw::key(name(*id)), endpoints: set(&|e| e.region == *id) };
        let alias = |target: &Name| Fragment::new(RrType::CNAME, Ttl(0), &[target.wire()]);
        let aliased = own.iter().any(|e| e.cname.is_some());
        Self {
            weights: own.iter().map(|e| e.weight).collect(),
            keys: own.iter().map(|e| draw::key(&e.name)).collect(),
            addresses: own.iter().map(|e| Addresses { v4: e.v4, v6: e.v6 }).collect(),
            aliases: own.iter().filter(|_| aliased).map(|e| e.cname.as_ref().map(alias)).collect(),
            weighted: set(&|e| e.weight > 0),
            has: PerFamily::of(|family| set(&|e| e.address(family).is_some() || e.cname.is_some())),
            addressed: PerFamily::of(|family| set(&|e| e.address(family).is_some() && e.cname.is_none())),
            places: ids.iter().map(place).collect(),
            place_of: own.iter().map(|e| ids.iter().position(|id| *id == e.region).unwrap_or(0) as u8).collect(),
            by_group: groups.iter().map(|group| set(&|e| e.group.as_deref() == Some(group))).collect(),
            by_order: orders.iter().map(|order| (*order, set(&|e| e.order == *order))).collect(),
        }
    }

    /// An endpoint's configured weight.
    #[must_use]
    pub fn weight(&self, n: u8) -> u64 {
        self.weights.get(usize::from(n)).map_or(0, |w| u64::from(*w))
    }

    /// What an endpoint is known by in rendezvous.
    #[must_use]
    pub fn key(&self, n: u8) -> u64 {
        self.keys.get(usize::from(n)).copied().unwrap_or_default()
    }

    /// The regions with their endpoints, by name.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The position of an endpoint's region among the [places](Self::places).
    #[must_use]
    pub fn place_of(&self, n: u8) -> usize {
        self.place_of.get(usize::from(n)).map_or(0, |at| usize::from(*at))
    }

    /// The endpoints in a region.
    #[must_use]
    pub fn in_region(&self, region: RegionId) -> u64 {
        self.places.iter().find(|place| place.id == region).map_or(0, |place| place.endpoints)
    }

    /// The endpoints that may not stand beside an endpoint in an answer: itself, and what it shares.
    #[must_use]
    pub fn mates(&self, n: u8, distinct: Distinct) -> u64 {
        let shared = match distinct {
            Distinct::Region => self.places.get(self.place_of(n)).map(|place| place.endpoints),
            Distinct::Group => self.by_group.iter().copied().find(|set| set >> n & 1 == 1),
            Distinct::Nothing => None,
        };
        shared.unwrap_or(0) | 1 << n
    }

    /// The endpoint's other name, where it is one.
    #[must_use]
    pub fn alias(&self, n: u8) -> Option<&Fragment> {
        self.aliases.get(usize::from(n))?.as_ref()
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
}

impl RouteTable {
    /// Lays out a pool's endpoints by the regions and fences of `rule`, which the map of the route was made for.
    #[must_use]
    pub fn new(endpoints: &[Endpoint], rule: Option<&Rule>) -> Self {
        let Some(rule) = rule else { return Self::default() };
        let by_rule: Vec<u64> = rule.regions.iter().map(|id| set_of(endpoints, |e| e.region == *id)).collect();
        Self {
            in_step: by_rule.len() == endpoints.len() && by_rule.iter().enumerate().all(|(n, set)| *set == 1 << n),
            by_rule,
            by_fence: rule.fences.iter().map(|fence| set_of(endpoints, |e| e.fences.contains(fence))).collect(),
        }
    }

    /// Those that stand behind one of these fences.
    #[must_use]
    pub fn behind(&self, denied: u64) -> u64 {
        members(denied).filter_map(|n| self.by_fence.get(usize::from(n))).fold(0, |all, set| all | set)
    }

    /// The regions of the rule, by position, that have a member in `set`.
    #[must_use]
    pub fn rule_regions(&self, set: u64) -> u64 {
        if self.in_step {
            return set;
        }
        self.by_rule.iter().enumerate().fold(0, |regions, (n, members)| regions | u64::from(members & set != 0) << n)
    }

    /// The members of `set` in these regions of the rule.
    #[must_use]
    pub fn in_rule_regions(&self, set: u64, regions: u64) -> u64 {
        if self.in_step {
            return set & regions;
        }
        members(regions).filter_map(|n| self.by_rule.get(usize::from(n))).fold(0, |all, members| all | members) & set
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::world::table::*;

    /// Sets go to the map's positions and back the same way, whether the two orders are one or not.
    #[test]
    fn sets_of_endpoints_and_sets_of_regions() {
        let endpoints = |regions: &[u16]| -> Vec<Endpoint> {
            regions.iter().map(|region| Endpoint { region: RegionId(*region), ..Endpoint::default() }).collect()
        };
        let rule = Rule { regions: (0..3).map(RegionId).collect(), ..Rule::default() };
        for (regions, in_step) in
            [(&[0, 1, 2][..], true), (&[0, 2, 1], false), (&[0, 1], false), (&[0, 1, 2, 2], false)]
        {
            let table = RouteTable::new(&endpoints(regions), Some(&rule));
            assert_eq!(table.in_step, in_step, "{regions:?}");
            for set in 0..1 << regions.len() {
                let theirs = members(set).fold(0, |all, n| all | 1 << regions[usize::from(n)]);
                assert_eq!(table.rule_regions(set), theirs, "{regions:?} {set:b}");
                for asked in 0..8 {
                    let kept = members(set).filter(|n| asked >> regions[usize::from(*n)] & 1 == 1);
                    assert_eq!(table.in_rule_regions(set, asked), kept.fold(0, |all, n| all | 1 << n), "{regions:?}");
                }
            }
        }
    }
}
