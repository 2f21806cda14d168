//! What was meant by a configuration: each table with its references resolved and its defaults filled in. Must not know
//! how it was written, nor how it is compiled.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use crate::{
    config::{
        geo::{Found, LatencyFiles},
        settings::{Hook, Latency, Log, Server},
    },
    engine::{
        geo::{Cuts, Fence, Model, Order},
        health::rules::HealthRules,
        signal::load::Load,
        types::{PerFamily, Prefix},
        units::Admission,
        wire::name::Name,
        world::{Reflect, Region, policy::Policy, pool::Threshold, service::Service},
        zone::ZoneSource,
    },
    probing::monitor::Monitor,
};

/// A configuration as it was meant. Tables are in name order; references are positions in them.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(crate) server: Server,
    pub(crate) log: Log,
    pub(crate) secret: Option<[u8; 16]>,
    /// Files that were read beside the configuration itself.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) ecs_from: Vec<Prefix>,
    pub(crate) lengths: Lengths,
    pub(crate) reflect: Option<Reflect>,
    pub(crate) geo: Found,
    /// The order of regions for clients of unknown location.
    pub(crate) nowhere: Order,
    pub(crate) latency: Latency,
    pub(crate) latency_files: LatencyFiles,
    pub(crate) model: Model,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) regions: Vec<Region>,
    pub(crate) monitors: Vec<Monitor>,
    /// Without the canaries.
    pub(crate) health: HealthRules,
    /// Targets that tell whether this node itself is well: monitor, address.
    pub(crate) canaries: Vec<(usize, IpAddr)>,
    pub(crate) loads: Vec<Load>,
    pub(crate) pools: Vec<MeantPool>,
    pub(crate) services: Vec<MeantService>,
    pub(crate) zones: Vec<ZoneSource>,
}

/// How maps and blocks are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) cuts: Cuts,
    /// A policy that can split a catchment splits it at least so finely.
    pub(crate) block: PerFamily<u8>,
}

/// What a region or an endpoint may be able to take.
pub(super) const CAPACITY: std::ops::RangeInclusive<f64> = 0.001..=1e12;

/// A pool as it was meant.
#[derive(Debug)]
pub(crate) struct MeantPool {
    pub(crate) name: String,
    pub(crate) monitor: Option<usize>,
    pub(crate) load: Option<usize>,
    pub(crate) policy: Policy,
    pub(crate) endpoints: Vec<MeantEndpoint>,
    pub(crate) min_healthy: Threshold,
    pub(crate) panic: Threshold,
    pub(crate) fence: Fence,
}

impl MeantPool {
    /// Whether it answers every client whatever is measured, by this policy: nothing is probed, enough endpoints stand
    /// behind no fence and within every limit, and none passes blocks on.
    pub(crate) fn is_always_up(&self, policy: &Policy, regions: &[Region]) -> bool {
        let weighted = || self.endpoints.iter().filter(|endpoint| endpoint.weight > 0);
        let open = weighted().filter(|endpoint| self.fences_of(endpoint, regions).is_empty()).count();
        // A client may be open to all that are weighted, and a share is one of those.
        let needed = self.min_healthy.of(weighted().count() as u32).max(1);
        // What passes blocks on under the pool's own policy does so for every service.
        let admits_all = policy.admits_all() && self.policy.admits_all();
        self.monitor.is_none() && open as u32 >= needed && policy.limits == Policy::UNLIMITED && admits_all
    }

    /// The fences that an endpoint of it stands behind: its region's, the pool's and its own, without those that keep
    /// no client out.
    pub(crate) fn fences_of(&self, endpoint: &MeantEndpoint, regions: &[Region]) -> Vec<Fence> {
        let region = regions.get(endpoint.region).map(|region| &region.fence);
        let all = region.into_iter().chain([&self.fence, &endpoint.fence]);
        let mut found: Vec<Fence> = all.filter(|fence| !fence.is_open()).cloned().collect();
        found.sort();
        found.dedup();
        found
    }
}

/// An endpoint as it was meant.
#[derive(Debug, Default)]
pub(crate) struct MeantEndpoint {
    pub(crate) name: String,
    pub(crate) region: usize,
    pub(crate) v4: Option<Ipv4Addr>,
    pub(crate) v6: Option<Ipv6Addr>,
    pub(crate) weight: u32,
    pub(crate) order: u32,
    pub(crate) cname: Option<Name>,
    /// Where probes go when not to its addresses, by family, and to which port when not to the monitor's.
    pub(crate) probe: PerFamily<Option<IpAddr>>,
    pub(crate) probe_port: Option<u16>,
    pub(crate) group: Option<String>,
    pub(crate) capacity: Option<f64>,
    pub(crate) fence: Fence,
}

impl MeantEndpoint {
    /// Its addresses by family.
    pub(crate) fn addresses(&self) -> PerFamily<Option<IpAddr>> {
        PerFamily::new(self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6))
    }

    /// Where probes and load reports of each family are asked for. An address to probe stands for the one address that
    /// is answered, whatever the families.
    pub(crate) fn reach(&self) -> PerFamily<Option<IpAddr>> {
        let (own, said) = (self.addresses(), self.probe);
        match ((own.v4, own.v6), (said.v4, said.v6)) {
            ((Some(_), None), (None, Some(other))) => PerFamily::new(Some(other), None),
            ((None, Some(_)), (Some(other), None)) => PerFamily::new(None, Some(other)),
            ((None, None), _) => said,
            _ => PerFamily::of(|family| own[family].and(said[family].or(own[family]))),
        }
    }
}

/// A service as it was meant.
#[derive(Debug)]
pub(crate) struct MeantService {
    /// What it says for itself; what refers to other tables is filled in when they are compiled.
    pub(crate) answers: Service,
    pub(crate) pools: Vec<usize>,
    /// Its own policy for all its pools.
    pub(crate) policy: Option<Policy>,
    pub(crate) canary: Option<(usize, Admission)>,
    pub(crate) affinity: Option<String>,
    pub(crate) fence: Fence,
    /// Names that are answered from one region alone.
    pub(crate) direct: Vec<(Name, usize)>,
    /// The name that is answered with the runner-up.
    pub(crate) second: Option<Name>,
}
