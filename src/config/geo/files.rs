//! Which geo files a configuration names, and how one of them is read as a whole. Must not know what stands in them.

use std::path::PathBuf;

use super::{
    super::{
        fault::{Fault, FileId, Place, Sources},
        unreadable::Unreadable,
    },
    coverage::InForce,
};
use crate::engine::{
    types::{Millis, PerFamily, Prefix},
    units::Permille,
};

/// A file that the configuration names.
#[derive(Clone, Debug)]
pub struct NamedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

/// Everything that says something of addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// Databases, the first that knows a field wins.
    pub databases: &'a [NamedFile],
    /// The databases of the configuration in force; none: there is no configuration in force.
    pub in_force: Option<&'a InForce>,
    /// How much less than the one in force a database may cover.
    pub max_shrink: Permille,
    /// Prefix to location, over the databases.
    pub overrides: Option<&'a NamedFile>,
    /// Resolver prefix to the location of its clients.
    pub resolvers: Option<&'a NamedFile>,
    /// Measured round-trip times; of one cell the last file has it.
    pub latency: &'a [NamedFile],
    /// The most prefixes that are measured apart.
    pub max_prefixes: usize,
    /// From which age on measurements are not believed; none: no policy uses them.
    pub max_age: Option<Millis>,
    /// Every prefix that geo rules, fences and groups name.
    pub nets: &'a [Prefix],
    /// Where maps are cut.
    pub finest: PerFamily<u8>,
    /// The regions' names.
    pub regions: &'a [&'a str],
    /// Whether there may be more regions, which could not be read.
    pub lacks_regions: bool,
}

/// Adds the text of a file to `sources`.
pub(super) fn text(named: &NamedFile, what: &str, sources: &mut Sources) -> Result<FileId, Box<Fault>> {
    let text = String::from_utf8(contents(named, what)?).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        let message = format!("the {what} {} is not UTF-8", named.path.display());
        let fault = Fault::error(message, named.place.clone(), format!("line {line} has other octets"));
        Box::new(fault.remedy("save it as UTF-8"))
    })?;
    Ok(sources.add(named.path.display().to_string(), text))
}

/// The whole of a regular file. Devices and pipes are refused before they are opened, since they may never end.
pub(super) fn contents(named: &NamedFile, what: &str) -> Result<Vec<u8>, Box<Fault>> {
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
pub(super) fn file_name(named: &NamedFile) -> String {
    named.path.file_name().unwrap_or(named.path.as_os_str()).to_string_lossy().into_owned()
}
