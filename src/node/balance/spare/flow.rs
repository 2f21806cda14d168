//! Successive shortest paths on the graph of regions: an arc from one region to another costs what the cheapest group
//! to be moved between them costs. Demand is in whole units, so that it ends and says the same on every machine.
//!
//! It starts from the natural shares, among which no cycle of moves gains anything, and always pushes along the path
//! that gains most; so no cycle ever gains anything, and when no path does either, the shares are the best there are.

use crate::node::balance::spare::{Group, Room};

/// Units that the whole demand is counted in.
const UNITS: f64 = (1u64 << 32) as f64;
/// Pushes after which it is given up: the shares are good then, if not the best. Never seen.
const PUSHES: usize = 1 << 20;

/// The cheapest group to move from one region to another, and what it costs.
type Arc = Option<(i64, u32)>;

/// The shares on their way to the best ones.
pub(super) struct Flow<'a> {
    groups: &'a [Group],
    regions: usize,
    /// For each group and region the units that go there.
    units: Vec<i64>,
    /// For each region the groups that have units there.
    here: Vec<Vec<u32>>,
    arcs: Vec<Arc>,
    load: Vec<i64>,
    /// For each region its penalty: (end, slope), steeper and steeper.
    steps: Vec<Vec<(i64, i64)>>,
    /// For each region the step that its load ends in; a load at a step's end is in that step.
    at: Vec<usize>,
    moved: Vec<bool>,
}

impl<'a> Flow<'a> {
    pub(super) fn new(rooms: &[Room], groups: &'a [Group]) -> Self {
        let regions = rooms.len();
        let total: f64 = groups.iter().map(|group| group.demand.max(0.0)).sum();
        let scale = if total > 0.0 { UNITS / total } else { 0.0 };
        let whole = |load: f64| if load.is_finite() { (load * scale).min(UNITS * 1024.0) as i64 } else { i64::MAX };
        let steps = rooms
            .iter()
            .map(|room| room.steps().iter().map(|step| (whole(step.upto), i64::from(step.slope))).collect());
        let mut flow = Self {
            groups,
            regions,
            units: vec![0; groups.len() * regions],
            here: vec![Vec::new(); regions],
            arcs: vec![None; regions * regions],
            load: rooms.iter().map(|room| whole(room.fixed)).collect(),
            steps: steps.collect(),
            at: vec![0; regions],
            moved: vec![false; groups.len()],
        };
        for (g, group) in groups.iter().enumerate() {
            let own = (group.demand.max(0.0) * scale) as i64;
            let mut left = own;
            for (r, share) in group.natural.iter().enumerate().take(regions) {
                // The last of those that get something gets what rounding leaves.
                let last = group.natural.iter().skip(r + 1).all(|share| *share <= 0.0);
                let part = if last { left } else { ((own as f64 * share) as i64).min(left) };
                if *share > 0.0 {
                    flow.add(g as u32, r, part);
                    left -= part;
                }
            }
        }
        (0..regions).for_each(|r| flow.find_step(r));
        (0..regions * regions).for_each(|arc| flow.find_arc(arc / regions, arc % regions));
        flow
    }

    /// Pushes until nothing gains.
    pub(super) fn settle(mut self) -> Vec<Vec<f64>> {
        for _ in 0..PUSHES {
            let Some(path) = self.best_path() else { break };
            self.push(&path);
        }
        let shares = |(g, group): (usize, &Group)| {
            let own = self.units.get(g * self.regions..(g + 1) * self.regions).unwrap_or_default();
            let all: i64 = own.iter().sum();
            if !self.moved.get(g).is_some_and(|moved| *moved) || all == 0 {
                return group.natural.clone();
            }
            own.iter().map(|units| *units as f64 / all as f64).collect()
        };
        self.groups.iter().enumerate().map(shares).collect()
    }

