//! What was written to what was meant: references resolved, bounds held, defaults filled in; every fault of it noted
//! with its place and remedy. A value with a fault is replaced by its default, so that the checks go on; nothing is
//! compiled then.

mod acl;
mod lists;
mod load;
mod monitor;
mod names;
mod place;
mod policy;
mod pool;
mod selector;
mod server;
mod service;
mod value;
mod zone;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use toml::Spanned;

use super::{
    fault::Sources,
    geo::Found,
    notes::Notes,
    settings::{Latency, Log, Server},
    spec::{Named, Spec},
};
use crate::engine::{
    geo::{Fence, Selector},
    health::monitor::Monitor,
    signal::load::Load,
    snapshot::Region,
    steer::policy::{Fallback, Policy, Threshold},
    types::Prefix,
    wire::name::Name,
    zone::ZoneSource,
};
use names::Names;

/// A configuration as it was meant. Tables are in name order; references are positions in them.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(crate) server: Server,
    pub(crate) log: Log,
    pub(crate) secret: Option<[u8; 16]>,
    /// Files that were read beside the configuration itself.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) ecs_from: Vec<Prefix>,
    pub(crate) geo: Found,
    pub(crate) latency: Latency,
    pub(crate) regions: Vec<Region>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) loads: Vec<Load>,
    pub(crate) pools: Vec<MeantPool>,
    pub(crate) services: Vec<MeantService>,
    pub(crate) zones: Vec<ZoneSource>,
}

/// What a region or an endpoint may be able to take.
const CAPACITY: std::ops::RangeInclusive<f64> = 0.001..=1e12;

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
    /// The fences that an endpoint of it stands behind: its region's, the pool's and its own, those that keep nobody out
    /// left away.
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
    pub(crate) group: Option<String>,
    pub(crate) capacity: Option<f64>,
    pub(crate) fence: Fence,
}

impl MeantEndpoint {
    /// Its addresses by family.
    pub(crate) fn addresses(&self) -> [Option<IpAddr>; 2] {
        [self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6)]
    }
}

/// A service as it was meant.
#[derive(Debug)]
pub(crate) struct MeantService {
    pub(crate) name: Name,
    pub(crate) pools: Vec<usize>,
    pub(crate) ttl_max: u32,
    pub(crate) ttl_min: u32,
    pub(crate) when_all_down: Fallback,
}

/// Checks everything.
pub(crate) fn check(spec: &Spec, sources: &mut Sources, notes: &mut Notes<'_>) -> Meant {
    version(spec, notes);
    let (server, secret) = server::server(&spec.server, spec.server_at.as_ref(), notes);
    let log = server::log(&spec.log, notes);
    let mut acls = acl::acls(&spec.acls, notes);
    let ecs_from = acl::ecs_from(&spec.ecs, &mut acls, notes);
    let mut files = Vec::new();
    let mut groups = selector::groups(&spec.groups, notes);
    let regions = place::regions(&spec.regions, &mut groups, notes);
    let monitors = monitor::monitors(&spec.monitors, notes);
    let loads = load::loads(&spec.loads, notes);
    let mut region_names = Names::of("region", "regions", &spec.regions);
    let mut monitor_names = Names::of("monitor", "monitors", &spec.monitors);
    let mut load_names = Names::of("load", "loads", &spec.loads);
    let around = &mut policy::Around { regions: &region_names, groups: &mut groups };
    let mut policies = policy::Policies::resolve(&spec.policies, around, notes);
    let around = &mut pool::Around {
        regions: &mut region_names,
        monitors: &mut monitor_names,
        loads: &mut load_names,
        groups: &mut groups,
        policies: &mut policies,
    };
    let pools = pool::pools(spec, &regions, around, notes);
    let zones = zone::zones(spec, &mut files, sources, notes);
    let services = service::services(spec, &pools, &zones, notes);
    let geo = place::geo(&spec.geo, &regions, &nets(&regions, &pools), &mut files, sources, notes);
    let mut idle: Vec<Idle<'_>> = Vec::new();
    idle.extend(unnamed(&spec.regions, &region_names).map(|key| ("region", key, "no endpoint is in it")));
    idle.extend(unnamed(&spec.monitors, &monitor_names).map(|key| ("monitor", key, "no pool names it")));
    idle.extend(unnamed(&spec.loads, &load_names).map(|key| ("load", key, "no pool names it")));
    idle.extend(policies.unused().into_iter().map(|key| ("policy", key, "no pool names it")));
    idle.extend(groups.unused().into_iter().map(|key| ("group", key, "nothing names it")));
    idle.extend(acls.unused().into_iter().map(|key| ("acl", key, "nothing names it")));
    unused(spec, idle, &services, notes);
    if secret.is_some() {
        files.push(server.secret_file.clone());
    }
    let zones = zones.into_iter().filter_map(|zone| zone.loaded).map(|loaded| loaded.zone).collect();
    let latency = Latency::default();
    Meant { server, log, secret, files, ecs_from, geo, latency, regions, monitors, loads, pools, services, zones }
}

