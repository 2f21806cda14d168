//! A [`Reply`] to octets, over the request's own: whole RRsets or none (P85), required things before optional ones,
//! room for OPT kept from the start (P79). Must not know why anything is answered.

use std::net::IpAddr;

use arrayvec::ArrayVec;

use super::{
    edns,
    fragment::{Extra, Fragment, Held, QUESTION, RECORD, pointer},
    read::{HEADER, Query},
    reply::{List, MAX_AUTHORITY, Part, Reply, TargetAddresses},
    rr::{Rcode, RrType},
};
use crate::engine::{
    types::{Family, PerFamily},
    units::Ttl,
};

/// Octets before the parameters: the priority and the root, which stands for the owner (RFC 9460 2.5.2).
const FIXED: [u8; 3] = [0, 1, 0];
/// Octets of a parameter before its value: key and length.
const PARAMETER: usize = 4;
/// The key `ipv4hint`, and the key `ipv6hint`.
const HINTS: PerFamily<u16> = PerFamily::new(4, 6);
const ALPN: u16 = 1;
const PORT: u16 = 3;

/// Encodes `alpn` and `port`, which stand before the hints since parameters are ordered by key (RFC 9460 2.2). An empty
/// list and no port leave the parameter out. Each identifier has 1 to 255 octets, all of them and their lengths no more
/// than 65,535.
#[must_use]
pub fn https_head(alpn: &[Box<str>], port: Option<u16>) -> Box<[u8]> {
    let mut octets = Vec::new();
    if !alpn.is_empty() {
        let ids: Vec<u8> = alpn.iter().flat_map(|id| [&[id.len() as u8], id.as_bytes()].concat()).collect();
        parameter(ALPN, &ids, &mut octets);
    }
    if let Some(port) = port {
        parameter(PORT, &port.to_be_bytes(), &mut octets);
    }
    octets.into()
}

fn parameter(key: u16, value: &[u8], octets: &mut Vec<u8>) {
    octets.extend(key.to_be_bytes());
    octets.extend((value.len() as u16).to_be_bytes());
    octets.extend(value);
}

/// A pen over the message, and the name that the next record belongs to.
struct Pen<'m> {
    message: &'m mut [u8],
    at: usize,
    /// No record may end beyond this.
    limit: usize,
    /// Where the current name stands, uncompressed.
    name: usize,
    /// Its octets.
    name_len: usize,
    truncated: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub len: usize,
    /// Whether something required did not fit, so that TC is set.
    pub truncated: bool,
}

