//! The geo databases of the configuration in force, kept in memory as they were read: should a new file be refused, the one
//! from before is read from here, for its path may hold the new one by then. Must not know when a configuration is read.

use std::{fmt, sync::Arc};

use super::Coverage;
use crate::engine::geo::Database;

/// The databases of a configuration, which a later reading of it compares with what it finds.
#[derive(Clone, Debug, Default)]
pub struct InForce(Vec<Kept>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) about: Database,
    pub(super) coverage: Coverage,
    pub(super) bytes: Bytes,
}

/// The bytes of a database, shared by all readings that found the same.
#[derive(Clone)]
pub(super) struct Bytes(Arc<Vec<u8>>);

impl InForce {
    /// The database that was read from a path.
    pub(super) fn find(&self, path: &str) -> Option<&Kept> {
        self.0.iter().find(|kept| *kept.about.path == *path)
    }

    pub(super) fn push(&mut self, kept: Kept) {
        self.0.push(kept);
    }

    /// What they are, in the order in which they are named.
    pub(crate) fn about(&self) -> impl Iterator<Item = &Database> {
        self.0.iter().map(|kept| &kept.about)
    }
}

impl Bytes {
    /// What was read, or what is in memory already where that is the same.
    pub(super) fn new(read: Vec<u8>, in_force: Option<&Kept>) -> Self {
        match in_force {
            Some(kept) if *kept.bytes.0 == read => kept.bytes.clone(),
            _ => Self(Arc::new(read)),
        }
    }

    /// Whether both are the same piece of memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
