//! What was written to what was meant: references resolved, bounds held, defaults filled in; every fault of it noted
//! with its place and remedy. A value with a fault is replaced by its default, so that the checks go on; nothing is
//! compiled then.

mod address;
mod ecs;
mod health;
mod hooks;
mod load;
mod meant;
mod monitor;
mod policy;
mod pool;
mod region;
mod selector;
pub(crate) mod server;
mod service;
mod symbols;
mod value;
mod zone;

use toml::Spanned;

use super::{
    diagnostics::Notes,
    fault::Sources,
    geo::InForce,
    spec::{Named, Spec},
};
use crate::engine::{
    geo::Selector,
    health::rules::HealthRules,
    types::Prefix,
    world::{Region, policy::Policy},
};
pub(crate) use meant::{Meant, MeantEndpoint, MeantPool, MeantService};
use symbols::Names;

/// Checks everything. `in_force`: the geo databases of the configuration in force, where there is one.
pub(crate) fn check(spec: &Spec, in_force: Option<&InForce>, sources: &mut Sources, notes: &mut Notes<'_>) -> Meant {
    version(spec, notes);
    let (server, secret) = server::server(&spec.server, spec.server_at.as_ref(), notes);
    let log = server::log(&spec.log, notes);
    let mut acls = selector::acls(&spec.acls, notes);
    let ecs_from = ecs::from(&spec.ecs, &mut acls, notes);
    let lengths = ecs::lengths(&spec.ecs, notes);
    let (latency, model) = region::latency(&spec.latency, notes);
    let mut files = Vec::new();
    let mut groups = selector::groups(&spec.groups, notes);
    let regions = region::regions(&spec.regions, &mut groups, notes);
    let mut monitor_names = Names::of("monitor", "monitors", &spec.monitors);
    let around = &mut monitor::ProbeContext { names: &mut monitor_names, files: &mut files };
    let monitors = monitor::monitors(spec, around, notes);
    let loads = load::loads(&spec.loads, notes);
    let mut region_names = Names::of("region", "regions", &spec.regions);
    let mut load_names = Names::of("load", "loads", &spec.loads);
    let around = &mut policy::RulesContext { regions: &region_names, groups: &mut groups };
    let mut policies = policy::Policies::resolve(&spec.policies, around, notes);
    let usual = policies.usual(spec.defaults.service.policy.as_ref(), notes);
    let around = &mut pool::PoolContext {
        regions: &mut region_names,
        monitors: &mut monitor_names,
        loads: &mut load_names,
        groups: &mut groups,
        policies: &mut policies,
        usual,
    };
    let pools = pool::pools(spec, &regions, around, notes);
    let allow = health::allow(&spec.health, &mut acls, notes);
    health::hold(&allow, spec, &pools, notes);
    let (health, canaries) = health::health(&spec.health, &mut monitor_names, notes);
    pool::reported(spec, &pools, &loads, &regions, notes);
    let hooks = hooks::hooks(&spec.hooks, &mut files, notes);
    let zones = zone::zones(spec, &mut files, sources, notes);
    let mut homes = service::Homes::of(&zones);
    let mut pool_names = Names::of("pool", "pools", &spec.pools);
    let around = &mut service::ServiceContext {
        steered: &pools,
        regions: &regions,
        pools: &mut pool_names,
        policies: &mut policies,
        groups: &mut groups,
    };
    let services = service::services(spec, around, &mut homes, notes);
    pool::in_force(spec, &pools, &services, &regions, notes);
    let reflect = ecs::reflect(&spec.ecs, &mut acls, &mut homes, notes);
    homes.existing(notes);
    let nowhere = spec.geo.default.as_ref().map(|written| policy::order(written, "geo.default", &region_names, notes));
    let nets = nets(&regions, &pools, &services);
    let finest = lengths.cuts.finest;
    let named = region::RegionContext { regions: &regions, latency: &latency, nets: &nets, finest, in_force };
    let (geo, latency_files) = region::geo(spec, &named, &mut files, sources, notes);
    let own = services.iter().filter_map(|service| service.policy.as_ref());
    let used: Vec<&Policy> = pools.iter().map(|pool| &pool.policy).chain(own).collect();
    let by_subnet = !ecs_from.is_empty()
        && services.iter().any(|service| service.answers.ecs)
        && used.iter().any(|policy| policy.asks_location());
    let written = ecs::Written { cuts: lengths.cuts, used, by_subnet, geo: &geo };
    ecs::holds(&spec.ecs, &written, &policies, notes);
    let mut idle: Vec<Idle<'_>> = Vec::new();
    idle.extend(unnamed(&spec.regions, &region_names).map(|key| ("region", key, "no endpoint is in it")));
    idle.extend(unnamed(&spec.monitors, &monitor_names).map(|key| ("monitor", key, "no pool and no canary names it")));
    idle.extend(unnamed(&spec.loads, &load_names).map(|key| ("load", key, "no pool names it")));
    idle.extend(policies.unused().into_iter().map(|key| ("policy", key, "no pool names it")));
    idle.extend(groups.unused().into_iter().map(|key| ("group", key, "nothing names it")));
    idle.extend(acls.unused().into_iter().map(|key| ("acl", key, "nothing names it")));
    idle.extend(unnamed(&spec.pools, &pool_names).map(|key| ("pool", key, "no service names it")));
    unused(spec, idle, notes);
    if secret.is_some() {
        files.push(server.secret_file.clone());
    }
    let zones = zones.into_iter().filter_map(|zone| zone.loaded).map(|loaded| loaded.zone).collect();
    Meant {
        server,
        log,
        secret,
        files,
        ecs_from,
        lengths,
        reflect,
        geo,
        nowhere: nowhere.unwrap_or_default(),
        latency,
        latency_files,
        model,
        hooks,
        regions,
        monitors,
        health: HealthRules { allow, ..health },
        canaries,
        loads,
        pools,
        services,
        zones,
    }
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
fn nets(regions: &[Region], pools: &[MeantPool], services: &[MeantService]) -> Vec<Prefix> {
    let endpoints = pools.iter().flat_map(|pool| pool.endpoints.iter().map(|endpoint| &endpoint.fence));
    let fences =
        regions.iter().map(|region| &region.fence).chain(pools.iter().map(|pool| &pool.fence)).chain(endpoints);
    let fences = fences.chain(services.iter().map(|service| &service.fence));
    let fenced = fences.flat_map(|fence| fence.only.iter().chain(&fence.never));
    let own = services.iter().filter_map(|service| service.policy.as_ref());
    let policies = pools.iter().map(|pool| &pool.policy).chain(own);
    let rules = policies.filter_map(|policy| policy.preferences.as_ref()).flat_map(|geo| &geo.rules);
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
fn unused(spec: &Spec, told: Vec<Idle<'_>>, notes: &mut Notes<'_>) {
    if !notes.is_untouched() || notes.has_errors() {
        return;
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
