//! Why a client is answered what it is answered: a question is put to the very code that serves, and what it recorded
//! becomes a value that a command line, an API or a client of ours can show. Must not know command lines, terminals or
//! how the snapshot came about.

mod because;
mod explanation;
mod steps;
mod target;
mod words;

pub use explanation::Question;
pub use explanation::{Candidate, Explanation, Located, PoolPart, Scope, Supposed, Ttl, Value};
pub use target::TargetPart;
pub use words::rests_on;

use crate::{
    client::{self, Query},
    engine::{snapshot::Snapshot, steer::trace::Recording},
};

/// Asks, and explains the answer stage by stage.
#[must_use]
pub fn explain(snapshot: &Snapshot, question: &Question) -> Explanation {
    let &Question { ref name, rtype, source, subnet, chance, transport } = question;
    let mut recording = Recording::default();
    let reply = client::ask(snapshot, &Query { name, rtype, subnet, source, transport }, chance, &mut recording);
    let octets = reply.map(|reply| reply.octets).unwrap_or_default();
    steps::explanation(&snapshot.world, question, &recording.0, &octets)
}
