//! The control law by which demand is assigned to regions: what is known of demand and of regions goes in, admissions by
//! catchment come out. Pure: time, answers and the Snapshot are arguments. Must not know tasks or sockets.
//!
//! It foresees instead of feeling its way: what each catchment asks for is estimated ([`demand`]), and
//! [`spare`](crate::node::balance::spare) says where that is best served. Clients of a region that is gone move at once,
//! to where there is room; everything else moves a bounded part of the way, and not again until caches have run out and
//! reports have come in. `docs/steering.md` says why that is stable.

pub mod assign;
mod demand;
pub mod landing;
pub mod spare;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::spare::{Group, Room};
use self::{
    demand::Demand,
    view::{Member, View},
};
use crate::engine::{
    snapshot::Snapshot,
    types::{At, RegionId, RouteId},
    units::Admission,
    world::{World, table::Assignment},
};

/// The most that may leave a live region in one period, as a part of its load, or of half its capacity where its load is
/// less: a tail has to end.
const STRIDE: f64 = 0.1;
/// What a move between live regions must better the whole by, as a part of it: equal optima and noise move nobody.
const WORTH: f64 = 0.002;
/// What is too small a share to be anybody.
const NOBODY: f64 = 1e-9;

/// What is assigned, for each route.
pub type Assignments = Vec<Option<Arc<Assignment>>>;

/// What is foreseen of a region of the assigned pools.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Foreseen {
    /// The region.
    pub region: RegionId,
    /// The part of those who would come to it by nature that is sent elsewhere.
    pub passed: f64,
    /// Load ÷ capacity, if all came who would by nature.
    pub natural: f64,
    /// Load ÷ capacity, as demand is assigned.
    pub assigned: f64,
}

/// How demand is assigned, and all that this rests on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Balance {
    #[serde(skip)]
    world: Option<Arc<World>>,
    #[serde(skip)]
    members: Vec<Member>,
    demand: Demand,
    #[serde(skip)]
    view: View,
    /// For each group its share of each region: what is in force. Empty before the first assignment.
    shares: Vec<Vec<f64>>,
    /// When they last changed.
    since: At,
    said: Assignments,
}

impl Balance {
    /// A second has passed, or so: `answers` were given since the last time, as route, catchment and the seconds for which
    /// they may be kept. Says what is assigned from now on, when that is something else.
    pub fn tick(&mut self, at: At, snapshot: &Snapshot, answers: &[(RouteId, u32, u64)]) -> Option<&Assignments> {
        self.adopt(&snapshot.world);
        self.demand.count(at, &self.members, answers);
        if !snapshot.ready {
            return None;
        }
        let mut changed = self.view.look(&self.members, snapshot);
        let settled = at.since(self.since) >= self.view.period || self.shares.is_empty();
        let in_force = if self.shares.is_empty() { self.view.naturals() } else { self.shares.clone() };
        self.demand.learn(at, settled, &self.view, &in_force);
        if self.demand.total() <= 0.0 || self.members.is_empty() {
            return None;
        }
        let moved = if self.shares.is_empty() {
            self.shares = spare::solve(&self.view.rooms, &self.groups());
            true
        } else {
            self.rescue() || settled && self.step()
        };
        if moved {
            self.since = at;
        }
        changed |= moved || self.said.is_empty();
        if !changed {
            return None;
        }
        let said = self.assignments(snapshot);
        (said != self.said).then(|| {
            self.said = said;
            &self.said
        })
    }

    /// The load that each region of the assigned pools is foreseen to have, in their order of ids.
    #[must_use]
    pub fn foreseen(&self) -> Vec<f64> {
        spare::loads(&self.view.rooms, &self.groups(), &self.shares)
    }

    /// The regions of the assigned pools, in the order of their ids.
    #[must_use]
    pub fn regions(&self) -> Vec<Foreseen> {
        let (rooms, groups) = (&self.view.rooms, self.groups());
        let (naturals, loads) = (spare::loads(rooms, &groups, &self.view.naturals()), self.foreseen());
        let ids = self.members.first().map_or(&[][..], Member::regions);
        let told = ids.iter().enumerate().filter_map(|(n, region)| {
            let (room, natural, assigned) = (rooms.get(n)?, naturals.get(n)?, loads.get(n)?);
            let mut passed = 0.0;
            for (group, shares) in groups.iter().zip(&self.shares) {
                let [by_nature, now] = [&group.natural, shares].map(|of| of.get(n).copied().unwrap_or(0.0));
                passed += group.demand * (by_nature - now).max(0.0);
            }
            let own = natural - room.fixed;
            Some(Foreseen {
                region: *region,
                passed: if own > NOBODY { passed / own } else { 0.0 },
                natural: natural / room.capacity,
                assigned: assigned / room.capacity,
            })
        });
        told.collect()
    }

    /// Another configuration is in force, if it is another one.
    pub fn adopt(&mut self, world: &Arc<World>) {
        if self.world.as_ref().is_none_or(|known| !Arc::ptr_eq(known, world)) {
            self.take_over(world);
        }
    }

    /// The same, as it was read back, under the configuration that was in force when it was written.
    #[must_use]
    pub fn resumed(self, world: &Arc<World>) -> Self {
        let members = view::members(world);
        Self { view: View::new(world, &members), world: Some(Arc::clone(world)), members, ..self }
    }

