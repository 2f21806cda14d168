//! A [`Reply`] to octets, over the request's own: whole RRsets or none (P85), required things before optional ones,
//! room for OPT kept from the start (P79). Must not know why anything is answered.

use super::{
    edns,
    fragment::{Extra, Fragment, QUESTION, RECORD, pointer},
    read::{HEADER, Query},
    reply::{Part, Reply},
    rr::Rcode,
};
use crate::engine::types::Family;

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

/// Writes the reply over the request in `packet` and returns its length, at most `limit`, which must be at least 512
/// and at most the packet's size.
pub fn write(reply: &Reply<'_>, query: &Query, limit: usize, packet: &mut [u8]) -> usize {
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
    let mut extras: [Option<(&Fragment, usize)>; 2] = [None, None];
    for (n, part) in reply.answers.iter().enumerate() {
        let base = pen.at;
        let Some(count) = pen.part(part, &reply.answers[..n], &reply.chosen) else { break };
        counts[1] += count;
        if let Part::Rrset(rrset) = part {
            extras[0] = Some((rrset, base));
        }
    }
    if let Some(authority) = reply.authority.as_ref().filter(|_| !pen.truncated) {
        let owner = pen.name + pen.name_len - authority.owner_len as usize;
        let base = pen.at;
        if pen.rrset(authority.rrset, pointer(owner), authority.ttl) {
            counts[2] = authority.rrset.count();
            extras[1] = Some((authority.rrset, base));
        }
    }
    if !pen.truncated {
        for required in [true, false] {
            for (fragment, base) in extras.iter().flatten() {
                counts[3] += pen.extras(fragment, *base, reply.fragments, required);
            }
        }
    }
    if let Some(sent) = &query.edns {
        let extended = reply.rcode as u8 >> 4;
        let echo = subnet.map(|s| (s, reply.scope));
        pen.at += edns::write(&mut pen.message[pen.at..], extended, sent.dnssec_ok, echo);
        counts[3] += 1;
    }
    let Pen { message, at, truncated, .. } = pen;
    let flags = 0x80 | u8::from(reply.authoritative) << 2 | u8::from(truncated) << 1;
    message[2] = message[2] & 0x79 | flags; // opcode and RD stay (P2, P3)
    message[3] = reply.rcode as u8 & 0xf; // RA, Z, AD and CD are clear (P5 to P8)
    for (n, count) in counts.iter().enumerate() {
        message[4 + 2 * n..6 + 2 * n].copy_from_slice(&count.to_be_bytes());
    }
    at
}

