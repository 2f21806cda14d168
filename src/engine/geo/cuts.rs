//! How wide and how fine the pieces of a map may be.

use crate::engine::types::PerFamily;

/// Lengths that bound the pieces of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cuts {
    /// No piece is wider.
    pub widest: PerFamily<u8>,
    /// No piece is finer: the map itself is cut, the catchment that covers most of a prefix has it. Only the blocks
    /// that carry IPv4 addresses, `::`, `::1` and 100::/64, and clients that fences treat differently stay whole, with
    /// what a cut leaves around them. For clients that ask by themselves, prefixes that operators name are not cut.
    pub finest: PerFamily<u8>,
}

impl Default for Cuts {
    fn default() -> Self {
        Self { widest: PerFamily::new(0, 0), finest: PerFamily::new(24, 56) }
    }
}
