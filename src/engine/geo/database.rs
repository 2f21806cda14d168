//! What a geo database is, for people and for the next reload: its name, its type, how much it knows. Must not know files.

/// A geo database that a configuration learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// Its path, as a person would write it.
    pub path: Box<str>,
    /// The type that it states.
    pub kind: Box<str>,
    /// How many of its networks say anything.
    pub networks: u64,
    /// Whether the file is another one than in the configuration before.
    pub is_new: bool,
    /// Why the file that is on disk now is not taken, where this is the one from before.
    pub refused: Option<Box<str>>,
}
