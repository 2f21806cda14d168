//! Every name by its hash: in which zone it is, and at which node. Must not know what a name looks like, nor what stands
//! at it.

/// No name.
const EMPTY: u64 = u64::MAX;

/// Where a name is: the number of its zone, and the number that it has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamePlace {
    pub(super) zone: u32,
    pub(super) node: u32,
}

/// A place with as many of its hash's upper bits as there is room for.
#[derive(Clone, Copy, Debug)]
pub struct Slot(u64);

/// A hash table of places: a name's search begins at its hash's lower bits. Open addressing, at most half full.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Box<[Slot]>,
    /// The low bits of a slot: the node.
    node_bits: u32,
    /// The low bits of a slot: the node, and the zone above it.
    place_bits: u32,
}

impl Index {
    /// An index with room for so many names, of so many zones that have at most so many nodes each.
    pub(super) fn new(names: usize, zones: usize, nodes: usize) -> Self {
        // No zone has the number whose bits are all set, so that no place looks like an empty slot.
        let bits = |count: usize| usize::BITS - count.leading_zeros();
        let node_bits = bits(nodes);
        let size = (names * 2).next_power_of_two().max(2);
        Self { slots: vec![Slot(EMPTY); size].into(), node_bits, place_bits: node_bits + bits(zones) }
    }

    /// The slot that a search begins with.
    pub(super) fn slot(&self, hash: u64) -> Option<&Slot> {
        self.slots.get(hash as usize & self.slots.len().wrapping_sub(1))
    }

    /// What `found` makes of the first place with the name's hash that it knows.
    #[inline]
    pub(super) fn probe<T>(&self, hash: u64, found: impl Fn(NamePlace) -> Option<T>) -> Option<T> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let Slot(slot) = self.slots[at];
            if slot == EMPTY {
                return None;
            }
            if (slot ^ hash) >> self.place_bits == 0 {
                let place = slot & !(u64::MAX << self.place_bits);
                let (zone, node) = ((place >> self.node_bits) as u32, (place & !(u64::MAX << self.node_bits)) as u32);
                let known = found(NamePlace { zone, node });
                if known.is_some() {
                    return known;
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a name that is not there, for which there is room.
    pub(super) fn insert(&mut self, hash: u64, place: NamePlace) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].0 != EMPTY {
            at = (at + 1) & mask;
        }
        let place = u64::from(place.zone) << self.node_bits | u64::from(place.node);
        self.slots[at] = Slot(hash & u64::MAX << self.place_bits | place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_also_where_hashes_share_their_bits() {
        for (zones, nodes) in [(1, 1), (1, 9), (3, 1), (3, 4), (7, 8), (8, 7)] {
            let places = || (0..zones).flat_map(move |zone| (0..nodes).map(move |node| NamePlace { zone, node }));
            for hash in [|_| 0, |_| u64::MAX, |n| n, |n: u64| n << 60, |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)] {
                let mut index = Index::new((zones * nodes) as usize, zones as usize, nodes as usize);
                for (place, n) in places().zip(0..) {
                    index.insert(hash(n), place);
                }
                for (place, n) in places().zip(0..) {
                    assert_eq!(index.probe(hash(n), |known| (known == place).then_some(known)), Some(place));
                    assert_eq!(index.probe(hash(n), |_| None::<()>), None);
                }
            }
        }
        assert_eq!(Index::default().probe(1, Some), None);
        assert!(Index::default().slot(1).is_none());
    }
}
