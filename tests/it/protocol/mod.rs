//! The protocol's rules, P1 to P105, one module for each group: text is loaded, sealed and asked as packets, without
//! sockets. Every reply is read by two readers, the strict one here and hickory-proto's.
//!
//! Not here, and why: P87 to P93 are rules of TCP sockets (`net` and `dig` hold them); the IP_PMTUDISC of P84 is a
//! socket's; P103 and the scope half of P105 are geography's (`engine/geo` proves them by brute force); P106 to P146 come
//! with cookies, transfers, DNSSEC and encrypted transports; P58, P64 and P147 to P148 are rules of loading (`config`).

mod aliases;
mod answers;
mod ask;
mod class_type;
mod edns;
mod header;
mod hostile;
mod https;
mod lookup;
mod names;
mod nested;
mod notices;
mod question;
mod reference;
mod referrals;
mod reflect;
mod responses;
mod sizes;
mod stages;
mod steered_cname;
mod steered_names;
mod strict;
mod subnet;
mod targets;
mod wildcards;
mod wire_form;
mod world;

use ask::{Ask, ask, send, sound};
use strict::{Rr, Strict};
use world::{changed, example, healthy, judged, serve, whole_world, world};

/// Types by number, where a test compares with a record that was read.
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const DNAME: u16 = 39;

const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;
const YXDOMAIN: u16 = 6;
const BADVERS: u16 = 16;

/// A name's octets.
fn wire(text: &str) -> Vec<u8> {
    meridian::engine::wire::name::Name::from_text(text).expect(text).wire().to_vec()
}

/// Owner and type of each record, for comparison with what is expected.
fn kinds(section: &[Rr]) -> Vec<(String, u16)> {
    let text = |rr: &Rr| {
        let mut out = String::new();
        meridian::engine::wire::name::write_text(&rr.owner, &mut out).expect("text");
        (out, rr.rtype)
    };
    section.iter().map(text).collect()
}

/// A negative answer: AA, nothing in answer, the apex's SOA in authority (P38, P39), SCOPE 0 (P102).
fn assert_negative(reply: &Strict, rcode: u16, apex: &str, rule: &str) {
    assert_eq!(reply.rcode(), rcode, "{rule}");
    assert!(reply.aa(), "{rule}: AA");
    assert_eq!(reply.answers(), [], "{rule}");
    let [soa] = reply.authority() else { panic!("{rule}: {:?}", reply.authority()) };
    assert_eq!((soa.rtype, soa.owner.to_ascii_lowercase()), (SOA, wire(apex)), "{rule}");
    assert_eq!(reply.additional(), [], "{rule}");
}

/// An error: no AA, no records.
fn assert_bare(reply: &Strict, rcode: u16, rule: &str) {
    assert_eq!((reply.rcode(), reply.aa()), (rcode, false), "{rule}");
    assert!(reply.sections.iter().all(Vec::is_empty), "{rule}: {:?}", reply.sections);
}
