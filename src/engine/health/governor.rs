//! The governor: how many regions automation may empty in a window, and which are held beyond that. Pure: whoever asks
//! says which regions an event would empty. Must not know targets or endpoints, nor why anything is down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    rules::{Governor, MaxRegions},
    sight::Answering,
};
use crate::engine::types::{At, Past, RegionId};

impl MaxRegions {
    /// How many of so many regions: one at least.
    #[must_use]
    pub fn of(self, regions: usize) -> usize {
        match self {
            Self::Count(count) => (count as usize).max(1),
            Self::Share(share) => (share.up_of(regions as u32) as usize).max(1),
        }
    }
}

/// Which regions automation has emptied lately, and which it was kept from emptying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Governed {
    /// When each was emptied last.
    emptied: BTreeMap<RegionId, Past>,
    /// Since when each is held.
    held: BTreeMap<RegionId, Past>,
}

/// Why a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Canaries have answered for a whole window: this node itself is well, so what it sees is so.
    Canaries,
    /// It has lasted for as long as a hold may.
    Release,
    /// An operator said so.
    Operator,
    /// The configuration in force lets automation empty every region, so it holds none.
    Unlimited,
    /// Nothing is left to hold: its probes are good again, or there is somebody else in it.
    Recovered,
}

impl Governed {
    /// What an earlier process has left: when each region was emptied last, and since when each is held.
    #[must_use]
    pub fn resumed(
        emptied: impl IntoIterator<Item = (RegionId, Past)>,
        held: impl IntoIterator<Item = (RegionId, Past)>,
    ) -> Self {
        Self { emptied: emptied.into_iter().collect(), held: held.into_iter().collect() }
    }

    /// Whether these may be emptied now, by the share of all governed `regions`: together with those that were emptied
    /// in the window that ends now they are few enough, or all may go.
    #[must_use]
    pub fn admits(&self, rules: &Governor, regions: usize, now: At, more: &[RegionId]) -> bool {
        let (lately, most) =
            (self.lately(rules, now).filter(|region| !more.contains(region)), rules.max_regions.of(regions));
        most >= regions || lately.count() + more.len() <= most
    }

    /// The same for those whose hold is over: what one address empties at once leaves in a window of its own, even when
    /// it is more than the share, or it could never leave.
    #[must_use]
    pub fn lets_go(&self, rules: &Governor, regions: usize, now: At, more: &[RegionId]) -> bool {
        self.admits(rules, regions, now, more) || self.lately(rules, now).all(|region| more.contains(&region))
    }

    /// The regions that were emptied in the window that ends now.
    pub fn lately<'g>(&'g self, rules: &'g Governor, now: At) -> impl Iterator<Item = RegionId> + 'g {
        self.emptied.iter().filter(move |(_, at)| at.until(now) < rules.window).map(|(region, _)| *region)
    }

