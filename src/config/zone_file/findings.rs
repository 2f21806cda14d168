//! The faults of one zone: counted, capped, put in the order of the text. Must not know what any of them is about.

use std::borrow::Cow;

use crate::{
    config::{
        fault::{Fault, Place, Severity},
        stray,
    },
    engine::wire::{name::Name, rr::RrType},
};

/// The most errors, and the most warnings, that one zone prints; the rest is counted.
const MOST: usize = 100;

/// What was found so far, and what was lost on the way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    faults: Vec<Fault>,
    errors: usize,
    warnings: usize,
    lost: Lost,
}

/// Records that faults have swallowed: what they may have held must not be called missing.
#[derive(Debug, Default)]
struct Lost {
    types: Vec<RrType>,
    anything: bool,
}

impl Findings {
    /// Takes a fault in.
    pub(super) fn push(&mut self, mut fault: Fault) {
        let labels = fault.also.iter_mut().map(|(_, label)| label).chain(&mut fault.remedy);
        for words in labels.chain([&mut fault.message, &mut fault.label]) {
            if let Cow::Owned(shown) = stray::shown(words) {
                *words = shown;
            }
        }
        let count = match fault.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= MOST {
            self.faults.push(fault);
        }
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Notes that a record of this type could not be read; without a type, that anything may be missing.
    pub(super) fn lose(&mut self, rtype: Option<RrType>) {
        match rtype {
            Some(rtype) if self.lost.types.contains(&rtype) => {}
            Some(rtype) => self.lost.types.push(rtype),
            None => self.lost.anything = true,
        }
    }

    /// Whether a record of this type may be missing only because it could not be read.
    pub(super) fn may_have_lost(&self, rtype: RrType) -> bool {
        self.lost.anything || self.lost.types.contains(&rtype)
    }

    /// Hands everything over, in the order of files and lines, with a closing fault for what the cap has hidden.
    pub(super) fn finish(mut self, apex: &Name, named: &Place, out: &mut Vec<Fault>) {
        self.faults.sort_by_key(|fault| fault.place.as_ref().map(|place| (place.file, place.span.start)));
        out.append(&mut self.faults);
        let more = |count: usize, what: &str| format!("zone {apex}: {} more {what} not shown", count - MOST);
        if self.errors > MOST {
            let fault = Fault::error(more(self.errors, "errors"), named.clone(), format!("the first {MOST} are above"));
            out.push(fault.remedy("mend those above, then check again"));
        }
        if self.warnings > MOST {
            let label = format!("the first {MOST} are above");
            out.push(Fault::warning(more(self.warnings, "warnings"), named.clone(), label));
        }
    }
}
