//! What was written to what was meant: references resolved, bounds held, defaults filled in; every fault of it noted
//! with its place and remedy. A value with a fault is replaced by its default, so that the checks go on; nothing is
//! compiled then.

mod monitor;
mod order;
mod place;
mod policy;
mod pool;
mod server;
mod service;
mod value;
mod zone;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use super::{
    fault::Sources,
    geo::Found,
    notes::Notes,
    settings::{Latency, Log, Server},
    spec::Spec,
};
use crate::engine::{
    health::monitor::Monitor,
    snapshot::Region,
    steer::policy::{Fallback, Policy},
    types::Prefix,
    wire::name::Name,
    zone::ZoneSource,
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
    pub(crate) geo: Found,
    pub(crate) latency: Latency,
    pub(crate) regions: Vec<Region>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) pools: Vec<MeantPool>,
    pub(crate) services: Vec<MeantService>,
    pub(crate) zones: Vec<ZoneSource>,
}

/// A pool as it was meant.
#[derive(Debug)]
pub(crate) struct MeantPool {
    pub(crate) name: String,
    pub(crate) monitor: Option<usize>,
    pub(crate) policy: Policy,
    pub(crate) endpoints: Vec<MeantEndpoint>,
}

/// An endpoint as it was meant.
#[derive(Debug)]
pub(crate) struct MeantEndpoint {
    pub(crate) name: String,
    pub(crate) region: usize,
    pub(crate) v4: Option<Ipv4Addr>,
    pub(crate) v6: Option<Ipv6Addr>,
    pub(crate) weight: u32,
    pub(crate) order: u32,
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
    let ecs_from = server::ecs(&spec.ecs, notes);
    let mut files = Vec::new();
    let geo = place::geo(&spec.geo, &mut files, sources, notes);
    let latency = Latency::default();
    let regions = place::regions(&spec.regions, notes);
    let monitors = monitor::monitors(&spec.monitors, notes);
    let mut policies = policy::Policies::resolve(&spec.policies, notes);
    let (pools, used) = pool::pools(spec, &mut policies, notes);
    let zones = zone::zones(spec, &mut files, sources, notes);
    let services = service::services(spec, &pools, &zones, notes);
    unused(spec, &used, &policies, &services, notes);
    if secret.is_some() {
        files.push(server.secret_file.clone());
    }
    let zones = zones.into_iter().filter_map(|zone| zone.loaded).map(|loaded| loaded.zone).collect();
    Meant { server, log, secret, files, ecs_from, geo, latency, regions, monitors, pools, services, zones }
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

/// What nothing refers to. Only told where nothing was taken out, so that it is certain.
fn unused(
    spec: &Spec,
    used: &pool::Used,
    policies: &policy::Policies<'_>,
    services: &[MeantService],
    notes: &mut Notes<'_>,
) {
    if !notes.is_untouched() || notes.has_errors() {
        return;
    }
    let answering: BTreeSet<usize> = services.iter().flat_map(|service| service.pools.iter().copied()).collect();
    let mut told = Vec::new();
    for (at, name) in spec.regions.keys().enumerate() {
        if !used.regions.contains(&at) {
            told.push(("region", name, "no endpoint is in it"));
        }
    }
    for (at, name) in spec.monitors.keys().enumerate() {
        if !used.monitors.contains(&at) {
            told.push(("monitor", name, "no pool names it"));
        }
    }
    for name in policies.unused() {
        told.push(("policy", name, "no pool names it"));
    }
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
