//! Which regions are the best for a client, for every set of regions that may still be eligible: the compiled answer
//! to a key of the rank. Must not know addresses.

use super::{GeoKey, Model, PLACE, Rule, marks::Numbers};
use crate::engine::units::{Kilometres, Rtt};

/// One step of a decision list: when `member` is eligible and no earlier step's member is, the band is what of the
/// eligible regions lies in `reach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListStep {
    /// A region, as one bit.
    pub(super) member: u64,
    /// The regions no more than the tolerance worse than it, without members of earlier steps, which are not eligible
    /// when this step decides.
    pub(super) reach: u64,
}

/// Where a rule's decision lists stand in a flat row of steps: one list for each key and group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    groups: Vec<u64>,
    /// (first step, number of steps), key by key, group by group.
    lists: Vec<(u32, u32)>,
    /// Steps of a whole row.
    pub(super) stride: usize,
    /// Regions of a [cost row](Costs); 0 where no list leaves more than one region over, so that none is needed.
    regions: usize,
    /// Costs of a whole row.
    pub(super) width: usize,
}

/// What decides beyond the ends of the lists: for each key and region how late the region comes there. Smaller comes
/// first, equal comes together.
pub(super) type Costs = [u8];

/// The steps in which expected times are compared beyond the ends of the lists. They are coarse since the times are
/// those of other clients of the catchment.
pub const COARSE: Rtt = Rtt(250);

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
        let is_cut = |group: &u64| group.count_ones() > u32::from(rule.depth) + 1;
        let regions = if groups.iter().any(is_cut) { rule.regions.len() } else { 0 };
        Self { groups, lists, stride: stride as usize, regions, width: regions * rule.keys.len() }
    }

    /// The cost row for a client from which the regions lie at `values`; empty where none is needed. Times are compared
    /// in steps of [`COARSE`], and so are distances, as the times that the model has for them. In the order of a geo rule
    /// each place is a step, and the name decides between equal ones, unless a time behind it does.
    pub(super) fn costs(&self, rule: &Rule, values: &[Vec<u32>], model: Model) -> Vec<u8> {
        let mut row = Vec::with_capacity(self.width);
        if self.width == 0 {
            return row;
        }
        let is_time = |key: &(GeoKey, u32)| key.0 != GeoKey::Geo;
        for (at, ((key, _), values)) in rule.keys.iter().zip(values).enumerate() {
            let by_name = *key == GeoKey::Geo && !rule.keys[at..].iter().any(is_time);
            let step = |(position, &value): (usize, &u32)| match key {
                // From `PLACE` on a value is no time, but a place in an order.
                GeoKey::Rtt if value < PLACE => (value / COARSE.0, 0),
                GeoKey::Distance if value < PLACE => (model.rtt(Kilometres(value)).0 / COARSE.0, 0),
                GeoKey::Rtt | GeoKey::Distance => (value, 0),
                GeoKey::Geo => (value, if by_name { position } else { 0 }),
            };
            let steps: Vec<(u32, usize)> = values.iter().enumerate().map(step).collect();
            let mut distinct = steps.clone();
            distinct.sort_unstable();
            distinct.dedup();
            // At most 64 regions make at most 64 distinct steps.
            row.extend(steps.iter().map(|step| distinct.binary_search(step).unwrap_or_default() as u8));
        }
        row
    }

    /// The row for a client from which the regions lie at `values` (key by key, in the rule's order of regions), and to
    /// whom the regions of `open` are open. Lists that closed regions make shorter end in steps that nobody takes.
    pub(super) fn row(&self, rule: &Rule, values: &[Vec<u32>], open: u64) -> Vec<ListStep> {
        let mut row = Vec::with_capacity(self.stride);
        for (&(_, tolerance), values) in rule.keys.iter().zip(values) {
            for &group in &self.groups {
                let end = row.len() + usize::from(rule.depth).min(group.count_ones() as usize);
                list(values, group & open, tolerance, rule.depth, &mut row);
                row.resize(end, ListStep { member: 0, reach: 0 });
            }
        }
        row
    }

    /// The band of a key: the first step whose member is eligible decides; where the list does not go as far, the cost
    /// row does. `eligible` lies within one group; the first such group is taken.
    #[inline]
    pub(super) fn best(&self, row: &[ListStep], costs: &Costs, key: usize, eligible: u64) -> u64 {
        for step in self.steps(row, key, eligible) {
            if eligible & step.member != 0 {
                return eligible & step.reach;
            }
        }
        let first = key * self.regions;
        cheapest(costs.get(first..first + self.regions).unwrap_or_default(), eligible)
    }

    /// Whether the cost row decides, and not the list.
    pub(super) fn is_beyond(&self, row: &[ListStep], key: usize, eligible: u64) -> bool {
        eligible.count_ones() > 1 && self.steps(row, key, eligible).iter().all(|step| eligible & step.member == 0)
    }

    /// The list of a key for the group that `eligible` lies within.
    #[inline]
    fn steps<'r>(&self, row: &'r [ListStep], key: usize, eligible: u64) -> &'r [ListStep] {
        let group = self.groups.iter().position(|group| eligible & !group == 0).unwrap_or(0);
        match self.lists.get(key * self.groups.len() + group) {
            Some(&(first, count)) => &row[first as usize..(first + count) as usize],
            None => &[],
        }
    }

    /// Whether two rows answer alike for every eligible set within `open` for which a list of either decides, whatever
    /// they are written like. Cost rows keep no rows apart.
    pub(super) fn alike(&self, one: &[ListStep], other: &[ListStep], open: u64) -> bool {
        self.lists.iter().enumerate().all(|(at, &(first, count))| {
            let range = first as usize..(first + count) as usize;
            same(&one[range.clone()], &other[range], self.groups[at % self.groups.len()] & open)
        })
    }

    /// A number that alike rows share: what their lists answer on all pairs of regions within `open`.
    pub(super) fn fingerprint(&self, row: &[ListStep], open: u64) -> u64 {
        let mut print = 0xcbf2_9ce4_8422_2325_u64;
        for (at, &(first, count)) in self.lists.iter().enumerate() {
            let steps = &row[first as usize..(first + count) as usize];
            let group = self.groups[at % self.groups.len()] & open;
            for region in bits(group) {
                print = (print ^ beside(steps, group, region)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
            }
        }
        print
    }
}

