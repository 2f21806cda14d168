//! Monitors and addresses to targets: each probe once, and what is made of several behind them.

use std::{net::IpAddr, sync::Arc};

use super::distinct::Distinct;
use crate::{
    engine::{
        types::TargetId,
        world::{Asks, Target},
    },
    probing::monitor::{Monitor, MonitorId, ProbeKey, Watch},
};

/// How deep monitors may be made of monitors; the checks have seen to it that none leads back to itself.
const DEPTH: usize = 8;

/// All targets.
#[derive(Debug)]
pub(super) struct Targets(Distinct<(MonitorId, Asks)>);

impl Targets {
    pub(super) fn new() -> Self {
        Self(Distinct::new())
    }

    /// The target that a monitor has at an address; those that it is made of come before it.
    pub(super) fn of(
        &mut self,
        monitors: &[Monitor],
        monitor: MonitorId,
        address: IpAddr,
        port: Option<u16>,
    ) -> Option<TargetId> {
        self.within(monitors, monitor, address, port, DEPTH)
    }

    fn within(
        &mut self,
        monitors: &[Monitor],
        id: MonitorId,
        address: IpAddr,
        port: Option<u16>,
        depth: usize,
    ) -> Option<TargetId> {
        let monitor = monitors.get(id.at())?;
        let asks = match &monitor.watch {
            Watch::Probe(check) => {
                let check = port.map_or_else(|| check.clone(), |port| check.at_port(port));
                let source = monitor.source.filter(|source| source.is_ipv4() == address.is_ipv4());
                Asks::Probe(Arc::new(ProbeKey { check, address, source }))
            }
            Watch::Several { needed, of } => {
                let depth = depth.checked_sub(1)?;
                let of = of.iter().filter_map(|part| self.within(monitors, *part, address, port, depth)).collect();
                Asks::Several { needed: *needed, of, address }
            }
        };
        Some(TargetId(self.0.number((id, asks))))
    }

    pub(super) fn into_list(self) -> Vec<Target> {
        self.0.kept.into_iter().map(|(monitor, asks)| Target { monitor, asks }).collect()
    }
}
