//! Geo databases and override files to an [`Atlas`], and lines of text to a database. Must not know what is steered by
//! them.

use std::{collections::HashMap, path::PathBuf};

use super::fault::{Fault, Place, Sources};
use crate::engine::{
    geo::{Atlas, AtlasBuilder, Whose},
    types::Prefix,
};

mod coverage;
mod csv;
mod database;
mod files;
pub mod latency;
pub mod overrides;
mod record;
mod reread;
#[cfg(test)]
mod tests;

pub use coverage::{Coverage, InForce};
pub use database::{DATABASE_TYPE, write};
pub use files::{Files, NamedFile};
pub use reread::{LatencyFiles, Reread, Stamp};

use files::{file_name, text};

/// What the files say.
#[derive(Debug, Default)]
pub struct Found {
    /// Where addresses are.
    pub atlas: Atlas,
    /// Where the clients of resolvers are.
    pub resolvers: Atlas,
    /// The overrides that are finer than maps are cut, with their places.
    pub overrides: Vec<(Prefix, Place)>,
    /// Measured round-trip times.
    pub cells: Vec<latency::LatencyLine>,
    /// The databases, for the next reading.
    pub databases: InForce,
}

/// Reads all files. Overrides win over databases; of the databases, for each field the first that knows. Faults are
/// appended: those of a database at the place that names it, those of lines at their own places (the text is added to
/// `sources`). With an error among them what was found is incomplete and must not be used.
pub fn load(files: &Files<'_>, sources: &mut Sources, faults: &mut Vec<Fault>) -> Found {
    let cells = latency::read_all(files, sources, faults);
    let measured = cells.iter().filter_map(|line| match line.whose {
        Whose::Net(prefix) => Some(prefix),
        Whose::Asn(_) | Whose::Country(_) => None,
    });
    let named: Vec<Prefix> = files.nets.iter().copied().chain(measured).collect();
    let (mut atlas, databases) = databases(files, faults);
    let (mut resolvers, mut finer) = (AtlasBuilder::default(), Vec::new());
    for (file, what, builder) in
        [(files.overrides, "overrides file", &mut atlas), (files.resolvers, "resolvers file", &mut resolvers)]
    {
        if let Some(file) = file {
            finer.push(overrule(file, what, builder, sources, faults));
        }
        named.iter().for_each(|prefix| builder.mark(*prefix));
    }
    // Resolvers are known by their whole addresses, whatever maps are cut to.
    let overrides = finer.into_iter().take(usize::from(files.overrides.is_some())).flatten();
    let is_finer = |prefix: &Prefix| prefix.len() > files.finest[prefix.family()];
    Found {
        atlas: atlas.finish(),
        resolvers: resolvers.finish(),
        overrides: overrides.filter(|(prefix, _)| is_finer(prefix)).collect(),
        cells,
        databases,
    }
}

fn databases(files: &Files<'_>, faults: &mut Vec<Fault>) -> (AtlasBuilder, InForce) {
    let (mut builder, mut found) = (AtlasBuilder::default(), InForce::default());
    let mut read: HashMap<&PathBuf, &NamedFile> = HashMap::new();
    for named in files.databases {
        if let Some(first) = read.insert(&named.path, named) {
            let fault = Fault::warning(
                format!("the database {} is named twice", named.path.display()),
                named.place.clone(),
                "adds nothing",
            );
            faults.push(fault.also(first.place.clone(), "first here").remedy("take one of them out"));
            continue;
        }
        let in_force = files.in_force.and_then(|in_force| in_force.find(&named.path.display().to_string()));
        match database::read(named, in_force, files.max_shrink, &mut builder, faults) {
            Ok(kept) => found.push(kept),
            Err(fault) => faults.push(*fault),
        }
    }
    (builder, found)
}

/// Reads a file of overrides into `builder`; returns its prefixes with their places.
fn overrule(
    named: &NamedFile,
    what: &str,
    builder: &mut AtlasBuilder,
    sources: &mut Sources,
    faults: &mut Vec<Fault>,
) -> Vec<(Prefix, Place)> {
    let file = match text(named, what, sources) {
        Ok(file) => file,
        Err(fault) => {
            faults.push(*fault);
            return Vec::new();
        }
    };
    let source = file_name(named);
    let lines = overrides::read(file, sources, faults).into_iter();
    lines
        .map(|line| {
            let fact = builder.fact(line.location, &source);
            builder.overrule(line.prefix, fact);
            (line.prefix, line.place)
        })
        .collect()
}
