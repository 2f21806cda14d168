//! The live row of a pool: what changes in milliseconds, as bits.

/// Who in a pool may answer, as bits counted from the pool's first endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolRow {
    /// Up in at least one family, or not monitored.
    pub up: u64,
    /// Up in no family, and down in none: nothing is known.
    pub unknown: u64,
    /// For each family: an address that is not known to be down.
    pub alive: [u64; 2],
    /// Up, with failures counted: may go.
    pub falling: u64,
    /// Down, with successes counted: may come back.
    pub rising: u64,
}

/// The positions whose bits are set, lowest first.
pub fn members(mut set: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let n = (set != 0).then(|| set.trailing_zeros() as u8)?;
        set &= set - 1;
        Some(n)
    })
}
