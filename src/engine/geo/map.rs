//! From addresses to catchments: the atlas compiled for one set of regions and rules. Must not know pools, health or
//! DNS messages.

use std::cmp::Reverse;

use super::{
    Atlas, Ground, Piece, Rule, Spot,
    classes::{Classes, Leaf, is_of},
    ranking::{Rows, Shape},
    trie::{Branch, Child, Trie, extent, side},
};
use crate::engine::types::{Family, PerFamily, Prefix};

/// From addresses to catchments.
#[derive(Debug, PartialEq, Eq)]
pub struct Map {
    sides: PerFamily<Side>,
    /// Where prefixes that operators name are finer than the cut: their own pieces, for clients that ask by themselves.
    finer: PerFamily<Trie>,
    widest: PerFamily<u8>,
    shape: Shape,
    rows: Rows,
    /// For each entry of the resolvers' atlas the catchment of the clients behind it.
    behind: Vec<u32>,
    rule: Rule,
}

impl Map {
    /// Merges the atlas's leaves into catchments: equal bands in every health state for which one of the nearest `depth`
    /// regions is eligible. Beyond them a catchment goes by the class that covers most of it. Catchment 0 is that of
    /// clients of which nothing is known. Special-purpose and embedding blocks are of it too, but stay pieces of their own.
    #[must_use]
    pub fn compile(ground: &Ground<'_>, rule: &Rule) -> Self {
        let Ground { atlas, cuts, .. } = *ground;
        let shape = Shape::of(rule);
        let Classes { cells, behind, mut rows } = Classes::of(ground, rule, &shape);
        rows.shrink();
        let fold = |family: Family, finest| Fold { atlas: atlas.trie(family), cells: &cells, rows: &rows, finest };
        let sides = PerFamily::of(|family| Side::new(fold(family, cuts.finest[family]).run()));
        let finer = PerFamily::of(|family| {
            let finest = cuts.finest[family];
            fold(family, u8::MAX).finer(atlas, family, finest, &sides[family])
        });
        let widest = PerFamily::of(|family| cuts.widest[family].min(cuts.finest[family]));
        Self { sides, finer, widest, shape, rows, behind, rule: rule.clone() }
    }

    /// The catchment of a normalised client. One that holds several pieces (a short SOURCE) gets the catchment that
    /// covers most of it, with that catchment's lowest piece there, so that all scopes ever returned are disjoint
    /// (RFC 7871, 7.2.1). Special-purpose blocks count only where there is nothing else.
    #[must_use]
    #[inline]
    pub fn find(&self, client: Prefix) -> Piece {
        let family = client.family();
        let side = &self.sides[family];
        let (mut bits, mut found) = (client.bits(), side.walk(client.bits(), client.len()));
        if let (Branch::Inner(node), _) = found {
            bits = side.stand_ins[node as usize];
            found = side.walk(bits, family.bits());
        }
        // A stand-in is an address, which always ends in a leaf.
        let (Branch::Leaf(cell) | Branch::Inner(cell), depth) = found;
        let len = depth.max(self.widest[family]);
        Piece {
            catchment: Leaf(cell).catchment(),
            prefix: Prefix::from_bits(family, bits, len),
            special: Leaf(cell).fenced(),
        }
    }

    /// The piece of a normalised client that asks by itself, with its whole address: nothing is kept of its answer for
    /// others, so prefixes that operators name count for it however fine they are.
    #[must_use]
    #[inline]
    pub fn find_sender(&self, client: Prefix) -> Piece {
        let family = client.family();
        let finer = &self.finer[family];
        if finer.len() > 0
            && let (Branch::Leaf(cell), depth) = finer.walk(finer.root(), 0, client.bits(), client.len())
            && Leaf(cell) != Leaf::NONE
        {
            let prefix = Prefix::from_bits(family, client.bits(), depth);
            return Piece { catchment: Leaf(cell).catchment(), prefix, special: Leaf(cell).fenced() };
        }
        self.find(client)
    }

