//! What a decision rests on, where that is more than the client's own place: measurements, rules, a map that is cut. Must
//! not know the explanation's shape.

use super::words;
use crate::engine::{
    geo::{Estimator, How, SCALE_ONE},
    steer::locate::Client,
    types::{EndpointId, MapId, RouteId},
    world::{World, policy::Key},
};

/// Whose facts decide, where a map is cut so that it is not the client's own.
pub(super) fn cut(world: &World, map: MapId, client: &Client) -> Option<String> {
    let (ground, map) = (world.ground(), world.maps.get(map.at())?);
    let (own, (decider, most_of)) = (client.spot(&ground), client.decider(&ground, Some(map)));
    let place = decider.location.map_or_else(|| "unknown".into(), ToString::to_string);
    let source = if decider.source.is_empty() { "no source" } else { decider.source };
    let finer = own.leaf.len() > ground.cuts.finest[own.leaf.family()];
    let because = if finer { format!(", since {} is finer than `ecs.finest`", own.leaf) } else { String::new() };
    let why = format!("most of {most_of} decides{because}: {place} ({source} at {})", decider.leaf);
    (own.leaf != decider.leaf).then_some(why)
}

/// What the value of a key rests on, where that is more than the model from the client's own place.
pub(super) fn rests_on(
    world: &World,
    route: Option<RouteId>,
    key: Key,
    id: EndpointId,
    client: &Client,
) -> Option<String> {
    let route = world.routes.get(route?.at())?;
    let map = route.map.and_then(|id| world.maps.get(id.at()));
    let facts = client.decider(&world.ground(), map).0.facts;
    match key {
        Key::Geo => {
            let preferences = world.policies.get(route.policy.at())?.preferences.as_deref()?;
            Some(match preferences.of(&facts).0 {
                Some(selector) => format!("geo: the rule for {selector}"),
                None => "geo: the default, since no rule meets the client".into(),
            })
        }
        Key::Rtt => {
            let region = world.endpoint(id)?.1.region;
            let how = Estimator::new(&world.ground()).row(&facts, &[region]).pop()?.how;
            let plain = matches!(how, How::Modelled(_, SCALE_ONE) | How::UnknownClient | How::UnknownRegion);
            (!plain).then(|| format!("rtt to {}: {}", world.regions[region.at()].name, words::rests_on(how)))
        }
        Key::Order | Key::Distance | Key::Load | Key::Response => None,
    }
}
