//! A steered name: who the client is, what is decided, and the decision as parts of a reply. Must not know how a decision
//! is made.

use arrayvec::ArrayVec;

use super::{
    resolve::{Walk, push},
    steer::{
        self, Decision, Parts, Verdict,
        locate::{Asker, Client, Whereabouts, locate},
        trace::{NoAddress, Step, Trace},
    },
    types::{Family, PerFamily, PoolId, Prefix, RouteId, ServiceId},
    wire::{
        edns::Notice,
        fragment::Fragment,
        reply::{Counted, List, Part, Reply},
        rr::{Rcode, RrType},
    },
    zone::table::NodeRef,
};
use crate::engine::{
    units::Ttl,
    world::service::{Fallback, Https, Service},
};

/// What is asked of a steered name.
#[derive(Clone, Copy)]
enum QueryFor<'s> {
    /// The addresses of a family.
    Addresses(Family),
    /// Type 65, where the service has it.
    Https(&'s Https),
    /// A type of the zone file's, at a name that may stand for another: then it does for every type.
    Alias,
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers a steered name; none where the type is the zone file's to answer. False within: not ready.
    pub(super) fn steered(
        &mut self,
        id: ServiceId,
        node: NodeRef<'s>,
        hash: u64,
        reply: &mut Reply<'s>,
    ) -> Option<bool> {
        let world: &'s _ = &*self.snapshot.world;
        let service = world.services.get(id.at())?;
        let wanted = match (self.query.rtype(), &service.https) {
            (RrType::A, _) => QueryFor::Addresses(Family::V4),
            (RrType::AAAA, _) => QueryFor::Addresses(Family::V6),
            (RrType::HTTPS, Some(https)) => QueryFor::Https(https),
            _ if service.table.may_alias => QueryFor::Alias,
            _ => return None,
        };
        if self.is_bound() {
            self.trace.note(|| Step::StopsBefore(id));
            return Some(true); // one scope cannot speak for the chain and for its end (P104)
        }
        if !self.snapshot.ready {
            return Some(false);
        }
        self.trace.note(|| Step::Asked(id));
        let fine = self.snapshot.fine.get(id.at()).copied().unwrap_or(false);
        let client = self.client(service, fine);
        let family = match wanted {
            QueryFor::Addresses(family) => Some(family),
            QueryFor::Https(https) if https.hints => Some(Family::V4),
            QueryFor::Https(_) | QueryFor::Alias => None,
        };
        let decision = self.decide(id, service, &client, family);
        reply.notice = self.notice(&decision, service);
        // Addresses and other names send clients somewhere; an HTTPS record is asked for beside them and would count twice.
        if let (Verdict::Endpoints { route, catchment }, QueryFor::Addresses(_) | QueryFor::Alias) =
            (&decision.verdict, wanted)
        {
            reply.counted = Some(Counted { route: *route, catchment: *catchment, ttl: decision.ttl });
        }
        if let Some(alias) = self.alias(&decision, service) {
            return Some(self.stand_for(alias, decision.ttl, &client, hash, reply));
        }
        let answered = match wanted {
            QueryFor::Addresses(family) => self.addresses(&decision, service, family, reply),
            QueryFor::Https(https) => self.https(decision, (id, service, https), &client, reply),
            QueryFor::Alias => {
                reply.counted = None;
                // Other clients may be answered with another name: the answer is for the block alone.
                reply.scope = client.scope;
                return None;
            }
        };
        if answered {
            reply.scope = client.scope;
        } else if reply.rcode == Rcode::NoError {
            reply.counted = None;
            self.negative(node, Some(id), reply);
        } else {
            reply.authoritative = false;
            reply.answers.clear();
        }
        Some(true)
    }

    /// Whether the walk is behind an alias, and the query has a client subnet: nothing is decided there (P104).
    pub(super) fn is_bound(&self) -> bool {
        self.hops > 0 && self.query.edns.as_ref().is_some_and(|edns| edns.subnet.is_some())
    }

    /// Who the client of the query is to a service.
    pub(super) fn client(&mut self, service: &Service, fine: bool) -> Client {
        let world = &*self.snapshot.world;
        let source = Prefix::host(self.origin.source);
        let subnet = self.query.edns.as_ref().and_then(|edns| edns.subnet.as_ref());
        let believed = subnet.is_some() && world.ecs_from.iter().any(|from| from.contains(source));
        let asker = Asker { source, subnet, believed };
        let client = locate(&asker, service, fine, &Whereabouts::of(&self.snapshot.world));
        self.trace.note(|| Step::Located {
            basis: client.basis,
            client: client.prefix,
            block: client.block,
            scope: client.scope,
            behind: client.behind,
        });
        client
    }

    /// Decides for a client: for addresses of a family, or for the name.
    pub(super) fn decide(
        &mut self,
        id: ServiceId,
        service: &Service,
        client: &Client,
        family: Option<Family>,
    ) -> Decision {
        let parts = Parts::of(self.snapshot);
        match family {
            Some(family) => steer::decide(&parts, (id, service), client, family, self.chance, self.trace),
            None => steer::decide_name(&parts, (id, service), client, self.chance, self.trace),
        }
    }

    /// What people should know of what a decision rests on.
    fn notice(&self, decision: &Decision, service: &Service) -> Option<Notice> {
        let of = |route: &RouteId| Some(self.snapshot.world.routes.get(route.at())?.pool);
        let pool = match &decision.verdict {
            Verdict::Endpoints { route, .. } => of(route)?,
            Verdict::Listed { pool } | Verdict::NoAddress { pool } => *pool,
            Verdict::AllDown | Verdict::Fenced => of(service.routes.first()?)?,
        };
        let notice = |pool: PoolId| self.snapshot.pools.get(pool.at())?.notice;
        notice(pool).or_else(|| notice(decision.held?))
    }

    /// The other name that a decision answers with, if it does.
    pub(super) fn alias(&self, decision: &Decision, service: &'s Service) -> Option<&'s Fragment> {
        let world: &'s _ = &*self.snapshot.world;
        match decision.verdict {
            Verdict::Endpoints { route, .. } => world.pool_of(route)?.table.alias(*decision.chosen.first()?),
            Verdict::AllDown => service.table.all_down.as_ref(),
            Verdict::Listed { .. } | Verdict::NoAddress { .. } => None,
            Verdict::Fenced => service.table.fenced.as_ref(),
        }
    }

    /// Answers with another name, and, where no client subnet binds the answer to one scope (P104), with what stands
    /// there.
    fn stand_for(&mut self, cname: &'s Fragment, ttl: Ttl, client: &Client, hash: u64, reply: &mut Reply<'s>) -> bool {
        push(reply, Part::Alias(cname, Some(ttl)));
        reply.scope = client.scope;
        let subnet = self.query.edns.as_ref().is_some_and(|edns| edns.subnet.is_some());
        let whole = matches!(self.query.rtype(), RrType::ANY | RrType::CNAME);
        whole || subnet || self.follow(hash, cname.target(), reply)
    }

    /// A decision to address records; false where it leaves none of this family, or only a code.
    fn addresses(&mut self, decision: &Decision, service: &'s Service, family: Family, reply: &mut Reply<'s>) -> bool {
        let list = self.list(decision, service, family, &mut reply.chosen[family]);
        if list.is_empty() {
            reply.rcode = code(decision, service);
            if reply.rcode == Rcode::NoError && matches!(decision.verdict, Verdict::AllDown | Verdict::Fenced) {
                self.trace.note(|| Step::NoAddress(family, NoAddress::Configured));
            }
            return false;
        }
        if T::ON
            && let (List::Listed(listed), Some(number)) = (list, reply.turn)
            && listed.iter().filter(|address| Family::of(**address) == family).count() > 1
        {
            self.trace.note(|| Step::Turned(number));
        }
        push(reply, Part::Addresses { family, ttl: decision.ttl, list });
        true
    }

    /// A decision to an HTTPS record, with the addresses that A and AAAA are answered with as hints: each hint is of its
    /// type's own choice.
    fn https(
        &mut self,
        four: Decision,
        (id, service, https): (ServiceId, &'s Service, &'s Https),
        client: &Client,
        reply: &mut Reply<'s>,
    ) -> bool {
        let six = if https.hints && !four.alike {
            self.trace.note(|| Step::Hints(Family::V6));
            Some(self.decide(id, service, client, Some(Family::V6)))
        } else {
            None
        };
        let six = six.as_ref().unwrap_or(&four);
        let mut hints = PerFamily::new(List::Empty, List::Empty);
        let (mut ttl, mut stands) = (Ttl::MAX, false);
        for (family, decision) in Family::BOTH.into_iter().zip([&four, six]) {
            let spare = fallback(decision, service);
            if spare.is_none_or(|spare| matches!(spare, Fallback::Addresses(_))) {
                (ttl, stands) = (ttl.min(decision.ttl), true);
                if https.hints {
                    hints[family] = self.list(decision, service, family, &mut reply.chosen[family]);
                }
            }
        }
        if !stands {
            reply.rcode = code(&four, service);
            return false;
        }
        reply.hints = hints;
        push(reply, Part::Https { ttl, head: &service.table.https });
        true
    }

    /// The addresses of a family that a decision comes to, and in `told` whose they are, where endpoints answer.
    pub(super) fn list(
        &self,
        decision: &Decision,
        service: &'s Service,
        family: Family,
        told: &mut ArrayVec<u8, 64>,
    ) -> List<'s> {
        let world: &'s _ = &*self.snapshot.world;
        if let Verdict::Endpoints { route, .. } = decision.verdict {
            let Some(pool) = world.pool_of(route) else { return List::Empty };
            _ = told.try_extend_from_slice(&decision.chosen); // there is room for all of a pool
            return if told.is_empty() { List::Empty } else { List::Chosen(&pool.table.addresses) };
        }
        match fallback(decision, service) {
            Some(Fallback::Addresses(list)) if list.iter().any(|a| Family::of(*a) == family) => List::Listed(list),
            _ => List::Empty,
        }
    }
}

/// What is answered without a decision among endpoints.
fn fallback<'s>(decision: &Decision, service: &'s Service) -> Option<&'s Fallback> {
    match decision.verdict {
        Verdict::Endpoints { .. } | Verdict::NoAddress { .. } => None,
        Verdict::AllDown | Verdict::Listed { .. } => Some(&service.when_all_down),
        Verdict::Fenced => Some(service.when_fenced.as_ref().unwrap_or(&Fallback::ServFail)),
    }
}

/// The code of an answer that holds nothing.
fn code(decision: &Decision, service: &Service) -> Rcode {
    match fallback(decision, service) {
        None | Some(Fallback::Addresses(_) | Fallback::NoData) => Rcode::NoError,
        Some(Fallback::Refused) => Rcode::Refused,
        // The others have answered with endpoints or another name before they come here, where there is anybody.
        Some(_) => Rcode::ServFail,
    }
}
