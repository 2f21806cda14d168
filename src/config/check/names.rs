//! The names of one table, so that references to them can be resolved, and which of them something refers to. Must not
//! know what stands in the table.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use crate::config::{notes::Notes, spec::Named};

/// The names of a table, with their positions in it.
#[derive(Debug)]
pub(crate) struct Names<'s> {
    /// What one of them is called: `region`.
    kind: &'static str,
    /// The table: `regions`.
    table: &'static str,
    positions: BTreeMap<&'s str, usize>,
    used: BTreeSet<usize>,
}

impl<'s> Names<'s> {
    pub(crate) fn of<T>(kind: &'static str, table: &'static str, named: &'s Named<T>) -> Self {
        let positions = named.keys().enumerate().map(|(at, key)| (key.get_ref().as_str(), at)).collect();
        Self { kind, table, positions, used: BTreeSet::new() }
    }

    /// The position of the name that `what` refers to, which is then used.
    pub(crate) fn find(&mut self, written: &Spanned<&str>, what: &str, notes: &mut Notes<'_>) -> Option<usize> {
        let found = self.seek(written, what, notes);
        self.used.extend(found);
        found
    }

    /// The same for a reference that is no use of it.
    pub(crate) fn seek(&self, written: &Spanned<&str>, what: &str, notes: &mut Notes<'_>) -> Option<usize> {
        let given = *written.get_ref();
        let found = self.positions.get(given).copied();
        if found.is_none() && notes.lacks(&[self.table], given) {
            let message = format!("{what} names {} {given:?}, which does not exist", self.kind);
            let fault = notes.error(written.span(), message, format!("no such {}", self.kind));
            let fault = fault.remedy(notes.suggest(given, self.all()));
            notes.push(fault);
        }
        found
    }

    /// All names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'s str> + Clone + '_ {
        self.positions.keys().copied()
    }

    /// Whether something refers to the name at this position.
    pub(crate) fn is_used(&self, at: usize) -> bool {
        self.used.contains(&at)
    }
}
