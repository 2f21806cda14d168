//! What is sound, and still not what anybody would want: endpoints that are never chosen, regions that their neighbours
//! cannot carry, rules that decide nothing. Findings are warnings with place, cause and remedy, as `check` tells them.
//! Only a configuration without errors is looked at. Must not know how anything is read or compiled.

mod chosen;
mod geo_rules;
mod regions;
mod services;
mod subject;

use super::{diagnostics::Notes, fault::Sources, spec::Spec};
use crate::engine::world::World;
use subject::Subject;

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
