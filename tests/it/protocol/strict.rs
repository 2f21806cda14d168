//! A second reader of replies, small and strict: what it takes, any resolver takes. Written from RFC 1035 4.1 alone.

use std::fmt;

/// A reply, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strict {
    /// The header's first four octets.
    pub head: [u8; 4],
    /// The question's name as it stands, type and class.
    pub question: Option<(Vec<u8>, u16, u16)>,
    /// Answer, authority and additional section, without OPT.
    pub sections: [Vec<Rr>; 3],
    /// The OPT record.
    pub opt: Option<Opt>,
    /// Octets in all.
    pub len: usize,
}

/// A record. Names are uncompressed, and keep their case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rr {
    pub owner: Vec<u8>,
    pub rtype: u16,
    pub class: u16,
    pub ttl: u32,
    /// The data, with the compressed names of RFC 1035's types written out.
    pub data: Vec<u8>,
}

/// The OPT record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    pub size: u16,
    pub extended: u8,
    pub version: u8,
    pub flags: u16,
    /// Code and value.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Strict {
    pub fn rcode(&self) -> u16 {
        u16::from(self.head[3] & 0xf) | self.opt.as_ref().map_or(0, |opt| u16::from(opt.extended) << 4)
    }

    pub fn aa(&self) -> bool {
        self.head[2] & 0x04 != 0
    }

    pub fn tc(&self) -> bool {
        self.head[2] & 0x02 != 0
    }

    pub fn answers(&self) -> &[Rr] {
        &self.sections[0]
    }

    pub fn authority(&self) -> &[Rr] {
        &self.sections[1]
    }

    pub fn additional(&self) -> &[Rr] {
        &self.sections[2]
    }

    /// The client subnet option: FAMILY, SOURCE, SCOPE, ADDRESS.
    pub fn subnet(&self) -> Option<(u16, u8, u8, Vec<u8>)> {
        let (_, value) = self.opt.as_ref()?.options.iter().find(|(code, _)| *code == 8)?;
        Some((u16::from_be_bytes([value[0], value[1]]), value[2], value[3], value[4..].to_vec()))
    }
}

impl fmt::Debug for Rr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        meridian::engine::wire::name::write_text(&self.owner, f)?;
        write!(f, " {} TYPE{} {:02x?}", self.ttl, self.rtype, self.data)
    }
}

/// Reads a reply, or says what is wrong with it.
pub fn read(message: &[u8]) -> Result<Strict, String> {
    let header = message.first_chunk::<12>().ok_or("shorter than a header")?;
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if header[2] & 0x80 == 0 {
        return Err("QR is clear".into());
    }
    if header[3] & 0xf0 != 0 {
        return Err("RA, Z, AD or CD is set".into());
    }
    let mut at = 12;
    let question = match count(4) {
        0 => None,
        1 => {
            let (name, end) = name(message, at, false)?;
            let rest = message.get(end..end + 4).ok_or("the question is cut")?;
            at = end + 4;
            Some((name, u16::from_be_bytes([rest[0], rest[1]]), u16::from_be_bytes([rest[2], rest[3]])))
        }
        n => return Err(format!("{n} questions")),
    };
    let mut opt = None;
    let mut sections = [Vec::new(), Vec::new(), Vec::new()];
    for (section, records) in sections.iter_mut().enumerate() {
        for _ in 0..count(6 + 2 * section) {
            let (owner, fixed) = name(message, at, true)?;
            let f = message.get(fixed..fixed + 10).ok_or("a record is cut")?;
            let (rtype, class) = (u16::from_be_bytes([f[0], f[1]]), u16::from_be_bytes([f[2], f[3]]));
            let ttl = u32::from_be_bytes([f[4], f[5], f[6], f[7]]);
            let start = fixed + 10;
            at = start + usize::from(u16::from_be_bytes([f[8], f[9]]));
            let raw = message.get(start..at).ok_or("the data are cut")?;
            if rtype == 41 {
                if section != 2 || opt.is_some() || owner != [0] {
                    return Err("an OPT record where none may stand".into());
                }
                opt = Some(read_opt(class, ttl, raw)?);
                continue;
            }
            if ttl > i32::MAX as u32 {
                return Err(format!("TTL {ttl}"));
            }
            let data = data(message, rtype, start, at)?;
            let rr = Rr { owner, rtype, class, ttl, data };
            if records.contains(&rr) {
                return Err(format!("twice: {rr:?}"));
            }
            records.push(rr);
        }
    }
    if at != message.len() {
        return Err(format!("{} octets after the last record", message.len() - at));
    }
    one_ttl(&sections)?;
    Ok(Strict { head: [header[0], header[1], header[2], header[3]], question, sections, opt, len: at })
}

