//! The recorded steps of a decision to an explanation: numbers are looked up in the world, and each step goes to the part
//! that it belongs to.

use hickory_proto::op::{Message, ResponseCode};

use super::{
    because::{cut, rests_on},
    explanation::Question,
    explanation::{Candidate, Explanation, Located, PoolPart, Scope, Supposed, Ttl, Value},
    target::TargetPart,
    words::{self, admission, basis_in_words, drew, in_words, rules},
};
use crate::{
    client::records,
    engine::{
        live::eligible::{Exclusion, Standing},
        steer::{
            locate::Client,
            trace::{Lack, NoAddress, Step},
        },
        types::{EndpointId, Family, PoolId, RouteId},
        units::Admission,
        wire::rr::RrType,
        world::{World, policy::Key},
    },
};

/// An explanation in the making.
struct Steps<'a> {
    world: &'a World,
    question: &'a Question,
    told: Explanation,
    /// The client that is looked up.
    looked_up: Option<Client>,
    /// The pool that is looked at.
    looked_at: Option<RouteId>,
    /// The family whose addresses are hinted at.
    hints: Option<Family>,
    /// The family for which less was asked of the pool that answers.
    alone: Option<Family>,
    /// The key that ranks it beyond `depth`.
    beyond: Option<Key>,
}

/// Looks up what the steps' numbers mean, and reads the reply with a decoder that is not ours. `reply` is empty where
/// there is none.
pub(super) fn explanation(world: &World, question: &Question, steps: &[Step], reply: &[u8]) -> Explanation {
    let told = asked(question, reply);
    let mut all =
        Steps { world, question, told, looked_up: None, looked_at: None, hints: None, alone: None, beyond: None };
    steps.iter().for_each(|step| all.take(step));
    let mut told = all.told;
    if told.service.is_none() && told.rcode == "REFUSED" {
        told.note = Some(match question.rtype {
            RrType::AXFR | RrType::IXFR => "zones are not transferred".into(),
            _ => "no configured zone holds this name".into(),
        });
    }
    if told.answer.is_empty() && told.authority.is_empty() {
        told.ttl = None;
    }
    if let Some(longest) = told.targets.iter().max_by_key(|target| target.bits) {
        told.scope = question.subnet.map(|_| Scope { bits: longest.bits, from: longest.scope() });
    }
    if told.answer.is_empty() && told.scope.is_some() {
        let from = "negative answers are for everybody".into();
        told.scope = Some(Scope { bits: 0, from });
    }
    told
}

/// What was asked, and what came back.
fn asked(question: &Question, reply: &[u8]) -> Explanation {
    let message = Message::from_vec(reply).ok();
    let shown = |pick: fn(&Message) -> &Vec<hickory_proto::rr::Record>| {
        message.iter().flat_map(pick).map(records::line).collect()
    };
    let [answer, authority, additional] = match &message {
        Some(_) => [shown(|m| &m.answers), shown(|m| &m.authorities), shown(|m| &m.additionals)],
        None => records::sections(reply).unwrap_or_default(),
    };
    Explanation {
        name: question.name.to_string(),
        rtype: question.rtype.to_string(),
        client: question.subnet.map_or_else(|| question.source.to_string(), |subnet| subnet.to_string()),
        source: question.source.to_string(),
        supposed: Supposed::default(),
        service: None,
        location: None,
        first: Vec::new(),
        pools: Vec::new(),
        rung: None,
        rcode: match (&message, reply.get(3)) {
            (Some(message), _) => format!("{:?}", message.metadata.response_code).to_uppercase(),
            (None, Some(flags)) => format!("{:?}", ResponseCode::from_low(flags & 0xf)).to_uppercase(),
            (None, None) => "no reply".into(),
        },
        answer,
        authority,
        additional,
        targets: Vec::new(),
        note: None,
        ttl: None,
        scope: None,
        unkeyed: false,
        repeat_draw: None,
    }
}

