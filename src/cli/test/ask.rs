//! A question put to the engine as a packet, and its answer as a client reads it, with a decoder that is not ours.

use std::net::IpAddr;

use hickory_proto::{
    op::Message,
    rr::{
        RData,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};

use super::line::Question;
use crate::{
    client::{self, Query, Reply, records},
    engine::{
        snapshot::Snapshot,
        steer::trace::{Basis, Silent, Step, Tape},
        types::{Chance, EndpointId, Transport},
        wire::{reply::Counted, rr::Rcode},
    },
};

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) rcode: Rcode,
    /// The addresses of the answer section, in order.
    pub(super) addresses: Vec<IpAddr>,
    /// The first alias's target.
    pub(super) cname: Option<String>,
    /// The records of other types: texts as one, others as dig would print their data.
    pub(super) texts: Vec<String>,
    /// The TTL of the answer, or of the SOA of a negative one.
    pub(super) ttl: Option<u32>,
    /// The scope of the client subnet option, where there is one.
    pub(super) scope: Option<u8>,
}

/// An answer and how it came about.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) answer: Answer,
    pub(super) steps: Vec<Step>,
    /// What a transport counts of it.
    pub(super) counted: Option<Counted>,
}

impl Told {
    /// The endpoints that are in the answer, in the order of the draw, each once: hints of both families may name one.
    pub(super) fn chosen(&self) -> Vec<EndpointId> {
        let mut chosen = Vec::new();
        for step in &self.steps {
            if let Step::Chosen(id) = step
                && !chosen.contains(id)
            {
                chosen.push(*id);
            }
        }
        chosen
    }

    /// Whose address spoke for the client, and the scope of the decision; none where none was made.
    pub(super) fn located(&self) -> Option<(Basis, u8)> {
        self.steps.iter().find_map(|step| match step {
            Step::Located { basis, scope, .. } => Some((*basis, *scope)),
            _ => None,
        })
    }
}

/// Asks, and listens. None: not ready. An error where listening changed the reply, which nothing may.
pub(super) fn listen(snapshot: &Snapshot, question: &Question, chance: Chance) -> Result<Option<Told>, String> {
    let query = Query {
        name: &question.name,
        rtype: question.rtype,
        subnet: question.subnet,
        source: question.source,
        transport: Transport::Tcp,
    };
    let mut tape = Tape::default();
    let reply = client::ask(snapshot, &query, chance, &mut tape);
    if reply != client::ask(snapshot, &query, chance, &mut Silent) {
        return Err("the reply is another one when nobody listens".into());
    }
    let Some(Reply { octets, rcode, counted }) = reply else { return Ok(None) };
    let answer = decode(rcode, &octets)?;
    Ok(Some(Told { answer, steps: tape.0, counted }))
}

fn decode(rcode: Rcode, octets: &[u8]) -> Result<Answer, String> {
    let message = Message::from_vec(octets).map_err(|error| format!("the reply cannot be decoded: {error}"))?;
    let mut answer = Answer { rcode, addresses: Vec::new(), cname: None, texts: Vec::new(), ttl: None, scope: None };
    for record in &message.answers {
        match &record.data {
            RData::A(address) => answer.addresses.push(IpAddr::V4(address.0)),
            RData::AAAA(address) => answer.addresses.push(IpAddr::V6(address.0)),
            RData::CNAME(target) => _ = answer.cname.get_or_insert_with(|| target.0.to_string()),
            RData::TXT(txt) => {
                let octets = txt.txt_data.concat();
                answer.texts.push(String::from_utf8_lossy(&octets).into_owned());
            }
            other => answer.texts.push(records::data(other)),
        }
    }
    let first = message.answers.iter().chain(&message.authorities).next();
    answer.ttl = first.map(|record| record.ttl);
    answer.scope = message.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Subnet) {
        Some(EdnsOption::Subnet(subnet)) => Some(subnet.scope_prefix()),
        _ => None,
    });
    Ok(answer)
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = self.cname.iter().map(|name| format!("cname {name}")).collect();
        parts.extend(self.addresses.iter().map(ToString::to_string));
        parts.extend(self.texts.iter().map(|text| format!("text {text:?}")));
        if parts.is_empty() {
            parts.push(match self.rcode {
                Rcode::NoError => "nodata".into(),
                rcode => rcode.to_string().to_lowercase(),
            });
        }
        parts.extend(self.ttl.map(|ttl| format!("ttl {ttl}")));
        parts.extend(self.scope.map(|scope| format!("scope {scope}")));
        f.write_str(&parts.join(" "))
    }
}