    /// Another configuration. Where its groups are the same ones, all that is known of them is kept.
    fn take_over(&mut self, world: &Arc<World>) {
        let members = view::members(world);
        let same =
            members == self.members && self.world.as_ref().is_some_and(|old| view::number_alike(&members, old, world));
        if !same {
            *self = Self { said: vec![None; world.routes.len()], ..Self::default() };
        } else if self.said.len() != world.routes.len() {
            self.said.clear();
        }
        // It was said of the other configuration; of this one nothing is said yet.
        self.said.iter_mut().for_each(|said| *said = None);
        self.members = members;
        self.view = View::new(world, &self.members);
        self.world = Some(Arc::clone(world));
    }

    /// All groups as the solver takes them.
    fn groups(&self) -> Vec<Group> {
        let group = |(outlook, demand): (&view::Outlook, &f64)| Group {
            demand: *demand,
            natural: outlook.natural.clone(),
            cost: outlook.cost.clone(),
        };
        self.view.outlooks.iter().zip(self.demand.of()).map(group).collect()
    }

    /// Clients of regions that are gone move at once: they alone, by spare capacity, everybody else where they are.
    fn rescue(&mut self) -> bool {
        let mut groups = self.groups();
        let mut kept = self.shares.clone();
        let mut anybody = false;
        for ((group, kept), outlook) in groups.iter_mut().zip(&mut kept).zip(&self.view.outlooks) {
            let mut lost = 0.0;
            for (share, open) in kept.iter_mut().zip(&outlook.open).filter(|_| !outlook.is_lost()) {
                if !open && *share > 0.0 {
                    lost += std::mem::take(share);
                }
            }
            anybody |= lost > NOBODY;
            group.demand *= lost;
        }
        if !anybody {
            return false;
        }
        let held: Vec<f64> = spare::loads(&self.view.rooms, &self.groups(), &kept);
        let rooms: Vec<Room> = self.view.rooms.iter().zip(held).map(|(room, fixed)| Room { fixed, ..*room }).collect();
        let found = spare::solve(&rooms, &groups);
        for (((shares, kept), found), outlook) in self.shares.iter_mut().zip(kept).zip(found).zip(&self.view.outlooks) {
            let lost = 1.0 - kept.iter().sum::<f64>();
            if lost > NOBODY && !outlook.is_lost() {
                *shares = kept.iter().zip(found).map(|(kept, found)| kept + lost * found).collect();
            }
        }
        true
    }

    /// A bounded part of the way to what is best. All take the same part of their way, so that it is never worse than
    /// what was: the objective is convex.
    fn step(&mut self) -> bool {
        let (rooms, groups) = (&self.view.rooms, self.groups());
        let best = spare::solve(rooms, &groups);
        let now = spare::objective(rooms, &groups, &self.shares);
        if best == self.shares || now - spare::objective(rooms, &groups, &best) <= WORTH * now {
            return false;
        }
        let mut leaving = vec![0.0; rooms.len()];
        for ((group, from), to) in groups.iter().zip(&self.shares).zip(&best) {
            for ((leaving, from), to) in leaving.iter_mut().zip(from).zip(to) {
                *leaving += group.demand * (from - to).max(0.0);
            }
        }
        let loads = spare::loads(rooms, &groups, &self.shares);
        let bound = |((leaving, load), room): ((&f64, &f64), &Room)| {
            if *leaving > 0.0 { STRIDE * load.max(room.capacity / 2.0) / leaving } else { 1.0 }
        };
        let part = leaving.iter().zip(&loads).zip(rooms).map(bound).fold(1.0, f64::min);
        for (shares, to) in self.shares.iter_mut().zip(best) {
            if part >= 1.0 {
                *shares = to;
            } else {
                shares.iter_mut().zip(to).for_each(|(share, to)| *share += part * (to - *share));
            }
        }
        true
    }

    /// The shares in force as admissions.
    fn assignments(&self, snapshot: &Snapshot) -> Assignments {
        let mut all: Assignments = vec![None; snapshot.world.routes.len()];
        for member in &self.members {
            let mut assigned = Assignment { regions: member.places.len(), shares: Vec::new() };
            for at in member.first..member.first + member.catchments {
                let (Some(outlook), Some(shares)) = (self.view.outlooks.get(at), self.shares.get(at)) else { continue };
                let own = |of: &[f64]| -> Vec<f64> {
                    member.places.iter().map(|place| of.get(*place).copied().unwrap_or(0.0)).collect()
                };
                let natural = *shares == outlook.natural;
                let wanted = landing::admissions(&outlook.bands, &own(shares));
                let open = own(&outlook.admission);
                for (n, (wanted, place)) in wanted.into_iter().zip(&member.places).enumerate() {
                    let admission = match outlook.open.get(*place) {
                        // Who comes back finds its door closed until the next step: its return is a move like any.
                        Some(false) | None => 0.0,
                        Some(true) if natural => 1.0,
                        Some(true) => (wanted / open.get(n).copied().unwrap_or(1.0).max(NOBODY)).min(1.0),
                    };
                    assigned.shares.push(Admission::nearest(admission));
                }
            }
            if let Some(slot) = all.get_mut(member.id.at()) {
                *slot = Some(Arc::new(assigned));
            }
        }
        all
    }
}