    /// What is known of the clients that decide for `client`, whose place on the map is `piece`: of itself, or, where it is
    /// not of the piece's catchment because the map is cut, of most of the prefix that is cut, which comes with it. Slow:
    /// for people.
    #[must_use]
    pub fn decider<'g>(&self, ground: &Ground<'g>, client: Prefix, piece: Piece) -> (Spot<'g>, Prefix) {
        let parts = (&self.rule, &self.shape, &self.rows);
        let is_of = |spot: &Spot<'_>| {
            spot.special == piece.special && (piece.special || is_of(ground, parts, &spot.facts, piece.catchment))
        };
        let own = ground.atlas.find(client);
        if is_of(&own) {
            return (own, client);
        }
        let finest = ground.cuts.finest[client.family()];
        let cut = client.cut(piece.prefix.len().max(finest).min(client.len()));
        let around = if piece.prefix.contains(cut) { cut } else { piece.prefix };
        (ground.atlas.parts(around).find(is_of).unwrap_or(own), around)
    }

    /// The members of `eligible` (bits by position in the rule's regions) that the rule's `key`-th key leaves, for
    /// clients of `catchment`. `eligible` lies within one of the rule's groups.
    #[must_use]
    #[inline]
    pub fn best(&self, catchment: u32, key: usize, eligible: u64) -> u64 {
        match self.rows.steps(catchment, self.shape.stride) {
            Some(row) => self.shape.best(row, self.rows.costs(catchment, self.shape.width), key, eligible),
            None => eligible,
        }
    }

    /// Whether none of `eligible` is among the regions whose order is kept for clients of `catchment`, so that
    /// [`Self::best`] goes by what is expected for most of the catchment, in steps of [`COARSE`](super::COARSE). For
    /// people.
    #[must_use]
    pub fn is_beyond_depth(&self, catchment: u32, key: usize, eligible: u64) -> bool {
        let row = self.rows.steps(catchment, self.shape.stride);
        row.is_some_and(|row| self.shape.is_beyond(row, key, eligible))
    }

    /// The fences of the rule that keep clients of `catchment` out, as bits.
    #[must_use]
    #[inline]
    pub fn denied(&self, catchment: u32) -> u64 {
        self.rows.denied(catchment)
    }

    /// The regions, by position in the rule, that lie within the rule's limits for clients of `catchment`. What is not
    /// known lies within them.
    #[must_use]
    #[inline]
    pub fn within(&self, catchment: u32) -> u64 {
        self.rows.within(catchment)
    }

    /// The piece of clients behind a resolver, by the entry of the resolvers' atlas.
    #[must_use]
    pub fn behind_resolver(&self, entry: u32, prefix: Prefix) -> Piece {
        let catchment = self.behind.get(entry as usize).copied().unwrap_or_default();
        Piece { catchment, prefix, special: false }
    }

    /// What it was made for.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How many catchments there are.
    #[must_use]
    pub fn catchments(&self) -> usize {
        self.rows.len()
    }

    /// One address of each catchment that has any outside of special-purpose blocks. Slow: for people.
    #[must_use]
    pub fn samples(&self) -> Vec<Prefix> {
        let (mut seen, mut samples) = (vec![false; self.rows.len()], Vec::new());
        for (family, side) in Family::BOTH.into_iter().zip(self.sides.iter()) {
            side.trie.leaves(side.trie.root(), 0, 0, &mut |cell, bits, _| {
                let (cell, new) = (Leaf(cell), seen.get_mut(Leaf(cell).catchment() as usize));
                if let Some(seen) = new.filter(|seen| !**seen && !cell.fenced()) {
                    *seen = true;
                    samples.push(Prefix::from_bits(family, bits, family.bits()));
                }
            });
        }
        samples
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let behind = self.behind.capacity() * size_of::<u32>();
        let finer: usize = self.finer.iter().map(Trie::size).sum();
        self.rows.size() + behind + finer + self.sides.iter().map(Side::size).sum::<usize>()
    }

    /// How many pieces each family's space is divided into, before [`Cuts::widest`].
    #[must_use]
    pub fn pieces(&self) -> PerFamily<usize> {
        PerFamily::of(|family| self.sides[family].trie.len() + 1)
    }
}

