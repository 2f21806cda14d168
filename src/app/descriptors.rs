//! File descriptors: the soft limit is raised to the hard one, and a limit that is too low is said before it hurts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Files, logs, runtimes and listeners: what a server holds beside connections, workers and probes.
const BASE: u64 = 64;
/// Probes that are under way at a time at most; see `monitor`.
const PROBES: u64 = 512;

/// Raises the soft limit as far as it goes, and warns when `connections` over TCP and `workers` may not fit below it.
pub(super) fn raise(connections: usize, workers: usize) {
    let wanted = BASE + PROBES + connections as u64 + workers as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|have| have < wanted) {
        let raised = maximum.unwrap_or(wanted).max(wanted).min(maximum.unwrap_or(u64::MAX));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
            warn!("the limit of open files stays at {}: {error}", current.unwrap_or(0));
        }
    }
    if let Some(have) = getrlimit(Resource::Nofile).current.filter(|have| *have < wanted) {
        warn!(
            "only {have} open files are allowed, {wanted} may be needed: raise the limit (LimitNOFILE=, ulimit -n) or \
             lower server.tcp.connections"
        );
    }
}
