//! The demo's three regions.

use std::net::{Ipv4Addr, SocketAddr};

/// A region of the demo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) name: &'static str,
    /// What is answered, and where its stand-in listens.
    pub(super) address: Ipv4Addr,
    /// A client network in its neighbourhood, as the demo's database has it.
    pub(super) near: &'static str,
    /// The city of that network.
    pub(super) city: &'static str,
}

/// All of them.
pub(super) const REGIONS: [Region; 3] = [
    Region { name: "us-east", address: Ipv4Addr::new(127, 0, 0, 11), near: "192.0.2.0/24", city: "New York" },
    Region { name: "eu-west", address: Ipv4Addr::new(127, 0, 0, 12), near: "198.51.100.0/24", city: "Frankfurt" },
    Region { name: "ap-south", address: Ipv4Addr::new(127, 0, 0, 13), near: "203.0.113.0/24", city: "Mumbai" },
];

impl Region {
    pub(super) fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }
}

/// The region of this name.
pub(super) fn find(name: &str) -> Result<&'static Region, String> {
    let names = || REGIONS.map(|region| region.name).join(", ");
    REGIONS.iter().find(|region| region.name == name).ok_or_else(|| format!("the regions are {}", names()))
}
