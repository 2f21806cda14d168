//! What an earlier process believed: who counted as what it was not found to be, which regions were emptied lately and
//! which are held. Must not know how it was saved.
//!
//! A restart is no way round the governor: who counted as up goes on doing so, windows and holds go on from when they
//! began. Nor does it make anybody wait anew: who counted as down does so at once.

use std::collections::HashMap;

use super::super::Ledger;
use crate::{
    engine::{
        health::{fold::Health, governor::Governed},
        types::{At, Past, TargetId},
    },
    node::change::{Change, Keeper},
};

impl Ledger {
    /// Takes over what is known of governor and beliefs, for targets whose records were taken over just now. `kept`: who
    /// was found down and counted as something else.
    pub(in crate::node::ledger) fn resume_beliefs(
        &mut self,
        now: At,
        targets: &[TargetId],
        governed: Governed,
        kept: &HashMap<TargetId, Health>,
        changes: &mut Vec<Change>,
    ) {
        self.facts.beliefs.resume(governed, &self.index.seats);
        for id in targets {
            // In the order of targets, so that a canary of a canary's monitor has been looked at before it is.
            self.watch(now, *id, *id, changes);
            let record = &self.facts.records[id.at()];
            let found = record.health;
            let fell = record.fall.map(|fall| Past::ago(fall.at, fall.before));
            let counts =
                kept.get(id).copied().filter(|_| found == Health::Down && !self.index.users[id.at()].is_empty());
            self.facts.beliefs.take(now, *id, counts.unwrap_or(found));
            if counts.is_some() {
                // What was held gave way to later pools, and goes on doing so before a canary has answered this process.
                let held = self.facts.beliefs.is_held(&self.regions_of(*id));
                self.facts.beliefs.keep(*id, if held { Keeper::Governor } else { Keeper::Canaries });
            } else if found == Health::Down {
                self.facts.beliefs.fell(*id, fell);
            }
        }
        self.judge(now, None, changes);
        self.redraw(now, changes);
        for (region, since) in self.facts.beliefs.governed().held() {
            changes.push(self.hold(now, region, Some(since.until(now))));
        }
    }
}
