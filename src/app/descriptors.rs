//! File descriptors: the soft limit is raised as far as it is wanted, and a limit that is too low is said before it
//! hurts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Files, logs, runtimes and listeners: what a server holds beside connections, workers and probes.
const BASE: u64 = 64;
/// Probes that are wanted at a time. One that hangs holds a descriptor until its timeout, and a whole region may hang:
/// with too few, probes of others would wait behind it.
const PROBES: u64 = 16_384;
/// Probes at a time at least, however few descriptors there are.
const FEWEST: u64 = 64;

/// Raises the soft limit for `connections` over TCP, `workers` and probes, and warns when connections and workers may
/// not fit below it. Returns how many probes may be under way at a time.
pub(super) fn raise(connections: usize, workers: usize) -> usize {
    let others = BASE + connections as u64 + workers as u64;
    let wanted = others + PROBES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|have| have < wanted) {
        let raised = maximum.map_or(wanted, |most| most.min(wanted));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
            warn!("the limit of open files stays at {}: {error}", current.unwrap_or(0));
        }
    }
    let Some(have) = getrlimit(Resource::Nofile).current else { return PROBES as usize };
    if have < others + FEWEST {
        warn!(
            "only {have} open files are allowed, {} may be needed: raise the limit (LimitNOFILE=, ulimit -n) or lower \
             server.tcp.connections",
            others + FEWEST
        );
    }
    have.saturating_sub(others).clamp(FEWEST, PROBES) as usize
}