impl Pen<'_> {
    /// Whether `len` more octets fit; if not, the message is truncated.
    fn fits(&mut self, len: usize) -> bool {
        let fits = self.at + len <= self.limit;
        self.truncated |= !fits;
        fits
    }

    fn rrset(&mut self, rrset: &Fragment, owner: u16, ttl: Option<u32>) -> bool {
        let fits = self.fits(rrset.len());
        if fits {
            rrset.write(self.message, self.at, owner, ttl);
            self.at += rrset.len();
        }
        fits
    }

    fn owner(&self) -> u16 {
        if self.name == HEADER { QUESTION } else { pointer(self.name) }
    }

    /// Writes one part of the answer section behind those before it and says how many records it has; none when it did
    /// not fit.
    fn part(&mut self, part: &Part<'_>, before: &[Part<'_>], chosen: &[u8]) -> Option<u16> {
        match part {
            Part::Rrset(rrset) => self.rrset(rrset, self.owner(), None).then(|| rrset.count()),
            Part::Alias(cname) => {
                let base = self.at;
                self.rrset(cname, self.owner(), None).then(|| {
                    (self.name, self.name_len) = (base + RECORD, cname.target().len());
                    cname.count()
                })
            }
            Part::Redirect { dname, keep, fits } => {
                let same =
                    |part: &Part<'_>| matches!(part, Part::Redirect { dname: d, .. } if std::ptr::eq(*d, *dname));
                self.redirect(dname, before.iter().any(same), *keep as usize, *fits)
            }
            Part::Chosen { family, ttl, table } => {
                let chosen = || chosen.iter().filter_map(|n| table.get(*n as usize));
                match family {
                    Family::V4 => self.addresses(1, *ttl, || chosen().filter_map(|a| a.v4).map(|a| a.octets())),
                    Family::V6 => self.addresses(28, *ttl, || chosen().filter_map(|a| a.v6).map(|a| a.octets())),
                }
            }
            Part::Listed { family, ttl, list } => {
                use std::net::IpAddr::{V4, V6};
                let v4 = || list.iter().filter_map(|a| if let V4(a) = a { Some(a.octets()) } else { None });
                let v6 = || list.iter().filter_map(|a| if let V6(a) = a { Some(a.octets()) } else { None });
                match family {
                    Family::V4 => self.addresses(1, *ttl, v4),
                    Family::V6 => self.addresses(28, *ttl, v6),
                }
            }
        }
    }

    /// A DNAME, unless it stands in the answer already and is only applied again, and the CNAME made from it.
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
            self.rrset(dname, pointer(name + keep), None);
        }
        if !fits {
            return Some(count);
        }
        let base = self.at;
        self.record(owner, 5, dname.ttl(), rdlen);
        self.message.copy_within(name..name + keep, self.at);
        self.message[self.at + keep..self.at + rdlen].copy_from_slice(dname.target());
        self.at += rdlen;
        (self.name, self.name_len) = (base + RECORD, rdlen);
        Some(count + 1)
    }

    /// Address records of the current name: all of them or none.
    fn addresses<const N: usize, I: Iterator<Item = [u8; N]>>(
        &mut self,
        rtype: u16,
        ttl: u32,
        list: impl Fn() -> I,
    ) -> Option<u16> {
        let count = list().count();
        if !self.fits(count * (RECORD + N)) {
            return None;
        }
        let owner = self.owner();
        for address in list() {
            self.record(owner, rtype, ttl, N);
            self.message[self.at..self.at + N].copy_from_slice(&address);
            self.at += N;
        }
        Some(count as u16)
    }

    fn record(&mut self, owner: u16, rtype: u16, ttl: u32, rdlen: usize) {
        let ([o0, o1], [t0, t1], [l0, l1]) = (owner.to_be_bytes(), rtype.to_be_bytes(), (rdlen as u16).to_be_bytes());
        let [s0, s1, s2, s3] = ttl.to_be_bytes();
        let head = [o0, o1, t0, t1, 0, 1, s0, s1, s2, s3, l0, l1];
        self.message[self.at..self.at + RECORD].copy_from_slice(&head);
        self.at += RECORD;
    }

    /// Address RRsets of the names in `fragment`, which stands at `base`. Those that are only a service to the client
    /// are left out without a word when they do not fit (P73).
    fn extras(&mut self, fragment: &Fragment, base: usize, fragments: &[Fragment], required: bool) -> u16 {
        let mut count = 0;
        for Extra { at, fragment, .. } in fragment.extras.iter().filter(|e| e.required == required) {
            let (Some(rrset), owner) = (fragments.get(*fragment as usize), base + *at as usize) else { continue };
            if owner >= 0x4000 || (!required && self.at + rrset.len() > self.limit) {
                continue;
            }
            if self.rrset(rrset, pointer(owner), None) {
                count += rrset.count();
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::{fold, reply::Reply, rr::RrType};

    /// The reply to `question` (which stands at the packet's offset 12) of one DNAME, applied `times`.
    fn redirected(question: &[u8], keep: u8, target: &[u8], times: usize, limit: usize) -> Vec<u8> {
        let dname = Fragment::new(RrType::DNAME, 60, &[target]);
        let query = Query {
            name_len: question.len() as u8,
            qtype: 1,
            qclass: 1,
            hash: fold::hash(question),
            ..Query::default()
        };
        let mut reply = Reply::bare(Rcode::NoError, &[]);
        for _ in 0..times {
            reply.answers.push(Part::Redirect { dname: &dname, keep, fits: true });
        }
        let mut packet = vec![0; 2048];
        packet[HEADER..HEADER + question.len()].copy_from_slice(question);
        let len = write(&reply, &query, limit, &mut packet);
        packet.truncate(len);
        packet
    }

    #[test]
    fn a_dname_goes_out_with_its_cname_or_not_at_all() {
        let (question, target) = (b"\x01q\x01d\0", b"\x01e\0");
        let whole = redirected(question, 2, target, 1, 512);
        assert_eq!(whole[6..8], [0, 2]);
        for limit in 0..whole.len() - HEADER - 9 {
            let cut = redirected(question, 2, target, 1, HEADER + 9 + limit);
            assert_eq!(
                (cut.len(), cut[2] & 2, &cut[6..8]),
                (HEADER + 9, 2, &[0, 0][..]),
                "nothing behind the question"
            );
        }
    }

    #[test]
    fn a_dname_that_is_applied_again_is_not_repeated() {
        // `d. DNAME e.d.`: each time one label more before the owner.
        let once = redirected(b"\x01q\x01d\0", 2, b"\x01e\x01d\0", 1, 512);
        let twice = redirected(b"\x01q\x01d\0", 2, b"\x01e\x01d\0", 2, 512);
        assert_eq!((&once[6..8], &twice[6..8]), (&[0, 2][..], &[0, 3][..]));
        assert_eq!(twice[..once.len()][12..], once[12..]);
    }
}
