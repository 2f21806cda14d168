//! A steered name: who the client is, what is decided, and the decision as parts of a reply. Must not know how a decision
//! is made.

use super::{
    resolve::{Walk, push},
    snapshot::Snapshot,
    steer::{
        self, Decision, Parts, Verdict,
        locate::{Asker, Client, Whereabouts, locate},
        policy::{Fallback, Service},
        trace::{Step, Trace},
    },
    types::{Family, Prefix, ServiceId},
    wire::{
        fragment::Fragment,
        reply::{Part, Reply},
        rr::{Rcode, RrType},
    },
    zone::table::Node,
};

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers a steered name; none where the type is the zone file's to answer. False within: not ready.
    pub(super) fn steered(&mut self, id: ServiceId, node: &'s Node, hash: u64, reply: &mut Reply<'s>) -> Option<bool> {
        let (world, subnet) = (&*self.snapshot.world, self.query.edns.as_ref().and_then(|e| e.subnet.as_ref()));
        let (service, seed) = (world.services.get(id.at())?, world.seeds.get(id.at())?);
        let family = match self.query.rtype() {
            RrType::A => Some(Family::V4),
            RrType::AAAA => Some(Family::V6),
            _ => None,
        };
        // A name that may stand for another is that for every type.
        if family.is_none() && !world.aliasing.get(id.at()).copied().unwrap_or(false) {
            return None;
        }
        if self.hops > 0 && subnet.is_some() {
            self.trace.note(|| Step::StopsBefore(id));
            return Some(true); // one scope cannot speak for the chain and for its end (P104)
        }
        if !self.snapshot.ready {
            return Some(false);
        }
        self.trace.note(|| Step::Asked(id));
        let source = Prefix::host(self.origin.source);
        let believed = world.ecs_from.iter().any(|from| from.contains(source));
        let asker = Asker { source: self.origin.source, subnet, believed };
        let fine = self.snapshot.fine.get(id.at()).copied().unwrap_or(false);
        let client = locate(&asker, service, fine, &Whereabouts::of(self.snapshot));
        self.trace.note(|| Step::Located {
            basis: client.basis,
            client: client.prefix,
            block: client.block,
            scope: client.scope,
            behind: client.behind,
        });
        let parts = Parts::of(self.snapshot);
        let asked = family.unwrap_or(Family::V4);
        let decision = steer::decide(&parts, (id, service), seed, &client, asked, self.chance, self.trace);
        if let Some(alias) = self.alias(&decision, service, id) {
            return Some(self.stand_for(alias, &client, hash, reply));
        }
        self.serve(decision, (id, service), family?, &client, node, reply);
        Some(true)
    }

    /// The other name that a decision answers with, if it does.
    fn alias(&self, decision: &Decision, service: &Service, id: ServiceId) -> Option<&'s Fragment> {
        let world: &'s _ = &*self.snapshot.world;
        let [all_down, fenced] = world.spares.get(id.at())?;
        match &decision.verdict {
            Verdict::Endpoints { pool, chosen, .. } => world.tables.get(pool.at())?.alias(*chosen.first()?),
            Verdict::AllDown if matches!(service.when_all_down, Fallback::Cname(_)) => all_down.as_ref(),
            Verdict::Fenced => fenced.as_ref(),
            Verdict::AllDown => None,
        }
    }

    /// Answers with another name, and, where no client subnet binds the answer to one scope (P104), with what stands
    /// there.
    fn stand_for(&mut self, cname: &'s Fragment, client: &Client, hash: u64, reply: &mut Reply<'s>) -> bool {
        push(reply, Part::Alias(cname));
        reply.scope = client.scope;
        let subnet = self.query.edns.as_ref().is_some_and(|edns| edns.subnet.is_some());
        let whole = matches!(self.query.rtype(), RrType::ANY | RrType::CNAME);
        whole || subnet || self.follow(hash, cname.target(), reply)
    }

    /// A decision to address records; to a negative answer where it leaves none of this family.
    fn serve(
        &mut self,
        Decision { verdict, ttl, .. }: Decision,
        (id, service): (ServiceId, &'s Service),
        family: Family,
        client: &Client,
        node: &'s Node,
        reply: &mut Reply<'s>,
    ) {
        let world = &self.snapshot.world;
        match verdict {
            Verdict::Endpoints { pool, mut chosen, living, .. } => {
                if let (Some(table), Some(row)) = (world.tables.get(pool.at()), self.snapshot.pools.get(pool.at())) {
                    let alive = if living { !row.down[family.at()] } else { u64::MAX };
                    let serves = table.has[family.at()] & alive;
                    chosen.retain(|n| serves >> *n & 1 == 1 && table.alias(*n).is_none());
                    if !chosen.is_empty() {
                        reply.chosen = chosen;
                        push(reply, Part::Chosen { family, ttl, table: &table.addresses });
                    }
                }
            }
            Verdict::AllDown => self.spare(&service.when_all_down, family, ttl, reply),
            Verdict::Fenced => {
                self.spare(service.when_fenced.as_ref().unwrap_or(&Fallback::ServFail), family, ttl, reply)
            }
        }
        if matches!(reply.rcode, Rcode::ServFail | Rcode::Refused) {
            reply.authoritative = false;
            reply.answers.clear();
        } else if matches!(reply.answers.last(), Some(Part::Chosen { .. } | Part::Listed { .. })) {
            reply.scope = client.scope;
        } else {
            self.trace.note(|| Step::NoAddress(family));
            self.negative(node, Some(id), reply);
        }
    }

    /// What is answered without a decision among endpoints.
    fn spare(&self, instead: &'s Fallback, family: Family, ttl: u32, reply: &mut Reply<'s>) {
        match instead {
            Fallback::Addresses(list) => {
                if list.iter().any(|a| Family::of(*a) == family) {
                    push(reply, Part::Listed { family, ttl, list });
                }
            }
            Fallback::NoData => {}
            Fallback::Refused => reply.rcode = Rcode::Refused,
            // The others have answered with endpoints or another name before they come here, where there is anybody.
            _ => reply.rcode = Rcode::ServFail,
        }
    }
}

impl<'s> Whereabouts<'s> {
    /// What clients are found with in a Snapshot.
    fn of(snapshot: &'s Snapshot) -> Self {
        let world = &*snapshot.world;
        Self { maps: &world.maps, plain: world.plain, resolvers: &world.resolvers }
    }
}

impl<'s> Parts<'s> {
    /// The parts of a Snapshot that a decision reads.
    #[must_use]
    pub fn of(snapshot: &'s Snapshot) -> Self {
        let world = &*snapshot.world;
        Self {
            pools: &world.pools,
            tables: &world.tables,
            rows: &snapshot.pools,
            assignments: &snapshot.assignments,
            policies: &world.policies,
            maps: &world.maps,
            ground: world.ground(),
            endpoints: &world.endpoints,
            live: &snapshot.endpoints,
        }
    }
}
