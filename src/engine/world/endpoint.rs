//! An endpoint as the configuration has it, and what bounds and sets apart endpoints of a pool. Plain data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::engine::{
    geo::Fence,
    types::{Family, PerFamily, RegionId, TargetId},
    wire::name::Name,
};

/// The most endpoints of a pool, so that a set of them is one machine word.
pub const MAX_ENDPOINTS: usize = 64;

/// The largest weight.
pub const MAX_WEIGHT: u32 = 1_048_575;

/// One VIP in a region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// The key in the pool's table.
    pub name: Box<str>,
    /// Where it is.
    pub region: RegionId,
    /// Its IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// Its share against its neighbours; 0 is never chosen, not even when all is lost.
    pub weight: u32,
    /// Its position for the key `order`: smaller is preferred, equal is equal.
    pub order: u32,
    /// What is probed for each family; none without an address of the family or without a monitor.
    pub targets: PerFamily<Option<TargetId>>,
    /// Where probes and load reports of each family are asked for: its address, unless the configuration says another.
    pub reach: PerFamily<Option<IpAddr>>,
    /// Another name that stands in for it; it has no address then.
    pub cname: Option<Name>,
    /// What fails together: endpoints of one group are one for `distinct = "group"`. By the group's name.
    pub group: Option<Box<str>>,
    /// What it can take, in the unit that its load is reported in.
    pub capacity: Option<f64>,
    /// The fences that it stands behind: its own, its pool's and its region's, without those that keep no client out.
    pub fences: Vec<Fence>,
}

impl Endpoint {
    /// Its address of a family.
    #[must_use]
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.v4.map(IpAddr::V4),
            Family::V6 => self.v6.map(IpAddr::V6),
        }
    }
}

/// What no two endpoints of an answer have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Distinct {
    /// The region.
    #[default]
    Region,
    /// The failure group; an endpoint without one is a group of its own.
    Group,
    /// Nothing but being one endpoint.
    Nothing,
}