/// Writes the reply over the request in `packet`, at most `limit` bytes, which must be at least 512 and at most the
/// packet's size.
pub fn write(reply: &Reply<'_>, query: &Query, limit: usize, packet: &mut [u8]) -> Written {
    let subnet = query.edns.as_ref().and_then(|e| e.subnet.as_ref());
    let subnet = subnet.filter(|_| reply.rcode != Rcode::BadVers && query.fault.is_none());
    let opt = query.edns.as_ref().map_or(0, |_| edns::len(subnet));
    let limit = limit.min(packet.len());
    let mut pen = Pen {
        message: packet,
        at: query.end(),
        limit: limit.saturating_sub(opt),
        name: HEADER,
        name_len: query.name_len as usize,
        truncated: false,
    };
    let mut counts = [u16::from(query.name_len > 0), 0, 0, 0];
    // Fragments that bring addresses along, and where each stands: the last of the answer, and those of the authority.
    let mut extras: ArrayVec<(&Fragment, usize), { MAX_AUTHORITY + 1 }> = ArrayVec::new();
    for (n, part) in reply.answers.iter().enumerate() {
        let base = pen.at;
        let Some(count) = pen.part(part, &reply.answers[..n], reply) else { break };
        counts[1] += count;
        if let Part::Rrset(rrset) = part {
            extras.clear();
            extras.extend(rrset.has_extras().then_some((*rrset, base)));
        }
    }
    for authority in reply.authority.iter() {
        if pen.truncated {
            break;
        }
        let owner = pen.name + pen.name_len - authority.owner_len as usize;
        let base = pen.at;
        if pen.rrset(authority.rrset, pointer(owner), authority.ttl, None) {
            counts[2] += authority.rrset.count();
            extras.extend(authority.rrset.has_extras().then_some((authority.rrset, base)));
        }
    }
    if !pen.truncated && !extras.is_empty() {
        for required in [true, false] {
            for (fragment, base) in &extras {
                counts[3] += pen.extras(fragment, *base, reply, required);
            }
        }
    }
    if let Some(sent) = &query.edns {
        let extended = reply.rcode as u8 >> 4;
        let echo = subnet.map(|s| (s, reply.scope));
        // It is told where there is room, and pushes nothing out.
        let notice = reply.notice.filter(|notice| pen.at + opt + notice.len() <= limit);
        pen.at += edns::write(&mut pen.message[pen.at..], extended, sent.dnssec_ok, echo, notice);
        counts[3] += 1;
    }
    let Pen { message, at, truncated, .. } = pen;
    let flags = 0x80 | u8::from(reply.authoritative) << 2 | u8::from(truncated) << 1;
    if let Some(header) = message.first_chunk_mut::<HEADER>() {
        header[2] = header[2] & 0x79 | flags; // opcode and RD stay (P2, P3)
        header[3] = reply.rcode as u8 & 0xf; // RA, Z, AD and CD are clear (P5 to P8)
        let counts = counts.iter().fold(0_u64, |all, count| all << 16 | u64::from(*count));
        if let Some(behind) = header.last_chunk_mut() {
            *behind = counts.to_be_bytes();
        }
    }
    Written { len: at, truncated }
}

