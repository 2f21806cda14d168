//! How much probing a configuration asks for. Must not know how it is paced.

use std::collections::HashMap;

use crate::engine::{health::monitor::ProbeKey, snapshot::Draft};

/// Probes that want to begin in a second while all is well, and how many may, where that is less.
pub(crate) fn over_budget(draft: &Draft) -> Option<(u64, u32)> {
    // One probe serves all monitors that ask the same of the same address, at the quickest of their paces.
    let mut intervals: HashMap<&ProbeKey, u64> = HashMap::new();
    for target in &draft.targets {
        let interval = draft.monitors.get(target.monitor.at()).map_or(1000, |monitor| monitor.rhythm.interval);
        if let Some(key) = target.key() {
            intervals.entry(&**key).and_modify(|known| *known = interval.min(*known)).or_insert(interval);
        }
    }
    let wanted: f64 = intervals.values().map(|interval| 1000.0 / *interval as f64).sum();
    let total = draft.health.rate.total;
    (wanted > f64::from(total)).then_some((wanted.ceil() as u64, total))
}
