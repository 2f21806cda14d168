//! What a client is known by: its location, and the named prefixes that hold it. Must not know how it was found.

use super::{
    Location,
    marks::{Mark, MarkTable},
};
use crate::engine::types::Prefix;

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