    /// When each region was emptied last.
    pub fn emptied(&self) -> impl Iterator<Item = (RegionId, Past)> + '_ {
        self.emptied.iter().map(|(region, at)| (*region, *at))
    }

    /// Automation has emptied them. Who has been asked of first.
    pub fn empty(&mut self, now: At, regions: &[RegionId]) {
        self.emptied.extend(regions.iter().map(|region| (*region, now.into())));
    }

    /// Holds a region; one that is held already is held since then.
    pub fn hold(&mut self, now: At, region: RegionId) {
        self.held.entry(region).or_insert_with(|| now.into());
    }

    /// Holds it no longer.
    pub fn end(&mut self, region: RegionId) {
        self.held.remove(&region);
    }

    /// Whether a region is held.
    #[must_use]
    pub fn holds(&self, region: RegionId) -> bool {
        self.held.contains_key(&region)
    }

    /// Those that are held, with since when, the longest held first.
    #[must_use]
    pub fn held(&self) -> Vec<(RegionId, Past)> {
        let mut held: Vec<_> = self.held.iter().map(|(region, since)| (*region, *since)).collect();
        held.sort_by_key(|(region, since)| (*since, *region));
        held
    }

    /// Why the hold of a region, one of so many `regions`, may end by now; none: it may not. `well`: the time for which
    /// a canary has answered.
    #[must_use]
    pub fn over(
        &self,
        rules: &Governor,
        regions: usize,
        now: At,
        well: Option<Answering>,
        region: RegionId,
    ) -> Option<Ended> {
        let since = *self.held.get(&region)?;
        if rules.max_regions.of(regions) >= regions {
            return Some(Ended::Unlimited);
        }
        if well.is_some_and(|well| since.max(well.since.into()).until(well.last) >= rules.window) {
            return Some(Ended::Canaries);
        }
        (since.until(now) >= rules.release).then_some(Ended::Release)
    }

    /// When time alone may end a hold next: since it has lasted, or since the window has room again for those that are
    /// over already.
    #[must_use]
    pub fn next(&self, rules: &Governor, now: At) -> Option<At> {
        if self.held.is_empty() {
            return None;
        }
        let ends = self.held.values().map(|since| since.after(rules.release));
        let room = self.emptied.values().map(|at| at.after(rules.window));
        ends.chain(room).filter(|at| *at > now).min()
    }

    /// Forgets when regions were emptied that are no longer governed.
    pub fn forget(&mut self, gone: impl Fn(RegionId) -> bool) {
        self.emptied.retain(|region, _| !gone(*region));
    }

    /// The same under another configuration, in which regions have other numbers, and some none.
    #[must_use]
    pub fn carried(&self, number: impl Fn(RegionId) -> Option<RegionId>) -> Self {
        let carry = |of: &BTreeMap<RegionId, Past>| {
            of.iter().filter_map(|(region, at)| Some((number(*region)?, *at))).collect::<BTreeMap<_, _>>()
        };
        Self { emptied: carry(&self.emptied), held: carry(&self.held) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::{types::Millis, units::Permille};

    fn well(since: u64, last: u64) -> Option<Answering> {
        Some(Answering { since: At(since), last: At(last) })
    }

    const RULES: Governor = Governor {
        max_regions: MaxRegions::Share(Permille(500)),
        window: Millis::seconds(60),
        release: Millis::seconds(600),
    };

    fn regions(of: &[u16]) -> Vec<RegionId> {
        of.iter().copied().map(RegionId).collect()
    }

    #[test]
    fn shares_round_up_and_never_to_nobody() {
        let of = |max: MaxRegions| (1..=6).map(|regions| max.of(regions)).collect::<Vec<_>>();
        assert_eq!(of(MaxRegions::Share(Permille(500))), [1, 1, 2, 2, 3, 3]);
        assert_eq!(of(MaxRegions::Share(Permille(1))), [1; 6]);
        assert_eq!(of(MaxRegions::Share(Permille(1000))), [1, 2, 3, 4, 5, 6]);
        assert_eq!(of(MaxRegions::Count(2)), [2; 6]);
    }

    #[test]
    fn a_window_slides_and_counts_a_region_once() {
        let mut governed = Governed::default();
        governed.empty(At(0), &regions(&[0]));
        governed.empty(At(30_000), &regions(&[0]));
        governed.empty(At(30_000), &regions(&[1]));
        let admits = |now, more: &[u16]| governed.admits(&RULES, 4, At(now), &regions(more));
        assert!(!admits(89_999, &[2]), "two of four were emptied less than a window ago");
        assert!(admits(89_999, &[1]), "a region that was counted is not counted again");
        assert!(admits(90_000, &[2, 3]), "and a window later neither counts");
        assert!(!admits(90_000, &[1, 2, 3]));
        assert!(governed.lets_go(&RULES, 4, At(90_000), &regions(&[1, 2, 3])), "one address that is all of them");
        assert!(!governed.lets_go(&RULES, 4, At(89_999), &regions(&[1, 2, 3])), "but not beside another region");
    }

    #[test]
    fn a_hold_ends_by_canaries_or_by_time() {
        let mut governed = Governed::default();
        governed.hold(At(1000), RegionId(2));
        governed.hold(At(5000), RegionId(2));
        let over = |now, well: Option<Answering>| governed.over(&RULES, 4, At(now), well, RegionId(2));
        assert_eq!(over(60_999, well(0, 60_999)), None);
        assert_eq!(over(61_000, well(0, 61_000)), Some(Ended::Canaries));
        assert_eq!(over(61_000, well(2000, 61_000)), None, "they have to answer for a whole window");
        assert_eq!(over(90_000, well(0, 60_000)), None, "and have not, where nothing has been heard of them since");
        assert_eq!(over(600_999, None), None);
        assert_eq!(over(601_000, None), Some(Ended::Release));
        // Where all regions may go none is held, as after a reload that raises the share.
        let under = |max| governed.over(&Governor { max_regions: max, ..RULES }, 4, At(2000), None, RegionId(2));
        assert_eq!(under(MaxRegions::Share(Permille(1000))), Some(Ended::Unlimited));
        assert_eq!(under(MaxRegions::Count(4)), Some(Ended::Unlimited));
        assert_eq!(under(MaxRegions::Share(Permille(750))), None);
        assert_eq!(governed.next(&RULES, At(1000)), Some(At(601_000)));
        governed.empty(At(580_000), &regions(&[0]));
        assert_eq!(governed.next(&RULES, At(601_000)), Some(At(640_000)), "when the window has room");
    }

    #[test]
    fn what_an_earlier_process_has_left_goes_on() {
        let ago = |millis| Past::ago(At(10), Millis(millis));
        let governed =
            Governed::resumed([(RegionId(0), ago(59_000)), (RegionId(1), ago(5000))], [(RegionId(2), ago(599_000))]);
        let lately = |now| governed.lately(&RULES, At(now)).collect::<Vec<_>>();
        assert_eq!((lately(1009), lately(1010)), (regions(&[0, 1]), regions(&[1])));
        let over = |now, well: Option<Answering>| governed.over(&RULES, 4, At(now), well, RegionId(2));
        assert_eq!((over(1009, None), over(1010, None)), (None, Some(Ended::Release)));
        assert_eq!(over(900, well(20, 900)), None, "canaries have to answer to this process for a window");
        assert_eq!(governed.next(&RULES, At(10)), Some(At(1010)));
        assert_eq!(governed.next(&RULES, At(1010)), Some(At(55_010)));
    }

    proptest! {
        /// Who asks first never empties more than the share in any window.
        #[test]
        fn no_window_sees_more_than_the_share(
            events in prop::collection::vec((0u64..40_000, 0u16..7), 0..60),
            max in prop_oneof![(1u32..5).prop_map(MaxRegions::Count), (1u32..=1000).prop_map(|parts| MaxRegions::Share(Permille(parts)))],
        ) {
            let rules = Governor { max_regions: max, ..RULES };
            let (mut governed, mut done, mut now) = (Governed::default(), Vec::new(), 0);
            for (wait, region) in events {
                now += wait;
                let more = [RegionId(region)];
                if governed.admits(&rules, 7, At(now), &more) {
                    governed.empty(At(now), &more);
                    done.push((now, region));
                }
            }
            for (end, _) in &done {
                let window = done.iter().filter(|(at, _)| at <= end && end - at < rules.window.0);
                let distinct: std::collections::BTreeSet<u16> = window.map(|(_, region)| *region).collect();
                prop_assert!(distinct.len() <= max.of(7));
            }
        }
    }
}