fn version(spec: &Spec, notes: &mut Notes<'_>) {
    let fault = match &spec.version {
        Some(version) if version.get_ref().0 == 1 => return,
        Some(version) => notes
            .error(version.span(), "this is not version 1 of the configuration", "1 is the only version there is")
            .remedy("write `version = 1`"),
        None if notes.is_whole(&["version"]) && notes.is_whole(&[]) => notes
            .error(0..0, "the version is missing", "the file must say which version of the format it is written in")
            .remedy("write `version = 1` at the top"),
        None => return,
    };
    notes.push(fault);
}

/// Every prefix by which clients are told apart.
fn nets(regions: &[Region], pools: &[MeantPool]) -> Vec<Prefix> {
    let endpoints = pools.iter().flat_map(|pool| pool.endpoints.iter().map(|endpoint| &endpoint.fence));
    let fences =
        regions.iter().map(|region| &region.fence).chain(pools.iter().map(|pool| &pool.fence)).chain(endpoints);
    let fenced = fences.flat_map(|fence| fence.only.iter().chain(&fence.never));
    let rules = pools.iter().filter_map(|pool| pool.policy.preferences.as_ref()).flat_map(|geo| &geo.rules);
    let selectors = fenced.chain(rules.map(|(selector, _)| selector));
    let mut found: Vec<Prefix> = selectors
        .filter_map(|selector| match selector {
            Selector::Net(prefix) => Some(*prefix),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What is never used: of which kind, its name, and who would have to name it.
type Idle<'s> = (&'static str, &'s Spanned<String>, &'static str);

/// Names of a table that nothing refers to.
fn unnamed<'s, T>(named: &'s Named<T>, names: &Names<'_>) -> impl Iterator<Item = &'s Spanned<String>> {
    named.keys().enumerate().filter(|(at, _)| !names.is_used(*at)).map(|(_, key)| key)
}

/// What nothing refers to. Only told where nothing was taken out, so that it is certain.
fn unused<'s>(spec: &'s Spec, mut told: Vec<Idle<'s>>, services: &[MeantService], notes: &mut Notes<'_>) {
    if !notes.is_untouched() || notes.has_errors() {
        return;
    }
    let answering: BTreeSet<usize> = services.iter().flat_map(|service| service.pools.iter().copied()).collect();
    for (at, name) in spec.pools.keys().enumerate() {
        if !answering.contains(&at) {
            told.push(("pool", name, "no service names it"));
        }
    }
    for (what, name, label) in told {
        let fault = notes
            .warning(name.span(), format!("{what} \"{}\" is never used", name.get_ref()), label)
            .remedy("use it or take it out");
        notes.push(fault);
    }
    if spec.services.is_empty() && spec.zones.is_empty() {
        let fault = notes
            .warning(0..0, "there is nothing to answer", "no zone and no service is configured")
            .remedy("add a `[zones.\"…\"]` table with a file, and services in it");
        notes.push(fault);
    }
}
