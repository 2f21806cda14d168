//! Questions as octets, asked of the engine, and replies read twice: by the strict reader and by hickory-proto.

use std::net::{IpAddr, Ipv4Addr};

use hickory_proto::op::Message;
use meridian::engine::{
    respond::{self, Answered},
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{Chance, Origin, Transport},
    wire::{name::Name, rr::RrType},
};

use super::strict::{self, Strict};

/// Octets of a buffer that every reply fits into.
pub const ROOM: usize = 65_535;

/// A question, to be built up.
#[derive(Clone, Debug)]
pub struct Ask {
    pub id: u16,
    /// The header's third and fourth octet.
    pub flags: u16,
    pub name: Vec<u8>,
    pub rtype: u16,
    pub class: u16,
    /// Payload size, version, flags and options of an OPT record.
    pub opt: Option<(u16, u8, u16, Vec<u8>)>,
    pub transport: Transport,
    pub source: IpAddr,
}

/// `name TYPE`, over UDP without EDNS.
pub fn ask(question: &str) -> Ask {
    let (name, rtype) = question.split_once(' ').expect("a name and a type");
    Ask {
        id: 0x1234,
        flags: 0,
        name: Name::from_text(name).expect(name).wire().to_vec(),
        rtype: RrType::from_text(rtype).expect(rtype).0,
        class: 1,
        opt: None,
        transport: Transport::Udp,
        source: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
    }
}

impl Ask {
    pub fn tcp(mut self) -> Self {
        self.transport = Transport::Tcp;
        self
    }

    /// With an OPT record that says this much may come back.
    pub fn size(mut self, octets: u16) -> Self {
        self.opt = Some((octets, 0, 0, Vec::new()));
        self
    }

    pub fn class(mut self, class: u16) -> Self {
        self.class = class;
        self
    }

    pub fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    /// With an option in the OPT record, which is made when there is none.
    pub fn option(mut self, code: u16, value: &[u8]) -> Self {
        let (.., options) = self.opt.get_or_insert((1232, 0, 0, Vec::new()));
        options.extend(code.to_be_bytes());
        options.extend((value.len() as u16).to_be_bytes());
        options.extend_from_slice(value);
        self
    }

    /// With a client subnet option: family, SOURCE, and as many address octets as SOURCE asks for.
    pub fn subnet(self, prefix: &str) -> Self {
        let (address, len) = prefix.split_once('/').expect("a prefix");
        let len: u8 = len.parse().expect("a length");
        let (family, octets) = match address.parse().expect("an address") {
            IpAddr::V4(v4) => (1, v4.octets().to_vec()),
            IpAddr::V6(v6) => (2, v6.octets().to_vec()),
        };
        let value = [&[0, family, len, 0], &octets[..usize::from(len).div_ceil(8)]].concat();
        self.option(8, &value)
    }

    /// The message.
    pub fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        packet.extend(self.id.to_be_bytes());
        packet.extend(self.flags.to_be_bytes());
        packet.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.opt.is_some())]);
        packet.extend_from_slice(&self.name);
        packet.extend(self.rtype.to_be_bytes());
        packet.extend(self.class.to_be_bytes());
        if let Some((size, version, flags, options)) = &self.opt {
            packet.extend([0, 0, 41]);
            packet.extend(size.to_be_bytes());
            packet.extend([0, *version]);
            packet.extend(flags.to_be_bytes());
            packet.extend((options.len() as u16).to_be_bytes());
            packet.extend_from_slice(options);
        }
        packet
    }

    /// Asks, and reads the reply.
    pub fn of(&self, snapshot: &Snapshot) -> Strict {
        let packet = self.packet();
        let Some(reply) = send_from(snapshot, &packet, self.transport, self.source) else {
            panic!("no reply to {self:?}")
        };
        sound(&packet, &reply)
    }
}

/// Asks with raw octets; none is silence.
pub fn send(snapshot: &Snapshot, packet: &[u8], transport: Transport) -> Option<Vec<u8>> {
    send_from(snapshot, packet, transport, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)))
}

fn send_from(snapshot: &Snapshot, packet: &[u8], transport: Transport, source: IpAddr) -> Option<Vec<u8>> {
    let mut buffer = vec![0xa5; ROOM.max(packet.len())];
    buffer[..packet.len()].copy_from_slice(packet);
    let origin = Origin { source, transport };
    match respond::respond(snapshot, &mut buffer, packet.len(), origin, Chance::default(), &mut Silent) {
        Answered::Reply { len, .. } => {
            buffer.truncate(len);
            Some(buffer)
        }
        Answered::Silence => None,
        Answered::NotReady => panic!("steered names are ready in these tests"),
    }
}

/// What must hold of every reply: it reads strictly, hickory-proto reads the same records from it, ID, opcode and RD are
/// the query's (P1 to P3), and OPT answers OPT only.
pub fn sound(packet: &[u8], reply: &[u8]) -> Strict {
    let strict = strict::read(reply).unwrap_or_else(|fault| panic!("{fault}\n{packet:02x?}\n{reply:02x?}"));
    assert_eq!(reply[..2], packet[..2], "P1: the ID");
    assert_eq!(reply[2] & 0xf9, packet[2] & 0x79 | 0x80, "P2, P3: QR, opcode and RD");
    if strict.subnet().is_some_and(|(family, ..)| family == 0)
        || strict.sections.iter().flatten().any(|rr| rr.data.is_empty())
    {
        return strict; // hickory-proto knows no family 0 and no record without data
    }
    let other = Message::from_vec(reply).unwrap_or_else(|fault| panic!("{fault}\n{packet:02x?}\n{reply:02x?}"));
    let counts = [other.answers.len(), other.authorities.len(), other.additionals.len()];
    assert_eq!(counts, strict.sections.each_ref().map(Vec::len), "hickory-proto counts other records");
    assert_eq!(other.edns.is_some(), strict.opt.is_some());
    assert_eq!(u16::from(other.response_code), strict.rcode());
    strict
}