/// One family of an atlas on its way to a map.
struct Fold<'a> {
    atlas: &'a Trie,
    cells: &'a [Leaf],
    rows: &'a Rows,
    finest: u8,
}

impl Fold<'_> {
    fn run(&self) -> Trie {
        let mut map = Trie::new(0);
        let root = self.fold(self.atlas.root(), 0, &mut map);
        map.set_root(root);
        map
    }

    /// A trie of those prefixes that operators name and that are finer than the cut, uncut; [`Leaf::NONE`] elsewhere, and
    /// where the map says the same.
    fn finer(&self, atlas: &Atlas, family: Family, finest: u8, side: &Side) -> Trie {
        let mut named: Vec<Prefix> = atlas.named().filter(|p| p.family() == family && p.len() > finest).collect();
        named.sort_unstable_by_key(|prefix| (prefix.bits(), prefix.len()));
        let (mut finer, mut last) = (Trie::new(Leaf::NONE.0), None::<Prefix>);
        for prefix in named {
            if last.is_some_and(|last| last.contains(prefix)) {
                continue;
            }
            last = Some(prefix);
            let branch = self.fold(self.atlas.at(prefix), prefix.len(), &mut finer);
            let (found, _) = side.walk(prefix.bits(), prefix.len());
            if branch.open() != found || matches!(found, Branch::Inner(_)) {
                finer.plant(prefix, branch);
            }
        }
        finer.shrink();
        finer
    }

    /// Copies a branch, joining leaves of one catchment into the widest prefixes. At the depth `finest` a branch
    /// becomes one leaf, unless it holds a pinned block or clients whom fences treat differently: then it is cut around
    /// those.
    fn fold(&self, slot: Child, depth: u8, map: &mut Trie) -> Child {
        let node = match slot.open() {
            Branch::Leaf(entry) => return Child::leaf(self.cells[entry as usize].0),
            Branch::Inner(node) => node,
        };
        if depth >= self.finest
            && let Some(cell) = self.most(slot)
        {
            return Child::leaf(cell.0);
        }
        let [zero, one] = self.atlas.branches(node);
        let pair = [self.fold(zero, depth + 1, map), self.fold(one, depth + 1, map)];
        match pair[0].open() {
            Branch::Leaf(cell) if pair[0] == pair[1] && !Leaf(cell).fenced() => pair[0],
            _ => map.join(pair),
        }
    }

    /// The cell that covers most of a branch, special-purpose blocks among them; none when a pinned block is inside, or
    /// clients that other fences keep out.
    fn most(&self, slot: Child) -> Option<Leaf> {
        let mut shares = Shares::default();
        let (mut whole, mut denied) = (true, None);
        // Only lengths relative to each other count, so the branch may be taken for the whole space.
        self.atlas.leaves(slot, 0, 0, &mut |entry, bits, depth| {
            let cell = self.cells[entry as usize];
            let here = self.rows.denied(cell.catchment());
            // Special-purpose blocks too: what covers them would let in whom it must not.
            whole &= !cell.pinned() && *denied.get_or_insert(here) == here;
            shares.add(Share { cell, extent: extent(depth), first: bits });
        });
        shares.largest().filter(|_| whole).map(|share| share.cell)
    }
}

/// How much of a stretch one cell covers.
#[derive(Clone, Copy, Debug)]
struct Share {
    cell: Leaf,
    extent: u128,
    first: u128,
}

/// The shares of a stretch, by cell.
#[derive(Debug, Default)]
struct Shares(Vec<Share>);

impl Shares {
    fn add(&mut self, share: Share) {
        match self.0.binary_search_by_key(&share.cell, |known| known.cell) {
            Ok(at) => self.0[at].extent = self.0[at].extent.saturating_add(share.extent),
            Err(at) => self.0.insert(at, share),
        }
    }

