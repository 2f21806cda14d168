//! Which regions are the best for a client, for every set of regions that may still be eligible: the compiled answer
//! to a key of the rank. Must not know addresses.

use super::{GeoKey, Rule, atlas::Table};

/// One step of a decision list: when `member` is eligible and no earlier step's member is, the band is what of the
/// eligible regions lies in `reach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    /// A region, as one bit.
    pub(super) member: u64,
    /// The regions no more than the tolerance worse than it, without members of earlier steps, which are not eligible
    /// when this step decides.
    pub(super) reach: u64,
}

/// Where a rule's decision lists stand in a flat row of steps: one list for each key and group.
#[derive(Debug, Default)]
pub(super) struct Shape {
    groups: Vec<u64>,
    /// (first step, number of steps), key by key, group by group.
    lists: Vec<(u32, u32)>,
    /// Steps of a whole row.
    pub(super) stride: usize,
}

impl Shape {
    /// The shape of a rule. Without groups all its regions are one.
    pub(super) fn of(rule: &Rule) -> Self {
        let all = everyone(rule.regions.len());
        let groups = if rule.groups.is_empty() { vec![all] } else { rule.groups.iter().map(|g| g & all).collect() };
        let (mut lists, mut stride) = (Vec::new(), 0);
        for _ in &rule.keys {
            for group in &groups {
                let steps = u32::from(rule.depth).min(group.count_ones());
                lists.push((stride, steps));
                stride += steps;
            }
        }
        Self { groups, lists, stride: stride as usize }
    }

    /// The row for a client from which the regions lie at `values` (key by key, in the rule's order of regions).
    pub(super) fn row(&self, rule: &Rule, values: &[Vec<u32>]) -> Vec<Step> {
        let mut row = Vec::with_capacity(self.stride);
        for (&(_, tolerance), values) in rule.keys.iter().zip(values) {
            for &group in &self.groups {
                list(values, group, tolerance, rule.depth, &mut row);
            }
        }
        row
    }

    /// The band of a key: the first step whose member is eligible decides; where no list goes as far, the first region
    /// by name stands alone. `eligible` lies within one group; the first such group is taken.
    #[inline]
    pub(super) fn best(&self, row: &[Step], key: usize, eligible: u64) -> u64 {
        let group = self.groups.iter().position(|group| eligible & !group == 0).unwrap_or(0);
        let Some(&(first, count)) = self.lists.get(key * self.groups.len() + group) else { return eligible };
        let steps = &row[first as usize..(first + count) as usize];
        for step in steps {
            if eligible & step.member != 0 {
                return eligible & step.reach;
            }
        }
        lowest(eligible)
    }

    /// Whether two rows answer alike for every eligible set, whatever they are written like.
    pub(super) fn alike(&self, one: &[Step], other: &[Step]) -> bool {
        self.lists.iter().enumerate().all(|(at, &(first, count))| {
            let range = first as usize..(first + count) as usize;
            same(&one[range.clone()], &other[range], self.groups[at % self.groups.len()])
        })
    }

    /// A number that alike rows share: their answers on all pairs of regions.
    pub(super) fn fingerprint(&self, row: &[Step]) -> u64 {
        let mut print = 0xcbf2_9ce4_8422_2325_u64;
        for (at, &(first, count)) in self.lists.iter().enumerate() {
            let steps = &row[first as usize..(first + count) as usize];
            let group = self.groups[at % self.groups.len()];
            for region in bits(group) {
                print = (print ^ beside(steps, group, region)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
            }
        }
        print
    }
}

/// The decision list of one key within one group, appended to `row`.
fn list(values: &[u32], group: u64, tolerance: u32, depth: u8, row: &mut Vec<Step>) {
    let mut order: Vec<u64> = bits(group).collect();
    let value = |member: u64| values[member.trailing_zeros() as usize];
    order.sort_by_key(|&member| (value(member), member));
    let mut earlier = 0;
    for &member in order.iter().take(usize::from(depth)) {
        let limit = value(member).saturating_add(tolerance);
        let reach = bits(group & !earlier).filter(|&region| value(region) <= limit).fold(0, |set, region| set | region);
        row.push(Step { member, reach });
        earlier |= member;
    }
}

/// The regions r for which `region` is in the band of {region, r}.
fn beside(steps: &[Step], group: u64, region: u64) -> u64 {
    let (mut earlier, mut set) = (0, 0);
    for step in steps {
        if step.member == region {
            return set | (group & !earlier);
        }
        if step.reach & region != 0 {
            set |= step.member;
        }
        earlier |= step.member;
    }
    // Neither of the two is in the list: the lower stands alone.
    set | (group & !earlier & !(region - 1))
}

/// Whether two decision lists over `group` are one function of the eligible set E: for every step of the one and every
/// step of the other that can decide for the same E (its members eligible, all earlier ones of both lists not), the
/// results agree for all such E. The lists' ends, where the lowest stands alone, count as a last step.
fn same(one: &[Step], other: &[Step], group: u64) -> bool {
    let mut left = group;
    for a in one {
        if !agree(Some(a), other, left) {
            return false;
        }
        left &= !a.member;
    }
    agree(None, other, left)
}

/// Whether `step` (none: the end of its list), which decides for sets within `left`, agrees with all that `other` says
/// of these sets.
fn agree(step: Option<&Step>, other: &[Step], mut left: u64) -> bool {
    for b in other {
        let possible = left & b.member != 0 && step.is_none_or(|a| left & a.member != 0);
        if possible
            && !match step {
                Some(a) => (a.reach ^ b.reach) & left == 0,
                None => lone(b, left),
            }
        {
            return false;
        }
        left &= !b.member;
    }
    step.is_none_or(|a| left & a.member == 0 || lone(a, left))
}

/// Whether a step says of every set within `left` that holds its member what the end of a list would say.
fn lone(step: &Step, left: u64) -> bool {
    lowest(left) == step.member && step.reach & left == step.member
}

/// All of the first `count` positions.
fn everyone(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

#[inline]
fn lowest(set: u64) -> u64 {
    set & set.wrapping_neg()
}

/// The members of a set, as one bit each, in id order.
fn bits(mut set: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let bit = lowest(set);
        set ^= bit;
        (bit != 0).then_some(bit)
    })
}

/// Rows that answer differently, numbered as they come.
#[derive(Debug, Default)]
pub(super) struct Rows {
    steps: Vec<Step>,
    count: u32,
    written: Table<Vec<Step>, u32>,
    by_print: Table<u64, Vec<u32>>,
}

impl Rows {
    /// The number of the row that answers like this one.
    pub(super) fn number(&mut self, shape: &Shape, row: Vec<Step>) -> u32 {
        if let Some(&number) = self.written.get(&row) {
            return number;
        }
        let candidates = self.by_print.entry(shape.fingerprint(&row)).or_default();
        let known = candidates.iter().copied().find(|&number| {
            let first = number as usize * shape.stride;
            shape.alike(&self.steps[first..first + shape.stride], &row)
        });
        let number = known.unwrap_or_else(|| {
            candidates.push(self.count);
            self.steps.extend_from_slice(&row);
            self.count += 1;
            self.count - 1
        });
        self.written.insert(row, number);
        number
    }

    /// All rows, end to end.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

/// What a key compares.
pub(super) fn value(key: GeoKey, km: u32) -> u32 {
    match key {
        GeoKey::Rtt => super::estimate::modelled(km),
        GeoKey::Distance => km,
        GeoKey::Geo => 0,
    }
}
