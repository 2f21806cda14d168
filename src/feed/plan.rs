//! What is to be polled for load, at which addresses, and which endpoints the answers are about. Pure.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use crate::{
    engine::{
        signal::load::Of,
        types::Millis,
        world::{World, endpoint::Endpoint},
    },
    node::overrides::Scope,
    probing::pull::Pull,
};

/// What is polled, and at which addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// What is asked.
    pub(super) pull: Pull,
    /// Any of these knows the answer: the first is asked until it fails, then the next, and so on around.
    pub(super) addresses: Vec<IpAddr>,
}

/// How often it is asked, and what is done with the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// From one time to the next.
    pub(super) interval: Millis,
    /// Scope the answer is about.
    pub(super) about: Vec<Scope>,
}

/// All that is to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub(super) orders: HashMap<Arc<Question>, Order>,
}

impl Plan {
    /// The plan of a configuration. Where two loads ask the same of the same addresses they share the answer, at the
    /// shorter interval.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let mut plan = Self::default();
        for load in world.loads.iter() {
            let Some(pull) = &load.pull else { continue };
            let pools = world.pools.iter().filter(|pool| pool.load == Some(load.name.clone()));
            let mut asked: Vec<(Scope, Vec<IpAddr>)> = Vec::new();
            for pool in pools {
                for endpoint in &pool.endpoints {
                    let scope = match load.of {
                        Of::Endpoint => Scope::Endpoint(pool.name.clone(), endpoint.name.clone()),
                        Of::Region => Scope::Region(region(world, endpoint)),
                    };
                    let known = match asked.iter().position(|(known, _)| *known == scope) {
                        Some(known) => known,
                        None => {
                            asked.push((scope, Vec::new()));
                            asked.len() - 1
                        }
                    };
                    let addresses = &mut asked[known].1;
                    let others: Vec<IpAddr> =
                        endpoint.reach.into_iter().flatten().filter(|address| !addresses.contains(address)).collect();
                    addresses.extend(others);
                }
            }
            for (scope, addresses) in asked.into_iter().filter(|(_, addresses)| !addresses.is_empty()) {
                plan.add(Question { pull: pull.clone(), addresses }, load.interval, scope);
            }
        }
        plan
    }

    pub(super) fn add(&mut self, question: Question, interval: Millis, scope: Scope) {
        let order = self.orders.entry(Arc::new(question)).or_insert(Order { interval, about: Vec::new() });
        order.interval = order.interval.min(interval);
        if !order.about.contains(&scope) {
            order.about.push(scope);
        }
    }
}

fn region(world: &World, endpoint: &Endpoint) -> Box<str> {
    world.regions.get(endpoint.region.at()).map(|region| region.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        signal::load::Load,
        types::{PerFamily, RegionId},
        world::{
            Draft, Region,
            policy::Policy,
            pool::{Pool, Threshold},
        },
    };

    fn world(of: Of) -> World {
        let endpoint = |name: &str, region: u16, v4: u8, v6: bool| Endpoint {
            name: name.into(),
            region: RegionId(region),
            reach: PerFamily::new(
                Some([192, 0, 2, v4].into()),
                v6.then(|| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
            ),
            weight: 100,
            ..Endpoint::default()
        };
        let endpoints = [
            endpoint("e", 0, 1, true),
            endpoint("f", 0, 2, false),
            endpoint("u", 1, 3, false),
            endpoint("u", 1, 3, false),
            endpoint("x", 1, 4, false),
            Endpoint { name: "nowhere".into(), ..Endpoint::default() },
            endpoint("y", 0, 5, false),
        ];
        let pool = |name: &str, first: usize, count: usize, load: Option<&str>| Pool {
            name: name.into(),
            endpoints: endpoints[first..first + count].to_vec(),
            load: load.map(Box::from),
            min_healthy: Threshold::ONE,
            ..Pool::default()
        };
        let load = |name: &str, pull, interval| Load {
            name: name.into(),
            pull,
            interval,
            of,
            max_age: Millis(10_000),
            smooth: Millis(0),
        };
        World::seal(Draft {
            regions: ["eu", "us"].map(|name| Region { name: name.into(), ..Region::default() }).into(),
            loads: vec![
                load("a", Some(Pull::Agent(1)), Millis(2000)),
                load("b", Some(Pull::Agent(1)), Millis(1000)),
                load("c", None, Millis(500)),
            ],
            pools: vec![
                pool("one", 0, 3, Some("a")),
                pool("pushed", 4, 1, Some("c")),
                pool("silent", 6, 1, None),
                pool("two", 3, 1, Some("b")),
                pool("void", 5, 1, Some("a")),
            ],
            policies: vec![Policy::default()],
            ..Draft::default()
        })
    }

    fn shown(plan: &Plan) -> Vec<String> {
        let mut shown: Vec<String> = plan
            .orders
            .iter()
            .map(|(question, order)| {
                let about: Vec<String> = order.about.iter().map(ToString::to_string).collect();
                format!("{:?} {} {}", question.addresses, order.interval.0, about.join(", "))
            })
            .collect();
        shown.sort();
        shown
    }

    #[test]
    fn the_same_question_is_asked_once_and_is_about_all_who_want_it() {
        assert_eq!(
            shown(&Plan::of(&world(Of::Endpoint))),
            ["[192.0.2.1, 2001:db8::1] 2000 one/e", "[192.0.2.2] 2000 one/f", "[192.0.2.3] 1000 one/u, two/u",]
        );
    }

    #[test]
    fn a_region_is_asked_about_once_by_any_of_its_endpoints() {
        assert_eq!(
            shown(&Plan::of(&world(Of::Region))),
            ["[192.0.2.1, 2001:db8::1, 192.0.2.2] 2000 region eu", "[192.0.2.3] 1000 region us"]
        );
    }
}
