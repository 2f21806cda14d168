//! A steered name that a record of the answer points at, and what was decided of it, in a line.

use serde::Serialize;

use super::words;
use crate::engine::{
    steer::trace::{Basis, Step},
    types::Prefix,
    world::{World, service::Service},
};

/// A steered name that a record of the answer points at.
#[derive(Clone, Debug, Serialize)]
pub struct TargetPart {
    /// The service.
    pub name: String,
    /// What moves as one.
    pub block: String,
    /// The endpoints that were chosen.
    pub endpoints: Vec<String>,
    /// How far down the ladder.
    pub rung: &'static str,
    /// The length of the block, as the client subnet option has it.
    #[serde(skip)]
    pub(super) bits: u8,
    /// Whether anything was drawn.
    #[serde(skip)]
    pub(super) drew: bool,
    #[serde(skip)]
    located: Option<(Basis, Prefix)>,
}

impl TargetPart {
    pub(super) fn new(service: &Service) -> Self {
        let name = service.name.to_string();
        Self { name, block: String::new(), endpoints: Vec::new(), rung: "", bits: 0, drew: false, located: None }
    }

    /// Takes a step of its decision.
    pub(super) fn take(&mut self, world: &World, step: &Step) {
        match step {
            Step::Located { basis, block, scope, .. } => {
                (self.block, self.bits, self.located) = (block.to_string(), *scope, Some((*basis, *block)));
            }
            // Each family may have been decided by itself.
            Step::Chosen(id) => {
                let name = world[*id].name.to_string();
                if !self.endpoints.contains(&name) {
                    self.endpoints.push(name);
                }
            }
            Step::Drew { .. } => self.drew = true,
            Step::Rung(rung) => self.rung = words::rung(*rung),
            _ => {}
        }
    }

    /// What its scope comes from.
    pub(super) fn scope(&self) -> String {
        let from = self.located.map(|(basis, block)| words::basis_in_words(basis, block).1).unwrap_or_default();
        format!("{}: {from}", self.name)
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        let who = if self.endpoints.is_empty() { "nobody".into() } else { self.endpoints.join(", ") };
        format!("{} for block {}: {who}; {}", self.name, self.block, self.rung)
    }
}
