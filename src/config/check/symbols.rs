//! What a name refers to: the names of one table and which of them something refers to; and named lists whose elements
//! may be other lists by name (`[groups]` and `[acls]`), flattened. Must not know what stands in a table, nor what the
//! other elements of a list are.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::value::{items, name};
use crate::config::{
    diagnostics::{Notes, dotted},
    spec::{Field, List, Named},
};

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

/// How one element is read that is no list: noted when it cannot be. `at` is the path of the list that it stands in.
type Read<T> = fn(element: &Spanned<String>, at: &str, notes: &mut Notes<'_>) -> Vec<T>;

/// The lists of one table.
#[derive(Debug)]
pub(crate) struct Lists<'s, T> {
    /// What one of them is called, also before its name: `group`.
    kind: &'static str,
    /// The table: `groups`.
    table: &'static str,
    spec: &'s Named<Field<List>>,
    read: Read<T>,
    flat: BTreeMap<&'s str, Vec<T>>,
    used: BTreeSet<String>,
}

impl<'s, T: Clone + Ord> Lists<'s, T> {
    /// Flattens every list of the table.
    pub(crate) fn resolve(
        kind: &'static str,
        table: &'static str,
        spec: &'s Named<Field<List>>,
        read: Read<T>,
        notes: &mut Notes<'_>,
    ) -> Self {
        let mut lists = Self { kind, table, spec, read, flat: BTreeMap::new(), used: BTreeSet::new() };
        for (key, list) in spec {
            name(kind, key, notes);
            lists.flatten(key, &mut Vec::new(), notes);
            if let Some(list) = list
                && items(Some(list)).is_empty()
                && notes.is_whole(&[table, key.get_ref()])
            {
                let fault =
                    notes.error(list.span(), format!("{kind} \"{}\" is empty", key.get_ref()), "nobody is in it");
                notes.push(fault.remedy("put somebody in, or take it out"));
            }
        }
        lists
    }

    /// What one element of a list elsewhere means: itself, or all of the list that it names.
    pub(crate) fn element(&mut self, written: &Spanned<String>, at: &str, notes: &mut Notes<'_>) -> Vec<T> {
        match self.named(written.get_ref()) {
            Some(name) => self.members(&Spanned::new(written.span(), name.to_owned()), at, notes),
            None => (self.read)(written, at, notes),
        }
    }

    /// All of the list of this name, which is then used.
    pub(crate) fn members(&mut self, name: &Spanned<String>, at: &str, notes: &mut Notes<'_>) -> Vec<T> {
        self.used.insert(name.get_ref().clone());
        let found = self.flat.get(name.get_ref().as_str()).cloned();
        if found.is_none() {
            self.absent(name, at, notes);
        }
        found.unwrap_or_default()
    }

    /// Lists that nothing names.
    pub(crate) fn unused(&self) -> Vec<&'s Spanned<String>> {
        self.spec.keys().filter(|key| !self.used.contains(key.get_ref())).collect()
    }

    /// The name in `group:NAME`.
    fn named<'t>(&self, element: &'t str) -> Option<&'t str> {
        element.strip_prefix(self.kind)?.strip_prefix(':')
    }

    fn absent(&self, name: &Spanned<String>, at: &str, notes: &mut Notes<'_>) {
        if self.spec.contains_key(name.get_ref().as_str()) || !notes.lacks(&[self.table], name.get_ref()) {
            return;
        }
        let (kind, given) = (self.kind, name.get_ref());
        let message = format!("`{at}` names {kind} {given:?}, which does not exist");
        let fault = notes.error(name.span(), message, format!("no such {kind}"));
        let fault = fault.remedy(notes.suggest(given, self.spec.keys().map(|key| key.get_ref().as_str())));
        notes.push(fault);
    }

    /// Flattens one list and those in it. `way` is how it was come to: lists, each with the element that names the next.
    fn flatten(
        &mut self,
        key: &'s Spanned<String>,
        way: &mut Vec<(&'s str, Spanned<String>)>,
        notes: &mut Notes<'_>,
    ) -> Vec<T> {
        let own = key.get_ref().as_str();
        if let Some(known) = self.flat.get(own) {
            return known.clone();
        }
        let at = dotted(self.table, own);
        let mut found: Vec<T> = Vec::new();
        for item in items(self.spec.get(own).and_then(Option::as_ref)) {
            let Some(given) = self.named(item.get_ref()) else {
                found.extend((self.read)(&item, &at, notes));
                continue;
            };
            self.used.insert(given.to_owned());
            let name = Spanned::new(item.span(), given.to_owned());
            let Some((inner, _)) = self.spec.get_key_value(given) else {
                self.absent(&name, &at, notes);
                continue;
            };
            way.push((own, name));
            match way.iter().position(|(name, _)| *name == inner.get_ref()) {
                Some(start) => self.round(&way[start..], notes),
                None => found.extend(self.flatten(inner, way, notes)),
            }
            way.pop();
        }
        found.sort();
        found.dedup();
        self.flat.insert(own, found.clone());
        found
    }

    fn round(&self, way: &[(&str, Spanned<String>)], notes: &mut Notes<'_>) {
        let names: Vec<String> = way.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let message = match &*names {
            [only] => format!("{} {only} names itself", self.kind),
            _ => format!("{} {} name each other in a circle", self.table, names.join(", ")),
        };
        let Some(((_, last), others)) = way.split_last() else { return };
        let fault = notes.error(last.span(), message, "this leads back").remedy("take one of them out");
        let fault = others.iter().fold(fault, |fault, (_, by)| fault.also(notes.place(by.span()), "by way of this"));
        notes.push(fault);
    }
}