    /// The path that gains most, as regions from the one that is relieved to the one that is loaded.
    fn best_path(&self) -> Option<Vec<usize>> {
        let relief = |r: usize| if self.here[r].is_empty() { i64::MAX } else { -self.down(r).1 };
        let mut cost: Vec<i64> = (0..self.regions).map(relief).collect();
        let mut from = vec![usize::MAX; self.regions];
        for _ in 0..self.regions {
            let mut shorter = false;
            for r in (0..self.regions).filter(|r| !self.here[*r].is_empty()) {
                for s in 0..self.regions {
                    let Some((way, _)) = self.arcs[r * self.regions + s] else { continue };
                    if cost[r] != i64::MAX && cost[r] + way < cost[s] {
                        (cost[s], from[s], shorter) = (cost[r] + way, r, true);
                    }
                }
            }
            if !shorter {
                break;
            }
        }
        let gain = |s: &usize| cost[*s].saturating_add(self.up(*s).1);
        let end = (0..self.regions).min_by_key(gain).filter(|s| gain(s) < 0)?;
        let mut path = vec![end];
        while let Some(&last) = path.last()
            && from[last] != usize::MAX
            && path.len() <= self.regions
        {
            path.push(from[last]);
        }
        path.reverse();
        (path.len() > 1).then_some(path)
    }

    /// Moves along a path as much as costs the same from end to end.
    fn push(&mut self, path: &[usize]) {
        let (Some(&first), Some(&last)) = (path.first(), path.last()) else { return };
        let moves: Vec<(usize, usize, u32)> = path
            .windows(2)
            .filter_map(|pair| Some((pair[0], pair[1], self.arcs[pair[0] * self.regions + pair[1]]?.1)))
            .collect();
        let there = moves.iter().map(|&(r, _, g)| self.units[g as usize * self.regions + r]);
        let amount = there.chain([self.down(first).0, self.up(last).0]).min().unwrap_or(0);
        for &(r, s, g) in &moves {
            self.moved[g as usize] = true;
            self.add(g, r, -amount);
            self.add(g, s, amount);
            self.refresh(g, r, s);
        }
        self.find_step(first);
        self.find_step(last);
    }

    fn add(&mut self, g: u32, r: usize, amount: i64) {
        let own = &mut self.units[g as usize * self.regions + r];
        let before = *own;
        *own += amount;
        self.load[r] += amount;
        if before == 0 && *own > 0 {
            self.here[r].push(g);
        } else if before > 0 && *own == 0 {
            self.here[r].retain(|other| *other != g);
        }
    }

    /// The arcs after a group has gone from `r` to `s`.
    fn refresh(&mut self, g: u32, r: usize, s: usize) {
        for t in 0..self.regions {
            if self.units[g as usize * self.regions + r] == 0
                && self.arcs[r * self.regions + t].is_some_and(|(_, who)| who == g)
            {
                self.find_arc(r, t);
            }
            let way = self.way(g, s, t);
            let arc = &mut self.arcs[s * self.regions + t];
            *arc = better(*arc, way);
        }
    }

    fn find_arc(&mut self, r: usize, s: usize) {
        let ways = self.here[r].iter().map(|g| self.way(*g, r, s));
        self.arcs[r * self.regions + s] = ways.fold(None, better);
    }

    fn way(&self, g: u32, r: usize, s: usize) -> Arc {
        let group = self.groups.get(g as usize).filter(|_| r != s)?;
        Some((i64::from(group.cost(s)?) - i64::from(group.cost(r)?), g))
    }

    fn find_step(&mut self, r: usize) {
        let load = self.load[r];
        self.at[r] = self.steps[r].iter().position(|(end, _)| load <= *end).unwrap_or(0);
    }

    /// How much load can go before its price changes, and that price.
    fn down(&self, r: usize) -> (i64, i64) {
        let at = self.at[r];
        let begin = if at == 0 { 0 } else { self.steps[r][at - 1].0 };
        (self.load[r] - begin, self.steps[r][at].1)
    }

    /// How much load can come before its price changes, and that price.
    fn up(&self, r: usize) -> (i64, i64) {
        let room = |(end, slope): &(i64, i64)| (end - self.load[r], *slope);
        self.steps[r].iter().map(room).find(|(room, _)| *room > 0).unwrap_or((i64::MAX, i64::MAX))
    }
}

/// The cheaper of two arcs; the earlier group of equally cheap ones.
fn better(one: Arc, other: Arc) -> Arc {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
