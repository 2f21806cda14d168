//! What one pool asks of its map: which regions are compared by what, behind which fences. Must not know which pools
//! share a map.

use std::collections::{BTreeMap, BTreeSet};

use super::super::check::{MeantEndpoint, MeantPool};
use crate::engine::{
    geo::{Fence, GeoKey, Rule},
    types::RegionId,
    world::{
        Region,
        policy::{Key, Policy},
    },
};

/// What the map of a pool under a policy is made for; none when neither the policy nor a fence asks where a client is. One that asks for the
/// block alone gets the map that knows only special-purpose blocks.
pub(super) fn rule(pool: &MeantPool, policy: &Policy, regions: &[Region]) -> Option<Rule> {
    let (fences, stood) = stood(pool, regions);
    if !policy.asks_location() && fences.is_empty() {
        return asks_block(policy).then(Rule::default);
    }
    let chosen: Vec<&MeantEndpoint> = chosen(pool).collect();
    let mut compared: Vec<RegionId> = chosen.iter().map(|endpoint| RegionId(endpoint.region as u16)).collect();
    compared.sort();
    compared.dedup();
    let keys = policy.prefer.iter().filter_map(|(key, tolerance)| match key {
        Key::Order | Key::Load | Key::Response => None,
        Key::Geo => Some((GeoKey::Geo, 0)),
        Key::Rtt => Some((GeoKey::Rtt, *tolerance)),
        Key::Distance => Some((GeoKey::Distance, *tolerance)),
    });
    // Where `order` comes first, only endpoints of one position are ever compared by the keys behind it.
    let apart = policy.prefer.first().is_some_and(|(key, _)| *key == Key::Order);
    let mut groups: BTreeMap<u32, u64> = BTreeMap::new();
    let mut behind: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); if fences.is_empty() { 0 } else { compared.len() }];
    for (endpoint, stands) in chosen.iter().zip(stood) {
        let Some(at) = compared.iter().position(|region| region.at() == endpoint.region) else { continue };
        *groups.entry(if apart { endpoint.order } else { 0 }).or_default() |= 1_u64.checked_shl(at as u32).unwrap_or(0);
        if let Some(sets) = behind.get_mut(at) {
            sets.insert(stands);
        }
    }
    let mut groups: Vec<u64> = groups.into_values().collect();
    groups.sort_unstable();
    groups.dedup();
    Some(Rule {
        keys: keys.collect(),
        groups,
        depth: policy.depth,
        regions: compared,
        preferences: policy.preferences.clone(),
        fences,
        behind: behind.into_iter().map(|sets| sets.into_iter().collect()).collect(),
        limits: policy.limits,
    })
}

/// What tells whether a service is closed to a client.
pub(super) fn gate(fence: &Fence) -> Option<Rule> {
    (!fence.is_open()).then(|| Rule { fences: vec![fence.clone()], ..Rule::default() })
}

/// The distinct fences of a pool, and for each endpoint that can be chosen which of them it stands behind, as bits.
fn stood(pool: &MeantPool, regions: &[Region]) -> (Vec<Fence>, Vec<u64>) {
    let own: Vec<Vec<Fence>> = chosen(pool).map(|endpoint| pool.fences_of(endpoint, regions)).collect();
    let mut distinct: Vec<Fence> = own.iter().flatten().cloned().collect();
    distinct.sort();
    distinct.dedup();
    let bit = |fence: &Fence| {
        let at = distinct.binary_search(fence).ok().and_then(|at| u32::try_from(at).ok());
        at.and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
    };
    let bits = own.iter().map(|fences| fences.iter().map(bit).fold(0, |set, bit| set | bit)).collect();
    (distinct, bits)
}

fn chosen(pool: &MeantPool) -> impl Iterator<Item = &MeantEndpoint> {
    pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
}

/// Whether blocks move between endpoints that are not equally good: by shed, ramp or assignment.
fn moves(policy: &Policy) -> bool {
    !policy.admits_all()
}

fn asks_block(policy: &Policy) -> bool {
    policy.asks_block() || moves(policy)
}

/// Whether the client's block decides among endpoints of the pool, or whether it is passed over for another one.
pub(super) fn splits(pool: &MeantPool, policy: &Policy, has_others: bool) -> bool {
    let several = chosen(pool).nth(1).is_some();
    if moves(policy) && (several || has_others) {
        return true;
    }
    let ordered = policy.prefer.iter().any(|(key, _)| *key == Key::Order);
    let mut places: BTreeSet<u32> = BTreeSet::new();
    let mut shared = chosen(pool).map(|endpoint| if ordered { endpoint.order } else { 0 });
    policy.asks_block() && shared.any(|place| !places.insert(place))
}