impl Steps<'_> {
    fn take(&mut self, step: &Step) {
        let world = self.world;
        if let Step::Target(id) = step {
            self.told.targets.push(TargetPart::new(&world.services[id.at()]));
        }
        if let Some(target) = self.told.targets.last_mut() {
            return target.take(world, step);
        }
        match step {
            Step::Target(_) => {}
            Step::Asked(id) => self.told.service = Some(world.services[id.at()].name.to_string()),
            Step::Located { basis, client, block, scope, behind } => {
                let (basis, prefix, block, scope, behind) = (*basis, *client, *block, *scope, *behind);
                self.locate(Client { basis, prefix, behind, block, scope, found: None });
            }
            Step::Pool(id) => {
                (self.looked_at, self.beyond) = (Some(*id), None);
                let route = &world.routes[id.at()];
                let (pool, policy) = (&world.pools[route.pool.at()], &world.policies[route.policy.at()]);
                self.told.pools.push(PoolPart {
                    pool: pool.name.to_string(),
                    hints: self.hints.map(|family| family.to_string()),
                    policy: policy.name.to_string(),
                    rules: rules(policy),
                    catchment: None,
                    because: Vec::new(),
                    candidates: Vec::new(),
                    draws: Vec::new(),
                    keyed: false,
                    passed_over: None,
                });
            }
            Step::Catchment(map, number, prefix) => {
                let cut = self.looked_up.and_then(|client| cut(world, *map, &client));
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.catchment = Some(format!("{number} ({prefix})"));
                    pool.because.extend(cut);
                }
            }
            Step::Assigned(region, share) => {
                if let Some(pool) = self.told.pools.last_mut() {
                    let name = &world.regions[region.at()].name;
                    pool.because.push(format!("assigned: {name} takes {} of those who come to it", admission(*share)));
                }
            }
            Step::Candidate(id, verdict) => {
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.candidates.push(candidate(world, *id, *verdict));
                }
            }
            Step::BeyondDepth(key) => {
                self.beyond = Some(*key);
                let why = words::beyond_depth(*key);
                if let Some(pool) = self.told.pools.last_mut().filter(|pool| !pool.because.contains(&why)) {
                    pool.because.push(why);
                }
            }
            Step::Ranked { key, endpoint, value, kept } => self.rank(*key, *endpoint, *value, *kept),
            Step::Drew { draw, of, slot } => {
                self.told.repeat_draw.get_or_insert_with(|| format!("{draw:x}"));
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.keyed = true;
                    pool.draws.push(drew(*draw, *of, *slot));
                }
            }
            Step::Turned(number) => _ = self.told.repeat_draw.get_or_insert_with(|| format!("{number:x}")),
            Step::First { number, of } => {
                self.told.repeat_draw.get_or_insert_with(|| format!("{number:x}"));
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.draws.push(words::first(*number, *of));
                }
            }
            Step::Chosen(id) => {
                if let Some(candidate) = self.candidate(*id) {
                    (candidate.chosen, candidate.verdict) = (true, "chosen".into());
                }
            }
            Step::Refused { endpoint, number, admission } => self.refuse(*endpoint, *number, *admission),
            Step::Hints(family) => {
                // What came before was for the other one.
                self.told.pools.iter_mut().for_each(|pool| pool.hints = Some(family.other().to_string()));
                (self.hints, self.alone) = (Some(*family), None);
            }
            Step::StoodInFor(id, family) => {
                let name = &world[*id].name;
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.because
                        .push(format!("{name} is chosen for the name, and another one stands in for its {family}"));
                }
            }
            Step::PassedOver(_, lack) => {
                if let Lack::NoneAlive(family) = lack {
                    self.alone = Some(*family);
                }
                if let Some(pool) = self.told.pools.last_mut() {
                    pool.passed_over = Some(words::lack(*lack));
                }
            }
            Step::Rung(rung) => {
                self.told.rung = Some(match self.alone {
                    Some(family) => words::rung_alone(*rung, family),
                    None => words::rung(*rung),
                });
            }
            Step::Closed(id) => {
                self.told.note = Some(format!("the fence of {} keeps this client out", world.services[id.at()].name));
            }
            Step::Canary(route, taken) => {
                let which = if *taken { "of" } else { "not of" };
                let name = &world.pools[world.routes[route.at()].pool.at()].name;
                let text = format!("the block is {which} the share that pool {name} takes first");
                if !self.told.first.contains(&text) {
                    self.told.first.push(text); // each family's hints may have been decided by themselves
                }
            }
            Step::FirstChoice(id) => {
                let endpoint = &world[*id];
                let region = &world.regions[endpoint.region.at()].name;
                self.told
                    .first
                    .push(format!("the first choice is {} in {region}; the runner-up answers", endpoint.name));
            }
            Step::Beside(id) => {
                let service = &world.services[id.at()];
                let types = if service.https.is_some() { "A, AAAA and HTTPS" } else { "A and AAAA" };
                let name = &service.name;
                self.told.service = Some(format!("{name}, which answers {types}; other types are the zone file's"));
            }
            Step::Reflects(scope) => {
                self.told.service = Some(format!("none: {} tells clients what they are taken for", self.question.name));
                match scope {
                    Some(bits) => {
                        let from = "the answer is for this client alone".into();
                        self.told.scope = self.question.subnet.map(|_| Scope { bits: *bits, from });
                    }
                    None => self.told.note = Some("ecs.reflect does not allow this source".into()),
                }
            }
            Step::StopsBefore(id) => {
                let name = &world.services[id.at()].name;
                self.told.note = Some(format!(
                    "the chain ends before {name}, which is steered: with a client subnet one scope cannot speak for both"
                ));
            }
            Step::NoAddress(family, why) => {
                let name = |pool: &PoolId| &world.pools[pool.at()].name;
                self.told.note = Some(match why {
                    NoAddress::Pool(pool) => {
                        format!("pool {}, which answers the name, has no {family} address for this client", name(pool))
                    }
                    NoAddress::Lost(pool) => {
                        let rtype = if *family == Family::V4 { "A" } else { "AAAA" };
                        format!(
                            "pool {} has no {family} alive, and when_all_down has no {rtype} of its own",
                            name(pool)
                        )
                    }
                    NoAddress::Configured => format!("what is configured for this case holds no {family} address"),
                });
            }
            Step::Ttl(seconds, from) => {
                self.told.ttl = Some(Ttl { seconds: seconds.0, from: words::ttl(*from) });
            }
        }
    }

    fn locate(&mut self, client: Client) {
        let spot = client.spot(&self.world.ground());
        let Client { basis, prefix: at, block, scope, .. } = client;
        self.looked_up = Some(client);
        let (basis_text, scope_text) = basis_in_words(basis, block);
        self.told.location = Some(Located {
            basis: basis_text,
            address: at.to_string(),
            place: spot.location.map_or_else(|| "unknown".into(), ToString::to_string),
            known_from: match spot.location {
                Some(_) => format!("{} at {}", spot.source, spot.leaf),
                None if spot.special => format!("special-purpose block {}", spot.leaf),
                None => "no source knows it".into(),
            },
            block: block.to_string(),
        });
        self.told.scope = self.question.subnet.map(|_| Scope { bits: scope, from: scope_text });
    }

    fn rank(&mut self, key: Key, id: EndpointId, value: u32, kept: bool) {
        let because = self.looked_up.and_then(|client| rests_on(self.world, self.looked_at, key, id, &client));
        if let (Some(because), Some(pool)) = (because, self.told.pools.last_mut())
            && !pool.because.contains(&because)
        {
            pool.because.push(because);
        }
        let beyond = self.beyond == Some(key);
        let Some(candidate) = self.candidate(id) else { return };
        let (name, text) = in_words(key, value);
        if !candidate.values.iter().any(|known| known.key == name) {
            candidate.values.push(Value { key: name, value: text });
        }
        if candidate.out {
            return;
        }
        candidate.verdict = match (kept, beyond) {
            (true, false) => format!("in the best band by {name}"),
            (false, false) => format!("out: worse by {name}, beyond tolerance"),
            (true, true) => format!("in the best band by {name}, beyond depth"),
            (false, true) => format!("out: worse by {name}, beyond depth"),
        };
    }

    fn refuse(&mut self, id: EndpointId, number: Admission, share: Admission) {
        let Some(candidate) = self.candidate(id) else { return };
        let (takes, has) = (admission(share), admission(number));
        candidate.verdict = format!("drawn, but takes {takes} of the blocks, and this one has {has}");
    }

    /// The candidate of the pool that is looked at now.
    fn candidate(&mut self, id: EndpointId) -> Option<&mut Candidate> {
        let name = &self.world.endpoint(id)?.1.name;
        self.told.pools.last_mut()?.candidates.iter_mut().find(|c| *c.endpoint == **name)
    }
}

fn candidate(world: &World, id: EndpointId, verdict: Result<Standing, Exclusion>) -> Candidate {
    let endpoint = &world[id];
    let out = verdict.is_err();
    let (health, verdict) = words::verdict(verdict);
    Candidate {
        endpoint: endpoint.name.to_string(),
        region: world.regions[endpoint.region.at()].name.to_string(),
        weight: endpoint.weight,
        health,
        values: Vec::new(),
        verdict: verdict.into(),
        chosen: false,
        out,
    }
}
