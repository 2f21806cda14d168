//! The prefixes that are told apart whatever databases say of them. Must not know who names them, nor why.

use super::numbers::Numbers;
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