impl Pen<'_> {
    /// Whether `len` more octets fit; if not, the message is truncated.
    fn fits(&mut self, len: usize) -> bool {
        let fits = self.at + len <= self.limit;
        self.truncated |= !fits;
        fits
    }

    fn rrset(&mut self, rrset: &Fragment, owner: u16, ttl: Option<Ttl>, turn: Option<u64>) -> bool {
        let fits = self.fits(rrset.len());
        if fits {
            rrset.write(self.message, self.at, owner, ttl, turn);
            self.at += rrset.len();
        }
        fits
    }

    fn owner(&self) -> u16 {
        if self.name == HEADER { QUESTION } else { pointer(self.name) }
    }

    /// Writes one part of the answer section behind those before it and says how many records it has; none when it did
    /// not fit. Not inlined: what rare parts read would be loaded for every reply.
    #[inline(never)]
    fn part(&mut self, part: &Part<'_>, before: &[Part<'_>], reply: &Reply<'_>) -> Option<u16> {
        match part {
            Part::Rrset(rrset) => self.rrset(rrset, self.owner(), None, reply.turn).then(|| rrset.count()),
            Part::Alias(cname, ttl) => {
                let base = self.at;
                self.rrset(cname, self.owner(), *ttl, None).then(|| {
                    (self.name, self.name_len) = (base + RECORD, cname.target().len());
                    cname.count()
                })
            }
            Part::Redirect { dname, keep, fits } => {
                let same =
                    |part: &Part<'_>| matches!(part, Part::Redirect { dname: d, .. } if std::ptr::eq(*d, *dname));
                self.redirect(dname, before.iter().any(same), *keep as usize, *fits)
            }
            Part::Addresses { family: Family::V4, ttl, list } => {
                self.addresses(RrType::A, *ttl, v4(list, &reply.chosen.v4, reply.turn))
            }
            Part::Addresses { family: Family::V6, ttl, list } => {
                self.addresses(RrType::AAAA, *ttl, v6(list, &reply.chosen.v6, reply.turn))
            }
            Part::Https { ttl, head } => self.https(*ttl, head, reply),
            Part::Own(IpAddr::V4(own)) => self.addresses(RrType::A, Ttl(0), [own.octets()]),
            Part::Own(IpAddr::V6(own)) => self.addresses(RrType::AAAA, Ttl(0), [own.octets()]),
            Part::Text => self.fits(RECORD + reply.text.len()).then(|| {
                self.record(self.owner(), RrType::TXT, Ttl(0), reply.text.len());
                self.put(&reply.text);
                1
            }),
        }
    }

    /// An HTTPS record, whole or not at all.
    #[inline(never)]
    fn https(&mut self, ttl: Ttl, head: &[u8], reply: &Reply<'_>) -> Option<u16> {
        let (hints, chosen) = (&reply.hints, &reply.chosen);
        let octets = PerFamily::new(
            4 * v4(&hints.v4, &chosen.v4, reply.turn).count(),
            16 * v6(&hints.v6, &chosen.v6, reply.turn).count(),
        );
        let hinted: usize = octets.iter().filter(|n| **n > 0).map(|n| PARAMETER + n).sum();
        let rdlen = FIXED.len() + head.len() + hinted;
        if rdlen > usize::from(u16::MAX) || !self.fits(RECORD + rdlen) {
            self.truncated = true;
            return None;
        }
        self.record(self.owner(), RrType::HTTPS, ttl, rdlen);
        self.put(&FIXED);
        self.put(head);
        for family in Family::BOTH.into_iter().filter(|family| octets[*family] > 0) {
            self.put(&HINTS[family].to_be_bytes());
            self.put(&(octets[family] as u16).to_be_bytes());
            match family {
                Family::V4 => v4(&hints.v4, &chosen.v4, reply.turn).for_each(|address| self.put(&address)),
                Family::V6 => v6(&hints.v6, &chosen.v6, reply.turn).for_each(|address| self.put(&address)),
            }
        }
        Some(1)
    }

    /// A DNAME, unless it stands in the answer already and is only applied again, and the CNAME made from it.
    #[inline(never)]
    fn redirect(&mut self, dname: &Fragment, again: bool, keep: usize, fits: bool) -> Option<u16> {
        let (owner, name) = (self.owner(), self.name);
        let rdlen = keep + dname.target().len();
        let made = if fits { RECORD + rdlen } else { 0 };
        let stated = if again { 0 } else { dname.len() };
        if !self.fits(stated + made) {
            return None; // nothing is written yet: octets without a record would follow the last one (P94)
        }
        let count = if again { 0 } else { dname.count() };
        if !again {
            self.rrset(dname, pointer(name + keep), None, None);
        }
        if !fits {
            return Some(count);
        }
        let base = self.at;
        self.record(owner, RrType::CNAME, dname.ttl(), rdlen);
        self.message.copy_within(name..name + keep, self.at);
        self.message[self.at + keep..self.at + rdlen].copy_from_slice(dname.target());
        self.at += rdlen;
        (self.name, self.name_len) = (base + RECORD, rdlen);
        Some(count + 1)
    }

    /// Address records of the current name: all of them or none.
    fn addresses<const N: usize>(
        &mut self,
        rtype: RrType,
        ttl: Ttl,
        list: impl IntoIterator<Item = [u8; N]>,
    ) -> Option<u16> {
        let count = self.owned(self.owner(), rtype, ttl, list);
        self.truncated |= count.is_none();
        count
    }

    /// Address records of an owner; none where they do not fit.
    fn owned<const N: usize>(
        &mut self,
        owner: u16,
        rtype: RrType,
        ttl: Ttl,
        list: impl IntoIterator<Item = [u8; N]>,
    ) -> Option<u16> {
        let (base, mut count) = (self.at, 0);
        for address in list {
            if self.at + RECORD + N > self.limit {
                self.at = base;
                return None;
            }
            self.record(owner, rtype, ttl, N);
            self.put(&address);
            count += 1;
        }
        Some(count)
    }

    /// Appends octets, for which there is room.
    fn put(&mut self, octets: &[u8]) {
        self.message[self.at..self.at + octets.len()].copy_from_slice(octets);
        self.at += octets.len();
    }

    fn record(&mut self, owner: u16, rtype: RrType, ttl: Ttl, rdlen: usize) {
        let ([o0, o1], [t0, t1], [l0, l1]) = (owner.to_be_bytes(), rtype.0.to_be_bytes(), (rdlen as u16).to_be_bytes());
        let [s0, s1, s2, s3] = ttl.octets();
        let head = [o0, o1, t0, t1, 0, 1, s0, s1, s2, s3, l0, l1];
        self.put(&head);
    }

    /// Address RRsets of the names in `fragment`, which stands at `base`. Those that are only a service to the client
    /// are left out without a word when they do not fit (P73).
    fn extras(&mut self, fragment: &Fragment, base: usize, reply: &Reply<'_>, required: bool) -> u16 {
        let mut count = 0;
        for Extra { at, of, .. } in fragment.extras.iter().filter(|e| e.required == required) {
            let owner = base + *at as usize;
            let number = match of {
                Held::Rrset(number) => *number,
                Held::Service(_) => {
                    count += self.steered(*at, owner, reply);
                    continue;
                }
            };
            let Some(rrset) = reply.fragments.get(number as usize) else { continue };
            if owner >= 0x4000 || (!required && self.at + rrset.len() > self.limit) {
                continue;
            }
            if self.rrset(rrset, pointer(owner), None, reply.turn) {
                count += rrset.count();
            }
        }
        count
    }

    /// What is decided of the steered name at `at` of the fragment, which is `owner` of the message. Each family whole,
    /// where it fits (P73).
    fn steered(&mut self, at: u16, owner: usize, reply: &Reply<'_>) -> u16 {
        let Some(target) = reply.targets.iter().find(|target| target.at == at).filter(|_| owner < 0x4000) else {
            return 0;
        };
        let owner = if at == 0 { self.owner() } else { pointer(owner) };
        let (PerFamily { v4: four, v6: six }, chosen) = (&target.told, &reply.chosen);
        let four = self.owned(owner, RrType::A, four.ttl, v4(&four.list, slice(four, &chosen.v4), reply.turn));
        let six = self.owned(owner, RrType::AAAA, six.ttl, v6(&six.list, slice(six, &chosen.v6), reply.turn));
        four.unwrap_or(0) + six.unwrap_or(0)
    }
}

