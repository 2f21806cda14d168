//! A question put to the engine as a packet, and its answer as a client reads it, with a decoder that is not ours.

use std::net::IpAddr;

use hickory_proto::{
    ProtoError,
    op::Message,
    rr::{
        RData,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};

use super::refusal::{Bug, Refusal};
use crate::{
    client::{self, Query, Reply, records},
    engine::{
        snapshot::Snapshot,
        steer::trace::{Basis, Recording, Silent, Step},
        types::{Chance, EndpointId, Prefix, Transport},
        wire::{
            name::Name,
            reply::Counted,
            rr::{Rcode, RrType},
        },
    },
};

/// A question as a client puts it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The name.
    pub name: Name,
    /// The type.
    pub rtype: RrType,
    /// The client subnet option.
    pub subnet: Option<Prefix>,
    /// The sender.
    pub source: IpAddr,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub rcode: Rcode,
    /// The addresses of the answer section, in order.
    pub addresses: Vec<IpAddr>,
    /// The first alias's target.
    pub cname: Option<String>,
    /// The records of other types: texts as one, others as dig would print their data.
    pub texts: Vec<String>,
    /// The TTL of the answer, or of the SOA of a negative one.
    pub ttl: Option<u32>,
    /// The scope of the client subnet option, where there is one.
    pub scope: Option<u8>,
}

/// An answer and how it came about.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    pub(super) steps: Vec<Step>,
    /// What a transport counts of it.
    pub(super) counted: Option<Counted>,
}

impl Heard {
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

    /// Which address spoke for the client, and the scope of the decision; none where no decision was made.
    pub(super) fn located(&self) -> Option<(Basis, u8)> {
        self.steps.iter().find_map(|step| match step {
            Step::Located { basis, scope, .. } => Some((*basis, *scope)),
            _ => None,
        })
    }
}

/// Asks, and records the steps of the decision. None: not ready. It is an error that recording changes the reply.
pub(super) fn listen(snapshot: &Snapshot, ask: &Ask, chance: Chance) -> Result<Option<Heard>, Refusal> {
    let &Ask { ref name, rtype, subnet, source } = ask;
    let query = Query { name, rtype, subnet, source, transport: Transport::Tcp };
    let mut recording = Recording::default();
    let reply = client::ask(snapshot, &query, chance, &mut recording);
    if reply != client::ask(snapshot, &query, chance, &mut Silent) {
        return Err(Refusal::Bug(Bug::Recorded));
    }
    let Some(Reply { octets, rcode, counted }) = reply else { return Ok(None) };
    let answer = decode(rcode, &octets).map_err(|error| Refusal::Bug(Bug::Reply(error)))?;
    Ok(Some(Heard { answer, steps: recording.0, counted }))
}

fn decode(rcode: Rcode, octets: &[u8]) -> Result<Answer, ProtoError> {
    let message = Message::from_vec(octets)?;
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
