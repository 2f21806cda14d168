//! How much load each group of clients makes. A query is no client: it is the load that regions report which is shared
//! out, to groups by their share of the answers that led to each region. Must not know where anybody will be sent.

use serde::{Deserialize, Serialize};

use super::view::{Member, View};
use crate::engine::types::{At, Millis, RouteId};

/// In so long what was counted loses all but 1/e of its weight.
const MEMORY: Millis = Millis::seconds(300);
/// The same for a demand that is no longer reported: a lost region's reports vanish before its clients arrive elsewhere.
const FALL: Millis = Millis::seconds(300);
/// How far an estimate goes towards the first reading after a move has settled.
const FIRST: f64 = 0.5;
/// How far it goes with each later one.
const LATER: f64 = 0.05;
/// What everybody is counted for at the least, so that nobody is nobody.
const SOME: f64 = 1e-3;

/// What is left of a weight after so long.
fn decay(passed: Millis, memory: Millis) -> f64 {
    (-(passed.0 as f64) / memory.0 as f64).exp()
}

/// The estimate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Demand {
    /// For each group the seconds of its answers, old ones counting less.
    answers: Vec<f64>,
    /// For each group its demand.
    of: Vec<f64>,
    counted: Option<At>,
    learned: Option<At>,
    /// Whether anything was ever reported.
    reported: bool,
    was_settled: bool,
}

impl Demand {
    /// What each group asks for.
    pub(super) fn of(&self) -> &[f64] {
        &self.of
    }

    /// What all ask for.
    pub(super) fn total(&self) -> f64 {
        self.of.iter().sum()
    }

    /// Counts answers: route, catchment, seconds.
    pub(super) fn count(&mut self, at: At, members: &[Member], answers: &[(RouteId, u32, u64)]) {
        let groups = members.last().map_or(0, |member| member.first + member.catchments);
        self.answers.resize(groups, 0.0);
        let kept = self.counted.map_or(1.0, |last| decay(at.since(last), MEMORY));
        self.counted = Some(at);
        self.answers.iter_mut().for_each(|count| *count *= kept);
        for (route, catchment, seconds) in answers {
            let Some(member) = members.iter().find(|member| member.id == *route) else { continue };
            let at = member.first + *catchment as usize;
            if let Some(count) = self.answers.get_mut(at).filter(|_| (*catchment as usize) < member.catchments) {
                *count += *seconds as f64;
            }
        }
    }

    /// Takes in what regions report, or are configured to be asked for where nothing is reported. `shares`: where groups
    /// are sent. Only when that is `settled` do the reports say who makes the load; until then they can say at most that
    /// there is more of it.
    pub(super) fn learn(&mut self, at: At, settled: bool, view: &View, shares: &[Vec<f64>]) {
        self.reported |= view.reported.iter().any(|load| *load > 0.0);
        let loads = if self.reported { &view.reported } else { &view.configured };
        let total: f64 = loads.iter().sum();
        let passed = self.learned.map_or(Millis::ZERO, |last| at.since(last));
        self.learned = Some(at);
        let first = self.of.len() != shares.len() || self.total() <= 0.0;
        if total <= 0.0 && first {
            return;
        }
        let before = self.total();
        if settled || first {
            let read = self.attribute(loads, shares);
            let towards = match (first, self.was_settled) {
                (true, _) => 1.0,
                (false, false) => FIRST,
                (false, true) => LATER,
            };
            if first {
                self.of = vec![0.0; shares.len()];
            }
            self.of.iter_mut().zip(read).for_each(|(own, read)| *own += towards * (read - *own));
        }
        self.was_settled = settled;
        let fallen = if settled { total + (before - total) * decay(passed, FALL) } else { before };
        let scale = fallen.max(total) / self.total();
        if scale.is_finite() {
            self.of.iter_mut().for_each(|own| *own *= scale);
        }
    }

    /// Each region's load to the groups that are sent there, by their answers.
    fn attribute(&self, loads: &[f64], shares: &[Vec<f64>]) -> Vec<f64> {
        let least = SOME * (self.answers.iter().sum::<f64>() / self.answers.len().max(1) as f64).max(1.0);
        let weight = |group: usize| self.answers.get(group).copied().unwrap_or(0.0) + least;
        let mut sums = vec![0.0; loads.len()];
        for (group, shares) in shares.iter().enumerate() {
            sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += weight(group) * share);
        }
        let of = |(group, shares): (usize, &Vec<f64>)| {
            let part = |((load, sum), share): ((&f64, &f64), &f64)| if *sum > 0.0 { load * share / sum } else { 0.0 };
            weight(group) * loads.iter().zip(&sums).zip(shares).map(part).sum::<f64>()
        };
        shares.iter().enumerate().map(of).collect()
    }
}
