//! A DNS probe: one question over UDP, over TCP where the answer does not fit, and what the answer must hold.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
};

use super::{
    error_text::{Fine, Unfit, lacking, say},
    tcp,
};
use crate::{engine::health::fold::Outcome, probing::check::DnsCheck};

/// What a question over UDP without EDNS is answered with at most, and some more for those who do not care.
const DATAGRAM: usize = 4096;

/// A target of `dns`.
#[derive(Debug)]
pub(super) struct Dns {
    to: SocketAddr,
    source: Option<IpAddr>,
    question: Query,
    /// The whole query; its first two octets are the number, new for each probe.
    query: Vec<u8>,
    expect: Vec<Box<str>>,
    chance: fastrand::Rng,
}

impl Dns {
    /// # Errors
    /// With the words for it, when there is no such question. The configuration has been read by then.
    pub(super) fn of(
        check: &DnsCheck,
        address: IpAddr,
        source: Option<IpAddr>,
        chance: fastrand::Rng,
    ) -> Result<Self, Unfit> {
        let mut name =
            Name::from_ascii(&*check.name).map_err(|source| Unfit::Name { name: check.name.clone(), source })?;
        name.set_fqdn(true);
        let rtype: RecordType = check.rtype.parse().map_err(|_| Unfit::RecordType(check.rtype.clone()))?;
        let question = Query::query(name, rtype);
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        // So that resolvers can be probed, too; servers of zones do not care.
        message.metadata.recursion_desired = true;
        message.add_query(question.clone());
        let query = message.to_vec()?;
        let to = SocketAddr::new(address, check.port);
        Ok(Self { to, source, question, query, expect: check.expect.clone(), chance })
    }

    pub(super) async fn ask(&mut self) -> Result<Fine, Outcome> {
        let id = self.chance.u16(..);
        self.query[..2].copy_from_slice(&id.to_be_bytes());
        let answer = self.over_udp(id).await?;
        let mut fine = Fine::default();
        let answer = if answer.metadata.truncation {
            let (answer, connect) = self.over_tcp(id).await?;
            fine.connect = Some(connect);
            answer
        } else {
            answer
        };
        judge(&answer, &self.question, &self.expect).map(|()| fine)
    }

    async fn over_udp(&self, id: u16) -> Result<Message, Outcome> {
        let socket = socket(self.to, self.source).await?;
        socket.send(&self.query).await.map_err(|error| say(&error))?;
        let mut buffer = [0; DATAGRAM];
        loop {
            let count = socket.recv(&mut buffer).await.map_err(|error| say(&error))?;
            // Whatever else comes may be forged, or an answer that was given up: the right one may still be on its way.
            if let Some(answer) = self.answer(&buffer[..count], id) {
                return Ok(answer);
            }
        }
    }

    async fn over_tcp(&self, id: u16) -> Result<(Message, u64), Outcome> {
        let (mut stream, connect) = tcp::connect(self.to, self.source).await?;
        let mut framed = (self.query.len() as u16).to_be_bytes().to_vec();
        framed.extend_from_slice(&self.query);
        let talk = async {
            stream.write_all(&framed).await?;
            let mut answer = vec![0; stream.read_u16().await?.into()];
            stream.read_exact(&mut answer).await.map(|_| answer)
        };
        let octets = talk.await.map_err(|error| say(&error))?;
        let answer = self.answer(&octets, id);
        let answer = answer.ok_or_else(|| Outcome::Bad("what came over TCP is no answer to the question".into()))?;
        Ok((answer, connect))
    }

    /// The answer to the question with this number, where it is one.
    fn answer(&self, octets: &[u8], id: u16) -> Option<Message> {
        let answer = Message::from_vec(octets).ok()?;
        let about = match &*answer.queries {
            // Servers that understood nothing of the question may leave it out.
            [] => answer.metadata.response_code != ResponseCode::NoError,
            [asked] => {
                let own = &self.question;
                (asked.name(), asked.query_type(), asked.query_class())
                    == (own.name(), own.query_type(), own.query_class())
            }
            _ => false,
        };
        let right = answer.metadata.id == id && answer.metadata.message_type == MessageType::Response && about;
        right.then_some(answer)
    }
}

/// A UDP socket on a port of the system's choice that hears `to` alone.
async fn socket(to: SocketAddr, source: Option<IpAddr>) -> Result<UdpSocket, Outcome> {
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let from = SocketAddr::new(source.unwrap_or(any), 0);
    let socket = UdpSocket::bind(from).await.map_err(|error| match source {
        Some(source) => lacking(source, &error),
        None => say(&error),
    })?;
    socket.connect(to).await.map_err(|error| say(&error))?;
    Ok(socket)
}

fn judge(answer: &Message, question: &Query, expect: &[Box<str>]) -> Result<(), Outcome> {
    if answer.metadata.response_code != ResponseCode::NoError {
        let low = u16::from(answer.metadata.response_code);
        let name = match answer.metadata.response_code {
            ResponseCode::FormErr => "FORMERR".to_owned(),
            ResponseCode::ServFail => "SERVFAIL".to_owned(),
            ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
            ResponseCode::NotImp => "NOTIMP".to_owned(),
            ResponseCode::Refused => "REFUSED".to_owned(),
            _ => low.to_string(),
        };
        return Err(Outcome::Bad(format!("rcode {name}").into()));
    }
    let of_type = |record: &&Record| record.record_type() == question.query_type();
    let found: Vec<String> = answer.answers.iter().filter(of_type).map(|record| plain(&record.data)).collect();
    let lacking: Vec<&str> =
        expect.iter().map(|text| &**text).filter(|text| !found.iter().any(|found| same(found, text))).collect();
    if lacking.is_empty() { Ok(()) } else { Err(Outcome::Bad(format!("answer lacks {}", lacking.join(", ")).into())) }
}

/// Data as people write it: names without the last dot, the strings of a text in one.
fn plain(data: &RData) -> String {
    let name = |name: &Name| name.to_ascii().trim_end_matches('.').to_owned();
    match data {
        RData::CNAME(to) => name(&to.0),
        RData::NS(to) => name(&to.0),
        RData::PTR(to) => name(&to.0),
        RData::MX(mx) => format!("{} {}", mx.preference, name(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, name(&srv.target)),
        RData::TXT(txt) => txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect(),
        other => other.to_string(),
    }
}

/// Whether what was found is what is expected: an address in whatever form, a name in whatever case.
fn same(found: &str, expected: &str) -> bool {
    match (found.parse::<IpAddr>(), expected.parse::<IpAddr>()) {
        (Ok(found), Ok(expected)) => found == expected,
        _ => found.eq_ignore_ascii_case(expected) || found.eq_ignore_ascii_case(expected.trim_end_matches('.')),
    }
}
