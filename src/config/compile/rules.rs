//! Which pools share a map. Equal rules share one; beyond 64 different ones the rest share maps of full depth over all
//! their regions, so that a configuration of many region sets cannot fill the memory. Their scopes are longer than they
//! would have to be.

use super::Distinct;
use crate::engine::geo::Rule;

/// Maps with a rule of their own.
const OWN: usize = 64;
/// The most regions of one map: a set of them is one machine word.
const WIDEST: usize = 64;

/// The rules to compile, for each pool which of them is its own, and how many pools had to share.
pub(super) fn share(wanted: &[Option<Rule>]) -> (Vec<Rule>, Vec<Option<u32>>, usize) {
    let mut distinct = Distinct::new();
    let mut unions: Vec<Rule> = Vec::new();
    let mut places = Vec::new();
    for rule in wanted {
        places.push(rule.as_ref().map(|rule| {
            let is_small = rule.keys.is_empty(); // it knows special-purpose blocks only
            if is_small || distinct.kept.len() < OWN || distinct.numbers.contains_key(rule) {
                return Ok(distinct.number(rule.clone()));
            }
            let fits = |union: &&mut Rule| union.keys == rule.keys && united(union, rule).len() <= WIDEST;
            if let Some(union) = unions.iter_mut().find(fits) {
                union.regions = united(union, rule);
            } else {
                unions.push(rule.clone());
            }
            Err(rule)
        }));
    }
    for union in &mut unions {
        union.depth = union.regions.len() as u8;
        union.groups = vec![u64::MAX >> (WIDEST - union.regions.len().clamp(1, WIDEST))];
    }
    let own = distinct.kept.len();
    let holds = |union: &Rule, rule: &Rule| {
        union.keys == rule.keys && rule.regions.iter().all(|region| union.regions.contains(region))
    };
    let place = |rule: &Rule| unions.iter().position(|union| holds(union, rule)).map(|at| (own + at) as u32);
    let shared = places.iter().flatten().filter(|place| place.is_err()).count();
    let places = places.into_iter().map(|found| found.and_then(|found| found.map_or_else(place, Some))).collect();
    distinct.kept.extend(unions);
    (distinct.kept, places, shared)
}

fn united(union: &Rule, rule: &Rule) -> Vec<crate::engine::types::RegionId> {
    let mut regions: Vec<_> = union.regions.iter().chain(&rule.regions).copied().collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{geo::GeoKey, types::RegionId};

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
}
