//! Steered names that records of a zone file point at: what their own A and AAAA would say to this client goes along in the
//! additional section. Must not know how a decision is made, nor what fits into a reply.

use arrayvec::ArrayVec;

use super::{
    resolve::Walk,
    steer::trace::{Step, Trace},
    types::{Family, PerFamily, ServiceId},
    wire::{
        fragment::{Fragment, Held},
        reply::{List, Reply, SteeredTarget, TargetAddresses},
    },
    zone::table::NodeRef,
};

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Decides of the steered names that an RRset of a node points at. The answer is the RRset, whatever comes of it; so nothing is
    /// said before the first probe round, nor where one scope cannot speak for all of the answer (P104).
    pub(super) fn targets(&mut self, node: NodeRef<'s>, rrset: &'s Fragment, reply: &mut Reply<'s>) {
        if !self.snapshot.ready || self.is_bound() {
            return;
        }
        for extra in &rrset.extras {
            if let Held::Service(number) = extra.of
                && let Some(id) = node.service_of(number)
            {
                self.target(id, extra.at, reply);
            }
        }
    }

    /// Decides of one of them.
    fn target(&mut self, id: ServiceId, at: u16, reply: &mut Reply<'s>) -> Option<()> {
        let world: &'s _ = &*self.snapshot.world;
        let service = world.services.get(id.at())?;
        self.trace.note(|| Step::Target(id));
        let fine = self.snapshot.fine.get(id.at()).copied().unwrap_or(false);
        let client = self.client(service, fine);
        // Another client may be told otherwise, even where this one is told nothing.
        reply.scope = reply.scope.max(client.scope);
        let mut target = SteeredTarget { at, told: PerFamily::default() };
        let four = self.decide(id, service, &client, Some(Family::V4));
        let six = (!four.alike).then(|| self.decide(id, service, &client, Some(Family::V6)));
        for (family, decision) in Family::BOTH.into_iter().zip([&four, six.as_ref().unwrap_or(&four)]) {
            if self.alias(decision, service).is_some() {
                continue; // another name has the addresses, if any
            }
            let mut chosen = ArrayVec::new();
            let list = self.list(decision, service, family, &mut chosen);
            // Those of all targets share the room of one answer.
            let all = &mut reply.chosen[family];
            let first = all.len() as u8;
            if all.try_extend_from_slice(&chosen).is_ok() {
                target.told[family] = TargetAddresses { list, chosen: (first, chosen.len() as u8), ttl: decision.ttl };
            }
        }
        let told = target.told.iter().any(|told| !matches!(told.list, List::Empty));
        if told {
            let pushed = reply.targets.try_push(target);
            debug_assert!(pushed.is_ok(), "an RRset has at most MAX_TARGETS of them");
        }
        Some(())
    }
}
