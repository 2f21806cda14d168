//! A binary trie over the address bits of one family. Its leaves are disjoint and cover the whole space, so the leaf
//! that holds an address is also the stretch for which its value is exactly true. Must not know what a value means.

use crate::engine::types::Prefix;

/// Where a branch leads: to an inner node, or to a leaf whose value stands in the same word under a set top bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Child(u32);

/// A [`Child`], read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Branch {
    /// The end: a value below 2^31.
    Leaf(u32),
    /// The number of an inner node.
    Inner(u32),
}

impl Child {
    const LEAF: u32 = 1 << 31;

    pub(super) fn leaf(value: u32) -> Self {
        Self(value | Self::LEAF)
    }

    fn inner(node: usize) -> Self {
        Self(node as u32 & !Self::LEAF)
    }

    #[inline]
    pub(super) fn open(self) -> Branch {
        if self.0 & Self::LEAF != 0 { Branch::Leaf(self.0 & !Self::LEAF) } else { Branch::Inner(self.0) }
    }
}

/// The bit of `bits` below a prefix of length `depth`.
#[inline]
pub(super) fn side(bits: u128, depth: u8) -> usize {
    (bits >> (127 - depth) & 1) as usize
}

/// The trie: pairs of branches, by the next address bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trie {
    root: Child,
    nodes: Vec<[Child; 2]>,
}

impl Trie {
    /// One leaf over everything.
    pub(super) fn new(value: u32) -> Self {
        Self { root: Child::leaf(value), nodes: Vec::new() }
    }

    /// Where every walk starts.
    pub(super) fn root(&self) -> Child {
        self.root
    }

    /// Sets where the trie starts, after it was built from below with [`Self::join`].
    pub(super) fn set_root(&mut self, root: Child) {
        self.root = root;
        self.nodes.shrink_to_fit();
    }

    /// How many inner nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The memory that it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        self.nodes.capacity() * size_of::<[Child; 2]>()
    }

    /// The two branches of an inner node.
    #[inline]
    pub(super) fn branches(&self, node: u32) -> [Child; 2] {
        self.nodes[node as usize]
    }

    /// A new inner node over two branches.
    pub(super) fn join(&mut self, pair: [Child; 2]) -> Child {
        self.nodes.push(pair);
        Child::inner(self.nodes.len() - 1)
    }

    /// Walks down from `from`, which lies at `depth`, along `bits` to a leaf, or as far as `len` bits reach. Returns
    /// where the walk ended and how many bits lead there.
    #[inline]
    pub(super) fn walk(&self, from: Child, depth: u8, bits: u128, len: u8) -> (Branch, u8) {
        let (mut slot, mut depth) = (from, depth);
        loop {
            let branch = slot.open();
            match branch {
                Branch::Inner(node) if depth < len => {
                    slot = self.nodes[node as usize][side(bits, depth)];
                    depth += 1;
                }
                _ => return (branch, depth),
            }
        }
    }

    /// Where a prefix begins, or the leaf that holds it.
    pub(super) fn at(&self, prefix: Prefix) -> Child {
        let mut slot = self.root;
        for depth in 0..prefix.len() {
            let Branch::Inner(node) = slot.open() else { break };
            slot = self.nodes[node as usize][side(prefix.bits(), depth)];
        }
        slot
    }

    /// Changes the value of every leaf inside `prefix`, splitting a wider leaf only when its value really changes.
    pub(super) fn change(&mut self, prefix: Prefix, mut change: impl FnMut(u32) -> u32) {
        self.root = self.changed(self.root, 0, prefix, &mut change);
    }

    fn changed(&mut self, slot: Child, depth: u8, prefix: Prefix, change: &mut impl FnMut(u32) -> u32) -> Child {
        match slot.open() {
            Branch::Leaf(value) => {
                let new = change(value);
                if new == value { slot } else { self.graft(slot, depth, prefix, Child::leaf(new)) }
            }
            Branch::Inner(node) if depth < prefix.len() => {
                let at = side(prefix.bits(), depth);
                self.nodes[node as usize][at] = self.changed(self.nodes[node as usize][at], depth + 1, prefix, change);
                slot
            }
            Branch::Inner(node) => {
                for at in 0..2 {
                    self.nodes[node as usize][at] =
                        self.changed(self.nodes[node as usize][at], depth + 1, prefix, change);
                }
                slot
            }
        }
    }

    /// Makes `prefix` one leaf, whatever was below. The nodes below stay behind unused: this is for a few dozen blocks.
    pub(super) fn paint(&mut self, prefix: Prefix, value: u32) {
        self.plant(prefix, Child::leaf(value));
    }

    /// Puts a branch of this trie at `prefix`, whatever was there.
    pub(super) fn plant(&mut self, prefix: Prefix, branch: Child) {
        self.root = self.planted(self.root, 0, prefix, branch);
    }

    fn planted(&mut self, slot: Child, depth: u8, prefix: Prefix, branch: Child) -> Child {
        if depth >= prefix.len() {
            return branch;
        }
        match slot.open() {
            Branch::Leaf(_) => self.graft(slot, depth, prefix, branch),
            Branch::Inner(node) => {
                let at = side(prefix.bits(), depth);
                self.nodes[node as usize][at] = self.planted(self.nodes[node as usize][at], depth + 1, prefix, branch);
                slot
            }
        }
    }

    /// A branch that is `around` everywhere but at `prefix`, where it is `new`.
    fn graft(&mut self, around: Child, depth: u8, prefix: Prefix, new: Child) -> Child {
        let mut made = new;
        for level in (depth..prefix.len()).rev() {
            made = self.join(if side(prefix.bits(), level) == 0 { [made, around] } else { [around, made] });
        }
        made
    }

    /// Visits the leaves under `slot`, which lies at (`bits`, `depth`), lowest address first.
    pub(super) fn leaves(&self, slot: Child, bits: u128, depth: u8, visit: &mut impl FnMut(u32, u128, u8)) {
        match slot.open() {
            Branch::Leaf(value) => visit(value, bits, depth),
            Branch::Inner(node) => {
                let [zero, one] = self.nodes[node as usize];
                self.leaves(zero, bits, depth + 1, visit);
                self.leaves(one, bits | 1 << (127 - depth), depth + 1, visit);
            }
        }
    }

    /// Gives back what was reserved while building.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
    }
}

/// How much of the space a prefix of this length covers, in addresses of the widest family; all of it counts one less.
pub(super) fn extent(len: u8) -> u128 {
    if len == 0 { u128::MAX } else { 1 << (128 - u32::from(len)) }
}