/// Of the chosen those that are told of a steered name.
fn slice<'r>(told: &TargetAddresses<'_>, chosen: &'r [u8]) -> &'r [u8] {
    let (first, count) = told.chosen;
    chosen.get(usize::from(first)..usize::from(first) + usize::from(count)).unwrap_or_default()
}

/// The IPv4 addresses that are told, in the order of the reply. `chosen` are positions in the list's table.
fn v4<'r>(list: &List<'r>, chosen: &'r [u8], turn: Option<u64>) -> impl Iterator<Item = [u8; 4]> + 'r {
    let (table, listed) = list.parts();
    let chosen = chosen.iter().filter_map(|n| table.get(*n as usize)?.v4);
    let listed = in_turn(listed, turn, |a| if let IpAddr::V4(a) = a { Some(*a) } else { None });
    chosen.chain(listed).map(|address| address.octets())
}

/// The IPv6 addresses, likewise.
fn v6<'r>(list: &List<'r>, chosen: &'r [u8], turn: Option<u64>) -> impl Iterator<Item = [u8; 16]> + 'r {
    let (table, listed) = list.parts();
    let chosen = chosen.iter().filter_map(|n| table.get(*n as usize)?.v6);
    let listed = in_turn(listed, turn, |a| if let IpAddr::V6(a) = a { Some(*a) } else { None });
    chosen.chain(listed).map(|address| address.octets())
}

/// The addresses of one family in a list of the configuration, the one first that `turn` says, the others behind it.
fn in_turn<'r, A: 'r>(
    listed: &'r [IpAddr],
    turn: Option<u64>,
    of: fn(&'r IpAddr) -> Option<A>,
) -> impl Iterator<Item = A> + 'r {
    let own = listed.iter().filter_map(of);
    let count = if listed.is_empty() { 0 } else { own.clone().count() };
    let first = turn.and_then(|turn| turn.checked_rem(count as u64)).unwrap_or(0) as usize;
    own.cycle().skip(first).take(count)
}

#[cfg(test)]
mod tests;
