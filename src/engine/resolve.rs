//! From a name to a reply: RFC 1034 4.3.2 over the table, aliases followed inside the zone, and steered names handed
//! to `steer`. One function for each outcome.

use arrayvec::ArrayVec;

use super::{
    snapshot::Snapshot,
    steer::trace::{Step, Trace, TtlFrom},
    types::{Chance, Origin, ServiceId, ZoneId},
    wire::{
        fold,
        fragment::{Fragment, Held},
        name::MAX_NAME,
        read::Query,
        reply::{Authority, MAX_PARTS, Part, Reply},
        rr::{Rcode, RrType},
    },
    zone::table::{Found, NodeRef},
};
use crate::engine::world::World;

/// A walk from the question's name along aliases.
pub(super) struct Walk<'s, 'q, T> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) query: &'q Query,
    pub(super) origin: Origin,
    pub(super) chance: Chance,
    pub(super) trace: &'q mut T,
    /// The zone of the question's name: aliases are not followed out of it.
    pub(super) zone: Option<ZoneId>,
    /// Aliases followed.
    pub(super) hops: usize,
    /// Hashes of the names that were left by an alias. A chain that comes back to one has said all it has to say.
    pub(super) left: ArrayVec<u64, MAX_PARTS>,
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers for `name`; false when a steered name cannot be answered yet.
    pub(super) fn resolve(&mut self, name: &[u8], hash: u64, reply: &mut Reply<'s>) -> bool {
        let found = self.snapshot.world.table.find(name, hash);
        let (zone, fragments) = match found {
            Found::NotOurs => (None, &[][..]),
            Found::Here(node) | Found::Cut(node) | Found::Redirect(node, _) | Found::NoName(node) => {
                (Some(node.zone()), node.fragments())
            }
        };
        if self.hops == 0 {
            (self.zone, reply.fragments) = (zone, fragments);
        } else if zone != self.zone {
            return true; // the alias leads out of the zone: its target is the resolver's to ask for (P54)
        }
        match found {
            Found::NotOurs => reply.rcode = Rcode::Refused,
            Found::Cut(node) => self.at_cut(node, name, reply),
            Found::NoName(node) => {
                reply.rcode = Rcode::NxDomain;
                self.negative(node, None, reply);
            }
            Found::Redirect(node, dname) => return self.redirect(node, dname, name, hash, reply),
            Found::Here(node) => return self.here(node, hash, reply),
        }
        true
    }

    /// The name exists, itself or by a wildcard.
    fn here(&mut self, node: NodeRef<'s>, hash: u64, reply: &mut Reply<'s>) -> bool {
        let rtype = self.query.rtype();
        reply.authoritative = true;
        if let Some(service) = node.service() {
            if let Some(done) = self.steered(service, node, hash, reply) {
                return done;
            }
            self.trace.note(|| Step::Beside(service));
        } else if node.is_reflect() {
            self.reflect(node, reply);
            return true;
        }
        if rtype == RrType::DS
            && let Some(above) = node.above()
        {
            match above {
                Ok(ds) => push(reply, Part::Rrset(ds)),
                Err((rrset, owner_len)) => authority(reply, Authority { rrset, owner_len, ttl: None }),
            }
            return true;
        }
        let alias = node.rrset(RrType::CNAME);
        if rtype == RrType::ANY && alias.is_none() && (node.has_records() || node.service().is_some()) {
            self.snapshot.world.table.minimal().into_iter().for_each(|any| push(reply, Part::Rrset(any)));
        } else if let Some(rrset) = node.rrset(rtype) {
            self.turned(rrset, reply);
            if !rrset.is_plain() {
                let stated =
                    |part: &Part<'_>| matches!(part, Part::Redirect { dname, .. } if std::ptr::eq(*dname, rrset));
                // A DNAME may lead to its own owner; it is in the answer then (RFC 2181 5).
                if reply.answers.iter().any(stated) && fold::hash(node.name()) == hash {
                    return true;
                }
                self.targets(node, rrset, reply);
            }
            push(reply, Part::Rrset(rrset));
        } else if let Some(cname) = alias {
            push(reply, Part::Alias(cname, None));
            return rtype == RrType::ANY || self.follow(hash, cname.target(), reply);
        } else {
            if self.hops == 0 {
                reply.scope = 0; // also where others are answered with another name: RFC 7871 7.4
            }
            self.negative(node, node.service(), reply);
        }
        true
    }

    /// Says which of several addresses stands first: those of an RRset, else those that go along with it.
    fn turned(&mut self, rrset: &Fragment, reply: &Reply<'_>) {
        let Some(number) = reply.turn.filter(|_| T::ON) else { return };
        let held = rrset.extras.iter().filter_map(|extra| match extra.of {
            Held::Rrset(number) => reply.fragments.get(number as usize),
            Held::Service(_) => None,
        });
        if std::iter::once(rrset).chain(held).any(Fragment::turns) {
            self.trace.note(|| Step::Turned(number));
        }
    }

    /// On from the name of this hash to an alias's target, if the chain has not been there.
    pub(super) fn follow(&mut self, from: u64, target: &[u8], reply: &mut Reply<'s>) -> bool {
        let hash = fold::hash(target);
        self.hops += 1;
        let known = self.left.try_push(from).is_err() || self.left.contains(&hash);
        known || reply.answers.len() >= MAX_PARTS - 1 || self.resolve(target, hash, reply)
    }

    /// A DNAME stands above the name (RFC 6672 3.2).
    fn redirect(
        &mut self,
        node: NodeRef<'s>,
        dname: &'s Fragment,
        name: &[u8],
        hash: u64,
        reply: &mut Reply<'s>,
    ) -> bool {
        reply.authoritative = true;
        let keep = name.len().saturating_sub(usize::from(node.name_len()));
        let mut target = ArrayVec::<u8, MAX_NAME>::new();
        let fits = keep + dname.target().len() <= MAX_NAME;
        push(reply, Part::Redirect { dname, keep: keep as u8, fits });
        if !fits {
            reply.rcode = Rcode::YxDomain;
            return true;
        }
        target.extend(name.iter().take(keep).chain(dname.target()).copied());
        let made_is_asked = matches!(self.query.rtype(), RrType::CNAME | RrType::ANY);
        made_is_asked || self.follow(hash, &target, reply)
    }

    /// A child zone begins at or above the name: only DS of the cut itself is ours (P65, P69).
    fn at_cut(&mut self, node: NodeRef<'s>, name: &[u8], reply: &mut Reply<'s>) {
        if self.query.rtype() == RrType::DS && usize::from(node.name_len()) == name.len() {
            reply.authoritative = true;
            match node.rrset(RrType::DS) {
                Some(ds) => push(reply, Part::Rrset(ds)),
                None => self.negative(node, None, reply),
            }
            return;
        }
        reply.authoritative = self.hops > 0; // as the first owner of the chain has it (P57)
        let ns = node.rrset(RrType::NS);
        ns.into_iter().for_each(|rrset| self.turned(rrset, reply));
        if let Some(rrset) = ns {
            authority(reply, Authority { rrset, owner_len: node.name_len(), ttl: None });
        }
    }

    /// NODATA or NXDOMAIN: the zone's SOA, its TTL bounded by MINIMUM (RFC 2308 3) and by a service's `ttl.min`.
    pub(super) fn negative(&mut self, node: NodeRef<'s>, service: Option<ServiceId>, reply: &mut Reply<'s>) {
        let world = &self.snapshot.world;
        reply.authoritative = true;
        let bound = service.and_then(|id| world.services.get(id.at())).map(|s| s.ttl_min);
        let Some((rrset, owner_len)) = node.negative() else { return };
        let ttl = bound.map(|ttl| ttl.min(rrset.ttl()));
        authority(reply, Authority { rrset, owner_len, ttl });
        if let Some(ttl) = ttl {
            self.trace.note(|| Step::Ttl(ttl, TtlFrom::Negative));
        }
    }
}

/// Class CH: who the server is, when it may say so; nothing else.
pub(super) fn chaos<'s>(world: &'s World, name: &[u8], rtype: RrType, reply: &mut Reply<'s>) {
    let asked = [&b"\x02id\x06server\0"[..], b"\x08hostname\x04bind\0"].iter().any(|n| fold::same(n, name));
    match &world.identity {
        Some(txt) if asked && matches!(rtype, RrType::TXT | RrType::ANY) => {
            reply.authoritative = true;
            push(reply, Part::Rrset(txt));
        }
        _ => reply.rcode = Rcode::Refused,
    }
}

/// Appends a part. The chain is bounded before it gets here, so there is always room.
pub(super) fn push<'s>(reply: &mut Reply<'s>, part: Part<'s>) {
    let pushed = reply.answers.try_push(part);
    debug_assert!(pushed.is_ok(), "a chain is bounded by MAX_PARTS");
}

/// Appends to the authority section, which has room for all that one answer can say.
fn authority<'s>(reply: &mut Reply<'s>, rrset: Authority<'s>) {
    let pushed = reply.authority.try_push(rrset);
    debug_assert!(pushed.is_ok(), "an authority section is bounded by MAX_AUTHORITY");
}
