//! A tape with its numbers looked up: the explanation as a value, which is printed for people or as JSON.

use hickory_proto::op::{Message, ResponseCode};
use serde::Serialize;

use super::{
    Explain, Question,
    because::{cut, rests_on},
    target::TargetStory,
    words::{self, admission, basis_in_words, drew, in_words, rules},
};
use crate::{
    cli::record,
    engine::{
        live::eligible::{Exclusion, Standing},
        steer::{
            locate::Client,
            trace::{Lack, NoAddress, Step},
        },
        types::{EndpointId, Family, PoolId, RouteId},
        wire::rr::RrType,
        world::{World, policy::Key},
    },
};

/// An explanation.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    /// The name that was asked for.
    pub(super) name: String,
    /// The type that was asked for.
    pub(super) rtype: String,
    /// The client, as it was given.
    pub(super) client: String,
    /// Who sent the query.
    pub(super) source: String,
    /// The endpoints that were supposed to go down.
    pub(super) down: Vec<String>,
    /// The endpoints that were supposed to be held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) held: Vec<String>,
    /// What the governor does then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) governor: Vec<String>,
    /// The service, when the name is one.
    pub(super) service: Option<String>,
    /// Where the client is taken to be.
    pub(super) location: Option<Located>,
    /// What was settled before any pool was looked at.
    pub(super) first: Vec<String>,
    /// The pools that were looked at, in order.
    pub(super) pools: Vec<PoolStory>,
    /// How far down the ladder the answer was found.
    pub(super) rung: Option<&'static str>,
    /// The response code.
    pub(super) rcode: String,
    /// The answer section.
    pub(super) answer: Vec<String>,
    /// The authority section.
    pub(super) authority: Vec<String>,
    /// The additional section.
    pub(super) additional: Vec<String>,
    /// The steered names that the answer points at.
    pub(super) targets: Vec<TargetStory>,
    /// Why a decision left no records.
    pub(super) note: Option<String>,
    /// The TTL's derivation.
    pub(super) ttl: Option<Ttl>,
    /// The ECS scope's derivation; none when the query has no option.
    pub(super) scope: Option<Scope>,
    /// Set when the draws are not the server's, for want of its secret.
    pub(super) unkeyed: bool,
    /// The draw that would give this answer again.
    pub(super) repeat_draw: Option<String>,
    /// The client that is looked up.
    #[serde(skip)]
    looked_up: Option<Client>,
    /// The pool that is looked at.
    #[serde(skip)]
    looked_at: Option<RouteId>,
    /// The family whose addresses are hinted at.
    #[serde(skip)]
    hints: Option<Family>,
    /// The family for which less was asked of the pool that answers.
    #[serde(skip)]
    alone: Option<Family>,
    /// The key that ranks it beyond `depth`.
    #[serde(skip)]
    beyond: Option<Key>,
}

/// Where the client is taken to be.
#[derive(Debug, Serialize)]
pub(super) struct Located {
    /// Whose address was used, in words.
    pub(super) basis: &'static str,
    /// The address, normalised.
    pub(super) address: String,
    /// The place, in words.
    pub(super) place: String,
    /// Which source knows it, and at which leaf.
    pub(super) known_from: String,
    /// What moves as one.
    pub(super) block: String,
}

/// One pool's part of the decision.
#[derive(Debug, Serialize)]
pub(super) struct PoolStory {
    /// Its name.
    pub(super) pool: String,
    /// Which of an HTTPS record's hints it is looked at for, where both are decided by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hints: Option<String>,
    /// The policy's name.
    pub(super) policy: String,
    /// The policy's rules, in words.
    pub(super) rules: String,
    /// The catchment that the client belongs to, and its prefix.
    pub(super) catchment: Option<String>,
    /// What values rest on, where it is more than the model.
    pub(super) because: Vec<String>,
    /// Every endpoint.
    pub(super) candidates: Vec<Candidate>,
    /// The draws, in words.
    pub(super) draws: Vec<String>,
    /// Whether any of them rests on the server's secret.
    #[serde(skip)]
    keyed: bool,
    /// Why it did not answer, where it did not.
    pub(super) passed_over: Option<&'static str>,
}

/// One endpoint's part.
#[derive(Debug, Serialize)]
pub(super) struct Candidate {
    /// Its name.
    pub(super) endpoint: String,
    /// Its region.
    pub(super) region: String,
    /// Its weight.
    pub(super) weight: u32,
    /// How it stands, or why it is out.
    pub(super) health: &'static str,
    /// Its value for each key, in the policy's order.
    pub(super) values: Vec<Value>,
    /// What became of it.
    pub(super) verdict: String,
    /// Whether it is in the answer.
    pub(super) chosen: bool,
    /// Whether it may not answer.
    #[serde(skip)]
    out: bool,
}

/// A value that ranked.
#[derive(Debug, Serialize)]
pub(super) struct Value {
    /// Which key.
    pub(super) key: &'static str,
    /// The value with its unit.
    pub(super) value: String,
}

