//! What is sound, and still not what anybody would want: endpoints that are never chosen, regions that their neighbours
//! cannot carry, rules that decide nothing. Findings are warnings with place, cause and remedy, as `check` tells them.
//! Only a configuration without errors is looked at. Must not know how anything is read or compiled.

mod chosen;
mod geo_rules;
mod regions;
mod services;

use std::ops::Range;

use toml::Spanned;

use super::{
    diagnostics::Notes,
    fault::Sources,
    spec::{Named, Spec, Text},
};
use crate::engine::{
    snapshot::World,
    steer::policy::{Endpoint, Pool},
};

/// What the findings are made from.
struct Subject<'a> {
    spec: &'a Spec,
    world: &'a World,
}

/// Looks at everything.
pub(super) fn lint(spec: &Spec, world: &World, sources: &Sources, notes: &mut Notes<'_>) {
    let subject = Subject { spec, world };
    chosen::lint(&subject, notes);
    geo_rules::countries(&subject, notes);
    geo_rules::nets(&subject, sources, notes);
    regions::capacity(&subject, notes);
    services::objective(&subject, notes);
    regions::coordinates(&subject, notes);
    services::affinity(&subject, notes);
    regions::families(&subject, notes);
    services::aliases(&subject, notes);
    chosen::needed(&subject, notes);
    services::later(&subject, notes);
}

impl<'a> Subject<'a> {
    /// The pools as they are configured.
    fn pools(&self) -> impl Iterator<Item = &'a Pool> {
        self.world.pools.iter().filter(|pool| pool.stands_for.is_none())
    }

    /// A pool's endpoints, by position.
    fn endpoints(&self, pool: &Pool) -> &'a [Endpoint] {
        let first = pool.first.at();
        self.world.endpoints.get(first..first + usize::from(pool.count)).unwrap_or_default()
    }

    /// Where an endpoint's name is written.
    fn endpoint_at(&self, pool: &str, endpoint: &str) -> Range<usize> {
        let found = self.spec.pools.iter().find(|(key, _)| key.get_ref() == pool);
        found.map_or(0..0, |(_, spec)| span(&spec.endpoints, endpoint))
    }

    /// Where a pool's name is written.
    fn pool_at(&self, pool: &str) -> Range<usize> {
        span(&self.spec.pools, pool)
    }

    /// Where a region's name is written.
    fn region_at(&self, region: &str) -> Range<usize> {
        span(&self.spec.regions, region)
    }

    /// Where a policy's name is written; a preset's is where a pool names it.
    fn policy_at(&self, policy: &str) -> Range<usize> {
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
    fn service_at(&self, service: &crate::engine::wire::name::Name) -> Range<usize> {
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
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
