//! A packet to a [`Query`]: one strict pass, no allocation, and no work that a lie in the packet could multiply.
//! Must not know what any name holds.

use super::{
    edns::{self, Edns},
    fold,
    rr::{Rcode, RrType},
};

/// Octets of a message header (RFC 1035 4.1.1).
pub const HEADER: usize = 12;

/// What a packet asks. It holds offsets and values, never slices: the reply is written over the packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query {
    /// Set when the packet can only be answered with this code.
    pub fault: Option<Rcode>,
    /// Octets of the question's name, which stands at offset 12; 0 when there is no question to echo.
    pub name_len: u8,
    /// The question's type.
    pub qtype: u16,
    /// The question's class.
    pub qclass: u16,
    /// The folded name's hash, for the first look into the table.
    pub hash: u64,
    /// What the OPT record says, when there is one.
    pub edns: Option<Edns>,
}

impl Query {
    /// Where the question ends and the reply's records begin.
    #[must_use]
    pub fn end(&self) -> usize {
        if self.name_len == 0 { HEADER } else { HEADER + self.name_len as usize + 4 }
    }

    /// The question's type, as a type.
    #[must_use]
    pub fn rtype(&self) -> RrType {
        RrType(self.qtype)
    }
}

/// Reads a packet. None means silence: too short to answer (P11), or itself a response (P10).
#[must_use]
pub fn read(packet: &[u8]) -> Option<Query> {
    let header = packet.first_chunk::<HEADER>()?;
    if header[2] & 0x80 != 0 {
        return None;
    }
    let mut query = Query::default();
    let found = read_message(packet, header, &mut query);
    query.fault = match header[2] >> 3 & 0xf {
        // What a later version means by an opcode is not known either (RFC 6891 6.1.3).
        _ if found == Err(Rcode::BadVers) => Some(Rcode::BadVers),
        0 => found.err(),
        4 | 5 => Some(Rcode::Refused), // NOTIFY and UPDATE from strangers (P16, P17)
        _ => Some(Rcode::NotImp),
    };
    Some(query)
}

/// Fills in the query as far as the packet can be read, whatever its opcode: errors, too, give question and OPT back
/// (P74, P79).
fn read_message(packet: &[u8], header: &[u8; HEADER], query: &mut Query) -> Result<(), Rcode> {
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let mut at = HEADER;
    if count(4) == 1 {
        read_question(packet, query).ok_or(Rcode::FormErr)?;
        at = query.end();
    } else {
        for _ in 0..count(4) {
            at = skip_name(packet, at).ok_or(Rcode::FormErr)? + 4;
        }
    }
    for _ in 0..u32::from(count(6)) + u32::from(count(8)) {
        at = skip_record(packet, at).ok_or(Rcode::FormErr)?.end;
    }
    for _ in 0..count(10) {
        let record = skip_record(packet, at).ok_or(Rcode::FormErr)?;
        if record.rtype == RrType::OPT.0 {
            let root_owner = packet[at] == 0;
            if query.edns.is_some() || !root_owner {
                return Err(Rcode::FormErr); // RFC 6891 6.1.1
            }
            let (edns, sound) = edns::read(record.class, record.ttl, &packet[record.rdata..record.end]);
            query.edns = Some(edns);
            if edns.version > 0 {
                return Err(Rcode::BadVers);
            }
            if !sound {
                return Err(Rcode::FormErr);
            }
        }
        at = record.end;
    }
    // RFC 9619 4; no question at all is FORMERR as long as we know no cookies.
    if count(4) == 1 { Ok(()) } else { Err(Rcode::FormErr) }
}

/// The question: a name without compression, since nothing stands before it that a pointer could mean (P22).
fn read_question(packet: &[u8], query: &mut Query) -> Option<()> {
    let mut at = HEADER;
    loop {
        let len = *packet.get(at)? as usize;
        at += 1;
        match len {
            0 => break,
            1..=63 => at += len,
            _ => return None,
        }
        if at - HEADER >= 255 {
            return None;
        }
    }
    let rest = packet.get(at..at + 4)?;
    query.name_len = (at - HEADER) as u8;
    query.qtype = u16::from_be_bytes([rest[0], rest[1]]);
    query.qclass = u16::from_be_bytes([rest[2], rest[3]]);
    query.hash = fold::hash(&packet[HEADER..at]);
    Some(())
}

