//! How wide and how fine the pieces of a map may be.

/// Lengths that bound the pieces of a map, for (v4, v6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cuts {
    /// No piece is wider.
    pub widest: [u8; 2],
    /// No piece is finer: the map itself is cut, the catchment that covers most of a prefix has it. Only the blocks
    /// that carry IPv4 addresses, `::`, `::1` and 100::/64, and clients that fences treat differently stay whole, with
    /// what a cut leaves around them. For clients that ask by themselves, prefixes that operators name are not cut.
    pub finest: [u8; 2],
}

impl Default for Cuts {
    fn default() -> Self {
        Self { widest: [0, 0], finest: [24, 56] }
    }
}
