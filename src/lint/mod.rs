//! What is sound, and still hardly meant: endpoints that are never chosen, regions that their neighbours cannot carry,
//! rules that decide nothing. Findings are warnings with place, cause and remedy, as `check` tells them. Only a
//! configuration without errors is looked at. Must not know how anything is read or compiled, nor how clients are steered:
//! it asks the engine, and the simulator.

mod chosen;
mod geo_rules;
mod regions;
mod services;
mod subject;

use std::{path::Path, sync::Arc};

use crate::{
    config::{self, Loaded, diagnostics::Notes, fault::Sources},
    engine::world::World,
};
use subject::Subject;

/// Reads the configuration `path`, and warns of what is sound in it and still hardly meant. It cannot be served then: there
/// is no configuration in what comes of it.
#[must_use]
pub fn lint(path: &Path) -> Loaded {
    config::read(path, None, |spec, config, sources, notes| {
        let world = Arc::new(World::seal(config.draft));
        look(&Subject { spec, world: &world }, sources, notes);
        None
    })
}

/// Looks at everything.
fn look(subject: &Subject<'_>, sources: &Sources, notes: &mut Notes<'_>) {
    chosen::lint(subject, notes);
    geo_rules::countries(subject, notes);
    geo_rules::nets(subject, sources, notes);
    regions::capacity(subject, notes);
    services::objective(subject, notes);
    regions::coordinates(subject, notes);
    services::affinity(subject, notes);
    regions::families(subject, notes);
    services::aliases(subject, notes);
    chosen::needed(subject, notes);
    services::later(subject, notes);
}