struct RecordAt {
    rtype: u16,
    class: u16,
    ttl: u32,
    rdata: usize,
    end: usize,
}

fn skip_record(packet: &[u8], start: usize) -> Option<RecordAt> {
    let at = skip_name(packet, start)?;
    let fixed = packet.get(at..)?.first_chunk::<10>()?;
    let rdata = at + 10;
    let end = rdata + u16::from_be_bytes([fixed[8], fixed[9]]) as usize;
    (end <= packet.len()).then(|| RecordAt {
        rtype: u16::from_be_bytes([fixed[0], fixed[1]]),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        rdata,
        end,
    })
}

/// Where the name at `start` ends. Pointers are not followed: nobody asks what they lead to.
fn skip_name(packet: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let len = *packet.get(at)? as usize;
        match len {
            0 => return Some(at + 1),
            1..=63 => at += 1 + len,
            0xc0.. => {
                let target = (len & 0x3f) << 8 | *packet.get(at + 1)? as usize;
                return (target < at).then_some(at + 2); // only ever backwards (P94)
            }
            _ => return None,
        }
        if at - start > 255 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8; HEADER] = b"\x12\x34\0\0\0\x01\0\0\0\0\0\x01";
    const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";

    fn packet(opcode: u8, name: &[u8]) -> Vec<u8> {
        let mut packet = [&HEAD[..], name, b"\0\x01\0\x01", OPT].concat();
        packet[2] |= opcode << 3;
        packet
    }

    #[test]
    fn errors_keep_what_could_be_read() {
        for (opcode, fault) in [(0, None), (2, Some(Rcode::NotImp)), (4, Some(Rcode::Refused))] {
            let query = read(&packet(opcode, b"\x01a\0")).expect("a query");
            assert_eq!((query.fault, query.name_len, query.edns.is_some()), (fault, 3, true));
        }
        let mut none = [&HEAD[..], OPT].concat();
        none[5] = 0;
        let query = read(&none).expect("a query");
        assert_eq!((query.fault, query.end(), query.edns.is_some()), (Some(Rcode::FormErr), HEADER, true));
        let cut = read(&packet(0, b"\x01a\0")[..20]).expect("a query");
        assert_eq!((cut.fault, cut.name_len, cut.edns), (Some(Rcode::FormErr), 3, None));
    }

    #[test]
    fn a_later_version_of_edns_comes_before_the_opcode_and_all_that_stands_behind_opt() {
        for opcode in 0..16 {
            let mut whole = packet(opcode, b"\x01a\0");
            let version = whole.len() - 5;
            whole[version] = 1;
            assert_eq!(read(&whole).expect("a query").fault, Some(Rcode::BadVers), "opcode {opcode}");
            // Cut behind OPT, options that are none, two questions, no question.
            let mut behind = whole.clone();
            behind[11] = 2;
            let mut options = [&whole[..], b"\xff"].concat();
            options[version + 4] = 1;
            let mut none = [&HEAD[..], &whole[whole.len() - OPT.len()..]].concat();
            (none[2], none[5]) = (opcode << 3, 0);
            let mut two = [&whole[..HEADER], b"\x01a\0\0\x01\0\x01", &whole[HEADER..]].concat();
            two[5] = 2;
            for malformed in [behind, options, none, two] {
                assert_eq!(read(&malformed).expect("a query").fault, Some(Rcode::BadVers), "opcode {opcode}");
            }
            // What stands before OPT must be readable, or OPT is not found; a second OPT is none of a later version.
            let mut cut = whole.clone();
            cut[HEADER] = 0x80;
            assert_ne!(read(&cut).expect("a query").fault, Some(Rcode::BadVers), "opcode {opcode}");
            let mut second = [&packet(opcode, b"\x01a\0")[..], &whole[whole.len() - OPT.len()..]].concat();
            second[11] = 2;
            assert_ne!(read(&second).expect("a query").fault, Some(Rcode::BadVers), "opcode {opcode}");
        }
    }

    #[test]
    fn the_longest_name_and_one_octet_more() {
        let name = |last: usize| [b"\x3f".repeat(64).repeat(3), vec![last as u8; last + 1], vec![0]].concat();
        let query = read(&packet(0, &name(61))).expect("a query");
        assert_eq!((query.fault, query.name_len), (None, 255));
        let query = read(&packet(0, &name(62))).expect("a query");
        assert_eq!((query.fault, query.name_len), (Some(Rcode::FormErr), 0));
    }
}
