//! What the last program of version 1 made: its text and digest of every kind of check, and a file with all sections.

use std::net::IpAddr;

use super::*;
use crate::probing::identity::tests::checks;

/// Written by that program. It is never written again.
const PINNED: &str = include_str!("pinned.txt");

#[test]
fn texts_and_digests_are_those_of_version_1() {
    let address = IpAddr::from([192, 0, 2, 1]);
    let sources = [(Check::Icmp, "192.0.2.53".parse().ok()), (Check::tcp(80), "2001:db8::53".parse().ok())];
    let keys = checks().into_iter().map(|(_, check)| (check, None)).chain(sources);
    let keys = keys.map(|(check, source)| ProbeKey { check, address, source });
    let shown: String = keys.map(|key| format!("{}\n{}\n\n", text(&key), digest(&key))).collect();
    assert_eq!(shown, PINNED);
}
