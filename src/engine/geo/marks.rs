//! The prefixes that are told apart whatever databases say of them, and what a client is known by: its location, and the
//! prefixes of these that hold it. Must not know what names them, nor why.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
};

use super::Location;
use crate::engine::types::Prefix;

/// A prefix that configuration or a measurement names.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) prefix: Prefix,
    /// The narrowest other mark that holds it.
    pub(super) within: Option<u32>,
}

/// The marks of an atlas, wider ones first.
#[derive(Debug, Default)]
pub(super) struct MarkTable(pub(super) Vec<Mark>);

impl MarkTable {
    pub(super) fn new(mut prefixes: Vec<Prefix>) -> Self {
        prefixes.sort_unstable_by_key(|prefix| (prefix.len(), *prefix));
        prefixes.dedup();
        let numbers: Numbers<Prefix, u32> = prefixes.iter().copied().zip(0..).collect();
        let lens: std::collections::BTreeSet<u8> = prefixes.iter().map(|prefix| prefix.len()).collect();
        let within =
            |prefix: &Prefix| lens.range(..prefix.len()).rev().find_map(|len| numbers.get(&prefix.cut(*len)).copied());
        Self(prefixes.iter().map(|prefix| Mark { prefix: *prefix, within: within(prefix) }).collect())
    }

    /// The number of a mark.
    pub(super) fn number(&self, prefix: Prefix) -> Option<u32> {
        self.0
            .binary_search_by_key(&(prefix.len(), prefix), |mark| (mark.prefix.len(), mark.prefix))
            .ok()
            .map(|n| n as u32)
    }

    /// A mark by its number.
    pub(super) fn get(&self, number: u32) -> Option<&Mark> {
        self.0.get(number as usize)
    }
}

/// What a client is known by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it is; none when no source knows it.
    pub location: Option<&'a Location>,
    pub(super) marks: &'a MarkTable,
    pub(super) mark: Option<u32>,
}

impl<'a> Facts<'a> {
    /// The named prefixes that hold it, the narrowest first.
    pub fn nets(&self) -> impl Iterator<Item = Prefix> + use<'a> {
        self.chain().map(|(_, mark)| mark.prefix)
    }

    pub(super) fn chain(&self) -> impl Iterator<Item = (u32, &'a Mark)> + use<'a> {
        let marks = self.marks;
        let marked = |number: u32| marks.get(number).map(|mark| (number, mark));
        std::iter::successors(self.mark.and_then(marked), move |(_, mark)| mark.within.and_then(marked))
    }

    /// Whether neither its continent nor its country is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.location.is_none_or(|location| location.continent.is_none() && location.country.is_none())
    }
}

/// A hash table without chance: the same input makes the same atlas, to the last number.
pub(super) type Numbers<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;