/// Where a TTL comes from.
#[derive(Debug, Serialize)]
pub(super) struct Ttl {
    /// Seconds.
    pub(super) seconds: u32,
    /// Why.
    pub(super) from: String,
}

/// Where a scope comes from.
#[derive(Debug, Serialize)]
pub(super) struct Scope {
    /// Bits.
    pub(super) bits: u8,
    /// Why.
    pub(super) from: String,
}

impl Story {
    /// Looks up what the tape's numbers mean, and reads the reply with a decoder that is not ours.
    pub(super) fn new(
        world: &World,
        question: &Question,
        args: &Explain,
        governor: &[String],
        tape: &[Step],
        reply: &[u8],
    ) -> Self {
        let message = Message::from_vec(reply).ok();
        let records = |pick: fn(&Message) -> &Vec<hickory_proto::rr::Record>| {
            message.iter().flat_map(pick).map(record::line).collect()
        };
        let [answer, authority, additional] = match &message {
            Some(_) => [records(|m| &m.answers), records(|m| &m.authorities), records(|m| &m.additionals)],
            None => record::sections(reply).unwrap_or_default(),
        };
        let mut story = Self {
            name: question.name.to_string(),
            rtype: question.rtype.to_string(),
            client: args.client.clone(),
            source: question.source.to_string(),
            down: args.down.clone(),
            held: args.held.clone(),
            governor: governor.to_vec(),
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
            looked_up: None,
            looked_at: None,
            hints: None,
            alone: None,
            beyond: None,
        };
        for step in tape {
            story.take(world, question, step);
        }
        if story.service.is_none() && story.rcode == "REFUSED" {
            story.note = Some(match question.rtype {
                RrType::AXFR | RrType::IXFR => "zones are not transferred".into(),
                _ => "no configured zone holds this name".into(),
            });
        }
        if story.answer.is_empty() && story.authority.is_empty() {
            story.ttl = None;
        }
        if let Some(longest) = story.targets.iter().max_by_key(|target| target.bits) {
            story.scope = question.subnet.map(|_| Scope { bits: longest.bits, from: longest.scope() });
        }
        if story.answer.is_empty() && story.scope.is_some() {
            let from = "negative answers are for everybody".into();
            story.scope = Some(Scope { bits: 0, from });
        }
        story
    }

    /// Says whether the draws are made with the server's own secret.
    pub(super) fn keyed(mut self, keyed: bool) -> Self {
        let drew = self.pools.iter().any(|pool| pool.keyed) || self.targets.iter().any(|target| target.drew);
        self.unkeyed = !keyed && drew;
        self
    }

