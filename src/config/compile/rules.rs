//! Which pools share a map. Equal rules share one; beyond 64 different ones the rest share maps of full depth over all
//! their regions, so that a configuration of many region sets cannot fill the memory. Their scopes are longer than they
//! would have to be.

use super::distinct::Distinct;
use crate::engine::{geo::Rule, types::RegionId};

/// Maps with a rule of their own.
const OWN: usize = 64;
/// The most regions of one map: a set of them is one machine word.
const WIDEST: usize = 64;

/// The most fences of one map, for the same reason.
const FENCES: usize = 64;

/// The rules to compile, for each pool which of them is its own, and how many pools had to share.
pub(super) fn share(wanted: &[Option<Rule>]) -> (Vec<Rule>, Vec<Option<u32>>, usize) {
    let mut distinct = Distinct::new();
    let mut unions: Vec<Rule> = Vec::new();
    let mut places = Vec::new();
    for rule in wanted {
        places.push(rule.as_ref().map(|rule| {
            let is_small = rule.regions.is_empty(); // it knows special-purpose blocks only, or one fence
            if is_small || distinct.kept.len() < OWN || distinct.numbers.contains_key(rule) {
                return Ok(distinct.number(rule.clone()));
            }
            let both = |(at, union): (usize, &Rule)| united(union, rule).map(|both| (at, both));
            let at = match unions.iter().enumerate().find_map(both) {
                Some((at, both)) => {
                    unions[at] = both;
                    at
                }
                None => {
                    unions.push(whole(rule));
                    unions.len() - 1
                }
            };
            Err(at)
        }));
    }
    let own = distinct.kept.len();
    let shared = places.iter().flatten().filter(|place| place.is_err()).count();
    let places =
        places.into_iter().map(|found| found.map(|found| found.unwrap_or_else(|at| (own + at) as u32))).collect();
    distinct.kept.extend(unions);
    (distinct.kept, places, shared)
}

/// A rule that keeps the order of all its regions, whichever of them meet.
fn whole(rule: &Rule) -> Rule {
    Rule {
        depth: rule.regions.len() as u8,
        groups: vec![u64::MAX >> (WIDEST - rule.regions.len().clamp(1, WIDEST))],
        ..rule.clone()
    }
}

/// The rule that serves both, if one can: they rank alike, and their regions and fences are not too many.
fn united(one: &Rule, other: &Rule) -> Option<Rule> {
    if one.keys != other.keys || one.preferences != other.preferences || one.limits != other.limits {
        return None;
    }
    let regions = merged(&one.regions, &other.regions);
    let fences = merged(&one.fences, &other.fences);
    if regions.len() > WIDEST || fences.len() > FENCES {
        return None;
    }
    // What a region's endpoints stand behind in either rule, in the bits of the new one.
    let behind = |region: &RegionId| {
        let stands = |rule: &Rule| -> Vec<u64> {
            let Some(at) = rule.regions.iter().position(|known| known == region) else { return Vec::new() };
            let Some(sets) = rule.behind.get(at) else { return vec![0] };
            let moved = |set: &u64| {
                let own = rule.fences.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
                let bits = own.filter_map(|(_, fence)| fences.iter().position(|known| known == fence));
                bits.fold(0, |set, bit| set | 1 << bit)
            };
            sets.iter().map(moved).collect()
        };
        merged(&stands(one), &stands(other))
    };
    let behind = if fences.is_empty() { Vec::new() } else { regions.iter().map(behind).collect() };
    Some(whole(&Rule { regions, fences, behind, ..one.clone() }))
}

fn merged<T: Clone + Ord>(one: &[T], other: &[T]) -> Vec<T> {
    let mut both: Vec<T> = one.iter().chain(other).cloned().collect();
    both.sort_unstable();
    both.dedup();
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::geo::{Fence, GeoKey, Selector};

    fn rule(regions: &[u16], tolerance: u32) -> Rule {
        Rule {
            regions: regions.iter().map(|n| RegionId(*n)).collect(),
            keys: vec![(GeoKey::Rtt, tolerance)],
            groups: vec![(1 << regions.len()) - 1],
            depth: 3,
            ..Rule::default()
        }
    }

    #[test]
    fn equal_rules_share_and_the_rest_beyond_64_unite() {
        let mut wanted: Vec<_> = (0..64).map(|n| Some(rule(&[n, n + 1], 100))).collect();
        wanted.extend([None, Some(rule(&[0, 1], 100))]);
        let (rules, places, shared) = share(&wanted);
        assert_eq!((rules.len(), shared, places[64], places[65]), (64, 0, None, Some(0)));

        wanted.extend([Some(rule(&[70, 71], 100)), Some(rule(&[71, 80], 100)), Some(rule(&[70, 90], 0))]);
        let (rules, places, shared) = share(&wanted);
        assert_eq!((rules.len(), shared), (66, 3));
        assert_eq!(places[66..], [Some(64), Some(64), Some(65)]);
        assert_eq!((rules[64].regions.len(), rules[64].depth, &*rules[64].groups), (3, 3, &[0b111][..]));
    }

    #[test]
    fn a_union_holds_64_regions_at_most() {
        let mut wanted: Vec<_> = (0..64).map(|n| Some(rule(&[n], n.into()))).collect();
        wanted.extend((0..100).map(|n| Some(rule(&[n, n + 100], 5000))));
        let (rules, places, shared) = share(&wanted);
        assert_eq!((rules.len(), shared), (64 + 4, 100));
        assert!(
            rules[64..].iter().all(|rule| rule.regions.len() <= 64 && usize::from(rule.depth) == rule.regions.len())
        );
        assert!(places.iter().all(Option::is_some));
    }

    #[test]
    fn a_union_keeps_every_fence_and_who_stands_behind_it() {
        let fence = |code: &[u8; 2]| Fence { only: vec![Selector::Country(*code)], never: Vec::new() };
        let fenced = |regions: &[u16], fences: &[&[u8; 2]], behind: &[&[u64]]| Rule {
            fences: fences.iter().map(|code| fence(code)).collect(),
            behind: behind.iter().map(|sets| sets.to_vec()).collect(),
            ..rule(regions, 1)
        };
        let mut wanted: Vec<_> = (0..64).map(|n| Some(rule(&[n], 100 + u32::from(n)))).collect();
        wanted.push(Some(fenced(&[1, 2], &[b"DE", b"SE"], &[&[0b01], &[0b10, 0b11]])));
        wanted.push(Some(fenced(&[2, 3], &[b"FR", b"SE"], &[&[0b01], &[0b10]])));
        wanted.push(Some(rule(&[3, 4], 1)));
        let (rules, places, shared) = share(&wanted);
        assert_eq!((rules.len(), shared, &places[64..]), (65, 3, &[Some(64); 3][..]));
        assert_eq!(rules[64].fences, [fence(b"DE"), fence(b"FR"), fence(b"SE")]);
        assert_eq!(rules[64].behind, [vec![0b001], vec![0b010, 0b100, 0b101], vec![0, 0b100], vec![0]]);
    }
}
