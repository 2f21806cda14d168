//! One service to what is served: its own name, and those that come with it.

use super::{
    super::check::{MeantPool, MeantService},
    rule::splits,
};
use crate::engine::{
    types::{MapId, PerFamily, RegionId, RouteId},
    world::{
        policy::Policy,
        pool::Route,
        service::{Canary, Service},
    },
};

/// The pools, as meant and compiled.
#[derive(Debug)]
pub(super) struct Steered<'m> {
    pub(super) meant: &'m [MeantPool],
    /// Pools under policies of services: their routes stand behind those of pools under their own.
    pub(super) variants: &'m [(usize, &'m Policy)],
    pub(super) routes: &'m [Route],
    /// How wide a block is at most, where a policy can split a catchment.
    pub(super) block: PerFamily<u8>,
}

impl Steered<'_> {
    /// The route through the pool at this position under the policy of a service, or the pool's own.
    fn find(&self, at: usize, policy: Option<&Policy>) -> RouteId {
        let variant = policy.and_then(|policy| self.variants.iter().position(|known| *known == (at, policy)));
        RouteId(variant.map_or(at, |variant| self.meant.len() + variant) as u32)
    }
}

/// The service itself, its direct names and its runner-up.
pub(super) fn all(service: &MeantService, gate: Option<MapId>, steered: &Steered<'_>) -> Vec<Service> {
    let own = self::service(service, gate, steered);
    let direct = service.direct.iter().map(|(name, region)| Service {
        name: name.clone(),
        only_region: Some(RegionId(*region as u16)),
        ..own.clone()
    });
    let second = service.second.iter().map(|name| Service { name: name.clone(), second: true, ..own.clone() });
    let beside: Vec<Service> = direct.chain(second).collect();
    std::iter::once(own).chain(beside).collect()
}

fn service(service: &MeantService, gate: Option<MapId>, steered: &Steered<'_>) -> Service {
    let mut maps: Vec<MapId> = Vec::new();
    let block = steered.block;
    // A canary's share is a share of blocks.
    let mut cut: Option<PerFamily<u8>> = service.canary.map(|_| block);
    let several = service.pools.len() > 1 || service.canary.is_some();
    let policy = service.policy.as_ref();
    let canary = service.canary.map(|(at, share)| Canary { route: steered.find(at, policy), share });
    for at in service.pools.iter().copied().chain(service.canary.map(|(at, _)| at)) {
        let found = steered.routes.get(steered.find(at, policy).at());
        let (Some(pool), Some(Route { map, .. })) = (steered.meant.get(at), found) else { continue };
        maps.extend(map.filter(|map| !maps.contains(map)));
        let policy = policy.unwrap_or(&pool.policy);
        if splits(pool, policy, several) {
            let (own, known) = (policy.sticky.unwrap_or(block), cut.unwrap_or(block));
            cut = Some(PerFamily::of(|family| own[family].max(known[family])));
        }
    }
    maps.extend(gate.filter(|gate| !maps.contains(gate)));
    Service {
        routes: service.pools.iter().map(|at| steered.find(*at, policy)).collect(),
        maps,
        cut,
        fine: block,
        gate,
        canary,
        ..service.answers.clone()
    }
}
