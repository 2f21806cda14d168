//! Geo databases and override files to an [`Atlas`], and lines of text to a database. Must not know what is steered by
//! them.

use std::{collections::HashMap, path::PathBuf};

use super::{
    fault::{Fault, FileId, Place, Sources},
    unreadable::Unreadable,
};
use crate::engine::{
    geo::{Atlas, AtlasBuilder, Whose},
    types::Prefix,
};

mod coverage;
mod csv;
mod database;
pub mod latency;
pub mod overrides;
mod record;
mod reread;
#[cfg(test)]
mod tests;

pub use coverage::Coverage;
pub use database::{DATABASE_TYPE, write};
pub use reread::{InForce, LatencyFiles, Reread, Stamp};

/// A file that the configuration names.
#[derive(Clone, Debug)]
pub struct Named {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

/// Everything that says something of addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// Databases, the first that knows a field wins.
    pub databases: &'a [Named],
    /// The databases of the configuration in force; none: there is no configuration in force.
    pub in_force: Option<&'a InForce>,
    /// How much less than the one in force a database may cover, in parts of a thousand.
    pub max_shrink: u64,
    /// Prefix to location, over the databases.
    pub overrides: Option<&'a Named>,
    /// Resolver prefix to the location of its clients.
    pub resolvers: Option<&'a Named>,
    /// Measured round-trip times; of one cell the last file has it.
    pub latency: &'a [Named],
    /// The most prefixes that are measured apart.
    pub max_prefixes: usize,
    /// From which age on, in milliseconds, measurements are not believed; none: nobody asks.
    pub max_age: Option<u64>,
    /// Every prefix that geo rules, fences and groups name.
    pub nets: &'a [Prefix],
    /// Where maps are cut (v4, v6).
    pub finest: [u8; 2],
    /// The regions' names.
    pub regions: &'a [&'a str],
    /// Whether there may be more regions, which could not be read.
    pub lacks_regions: bool,
}

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
    pub cells: Vec<latency::Line>,
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
    let is_finer = |prefix: &Prefix| prefix.len() > files.finest[prefix.family().at()];
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
    let mut read: HashMap<&PathBuf, &Named> = HashMap::new();
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
    named: &Named,
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

/// Adds the text of a file to `sources`.
fn text(named: &Named, what: &str, sources: &mut Sources) -> Result<FileId, Box<Fault>> {
    let text = String::from_utf8(contents(named, what)?).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        let message = format!("the {what} {} is not UTF-8", named.path.display());
        let fault = Fault::error(message, named.place.clone(), format!("line {line} has other octets"));
        Box::new(fault.remedy("save it as UTF-8"))
    })?;
    Ok(sources.add(named.path.display().to_string(), text))
}

/// The whole of a regular file. Devices and pipes are refused before they are opened, since they may never end.
fn contents(named: &Named, what: &str) -> Result<Vec<u8>, Box<Fault>> {
    /// More than any geo database has; a file beyond it was named by mistake.
    const LARGEST: u64 = 1 << 31;
    let path = named.path.display();
    let fault = |label: String, remedy: &str| {
        let fault = Fault::error(format!("cannot read the {what} {path}"), named.place.clone(), label);
        Box::new(fault.remedy(remedy))
    };
    let unreadable = |error: std::io::Error| {
        let Unreadable { cause, remedy } = Unreadable::of(&named.path, &error);
        fault(cause, &remedy)
    };
    let metadata = std::fs::metadata(&named.path).map_err(unreadable)?;
    if let Some(Unreadable { cause, remedy }) = Unreadable::kind(&named.path, &metadata) {
        return Err(fault(cause, &remedy));
    }
    if metadata.len() > LARGEST {
        return Err(fault("it is larger than 2 GiB".into(), "name a geo file; no known one is so large"));
    }
    std::fs::read(&named.path).map_err(unreadable)
}

/// How a file is called in answers to people.
fn file_name(named: &Named) -> String {
    named.path.file_name().unwrap_or(named.path.as_os_str()).to_string_lossy().into_owned()
}
