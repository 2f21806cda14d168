//! What is probed, and what is made of several targets. Must not know what an outcome means.

use std::{net::IpAddr, sync::Arc};

use crate::{
    engine::types::TargetId,
    probing::monitor::{MonitorId, ProbeKey},
};

/// One thing that is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The monitor whose timing it follows.
    pub monitor: MonitorId,
    /// Where its health comes from.
    pub asks: Asks,
}

/// Where a target's health comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// Probes: what is asked of which address. History is carried by it.
    Probe(Arc<ProbeKey>),
    /// Other targets, which all stand before it in the list.
    Several {
        /// How many of them must be up.
        needed: u32,
        /// Their numbers.
        of: Vec<TargetId>,
        /// The address that they all are about.
        address: IpAddr,
    },
}

impl Target {
    /// A target that is probed.
    #[must_use]
    pub fn probed(monitor: MonitorId, key: Arc<ProbeKey>) -> Self {
        Self { monitor, asks: Asks::Probe(key) }
    }

    /// What is asked of which address, where it is probed itself.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<ProbeKey>> {
        match &self.asks {
            Asks::Probe(key) => Some(key),
            Asks::Several { .. } => None,
        }
    }

    /// The address that it is about.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        match &self.asks {
            Asks::Probe(key) => key.address,
            Asks::Several { address, .. } => *address,
        }
    }
}
