//! Equal values, which become one.

use std::{collections::HashMap, hash::Hash};

/// Equal values, each kept once and numbered in the order in which it came.
#[derive(Debug)]
pub(super) struct Distinct<T> {
    pub(super) kept: Vec<T>,
    pub(super) numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    pub(super) fn new() -> Self {
        Self { kept: Vec::new(), numbers: HashMap::new() }
    }

    pub(super) fn number(&mut self, value: T) -> u32 {
        *self.numbers.entry(value.clone()).or_insert_with(|| {
            self.kept.push(value);
            (self.kept.len() - 1) as u32
        })
    }
}
