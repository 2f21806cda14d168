//! What the findings are made from: a configuration as it was written and as it is served, and where in the first a
//! thing of the second is written. Must not know any finding.

use std::{ops::Range, sync::Arc};

use toml::Spanned;

use crate::{
    config::spec::{Named, Spec, Text},
    engine::{
        wire::name::Name,
        world::{
            World,
            policy::Policy,
            pool::{Pool, Route},
        },
    },
};

/// What the findings are made from.
pub(super) struct Subject<'a> {
    pub(super) spec: &'a Spec,
    pub(super) world: &'a Arc<World>,
}

impl<'a> Subject<'a> {
    /// The pools as they are configured.
    pub(super) fn pools(&self) -> impl Iterator<Item = &'a Pool> {
        self.world.pools.iter()
    }

    /// Whether every endpoint of a pool takes every block, whichever policy it is used under: a row is shaped by the
    /// strictest of all routes through the pool.
    pub(super) fn admits_all(&self, pool: &Pool) -> bool {
        let world = self.world;
        let through = |route: &&Route| world.pools.get(route.pool.at()).is_some_and(|known| known.name == pool.name);
        let policy = |route: &Route| world.policies.get(route.policy.at());
        world.routes.iter().filter(through).filter_map(policy).all(Policy::admits_all)
    }

    /// A pool's own policy.
    pub(super) fn policy(&self, pool: &Pool) -> Option<&'a Policy> {
        self.world.policies.get(self.world.own_route(pool)?.policy.at())
    }

    /// Where an endpoint's name is written.
    pub(super) fn endpoint_at(&self, pool: &str, endpoint: &str) -> Range<usize> {
        let found = self.spec.pools.iter().find(|(key, _)| key.get_ref() == pool);
        found.map_or(0..0, |(_, spec)| span(&spec.endpoints, endpoint))
    }

    /// Where a pool's name is written.
    pub(super) fn pool_at(&self, pool: &str) -> Range<usize> {
        span(&self.spec.pools, pool)
    }

    /// Where a region's name is written.
    pub(super) fn region_at(&self, region: &str) -> Range<usize> {
        span(&self.spec.regions, region)
    }

    /// Where a policy's name is written; a preset's is where a pool names it.
    pub(super) fn policy_at(&self, policy: &str) -> Range<usize> {
        let written = || self.spec.pools.values().filter_map(|pool| pool.policy.as_ref());
        match span(&self.spec.policies, policy) {
            Range { start: 0, end: 0 } => {
                let named = |named: &&Spanned<Text>| *named.get_ref().0 == *policy;
                written().find(named).map_or(0..0, Spanned::span)
            }
            span => span,
        }
    }

    /// Where a service's name is written.
    pub(super) fn service_at(&self, service: &Name) -> Range<usize> {
        let is_it = |key: &&Spanned<String>| {
            let written = key.get_ref().trim_end_matches('.');
            service.to_string().trim_end_matches('.').eq_ignore_ascii_case(written)
        };
        self.spec.services.keys().find(is_it).map_or(0..0, Spanned::span)
    }
}

fn span<T>(named: &Named<T>, name: &str) -> Range<usize> {
    named.keys().find(|key| key.get_ref() == name).map_or(0..0, Spanned::span)
}

/// So many things, the first few by name.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