/// All records of an RRset have one TTL (RFC 2181 5.2).
fn one_ttl(sections: &[Vec<Rr>; 3]) -> Result<(), String> {
    for section in sections {
        for (n, rr) in section.iter().enumerate().take(200) {
            let same = |other: &&Rr| {
                (&rr.owner.to_ascii_lowercase(), rr.rtype) == (&other.owner.to_ascii_lowercase(), other.rtype)
            };
            if let Some(other) = section[..n].iter().rev().take(200).find(same).filter(|other| other.ttl != rr.ttl) {
                return Err(format!("two TTLs: {other:?} and {rr:?}"));
            }
        }
    }
    Ok(())
}

fn read_opt(class: u16, ttl: u32, raw: &[u8]) -> Result<Opt, String> {
    let mut options = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let (head, tail) = rest.split_first_chunk::<4>().ok_or("an option is cut")?;
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, tail) = tail.split_at_checked(len).ok_or("an option's value is cut")?;
        options.push((u16::from_be_bytes([head[0], head[1]]), value.to_vec()));
        rest = tail;
    }
    let [extended, version, f0, f1] = ttl.to_be_bytes();
    Ok(Opt { size: class, extended, version, flags: u16::from_be_bytes([f0, f1]), options })
}

/// The data with names written out where they may be compressed (RFC 3597 4); elsewhere a pointer is a fault, for the
/// types that hold a name at a known place.
fn data(message: &[u8], rtype: u16, start: usize, end: usize) -> Result<Vec<u8>, String> {
    let (before, names, compressed) = match rtype {
        2 | 5 | 12 => (0, 1, true),
        15 => (2, 1, true),
        6 => (0, 2, true),
        39 => (0, 1, false),
        18 | 36 | 64 | 65 => (2, 1, false),
        33 => (6, 1, false),
        17 => (0, 2, false),
        _ => return Ok(message[start..end].to_vec()),
    };
    let mut out = message.get(start..start + before).ok_or("the data are cut")?.to_vec();
    let mut at = start + before;
    for _ in 0..names {
        let (written, next) = name(message, at, compressed)?;
        out.extend(written);
        at = next;
    }
    if at > end {
        return Err("a name runs over the end of its data".into());
    }
    out.extend_from_slice(&message[at..end]);
    Ok(out)
}

/// The name at `start`, written out, and where what follows it begins.
pub fn name(message: &[u8], start: usize, compressed: bool) -> Result<(Vec<u8>, usize), String> {
    let mut out = Vec::new();
    let (mut at, mut end, mut from) = (start, None, start);
    loop {
        let len = *message.get(at).ok_or("a name is cut")?;
        match len {
            0 => {
                out.push(0);
                break;
            }
            1..=63 => {
                let label = message.get(at..=at + usize::from(len)).ok_or("a label is cut")?;
                out.extend_from_slice(label);
                at += label.len();
            }
            0xc0.. if compressed => {
                let low = *message.get(at + 1).ok_or("a pointer is cut")?;
                let target = usize::from(len & 0x3f) << 8 | usize::from(low);
                end = end.or(Some(at + 2));
                if target >= from || target < 12 {
                    return Err(format!("the pointer at {at} leads to {target}"));
                }
                (at, from) = (target, target);
            }
            _ => return Err(format!("label type {len:#x} at {at}")),
        }
        if out.len() > 254 {
            return Err("a name of more than 255 octets".into());
        }
    }
    Ok((out, end.unwrap_or(at + 1)))
}
