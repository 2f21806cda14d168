//! What happens to the others when a region is lost: its usual peak, moved as the policies move it, against what they can
//! take. Only where `demand` and `capacity` are configured.

use super::{super::notes::Notes, Subject};
use crate::engine::{
    geo::distance_km,
    types::RegionId,
    world::{
        Region,
        policy::{Endpoint, Key, Policy, Pool},
    },
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (at, region) in subject.world.regions.iter().enumerate() {
        let Some(demand) = region.demand.filter(|demand| *demand > 0.0) else { continue };
        let lost = RegionId(at as u16);
        let Some(label) = overload(subject, lost, demand) else { continue };
        let message = format!("losing region \"{}\" is more than the others can carry", region.name);
        let fault = notes.warning(subject.region_at(&region.name), message, label).remedy(
            "add capacity, or a policy with `shed`, which spreads a lost region's demand by what the others can spare",
        );
        notes.push(fault);
    }
}

/// What the loss of a region would overload, in words; none when all can be carried or too little is known.
fn overload(subject: &Subject<'_>, lost: RegionId, demand: f64) -> Option<String> {
    let pools: Vec<&Pool> = subject.pools().filter(|pool| weight(subject, pool, lost) > 0).collect();
    let policy = |pool: &Pool| subject.world.policies.get(pool.policy.at());
    let heirs = heirs(subject, &pools, lost);
    if heirs.is_empty() {
        let alone = format!("its demand of {demand} has nowhere to go: its pools have no endpoint in another region");
        return (!pools.is_empty()).then_some(alone);
    }
    let region = |id: &RegionId| &subject.world.regions[id.at()];
    if heirs.iter().any(|id| region(id).capacity.is_none()) {
        return None;
    }
    let room = |region: &Region, full: f64| region.capacity.unwrap_or(0.0) * full - region.demand.unwrap_or(0.0);
    let assigned = |policy: &Policy| policy.shed.is_some() || policy.prefer.iter().any(|(key, _)| *key == Key::Load);
    if pools.iter().filter_map(|pool| policy(pool)).all(assigned) {
        let shed = pools.iter().filter_map(|pool| policy(pool)?.shed).map(|[_, high]| f64::from(high) / 1000.0);
        let full = shed.fold(1.0, f64::min);
        let spare: f64 = heirs.iter().map(|id| room(region(id), full).max(0.0)).sum();
        let words = || format!("its demand of {demand} is more than the {spare} that the others can spare in all");
        return (demand > spare).then(words);
    }
    let mut worst: Option<(f64, String)> = None;
    for (id, share) in shares(subject, &pools, lost, &heirs) {
        let heir = region(&id);
        let (moved, left) = (demand * share, room(heir, 1.0));
        let over = moved - left;
        if over > 0.0 && worst.as_ref().is_none_or(|(most, _)| over > *most) {
            let (own, capacity) = (heir.demand.unwrap_or(0.0), heir.capacity.unwrap_or(0.0));
            let words = format!(
                "{} of its demand of {demand} moves to \"{}\", which has {own} itself and a capacity of {capacity}",
                moved.round(),
                heir.name
            );
            worst = Some((over, words));
        }
    }
    worst.map(|(_, words)| words)
}

/// The weight that a region has in a pool.
fn weight(subject: &Subject<'_>, pool: &Pool, region: RegionId) -> u64 {
    let inside = |endpoint: &&Endpoint| endpoint.region == region;
    subject.endpoints(pool).iter().filter(inside).map(|endpoint| u64::from(endpoint.weight)).sum()
}

/// The other regions of these pools.
fn heirs(subject: &Subject<'_>, pools: &[&Pool], lost: RegionId) -> Vec<RegionId> {
    let endpoints = pools.iter().flat_map(|pool| subject.endpoints(pool));
    let others = endpoints.filter(|endpoint| endpoint.weight > 0 && endpoint.region != lost);
    let mut found: Vec<RegionId> = others.map(|endpoint| endpoint.region).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Which share of a lost region's demand comes to whom: all to the next in order, all to the nearest by distance, or by
/// weight where nothing is preferred. Several pools count alike.
fn shares(subject: &Subject<'_>, pools: &[&Pool], lost: RegionId, heirs: &[RegionId]) -> Vec<(RegionId, f64)> {
    let mut shares: Vec<(RegionId, f64)> = heirs.iter().map(|id| (*id, 0.0)).collect();
    let each = 1.0 / pools.len() as f64;
    for pool in pools {
        let own: Vec<(RegionId, u64)> = heirs.iter().map(|id| (*id, weight(subject, pool, *id))).collect();
        let own: Vec<(RegionId, u64)> = own.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let prefer = subject.world.policies.get(pool.policy.at()).and_then(|policy| policy.prefer.first());
        let next = match prefer.map(|(key, _)| *key) {
            Some(Key::Order) => next_in_order(subject, pool, &own),
            Some(Key::Rtt | Key::Distance | Key::Geo) => nearest(subject, lost, &own),
            _ => None,
        };
        let all: u64 = own.iter().map(|(_, weight)| weight).sum();
        for (id, share) in &mut shares {
            *share += each
                * match next {
                    Some(next) => f64::from(u8::from(next == *id)),
                    None => own.iter().find(|(own, _)| own == id).map_or(0.0, |(_, w)| *w as f64 / all as f64),
                };
        }
    }
    shares
}

fn next_in_order(subject: &Subject<'_>, pool: &Pool, own: &[(RegionId, u64)]) -> Option<RegionId> {
    let others = subject.endpoints(pool).iter().filter(|endpoint| own.iter().any(|(id, _)| *id == endpoint.region));
    others.min_by_key(|endpoint| endpoint.order).map(|endpoint| endpoint.region)
}

fn nearest(subject: &Subject<'_>, lost: RegionId, own: &[(RegionId, u64)]) -> Option<RegionId> {
    let at = |id: RegionId| subject.world.regions.get(id.at()).and_then(|region| region.point.location);
    let here = at(lost)?;
    let distances: Option<Vec<(u32, RegionId)>> =
        own.iter().map(|(id, _)| Some((distance_km(here, at(*id)?), *id))).collect();
    distances?.into_iter().min().map(|(_, id)| id)
}