/// The decision list of one key within one group, appended to `row`.
fn list(values: &[u32], group: u64, tolerance: u32, depth: u8, row: &mut Vec<ListStep>) {
    let mut order: Vec<u64> = bits(group).collect();
    let value = |member: u64| values[member.trailing_zeros() as usize];
    order.sort_by_key(|&member| (value(member), member));
    let mut earlier = 0;
    for &member in order.iter().take(usize::from(depth)) {
        let limit = value(member).saturating_add(tolerance);
        let reach = bits(group & !earlier).filter(|&region| value(region) <= limit).fold(0, |set, region| set | region);
        row.push(ListStep { member, reach });
        earlier |= member;
    }
}

/// The regions r for which `region` is in the band of {region, r}.
fn beside(steps: &[ListStep], group: u64, region: u64) -> u64 {
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
    // Beyond the list no pair is decided by it.
    set | region
}

/// Whether two decision lists over `group` are one function of the eligible set E: for every step of the one and every
/// step of the other that can decide for the same E (its members eligible, all earlier ones of both lists not), the
/// results agree for all such E. Where both lists have ended, neither says anything; where one has, the other may decide
/// only for a region that is left alone.
fn same(one: &[ListStep], other: &[ListStep], group: u64) -> bool {
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
fn agree(step: Option<&ListStep>, other: &[ListStep], mut left: u64) -> bool {
    for b in other {
        let possible = left & b.member != 0 && step.is_none_or(|a| left & a.member != 0);
        if possible
            && !match step {
                Some(a) => (a.reach ^ b.reach) & left == 0,
                None => left == b.member,
            }
        {
            return false;
        }
        left &= !b.member;
    }
    step.is_none_or(|a| left & a.member == 0 || left == a.member)
}

/// The members of `eligible` that cost the least.
fn cheapest(costs: &Costs, eligible: u64) -> u64 {
    let (mut least, mut band) = (u8::MAX, 0);
    for member in bits(eligible) {
        let cost = costs.get(member.trailing_zeros() as usize).copied().unwrap_or(0);
        if band == 0 || cost < least {
            (least, band) = (cost, member);
        } else if cost == least {
            band |= member;
        }
    }
    band
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

/// Catchments: rows that answer differently, numbered as they come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    steps: Vec<ListStep>,
    denied: Vec<u64>,
    within: Vec<u64>,
    costs: Vec<u8>,
    written: Numbers<(u64, u64, Vec<ListStep>), u32>,
    by_print: Numbers<(u64, u64, u64), Vec<u32>>,
}

impl Rows {
    /// The number of the catchment for which the regions lie at `values`, which these fences keep out, and within whose
    /// limits these regions lie. Two are one only where the lists of all three are alike.
    pub(super) fn number(&mut self, shape: &Shape, rule: &Rule, values: &[Vec<u32>], denied: u64, within: u64) -> u32 {
        let open = open(rule, denied);
        let row = shape.row(rule, values, open);
        let key = (denied, within, row);
        if let Some(&number) = self.written.get(&key) {
            return number;
        }
        let row = &key.2;
        let candidates = self.by_print.entry((denied, within, shape.fingerprint(row, open))).or_default();
        let known = candidates.iter().copied().find(|&number| {
            let first = number as usize * shape.stride;
            shape.alike(&self.steps[first..first + shape.stride], row, open)
        });
        let number = known.unwrap_or_else(|| {
            let number = self.denied.len() as u32;
            candidates.push(number);
            self.steps.extend_from_slice(row);
            self.denied.push(denied);
            self.within.push(within);
            number
        });
        self.written.insert(key, number);
        number
    }

    /// Whether clients for which this holds are of a catchment.
    pub(super) fn is(
        &self,
        catchment: u32,
        shape: &Shape,
        rule: &Rule,
        values: &[Vec<u32>],
        denied: u64,
        within: u64,
    ) -> bool {
        let open = open(rule, denied);
        let alike = |own: &[ListStep]| shape.alike(own, &shape.row(rule, values, open), open);
        self.denied(catchment) == denied
            && self.within(catchment) == within
            && self.steps(catchment, shape.stride).is_some_and(alike)
    }

    /// Keeps the cost rows of all catchments, by number.
    pub(super) fn keep_costs<'c>(&mut self, rows: impl Iterator<Item = &'c Costs>) {
        self.costs.extend(rows.flatten());
        self.costs.shrink_to_fit();
    }

    /// Forgets what only further numbering would need.
    pub(super) fn shrink(&mut self) {
        (self.written, self.by_print) = (Numbers::default(), Numbers::default());
        self.steps.shrink_to_fit();
        self.denied.shrink_to_fit();
        self.within.shrink_to_fit();
    }

    /// The memory that they take, in bytes.
    pub(super) fn size(&self) -> usize {
        let masks = self.denied.capacity() + self.within.capacity();
        self.steps.capacity() * size_of::<ListStep>() + masks * size_of::<u64>() + self.costs.capacity()
    }

    /// How many catchments there are.
    pub(super) fn len(&self) -> usize {
        self.denied.len()
    }

    /// The decision lists of a catchment.
    #[inline]
    pub(super) fn steps(&self, catchment: u32, stride: usize) -> Option<&[ListStep]> {
        let first = catchment as usize * stride;
        self.steps.get(first..first + stride)
    }

    /// The cost row of a catchment.
    #[inline]
    pub(super) fn costs(&self, catchment: u32, width: usize) -> &Costs {
        let first = catchment as usize * width;
        self.costs.get(first..first + width).unwrap_or_default()
    }

    /// The fences that keep its clients out.
    #[inline]
    pub(super) fn denied(&self, catchment: u32) -> u64 {
        self.denied.get(catchment as usize).copied().unwrap_or_default()
    }

    /// The regions that lie within the limits.
    #[inline]
    pub(super) fn within(&self, catchment: u32) -> u64 {
        self.within.get(catchment as usize).copied().unwrap_or(u64::MAX)
    }
}

/// The regions, by position in the rule, that have an endpoint behind no fence that keeps the client out.
fn open(rule: &Rule, denied: u64) -> u64 {
    let closed = |sets: &Vec<u64>| !sets.is_empty() && sets.iter().all(|set| set & denied != 0);
    rule.behind.iter().enumerate().filter(|(_, sets)| closed(sets)).fold(u64::MAX, |open, (at, _)| open & !(1 << at))
}