    /// Both stretches together; the addresses of `higher` lie above.
    fn joined(mut self, higher: Self) -> Self {
        if higher.0.len() <= 4 {
            higher.0.into_iter().for_each(|share| self.add(share));
            return self;
        }
        let mut both = Vec::with_capacity(self.0.len() + higher.0.len());
        let (mut low, mut high) = (self.0.into_iter().peekable(), higher.0.into_iter().peekable());
        while let (Some(a), Some(b)) = (low.peek(), high.peek()) {
            let order = a.cell.cmp(&b.cell);
            let (a, b) = (order.is_le().then(|| low.next()), order.is_ge().then(|| high.next()));
            both.extend(match (a.flatten(), b.flatten()) {
                (Some(a), Some(b)) => Some(Share { extent: a.extent.saturating_add(b.extent), ..a }),
                (a, b) => a.or(b),
            });
        }
        both.extend(low.chain(high));
        Self(both)
    }

    /// The largest, special-purpose blocks only where there is nothing else; of equal ones the lowest.
    fn most(&self) -> Option<Share> {
        let rank = |share: &&Share| (!share.cell.fenced(), share.extent, Reverse(share.first));
        self.0.iter().max_by_key(rank).copied()
    }

    /// The largest; of equal ones a special-purpose block last, and otherwise the lowest.
    fn largest(&self) -> Option<Share> {
        let rank = |share: &&Share| (share.extent, !share.cell.fenced(), Reverse(share.first));
        self.0.iter().max_by_key(rank).copied()
    }
}

/// One family of a map.
#[derive(Debug, PartialEq, Eq)]
struct Side {
    trie: Trie,
    /// For each inner node an address in the piece that answers for all of it.
    stand_ins: Vec<u128>,
    /// By the first 16 bits: where the walk stands after them, or the leaf before. Empty where the trie is so small
    /// that it stays in the cache itself.
    top: Vec<Child>,
    /// How many bits lead to `top`'s branch.
    top_depth: Vec<u8>,
}

/// How many bits [`Side::top`] skips.
const TOP: u8 = 16;
/// Inner nodes (8 octets each) from which on [`Side::top`] pays.
const SMALL: usize = 2048;

impl Side {
    fn new(trie: Trie) -> Self {
        let mut stand_ins = vec![0; trie.len()];
        stand_in(&trie, trie.root(), 0, 0, &mut stand_ins);
        let (mut top, mut top_depth) = (Vec::new(), Vec::new());
        if trie.len() > SMALL {
            top.reserve_exact(1 << TOP);
            top_depth.reserve_exact(1 << TOP);
            for first in 0..1_u128 << TOP {
                let (mut slot, mut depth) = (trie.root(), 0);
                while depth < TOP
                    && let Branch::Inner(node) = slot.open()
                {
                    slot = trie.branches(node)[side(first << (128 - TOP), depth)];
                    depth += 1;
                }
                top.push(slot);
                top_depth.push(depth);
            }
        }
        Self { trie, stand_ins, top, top_depth }
    }

    fn size(&self) -> usize {
        let trie = self.trie.size() + self.stand_ins.capacity() * size_of::<u128>();
        trie + self.top.capacity() * size_of::<Child>() + self.top_depth.capacity()
    }

    /// Where the walk along the first `len` of `bits` ends, and how many bits lead there.
    #[inline]
    fn walk(&self, bits: u128, len: u8) -> (Branch, u8) {
        let at = (bits >> (128 - TOP)) as usize;
        match (self.top.get(at), self.top_depth.get(at)) {
            (Some(&slot), Some(&depth)) if depth <= len => self.trie.walk(slot, depth, bits, len),
            _ => self.trie.walk(self.trie.root(), 0, bits, len),
        }
    }
}

/// Notes for `slot` and every inner node below it who stands in for it.
fn stand_in(trie: &Trie, slot: Child, bits: u128, depth: u8, notes: &mut [u128]) -> Shares {
    match slot.open() {
        Branch::Leaf(cell) => Shares(vec![Share { cell: Leaf(cell), extent: extent(depth), first: bits }]),
        Branch::Inner(node) => {
            let [zero, one] = trie.branches(node);
            let low = stand_in(trie, zero, bits, depth + 1, notes);
            let high = stand_in(trie, one, bits | 1 << (127 - depth), depth + 1, notes);
            let shares = low.joined(high);
            if let Some(most) = shares.most() {
                notes[node as usize] = most.first;
            }
            shares
        }
    }
}