    fn take(&mut self, world: &World, question: &Question, step: &Step) {
        if let Step::Target(id) = step {
            self.targets.push(TargetStory::new(&world.services[id.at()]));
        }
        if let Some(target) = self.targets.last_mut() {
            return target.take(world, step);
        }
        match step {
            Step::Target(_) => {}
            Step::Asked(id) => self.service = Some(world.services[id.at()].name.to_string()),
            Step::Located { basis, client, block, scope, behind } => {
                let (basis, prefix, block, scope, behind) = (*basis, *client, *block, *scope, *behind);
                self.locate(world, question, Client { basis, prefix, behind, block, scope, found: None });
            }
            Step::Pool(id) => {
                (self.looked_at, self.beyond) = (Some(*id), None);
                let route = &world.routes[id.at()];
                let (pool, policy) = (&world.pools[route.pool.at()], &world.policies[route.policy.at()]);
                self.pools.push(PoolStory {
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
                if let Some(pool) = self.pools.last_mut() {
                    pool.catchment = Some(format!("{number} ({prefix})"));
                    pool.because.extend(cut);
                }
            }
            Step::Assigned(region, share) => {
                if let Some(pool) = self.pools.last_mut() {
                    let name = &world.regions[region.at()].name;
                    pool.because.push(format!("assigned: {name} takes {} of those who come to it", admission(*share)));
                }
            }
            Step::Candidate(id, verdict) => {
                if let Some(pool) = self.pools.last_mut() {
                    pool.candidates.push(candidate(world, *id, *verdict));
                }
            }
            Step::BeyondDepth(key) => {
                self.beyond = Some(*key);
                let why = words::beyond_depth(*key);
                if let Some(pool) = self.pools.last_mut().filter(|pool| !pool.because.contains(&why)) {
                    pool.because.push(why);
                }
            }
            Step::Ranked { key, endpoint, value, kept } => self.rank(world, *key, *endpoint, *value, *kept),
            Step::Drew { draw, of, slot } => {
                self.repeat_draw.get_or_insert_with(|| format!("{draw:x}"));
                if let Some(pool) = self.pools.last_mut() {
                    pool.keyed = true;
                    pool.draws.push(drew(*draw, *of, *slot));
                }
            }
            Step::Turned(number) => _ = self.repeat_draw.get_or_insert_with(|| format!("{number:x}")),
            Step::First { number, of } => {
                self.repeat_draw.get_or_insert_with(|| format!("{number:x}"));
                if let Some(pool) = self.pools.last_mut() {
                    pool.draws.push(words::first(*number, *of));
                }
            }
            Step::Chosen(id) => {
                if let Some(candidate) = self.candidate(world, *id) {
                    (candidate.chosen, candidate.verdict) = (true, "chosen".into());
                }
            }
            Step::Refused { endpoint, number, admission } => self.refuse(world, *endpoint, *number, *admission),
            Step::Hints(family) => {
                // What came before was for the other one.
                self.pools.iter_mut().for_each(|pool| pool.hints = Some(family.other().to_string()));
                (self.hints, self.alone) = (Some(*family), None);
            }
            Step::StoodInFor(id, family) => {
                let name = &world[*id].name;
                if let Some(pool) = self.pools.last_mut() {
                    pool.because
                        .push(format!("{name} is chosen for the name, and another one stands in for its {family}"));
                }
            }
            Step::PassedOver(_, lack) => {
                if let Lack::NoneAlive(family) = lack {
                    self.alone = Some(*family);
                }
                if let Some(pool) = self.pools.last_mut() {
                    pool.passed_over = Some(words::lack(*lack));
                }
            }
            Step::Rung(rung) => {
                self.rung = Some(match self.alone {
                    Some(family) => words::rung_alone(*rung, family),
                    None => words::rung(*rung),
                });
            }
            Step::Closed(id) => {
                self.note = Some(format!("the fence of {} keeps this client out", world.services[id.at()].name));
            }
            Step::Canary(route, taken) => {
                let which = if *taken { "of" } else { "not of" };
                let name = &world.pools[world.routes[route.at()].pool.at()].name;
                let text = format!("the block is {which} the share that pool {name} takes first");
                if !self.first.contains(&text) {
                    self.first.push(text); // each family's hints may have been decided by themselves
                }
            }
            Step::FirstChoice(id) => {
                let endpoint = &world[*id];
                let region = &world.regions[endpoint.region.at()].name;
                self.first.push(format!("the first choice is {} in {region}; the runner-up answers", endpoint.name));
            }
            Step::Beside(id) => {
                let service = &world.services[id.at()];
                let types = if service.https.is_some() { "A, AAAA and HTTPS" } else { "A and AAAA" };
                let name = &service.name;
                self.service = Some(format!("{name}, which answers {types}; other types are the zone file's"));
            }
            Step::Reflects(scope) => {
                self.service = Some(format!("none: {} tells clients what they are taken for", question.name));
                match scope {
                    Some(bits) => {
                        let from = "the answer is for this client alone".into();
                        self.scope = question.subnet.map(|_| Scope { bits: *bits, from });
                    }
                    None => self.note = Some("ecs.reflect does not allow this source".into()),
                }
            }
            Step::StopsBefore(id) => {
                let name = &world.services[id.at()].name;
                self.note = Some(format!(
                    "the chain ends before {name}, which is steered: with a client subnet one scope cannot speak for both"
                ));
            }
            Step::NoAddress(family, why) => {
                let name = |pool: &PoolId| &world.pools[pool.at()].name;
                self.note = Some(match why {
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
                self.ttl = Some(Ttl { seconds: *seconds, from: words::ttl(*from) });
            }
        }
    }

    fn locate(&mut self, world: &World, question: &Question, client: Client) {
        let spot = client.spot(&world.ground());
        let Client { basis, prefix: at, block, scope, .. } = client;
        self.looked_up = Some(client);
        let (basis_text, scope_text) = basis_in_words(basis, block);
        self.location = Some(Located {
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
        self.scope = question.subnet.map(|_| Scope { bits: scope, from: scope_text });
    }

    fn rank(&mut self, world: &World, key: Key, id: EndpointId, value: u32, kept: bool) {
        let because = self.looked_up.and_then(|client| rests_on(world, self.looked_at, key, id, &client));
        if let (Some(because), Some(pool)) = (because, self.pools.last_mut())
            && !pool.because.contains(&because)
        {
            pool.because.push(because);
        }
        let beyond = self.beyond == Some(key);
        let Some(candidate) = self.candidate(world, id) else { return };
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

    fn refuse(&mut self, world: &World, id: EndpointId, number: u32, share: u32) {
        let Some(candidate) = self.candidate(world, id) else { return };
        let (takes, has) = (admission(share), admission(number));
        candidate.verdict = format!("drawn, but takes {takes} of the blocks, and this one has {has}");
    }

    /// The candidate of the pool that is looked at now.
    fn candidate(&mut self, world: &World, id: EndpointId) -> Option<&mut Candidate> {
        let name = &world.endpoint(id)?.1.name;
        self.pools.last_mut()?.candidates.iter_mut().find(|c| *c.endpoint == **name)
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
