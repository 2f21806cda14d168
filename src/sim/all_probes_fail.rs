//! What if all probes failed at once, which may be a fault of this node alone: whether clients of a service are sent to a
//! later pool. Must not know whether canaries tell such a fault from a real loss.

use crate::engine::{
    types::PoolId,
    world::{World, endpoint::Endpoint, pool::Pool, service::Service},
};

/// A pool that gives way, and the later pool that answers instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivesWay {
    /// The first pool.
    pub first: PoolId,
    /// The later pool.
    pub later: PoolId,
}

/// Which pool answers for the first pool of a service when all probes fail at once; none where the first one still does,
/// or no later one can.
#[must_use]
pub fn all_probes_fail(world: &World, service: &Service) -> Option<GivesWay> {
    let pools: Vec<(PoolId, &Pool)> =
        service.pools(world).filter_map(|id| Some((id, world.pools.get(id.at())?))).collect();
    let (&(first, pool), behind) = pools.split_first()?;
    let &(later, _) = behind.iter().find(|(_, later)| takes_over(pool, later))?;
    Some(GivesWay { first, later })
}

/// Whether a pool, all of which is probed, gives way to a later one that such a fault may leave up: it has an endpoint
/// without a monitor, or one in a region of its own, which may be lost last and be held.
fn takes_over(first: &Pool, later: &Pool) -> bool {
    fn weighted(pool: &Pool) -> impl Iterator<Item = &Endpoint> {
        pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
    }
    let is_probed = |endpoint: &Endpoint| endpoint.targets.iter().any(Option::is_some);
    let is_apart = |endpoint: &Endpoint| weighted(first).all(|other| other.region != endpoint.region);
    weighted(first).all(is_probed) && weighted(later).any(|endpoint| !is_probed(endpoint) || is_apart(endpoint))
}
