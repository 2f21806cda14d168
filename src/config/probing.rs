//! What a configuration asks of probing that it may not mean: too much at once, canaries that vouch for themselves. Must
//! not know how probes are paced.

use std::{collections::HashMap, net::IpAddr};

use crate::{
    engine::world::{Draft, endpoint::Endpoint},
    probing::{millis::Millis, monitor::ProbeKey},
};

/// Probes that want to begin in a second while all is well, and how many may, where that is less.
pub(crate) fn over_budget(draft: &Draft) -> Option<(u64, u32)> {
    // One probe serves all monitors that ask the same of the same address, at the quickest of their paces.
    let mut intervals: HashMap<&ProbeKey, Millis> = HashMap::new();
    for target in &draft.targets {
        let interval = draft.monitors.get(target.monitor.at()).map_or(Millis(1000), |monitor| monitor.rhythm.interval);
        if let Some(key) = target.key() {
            intervals.entry(&**key).and_modify(|known| *known = interval.min(*known)).or_insert(interval);
        }
    }
    let wanted: f64 = intervals.values().map(|interval| 1000.0 / interval.0 as f64).sum();
    let total = draft.health.rate.total;
    (wanted > f64::from(total)).then_some((wanted.ceil() as u64, total))
}

/// Canaries that are endpoints' own targets, each with the first endpoint.
pub(crate) fn partial_canaries(draft: &Draft) -> Vec<(IpAddr, String)> {
    let mut found = Vec::new();
    for canary in &draft.health.canaries {
        let own = |endpoint: &&Endpoint| endpoint.targets.contains(&Some(*canary));
        let named = draft.pools.iter().find_map(|pool| Some((&pool.name, pool.endpoints.iter().find(own)?)));
        if let (Some((pool, endpoint)), Some(target)) = (named, draft.targets.get(canary.at())) {
            found.push((target.address(), format!("{pool}/{}", endpoint.name)));
        }
    }
    found
}
